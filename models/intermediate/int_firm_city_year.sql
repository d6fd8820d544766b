-- Listed firms summed by city and year, every year the accounts cover: a city without a listed firm has zero, as the
-- list of listed firms is complete; its shares are NULL. Sums go over the firms that have the number, and are NULL
-- where firms are there but none has it; `firms_left_out_count` says how many had an impossible one.
with firms as (
    select * from {{ ref('int_firm_year_measures') }}
    where city_code is not null
),

covered as (
    select
        year,
        bool_or(is_in_noted_year) as is_noted,
        count(partner_ai_patents_count) > 0 as is_linked,
        count(is_smart_manufacturing_pilot) > 0 as has_pilots,
        count(robots_count) > 0 as has_robots
    from {{ ref('int_firm_year_measures') }}
    group by year
),

summed as (
    select
        city_code,
        year,
        count(*) as listed_firms,
        count(*) filter (where not is_complete) as firms_left_out,
        list_sum(list(digital_assets_yi_yuan order by firm_code)) as digital_assets,
        list_sum(list(total_assets_yi_yuan order by firm_code)) as all_assets,
        list_sum(list(total_assets_yi_yuan order by firm_code) filter (where is_green_firm)) as green_assets,
        list_sum(list(revenue_yi_yuan order by firm_code) filter (where is_green_firm)) as green_revenue,
        list_sum(list(robots_count order by firm_code)) as robots,
        list_sum(list(employees_persons order by firm_code)) as employees,
        list_sum(list(partner_ai_patents_count order by firm_code)) as partner_ai_patents,
        count(total_assets_yi_yuan) as firms_with_assets,
        count(revenue_yi_yuan) as firms_with_revenue,
        count(is_green_firm) as firms_with_industry,
        count(*) filter (where is_large_firm) / nullif(count(is_large_firm), 0) as large_firm_share,
        count(*) filter (where is_green_firm) / nullif(count(is_green_firm), 0) as clean_industry_share,
        count(*) filter (where is_smart_manufacturing_pilot) as pilots
    from firms
    group by city_code, year
)

select
    spans.city_code,
    spans.year,
    case when covered.is_noted then coalesce(summed.digital_assets, 0) end as digital_assets_yi_yuan,
    case
        when summed.city_code is null then 0
        when summed.firms_with_assets > 0 and summed.firms_with_industry > 0 then coalesce(summed.green_assets, 0)
    end as green_firm_assets_yi_yuan,
    case
        when summed.city_code is null then 0
        when summed.firms_with_revenue > 0 and summed.firms_with_industry > 0 then coalesce(summed.green_revenue, 0)
    end as green_firm_revenue_yi_yuan,
    case when summed.city_code is null then 0 else summed.all_assets end as all_firm_assets_yi_yuan,
    cast(coalesce(summed.listed_firms, 0) as integer) as listed_firms_count,
    case
        when summed.city_code is null and covered.has_robots then 0
        else summed.robots
    end as firm_robots_count,
    case when summed.city_code is null then 0 else summed.employees end as firm_employees_persons,
    summed.large_firm_share,
    summed.clean_industry_share,
    cast(
        case when covered.has_pilots then coalesce(summed.pilots, 0) end as integer
    ) as smart_manufacturing_pilot_firms_count,
    case
        when covered.is_linked and summed.city_code is null then 0
        when covered.is_linked then summed.partner_ai_patents
    end as partner_ai_patents_count,
    cast(coalesce(summed.firms_left_out, 0) as integer) as firms_left_out_count
from {{ ref('int_city_years_span') }} as spans
inner join covered on spans.year = covered.year
left join summed on spans.city_code = summed.city_code and spans.year = summed.year
order by spans.city_code, spans.year
