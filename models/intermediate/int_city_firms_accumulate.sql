-- Stock of AI firms: registered less deregistered, summed over the city's years since the first year of the panel.
-- After a year without a count the stock is not known any more.
with counts as (
    select
        city_code,
        year,
        ai_firms_registered_count - ai_firms_deregistered_count as net_count
    from {{ ref('int_city_year_pivot') }}
),

running as (
    select
        city_code,
        year,
        sum(net_count) over city_years as stock,
        count(net_count) over city_years as n_known,
        count(*) over city_years as n_years
    from counts
    window city_years as (partition by city_code order by year rows between unbounded preceding and current row)
)

select
    city_code,
    year,
    {{ filled_measure(
        'ai_firms_stock_count', 'case when n_known = n_years and stock >= 0 then stock end', ["'observed'"]
    ) }}
from running
order by city_code, year
