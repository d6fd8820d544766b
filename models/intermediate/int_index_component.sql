-- Components of the composed indices of the city studies in long form, on the sample of each study.
{% set components = [
    'industrial_wastewater_10k_t_per_yi_yuan', 'industrial_so2_t_per_yi_yuan', 'industrial_soot_dust_t_per_yi_yuan',
    'solid_waste_utilised_pct', 'green_credit_pct', 'green_investment_pct', 'green_support_pct', 'green_insurance_pct',
    'green_bonds_pct', 'green_funds_pct', 'green_equity_pct', 'household_water_use_10k_t', 'household_lpg_use_t',
    'buses_count', 'sewage_treatment_rate_pct', 'waste_treatment_rate_pct', 'internet_users_per_person',
    'mobile_subscribers_per_person', 'base_stations_per_10k', 'data_centre_racks_per_10k',
    'computing_power_pflops_per_10k',
] -%}
with measured as (
    {% for component in components -%}
    select
        city_code,
        year,
        '{{ component }}' as component,
        {{ component }} as value,
        {{ component }}_fill as fill
    from {{ ref('fct_city_year') }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

samples as (
    {% for study in ['yellow_river', 'green_tfp', 'green_innovation'] -%}
    select
        '{{ study }}' as study,
        city_code,
        first_year,
        last_year
    from {{ ref('int_' ~ study ~ '_sample') }}
    where is_in_sample
    {{ 'union all' if not loop.last }}
    {% endfor -%}
)

select
    listed.study,
    listed.index_name,
    listed.component,
    listed.sign,
    listed.scope,
    samples.city_code as unit_code,
    measured.year,
    measured.value,
    measured.fill
from {{ ref('seed_index_component') }} as listed
inner join samples on listed.study = samples.study
inner join measured
    on
        listed.component = measured.component
        and samples.city_code = measured.city_code
        and measured.year between samples.first_year and samples.last_year
where listed.level = 'city'
order by listed.study, listed.index_name, listed.component, samples.city_code, measured.year
