-- Ratios, logs and stocks on all cities and years, before any sample is cut; each with its value, fill code and
-- reported value. Money in 10^8 yuan, people in 10^4 persons, CO2 in Mt (10^6 t).
with ingredients as (
    select
        pivoted.*,
        real_gdp.gdp_base_price_yi_yuan,
        real_gdp.gdp_base_price_yi_yuan_fill,
        co2.co2_ipcc2006_mt,
        co2.co2_ipcc2006_mt_fill,
        co2.co2_china_provincial_2011_mt,
        co2.co2_china_provincial_2011_mt_fill,
        co2.coal_energy_share as coal_share,
        real_gdp_2006.gdp_base_price_yi_yuan as gdp_2006_price_yi_yuan,
        real_gdp_2006.gdp_base_price_yi_yuan_fill as gdp_2006_price_yi_yuan_fill,
        firms.ai_firms_stock_count,
        firms.ai_firms_stock_count_fill,
        rates.cny_per_usd
    from {{ ref('int_city_year_pivot') }} as pivoted
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
    left join {{ ref('int_city_co2') }} as co2
        on pivoted.city_code = co2.city_code and pivoted.year = co2.year
    left join {{ ref('int_city_firms_accumulate') }} as firms
        on pivoted.city_code = firms.city_code and pivoted.year = firms.year
    left join {{ ref('seed_exchange_rate') }} as rates on pivoted.year = rates.year
)

select
    city_code,
    year,
    cny_per_usd as exchange_rate_cny_per_usd,
    {% for source in co2_sources() -%}
    {{ filled_measure(
        'carbon_productivity_' ~ source ~ '_yi_yuan_per_10k_t',
        'gdp_base_price_yi_yuan / nullif(co2_' ~ source ~ '_mt * 100, 0)',
        ['gdp_base_price_yi_yuan_fill', 'co2_' ~ source ~ '_mt_fill']
    ) }},
    {% endfor -%}
    {{ filled_measure('ln_ai_firms_stock', log_count('ai_firms_stock_count'), ['ai_firms_stock_count_fill']) }},
    {{ filled_measure(
        'ln_ai_firms_registered', log_count('ai_firms_registered_count'), ['ai_firms_registered_count_fill']
    ) }},
    {{ filled_measure(
        'ln_green_patent_applications', log_count('green_patent_applications_count'),
        ['green_patent_applications_count_fill']
    ) }},
    {{ filled_measure(
        'tertiary_gdp_share', 'gdp_tertiary_yi_yuan / nullif(gdp_yi_yuan, 0)',
        ['gdp_tertiary_yi_yuan_fill', 'gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'solid_waste_utilised_pct', '100 * solid_waste_utilised_10k_t / nullif(solid_waste_generated_10k_t, 0)',
        ['solid_waste_utilised_10k_t_fill', 'solid_waste_generated_10k_t_fill']
    ) }},
    {{ filled_measure(
        'internet_users_per_100', '100 * internet_users_10k_households / nullif(population_resident_10k, 0)',
        ['internet_users_10k_households_fill', 'population_resident_10k_fill']
    ) }},
    {{ filled_measure(
        'students_per_person', 'students_higher_education_persons / nullif(population_resident_10k * 10000, 0)',
        ['students_higher_education_persons_fill', 'population_resident_10k_fill']
    ) }},
    {{ filled_measure(
        'deposits_loans_gdp_ratio', '(deposits_yi_yuan + loans_yi_yuan) / nullif(gdp_yi_yuan, 0)',
        ['deposits_yi_yuan_fill', 'loans_yi_yuan_fill', 'gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'ln_population_density', 'ln(nullif(population_resident_10k * 10000 / nullif(land_area_km2, 0), 0))',
        ['population_resident_10k_fill', 'land_area_km2_fill']
    ) }},
    {{ filled_measure(
        'ln_registered_population_density',
        'ln(nullif(population_registered_10k * 10000 / nullif(land_area_km2, 0), 0))',
        ['population_registered_10k_fill', 'land_area_km2_fill']
    ) }},
    {{ filled_measure(
        'trade_gdp_ratio', 'trade_total_10k_usd / 10000 * cny_per_usd / nullif(gdp_yi_yuan, 0)',
        ['trade_total_10k_usd_fill', 'gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'fiscal_expenditure_gdp_ratio', 'fiscal_expenditure_yi_yuan / nullif(gdp_yi_yuan, 0)',
        ['fiscal_expenditure_yi_yuan_fill', 'gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'fixed_asset_investment_fiscal_ratio',
        'fixed_asset_investment_yi_yuan / nullif(fiscal_expenditure_yi_yuan, 0)',
        ['fixed_asset_investment_yi_yuan_fill', 'fiscal_expenditure_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'science_expenditure_fiscal_share', 'science_expenditure_yi_yuan / nullif(fiscal_expenditure_yi_yuan, 0)',
        ['science_expenditure_yi_yuan_fill', 'fiscal_expenditure_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'population_density_1000_per_km2', 'population_resident_10k * 10 / nullif(land_area_km2, 0)',
        ['population_resident_10k_fill', 'land_area_km2_fill']
    ) }},
    {{ filled_measure(
        'education_expenditure_fiscal_share', 'education_expenditure_yi_yuan / nullif(fiscal_expenditure_yi_yuan, 0)',
        ['education_expenditure_yi_yuan_fill', 'fiscal_expenditure_yi_yuan_fill']
    ) }},
    {{ filled_measure('ln_highway_mileage', 'ln(nullif(highway_mileage_km, 0))', ['highway_mileage_km_fill']) }},
    {{ filled_measure(
        'tertiary_secondary_ratio', 'gdp_tertiary_yi_yuan / nullif(gdp_secondary_yi_yuan, 0)',
        ['gdp_tertiary_yi_yuan_fill', 'gdp_secondary_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'internet_users_per_person', 'internet_users_10k_households / nullif(population_resident_10k, 0)',
        ['internet_users_10k_households_fill', 'population_resident_10k_fill']
    ) }},
    {% for emission, unit in [
        ('industrial_wastewater', '10k_t'), ('industrial_so2', 't'), ('industrial_soot_dust', 't')
    ] -%}
    {{ filled_measure(
        emission ~ '_' ~ unit ~ '_per_yi_yuan', emission ~ '_' ~ unit ~ ' / nullif(gdp_yi_yuan, 0)',
        [emission ~ '_' ~ unit ~ '_fill', 'gdp_yi_yuan_fill']
    ) }},
    {% endfor -%}
    {{ filled_measure(
        'energy_efficiency_10k_yuan_per_tce', 'gdp_2006_price_yi_yuan / nullif(energy_total_10k_tce, 0)',
        ['gdp_2006_price_yi_yuan_fill', 'energy_total_10k_tce_fill']
    ) }},
    {{ filled_measure('coal_energy_share', 'coal_share', ['co2_ipcc2006_mt_fill']) }},
    {{ filled_measure(
        'environmental_words_report_share', 'environmental_words_count / nullif(report_words_count, 0)',
        ['environmental_words_count_fill', 'report_words_count_fill']
    ) }}
from ingredients
order by city_code, year
