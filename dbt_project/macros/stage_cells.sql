{#-
    The cells of one raw source in the long raw contract: one row a cell that has a value.

    demo : unpivots the wide seed `raw_<source>`. The unit and the population basis of a column come from raw_layout
           by year. The seed holds text, as printed. A line number is counted in the order the file was loaded in (header = 1), so that it is the line
           a text editor shows. `keys` are the columns of the seed that are not indicators.
    user : reads every Parquet file that ingest wrote for the source; `is_accepted` marks cells outside their plausible
           range that the user accepted.
    none : no rows.

    `place` is city, province or national. A user's place was resolved by ingest; a demo city is resolved in
    int_city_cells_resolve, a demo province and the nation are printed under their codes.
-#}
{% macro stage_cells(source_name, keys, place='city') %}
    {%- set mode = input_mode(source_name) | trim -%}
    {%- if mode == 'demo' -%}
        {{ stage_demo_cells(source_name, keys, place) }}
    {%- elif mode == 'user' -%}
        {{ stage_user_cells(source_name, place) }}
    {%- else -%}
        {{ stage_no_cells(place) }}
    {%- endif -%}
{% endmacro %}

{% macro stage_demo_cells(source_name, keys, place) %}
with numbered as (
    select
        *,
        cast(row_number() over (order by rowid) + 1 as integer) as source_row
    from {{ ref('raw_' ~ source_name) }}
),

long as (
    unpivot numbered
    on columns(* exclude ({{ keys | join(', ') }}, source_row))
    into name indicator value value_text
)

select
    '{{ source_name }}' as source,
    'demo' as dataset,
    {{ 'cast(null as varchar) as city_code' if place == 'city' else 'long.' ~ place ~ '_code' }},
    long.{{ place }}_code as place_code_raw,
    long.{{ place }}_name as place_name_raw,
    cast(long.year as integer) as year,
    cast(long.indicator as varchar) as indicator,
    try_cast(long.value_text as double) as value,
    layout.unit,
    {{ 'long.area_scope' if 'area_scope' in keys else "'whole_city'" }} as area_scope,
    layout.population_basis,
    {{ 'long.vintage' if 'vintage' in keys else "'first'" }} as vintage,
    long.value_text,
    'seeds/raw/raw_{{ source_name }}.csv' as source_file,
    cast(null as varchar) as source_sheet,
    long.source_row,
    cast(long.indicator as varchar) as source_column,
    true as is_simulated,
    false as is_accepted
from long
left join {{ ref('raw_layout') }} as layout
    on
        layout.source = '{{ source_name }}'
        and long.indicator = layout.indicator
        and long.year between layout.year_from and layout.year_to
order by long.source_row, long.indicator
{% endmacro %}

{% macro stage_user_cells(source_name, place) %}
{%- set has_quarantine = has_files(user_quarantine_files(source_name)) %}
with cells as (
    select * from read_parquet('{{ user_files(source_name) }}', union_by_name = true)
){% if has_quarantine %},

-- Cells that were quarantined and then accepted by the user as they stand.
accepted as (
    select distinct
        dataset,
        source_file,
        source_sheet,
        source_row,
        source_column
    from read_parquet('{{ user_quarantine_files(source_name) }}', union_by_name = true)
    where decision = 'accepted'
){% endif %}

select
    cells.source,
    cells.dataset,
    cells.city_code{{ ' as ' ~ place ~ '_code' if place != 'city' }},
    cells.place_code_raw,
    cells.place_name_raw,
    cells.year,
    cells.indicator,
    cells.value,
    cells.unit,
    cells.area_scope,
    cells.population_basis,
    cells.vintage,
    cells.value_text,
    cells.source_file,
    cells.source_sheet,
    cells.source_row,
    cells.source_column,
    false as is_simulated,
    {{ 'accepted.dataset is not null' if has_quarantine else 'false' }} as is_accepted
from cells
{% if has_quarantine -%}
left join accepted
    on
        cells.dataset = accepted.dataset
        and cells.source_file = accepted.source_file
        and cells.source_sheet is not distinct from accepted.source_sheet
        and cells.source_row = accepted.source_row
        and cells.source_column = accepted.source_column
{% endif -%}
order by cells.dataset, cells.source_file, cells.source_sheet, cells.source_row, cells.source_column
{% endmacro %}

{% macro stage_no_cells(place) %}
select
    cast(null as varchar) as source,
    cast(null as varchar) as dataset,
    cast(null as varchar) as {{ place }}_code,
    cast(null as varchar) as place_code_raw,
    cast(null as varchar) as place_name_raw,
    cast(null as integer) as year,
    cast(null as varchar) as indicator,
    cast(null as double) as value,
    cast(null as varchar) as unit,
    cast(null as varchar) as area_scope,
    cast(null as varchar) as population_basis,
    cast(null as varchar) as vintage,
    cast(null as varchar) as value_text,
    cast(null as varchar) as source_file,
    cast(null as varchar) as source_sheet,
    cast(null as integer) as source_row,
    cast(null as varchar) as source_column,
    false as is_simulated,
    false as is_accepted
where false
{% endmacro %}
