-- Every cell that is not believed, and what was decided about it: those ingest found in a user's files, and those
-- outside their plausible range that only the warehouse saw (the demo world's, or files ingested under other ranges).
with places as (
    select
        city_code as place_code,
        city_name_zh as name
    from {{ ref('seed_city').include(database=false) }}
    union all
    select
        province_code as place_code,
        name_zh as name
    from {{ ref('seed_province').include(database=false) }}
),

ingested as (
    select
        source,
        dataset,
        place_code,
        place_name_raw,
        year,
        indicator,
        value_text,
        value,
        unit,
        coalesce(reason, 'nothing wrong with the cell: corrected by hand') as reason,
        guess,
        decision,
        new_value,
        new_unit,
        why,
        decided_on,
        source_file,
        source_sheet,
        source_row,
        source_column,
        false as is_simulated
    from {{ ref('stg_quarantine__cells').include(database=false) }}
),

resolved as (
    select
        source,
        dataset,
        city_code as place_code,
        place_name_raw,
        year,
        indicator,
        value_text,
        value_raw,
        unit_raw,
        value,
        reason,
        source_file,
        source_sheet,
        source_row,
        source_column,
        is_simulated
    from {{ ref('int_city_cells_resolve').include(database=false) }}
    where reason in ('outside_plausible_range', 'not_a_number')
    union all
    select
        source,
        dataset,
        province_code as place_code,
        place_name_raw,
        year,
        indicator,
        value_text,
        value_raw,
        unit_raw,
        value,
        reason,
        source_file,
        source_sheet,
        source_row,
        source_column,
        is_simulated
    from {{ ref('int_province_cells_resolve').include(database=false) }}
    where reason in ('outside_plausible_range', 'not_a_number')
),

found as (
    select
        resolved.source,
        resolved.dataset,
        resolved.place_code,
        resolved.place_name_raw,
        resolved.year,
        resolved.indicator,
        resolved.value_text,
        resolved.value_raw as value,
        resolved.unit_raw as unit,
        case
            when resolved.reason = 'not_a_number' then 'the cell holds no number'
            else
                cast(resolved.value as varchar) || ' ' || indicators.unit || ' is '
                || case
                    when resolved.value < indicators.min_value then 'below ' || cast(indicators.min_value as varchar)
                    else 'above ' || cast(indicators.max_value as varchar)
                end
                || ', outside what ' || resolved.indicator || ' can be'
        end as reason,
        cast(null as varchar) as guess,
        'quarantined' as decision,
        cast(null as double) as new_value,
        cast(null as varchar) as new_unit,
        cast(null as varchar) as why,
        cast(null as varchar) as decided_on,
        resolved.source_file,
        resolved.source_sheet,
        resolved.source_row,
        resolved.source_column,
        resolved.is_simulated
    from resolved
    left join {{ ref('seed_indicator').include(database=false) }} as indicators
        on resolved.source = indicators.source and resolved.indicator = indicators.indicator
),

whole as (
    select * from ingested
    union all
    select * from found
)

select
    whole.source,
    whole.dataset,
    whole.place_code as city_code,
    coalesce(places.name, whole.place_name_raw) as place,
    whole.year,
    whole.indicator,
    whole.value_text,
    whole.value,
    whole.unit,
    whole.reason,
    whole.guess,
    whole.decision,
    whole.source_file,
    whole.source_sheet as sheet,
    whole.source_row as "row", -- noqa: RF06
    whole.source_column as "column",
    whole.new_value,
    whole.new_unit,
    whole.why,
    whole.decided_on,
    whole.is_simulated
from whole
left join places on whole.place_code = places.place_code
order by whole.source, whole.dataset, whole.source_file, whole.source_sheet, whole.source_row, whole.source_column
