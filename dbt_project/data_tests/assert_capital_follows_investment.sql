-- K_t = (1 - d) K_{t-1} + I_t of every province, and K of the base year = I / (g + d).
with stocks as (
    select
        *,
        {{ lag_by_year('capital_stock_base_price_yi_yuan', unit='province_code') }} as stock_before
    from {{ ref('int_province_capital') }}
)

select
    province_code,
    year,
    capital_stock_base_price_yi_yuan,
    stock_before
from stocks
where
    abs(
        capital_stock_base_price_yi_yuan
        - case
            when year = base_year then investment_base_price_yi_yuan / (initial_growth_share + depreciation_rate)
            else (1 - depreciation_rate) * stock_before + investment_base_price_yi_yuan
        end
    ) > 1e-9 * capital_stock_base_price_yi_yuan
    or (
        capital_stock_base_price_yi_yuan is null
        and investment_base_price_yi_yuan is not null
        and (year = base_year or stock_before is not null)
        and initial_growth_share is not null
    )
