{#-
    Writes meta.mart_hash: of each mart the number of rows and the MD5 of its rows in the order of its key (`meta.key` of
    the model), which does not depend on the number of threads. Only marts that exist in the database are listed.
-#}
{% macro write_mart_hashes() %}
    {% if execute %}
        begin transaction;
        delete from meta.mart_hash;
        {% for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
            | selectattr('schema', 'equalto', 'marts') | sort(attribute='name') %}
            {% if load_relation(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) %}
        insert into meta.mart_hash
        select
            '{{ node.schema }}',
            '{{ node.alias }}',
            count(*),
            md5(coalesce(string_agg(md5(cast(mart as varchar)), '' order by {{ node.config.meta.key | join(', ') }}), ''))
        from {{ node.schema }}.{{ node.alias }} as mart;
            {% endif %}
        {% endfor %}
        commit;
    {% endif %}
{% endmacro %}
