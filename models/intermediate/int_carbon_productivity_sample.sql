-- The sample rule of the carbon productivity paper, one row a city: prefecture-level at every year-end of 2003-2021,
-- not in Tibet, not one of the nine cities the paper leaves out.
{% set first_year = 2003 %}
{% set last_year = 2021 %}
with listed as (
    select distinct names.city_code
    from {{ ref('seed_published_list') }} as published
    inner join {{ ref('int_city_names_union') }} as names on published.item = names.alias
    where published.study = 'carbon_productivity' and published.list = 'excluded cities (besides Tibet)'
),

status as (
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
            when cities.province_code = '540000' then 'tibet'
            when listed.city_code is not null then 'excluded_by_the_paper'
            when coalesce(status.n_city_years, 0) < {{ last_year - first_year + 1 }}
                then 'not_a_prefecture_level_city_throughout'
            else 'in_sample'
        end as reason
    from {{ ref('seed_city') }} as cities
    left join listed on cities.city_code = listed.city_code
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
