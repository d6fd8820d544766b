-- Robots of an industry in operation are those installed in the last twelve years (the service life the IFR
-- assumes), but for published revisions: a tenth of the stock is left for these. Industries with few robots are
-- not held to it. A number in another unit or under another heading shows up here.
{{ config(severity='warn') }}

with counts as (
    select
        country,
        ifr_code,
        year,
        max(robots_stock) as stock,
        max(robots_installed) as installed
    from {{ ref('stg_industry_robots__counts') }}
    group by country, ifr_code, year
),

summed as (
    select
        country,
        ifr_code,
        year,
        stock,
        sum(installed) over service_life as installed_in_service_life,
        count(installed) over service_life as n_years
    from counts
    window service_life as (
        partition by country, ifr_code
        order by year range between 11 preceding and current row
    )
)

select *
from summed
where n_years = 12 and stock >= 100 and abs(stock - installed_in_service_life) > 0.1 * stock
