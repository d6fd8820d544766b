-- Measures and classes of listed firms by year; the median of the year is over all listed firms.
with firms as (
    select * from {{ ref('int_firm_rows_resolve') }}
),

polluting as (
    select distinct csrc_code from {{ ref('seed_polluting_industry') }}
),

-- Years the notes and the links cover: within them a firm without rows has none, outside them nobody knows.
noted as (
    select distinct year from {{ ref('int_firm_assets_sum') }}
),

linked as (
    select distinct year from {{ ref('int_firm_partners_sum') }}
),

known as (
    select count(smart_manufacturing_pilot_year) > 0 as has_pilot_years from firms
),

joined as (
    select
        firms.*,
        cities.city_name_zh,
        cities.province_code,
        industries.name_zh as industry_name_zh,
        industries.name_en as industry_name_en,
        industries.ifr_code,
        industries.is_manufacturing,
        industries.is_pollution_remediation,
        case when industries.csrc_code is not null then polluting.csrc_code is not null end as is_polluting_industry,
        median(firms.total_assets_yuan) over (partition by firms.year) as median_total_assets_yuan,
        rules.csrc_prefix is not null as has_size_rule,
        rules.min_employees_persons is null
        or firms.employees_persons >= rules.min_employees_persons as has_large_employees,
        rules.min_revenue_10k_yuan is null
        or firms.revenue_yuan >= rules.min_revenue_10k_yuan * 10000.0 as has_large_revenue,
        rules.min_total_assets_10k_yuan is null
        or firms.total_assets_yuan >= rules.min_total_assets_10k_yuan * 10000.0 as has_large_assets,
        assets.fixed_assets_yuan,
        assets.intangible_assets_yuan,
        assets.fixed_and_intangible_assets_yuan,
        assets.digital_assets_yuan,
        noted.year is not null as is_in_noted_year,
        case when linked.year is not null then coalesce(partners.partners_count, 0) end as partners_count,
        case when linked.year is not null then coalesce(partners.listed_partners_count, 0) end as listed_partners_count,
        case
            when linked.year is null then null
            when partners.firm_code is null then 0
            else partners.partner_ai_patents
        end as partner_ai_patents,
        case
            when known.has_pilot_years then coalesce(firms.year >= firms.smart_manufacturing_pilot_year, false)
        end as is_smart_manufacturing_pilot
    from firms
    cross join known
    left join {{ ref('seed_city') }} as cities on firms.city_code = cities.city_code
    left join {{ ref('seed_csrc_industry') }} as industries on firms.industry_code = industries.csrc_code
    left join polluting on firms.industry_code = polluting.csrc_code
    left join {{ ref('seed_firm_size_rule') }} as rules
        on rules.csrc_prefix in (firms.industry_code, left(firms.industry_code, 1))
    left join {{ ref('int_firm_assets_sum') }} as assets
        on firms.firm_code = assets.firm_code and firms.year = assets.year
    left join {{ ref('int_firm_partners_sum') }} as partners
        on firms.firm_code = partners.firm_code and firms.year = partners.year
    left join noted on firms.year = noted.year
    left join linked on firms.year = linked.year
)

select
    firm_code,
    year,
    firm_name,
    city_code,
    city_name_zh,
    province_code,
    industry_code,
    industry_name_zh,
    industry_name_en,
    ifr_code,
    case
        when is_pollution_remediation then 'pollution_remediation'
        when is_polluting_industry then 'polluting'
        when is_manufacturing then 'clean_production'
        when industry_code is not null then 'other'
    end as industry_type,
    total_assets_yuan / 1e8 as total_assets_yi_yuan,
    revenue_yuan / 1e8 as revenue_yi_yuan,
    employees_persons,
    fixed_assets_yuan / 1e8 as fixed_assets_yi_yuan,
    intangible_assets_yuan / 1e8 as intangible_assets_yi_yuan,
    digital_assets_yuan / 1e8 as digital_assets_yi_yuan,
    digital_assets_yuan / nullif(fixed_and_intangible_assets_yuan, 0) as digital_asset_share,
    green_patents_upstream as green_patents_upstream_count,
    green_patents_end_of_pipe as green_patents_end_of_pipe_count,
    green_patents_upstream + green_patents_end_of_pipe as green_patents_count,
    ai_patents as ai_patents_count,
    robots as robots_count,
    robots / nullif(employees_persons, 0) * 10000 as robots_per_10k_workers,
    energy_tce,
    co2_t,
    revenue_yuan / 1e4 / nullif(energy_tce, 0) as energy_efficiency_10k_yuan_per_tce,
    co2_t / nullif(revenue_yuan / 1e8, 0) as co2_t_per_yi_yuan,
    cast(partners_count as integer) as partners_count,
    cast(listed_partners_count as integer) as listed_partners_count,
    partner_ai_patents as partner_ai_patents_count,
    {{ log_count('green_patents_upstream') }} as ln_green_patents_upstream,
    {{ log_count('green_patents_end_of_pipe') }} as ln_green_patents_end_of_pipe,
    {{ log_count('(green_patents_upstream + green_patents_end_of_pipe)') }} as ln_green_patents,
    {{ log_count('ai_patents') }} as ln_ai_patents,
    {{ log_count('robots') }} as ln_robots,
    {{ log_count('partner_ai_patents') }} as ln_partner_ai_patents,
    ln(total_assets_yuan / 1e8) as ln_total_assets,
    ln(energy_tce) as ln_energy,
    ln(co2_t) as ln_co2,
    case
        when not has_size_rule then null
        else has_large_employees and has_large_revenue and has_large_assets
    end as is_large_firm,
    total_assets_yuan > median_total_assets_yuan as is_above_median_assets,
    is_polluting_industry,
    not is_polluting_industry as is_green_firm,
    is_manufacturing,
    is_smart_manufacturing_pilot,
    smart_manufacturing_pilot_year,
    is_in_noted_year,
    left_out is null as is_complete,
    is_simulated
from joined
order by firm_code, year
