-- Every cell of the provincial sources and of the national yearbook in the indicator's canonical unit, or the reason
-- why it cannot be used. The nation is the place 000000. Nothing is dropped here.
with cells as (
    {% for source in ['province_yearbook', 'province_energy', 'province_sectors', 'province_emissions'] -%}
    select * from {{ ref('stg_' ~ source ~ '__cells') }}
    union all
    {% endfor -%}
    select * rename (national_code as province_code) from {{ ref('stg_national_yearbook__cells') }}
),

places as (
    select
        province_code,
        'province' as level
    from {{ ref('seed_province') }}
    union all
    select
        '000000' as province_code,
        'national' as level
),

converted as (
    select
        cells.source,
        cells.dataset,
        places.province_code,
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
        cells.population_basis,
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
        ) }} as is_convertible,
        coalesce(indicators.level <> places.level, false) as is_other_level
    from cells
    left join places on cells.province_code = places.province_code
    left join {{ ref('seed_indicator') }} as indicators
        on cells.source = indicators.source and cells.indicator = indicators.indicator
    left join {{ ref('seed_unit') }} as unit_from on cells.unit = unit_from.unit
    left join {{ ref('seed_unit') }} as unit_to on indicators.unit = unit_to.unit
)

select
    * exclude (is_accepted, min_value, max_value, is_unit_known, is_convertible, is_other_level),
    'current_code' as resolution,
    case
        when province_code is null or is_other_level then 'unknown_place'
        when year not between {{ var('first_year') }} and {{ var('last_year') }} then 'year_outside_panel'
        when unit is null then 'unknown_indicator'
        when not is_unit_known then 'unknown_unit'
        when not is_convertible then 'unit_of_another_dimension'
        when indicator = 'population_resident' and population_basis <> 'resident' then 'other_population_basis'
        when value is null or not isfinite(value) then 'not_a_number'
        when value not between min_value and max_value and not is_accepted then 'outside_plausible_range'
    end as reason
from converted
order by source, dataset, source_file, source_sheet, source_row, source_column
