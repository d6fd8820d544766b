-- A place exists in a year when it was a unit of any level at some time of that year: before an upgrade under its
-- former code; an abolished city up to the year it was abolished in.
with years as (
    select cast(unnest(range({{ var('first_year') }}, {{ var('last_year') }} + 1)) as integer) as year
),

lives as (
    select
        city_code,
        province_code,
        valid_from,
        valid_to,
        case
            when valid_from is null or (alt_code is not null and is_municipality = 0) then 0
            else year(valid_from)
        end as place_from_year,
        coalesce(year(valid_to), 9999) as place_to_year
    from {{ ref('seed_city') }}
)

select
    lives.city_code,
    years.year,
    lives.province_code,
    coalesce(lives.valid_from <= make_date(years.year, 12, 31), true)
    and coalesce(lives.valid_to > make_date(years.year, 12, 31), true) as is_prefecture_city
from lives
inner join years on years.year between lives.place_from_year and lives.place_to_year
order by lives.city_code, years.year
