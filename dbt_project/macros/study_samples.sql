{#-
    The sample rule of a study of all cities, one row a city: prefecture-level at every year-end from `status_from` to
    `last_year`, not in Tibet. A study that begins in 2011 with status_from 2010 leaves out the cities that were founded
    in the course of its first year.
-#}
{% macro prefecture_sample(first_year, last_year, status_from) %}
with status as (
    select
        city_code,
        count(*) filter (where is_prefecture_city) as n_city_years
    from {{ ref('int_city_years_span') }}
    where year between {{ status_from }} and {{ last_year }}
    group by city_code
),

reasons as (
    select
        cities.city_code,
        case
            when cities.province_code = '540000' then 'tibet'
            when coalesce(status.n_city_years, 0) < {{ last_year - status_from + 1 }}
                then 'not_a_prefecture_level_city_throughout'
            else 'in_sample'
        end as reason
    from {{ ref('seed_city') }} as cities
    left join status on cities.city_code = status.city_code
)

select
    city_code,
    reason = 'in_sample' as is_in_sample,
    reason,
    {{ first_year }} as first_year,
    {{ last_year }} as last_year
from reasons
order by city_code
{% endmacro %}
