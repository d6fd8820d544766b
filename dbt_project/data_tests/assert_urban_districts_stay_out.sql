-- No selected cell is one of the urban districts alone.
select
    chosen.city_code,
    chosen.year,
    chosen.indicator
from {{ ref('int_city_cells_select') }} as chosen
inner join {{ ref('int_city_cells_resolve') }} as cells
    on
        chosen.source = cells.source
        and chosen.dataset = cells.dataset
        and chosen.source_file = cells.source_file
        and chosen.source_sheet is not distinct from cells.source_sheet
        and chosen.source_row = cells.source_row
        and chosen.source_column = cells.source_column
where cells.area_scope <> 'whole_city' or cells.reason is not null
