-- Ratios, logs and shares of all provinces and years, before any sample is cut; each with its value, fill code and
-- reported value. Money in 10^8 yuan, people in 10^4 persons, CO2 in Mt, energy in 10^4 tce.
with ingredients as (
    select
        pivoted.*,
        nation.energy_electricity_yi_kwh as national_electricity_yi_kwh,
        nation.energy_electricity_yi_kwh_fill as national_electricity_yi_kwh_fill,
        real_gdp.gdp_base_price_yi_yuan,
        real_gdp.gdp_base_price_yi_yuan_fill,
        {% for factor_set in province_factor_sets() -%}
        co2.co2_{{ factor_set }}_mt,
        co2.co2_{{ factor_set }}_mt_fill,
        co2.co2_scopes_{{ factor_set }}_mt,
        co2.co2_scopes_{{ factor_set }}_mt_fill,
        {% endfor -%}
        rates.cny_per_usd
    from {{ ref('int_province_year_pivot') }} as pivoted
    left join {{ ref('int_national_year') }} as nation on pivoted.year = nation.year
    left join {{ ref('seed_exchange_rate') }} as rates on pivoted.year = rates.year
    left join {{ ref('int_province_real_gdp') }} as real_gdp
        on pivoted.province_code = real_gdp.province_code and pivoted.year = real_gdp.year
    left join {{ ref('int_province_co2') }} as co2
        on pivoted.province_code = co2.province_code and pivoted.year = co2.year
)

select
    province_code,
    year,
    cny_per_usd as exchange_rate_cny_per_usd,
    -- Mt * 100 are 10^4 t.
    {{ filled_measure('ln_co2_ipcc2006', 'ln(nullif(100 * co2_ipcc2006_mt, 0))', ['co2_ipcc2006_mt_fill']) }},
    {{ filled_measure(
        'ln_co2_china_provincial_2011', 'ln(nullif(100 * co2_china_provincial_2011_mt, 0))',
        ['co2_china_provincial_2011_mt_fill']
    ) }},
    {{ filled_measure('ln_co2_ceads', 'ln(nullif(100 * co2_ceads_mt, 0))', ['co2_ceads_mt_fill']) }},
    {{ filled_measure(
        'ln_co2_scopes_ipcc2006', 'ln(nullif(100 * co2_scopes_ipcc2006_mt, 0))', ['co2_scopes_ipcc2006_mt_fill']
    ) }},
    {{ filled_measure(
        'ln_co2_scopes_china_provincial_2011', 'ln(nullif(100 * co2_scopes_china_provincial_2011_mt, 0))',
        ['co2_scopes_china_provincial_2011_mt_fill']
    ) }},
    {{ filled_measure(
        'trade_gdp_ratio', 'trade_total_10k_usd / 10000 * cny_per_usd / nullif(gdp_yi_yuan, 0)',
        ['trade_total_10k_usd_fill', 'gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'population_density_10k_per_km2', 'population_resident_10k / nullif(land_area_km2, 0)',
        ['population_resident_10k_fill', 'land_area_km2_fill']
    ) }},
    {{ filled_measure(
        'loans_gdp_ratio', 'loans_yi_yuan / nullif(gdp_yi_yuan, 0)', ['loans_yi_yuan_fill', 'gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'fiscal_expenditure_gdp_ratio', 'fiscal_expenditure_yi_yuan / nullif(gdp_yi_yuan, 0)',
        ['fiscal_expenditure_yi_yuan_fill', 'gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'electricity_national_share', 'energy_electricity_yi_kwh / nullif(national_electricity_yi_kwh, 0)',
        ['energy_electricity_yi_kwh_fill', 'national_electricity_yi_kwh_fill']
    ) }},
    {{ filled_measure(
        'urban_population_share', 'population_urban_10k / nullif(population_resident_10k, 0)',
        ['population_urban_10k_fill', 'population_resident_10k_fill']
    ) }},
    {{ filled_measure(
        'energy_efficiency_10k_yuan_per_tce', 'gdp_base_price_yi_yuan / nullif(energy_total_10k_tce, 0)',
        ['gdp_base_price_yi_yuan_fill', 'energy_total_10k_tce_fill']
    ) }},
    {{ filled_measure(
        'energy_intensity_tce_per_10k_yuan', 'energy_total_10k_tce / nullif(gdp_base_price_yi_yuan, 0)',
        ['energy_total_10k_tce_fill', 'gdp_base_price_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'green_patent_applications_per_10k',
        'green_patent_applications_count / nullif(population_resident_10k, 0)',
        ['green_patent_applications_count_fill', 'population_resident_10k_fill']
    ) }},
    -- Share of each sector in GDP times what one of its workers produces, summed over the three sectors.
    {{ filled_measure(
        'industrial_structure_10k_yuan_per_worker',
        'gdp_primary_yi_yuan / nullif(gdp_yi_yuan, 0) * gdp_primary_yi_yuan / nullif(employment_primary_10k, 0)'
        ~ ' + gdp_secondary_yi_yuan / nullif(gdp_yi_yuan, 0) * gdp_secondary_yi_yuan'
        ~ ' / nullif(employment_secondary_10k, 0)'
        ~ ' + gdp_tertiary_yi_yuan / nullif(gdp_yi_yuan, 0) * gdp_tertiary_yi_yuan'
        ~ ' / nullif(employment_tertiary_10k, 0)',
        ['gdp_yi_yuan_fill', 'gdp_primary_yi_yuan_fill', 'gdp_secondary_yi_yuan_fill', 'gdp_tertiary_yi_yuan_fill',
         'employment_primary_10k_fill', 'employment_secondary_10k_fill', 'employment_tertiary_10k_fill']
    ) }},
    {{ filled_measure(
        'pollution_control_industrial_value_added_ratio',
        'pollution_control_investment_yi_yuan / nullif(industrial_value_added_yi_yuan, 0)',
        ['pollution_control_investment_yi_yuan_fill', 'industrial_value_added_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'secondary_gdp_share', 'gdp_secondary_yi_yuan / nullif(gdp_yi_yuan, 0)',
        ['gdp_secondary_yi_yuan_fill', 'gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'tertiary_gdp_share', 'gdp_tertiary_yi_yuan / nullif(gdp_yi_yuan, 0)',
        ['gdp_tertiary_yi_yuan_fill', 'gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'internet_users_per_100', '100 * internet_users_10k_households / nullif(population_resident_10k, 0)',
        ['internet_users_10k_households_fill', 'population_resident_10k_fill']
    ) }},
    {{ filled_measure(
        'information_investment_gdp_ratio', 'information_investment_yi_yuan / nullif(gdp_yi_yuan, 0)',
        ['information_investment_yi_yuan_fill', 'gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'software_revenue_gdp_ratio', 'software_revenue_yi_yuan / nullif(gdp_yi_yuan, 0)',
        ['software_revenue_yi_yuan_fill', 'gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'new_product_revenue_industrial_value_added_ratio',
        'new_product_revenue_yi_yuan / nullif(industrial_value_added_yi_yuan, 0)',
        ['new_product_revenue_yi_yuan_fill', 'industrial_value_added_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'industrial_value_added_10k_yuan_per_worker',
        'industrial_value_added_yi_yuan / nullif(employment_secondary_10k, 0)',
        ['industrial_value_added_yi_yuan_fill', 'employment_secondary_10k_fill']
    ) }}
from ingredients
order by province_code, year
