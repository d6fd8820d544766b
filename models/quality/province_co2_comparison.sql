-- CO2 of the provinces by our factors on final consumption beside the CEADs inventory, and what the difference is made
-- of: processes, power and heat stations, fuels outside the list of the study, and what our factors give beyond CEADs
-- for the same fuels outside power stations. gap = process + power + other fuels outside power - excess.
with inventories as (
    select
        province_code,
        year,
        province_name_en,
        co2_ipcc2006_mt,
        co2_china_provincial_2011_mt,
        co2_ipcc2006_mt_fill,
        co2_ceads_mt,
        co2_ceads_process_mt,
        co2_ceads_power_mt,
        co2_ceads_raw_coal_mt + co2_ceads_coke_mt + co2_ceads_crude_oil_mt + co2_ceads_gasoline_mt
        + co2_ceads_kerosene_mt + co2_ceads_diesel_mt + co2_ceads_fuel_oil_mt + co2_ceads_lpg_mt
        + co2_ceads_natural_gas_mt as study_fuels_mt,
        co2_ceads_power_raw_coal_mt + co2_ceads_power_coke_mt + co2_ceads_power_crude_oil_mt
        + co2_ceads_power_gasoline_mt + co2_ceads_power_kerosene_mt + co2_ceads_power_diesel_mt
        + co2_ceads_power_fuel_oil_mt + co2_ceads_power_lpg_mt + co2_ceads_power_natural_gas_mt
            as power_study_fuels_mt,
        is_simulated
    from {{ ref('fct_province_year').include(database=false) }}
    where co2_ipcc2006_mt is not null and co2_ceads_mt is not null
)

select
    province_code,
    year,
    province_name_en,
    co2_ipcc2006_mt,
    co2_china_provincial_2011_mt,
    co2_ipcc2006_mt_fill,
    co2_ceads_mt,
    co2_ipcc2006_mt / nullif(co2_ceads_mt, 0) as ipcc2006_ceads_ratio,
    co2_china_provincial_2011_mt / nullif(co2_ceads_mt, 0) as china_provincial_2011_ceads_ratio,
    co2_ceads_mt - co2_ipcc2006_mt as gap_mt,
    co2_ceads_process_mt as process_mt,
    co2_ceads_mt - co2_ipcc2006_mt - co2_ceads_process_mt as power_and_other_mt,
    co2_ceads_power_mt as power_mt,
    co2_ceads_mt - co2_ceads_process_mt - study_fuels_mt - (co2_ceads_power_mt - power_study_fuels_mt)
        as other_fuels_outside_power_mt,
    study_fuels_mt - power_study_fuels_mt as study_fuels_outside_power_mt,
    co2_ipcc2006_mt - (study_fuels_mt - power_study_fuels_mt) as excess_mt,
    (co2_ceads_process_mt + co2_ceads_power_mt) / nullif(co2_ceads_mt, 0) as process_and_power_ceads_ratio,
    co2_ipcc2006_mt / nullif(co2_ceads_mt - co2_ceads_process_mt - co2_ceads_power_mt, 0)
        as ipcc2006_ceads_outside_ratio,
    is_simulated
from inventories
order by province_code, year
