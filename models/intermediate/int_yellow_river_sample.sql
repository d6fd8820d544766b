-- The sample rule of the Yellow River study, one row a city: the 78 cities it lists, prefecture-level at every year-end
-- of 2006-2021.
{% set first_year = 2006 %}
{% set last_year = 2021 %}
with status as (
    select
        city_code,
        count(*) filter (where is_prefecture_city) as n_city_years
    from {{ ref('int_city_years_span') }}
    where year between {{ first_year }} and {{ last_year }}
    group by city_code
),

reasons as (
    select
        cities.city_code,
        case
            when listed.city_code is null then 'not_listed_by_the_paper'
            when coalesce(status.n_city_years, 0) < {{ last_year - first_year + 1 }}
                then 'not_a_prefecture_level_city_throughout'
            else 'in_sample'
        end as reason
    from {{ ref('seed_city') }} as cities
    left join {{ ref('seed_yellow_river_city') }} as listed on cities.city_code = listed.city_code
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
