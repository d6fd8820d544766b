-- One cell a city, year and indicator. Only the whole city (never its urban districts). Indicators of one vintage group
-- (GDP and its parts) are taken from one vintage in a city-year, so that no ratio mixes a revision with a first figure:
-- the vintage that covers most of the group, and the preferred one (var gdp_vintage) among equals. Of several datasets
-- the one that precedence.yml puts first goes first, else they go in the order of their names.
with eligible as (
    select
        cells.*,
        coalesce(indicators.vintage_group, indicators.indicator) as vintage_group
    from {{ ref('int_city_cells_resolve') }} as cells
    inner join {{ ref('seed_indicator') }} as indicators
        on cells.source = indicators.source and cells.indicator = indicators.indicator
    where cells.reason is null and cells.area_scope = 'whole_city'
),

vintages as (
    select
        city_code,
        year,
        vintage_group,
        vintage,
        row_number() over (
            partition by city_code, year, vintage_group
            order by count(distinct indicator) desc, vintage = '{{ var('gdp_vintage') }}' desc, vintage asc
        ) as preference
    from eligible
    group by city_code, year, vintage_group, vintage
),

candidates as (
    select
        eligible.*,
        count(*) over (partition by eligible.city_code, eligible.year, eligible.indicator) as n_candidates,
        vintages.preference
    from eligible
    inner join vintages
        on
            eligible.city_code = vintages.city_code
            and eligible.year = vintages.year
            and eligible.vintage_group = vintages.vintage_group
            and eligible.vintage = vintages.vintage
),

ranked as (
    select
        candidates.*,
        row_number() over (
            partition by candidates.city_code, candidates.year, candidates.indicator
            order by
                coalesce(precedence.position, 1000000), candidates.dataset, candidates.source_file,
                candidates.source_sheet, candidates.source_row, candidates.source_column
        ) as place_in_order
    from candidates
    left join {{ ref('stg_precedence__datasets') }} as precedence
        on
            candidates.source = precedence.source
            and candidates.indicator = precedence.indicator
            and candidates.year = precedence.year
            and candidates.dataset = precedence.dataset
    where candidates.preference = 1
)

select
    city_code,
    year,
    indicator,
    value,
    unit,
    vintage,
    source,
    dataset,
    resolution,
    place_code_raw,
    place_name_raw,
    value_raw,
    unit_raw,
    value_text,
    source_file,
    source_sheet,
    source_row,
    source_column,
    n_candidates,
    is_simulated
from ranked
where place_in_order = 1
order by city_code, indicator, year
