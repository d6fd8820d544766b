{#- Writes meta.build: one row, what this warehouse was built from. -#}
{% macro write_build() %}
    {% if execute %}
        {% set inputs = var('inputs') %}
        {% set kinds = inputs.values() | list %}
        {% set world = 'user' if 'demo' not in kinds else ('mixed' if 'user' in kinds else 'demo') %}
        begin transaction;
        delete from meta.build;
        insert into meta.build values (
            '{{ tojson(inputs, sort_keys=true) | replace("'", "''") }}',
            '{{ world }}',
            '{{ var("co2_source") }}',
            '{{ var("gdp_vintage") }}',
            {{ var('base_year') }},
            '{{ var("grid_factor_type") }}',
            '{{ var("fuel_study") }}',
            {{ is_simulated() }}
        );
        commit;
    {% endif %}
{% endmacro %}
