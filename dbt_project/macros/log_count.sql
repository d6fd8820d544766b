{#-
    Logarithm of a count, by the rule for zeros:

        ln1p   ln(1 + x)                    the default
        ln     ln(x), a zero is missing
        asinh  ln(x + sqrt(x^2 + 1))

    A log of a variable with zeros has no unit-free meaning as a percentage (Chen and Roth 2024); counts themselves stay
    beside the logs for Poisson regression.
-#}
{% macro log_count(count, rule='ln1p') -%}
    {%- if rule == 'ln1p' -%}
    ln(1 + {{ count }})
    {%- elif rule == 'ln' -%}
    ln(nullif({{ count }}, 0))
    {%- elif rule == 'asinh' -%}
    asinh({{ count }})
    {%- else -%}
    {{ exceptions.raise_compiler_error("log_count: the rule is '" ~ rule ~ "'; it must be ln1p, ln or asinh") }}
    {%- endif -%}
{%- endmacro %}
