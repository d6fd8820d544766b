-- Sums the fuels of the study in their order; a city-year without one of them has no total, not a partial sum.
with n_fuels as (
    select count(*) as n from {{ ref('seed_study_fuel') }}
    where study = '{{ var('fuel_study') }}'
),

totals as (
    select
        city_code,
        year,
        factor_set,
        count(co2_mt) as n_known,
        list_sum(list(co2_mt order by position)) as co2_mt,
        list_sum(list(energy_10k_tce order by position)) as energy_10k_tce,
        list_sum(list(energy_10k_tce order by position) filter (where fuel in ('raw_coal', 'coke'))) as coal_10k_tce,
        list(distinct energy_fill) as fills,
        max(factor_year) as grid_factor_year,
        max(kg_co2_per_unit) filter (where fuel = 'electricity') as grid_factor_t_co2_per_mwh,
        bool_or(is_factor_carried) as is_grid_factor_carried
    from {{ ref('int_city_co2_fuel') }}
    group by city_code, year, factor_set
),

complete as (
    select
        totals.* exclude (co2_mt),
        case when totals.n_known = n_fuels.n then totals.co2_mt end as co2_mt,
        case when totals.n_known < n_fuels.n then 'missing' else {{ worst_fill_of('totals.fills') }} end as co2_fill
    from totals
    cross join n_fuels
)

select
    city_code,
    year,
    {% for factor_set in ['ipcc2006', 'china_provincial_2011'] -%}
    max(co2_mt) filter (where factor_set = '{{ factor_set }}' and co2_fill = 'observed')
        as co2_{{ factor_set }}_mt_reported,
    max(co2_mt) filter (where factor_set = '{{ factor_set }}') as co2_{{ factor_set }}_mt,
    max(co2_fill) filter (where factor_set = '{{ factor_set }}') as co2_{{ factor_set }}_mt_fill,
    {% endfor -%}
    max(case when co2_fill <> 'missing' then coal_10k_tce / nullif(energy_10k_tce, 0) end) as coal_energy_share,
    max(grid_factor_t_co2_per_mwh) as grid_factor_t_co2_per_mwh,
    max(grid_factor_year) as grid_factor_year,
    bool_or(is_grid_factor_carried) as is_grid_factor_carried
from complete
group by city_code, year
order by city_code, year
