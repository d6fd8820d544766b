-- The same number from two datasets of a source: both values, their ratio, and which of them is used.
with cells as (
    select
        source,
        dataset,
        city_code as place_code,
        year,
        indicator,
        value,
        unit,
        area_scope,
        vintage,
        is_simulated
    from {{ ref('int_city_cells_resolve').include(database=false) }}
    where reason is null
    union all
    select
        source,
        dataset,
        province_code as place_code,
        year,
        indicator,
        value,
        unit,
        'whole_city' as area_scope,
        vintage,
        is_simulated
    from {{ ref('int_province_cells_resolve').include(database=false) }}
    where reason is null
),

chosen as (
    select
        source,
        indicator,
        city_code as place_code,
        year,
        dataset
    from {{ ref('int_city_cells_select').include(database=false) }}
    union all
    select
        source,
        indicator,
        province_code as place_code,
        year,
        dataset
    from {{ ref('int_province_cells_select').include(database=false) }}
)

select
    first_cell.source,
    first_cell.indicator,
    first_cell.area_scope,
    first_cell.vintage,
    first_cell.place_code as city_code,
    first_cell.year,
    first_cell.dataset as first_dataset,
    first_cell.value as first_value,
    second_cell.dataset as second_dataset,
    second_cell.value as second_value,
    first_cell.unit,
    case
        when first_cell.value = second_cell.value then 1
        when second_cell.value <> 0 then first_cell.value / second_cell.value
    end as ratio,
    used.dataset as used_dataset,
    first_cell.is_simulated
from cells as first_cell
inner join cells as second_cell
    on
        first_cell.source = second_cell.source
        and first_cell.indicator = second_cell.indicator
        and first_cell.area_scope = second_cell.area_scope
        and first_cell.vintage = second_cell.vintage
        and first_cell.place_code = second_cell.place_code
        and first_cell.year = second_cell.year
        and first_cell.dataset < second_cell.dataset
left join chosen as used
    on
        first_cell.source = used.source
        and first_cell.indicator = used.indicator
        and first_cell.place_code = used.place_code
        and first_cell.year = used.year
order by
    first_cell.source, first_cell.indicator, first_cell.place_code, first_cell.year, first_cell.area_scope,
    first_cell.vintage, first_cell.dataset, second_cell.dataset
