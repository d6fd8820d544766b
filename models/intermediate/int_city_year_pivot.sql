select
    city_code,
    year,
    {{ pivot_indicators() }}
from {{ ref('int_city_year_fill') }}
group by city_code, year
order by city_code, year
