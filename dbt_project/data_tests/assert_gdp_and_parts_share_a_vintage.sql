-- In a city-year GDP and its parts are of one vintage, so that no ratio mixes a revision with a first figure.
select
    chosen.city_code,
    chosen.year,
    indicators.vintage_group,
    count(distinct chosen.vintage) as n_vintages
from {{ ref('int_city_cells_select') }} as chosen
inner join {{ ref('seed_indicator') }} as indicators
    on chosen.source = indicators.source and chosen.indicator = indicators.indicator
where indicators.vintage_group is not null
group by chosen.city_code, chosen.year, indicators.vintage_group
having count(distinct chosen.vintage) > 1
