{#-
    A value in `unit_to`, given in `unit_from`. The same unit leaves the value untouched, bit for bit. Growth in percent
    becomes an index (previous year = 100) by 100 + growth. Everything else goes through the factors of seed_unit.
-#}
{% macro convert_unit(value, unit_from, unit_to, factor_from, factor_to) -%}
    case
        when {{ unit_from }} = {{ unit_to }} then {{ value }}
        when {{ unit_from }} = 'growth_pct' and {{ unit_to }} = 'index_prev100' then 100 + {{ value }}
        else {{ value }} * {{ factor_from }} / {{ factor_to }}
    end
{%- endmacro %}

{#- Whether a number in `unit_from` can become a number in `unit_to`. -#}
{% macro is_convertible(unit_from, unit_to, dimension_from, dimension_to) -%}
    (
        {{ dimension_from }} = {{ dimension_to }}
        or ({{ unit_from }} = 'growth_pct' and {{ unit_to }} = 'index_prev100')
    )
{%- endmacro %}
