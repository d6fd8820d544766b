{{ require_base_year(2003) -}}
select
    pivoted.city_code,
    pivoted.year,
    cities.city_name_zh,
    cities.city_name_en,
    cities.province_code,
    {% for _, column in city_indicators() -%}
    {{ measure_triple(column, 'pivoted.') }},
    {% endfor -%}
    {% for _, column in city_base_indicators() -%}
    {{ measure_triple(column, 'bases.') }},
    {% endfor -%}
    {{ measure_triple('gdp_base_price_yi_yuan', 'real_gdp.', rename='gdp_2003_price_yi_yuan') }},
    real_gdp.n_province_index_years as gdp_province_index_count,
    {{ measure_triple('gdp_base_price_yi_yuan', 'real_gdp_2006.', rename='gdp_2006_price_yi_yuan') }},
    {{ measure_triple('fixed_asset_investment_extended_yi_yuan', 'investment.') }},
    capital.capital_stock_base_price_yi_yuan_reported as capital_stock_2006_price_yi_yuan_reported,
    capital.capital_stock_base_price_yi_yuan as capital_stock_2006_price_yi_yuan,
    coalesce(capital.capital_stock_base_price_yi_yuan_fill, 'missing') as capital_stock_2006_price_yi_yuan_fill,
    {% for factor_set in ['ipcc2006', 'china_provincial_2011'] -%}
    {{ measure_triple('co2_' ~ factor_set ~ '_mt', 'co2.') }},
    {% endfor -%}
    co2.grid_factor_t_co2_per_mwh,
    co2.grid_factor_year,
    {% for source in co2_sources() -%}
    {{ measure_triple('carbon_productivity_' ~ source ~ '_yi_yuan_per_10k_t', 'measures.') }},
    {% endfor -%}
    {{ measure_triple('ai_firms_stock_count', 'firms.') }},
    {% for measure in city_measures() -%}
    {{ measure_triple(measure, 'measures.') }},
    {% endfor -%}
    {% for measure in city_innovation_measures() -%}
    {{ measure_triple(measure, 'innovation.') }},
    {% endfor -%}
    {% for column in city_innovation_columns() -%}
    innovation.{{ column }},
    {% endfor -%}
    measures.exchange_rate_cny_per_usd,
    spans.is_prefecture_city,
    coalesce(pivoted.year >= cities.low_carbon_pilot_year, false) as is_low_carbon_pilot,
    cities.low_carbon_pilot_year,
    coalesce(pivoted.year >= cities.ai_pilot_year, false) as is_ai_pilot_zone,
    cities.ai_pilot_year,
    innovation.smart_manufacturing_pilot_firms_count > 0 as is_smart_manufacturing_pilot,
    co2.is_grid_factor_carried,
    {{ is_simulated() }} as is_simulated
from {{ ref('int_city_year_pivot') }} as pivoted
inner join {{ ref('dim_city') }} as cities on pivoted.city_code = cities.city_code
inner join {{ ref('int_city_years_span') }} as spans
    on pivoted.city_code = spans.city_code and pivoted.year = spans.year
inner join {{ ref('int_city_real_gdp') }} as real_gdp
    on
        pivoted.city_code = real_gdp.city_code
        and pivoted.year = real_gdp.year
        and real_gdp.base_year = {{ var('base_year') }}
inner join {{ ref('int_city_real_gdp') }} as real_gdp_2006
    on
        pivoted.city_code = real_gdp_2006.city_code
        and pivoted.year = real_gdp_2006.year
        and real_gdp_2006.base_year = 2006
inner join {{ ref('int_city_investment') }} as investment
    on pivoted.city_code = investment.city_code and pivoted.year = investment.year
left join {{ ref('int_city_capital') }} as capital
    on pivoted.city_code = capital.city_code and pivoted.year = capital.year and capital.study = 'yellow_river'
inner join {{ ref('int_city_bases') }} as bases on pivoted.city_code = bases.city_code
inner join {{ ref('int_city_co2') }} as co2 on pivoted.city_code = co2.city_code and pivoted.year = co2.year
inner join {{ ref('int_city_firms_accumulate') }} as firms
    on pivoted.city_code = firms.city_code and pivoted.year = firms.year
inner join {{ ref('int_city_measures') }} as measures
    on pivoted.city_code = measures.city_code and pivoted.year = measures.year
inner join {{ ref('int_city_innovation') }} as innovation
    on pivoted.city_code = innovation.city_code and pivoted.year = innovation.year
order by pivoted.city_code, pivoted.year
