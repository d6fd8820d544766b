select
    city_code,
    year,
    {% for indicator, column in city_indicators() -%}
    max(reported) filter (where indicator = '{{ indicator }}') as {{ column }}_reported,
    max(value) filter (where indicator = '{{ indicator }}') as {{ column }},
    max(fill) filter (where indicator = '{{ indicator }}') as {{ column }}_fill{{ ',' if not loop.last }}
    {% endfor -%}
from {{ ref('int_city_year_fill') }}
group by city_code, year
order by city_code, year
