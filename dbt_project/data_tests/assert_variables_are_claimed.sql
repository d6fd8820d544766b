-- Every published variable of a study (seed_variable_definition) is claimed by exactly one column of a mart, in its
-- meta `variable`, and no column claims one that is not published.
-- depends_on: {{ ref('seed_variable_definition') }}
{% set claims = [] -%}
{% if execute -%}
{% for node in graph.nodes.values() if node.resource_type == 'model' and node.schema == 'marts' -%}
{% for column in node.columns.values() -%}
{% set named = (column.config.meta or column.meta or {}).get('variable') -%}
{% for variable in ([named] if named is string else named) or [] -%}
{% do claims.append([variable, node.name ~ '.' ~ column.name]) -%}
{% endfor -%}
{% endfor -%}
{% endfor -%}
{% endif -%}
with claims as (
    {% for variable, column in claims | sort -%}
    select
        '{{ variable | replace("'", "''") }}' as variable,
        '{{ column }}' as column_name
    union all
    {% endfor -%}
    select
        null as variable,
        null as column_name
    where false
),

published as (
    select study || ': ' || symbol as variable
    from {{ ref('seed_variable_definition') }}
)

select
    coalesce(published.variable, claims.variable) as variable,
    published.variable is not null as is_published,
    count(claims.column_name) as n_claims,
    string_agg(claims.column_name, ', ' order by claims.column_name) as columns_claiming
from published
full outer join claims on published.variable = claims.variable
group by 1, 2
having not bool_and(published.variable is not null) or count(claims.column_name) <> 1
