select
    reason,
    source,
    dataset,
    source_file,
    source_sheet,
    source_row,
    source_column,
    place_code_raw,
    place_name_raw,
    city_code,
    year,
    indicator,
    value_text,
    unit_raw,
    value,
    unit,
    is_simulated
from {{ ref('int_city_cells_resolve') }}
where reason is not null
order by source, dataset, source_file, source_sheet, source_row, source_column
