-- K_t = (1 - d) K_{t-1} + i_t in every year after the base year, and the stock of the base year is the initial one.
select
    here.study,
    here.city_code,
    here.year,
    here.capital_stock_base_price_yi_yuan as stock,
    before.capital_stock_base_price_yi_yuan as stock_before
from {{ ref('int_city_capital') }} as here
left join {{ ref('int_city_capital') }} as before
    on here.study = before.study and here.city_code = before.city_code and here.year = before.year + 1
where
    (
        here.year = here.base_year
        and here.capital_stock_base_price_yi_yuan <> here.initial_stock_yi_yuan
    )
    or (
        here.year > here.base_year
        and here.capital_stock_base_price_yi_yuan is not null
        and (
            before.capital_stock_base_price_yi_yuan is null
            or abs(
                (1 - here.depreciation_rate) * before.capital_stock_base_price_yi_yuan + here.real_investment_yi_yuan
                - here.capital_stock_base_price_yi_yuan
            ) > 1e-12 * here.capital_stock_base_price_yi_yuan
        )
    )
