-- GDP at prices of the base year: nominal GDP of that year, chained forwards and backwards with the growth index
-- (previous year = 100). A year without the city's index takes the province's; a year without either breaks the chain,
-- and every year beyond the break is NULL.
with links as (
    select
        cities.city_code,
        cities.year,
        cities.gdp_yi_yuan,
        cities.gdp_yi_yuan_fill,
        cities.gdp_prev100_index as city_index,
        provinces.gdp_prev100_index as province_index,
        coalesce(cities.gdp_prev100_index, provinces.gdp_prev100_index) as index_used,
        case
            when cities.gdp_prev100_index is not null then 'city'
            when provinces.gdp_prev100_index is not null then 'province'
            else 'none'
        end as index_source
    from {{ ref('int_city_year_pivot') }} as cities
    inner join {{ ref('int_city_years_span') }} as spans
        on cities.city_code = spans.city_code and cities.year = spans.year
    left join {{ ref('int_province_year_pivot') }} as provinces
        on spans.province_code = provinces.province_code and cities.year = provinces.year
),

base as (
    select
        city_code,
        gdp_yi_yuan,
        gdp_yi_yuan_fill
    from links
    where year = {{ var('base_year') }}
),

-- The factors between a year and the base year, multiplied in the order of their years.
chains as (
    select
        here.city_code,
        here.year,
        count(links.index_used) as n_links,
        list_product(list(links.index_used / 100 order by links.year)) as chain,
        count(*) filter (where links.index_source = 'province') as n_province_index_years
    from links as here
    left join links
        on
            here.city_code = links.city_code
            and links.year > least(here.year, {{ var('base_year') }})
            and links.year <= greatest(here.year, {{ var('base_year') }})
    group by here.city_code, here.year
),

chained as (
    select
        here.city_code,
        here.year,
        here.index_used,
        here.index_source,
        base.gdp_yi_yuan as base_gdp_yi_yuan,
        base.gdp_yi_yuan_fill as base_gdp_yi_yuan_fill,
        chains.n_province_index_years,
        case
            when here.year = {{ var('base_year') }} then 1.0
            when chains.n_links < abs(here.year - {{ var('base_year') }}) then null
            when here.year > {{ var('base_year') }} then chains.chain
            else 1.0 / chains.chain
        end as chain_index
    from links as here
    inner join chains on here.city_code = chains.city_code and here.year = chains.year
    left join base on here.city_code = base.city_code
)

select
    city_code,
    year,
    {{ var('base_year') }} as base_year,
    base_gdp_yi_yuan,
    base_gdp_yi_yuan_fill,
    index_used as prev100_index,
    index_source,
    cast(n_province_index_years as integer) as n_province_index_years,
    chain_index,
    {{ filled_measure(
        'gdp_base_price_yi_yuan',
        'base_gdp_yi_yuan * chain_index',
        ["base_gdp_yi_yuan_fill", "case when n_province_index_years > 0 then 'carried' else 'observed' end"]
    ) }}
from chained
order by city_code, year
