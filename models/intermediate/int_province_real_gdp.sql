-- GDP of the provinces at prices of the base year: nominal GDP of that year, chained with the growth index (previous
-- year = 100). A year without the index ends the chain.
with links as (
    select
        years.province_code,
        years.year,
        rules.base_year,
        years.gdp_prev100_index as prev100_index
    from {{ ref('int_province_year_pivot') }} as years
    cross join {{ ref('seed_capital_rule') }} as rules
    where rules.study = 'province_transition'
),

chains as (
    {{ chain_to_base('links', by=['province_code']) }}
),

chained as (
    select
        chains.province_code,
        chains.year,
        chains.base_year,
        base.gdp_yi_yuan as base_gdp_yi_yuan,
        base.gdp_yi_yuan_fill as base_gdp_yi_yuan_fill,
        chains.chain_index
    from chains
    left join {{ ref('int_province_year_pivot') }} as base
        on chains.province_code = base.province_code and chains.base_year = base.year
)

select
    province_code,
    year,
    base_year,
    base_gdp_yi_yuan,
    base_gdp_yi_yuan_fill,
    chain_index,
    {{ filled_measure('gdp_base_price_yi_yuan', 'base_gdp_yi_yuan * chain_index', ['base_gdp_yi_yuan_fill']) }}
from chained
order by province_code, year
