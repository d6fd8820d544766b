{#-
    The steps from resolved cells to filled years, the same for cities and for provinces. `place` is the name of the key
    column (city_code, province_code).
-#}

{#-
    One cell a place, year and indicator. Indicators of one vintage group (GDP and its parts) are taken from one vintage
    in a place-year, so that no ratio mixes a revision with a first figure: the vintage that covers most of the group,
    and the preferred one (var gdp_vintage) among equals. Of several datasets the one that precedence.yml puts first
    goes first, else they go in the order of their names. `cells` are resolved cells, `condition` says which may be used.
-#}
{% macro select_cells(cells, place, condition) %}
with eligible as (
    select
        cells.*,
        coalesce(indicators.vintage_group, indicators.indicator) as vintage_group
    from {{ cells }} as cells
    inner join {{ ref('seed_indicator') }} as indicators
        on cells.source = indicators.source and cells.indicator = indicators.indicator
    where {{ condition }}
),

vintages as (
    select
        {{ place }},
        year,
        vintage_group,
        vintage,
        row_number() over (
            partition by {{ place }}, year, vintage_group
            order by count(distinct indicator) desc, vintage = '{{ var('gdp_vintage') }}' desc, vintage asc
        ) as preference
    from eligible
    group by {{ place }}, year, vintage_group, vintage
),

candidates as (
    select
        eligible.*,
        count(*) over (partition by eligible.{{ place }}, eligible.year, eligible.indicator) as n_candidates,
        vintages.preference
    from eligible
    inner join vintages
        on
            eligible.{{ place }} = vintages.{{ place }}
            and eligible.year = vintages.year
            and eligible.vintage_group = vintages.vintage_group
            and eligible.vintage = vintages.vintage
),

ranked as (
    select
        candidates.*,
        row_number() over (
            partition by candidates.{{ place }}, candidates.year, candidates.indicator
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
    {{ place }},
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
order by {{ place }}, indicator, year
{% endmacro %}

{#-
    Every place, year and indicator, with the value as reported, the value after filling, how it was filled and the two
    observations a linear value lies between. `spans` are the years a place has (place, year and what `levels` needs),
    `cells` the selected cells; `levels` joins the spans to seed_indicator, here called indicators.
-#}
{% macro fill_place_years(spans, cells, place, levels) %}
with spine as (
    select
        spans.{{ place }},
        spans.year,
        indicators.indicator,
        indicators.fill_rule,
        indicators.max_gap_years,
        indicators.ratio_base,
        indicators.ratio_share,
        share_units.factor_to_base as ratio_factor,
        cells.value as reported
    from {{ spans }} as spans
    inner join {{ ref('seed_indicator') }} as indicators on {{ levels }}
    left join {{ ref('seed_indicator') }} as shares
        on indicators.level = shares.level and indicators.ratio_share = shares.indicator
    left join {{ ref('seed_unit') }} as share_units on shares.unit = share_units.unit
    left join {{ cells }} as cells
        on
            spans.{{ place }} = cells.{{ place }}
            and spans.year = cells.year
            and indicators.indicator = cells.indicator
),

neighbours as (
    select
        *,
        max(case when reported is not null then year end) over (
            partition by {{ place }}, indicator order by year rows between unbounded preceding and 1 preceding
        ) as before_year,
        min(case when reported is not null then year end) over (
            partition by {{ place }}, indicator order by year rows between 1 following and unbounded following
        ) as after_year
    from spine
),

interpolated as (
    select
        here.*,
        before.reported as before_value,
        after.reported as after_value,
        case
            when here.reported is null and here.fill_rule = 'linear' then
                {{ fill_linear(
                    'here.year', 'here.before_year', 'before.reported', 'here.after_year', 'after.reported',
                    'here.max_gap_years'
                ) }}
        end as linear_value
    from neighbours as here
    left join spine as before
        on
            here.{{ place }} = before.{{ place }}
            and here.indicator = before.indicator
            and here.before_year = before.year
    left join spine as after
        on
            here.{{ place }} = after.{{ place }}
            and here.indicator = after.indicator
            and here.after_year = after.year
),

own as (
    select
        *,
        coalesce(reported, linear_value) as value,
        case
            when reported is not null then 'observed'
            when linear_value is not null then 'linear'
            else 'missing'
        end as fill
    from interpolated
),

-- An unreported part of a total that is printed as a share of it: part = total * share.
with_ratio as (
    select
        own.*,
        base.value * share.value * own.ratio_factor as ratio_value,
        {{ worst_fill(["base.fill", "share.fill", "'ratio'"]) }} as ratio_fill
    from own
    left join own as base
        on own.{{ place }} = base.{{ place }} and own.year = base.year and own.ratio_base = base.indicator
    left join own as share
        on own.{{ place }} = share.{{ place }} and own.year = share.year and own.ratio_share = share.indicator
),

chosen as (
    select
        *,
        case
            when fill = 'observed' or ratio_value is null then 'own'
            when ratio_fill = 'ratio' or fill = 'missing' then 'ratio'
            else 'own'
        end as origin
    from with_ratio
)

select
    {{ place }},
    year,
    indicator,
    reported,
    case when origin = 'ratio' then ratio_value else value end as value,
    case when origin = 'ratio' then ratio_fill else fill end as fill,
    case when origin = 'own' and fill = 'linear' then before_year end as before_year,
    case when origin = 'own' and fill = 'linear' then before_value end as before_value,
    case when origin = 'own' and fill = 'linear' then after_year end as after_year,
    case when origin = 'own' and fill = 'linear' then after_value end as after_value,
    case when origin = 'ratio' then ratio_base end as ratio_base,
    case when origin = 'ratio' then ratio_share end as ratio_share
from chosen
order by {{ place }}, indicator, year
{% endmacro %}

{#-
    One row a place and year with the three columns of each of `indicators` (pairs of indicator and column name), from a
    long table of filled years. A map by indicator is looked up: a filtered aggregate for every column takes 20 times as
    long.
-#}
{% macro pivot_place_years(filled, place, indicators, condition='true') %}
with maps as (
    select
        {{ place }},
        year,
        map_from_entries(list(struct_pack(
            k := indicator, v := struct_pack(reported := reported, value := value, fill := fill)
        ))) as cells
    from {{ filled }}
    where {{ condition }}
    group by {{ place }}, year
)

select
    {{ place }},
    year,
    {% for indicator, column in indicators -%}
    cells['{{ indicator }}'].reported as {{ column }}_reported,
    cells['{{ indicator }}'].value as {{ column }},
    cells['{{ indicator }}'].fill as {{ column }}_fill{{ ',' if not loop.last }}
    {% endfor -%}
from maps
order by {{ place }}, year
{% endmacro %}
