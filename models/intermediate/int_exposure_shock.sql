-- National shocks of the shift-share: robots of an industry per worker it had in the country's base year. A year in
-- which an industry of the country's tables has no number keeps its row with NULL, so that no sum leaves it out in
-- silence. The var `unspecified_robots` says what becomes of the robots reported without an industry (99).
with counts as (
    select
        *,
        row_number() over (
            partition by country, ifr_code, year
            order by dataset, source_file, source_sheet, source_row
        ) as place_in_line
    from {{ ref('stg_industry_robots__counts') }}
),

robots as (
    {% for instrument, country, metric, base_year in robot_instruments() -%}
    select
        '{{ instrument }}' as instrument,
        country,
        ifr_code,
        year,
        '{{ metric }}' as robots_column,
        {{ metric }} as robots,
        {{ base_year }} as base_year
    from counts
    where country = '{{ country }}' and place_in_line = 1
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

employed as (
    select
        area_code,
        ifr_code,
        year,
        employees_persons,
        row_number() over (
            partition by area_code, ifr_code, year
            order by dataset, source_file, source_sheet, source_row
        ) as place_in_line
    from {{ ref('stg_industry_employment__employees') }}
    where employees_persons is not null
),

-- The nation's workers as printed, else the sum of the provinces.
workers as (
    select
        'CHN' as country,
        ifr_code,
        year,
        coalesce(
            max(employees_persons) filter (where area_code = 'CHN'),
            list_sum(list(employees_persons order by area_code) filter (where area_code not in ('CHN', 'USA')))
        ) as employees_persons
    from employed
    where place_in_line = 1 and area_code <> 'USA'
    group by ifr_code, year
    union all
    select
        area_code as country,
        ifr_code,
        year,
        employees_persons
    from employed
    where place_in_line = 1 and area_code = 'USA'
),

years as (
    select distinct
        instrument,
        year
    from robots
),

listed as (
    select distinct
        robots.instrument,
        robots.country,
        robots.ifr_code,
        robots.base_year,
        robots.robots_column,
        workers.employees_persons
    from robots
    inner join {{ ref('seed_ifr_industry') }} as industries on robots.ifr_code = industries.ifr_code
    inner join workers
        on
            robots.country = workers.country
            and robots.ifr_code = workers.ifr_code
            and robots.base_year = workers.year
    where {{ is_exposure_industry('industries') }} and workers.employees_persons > 0
),

-- Robots of the year with an industry and without one, for the option `proportional`.
reported as (
    select
        robots.instrument,
        robots.year,
        list_sum(list(robots.robots order by robots.ifr_code) filter (where robots.ifr_code <> '99')) as with_industry,
        max(robots.robots) filter (where robots.ifr_code = '99') as without_industry
    from robots
    left join {{ ref('seed_ifr_industry') }} as industries on robots.ifr_code = industries.ifr_code
    where robots.ifr_code = '99' or ({{ is_exposure_industry('industries') }})
    group by robots.instrument, robots.year
),

spread as (
    select
        listed.instrument,
        listed.country,
        listed.ifr_code,
        years.year,
        listed.base_year,
        listed.robots_column,
        listed.employees_persons,
        robots.robots * (
            1
            + {{ 1 if var('unspecified_robots') == 'proportional' else 0 }}
            * coalesce(reported.without_industry / nullif(reported.with_industry, 0), 0)
        ) as robots_count
    from listed
    inner join years on listed.instrument = years.instrument
    left join robots
        on
            listed.instrument = robots.instrument
            and listed.ifr_code = robots.ifr_code
            and years.year = robots.year
    left join reported on listed.instrument = reported.instrument and years.year = reported.year
)

select
    'province_transition' as study,
    instrument,
    country,
    ifr_code,
    year,
    base_year,
    robots_column,
    robots_count,
    employees_persons,
    robots_count / employees_persons as shock_robots_per_worker
from spread
order by instrument, ifr_code, year
