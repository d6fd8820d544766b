with clusters as (
    select
        city_code,
        bool_or(agglomeration = 'BTH') as is_bth,
        bool_or(agglomeration = 'YRD' and tier = 'core26') as is_yrd,
        bool_or(agglomeration = 'PRD') as is_prd,
        bool_or(agglomeration = 'MYR') as is_mid_yangtze,
        bool_or(agglomeration = 'CYU') as is_chengdu_chongqing
    from {{ ref('seed_city_agglomeration') }}
    group by city_code
),

old_bases as (
    select
        city_code,
        bool_or(unit_type = 'prefecture_level_city') as is_old_industrial_base
    from {{ ref('seed_old_industrial_base_city') }}
    group by city_code
),

pilots as (
    select
        city_code,
        min(year_effective) filter (where policy = 'low_carbon_pilot') as low_carbon_pilot_year,
        min(year_effective) filter (where policy = 'ai_pilot_zone') as ai_pilot_year
    from {{ ref('seed_policy_pilot') }}
    group by city_code
)

select
    cities.city_code,
    cities.city_name_zh,
    cities.city_name_en,
    cities.city_name_en_unique,
    cities.province_code,
    provinces.province_name_zh,
    provinces.province_name_en,
    cities.admin_level,
    cities.lon as longitude_deg,
    cities.lat as latitude_deg,
    cities.valid_from,
    cities.valid_to,
    cities.alt_code,
    cities.is_municipality = 1 as is_municipality,
    cities.is_provincial_capital = 1 as is_provincial_capital,
    cities.is_sub_provincial = 1 as is_sub_provincial,
    resources.city_code is not null as is_resource_based,
    coalesce(resources.resource_type, 'none') as resource_type,
    case
        when sizes.size_class = 'super' then 'mega'
        when sizes.size_class in ('mega', 'large_type_1', 'large_type_2') then 'big'
        when sizes.size_class = 'medium_or_small' then 'small_medium'
    end as size_class,
    sizes.size_class as size_class_detail,
    provinces.region4,
    provinces.is_western,
    provinces.is_coal_province,
    sizes.size_class <> 'medium_or_small' as is_urban_centre,
    clusters.city_code is not null as is_urban_agglomeration,
    coalesce(clusters.is_bth, false) as is_bth,
    coalesce(clusters.is_yrd, false) as is_yrd,
    coalesce(clusters.is_prd, false) as is_prd,
    coalesce(clusters.is_mid_yangtze, false) as is_mid_yangtze,
    coalesce(clusters.is_chengdu_chongqing, false) as is_chengdu_chongqing,
    yellow_river.city_code is not null as is_yellow_river,
    environmental.city_code is not null as is_environment_focused,
    coalesce(bases.is_old_industrial_base, false) as is_old_industrial_base,
    pilots.low_carbon_pilot_year,
    pilots.ai_pilot_year,
    samples.is_in_sample as is_in_carbon_productivity_sample,
    samples.reason as carbon_productivity_sample_reason
from {{ ref('seed_city') }} as cities
inner join {{ ref('dim_province') }} as provinces on cities.province_code = provinces.province_code
left join {{ ref('seed_resource_based_city') }} as resources on cities.city_code = resources.city_code
left join {{ ref('seed_city_size_class') }} as sizes on cities.city_code = sizes.city_code
left join {{ ref('seed_yellow_river_city') }} as yellow_river on cities.city_code = yellow_river.city_code
left join {{ ref('seed_key_environmental_city') }} as environmental on cities.city_code = environmental.city_code
left join old_bases as bases on cities.city_code = bases.city_code
left join clusters on cities.city_code = clusters.city_code
left join pilots on cities.city_code = pilots.city_code
left join {{ ref('int_carbon_productivity_sample') }} as samples on cities.city_code = samples.city_code
order by cities.city_code
