-- Fuel by fuel: our factors times the final consumption of the balances, beside the CO2 of the same fuel in the CEADs
-- inventory, in all and outside power and heat stations, and the factor that CEADs' CO2 outside power stations implies
-- for our activity.
with ours as (
    select
        province_code,
        year,
        position,
        fuel,
        energy,
        energy_unit,
        energy_fill,
        max(kg_co2_per_unit) filter (where factor_set = 'ipcc2006') as ipcc2006_kg_co2_per_unit,
        max(kg_co2_per_unit) filter (where factor_set = 'china_provincial_2011')
            as china_provincial_2011_kg_co2_per_unit,
        max(co2_mt) filter (where factor_set = 'ipcc2006') as co2_ipcc2006_mt,
        max(co2_mt) filter (where factor_set = 'china_provincial_2011') as co2_china_provincial_2011_mt
    from {{ ref('int_province_co2_fuel').include(database=false) }}
    where boundary = 'final'
    group by province_code, year, position, fuel, energy, energy_unit, energy_fill
),

ceads as (
    select
        province_code,
        year,
        replace(replace(indicator, 'co2_ceads_power_', ''), 'co2_ceads_', '') as fuel,
        max(value) filter (where indicator not like 'co2_ceads_power_%') as co2_ceads_mt,
        max(value) filter (where indicator like 'co2_ceads_power_%') as co2_ceads_power_mt
    from {{ ref('int_province_year_fill').include(database=false) }}
    where indicator like 'co2_ceads_%' and value is not null
    group by all
)

select
    ours.province_code,
    ours.year,
    ours.position,
    ours.fuel,
    ours.energy,
    ours.energy_unit,
    ours.energy_fill,
    ours.ipcc2006_kg_co2_per_unit,
    ours.china_provincial_2011_kg_co2_per_unit,
    ours.co2_ipcc2006_mt,
    ours.co2_china_provincial_2011_mt,
    ceads.co2_ceads_mt,
    ceads.co2_ceads_power_mt,
    ceads.co2_ceads_mt - ceads.co2_ceads_power_mt as co2_ceads_outside_power_mt,
    ours.co2_ipcc2006_mt / nullif(ceads.co2_ceads_mt, 0) as ipcc2006_ceads_ratio,
    ours.co2_ipcc2006_mt / nullif(ceads.co2_ceads_mt - ceads.co2_ceads_power_mt, 0)
        as ipcc2006_ceads_outside_power_ratio,
    ours.ipcc2006_kg_co2_per_unit * (ceads.co2_ceads_mt - ceads.co2_ceads_power_mt) / nullif(ours.co2_ipcc2006_mt, 0)
        as implied_kg_co2_per_unit
from ours
inner join ceads
    on ours.province_code = ceads.province_code and ours.year = ceads.year and ours.fuel = ceads.fuel
order by ours.province_code, ours.year, ours.position
