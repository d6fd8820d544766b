-- Prices of investment in each province, previous year = 100: the printed index, and the deflator of GDP in the years
-- without one (the printed index ends in 2019), flagged. Deflator = nominal growth / real growth.
with years as (
    select
        province_code,
        year,
        fixed_asset_price_prev100_index,
        gdp_yi_yuan,
        gdp_prev100_index,
        {{ lag_by_year('gdp_yi_yuan', unit='province_code') }} as gdp_lag1_yi_yuan
    from {{ ref('int_province_year_pivot') }}
),

deflated as (
    select
        *,
        10000 * gdp_yi_yuan / nullif(gdp_lag1_yi_yuan, 0) / nullif(gdp_prev100_index, 0) as gdp_deflator_prev100_index
    from years
)

select
    province_code,
    year,
    coalesce(fixed_asset_price_prev100_index, gdp_deflator_prev100_index) as investment_price_prev100_index,
    fixed_asset_price_prev100_index is null and gdp_deflator_prev100_index is not null as is_deflator_used,
    gdp_deflator_prev100_index
from deflated
order by province_code, year
