-- Capital stock of the provinces by perpetual inventory: K_t = (1 - d) K_{t-1} + I_t / P_t, first stock by the rule of
-- seed_capital_rule (10.96 percent, steady state, base 2000).
with flows as (
    select
        investment.province_code,
        investment.year,
        investment.investment_base_price_yi_yuan as real_investment,
        investment.investment_base_price_yi_yuan_fill as real_investment_fill,
        rules.initial_rule,
        rules.depreciation_rate,
        rules.base_year,
        rules.growth_years
    from {{ ref('int_province_investment') }} as investment
    cross join {{ ref('seed_capital_rule') }} as rules
    where rules.study = 'province_transition'
),

stocks as (
    {{ perpetual_inventory('flows', by=['province_code']) }}
)

select
    stocks.province_code,
    stocks.year,
    stocks.base_year,
    stocks.base_year + rules.growth_years as initial_growth_year,
    stocks.initial_rule,
    stocks.depreciation_rate,
    stocks.real_investment as investment_base_price_yi_yuan,
    stocks.growth_rate as initial_growth_share,
    stocks.initial_stock as initial_stock_yi_yuan,
    {{ filled_measure('capital_stock_base_price_yi_yuan', 'stocks.stock', ['stocks.stock_fill']) }}
from stocks
cross join {{ ref('seed_capital_rule') }} as rules
where rules.study = 'province_transition'
order by stocks.province_code, stocks.year
