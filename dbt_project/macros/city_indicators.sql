{#-
    Indicators of the city sources in the order of fct_city_year, with their column names (indicator + the suffix of the
    unit). The data test assert_city_indicators_match_seed compares the list with seed_indicator and seed_unit.
-#}
{% macro city_indicators() %}
    {{ return([
        ('gdp', 'gdp_yi_yuan'),
        ('gdp_index_prev100', 'gdp_prev100_index'),
        ('gdp_tertiary', 'gdp_tertiary_yi_yuan'),
        ('gdp_tertiary_share', 'gdp_tertiary_share_pct'),
        ('population_resident', 'population_resident_10k'),
        ('population_registered', 'population_registered_10k'),
        ('land_area', 'land_area_km2'),
        ('fiscal_expenditure', 'fiscal_expenditure_yi_yuan'),
        ('science_expenditure', 'science_expenditure_yi_yuan'),
        ('fixed_asset_investment', 'fixed_asset_investment_yi_yuan'),
        ('deposits', 'deposits_yi_yuan'),
        ('loans', 'loans_yi_yuan'),
        ('trade_total', 'trade_total_10k_usd'),
        ('students_higher_education', 'students_higher_education_persons'),
        ('solid_waste_generated', 'solid_waste_generated_10k_t'),
        ('solid_waste_utilised', 'solid_waste_utilised_10k_t'),
        ('internet_users', 'internet_users_10k_households'),
        ('employees', 'employees_10k'),
        ('energy_raw_coal', 'energy_raw_coal_10k_t'),
        ('energy_coke', 'energy_coke_10k_t'),
        ('energy_crude_oil', 'energy_crude_oil_10k_t'),
        ('energy_gasoline', 'energy_gasoline_10k_t'),
        ('energy_kerosene', 'energy_kerosene_10k_t'),
        ('energy_diesel', 'energy_diesel_10k_t'),
        ('energy_fuel_oil', 'energy_fuel_oil_10k_t'),
        ('energy_natural_gas', 'energy_natural_gas_yi_m3'),
        ('energy_electricity', 'energy_electricity_yi_kwh'),
        ('ai_firms_registered', 'ai_firms_registered_count'),
        ('ai_firms_deregistered', 'ai_firms_deregistered_count'),
        ('green_patent_applications', 'green_patent_applications_count'),
        ('co2_ceads', 'co2_ceads_mt'),
        ('co2_edgar', 'co2_edgar_mt'),
        ('gdp_primary', 'gdp_primary_yi_yuan'),
        ('gdp_secondary', 'gdp_secondary_yi_yuan'),
        ('fixed_asset_investment_growth', 'fixed_asset_investment_growth_pct'),
        ('education_expenditure', 'education_expenditure_yi_yuan'),
        ('highway_mileage', 'highway_mileage_km'),
        ('industrial_wastewater', 'industrial_wastewater_10k_t'),
        ('industrial_so2', 'industrial_so2_t'),
        ('industrial_soot_dust', 'industrial_soot_dust_t'),
        ('energy_lpg', 'energy_lpg_10k_t'),
        ('energy_total', 'energy_total_10k_tce'),
        ('green_coverage', 'green_coverage_pct'),
        ('environmental_infrastructure_investment', 'environmental_infrastructure_investment_yi_yuan'),
        ('household_water_use', 'household_water_use_10k_t'),
        ('household_lpg_use', 'household_lpg_use_t'),
        ('buses', 'buses_count'),
        ('sewage_treatment_rate', 'sewage_treatment_rate_pct'),
        ('waste_treatment_rate', 'waste_treatment_rate_pct'),
        ('mobile_subscribers', 'mobile_subscribers_10k_users'),
        ('telecom_revenue', 'telecom_revenue_yi_yuan'),
        ('base_stations', 'base_stations_count'),
        ('data_centre_racks', 'data_centre_racks_count'),
        ('computing_power', 'computing_power_pflops'),
        ('digital_finance_index', 'digital_finance_index_points'),
        ('digital_enterprises', 'digital_enterprises_count'),
        ('green_credit', 'green_credit_pct'),
        ('green_investment', 'green_investment_pct'),
        ('green_support', 'green_support_pct'),
        ('green_insurance', 'green_insurance_pct'),
        ('green_bonds', 'green_bonds_pct'),
        ('green_funds', 'green_funds_pct'),
        ('green_equity', 'green_equity_pct'),
        ('environmental_words', 'environmental_words_count'),
        ('report_words', 'report_words_count'),
        ('ai_invention_applications', 'ai_invention_applications_count'),
        ('ai_utility_model_applications', 'ai_utility_model_applications_count'),
        ('ai_design_applications', 'ai_design_applications_count'),
        ('ai_invention_applications_single', 'ai_invention_applications_single_count'),
        ('ai_utility_model_applications_single', 'ai_utility_model_applications_single_count'),
        ('ai_design_applications_single', 'ai_design_applications_single_count'),
        ('green_patent_upstream', 'green_patent_upstream_count'),
        ('green_patent_end_of_pipe', 'green_patent_end_of_pipe_count'),
    ]) }}
{% endmacro %}

{#- Indicators of one base year (cross sections), with their column names: indicator, year, suffix of the unit. -#}
{% macro city_base_indicators() %}
    {{ return([
        ('fixed_telephones', 'fixed_telephones_1984_count'),
        ('natural_science_researchers', 'natural_science_researchers_1984_persons'),
    ]) }}
{% endmacro %}

{#- Raw sources of cells by city and year. -#}
{% macro city_sources() %}
    {{ return([
        'city_yearbook', 'city_energy', 'city_firms', 'city_patents', 'city_emissions', 'city_construction',
        'city_digital', 'city_green_finance', 'city_reports', 'city_history',
    ]) }}
{% endmacro %}

{#- Sources of CO2 in the order of fct_city_year: two factor sets on city fuels, two published inventories. -#}
{% macro co2_sources() %}
    {{ return(['ipcc2006', 'china_provincial_2011', 'ceads', 'edgar']) }}
{% endmacro %}

{#- Derived measures of int_city_measures in the order of fct_city_year. -#}
{% macro city_measures() %}
    {{ return([
        'ln_ai_firms_stock',
        'ln_ai_firms_registered',
        'ln_green_patent_applications',
        'tertiary_gdp_share',
        'solid_waste_utilised_pct',
        'internet_users_per_100',
        'students_per_person',
        'deposits_loans_gdp_ratio',
        'ln_population_density',
        'ln_registered_population_density',
        'trade_gdp_ratio',
        'fiscal_expenditure_gdp_ratio',
        'fixed_asset_investment_fiscal_ratio',
        'science_expenditure_fiscal_share',
        'population_density_1000_per_km2',
        'education_expenditure_fiscal_share',
        'ln_highway_mileage',
        'tertiary_secondary_ratio',
        'internet_users_per_person',
        'industrial_wastewater_10k_t_per_yi_yuan',
        'industrial_so2_t_per_yi_yuan',
        'industrial_soot_dust_t_per_yi_yuan',
        'energy_efficiency_10k_yuan_per_tce',
        'coal_energy_share',
        'environmental_words_report_share',
    ]) }}
{% endmacro %}

{#- Derived measures of int_city_innovation in the order of fct_city_year. -#}
{% macro city_innovation_measures() %}
    {{ return([
        'ai_all_applications_count',
        'ai_all_applications_single_count',
        'ln_ai_invention_applications',
        'ln_ai_all_applications',
        'ln_green_patent_upstream',
        'ln_green_patent_end_of_pipe',
        'mobile_subscribers_per_person',
        'telecom_revenue_gdp_ratio',
        'base_stations_per_10k',
        'data_centre_racks_per_10k',
        'computing_power_pflops_per_10k',
        'digital_enterprises_per_yi_yuan',
        'digital_assets_gdp_ratio',
        'green_firm_assets_gdp_ratio',
        'green_firm_revenue_gdp_ratio',
    ]) }}
{% endmacro %}

{#- Columns of int_city_innovation that are not filled measures, in the order of fct_city_year. -#}
{% macro city_innovation_columns() %}
    {{ return([
        'robot_exposure_cn_stock_per_worker',
        'robot_exposure_cn_flow_per_worker',
        'robot_exposure_us_stock_per_worker',
        'robot_exposure_us_flow_per_worker',
        'digital_assets_yi_yuan',
        'green_firm_assets_yi_yuan',
        'green_firm_revenue_yi_yuan',
        'all_firm_assets_yi_yuan',
        'listed_firms_count',
        'firm_robots_count',
        'firm_employees_persons',
        'large_firm_share',
        'clean_industry_share',
        'smart_manufacturing_pilot_firms_count',
        'partner_ai_patents_count',
        'ln_partner_ai_patents',
        'firm_robots_per_10k_workers',
        'ln_ai_firms_stock_neighbour_mean',
        'policies_in_force_count',
    ]) }}
{% endmacro %}

{#- Symbols of the carbon productivity paper and the measure of fct_city_year that each is. -#}
{% macro panel_symbols() %}
    {{ return([
        ('CP', 'carbon_productivity_' ~ var('co2_source') ~ '_yi_yuan_per_10k_t'),
        ('AI', 'ln_ai_firms_stock'),
        ('UIS', 'tertiary_gdp_share'),
        ('EnvrPat', 'ln_green_patent_applications'),
        ('ER', 'solid_waste_utilised_pct'),
        ('IP', 'internet_users_per_100'),
        ('HC', 'students_per_person'),
        ('Fin', 'deposits_loans_gdp_ratio'),
        ('POP', 'ln_population_density'),
        ('Ope', 'trade_gdp_ratio'),
        ('Gov', 'fiscal_expenditure_gdp_ratio'),
        ('FI', 'fixed_asset_investment_fiscal_ratio'),
        ('ST', 'science_expenditure_fiscal_share'),
    ]) }}
{% endmacro %}

{#- Select list: reported value and fill code of every symbol of the panel. -#}
{% macro symbol_fills(prefix) %}
    {%- for symbol, measure in panel_symbols() %}
    {{ prefix }}{{ measure }}_reported as {{ symbol }}_reported,
    {{ prefix }}{{ measure }}_fill as {{ symbol }}_fill{{ ',' if not loop.last }}
    {%- endfor -%}
{% endmacro %}

{#- Years whose prices real GDP is given in: the var base_year (carbon productivity) and 2006 (Yellow River). -#}
{% macro real_gdp_base_years() %}
    {{ return([var('base_year') | int, 2006] | unique | list) }}
{% endmacro %}

{#- Stops the build where the columns of a mart would say another base year than the chain has. -#}
{% macro require_base_year(year) %}
    {%- if execute and var('base_year') != year -%}
        {{ exceptions.raise_compiler_error('columns are named for prices of ' ~ year ~ '; var base_year is ' ~ var('base_year')) }}
    {%- endif -%}
{% endmacro %}
