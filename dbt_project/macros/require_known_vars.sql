{#- Stops a run whose vars have a value nothing is built for, before it builds anything. -#}
{% macro require_known_vars() %}
    {% if execute %}
        {% set known = {
            'co2_source': co2_sources(),
            'province_co2_source': province_factor_sets() + ['ceads'],
            'gdp_vintage': ['revised', 'first'],
            'grid_factor_type': ['grid_average', 'baseline_OM', 'baseline_BM'],
            'unspecified_robots': ['left_out', 'proportional'],
            'digital_items': ['paper', 'extended'],
        } %}
        {% for name, values in known.items() if var(name) not in values %}
            {{ exceptions.raise_compiler_error(
                'var ' ~ name ~ " is '" ~ var(name) ~ "'; it must be one of: " ~ values | join(', ')
            ) }}
        {% endfor %}
        {% for source_name in var('inputs') %}{% do input_mode(source_name) %}{% endfor %}
    {% endif %}
    select 1;
{% endmacro %}
