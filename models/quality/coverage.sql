-- How much of each variable is there in each year: observed, filled (and how) or missing. One row a mart, variable and
-- year; the fill codes of the mart are all that is counted.
{% set marts = [
    'fct_city_year', 'fct_province_year', 'panel_carbon_productivity', 'panel_yellow_river', 'panel_province_transition',
    'panel_green_tfp', 'panel_green_innovation'
] %}
with codes as (
    {% for mart in marts -%}
    select
        '{{ mart }}' as table_name,
        cast(regexp_replace(column_name, '_fill$', '') as varchar) as variable,
        year,
        fill
    from (
        unpivot (
            select
                year,
                columns('.*_fill$')
            from {{ ref(mart).include(database=false) }}
        )
        on columns(* exclude (year))
        into name column_name value fill
    )
    {{ 'union all' if not loop.last }}
    {% endfor -%}
)

select
    table_name,
    variable,
    cast(year as integer) as year,
    count(*) as units_count,
    count(*) filter (where fill = 'observed') as observed_count,
    count(*) filter (where fill = 'linear') as linear_count,
    count(*) filter (where fill = 'carried') as carried_count,
    count(*) filter (where fill = 'ratio') as ratio_count,
    count(*) filter (where fill = 'missing') as missing_count,
    count(*) filter (where fill = 'observed') / count(*) as observed_share,
    count(*) filter (where fill in ('linear', 'carried', 'ratio')) / count(*) as filled_share,
    count(*) filter (where fill = 'missing') / count(*) as missing_share
from codes
group by all
order by table_name, variable, year
