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

{#- Folder of a user's ingested Parquet files of one source. -#}
{% macro user_files(source_name) -%}
    {{ env_var('CARBONPANEL_DATA', 'data') | replace("'", "''") }}/raw/{{ source_name }}/*.parquet
{%- endmacro %}
