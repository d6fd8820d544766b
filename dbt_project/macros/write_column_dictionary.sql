{#-
    Writes meta.column_dictionary: every column of every table of the project with what its YAML says. Names, order and
    types come from the database; description, unit, formula, inputs, fill rule and published variable from the column's
    `meta`. The tables that dbt does not fill get their description as a comment, as persist_docs gives it to the others.
-#}
{% macro write_column_dictionary() %}
    {% if execute %}
        {% set entries = [] %}
        {% for node in graph.nodes.values() | list + graph.sources.values() | list %}
            {% if node.resource_type in ['model', 'seed', 'source'] %}
                {% for column in node.columns.values() %}
                    {% set meta = column.config.meta or column.meta or {} %}
                    {% do entries.append({
                        's': node.schema,
                        't': node.identifier or node.alias or node.name,
                        'c': column.name,
                        'd': column.description | trim,
                        'u': meta.get('unit'),
                        'f': meta.get('formula'),
                        'i': meta.get('inputs'),
                        'r': meta.get('fill_rule'),
                        'o': meta.get('source'),
                        'v': written_variables(meta.get('variable'))
                    }) %}
                {% endfor %}
            {% endif %}
        {% endfor %}
        {% for variable in user_variables() %}
            {% set own = {
                's': 'marts',
                't': variable['table_name'],
                'c': variable['name'],
                'd': variable['description'] ~ ' (defined by the user).',
                'u': variable['unit'],
                'f': variable['expression'],
                'i': variable['inputs'],
                'r': 'as its ingredients' if variable['fill_columns'] else none,
                'o': 'variables.yml'
            } %}
            {% do entries.append(own) %}
            {% for ending, told in [
                ('_reported', ' from observed cells alone; NULL where any ingredient was filled or is missing.'),
                ('_fill', ': how it was filled; of several ingredients the worst.')
            ] if variable['fill_columns'] %}
                {% do entries.append(dict(
                    own, c=variable['name'] ~ ending, d=variable['name'] ~ told, f=none, i=variable['name'], r=none,
                    u=variable['unit'] if ending == '_reported' else none
                )) %}
            {% endfor %}
        {% endfor %}
        {% set entries_json = tojson(entries) | replace("'", "''") %}
        begin transaction;
        create or replace table meta.column_dictionary (
            schema_name varchar,
            model_name varchar,
            column_name varchar,
            ordinal integer,
            data_type varchar,
            unit varchar,
            description varchar,
            formula varchar,
            inputs varchar,
            fill_rule varchar,
            source varchar,
            variable varchar
        );
        insert into meta.column_dictionary
        with written as (
            select unnest(from_json(
                '{{ entries_json }}',
                '[{"s":"VARCHAR","t":"VARCHAR","c":"VARCHAR","d":"VARCHAR","u":"VARCHAR","f":"VARCHAR","i":"VARCHAR","r":"VARCHAR","o":"VARCHAR","v":"VARCHAR"}]'
            ), recursive := true)
        )
        select
            columns.schema_name,
            columns.table_name,
            columns.column_name,
            columns.column_index,
            columns.data_type,
            written.u,
            written.d,
            written.f,
            written.i,
            written.r,
            written.o,
            written.v
        from duckdb_columns() as columns
        left join written
            on
                columns.schema_name = written.s
                and columns.table_name = written.t
                and columns.column_name = written.c
        where columns.database_name = current_database()
            and columns.schema_name in (
                'raw', 'reference', 'published', 'truth', 'staging', 'intermediate', 'marts', 'results', 'quality', 'meta'
            )
        order by columns.schema_name, columns.table_name, columns.column_index;
        {% for source in graph.sources.values() %}
        comment on table {{ source.schema }}.{{ source.identifier }} is {{ duckdb_escape_comment(source.description) }};
        {% endfor %}
        commit;
    {% endif %}
{% endmacro %}

{#- The published variables a column is (`study: symbol`, one or a list) as one text, `|` between them. -#}
{% macro written_variables(variables) -%}
    {%- if variables is none -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(variables if variables is string else variables | join(' | ')) }}
{%- endmacro %}
