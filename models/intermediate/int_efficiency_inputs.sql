-- What the efficiency of each study is measured from: the unit-years of its sample with labour, capital, energy, real
-- GDP, green cover and CO2. CO2 reversed by min-max within the sample stands for it as a good output. Nothing is left
-- out here; who cannot enter a frontier is said by the models.
{% set cities = [
    ('yellow_river', 'int_yellow_river_sample'),
    ('green_tfp', 'int_green_tfp_sample'),
    ('green_innovation', 'int_green_innovation_sample'),
] -%}
{% set quantities = [
    'labour_10k', 'capital_yi_yuan', 'energy_10k_tce', 'gdp_yi_yuan', 'green_coverage_pct', 'co2_mt'
] -%}
with observed as (
    {% for study, sample in cities -%}
    select
        '{{ study }}' as study,
        facts.city_code as unit_code,
        facts.year,
        facts.employees_10k as labour_10k,
        facts.employees_10k_fill as labour_10k_fill,
        facts.capital_stock_2006_price_yi_yuan as capital_yi_yuan,
        facts.capital_stock_2006_price_yi_yuan_fill as capital_yi_yuan_fill,
        facts.energy_total_10k_tce as energy_10k_tce,
        facts.energy_total_10k_tce_fill as energy_10k_tce_fill,
        facts.gdp_2006_price_yi_yuan as gdp_yi_yuan,
        facts.gdp_2006_price_yi_yuan_fill as gdp_yi_yuan_fill,
        facts.green_coverage_pct,
        facts.green_coverage_pct_fill,
        facts.co2_{{ var('co2_source') }}_mt as co2_mt,
        facts.co2_{{ var('co2_source') }}_mt_fill as co2_mt_fill
    from {{ ref('fct_city_year') }} as facts
    inner join {{ ref(sample) }} as samples
        on
            facts.city_code = samples.city_code
            and samples.is_in_sample
            and facts.year between samples.first_year and samples.last_year
    union all
    {% endfor -%}
    select
        'province_transition' as study,
        facts.province_code as unit_code,
        facts.year,
        facts.employment_10k as labour_10k,
        facts.employment_10k_fill as labour_10k_fill,
        facts.capital_stock_2000_price_yi_yuan as capital_yi_yuan,
        facts.capital_stock_2000_price_yi_yuan_fill as capital_yi_yuan_fill,
        facts.energy_total_10k_tce as energy_10k_tce,
        facts.energy_total_10k_tce_fill as energy_10k_tce_fill,
        facts.gdp_2000_price_yi_yuan as gdp_yi_yuan,
        facts.gdp_2000_price_yi_yuan_fill as gdp_yi_yuan_fill,
        cast(null as double) as green_coverage_pct,
        'missing' as green_coverage_pct_fill,
        facts.co2_{{ var('province_co2_source') }}_mt as co2_mt,
        facts.co2_{{ var('province_co2_source') }}_mt_fill as co2_mt_fill
    from {{ ref('fct_province_year') }} as facts
    inner join {{ ref('int_province_transition_sample') }} as samples
        on
            facts.province_code = samples.province_code
            and samples.is_in_sample
            and facts.year between samples.first_year and samples.last_year
),

bounds as (
    select
        study,
        min(co2_mt) as least_co2_mt,
        max(co2_mt) as most_co2_mt
    from observed
    group by study
)

select
    observed.study,
    observed.unit_code,
    observed.year,
    {% for quantity in quantities -%}
    observed.{{ quantity }},
    observed.{{ quantity }}_fill,
    {% endfor -%}
    (bounds.most_co2_mt - observed.co2_mt) / nullif(bounds.most_co2_mt - bounds.least_co2_mt, 0)
        as co2_reversed_share,
    observed.co2_mt_fill as co2_reversed_share_fill
from observed
inner join bounds on observed.study = bounds.study
order by observed.study, observed.unit_code, observed.year
