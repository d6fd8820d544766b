-- Columns of fct_province_year and indicators of seed_indicator name each other, and a column ends with the suffix of
-- the indicator's unit.
with listed as (
    {% for indicator, column in province_indicators() -%}
    select
        '{{ indicator }}' as indicator,
        '{{ column }}' as column_name
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

declared as (
    select
        indicators.indicator,
        units.column_suffix
    from {{ ref('seed_indicator') }} as indicators
    inner join {{ ref('seed_unit') }} as units on indicators.unit = units.unit
    where indicators.level = 'province'
)

select
    coalesce(listed.indicator, declared.indicator) as indicator,
    listed.column_name,
    declared.column_suffix
from listed
full outer join declared on listed.indicator = declared.indicator
where
    listed.indicator is null
    or declared.indicator is null
    or not ends_with(listed.column_name, declared.column_suffix)
