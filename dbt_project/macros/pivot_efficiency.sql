{#-
    Efficiency of one study by unit and year, each measure as three columns (reported where the unit's own quantities
    were all observed): scores of fct_efficiency_score, or cumulative indices of fct_productivity_index. `measures` are
    pairs of the name in the panel and the name in seed_efficiency_model.
-#}
{% macro pivot_efficiency(study, measures, table='fct_efficiency_score', value='efficiency_score') %}
    select
        unit_code,
        year,
        {% for symbol, measure in measures -%}
        {%- set only = "filter (where measure = '" ~ measure ~ "')" -%}
        max({{ value }}) {{ only }} as {{ symbol }},
        case when {{ symbol }} is null then 'missing' else max(fill) {{ only }} end as {{ symbol }}_fill,
        case when {{ symbol }}_fill = 'observed' then {{ symbol }} end as {{ symbol }}_reported
        {{- ',' if not loop.last }}
        {% endfor -%}
    from {{ ref(table) }}
    where study = '{{ study }}'
    group by unit_code, year
{% endmacro %}

{#- Select list: reported value and fill code of the measures of a CTE `efficiency`; a unit without a row has neither. -#}
{% macro select_efficiency_fills(measures) %}
    {%- for symbol, _ in measures %}
    efficiency.{{ symbol }}_reported,
    coalesce(efficiency.{{ symbol }}_fill, 'missing') as {{ symbol }}_fill{{ ',' if not loop.last }}
    {%- endfor -%}
{% endmacro %}
