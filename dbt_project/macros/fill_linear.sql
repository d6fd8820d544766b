{#-
    Linear interpolation in levels between the neighbouring observations of a gap. A gap of more than `max_gap_years`
    missing years, or one that is open at an end (no observation before or after), gives NULL: nothing is extrapolated.
-#}
{% macro fill_linear(year, before_year, before_value, after_year, after_value, max_gap_years) -%}
    case
        when
            {{ before_year }} is not null
            and {{ after_year }} is not null
            and {{ after_year }} - {{ before_year }} - 1 <= {{ max_gap_years }}
            then
                {{ before_value }}
                + ({{ after_value }} - {{ before_value }})
                * ({{ year }} - {{ before_year }}) / ({{ after_year }} - {{ before_year }})
    end
{%- endmacro %}
