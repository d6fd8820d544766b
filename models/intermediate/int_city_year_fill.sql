-- Every city, year and indicator while the city exists, filled. An indicator with a base year has that year alone, for
-- every city.
with cities as (
    select distinct city_code from {{ ref('int_city_years_span') }}
),

bases as (
    select distinct base_year from {{ ref('seed_indicator') }}
    where level = 'city' and base_year is not null
),

places as (
    select
        city_code,
        year,
        cast(null as integer) as base_year
    from {{ ref('int_city_years_span') }}
    union all
    select
        cities.city_code,
        bases.base_year as year,
        bases.base_year
    from cities
    cross join bases
),

filled as (
    {{ fill_place_years(
        'places', ref('int_city_cells_select'), 'city_code',
        "indicators.level = 'city' and indicators.base_year is not distinct from spans.base_year"
    ) }}
)

select * from filled
order by city_code, indicator, year
