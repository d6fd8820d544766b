with ranked as (
    select
        province_code,
        year,
        indicator,
        value,
        row_number() over (
            partition by province_code, year, indicator
            order by
                vintage = '{{ var('gdp_vintage') }}' desc, dataset, source_file, source_sheet, source_row, source_column
        ) as place_in_order
    from {{ ref('int_province_cells_resolve') }}
    where reason is null
)

select
    province_code,
    year,
    max(value) filter (where indicator = 'gdp') as gdp_yi_yuan,
    max(value) filter (where indicator = 'gdp_index_prev100') as gdp_prev100_index
from ranked
where place_in_order = 1
group by province_code, year
order by province_code, year
