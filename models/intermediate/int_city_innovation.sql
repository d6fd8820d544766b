-- Patents, digital infrastructure, listed firms, robots and what surrounds a city: measures on all cities and years,
-- before any sample is cut. Numbers of listed firms and robots are not filled: their ratio to GDP has the code of GDP.
-- Neighbours are those at the end of the year.
with neighbours as (
    select
        borders.city_code,
        measures.year,
        list_avg(list(measures.ln_ai_firms_stock order by borders.neighbour_code)) as ln_ai_firms_stock_neighbour_mean
    from {{ ref('seed_city_neighbour') }} as borders
    inner join {{ ref('int_city_measures') }} as measures
        on
            borders.neighbour_code = measures.city_code
            and measures.year >= coalesce(year(borders.valid_from), 0)
            and measures.year < coalesce(year(borders.valid_to), 9999)
    group by borders.city_code, measures.year
),

-- A pilot of emissions trading counts from its launch, not from its approval; AI pilot zones are the treatment.
policies as (
    select
        spans.city_code,
        spans.year,
        cast(count(distinct pilots.policy) as integer) as policies_in_force_count
    from {{ ref('int_city_years_span') }} as spans
    left join {{ ref('seed_policy_pilot') }} as pilots
        on
            spans.city_code = pilots.city_code
            and spans.year >= pilots.year_effective
            and pilots.policy not in ('ai_pilot_zone', 'carbon_ets_approval')
    group by spans.city_code, spans.year
),

ingredients as (
    select
        pivoted.*,
        robots.exposure_cn_stock_per_worker as robot_exposure_cn_stock_per_worker,
        robots.exposure_cn_flow_per_worker as robot_exposure_cn_flow_per_worker,
        robots.exposure_us_stock_per_worker as robot_exposure_us_stock_per_worker,
        robots.exposure_us_flow_per_worker as robot_exposure_us_flow_per_worker,
        firms.digital_assets_yi_yuan,
        firms.green_firm_assets_yi_yuan,
        firms.green_firm_revenue_yi_yuan,
        firms.all_firm_assets_yi_yuan,
        firms.listed_firms_count,
        firms.firm_robots_count,
        firms.firm_employees_persons,
        firms.large_firm_share,
        firms.clean_industry_share,
        firms.smart_manufacturing_pilot_firms_count,
        firms.partner_ai_patents_count,
        neighbours.ln_ai_firms_stock_neighbour_mean,
        policies.policies_in_force_count
    from {{ ref('int_city_year_pivot') }} as pivoted
    inner join policies on pivoted.city_code = policies.city_code and pivoted.year = policies.year
    inner join {{ ref('int_city_years_span') }} as spans
        on pivoted.city_code = spans.city_code and pivoted.year = spans.year
    left join {{ ref('int_robot_exposure') }} as robots
        on spans.province_code = robots.province_code and pivoted.year = robots.year
    left join {{ ref('int_firm_city_year') }} as firms
        on pivoted.city_code = firms.city_code and pivoted.year = firms.year
    left join neighbours on pivoted.city_code = neighbours.city_code and pivoted.year = neighbours.year
)

select
    city_code,
    year,
    {% for variant in ['', '_single'] -%}
    {{ filled_measure(
        'ai_all_applications' ~ variant ~ '_count',
        'ai_invention_applications' ~ variant ~ '_count + ai_utility_model_applications' ~ variant
        ~ '_count + ai_design_applications' ~ variant ~ '_count',
        [
            'ai_invention_applications' ~ variant ~ '_count_fill',
            'ai_utility_model_applications' ~ variant ~ '_count_fill',
            'ai_design_applications' ~ variant ~ '_count_fill',
        ]
    ) }},
    {% endfor -%}
    {{ filled_measure(
        'ln_ai_invention_applications', log_count('ai_invention_applications_count'),
        ['ai_invention_applications_count_fill']
    ) }},
    {{ filled_measure(
        'ln_ai_all_applications', log_count('ai_all_applications_count'),
        ['ai_all_applications_count_fill']
    ) }},
    {{ filled_measure(
        'ln_green_patent_upstream', log_count('green_patent_upstream_count'),
        ['green_patent_upstream_count_fill']
    ) }},
    {{ filled_measure(
        'ln_green_patent_end_of_pipe', log_count('green_patent_end_of_pipe_count'),
        ['green_patent_end_of_pipe_count_fill']
    ) }},
    {{ filled_measure(
        'mobile_subscribers_per_person', 'mobile_subscribers_10k_users / nullif(population_resident_10k, 0)',
        ['mobile_subscribers_10k_users_fill', 'population_resident_10k_fill']
    ) }},
    {{ filled_measure(
        'telecom_revenue_gdp_ratio', 'telecom_revenue_yi_yuan / nullif(gdp_yi_yuan, 0)',
        ['telecom_revenue_yi_yuan_fill', 'gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'base_stations_per_10k', 'base_stations_count / nullif(population_resident_10k, 0)',
        ['base_stations_count_fill', 'population_resident_10k_fill']
    ) }},
    {{ filled_measure(
        'data_centre_racks_per_10k', 'data_centre_racks_count / nullif(population_resident_10k, 0)',
        ['data_centre_racks_count_fill', 'population_resident_10k_fill']
    ) }},
    {{ filled_measure(
        'computing_power_pflops_per_10k', 'computing_power_pflops / nullif(population_resident_10k, 0)',
        ['computing_power_pflops_fill', 'population_resident_10k_fill']
    ) }},
    {{ filled_measure(
        'digital_enterprises_per_yi_yuan', 'digital_enterprises_count / nullif(gdp_yi_yuan, 0)',
        ['digital_enterprises_count_fill', 'gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'digital_assets_gdp_ratio', 'digital_assets_yi_yuan / nullif(gdp_yi_yuan, 0)',
        ['gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'green_firm_assets_gdp_ratio', 'green_firm_assets_yi_yuan / nullif(gdp_yi_yuan, 0)',
        ['gdp_yi_yuan_fill']
    ) }},
    {{ filled_measure(
        'green_firm_revenue_gdp_ratio', 'green_firm_revenue_yi_yuan / nullif(gdp_yi_yuan, 0)',
        ['gdp_yi_yuan_fill']
    ) }},
    robot_exposure_cn_stock_per_worker,
    robot_exposure_cn_flow_per_worker,
    robot_exposure_us_stock_per_worker,
    robot_exposure_us_flow_per_worker,
    digital_assets_yi_yuan,
    green_firm_assets_yi_yuan,
    green_firm_revenue_yi_yuan,
    all_firm_assets_yi_yuan,
    listed_firms_count,
    firm_robots_count,
    firm_employees_persons,
    large_firm_share,
    clean_industry_share,
    smart_manufacturing_pilot_firms_count,
    partner_ai_patents_count,
    {{ log_count('partner_ai_patents_count') }} as ln_partner_ai_patents,
    10000 * firm_robots_count / nullif(firm_employees_persons, 0) as firm_robots_per_10k_workers,
    ln_ai_firms_stock_neighbour_mean,
    policies_in_force_count
from ingredients
order by city_code, year
