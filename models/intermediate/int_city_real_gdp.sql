-- GDP at prices of a base year: nominal GDP of that year, chained forwards and backwards with the growth index
-- (previous year = 100), for every base year that a mart needs. A year without the city's index takes the province's; a
-- year without either breaks the chain, and every year beyond the break is NULL.
with bases as (
    select unnest({{ real_gdp_base_years() }}) as base_year
),

links as (
    select
        cities.city_code,
        cities.year,
        bases.base_year,
        cities.gdp_yi_yuan,
        cities.gdp_yi_yuan_fill,
        coalesce(cities.gdp_prev100_index, provinces.gdp_prev100_index) as prev100_index,
        case
            when cities.gdp_prev100_index is not null then 'city'
            when provinces.gdp_prev100_index is not null then 'province'
            else 'none'
        end as index_source
    from {{ ref('int_city_year_pivot') }} as cities
    cross join bases
    inner join {{ ref('int_city_years_span') }} as spans
        on cities.city_code = spans.city_code and cities.year = spans.year
    left join {{ ref('int_province_year_pivot') }} as provinces
        on spans.province_code = provinces.province_code and cities.year = provinces.year
),

chains as (
    {{ chain_to_base('links', count_where={'n_province_index_years': "links.index_source = 'province'"}) }}
),

chained as (
    select
        links.city_code,
        links.year,
        links.base_year,
        links.prev100_index,
        links.index_source,
        base.gdp_yi_yuan as base_gdp_yi_yuan,
        base.gdp_yi_yuan_fill as base_gdp_yi_yuan_fill,
        chains.n_province_index_years,
        chains.chain_index
    from links
    inner join chains
        on links.city_code = chains.city_code and links.year = chains.year and links.base_year = chains.base_year
    left join links as base
        on
            links.city_code = base.city_code
            and links.base_year = base.base_year
            and links.base_year = base.year
)

select
    city_code,
    year,
    base_year,
    base_gdp_yi_yuan,
    base_gdp_yi_yuan_fill,
    prev100_index,
    index_source,
    n_province_index_years,
    chain_index,
    {{ filled_measure(
        'gdp_base_price_yi_yuan',
        'base_gdp_yi_yuan * chain_index',
        ["base_gdp_yi_yuan_fill", "case when n_province_index_years > 0 then 'carried' else 'observed' end"]
    ) }}
from chained
order by city_code, base_year, year
