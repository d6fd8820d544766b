-- The panel of the province study: its symbols as columns, 30 provinces, 2013-2022. Lags are formed on all years before
-- the sample is cut; medians and the weights of the index are taken on the sample.
{% set efficiency_measures = [('GTFP', 'GTFP'), ('GTFP_ML', 'GTFP_ML')] -%}
with lagged as (
    select
        *,
        100 * {{ lag_by_year('robot_exposure_cn_stock_per_worker', unit='province_code') }} as exposure_lag1
    from {{ ref('fct_province_year') }}
),

sample_years as (
    select
        facts.province_code,
        facts.year,
        facts.province_name_zh,
        facts.province_name_en,
        {% for symbol, column, factor in province_symbols() -%}
        {% for ending in ['', '_reported'] -%}
        {{ factor ~ ' * ' if factor != 1 }}facts.{{ column }}{{ ending }} as {{ symbol }}{{ ending }},
        {% endfor -%}
        facts.{{ column }}_fill as {{ symbol }}_fill,
        {% endfor -%}
        facts.exposure_lag1 as AI_lag1,
        indices.value as industrial_intelligence,
        coalesce(indices.fill, 'missing') as industrial_intelligence_fill,
        case when indices.fill = 'observed' then indices.value end as industrial_intelligence_reported,
        facts.is_municipality,
        facts.is_simulated
    from lagged as facts
    inner join {{ ref('int_province_transition_sample') }} as samples
        on
            facts.province_code = samples.province_code
            and samples.is_in_sample
            and facts.year between samples.first_year and samples.last_year
    left join {{ ref('int_province_index_value') }} as indices
        on
            facts.province_code = indices.unit_code
            and facts.year = indices.year
            and indices.study = 'province_transition'
            and indices.index_name = 'industrial_intelligence'
),

efficiency as (
    {{ pivot_efficiency('province_transition', efficiency_measures, 'fct_productivity_index', 'cumulative_index') }}
),

medians as (
    select
        median(env_regulation) as env_regulation,
        median(industrialization) as industrialization
    from sample_years
)

select
    here.province_code,
    here.year,
    here.province_name_zh,
    here.province_name_en,
    {% for symbol in province_panel_symbols() -%}
    {{ 'efficiency' if symbol in ['GTFP', 'GTFP_ML'] else 'here' }}.{{ symbol }},
    {% endfor -%}
    here.env_regulation > medians.env_regulation as is_high_env_regulation,
    here.industrialization > medians.industrialization as is_high_industrialization,
    here.is_municipality,
    '{{ var('province_co2_source') }}' as co2_source,
    here.is_simulated,
    {% for symbol, _, _ in province_symbols() -%}
    here.{{ symbol }}_reported,
    here.{{ symbol }}_fill,
    {% endfor -%}
    here.industrial_intelligence_reported,
    here.industrial_intelligence_fill,
    {{ select_efficiency_fills(efficiency_measures) }}
from sample_years as here
left join efficiency on here.province_code = efficiency.unit_code and here.year = efficiency.year
cross join medians
order by here.province_code, here.year
