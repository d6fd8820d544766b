{#- The variables of a user's variables.yml, as settled by refresh: one row a table and column. -#}
{% macro user_variables() -%}
    {%- set file = env_var('CARBONPANEL_DATA', 'data') | replace("'", "''") ~ '/raw/user_variables.parquet' -%}
    {%- if not execute or not has_files(file) -%}{{ return([]) }}{%- endif -%}
    {{ return(run_query("select * from read_parquet('" ~ file ~ "') order by position").rows) }}
{%- endmacro %}

{#-
    Post-hook of every mart: adds the user's variables to it. The expression sees the rows of the mart and, by its key,
    the columns it takes from the table of facts; a variable of filled ingredients becomes three columns.
-#}
{% macro add_user_variables(relation) %}
    {%- for variable in user_variables() if variable['table_name'] == relation.identifier -%}
    {%- set name = adapter.quote(variable['name']) -%}
    {%- set keys = variable['key_columns'].split(',') -%}
    {%- set fills = (variable['fill_columns'] or '').split(',') | select | list -%}
    {%- set fact_columns = (variable['fact_columns'] or '').split(',') | select | list -%}
    {%- set has_fill = fills | length > 0 %}
    {% if has_fill -%}
    alter table {{ relation }} add column {{ adapter.quote(variable['name'] ~ '_reported') }} {{ variable['data_type'] }};
    {%- endif %}
    alter table {{ relation }} add column {{ name }} {{ variable['data_type'] }};
    {% if has_fill -%}
    alter table {{ relation }} add column {{ adapter.quote(variable['name'] ~ '_fill') }} varchar;
    {%- endif %}
    update {{ relation }} as mart
    set
        {{ name }} = computed.user_value
        {%- if has_fill %},
        {{ adapter.quote(variable['name'] ~ '_fill') }} = computed.user_fill,
        {{ adapter.quote(variable['name'] ~ '_reported') }} = case
            when computed.user_fill = 'observed' then computed.user_value
        end
        {%- endif %}
    from (
        select
            {{ keys | join(', ') }},
            {% if variable['data_type'] == 'double' -%}
            -- no number divided by zero: missing, as in every measure of the project
            case
                when isfinite(cast(({{ variable['expression'] }}) as double))
                    then cast(({{ variable['expression'] }}) as double)
            end as user_value
            {%- else -%}
            cast(({{ variable['expression'] }}) as {{ variable['data_type'] }}) as user_value
            {%- endif %}
            {%- if has_fill %},
            case when user_value is null then 'missing' else {{ worst_fill(fills) }} end as user_fill
            {%- endif %}
        from (
            select
                own.*
                {%- for column in fact_columns %},
                facts.{{ adapter.quote(column) }}
                {%- endfor %}
            from {{ relation }} as own
            {%- if fact_columns %}
            left join {{ relation.schema }}.{{ variable['fact_table'] }} as facts
                on {% for key in keys %}own.{{ key }} = facts.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
            {%- endif %}
        )
    ) as computed
    where {% for key in keys %}mart.{{ key }} = computed.{{ key }}{{ ' and ' if not loop.last }}{% endfor %};
    {% endfor -%}
{% endmacro %}
