with current_names as (
    select
        city_code,
        unnest([
            {'alias': city_code, 'alias_kind': 'current_code'},
            {'alias': city_name_zh, 'alias_kind': 'current_name'},
            {'alias': city_name_en_unique, 'alias_kind': 'current_name_en'}
        ], recursive := true)
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
