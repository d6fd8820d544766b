{#- The four robot exposures: [instrument, country, column of the robots, base year of the country's workers]. -#}
{% macro robot_instruments() -%}
    {{ return([
        ['cn_stock', 'CHN', 'robots_stock', var('robot_base_year')],
        ['cn_flow', 'CHN', 'robots_installed', var('robot_base_year')],
        ['us_stock', 'USA', 'robots_stock', var('robot_base_year_us')],
        ['us_flow', 'USA', 'robots_installed', var('robot_base_year_us')],
    ]) }}
{%- endmacro %}

{#-
    Industries that do not overlap, of seed_ifr_industry: the sectors, manufacturing (D) by its divisions. 99 holds the
    robots reported without an industry; it employs nobody.
-#}
{% macro is_exposure_industry(industries) -%}
    ({{ industries }}.level = 'division' or {{ industries }}.level = 'sector') and {{ industries }}.ifr_code not in ('D', '99')
{%- endmacro %}
