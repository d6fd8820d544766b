-- Cells that are not in a user's datasets as they were read: quarantined, accepted or corrected. The demo world has
-- none of its own: what is impossible there is found in the warehouse.
{%- set sources = [] -%}
{%- for source_name in var('inputs') if input_mode(source_name) == 'user' -%}
    {%- if has_files(user_quarantine_files(source_name)) -%}
        {%- do sources.append(source_name) -%}
    {%- endif -%}
{%- endfor %}
{% for source_name in sources | sort %}
select
    source,
    dataset,
    city_code as place_code,
    place_code_raw,
    place_name_raw,
    year,
    indicator,
    value,
    unit,
    area_scope,
    population_basis,
    vintage,
    value_text,
    source_file,
    source_sheet,
    source_row,
    source_column,
    position,
    reason,
    guess,
    span,
    decision,
    new_value,
    new_unit,
    why,
    decided_on
from read_parquet('{{ user_quarantine_files(source_name) }}', union_by_name = true)
{{ 'union all' if not loop.last }}
{% endfor %}
{% if not sources %}
select
    cast(null as varchar) as source,
    cast(null as varchar) as dataset,
    cast(null as varchar) as place_code,
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
    cast(null as bigint) as position,
    cast(null as varchar) as reason,
    cast(null as varchar) as guess,
    cast(null as varchar) as span,
    cast(null as varchar) as decision,
    cast(null as double) as new_value,
    cast(null as varchar) as new_unit,
    cast(null as varchar) as why,
    cast(null as varchar) as decided_on
where false
{% endif %}
order by source, dataset, position
