-- Every row of a mart is counted once in the coverage of each of its variables, whatever its fill code.
select
    table_name,
    variable,
    year
from {{ ref('coverage') }}
where
    units_count <> observed_count + linear_count + carried_count + ratio_count + missing_count
    or abs(observed_share + filled_share + missing_share - 1) > 1e-12
