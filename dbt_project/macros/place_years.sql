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

-- Narrow tables decide; only cells with a rival in their place, year and indicator are ranked.
vintages as (
    select
        {{ place }},
        year,
        vintage_group,
        vintage,
        count(distinct indicator) as n_indicators,
        count(*) over (partition by {{ place }}, year, vintage_group) as n_vintages
    from eligible
    group by {{ place }}, year, vintage_group, vintage
),

preferred as (
    select
        {{ place }},
        year,
        vintage_group,
        vintage
    from vintages
    where n_vintages > 1
    qualify
        row_number() over (
            partition by {{ place }}, year, vintage_group
            order by n_indicators desc, vintage = '{{ var('gdp_vintage') }}' desc, vintage asc
        ) = 1
),

counts as (
    select
        {{ place }},
        year,
        indicator,
        count(*) as n_candidates
    from eligible
    group by {{ place }}, year, indicator
),

candidates as (
    select
        eligible.*,
        counts.n_candidates
    from eligible
    inner join counts
        on
            eligible.{{ place }} = counts.{{ place }}
            and eligible.year = counts.year
            and eligible.indicator = counts.indicator
    left join preferred
        on
            eligible.{{ place }} = preferred.{{ place }}
            and eligible.year = preferred.year
            and eligible.vintage_group = preferred.vintage_group
    where eligible.vintage = coalesce(preferred.vintage, eligible.vintage)
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
    where candidates.n_candidates > 1
),

chosen as (
    select * from candidates
    where n_candidates = 1
    union all
    select * exclude (place_in_order) from ranked
    where place_in_order = 1
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
from chosen
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
        cells.value as reported,
        case when cells.value is not null then spans.year end as reported_year
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
        last_value(reported_year ignore nulls) over earlier as before_year,
        last_value(reported ignore nulls) over earlier as before_value,
        first_value(reported_year ignore nulls) over later as after_year,
        first_value(reported ignore nulls) over later as after_value
    from spine
    window
        earlier as (
            partition by {{ place }}, indicator order by year rows between unbounded preceding and 1 preceding
        ),
        later as (
            partition by {{ place }}, indicator order by year rows between 1 following and unbounded following
        )
),

interpolated as (
    select
        *,
        case
            when reported is null and fill_rule = 'linear' then
                {{ fill_linear(
                    'year', 'before_year', 'before_value', 'after_year', 'after_value', 'max_gap_years'
                ) }}
        end as linear_value
    from neighbours
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
with rows_used as (
    select
        {{ place }},
        year,
        indicator,
        reported,
        value,
        fill
    from {{ filled }}
    where {{ condition }}
),

pivoted as (
    pivot rows_used
    on indicator in ({% for indicator, _ in indicators %}'{{ indicator }}'{{ ', ' if not loop.last }}{% endfor %})
    using max(reported) as reported, max(value) as value, max(fill) as fill
    group by {{ place }}, year
)

select
    {{ place }},
    year,
    {% for indicator, column in indicators -%}
    {{ indicator }}_reported as {{ column }}_reported,
    {{ indicator }}_value as {{ column }},
    {{ indicator }}_fill as {{ column }}_fill{{ ',' if not loop.last }}
    {% endfor -%}
from pivoted
order by {{ place }}, year
{% endmacro %}
