-- Every cell of the city sources with the city it belongs to and its value in the indicator's canonical unit, or the
-- reason why it cannot be used. Nothing is dropped here. An indicator with a base year (a cross section of 1984) is
-- usable in that year alone, whether or not the panel or the life of the present city begins later.
with cells as (
    {% for source in city_sources() -%}
    select * from {{ ref('stg_' ~ source ~ '__cells') }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

names as (
    select * from {{ ref('int_city_names_union') }}
),

printed as (
    select distinct
        city_code,
        place_code_raw,
        place_name_raw
    from cells
),

-- A user's file comes with the code that ingest resolved; a demo row is resolved by its code, else by its name.
places as (
    select
        given.city_code as given_code,
        given.place_code_raw,
        given.place_name_raw,
        case
            when given.city_code is not null then by_given.city_code
            when by_code.city_code <> by_name.city_code then null
            else coalesce(by_code.city_code, by_name.city_code)
        end as city_code,
        case
            when given.city_code is not null then 'ingest'
            when by_code.city_code is not null then by_code.alias_kind
            else by_name.alias_kind
        end as resolution,
        coalesce(given.city_code is null and by_code.city_code <> by_name.city_code, false) as is_contradictory
    from printed as given
    left join names as by_given on given.city_code = by_given.alias and by_given.alias_kind = 'current_code'
    left join names as by_code on given.place_code_raw = by_code.alias
    left join names as by_name on given.place_name_raw = by_name.alias
),

converted as (
    select
        cells.source,
        cells.dataset,
        places.city_code,
        places.resolution,
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
        cells.area_scope,
        cells.population_basis,
        cells.vintage,
        cells.value_text,
        cells.source_file,
        cells.source_sheet,
        cells.source_row,
        cells.source_column,
        cells.is_simulated,
        coalesce(cells.is_accepted, false) as is_accepted,
        places.is_contradictory,
        indicators.base_year,
        indicators.min_value,
        indicators.max_value,
        unit_from.unit is not null as is_unit_known,
        {{ is_convertible(
            'cells.unit', 'indicators.unit', 'unit_from.dimension', 'unit_to.dimension'
        ) }} as is_convertible,
        spans.city_code is not null as is_place_existing
    from cells
    left join places
        on
            cells.city_code is not distinct from places.given_code
            and cells.place_code_raw is not distinct from places.place_code_raw
            and cells.place_name_raw is not distinct from places.place_name_raw
    left join {{ ref('seed_indicator') }} as indicators
        on cells.source = indicators.source and cells.indicator = indicators.indicator
    left join {{ ref('seed_unit') }} as unit_from on cells.unit = unit_from.unit
    left join {{ ref('seed_unit') }} as unit_to on indicators.unit = unit_to.unit
    left join {{ ref('int_city_years_span') }} as spans
        on places.city_code = spans.city_code and cells.year = spans.year
)

select
    * exclude (
        is_accepted, is_contradictory, base_year, min_value, max_value, is_unit_known, is_convertible, is_place_existing
    ),
    case
        when is_contradictory then 'code_and_name_disagree'
        when city_code is null then 'unknown_place'
        when year <> base_year then 'not_the_base_year'
        when base_year is null and year not between {{ var('first_year') }} and {{ var('last_year') }}
            then 'year_outside_panel'
        when base_year is null and not is_place_existing then 'place_did_not_exist'
        when unit is null then 'unknown_indicator'
        when not is_unit_known then 'unknown_unit'
        when not is_convertible then 'unit_of_another_dimension'
        when population_basis <> replace(indicator, 'population_', '') and indicator like 'population%'
            then 'other_population_basis'
        when value is null or not isfinite(value) then 'not_a_number'
        when value not between min_value and max_value and not is_accepted then 'outside_plausible_range'
    end as reason
from converted
order by source, dataset, source_file, source_sheet, source_row, source_column
