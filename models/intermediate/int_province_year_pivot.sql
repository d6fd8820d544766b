with cells as (
    select
        cells.province_code,
        cells.year,
        cells.indicator,
        {{ convert_unit(
            'cells.value', 'cells.unit', 'indicators.unit', 'unit_from.factor_to_base', 'unit_to.factor_to_base'
        ) }} as value,
        row_number() over (
            partition by cells.province_code, cells.year, cells.indicator
            order by
                cells.vintage = '{{ var('gdp_vintage') }}' desc, cells.dataset, cells.source_file, cells.source_sheet,
                cells.source_row, cells.source_column
        ) as place_in_order
    from {{ ref('stg_province_yearbook__cells') }} as cells
    inner join {{ ref('seed_indicator') }} as indicators
        on cells.source = indicators.source and cells.indicator = indicators.indicator
    inner join {{ ref('seed_unit') }} as unit_from on cells.unit = unit_from.unit
    inner join {{ ref('seed_unit') }} as unit_to on indicators.unit = unit_to.unit
    inner join {{ ref('seed_province') }} as provinces
        on cells.province_code = provinces.province_code
)

select
    province_code,
    year,
    max(value) filter (where indicator = 'gdp') as gdp_yi_yuan,
    max(value) filter (where indicator = 'gdp_index_prev100') as gdp_prev100_index
from cells
where place_in_order = 1 and year between {{ var('first_year') }} and {{ var('last_year') }}
group by province_code, year
order by province_code, year
