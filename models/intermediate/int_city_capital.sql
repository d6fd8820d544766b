-- Capital stock of the cities by perpetual inventory, one row a study's rule, city and year, from the base year of the
-- rule on. Investment is brought to prices of the base year with the province's price index of investment, which goes
-- on with the GDP deflator after its last year (carried).
with rules as (
    select * from {{ ref('seed_capital_rule') }}
    where level = 'city'
),

base_years as (
    select distinct base_year from rules
),

price_links as (
    select
        prices.province_code,
        prices.year,
        base_years.base_year,
        prices.investment_price_prev100_index as prev100_index,
        prices.is_deflator_used
    from {{ ref('int_province_price_index') }} as prices
    cross join base_years
),

prices as (
    {{ chain_to_base(
        'price_links', by=['province_code'], count_where={'n_deflator_years': 'links.is_deflator_used'}
    ) }}
),

flows as (
    select
        rules.study,
        investment.city_code,
        investment.year,
        rules.initial_rule,
        rules.depreciation_rate,
        rules.base_year,
        rules.growth_years,
        spans.province_code,
        prices.chain_index as investment_price_chain_index,
        prices.n_deflator_years,
        {{ filled_measure(
            'real_investment_yi_yuan',
            'investment.fixed_asset_investment_extended_yi_yuan / nullif(prices.chain_index, 0)',
            [
                'investment.fixed_asset_investment_extended_yi_yuan_fill',
                "case when prices.n_deflator_years > 0 then 'carried' else 'observed' end",
            ]
        ) }}
    from {{ ref('int_city_investment') }} as investment
    cross join rules
    inner join {{ ref('int_city_years_span') }} as spans
        on investment.city_code = spans.city_code and investment.year = spans.year
    left join prices
        on
            spans.province_code = prices.province_code
            and investment.year = prices.year
            and rules.base_year = prices.base_year
),

stocks as (
    {{ perpetual_inventory(
        'flows', by=['study', 'city_code'], flow='real_investment_yi_yuan', fill='real_investment_yi_yuan_fill'
    ) }}
)

select
    stocks.study,
    stocks.city_code,
    stocks.year,
    flows.province_code,
    stocks.base_year,
    stocks.initial_rule,
    stocks.depreciation_rate,
    flows.investment_price_chain_index,
    flows.n_deflator_years,
    {{ measure_triple('real_investment_yi_yuan', 'flows.') }},
    stocks.growth_rate,
    stocks.initial_stock as initial_stock_yi_yuan,
    case when stocks.stock_fill = 'observed' then stocks.stock end as capital_stock_base_price_yi_yuan_reported,
    stocks.stock as capital_stock_base_price_yi_yuan,
    stocks.stock_fill as capital_stock_base_price_yi_yuan_fill
from stocks
inner join flows
    on stocks.study = flows.study and stocks.city_code = flows.city_code and stocks.year = flows.year
order by stocks.study, stocks.city_code, stocks.year
