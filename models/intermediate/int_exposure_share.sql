-- Predetermined shares of the shift-share: workers of an industry over all workers of the province in the base year. An
-- industry without a row in a province employs nobody there. Of several data sets the first by name counts.
with ranked as (
    select
        *,
        row_number() over (
            partition by area_code, ifr_code
            order by dataset, source_file, source_sheet, source_row
        ) as place_in_line
    from {{ ref('stg_industry_employment__employees') }}
    where year = {{ var('robot_base_year') }} and employees_persons is not null
),

employed as (
    select
        ranked.area_code as province_code,
        ranked.ifr_code,
        ranked.employees_persons
    from ranked
    inner join {{ ref('seed_province') }} as provinces on ranked.area_code = provinces.province_code
    inner join {{ ref('seed_ifr_industry') }} as industries on ranked.ifr_code = industries.ifr_code
    where ranked.place_in_line = 1 and {{ is_exposure_industry('industries') }}
),

-- The province's whole employment where it is given, else the sum of its industries.
totals as (
    select
        employed.province_code,
        coalesce(
            max(given.employees_persons),
            list_sum(list(employed.employees_persons order by employed.ifr_code))
        ) as province_employees_persons
    from employed
    left join ranked as given
        on employed.province_code = given.area_code and given.ifr_code = 'total' and given.place_in_line = 1
    group by employed.province_code
),

instruments as (
    {% for instrument, country, metric, base_year in robot_instruments() -%}
    select '{{ instrument }}' as instrument
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    'province_transition' as study,
    instruments.instrument,
    employed.province_code,
    employed.ifr_code,
    {{ var('robot_base_year') }} as base_year,
    employed.employees_persons,
    totals.province_employees_persons,
    employed.employees_persons / nullif(totals.province_employees_persons, 0) as employment_share
from employed
inner join totals on employed.province_code = totals.province_code
cross join instruments
order by instruments.instrument, employed.province_code, employed.ifr_code
