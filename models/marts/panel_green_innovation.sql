-- The panel on which the claims of the green innovation essay are tested: prefecture-level cities, 2006-2022. The
-- composed indices are taken on the sample. The same questions at the level of firms: fct_firm_year.
{% set composed = [('green_finance', 'green_finance'), ('digital_infrastructure', 'digital_infrastructure')] -%}
{% set efficiency_measures = [('green_growth', 'GTFP')] -%}
with lagged as (
    select
        *,
        {{ lag_by_year('ln_ai_firms_stock') }} as AI_lag1
    from {{ ref('fct_city_year') }}
),

indices as (
    {{ pivot_indices('green_innovation', composed) }}
),

sample_years as (
    select
        facts.city_code,
        facts.year,
        facts.city_name_zh,
        facts.city_name_en,
        facts.province_code,
        {{ select_symbols(green_innovation_symbols(), 'facts.') }},
        {% for symbol, _ in composed -%}
        {{ measure_triple(symbol, 'indices.') }},
        {% endfor -%}
        facts.AI_lag1,
        facts.robot_exposure_cn_stock_per_worker * 100 as robotics,
        facts.robot_exposure_us_stock_per_worker,
        facts.firm_robots_per_10k_workers as automation,
        facts.ln_ai_firms_stock_neighbour_mean as spillover,
        facts.ln_partner_ai_patents as supply_chain_spillover,
        facts.policies_in_force_count as policy_framework,
        facts.large_firm_share as firm_size,
        facts.clean_industry_share,
        facts.is_ai_pilot_zone,
        facts.ai_pilot_year,
        facts.is_smart_manufacturing_pilot,
        facts.is_simulated
    from lagged as facts
    inner join {{ ref('int_green_innovation_sample') }} as samples
        on
            facts.city_code = samples.city_code
            and samples.is_in_sample
            and facts.year between samples.first_year and samples.last_year
    inner join indices on facts.city_code = indices.city_code and facts.year = indices.year
),

efficiency as (
    {{ pivot_efficiency('green_innovation', efficiency_measures, 'fct_productivity_index', 'cumulative_index') }}
)

select
    here.city_code,
    here.year,
    here.city_name_zh,
    here.city_name_en,
    here.province_code,
    cities.province_name_en,
    {% for symbol in green_innovation_panel_symbols() -%}
    here.{{ symbol }},
    {% endfor -%}
    efficiency.green_growth,
    here.robotics,
    here.robot_exposure_us_stock_per_worker,
    here.automation,
    here.spillover,
    here.supply_chain_spillover,
    here.policy_framework,
    here.firm_size,
    here.clean_industry_share,
    here.AI_lag1,
    case
        when here.clean_industry_share >= 0.5 then 'clean'
        when here.clean_industry_share < 0.5 then 'polluting'
        else 'no_listed_firms'
    end as industry_type,
    here.is_ai_pilot_zone,
    here.ai_pilot_year,
    here.is_smart_manufacturing_pilot,
    cities.is_urban_centre,
    cities.is_resource_based,
    cities.is_municipality,
    cities.region4,
    '{{ var('co2_source') }}' as co2_source,
    here.is_simulated,
    {{ select_fills(green_innovation_panel_symbols(), 'here.') }},
    {{ select_efficiency_fills(efficiency_measures) }}
from sample_years as here
inner join {{ ref('dim_city') }} as cities on here.city_code = cities.city_code
left join efficiency on here.city_code = efficiency.unit_code and here.year = efficiency.year
order by here.city_code, here.year
