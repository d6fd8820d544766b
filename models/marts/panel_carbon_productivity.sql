-- The panel of the carbon productivity paper: its symbols as columns, its years and its cities. Lags are formed on all
-- years before the sample is cut.
with lagged as (
    select
        *,
        {{ lag_by_year('ln_ai_firms_stock') }} as ln_ai_firms_stock_lag1
    from {{ ref('fct_city_year') }}
)

select
    facts.city_code,
    facts.year,
    cities.city_name_zh,
    cities.city_name_en,
    cities.province_code,
    cities.province_name_en,
    {% for symbol, measure in panel_symbols() -%}
    facts.{{ measure }} as {{ symbol }},
    {% endfor -%}
    facts.ln_ai_firms_registered as AI_flow,
    facts.ln_ai_firms_stock_lag1 as AI_lag1,
    facts.gdp_2003_price_yi_yuan,
    facts.co2_{{ var('co2_source') }}_mt as co2_mt,
    '{{ var('co2_source') }}' as co2_source,
    cities.is_municipality,
    cities.is_resource_based,
    cities.resource_type,
    cities.size_class,
    cities.region4,
    cities.is_western,
    cities.is_coal_province,
    cities.is_bth,
    cities.is_yrd,
    cities.is_prd,
    cities.is_mid_yangtze,
    cities.is_chengdu_chongqing,
    facts.is_low_carbon_pilot,
    cities.low_carbon_pilot_year,
    facts.is_ai_pilot_zone,
    cities.ai_pilot_year,
    facts.is_simulated,
    {{ symbol_fills('facts.') }}
from lagged as facts
inner join {{ ref('dim_city') }} as cities on facts.city_code = cities.city_code
inner join {{ ref('int_carbon_productivity_sample') }} as samples
    on
        facts.city_code = samples.city_code
        and samples.is_in_sample
        and facts.year between samples.first_year and samples.last_year
order by facts.city_code, facts.year
