-- Every cell of the provincial yearbook in the indicator's canonical unit, or the reason why it cannot be used.
with converted as (
    select
        cells.dataset,
        provinces.province_code,
        cells.place_code_raw,
        cells.place_name_raw,
        cells.year,
        cells.indicator,
        {{ convert_unit(
            'cells.value', 'cells.unit', 'indicators.unit', 'unit_from.factor_to_base', 'unit_to.factor_to_base'
        ) }} as value,
        indicators.unit,
        cells.value as value_raw,
        cells.unit as unit_raw,
        cells.vintage,
        cells.value_text,
        cells.source_file,
        cells.source_sheet,
        cells.source_row,
        cells.source_column,
        cells.is_simulated,
        coalesce(cells.is_accepted, false) as is_accepted,
        indicators.min_value,
        indicators.max_value,
        unit_from.unit is not null as is_unit_known,
        {{ is_convertible(
            'cells.unit', 'indicators.unit', 'unit_from.dimension', 'unit_to.dimension'
        ) }} as is_convertible
    from {{ ref('stg_province_yearbook__cells') }} as cells
    left join {{ ref('seed_province') }} as provinces on cells.province_code = provinces.province_code
    left join {{ ref('seed_indicator') }} as indicators
        on cells.source = indicators.source and cells.indicator = indicators.indicator
    left join {{ ref('seed_unit') }} as unit_from on cells.unit = unit_from.unit
    left join {{ ref('seed_unit') }} as unit_to on indicators.unit = unit_to.unit
)

select
    * exclude (is_accepted, min_value, max_value, is_unit_known, is_convertible),
    case
        when province_code is null then 'unknown_place'
        when year not between {{ var('first_year') }} and {{ var('last_year') }} then 'year_outside_panel'
        when unit is null then 'unknown_indicator'
        when not is_unit_known then 'unknown_unit'
        when not is_convertible then 'unit_of_another_dimension'
        when value is null or not isfinite(value) then 'not_a_number'
        when value not between min_value and max_value and not is_accepted then 'outside_plausible_range'
    end as reason
from converted
order by dataset, source_file, source_sheet, source_row, source_column
