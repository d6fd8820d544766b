-- Every city, year and indicator while the city exists, with the value as reported, the value after filling, how it was
-- filled and the two observations a linear value lies between.
with indicators as (
    select * from {{ ref('seed_indicator') }}
    where level = 'city'
),

spine as (
    select
        spans.city_code,
        spans.year,
        indicators.indicator,
        indicators.fill_rule,
        indicators.max_gap_years,
        indicators.ratio_base,
        indicators.ratio_share,
        cells.value as reported
    from {{ ref('int_city_years_span') }} as spans
    cross join indicators
    left join {{ ref('int_city_cells_select') }} as cells
        on
            spans.city_code = cells.city_code
            and spans.year = cells.year
            and indicators.indicator = cells.indicator
),

neighbours as (
    select
        *,
        max(case when reported is not null then year end) over (
            partition by city_code, indicator order by year rows between unbounded preceding and 1 preceding
        ) as before_year,
        min(case when reported is not null then year end) over (
            partition by city_code, indicator order by year rows between 1 following and unbounded following
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
            here.city_code = before.city_code
            and here.indicator = before.indicator
            and here.before_year = before.year
    left join spine as after
        on
            here.city_code = after.city_code
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
        base.value * share.value * share_unit.factor_to_base as ratio_value,
        {{ worst_fill(["base.fill", "share.fill", "'ratio'"]) }} as ratio_fill
    from own
    left join own as base
        on own.city_code = base.city_code and own.year = base.year and own.ratio_base = base.indicator
    left join own as share
        on own.city_code = share.city_code and own.year = share.year and own.ratio_share = share.indicator
    left join indicators as share_indicator on own.ratio_share = share_indicator.indicator
    left join {{ ref('seed_unit') }} as share_unit on share_indicator.unit = share_unit.unit
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
    city_code,
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
order by city_code, indicator, year
