with municipalities as (
    select distinct province_code
    from {{ ref('seed_city') }}
    where is_municipality = 1
)

select
    provinces.province_code,
    provinces.name_zh as province_name_zh,
    provinces.name_en as province_name_en,
    provinces.region4,
    provinces.region4 = 'west' as is_western,
    provinces.is_major_coal_consumer = 1 as is_coal_province,
    municipalities.province_code is not null as is_municipality,
    provinces.area_km2,
    provinces.n_city_current as n_city_current_count,
    regions.region as grid_region
from {{ ref('seed_province') }} as provinces
left join municipalities on provinces.province_code = municipalities.province_code
left join {{ ref('seed_province_grid_region') }} as regions on provinces.province_code = regions.province_code
order by provinces.province_code
