-- The sample rule of the province study, one row a province: all of the mainland but Tibet, 2013-2022.
select
    province_code,
    province_code <> '540000' as is_in_sample,
    case when province_code = '540000' then 'tibet' else 'in_sample' end as reason,
    2013 as first_year,
    2022 as last_year
from {{ ref('seed_province') }}
order by province_code
