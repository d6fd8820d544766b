-- Every province and the nation (000000) in every year.
with years as (
    select cast(unnest(range({{ var('first_year') }}, {{ var('last_year') }} + 1)) as integer) as year
),

places as (
    select
        province_code,
        'province' as level
    from {{ ref('seed_province') }}
    union all
    select
        '000000' as province_code,
        'national' as level
)

select
    places.province_code,
    years.year,
    places.level
from places
cross join years
order by places.province_code, years.year
