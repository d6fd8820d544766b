{#- Names of the columns of the marts that are a published variable (`variable` in their YAML), in the order of the text. -#}
{% macro published_symbols() -%}
    {%- set found = [''] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.schema == 'marts' -%}
            {%- for column in node.columns.values() if (column.config.meta or column.meta or {}).get('variable') -%}
                {%- if column.name not in found -%}{%- do found.append(column.name) -%}{%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found | sort) }}
{%- endmacro %}
