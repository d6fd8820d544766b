-- Cross sections of a base year (1984), one row a city: their cells lie outside the panel and are never filled.
with pivoted as (
    {{ pivot_place_years(
        ref('int_city_year_fill'), 'city_code', city_base_indicators(),
        "indicator in ('" ~ city_base_indicators() | map('first') | join("', '") ~ "')"
    ) }}
)

select * exclude (year)
from pivoted
order by city_code
