{#-
    Indicators of the provincial sources in the order of fct_province_year, with their column names (indicator + the
    suffix of the unit). The data test assert_province_indicators_match_seed compares the list with seed_indicator.
-#}
{% macro province_indicators() %}
    {{ return([
        ('gdp', 'gdp_yi_yuan'),
        ('gdp_index_prev100', 'gdp_prev100_index'),
        ('gdp_primary', 'gdp_primary_yi_yuan'),
        ('gdp_secondary', 'gdp_secondary_yi_yuan'),
        ('gdp_tertiary', 'gdp_tertiary_yi_yuan'),
        ('industrial_value_added', 'industrial_value_added_yi_yuan'),
        ('employment', 'employment_10k'),
        ('employment_primary', 'employment_primary_10k'),
        ('employment_secondary', 'employment_secondary_10k'),
        ('employment_tertiary', 'employment_tertiary_10k'),
        ('population_resident', 'population_resident_10k'),
        ('population_urban', 'population_urban_10k'),
        ('land_area', 'land_area_km2'),
        ('loans', 'loans_yi_yuan'),
        ('fiscal_expenditure', 'fiscal_expenditure_yi_yuan'),
        ('trade_total', 'trade_total_10k_usd'),
        ('fixed_capital_formation', 'fixed_capital_formation_yi_yuan'),
        ('fixed_asset_investment', 'fixed_asset_investment_yi_yuan'),
        ('fixed_asset_investment_growth', 'fixed_asset_investment_growth_pct'),
        ('fixed_asset_price_index', 'fixed_asset_price_prev100_index'),
        ('pollution_control_investment', 'pollution_control_investment_yi_yuan'),
        ('green_patent_applications', 'green_patent_applications_count'),
        ('internet_users', 'internet_users_10k_households'),
        ('software_revenue', 'software_revenue_yi_yuan'),
        ('information_investment', 'information_investment_yi_yuan'),
        ('new_product_revenue', 'new_product_revenue_yi_yuan'),
        ('energy_raw_coal', 'energy_raw_coal_10k_t'),
        ('energy_cleaned_coal', 'energy_cleaned_coal_10k_t'),
        ('energy_other_washed_coal', 'energy_other_washed_coal_10k_t'),
        ('energy_briquettes', 'energy_briquettes_10k_t'),
        ('energy_coke', 'energy_coke_10k_t'),
        ('energy_coke_oven_gas', 'energy_coke_oven_gas_yi_m3'),
        ('energy_other_gas', 'energy_other_gas_yi_m3'),
        ('energy_other_coking_products', 'energy_other_coking_products_10k_t'),
        ('energy_crude_oil', 'energy_crude_oil_10k_t'),
        ('energy_gasoline', 'energy_gasoline_10k_t'),
        ('energy_kerosene', 'energy_kerosene_10k_t'),
        ('energy_diesel', 'energy_diesel_10k_t'),
        ('energy_fuel_oil', 'energy_fuel_oil_10k_t'),
        ('energy_lpg', 'energy_lpg_10k_t'),
        ('energy_refinery_gas', 'energy_refinery_gas_10k_t'),
        ('energy_other_petroleum_products', 'energy_other_petroleum_products_10k_t'),
        ('energy_natural_gas', 'energy_natural_gas_yi_m3'),
        ('energy_electricity', 'energy_electricity_yi_kwh'),
        ('energy_total', 'energy_total_10k_tce'),
        ('electricity_purchased', 'electricity_purchased_yi_kwh'),
        ('heat_purchased', 'heat_purchased_10k_gj'),
        ('energy_raw_coal_industry', 'energy_raw_coal_industry_10k_t'),
        ('energy_coke_industry', 'energy_coke_industry_10k_t'),
        ('energy_crude_oil_industry', 'energy_crude_oil_industry_10k_t'),
        ('energy_gasoline_industry', 'energy_gasoline_industry_10k_t'),
        ('energy_kerosene_industry', 'energy_kerosene_industry_10k_t'),
        ('energy_diesel_industry', 'energy_diesel_industry_10k_t'),
        ('energy_fuel_oil_industry', 'energy_fuel_oil_industry_10k_t'),
        ('energy_lpg_industry', 'energy_lpg_industry_10k_t'),
        ('energy_natural_gas_industry', 'energy_natural_gas_industry_yi_m3'),
        ('energy_raw_coal_transport', 'energy_raw_coal_transport_10k_t'),
        ('energy_coke_transport', 'energy_coke_transport_10k_t'),
        ('energy_crude_oil_transport', 'energy_crude_oil_transport_10k_t'),
        ('energy_gasoline_transport', 'energy_gasoline_transport_10k_t'),
        ('energy_kerosene_transport', 'energy_kerosene_transport_10k_t'),
        ('energy_diesel_transport', 'energy_diesel_transport_10k_t'),
        ('energy_fuel_oil_transport', 'energy_fuel_oil_transport_10k_t'),
        ('energy_lpg_transport', 'energy_lpg_transport_10k_t'),
        ('energy_natural_gas_transport', 'energy_natural_gas_transport_yi_m3'),
        ('energy_raw_coal_construction', 'energy_raw_coal_construction_10k_t'),
        ('energy_coke_construction', 'energy_coke_construction_10k_t'),
        ('energy_crude_oil_construction', 'energy_crude_oil_construction_10k_t'),
        ('energy_gasoline_construction', 'energy_gasoline_construction_10k_t'),
        ('energy_kerosene_construction', 'energy_kerosene_construction_10k_t'),
        ('energy_diesel_construction', 'energy_diesel_construction_10k_t'),
        ('energy_fuel_oil_construction', 'energy_fuel_oil_construction_10k_t'),
        ('energy_lpg_construction', 'energy_lpg_construction_10k_t'),
        ('energy_natural_gas_construction', 'energy_natural_gas_construction_yi_m3'),
        ('co2_ceads', 'co2_ceads_mt'),
        ('co2_ceads_process', 'co2_ceads_process_mt'),
        ('co2_ceads_raw_coal', 'co2_ceads_raw_coal_mt'),
        ('co2_ceads_cleaned_coal', 'co2_ceads_cleaned_coal_mt'),
        ('co2_ceads_other_washed_coal', 'co2_ceads_other_washed_coal_mt'),
        ('co2_ceads_briquettes', 'co2_ceads_briquettes_mt'),
        ('co2_ceads_coke', 'co2_ceads_coke_mt'),
        ('co2_ceads_coke_oven_gas', 'co2_ceads_coke_oven_gas_mt'),
        ('co2_ceads_other_gas', 'co2_ceads_other_gas_mt'),
        ('co2_ceads_other_coking_products', 'co2_ceads_other_coking_products_mt'),
        ('co2_ceads_crude_oil', 'co2_ceads_crude_oil_mt'),
        ('co2_ceads_gasoline', 'co2_ceads_gasoline_mt'),
        ('co2_ceads_kerosene', 'co2_ceads_kerosene_mt'),
        ('co2_ceads_diesel', 'co2_ceads_diesel_mt'),
        ('co2_ceads_fuel_oil', 'co2_ceads_fuel_oil_mt'),
        ('co2_ceads_lpg', 'co2_ceads_lpg_mt'),
        ('co2_ceads_refinery_gas', 'co2_ceads_refinery_gas_mt'),
        ('co2_ceads_other_petroleum_products', 'co2_ceads_other_petroleum_products_mt'),
        ('co2_ceads_natural_gas', 'co2_ceads_natural_gas_mt'),
        ('co2_scope3_reported', 'co2_scope3_reported_mt'),
        ('co2_ceads_power', 'co2_ceads_power_mt'),
        ('co2_ceads_power_raw_coal', 'co2_ceads_power_raw_coal_mt'),
        ('co2_ceads_power_coke', 'co2_ceads_power_coke_mt'),
        ('co2_ceads_power_crude_oil', 'co2_ceads_power_crude_oil_mt'),
        ('co2_ceads_power_gasoline', 'co2_ceads_power_gasoline_mt'),
        ('co2_ceads_power_kerosene', 'co2_ceads_power_kerosene_mt'),
        ('co2_ceads_power_diesel', 'co2_ceads_power_diesel_mt'),
        ('co2_ceads_power_fuel_oil', 'co2_ceads_power_fuel_oil_mt'),
        ('co2_ceads_power_lpg', 'co2_ceads_power_lpg_mt'),
        ('co2_ceads_power_natural_gas', 'co2_ceads_power_natural_gas_mt'),
    ]) }}
{% endmacro %}

{#- Factor sets that price the fuels of the provinces. -#}
{% macro province_factor_sets() %}
    {{ return(['ipcc2006', 'china_provincial_2011']) }}
{% endmacro %}

{#- Measures of int_province_measures in the order of fct_province_year. -#}
{% macro province_measures() %}
    {{ return([
        'ln_co2_ipcc2006',
        'ln_co2_china_provincial_2011',
        'ln_co2_ceads',
        'ln_co2_scopes_ipcc2006',
        'ln_co2_scopes_china_provincial_2011',
        'trade_gdp_ratio',
        'population_density_10k_per_km2',
        'loans_gdp_ratio',
        'fiscal_expenditure_gdp_ratio',
        'electricity_national_share',
        'urban_population_share',
        'energy_efficiency_10k_yuan_per_tce',
        'energy_intensity_tce_per_10k_yuan',
        'green_patent_applications_per_10k',
        'industrial_structure_10k_yuan_per_worker',
        'pollution_control_industrial_value_added_ratio',
        'secondary_gdp_share',
        'tertiary_gdp_share',
        'internet_users_per_100',
        'information_investment_gdp_ratio',
        'software_revenue_gdp_ratio',
        'new_product_revenue_industrial_value_added_ratio',
        'industrial_value_added_10k_yuan_per_worker',
    ]) }}
{% endmacro %}

{#- Exposures of int_robot_exposure: by country and by stock or installations. -#}
{% macro province_exposures() %}
    {{ return(['cn_stock', 'cn_flow', 'us_stock', 'us_flow']) }}
{% endmacro %}

{#-
    Components of the industrial intelligence index. Infrastructure: broadband and investment
    in information; application: software, robots; competitiveness and efficiency: new products, value added a worker.
    All of them raise the index. The paper names the three dimensions after Sun Zao and Hou Yulin (2019), not the
    indicators.
-#}
{% macro industrial_intelligence_components() %}
    {{ return([
        'internet_users_per_100',
        'information_investment_gdp_ratio',
        'software_revenue_gdp_ratio',
        'robot_exposure_cn_stock_per_worker',
        'new_product_revenue_industrial_value_added_ratio',
        'industrial_value_added_10k_yuan_per_worker',
    ]) }}
{% endmacro %}

{#- Symbols of panel_province_transition and the columns of fct_province_year they are, [symbol, column, factor]. -#}
{% macro province_symbols() %}
    {%- set set = var('province_co2_source') -%}
    {%- set scopes = set if set in province_factor_sets() else province_factor_sets()[0] -%}
    {{ return([
        ('Co2', 'ln_co2_' ~ set, 1),
        ('Co2_scopes', 'ln_co2_scopes_' ~ scopes, 1),
        ('capital_stock', 'capital_stock_2000_price_yi_yuan', 1),
        ('employment', 'employment_10k', 1),
        ('energy_consumption', 'energy_total_10k_tce', 1),
        ('real_GDP', 'gdp_2000_price_yi_yuan', 1),
        ('AI', 'robot_exposure_cn_stock_per_worker', 100),
        ('AI_flow', 'robot_exposure_cn_flow_per_worker', 100),
        ('AI_US', 'robot_exposure_us_stock_per_worker', 100),
        ('AI_US_flow', 'robot_exposure_us_flow_per_worker', 100),
        ('Open', 'trade_gdp_ratio', 1),
        ('Density', 'population_density_10k_per_km2', 1),
        ('Fin', 'loans_gdp_ratio', 1),
        ('Gov', 'fiscal_expenditure_gdp_ratio', 1),
        ('Energy', 'electricity_national_share', 1),
        ('Urban', 'urban_population_share', 1),
        ('energy_efficiency', 'energy_efficiency_10k_yuan_per_tce', 1),
        ('green_technology', 'green_patent_applications_per_10k', 1),
        ('industrial_structure', 'industrial_structure_10k_yuan_per_worker', 1),
        ('env_regulation', 'pollution_control_industrial_value_added_ratio', 1),
        ('industrialization', 'secondary_gdp_share', 1),
    ]) }}
{% endmacro %}

{#- Columns of panel_province_transition that are variables of the paper, in their order. -#}
{% macro province_panel_symbols() %}
    {{ return([
        'Co2', 'GTFP', 'GTFP_ML', 'Co2_scopes', 'capital_stock', 'employment', 'energy_consumption', 'real_GDP', 'AI',
        'AI_flow', 'AI_US', 'AI_US_flow', 'AI_lag1', 'industrial_intelligence', 'Open', 'Density', 'Fin', 'Gov', 'Energy',
        'Urban', 'energy_efficiency', 'green_technology', 'industrial_structure', 'env_regulation', 'industrialization',
    ]) }}
{% endmacro %}
