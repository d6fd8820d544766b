{#-
    For every measure x with columns x_reported, x and x_fill: the code is a known one; x is NULL exactly where it is
    missing; x_reported is there exactly where it is observed, and equals x.
-#}
{% test has_consistent_fill_codes(model) %}
{%- if execute -%}
    {%- set columns = adapter.get_columns_in_relation(model) | map(attribute='name') | list -%}
    {%- set stems = [] -%}
    {%- for column in columns if column.endswith('_fill') and (column[:-5] ~ '_reported') in columns -%}
        {%- do stems.append(column[:-5]) -%}
    {%- endfor -%}
    {%- if stems | length == 0 -%}
        {{ exceptions.raise_compiler_error('no filled measure found in ' ~ model) }}
    {%- endif -%}
    {% for x in stems %}
select
    '{{ x }}' as measure,
    count(*) as n_rows
from {{ model }}
where
    {{ x }}_fill not in ('observed', 'linear', 'carried', 'ratio', 'missing')
    or {{ x }}_fill is null
    or ({{ x }} is null) <> ({{ x }}_fill = 'missing')
    or ({{ x }}_reported is not null) <> ({{ x }}_fill = 'observed')
    or {{ x }}_reported <> {{ x }}
having count(*) > 0
{{ 'union all' if not loop.last }}
    {% endfor %}
{%- else -%}
select 1 where false
{%- endif -%}
{% endtest %}
