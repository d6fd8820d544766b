{#-
    The rows of a raw source that is a plain table (not a place and a year): its `columns` in their types, and where each
    row stands.

    demo : the seed `raw_<source>`, whose cells are text as printed, or, when `drawn`, the Parquet file of the demo world
           that is too large for a seed (demo_file). Rows are counted as an editor counts the lines of a CSV (header = 1);
           those of a Parquet file from 1.
    user : every Parquet file that ingest wrote for the source.
    none : no rows.

    `columns` is a list of [name, type]; a cell that is no number where one belongs is NULL. `renamed` gives a column
    another name, so that a code as printed is not taken for a resolved one.
-#}
{% macro stage_table(source_name, columns, drawn=false, renamed={}) %}
    {%- set mode = input_mode(source_name) | trim -%}
    {%- if mode == 'demo' and drawn %}
select
    {% for name, type in columns -%}
    cast({{ name }} as {{ type }}) as {{ renamed.get(name, name) }},
    {% endfor -%}
    'demo' as dataset,
    '{{ demo_file_name(source_name) }}' as source_file,
    cast(null as varchar) as source_sheet,
    cast(file_row_number + 1 as integer) as source_row,
    true as is_simulated
from read_parquet('{{ demo_folder() }}/{{ source_name }}.parquet', file_row_number = true)
    {%- elif mode == 'demo' %}
select
    {% for name, type in columns -%}
    try_cast({{ name }} as {{ type }}) as {{ renamed.get(name, name) }},
    {% endfor -%}
    'demo' as dataset,
    'seeds/raw/raw_{{ source_name }}.csv' as source_file,
    cast(null as varchar) as source_sheet,
    cast(row_number() over (order by rowid) + 1 as integer) as source_row,
    true as is_simulated
from {{ ref('raw_' ~ source_name) }}
order by source_row
    {%- elif mode == 'user' %}
select
    {% for name, type in columns -%}
    try_cast({{ name }} as {{ type }}) as {{ renamed.get(name, name) }},
    {% endfor -%}
    dataset,
    source_file,
    source_sheet,
    cast(source_row as integer) as source_row,
    false as is_simulated
from read_parquet('{{ user_files(source_name) }}', union_by_name = true)
order by dataset, source_file, source_sheet, source_row
    {%- else %}
select
    {% for name, type in columns -%}
    cast(null as {{ type }}) as {{ renamed.get(name, name) }},
    {% endfor -%}
    cast(null as varchar) as dataset,
    cast(null as varchar) as source_file,
    cast(null as varchar) as source_sheet,
    cast(null as integer) as source_row,
    false as is_simulated
where false
    {%- endif %}
{% endmacro %}

{#-
    Folder of the drawn sources: env CARBONPANEL_DEMO, else `demo` beside the database file. A refresh builds in a folder
    of its own and sets the variable, so that the files are drawn once.
-#}
{% macro demo_folder() -%}
    {%- set parts = (target.path | replace('\\', '/')).split('/') -%}
    {%- set beside = (parts[:-1] + ['demo']) | join('/') -%}
    {{ return(env_var('CARBONPANEL_DEMO', beside) | replace("'", "''")) }}
{%- endmacro %}

{#- Name of a drawn file wherever its folder lies. -#}
{% macro demo_file_name(source_name) -%}
    {{ return('demo/' ~ source_name ~ '.parquet') }}
{%- endmacro %}
