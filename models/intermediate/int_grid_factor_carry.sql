-- A factor for every grid region and year: the published one, else that of the nearest published year (the earlier of
-- two equally near), flagged. Published grid averages cover 2010-2012 and 2021-2022.
with years as (
    select cast(unnest(range({{ var('first_year') }}, {{ var('last_year') }} + 1)) as integer) as year
),

published as (
    select
        region,
        year as factor_year,
        t_co2_per_mwh
    from {{ ref('seed_grid_emission_factor') }}
    where factor_type = '{{ var('grid_factor_type') }}'
),

ranked as (
    select
        published.region,
        years.year,
        published.factor_year,
        published.t_co2_per_mwh,
        row_number() over (
            partition by published.region, years.year
            order by abs(published.factor_year - years.year), published.factor_year
        ) as nearness
    from published
    cross join years
)

select
    region,
    year,
    '{{ var('grid_factor_type') }}' as factor_type,
    factor_year,
    t_co2_per_mwh,
    factor_year <> year as is_carried
from ranked
where nearness = 1
order by region, year
