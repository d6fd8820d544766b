-- Columns of fct_city_year and indicators of seed_indicator name each other, and a column ends with the suffix of the
-- indicator's unit (before which an indicator of a base year has that year).
with listed as (
    {% for indicator, column in city_indicators() + city_base_indicators() -%}
    select
        '{{ indicator }}' as indicator,
        '{{ column }}' as column_name
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

declared as (
    select
        indicators.indicator,
        coalesce('_' || cast(indicators.base_year as varchar), '') || units.column_suffix as column_suffix
    from {{ ref('seed_indicator') }} as indicators
    inner join {{ ref('seed_unit') }} as units on indicators.unit = units.unit
    where indicators.level = 'city'
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
