-- The panel of the green TFP study: 284 cities, 2011-2022. Lags are formed on all years before the sample is cut; the
-- composed indices are taken on the sample.
{% set composed = [
    ('information_infrastructure', 'information_infrastructure'), ('network_infrastructure', 'network_infrastructure'),
    ('computing_infrastructure', 'computing_infrastructure')
] -%}
{% set efficiency_measures = [('GTFP', 'GTFP')] -%}
with lagged as (
    select
        *,
        {{ lag_by_year('ln_ai_all_applications') }} as AI_lag1
    from {{ ref('fct_city_year') }}
),

indices as (
    {{ pivot_indices('green_tfp', composed) }}
),

sample_years as (
    select
        facts.city_code,
        facts.year,
        facts.city_name_zh,
        facts.city_name_en,
        facts.province_code,
        {{ select_symbols(green_tfp_symbols(), 'facts.') }},
        {% for symbol, _ in composed -%}
        {{ measure_triple(symbol, 'indices.') }},
        {% endfor -%}
        facts.AI_lag1,
        facts.is_simulated
    from lagged as facts
    inner join {{ ref('int_green_tfp_sample') }} as samples
        on
            facts.city_code = samples.city_code
            and samples.is_in_sample
            and facts.year between samples.first_year and samples.last_year
    inner join indices on facts.city_code = indices.city_code and facts.year = indices.year
),

efficiency as (
    {{ pivot_efficiency('green_tfp', efficiency_measures, 'fct_productivity_index', 'cumulative_index') }}
)

select
    here.city_code,
    here.year,
    here.city_name_zh,
    here.city_name_en,
    here.province_code,
    cities.province_name_en,
    efficiency.GTFP,
    {% for symbol in green_tfp_panel_symbols() -%}
    here.{{ symbol }},
    {% endfor -%}
    here.AI_lag1,
    cities.is_resource_based,
    cities.is_environment_focused,
    cities.is_old_industrial_base,
    cities.is_municipality,
    cities.region4,
    '{{ var('co2_source') }}' as co2_source,
    here.is_simulated,
    {{ select_fills(green_tfp_panel_symbols(), 'here.') }},
    {{ select_efficiency_fills(efficiency_measures) }}
from sample_years as here
inner join {{ ref('dim_city') }} as cities on here.city_code = cities.city_code
left join efficiency on here.city_code = efficiency.unit_code and here.year = efficiency.year
order by here.city_code, here.year
