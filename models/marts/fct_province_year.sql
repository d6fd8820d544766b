select
    provinces.province_code,
    pivoted.year,
    provinces.province_name_zh,
    provinces.province_name_en,
    {% for _, column in province_indicators() -%}
    {{ measure_triple(column, 'pivoted.') }},
    {% endfor -%}
    {{ measure_triple('gdp_base_price_yi_yuan', 'real_gdp.', rename='gdp_2000_price_yi_yuan') }},
    {{ measure_triple('investment_yi_yuan', 'investment.', rename='investment_extended_yi_yuan') }},
    {{ measure_triple(
        'investment_base_price_yi_yuan', 'investment.', rename='investment_2000_price_yi_yuan'
    ) }},
    {{ measure_triple(
        'capital_stock_base_price_yi_yuan', 'capital.', rename='capital_stock_2000_price_yi_yuan'
    ) }},
    prices.investment_price_prev100_index,
    prices.gdp_deflator_prev100_index,
    {% for factor_set in province_factor_sets() -%}
    {{ measure_triple('co2_' ~ factor_set ~ '_mt', 'co2.') }},
    {% endfor -%}
    {% for factor_set in province_factor_sets() -%}
    {{ measure_triple('co2_scope1_' ~ factor_set ~ '_mt', 'co2.') }},
    {% endfor -%}
    {{ measure_triple('co2_scope2_mt', 'co2.') }},
    {{ measure_triple('co2_scope3_mt', 'co2.') }},
    {% for factor_set in province_factor_sets() -%}
    {{ measure_triple('co2_scopes_' ~ factor_set ~ '_mt', 'co2.') }},
    {% endfor -%}
    co2.grid_factor_t_co2_per_mwh,
    co2.grid_factor_year,
    {% for exposure in province_exposures() -%}
    {{ measure_triple('robot_exposure_' ~ exposure ~ '_per_worker', 'exposures.') }},
    {% endfor -%}
    {% for measure in province_measures() -%}
    {{ measure_triple(measure, 'measures.') }},
    {% endfor -%}
    measures.exchange_rate_cny_per_usd,
    prices.is_deflator_used as is_investment_price_deflator,
    investment.investment_basis,
    co2.is_grid_factor_carried,
    provinces.is_municipality,
    {{ is_simulated() }} as is_simulated
from {{ ref('int_province_year_pivot') }} as pivoted
inner join {{ ref('dim_province') }} as provinces on pivoted.province_code = provinces.province_code
inner join {{ ref('int_province_real_gdp') }} as real_gdp
    on pivoted.province_code = real_gdp.province_code and pivoted.year = real_gdp.year
inner join {{ ref('int_province_investment') }} as investment
    on pivoted.province_code = investment.province_code and pivoted.year = investment.year
left join {{ ref('int_province_capital') }} as capital
    on pivoted.province_code = capital.province_code and pivoted.year = capital.year
inner join {{ ref('int_province_price_index') }} as prices
    on pivoted.province_code = prices.province_code and pivoted.year = prices.year
inner join {{ ref('int_province_co2') }} as co2
    on pivoted.province_code = co2.province_code and pivoted.year = co2.year
inner join {{ ref('int_province_exposure') }} as exposures
    on pivoted.province_code = exposures.province_code and pivoted.year = exposures.year
inner join {{ ref('int_province_measures') }} as measures
    on pivoted.province_code = measures.province_code and pivoted.year = measures.year
order by provinces.province_code, pivoted.year
