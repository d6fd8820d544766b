-- CO2 of each fuel by both factor sets: energy * net calorific value * carbon content * oxidation * 44/12; electricity
-- by the factor of the province's regional grid. Beside it the energy in coal equivalent (electricity by its heat).
with fuels as (
    select
        position,
        fuel,
        indicator
    from {{ ref('seed_study_fuel') }}
    where study = '{{ var('fuel_study') }}'
),

factor_sets as (
    select unnest(['ipcc2006', 'china_provincial_2011']) as factor_set
),

combustion as (
    select
        fuel,
        factor_set,
        ncv_kj_per_unit * carbon_content_tc_per_tj * oxidation_rate * 44 / 12 / 1e6 as kg_co2_per_unit
    from {{ ref('seed_ipcc_emission_factor') }}
),

coal_equivalents as (
    select
        fuel,
        max(standard_coal_kgce_per_unit) as standard_coal_kgce_per_unit
    from {{ ref('seed_ipcc_emission_factor') }}
    group by fuel
),

-- Energy in tonnes, cubic metres or kWh; a factor is per kg, per cubic metre or per kWh.
energy as (
    select
        filled.city_code,
        filled.year,
        fuels.position,
        fuels.fuel,
        fuels.indicator,
        filled.value as energy,
        indicators.unit as energy_unit,
        filled.fill as energy_fill,
        filled.value * units.factor_to_base * case when units.base_unit = 't' then 1000 else 1 end as energy_base
    from {{ ref('int_city_year_fill') }} as filled
    inner join fuels on filled.indicator = fuels.indicator
    inner join {{ ref('seed_indicator') }} as indicators
        on filled.indicator = indicators.indicator and indicators.level = 'city'
    inner join {{ ref('seed_unit') }} as units on indicators.unit = units.unit
),

priced as (
    select
        energy.*,
        factor_sets.factor_set,
        case when energy.fuel = 'electricity' then grid.t_co2_per_mwh else combustion.kg_co2_per_unit end
            as kg_co2_per_unit,
        energy.energy_base * coal_equivalents.standard_coal_kgce_per_unit / 1e7 as energy_10k_tce,
        case when energy.fuel = 'electricity' then regions.region end as grid_region,
        case when energy.fuel = 'electricity' then grid.factor_year end as factor_year,
        coalesce(energy.fuel = 'electricity' and grid.is_carried, false) as is_factor_carried
    from energy
    cross join factor_sets
    inner join {{ ref('int_city_years_span') }} as spans
        on energy.city_code = spans.city_code and energy.year = spans.year
    left join coal_equivalents on energy.fuel = coal_equivalents.fuel
    left join combustion on energy.fuel = combustion.fuel and factor_sets.factor_set = combustion.factor_set
    left join {{ ref('seed_province_grid_region') }} as regions on spans.province_code = regions.province_code
    left join {{ ref('int_grid_factor_carry') }} as grid on regions.region = grid.region and energy.year = grid.year
)

select
    city_code,
    year,
    factor_set,
    position,
    fuel,
    indicator,
    energy,
    energy_unit,
    energy_fill,
    energy_10k_tce,
    kg_co2_per_unit,
    grid_region,
    factor_year,
    is_factor_carried,
    energy_base * kg_co2_per_unit / 1e9 as co2_mt
from priced
order by city_code, year, factor_set, position
