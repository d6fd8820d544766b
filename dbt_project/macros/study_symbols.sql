{#-
    Symbols of the city studies and the filled measure of fct_city_year that each is, with the factor between the two:
    [symbol, column, factor]. What is composed on the sample (indices) or interacted stands in the panel itself.
-#}
{% macro yellow_river_symbols() %}
    {{ return([
        ('employment', 'employees_10k', none),
        ('capital_stock', 'capital_stock_2006_price_yi_yuan', none),
        ('energy', 'energy_total_10k_tce', none),
        ('GDP', 'gdp_2006_price_yi_yuan', none),
        ('green_coverage', 'green_coverage_pct', none),
        ('CO2', 'co2_' ~ var('co2_source') ~ '_mt', none),
        ('AI', 'ai_invention_applications_count', '/ 100'),
        ('scale', 'ai_all_applications_count', '/ 100'),
        ('AI_single', 'ai_invention_applications_single_count', '/ 100'),
        ('scale_single', 'ai_all_applications_single_count', '/ 100'),
        ('POP', 'population_density_1000_per_km2', none),
        ('HUM', 'education_expenditure_fiscal_share', none),
        ('lnINF', 'ln_highway_mileage', none),
        ('ISU', 'tertiary_secondary_ratio', none),
        ('trade', 'trade_gdp_ratio', none),
        ('TEC', 'science_expenditure_fiscal_share', none),
        ('new_infrastructure', 'internet_users_per_person', none),
        ('tel_1984', 'fixed_telephones_1984_count', none),
        ('res_1984', 'natural_science_researchers_1984_persons', none),
        ('dig1', 'digital_assets_gdp_ratio', none),
        ('dig2', 'digital_enterprises_per_yi_yuan', none),
        ('green1', 'green_firm_assets_gdp_ratio', none),
        ('green2', 'green_firm_revenue_gdp_ratio', none),
        ('env_attention', 'environmental_words_report_share', none),
        ('env_investment', 'environmental_infrastructure_investment_yi_yuan', none),
        ('students', 'students_higher_education_persons', none),
        ('household_water_use', 'household_water_use_10k_t', none),
        ('household_lpg_use', 'household_lpg_use_t', none),
        ('buses', 'buses_count', none),
        ('sewage_treatment_rate', 'sewage_treatment_rate_pct', none),
        ('waste_treatment_rate', 'waste_treatment_rate_pct', none),
        ('green_credit', 'green_credit_pct', none),
        ('green_investment', 'green_investment_pct', none),
        ('green_support', 'green_support_pct', none),
        ('green_insurance', 'green_insurance_pct', none),
        ('green_bonds', 'green_bonds_pct', none),
        ('green_funds', 'green_funds_pct', none),
        ('green_equity', 'green_equity_pct', none),
    ]) }}
{% endmacro %}

{#- All filled symbols of panel_yellow_river in the order of its columns. -#}
{% macro yellow_river_panel_symbols() %}
    {{ return([
        'employment', 'capital_stock', 'energy', 'GDP', 'green_coverage', 'CO2', 'AI', 'scale', 'AI_single',
        'scale_single', 'POP', 'HUM', 'lnINF', 'ISU', 'trade', 'ER', 'TEC', 'new_infrastructure', 'green_finance',
        'tel', 'res', 'tel_1984', 'res_1984', 'national_broadband', 'dig1', 'dig2', 'green1', 'green2',
        'env_attention', 'env_investment', 'students', 'green_consumption', 'household_water_use',
        'household_lpg_use', 'buses', 'sewage_treatment_rate', 'waste_treatment_rate', 'green_credit',
        'green_investment', 'green_support', 'green_insurance', 'green_bonds', 'green_funds', 'green_equity',
    ]) }}
{% endmacro %}

{% macro green_tfp_symbols() %}
    {{ return([
        ('AI', 'ln_ai_all_applications', none),
        ('energy_efficiency', 'energy_efficiency_10k_yuan_per_tce', none),
        ('human_capital', 'students_per_person', none),
        ('green_innovation', 'ln_green_patent_applications', none),
        ('labour', 'employees_10k', none),
        ('capital_stock', 'capital_stock_2006_price_yi_yuan', none),
        ('energy', 'energy_total_10k_tce', none),
        ('GDP', 'gdp_2006_price_yi_yuan', none),
        ('CO2', 'co2_' ~ var('co2_source') ~ '_mt', none),
        ('ln_population_density', 'ln_population_density', none),
        ('tertiary_gdp_share', 'tertiary_gdp_share', none),
        ('deposits_loans_gdp_ratio', 'deposits_loans_gdp_ratio', none),
        ('trade_gdp_ratio', 'trade_gdp_ratio', none),
        ('fiscal_expenditure_gdp_ratio', 'fiscal_expenditure_gdp_ratio', none),
        ('science_expenditure_fiscal_share', 'science_expenditure_fiscal_share', none),
        ('solid_waste_utilised_pct', 'solid_waste_utilised_pct', none),
    ]) }}
{% endmacro %}

{#- All filled symbols of panel_green_tfp in the order of its columns. -#}
{% macro green_tfp_panel_symbols() %}
    {{ return([
        'AI', 'energy_efficiency', 'human_capital', 'green_innovation', 'information_infrastructure',
        'network_infrastructure', 'computing_infrastructure', 'labour', 'capital_stock', 'energy', 'GDP', 'CO2',
        'ln_population_density', 'tertiary_gdp_share', 'deposits_loans_gdp_ratio', 'trade_gdp_ratio',
        'fiscal_expenditure_gdp_ratio', 'science_expenditure_fiscal_share', 'solid_waste_utilised_pct',
    ]) }}
{% endmacro %}

{% macro green_innovation_symbols() %}
    {{ return([
        ('green_innovation', 'ln_green_patent_applications', none),
        ('clean_production_innovation', 'ln_green_patent_upstream', none),
        ('pollution_remediation_innovation', 'ln_green_patent_end_of_pipe', none),
        ('energy_efficiency', 'energy_efficiency_10k_yuan_per_tce', none),
        ('emissions', 'co2_' ~ var('co2_source') ~ '_mt', none),
        ('energy_mix', 'coal_energy_share', none),
        ('AI', 'ln_ai_firms_stock', none),
        ('digital_finance', 'digital_finance_index_points', none),
        ('industrial_structure', 'tertiary_gdp_share', none),
        ('human_capital', 'students_per_person', none),
    ]) }}
{% endmacro %}

{#- All filled symbols of panel_green_innovation in the order of its columns. -#}
{% macro green_innovation_panel_symbols() %}
    {{ return([
        'green_innovation', 'clean_production_innovation', 'pollution_remediation_innovation', 'energy_efficiency',
        'emissions', 'energy_mix', 'AI', 'digital_finance', 'industrial_structure', 'human_capital', 'green_finance',
        'digital_infrastructure',
    ]) }}
{% endmacro %}

{#- Select list: value, reported value and fill code of every symbol, from a relation of measures. -#}
{% macro select_symbols(symbols, prefix) %}
    {%- for symbol, column, factor in symbols %}
    {%- set scaled = ' ' ~ factor if factor else '' %}
    {{ prefix }}{{ column }}{{ scaled }} as {{ symbol }},
    {{ prefix }}{{ column }}_reported{{ scaled }} as {{ symbol }}_reported,
    {{ prefix }}{{ column }}_fill as {{ symbol }}_fill{{ ',' if not loop.last }}
    {%- endfor -%}
{% endmacro %}

{#- Select list: reported value and fill code of every symbol of a panel. -#}
{% macro select_fills(symbols, prefix) %}
    {%- for symbol in symbols %}
    {{ prefix }}{{ symbol }}_reported,
    {{ prefix }}{{ symbol }}_fill{{ ',' if not loop.last }}
    {%- endfor -%}
{% endmacro %}

{#- Query: the indices of one study side by side, one row a city and year; [symbol, index_name]. -#}
{% macro pivot_indices(study, indices) %}
    select
        unit_code as city_code,
        year,
        {% for symbol, index_name in indices -%}
        max(value) filter (where index_name = '{{ index_name }}') as {{ symbol }},
        max(value) filter (where index_name = '{{ index_name }}' and fill = 'observed') as {{ symbol }}_reported,
        max(fill) filter (where index_name = '{{ index_name }}') as {{ symbol }}_fill{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_index_value') }}
    where study = '{{ study }}'
    group by unit_code, year
{% endmacro %}
