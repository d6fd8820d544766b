{#- The worst of several fill codes: missing, then linear, carried, ratio, observed. -#}
{% macro worst_fill(codes) -%}
    case
        {% for code in ['missing', 'linear', 'carried', 'ratio'] -%}
        when '{{ code }}' in ({{ codes | join(', ') }}) then '{{ code }}'
        {% endfor -%}
        else 'observed'
    end
{%- endmacro %}

{#- The worst of a list of fill codes, in the same order. -#}
{% macro worst_fill_of(codes) -%}
    case
        {% for code in ['missing', 'linear', 'carried', 'ratio'] -%}
        when list_contains({{ codes }}, '{{ code }}') then '{{ code }}'
        {% endfor -%}
        else 'observed'
    end
{%- endmacro %}

{#-
    The three columns of a derived measure: its value, its fill code (the worst of its ingredients'; missing when the
    value is NULL) and its reported value (the value where every ingredient was observed, else NULL).
-#}
{% macro filled_measure(name, expression, ingredient_fills) %}
    {{ expression }} as {{ name }},
    case when {{ name }} is null then 'missing' else {{ worst_fill(ingredient_fills) }} end as {{ name }}_fill,
    case when {{ name }}_fill = 'observed' then {{ name }} end as {{ name }}_reported
{%- endmacro %}

{#- Select list for the three columns of a measure in the order reported, value, fill; `rename` gives a new stem. -#}
{% macro measure_triple(name, prefix='', rename=none) -%}
    {%- set stem = rename or name -%}
    {{ prefix }}{{ name }}_reported{{ ' as ' ~ stem ~ '_reported' if rename }},
    {{ prefix }}{{ name }}{{ ' as ' ~ stem if rename }},
    {{ prefix }}{{ name }}_fill{{ ' as ' ~ stem ~ '_fill' if rename }}
{%- endmacro %}
