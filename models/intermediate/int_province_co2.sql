-- CO2 of the provinces by factor set: of nine fuels in final consumption, and in three scopes. Fuels are summed in
-- their order; a total is there only where all of its fuels are. Scope 1 is what industry, transport and construction
-- burn, scope 2 the electricity and heat bought from outside, scope 3 what an inventory reports.
with n_fuels as (
    select count(*) as n from {{ ref('seed_study_fuel') }}
    where study = 'province_transition'
),

totals as (
    select
        province_code,
        year,
        factor_set,
        boundary,
        count(co2_mt) as n_known,
        list_sum(list(co2_mt order by position)) as co2_mt,
        list(distinct energy_fill) as fills
    from {{ ref('int_province_co2_fuel') }}
    group by province_code, year, factor_set, boundary
),

complete as (
    select
        totals.province_code,
        totals.year,
        totals.factor_set,
        totals.boundary,
        case when totals.n_known = n_fuels.n then totals.co2_mt end as co2_mt,
        case when totals.n_known < n_fuels.n then 'missing' else {{ worst_fill_of('totals.fills') }} end as co2_fill
    from totals
    cross join n_fuels
),

wide as (
    select
        province_code,
        year,
        {% for factor_set in province_factor_sets() -%}
        {% for boundary in ['final', 'industry', 'transport', 'construction'] -%}
        max(co2_mt) filter (where factor_set = '{{ factor_set }}' and boundary = '{{ boundary }}')
            as {{ boundary }}_{{ factor_set }}_mt,
        {% endfor -%}
        max(co2_fill) filter (where factor_set = '{{ factor_set }}' and boundary = 'final')
            as final_{{ factor_set }}_fill,
        {{ worst_fill_of(
            "list(co2_fill) filter (where factor_set = '" ~ factor_set ~ "' and boundary <> 'final')"
        ) }} as scope1_{{ factor_set }}_fill,
        {% endfor -%}
        count(*) as n_totals
    from complete
    group by province_code, year
),

bought as (
    select
        pivoted.province_code,
        pivoted.year,
        pivoted.electricity_purchased_yi_kwh,
        pivoted.electricity_purchased_yi_kwh_fill,
        pivoted.heat_purchased_10k_gj,
        pivoted.heat_purchased_10k_gj_fill,
        pivoted.co2_scope3_reported_mt,
        pivoted.co2_scope3_reported_mt_fill,
        regions.region as grid_region,
        grid.t_co2_per_mwh as grid_factor_t_co2_per_mwh,
        grid.factor_year as grid_factor_year,
        coalesce(grid.is_carried, false) as is_grid_factor_carried,
        heat.t_co2_per_gj as heat_factor_t_co2_per_gj
    from {{ ref('int_province_year_pivot') }} as pivoted
    left join {{ ref('seed_province_grid_region') }} as regions on pivoted.province_code = regions.province_code
    left join {{ ref('int_grid_factor_carry') }} as grid on regions.region = grid.region and pivoted.year = grid.year
    cross join {{ ref('seed_heat_emission_factor') }} as heat
    where heat.carrier = 'heat'
)

select
    bought.province_code,
    bought.year,
    -- 10^8 kWh are 10^5 MWh, 10^4 GJ are 10^4 GJ; in Mt.
    bought.electricity_purchased_yi_kwh * bought.grid_factor_t_co2_per_mwh / 10 as co2_electricity_purchased_mt,
    bought.heat_purchased_10k_gj * bought.heat_factor_t_co2_per_gj / 100 as co2_heat_purchased_mt,
    {{ filled_measure(
        'co2_scope2_mt', 'co2_electricity_purchased_mt + co2_heat_purchased_mt',
        ['bought.electricity_purchased_yi_kwh_fill', 'bought.heat_purchased_10k_gj_fill']
    ) }},
    {{ filled_measure('co2_scope3_mt', 'bought.co2_scope3_reported_mt', ['bought.co2_scope3_reported_mt_fill']) }},
    {% for factor_set in province_factor_sets() -%}
    {{ filled_measure(
        'co2_' ~ factor_set ~ '_mt', 'wide.final_' ~ factor_set ~ '_mt', ['wide.final_' ~ factor_set ~ '_fill']
    ) }},
    wide.industry_{{ factor_set }}_mt as co2_industry_{{ factor_set }}_mt,
    wide.transport_{{ factor_set }}_mt as co2_transport_{{ factor_set }}_mt,
    wide.construction_{{ factor_set }}_mt as co2_construction_{{ factor_set }}_mt,
    {{ filled_measure(
        'co2_scope1_' ~ factor_set ~ '_mt',
        'co2_industry_' ~ factor_set ~ '_mt + co2_transport_' ~ factor_set ~ '_mt + co2_construction_' ~ factor_set
        ~ '_mt',
        ['wide.scope1_' ~ factor_set ~ '_fill']
    ) }},
    {{ filled_measure(
        'co2_scopes_' ~ factor_set ~ '_mt', 'co2_scope1_' ~ factor_set ~ '_mt + co2_scope2_mt + co2_scope3_mt',
        ['co2_scope1_' ~ factor_set ~ '_mt_fill', 'co2_scope2_mt_fill', 'co2_scope3_mt_fill']
    ) }},
    {% endfor -%}
    bought.grid_region,
    bought.grid_factor_t_co2_per_mwh,
    bought.grid_factor_year,
    bought.is_grid_factor_carried,
    bought.heat_factor_t_co2_per_gj
from bought
inner join wide on bought.province_code = wide.province_code and bought.year = wide.year
order by bought.province_code, bought.year
