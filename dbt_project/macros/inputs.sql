{#- How a raw source is read: demo (the committed seed), user (Parquet that ingest wrote) or none. -#}
{% macro input_mode(source_name) -%}
    {%- set mode = var('inputs')[source_name] | default('none') -%}
    {%- if execute and mode not in ['demo', 'user', 'none'] -%}
        {{ exceptions.raise_compiler_error("var inputs: '" ~ source_name ~ "' is '" ~ mode ~ "'; it must be demo, user or none") }}
    {%- endif -%}
    {{ return(mode) }}
{%- endmacro %}

{#- SQL literal: whether any source of this build is the simulated demo world. -#}
{% macro is_simulated() -%}
    {{ 'true' if "'demo'" in (var('inputs') | string) else 'false' }}
{%- endmacro %}

{#- Whether any source of this build is a user's. -#}
{% macro has_user_inputs() -%}
    {{ return("'user'" in (var('inputs') | string)) }}
{%- endmacro %}

{#- Folder of a user's ingested Parquet files of one source. -#}
{% macro user_files(source_name) -%}
    {{ env_var('CARBONPANEL_DATA', 'data') | replace("'", "''") }}/raw/{{ source_name }}/*.parquet
{%- endmacro %}

{#- The cells of a source that a user's datasets left out or that were decided by hand, beside its datasets. -#}
{% macro user_quarantine_files(source_name) -%}
    {{ env_var('CARBONPANEL_DATA', 'data') | replace("'", "''") }}/raw/{{ source_name }}/quarantine/*.parquet
{%- endmacro %}

{#- The order of a user's datasets, as precedence.yml says it; ingest and refresh write it. -#}
{% macro user_precedence_file() -%}
    {{ env_var('CARBONPANEL_DATA', 'data') | replace("'", "''") }}/raw/precedence.parquet
{%- endmacro %}

{#- Whether any file fits the pattern now: DuckDB refuses to read a pattern that none fits. -#}
{% macro has_files(pattern) -%}
    {%- if not execute -%}{{ return(false) }}{%- endif -%}
    {%- set found = run_query("select count(*) as n from glob('" ~ pattern ~ "')") -%}
    {{ return((found.columns[0].values()[0] | int) > 0) }}
{%- endmacro %}
