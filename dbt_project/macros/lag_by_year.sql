{#-
    The value of `column` exactly `years` calendar years before, within `unit`; NULL where that year has no row. A row
    offset would take the wrong year across a hole in the panel.
-#}
{% macro lag_by_year(column, years=1, unit='city_code', time='year') -%}
    max({{ column }}) over (
        partition by {{ unit }} order by {{ time }}
        range between {{ years }} preceding and {{ years }} preceding
    )
{%- endmacro %}
