-- The factor computed from calorific value, carbon content and oxidation is the printed one: raw coal 1.9779 and
-- 1.9003.
with computed as (
    select distinct
        fuel,
        factor_set,
        kg_co2_per_unit
    from {{ ref('int_city_co2_fuel') }}
    where fuel <> 'electricity'
)

select
    computed.fuel,
    computed.factor_set,
    computed.kg_co2_per_unit,
    printed.co2_kg_per_unit
from computed
left join {{ ref('seed_ipcc_emission_factor') }} as printed
    on computed.fuel = printed.fuel and computed.factor_set = printed.factor_set
where abs(computed.kg_co2_per_unit - printed.co2_kg_per_unit) > 1e-3 or printed.co2_kg_per_unit is null
