-- The firms of all cities of a year add up to the firms of the year that have a city: assets, robots, number.
with firms as (
    select
        year,
        count(*) as n_firms,
        coalesce(sum(total_assets_yi_yuan), 0) as assets,
        coalesce(sum(robots_count), 0) as robots
    from {{ ref('fct_firm_year') }}
    where city_code is not null and year between {{ var('first_year') }} and {{ var('last_year') }}
    group by year
),

cities as (
    select
        year,
        sum(listed_firms_count) as n_firms,
        coalesce(sum(all_firm_assets_yi_yuan), 0) as assets,
        coalesce(sum(firm_robots_count), 0) as robots
    from {{ ref('int_firm_city_year') }}
    group by year
)

select
    firms.year,
    firms.n_firms,
    cities.n_firms as n_firms_of_cities,
    firms.assets,
    cities.assets as assets_of_cities,
    firms.robots,
    cities.robots as robots_of_cities
from firms
left join cities on firms.year = cities.year
where
    firms.n_firms is distinct from cities.n_firms
    or abs(firms.assets - cities.assets) > 1e-9 * firms.assets
    or abs(firms.robots - cities.robots) > 1e-9 * firms.robots
