-- How many cells are not used, by source, reason and indicator, with the first place each stands in.
select
    source,
    reason,
    indicator,
    count(*) as n_cells,
    min(source_file) as first_file,
    min(source_row) as first_row
from {{ ref('int_city_cells_unresolved') }}
group by source, reason, indicator
order by source, reason, indicator
