{#-
    Says SIMULATED in the comment of every table that was built from cells of the demo world: all models downstream of
    staging. A build from a user's files has the plain description.
-#}
{% macro mark_simulated() %}
    {% if execute and is_simulated() == 'true' %}
        {% set tainted = [] %}
        {% for node in graph.nodes.values() if node.resource_type == 'model' and node.schema == 'staging' %}
            {% do tainted.append(node.unique_id) %}
        {% endfor %}
        {% set models = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
            | rejectattr('schema', 'equalto', 'results') | list %}
        {#- as many passes as there are models reach every descendant -#}
        {% for _ in models %}
            {% for node in models if node.unique_id not in tainted %}
                {% if node.depends_on.nodes | select('in', tainted) | list | length > 0 %}
                    {% do tainted.append(node.unique_id) %}
                {% endif %}
            {% endfor %}
        {% endfor %}
        {% for node in models if node.unique_id in tainted %}
            {% set relation = load_relation(
                api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)
            ) %}
            {% if relation %}
        comment on {{ relation.type }} {{ node.schema }}.{{ node.alias }} is {{ duckdb_escape_comment(
            'SIMULATED - not evidence about China. ' ~ node.description
        ) }};
            {% endif %}
        {% endfor %}
    {% endif %}
    select 1;
{% endmacro %}
