with current_names as (
    select
        city_code as alias,
        city_code,
        'current_code' as alias_kind
    from {{ ref('seed_city') }}
    union all
    select
        city_name_zh as alias,
        city_code,
        'current_name' as alias_kind
    from {{ ref('seed_city') }}
    union all
    select
        city_name_en_unique as alias,
        city_code,
        'current_name_en' as alias_kind
    from {{ ref('seed_city') }}
)

select
    alias,
    city_code,
    alias_kind,
    cast(null as integer) as used_from_year,
    cast(null as integer) as used_to_year
from current_names
union all
select
    alias,
    city_code,
    alias_kind,
    used_from_year,
    used_to_year
from {{ ref('seed_city_alias') }}
order by city_code, alias_kind, alias
