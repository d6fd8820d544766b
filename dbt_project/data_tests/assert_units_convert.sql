-- Cells whose unit is unknown or of another dimension than the indicator's: none is converted, each is listed here.
select
    source,
    dataset,
    indicator,
    unit_raw,
    count(*) as n_cells
from {{ ref('int_city_cells_unresolved') }}
where reason in ('unknown_unit', 'unit_of_another_dimension')
group by source, dataset, indicator, unit_raw
