-- CO2 of each fuel of the province study by both factor sets, for final consumption as a whole and for the sectors of
-- scope 1: energy * net calorific value * carbon content * oxidation * 44/12.
with fuels as (
    select
        position,
        fuel,
        indicator
    from {{ ref('seed_study_fuel') }}
    where study = 'province_transition'
),

boundaries as (
    select
        boundary,
        case when boundary = 'final' then '' else '_' || boundary end as ending
    from (select unnest(['final', 'industry', 'transport', 'construction']) as boundary) as named
),

factors as (
    select
        fuel,
        factor_set,
        ncv_kj_per_unit * carbon_content_tc_per_tj * oxidation_rate * 44 / 12 / 1e6 as kg_co2_per_unit
    from {{ ref('seed_ipcc_emission_factor') }}
    where
        factor_set in (
            {% for factor_set in province_factor_sets() -%}
            '{{ factor_set }}'{{ ',' if not loop.last }}
            {% endfor %}
        )
),

-- Energy in tonnes or cubic metres; a factor is per kg or per cubic metre.
energy as (
    select
        filled.province_code,
        filled.year,
        boundaries.boundary,
        fuels.position,
        fuels.fuel,
        filled.indicator,
        filled.value as energy,
        indicators.unit as energy_unit,
        filled.fill as energy_fill,
        filled.value * units.factor_to_base * case when units.base_unit = 't' then 1000 else 1 end as energy_base
    from {{ ref('int_province_year_fill') }} as filled
    inner join fuels on filled.indicator like fuels.indicator || '%'
    inner join boundaries on filled.indicator = fuels.indicator || boundaries.ending
    inner join {{ ref('seed_indicator') }} as indicators
        on filled.indicator = indicators.indicator and indicators.level = 'province'
    inner join {{ ref('seed_unit') }} as units on indicators.unit = units.unit
)

select
    energy.province_code,
    energy.year,
    energy.boundary,
    factors.factor_set,
    energy.position,
    energy.fuel,
    energy.indicator,
    energy.energy,
    energy.energy_unit,
    energy.energy_fill,
    factors.kg_co2_per_unit,
    energy.energy_base * factors.kg_co2_per_unit / 1e9 as co2_mt
from energy
inner join factors on energy.fuel = factors.fuel
order by energy.province_code, energy.year, energy.boundary, factors.factor_set, energy.position
