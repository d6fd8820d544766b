with weights as (
    select
        'city' as level,
        *
    from {{ ref('int_index_weight') }}
    union all by name
    select
        'province' as level,
        *
    from {{ ref('int_province_index_weight') }}
)

select
    level,
    study,
    index_name,
    component,
    sign > 0 as is_positive,
    scope,
    min_value,
    max_value,
    entropy as entropy_share,
    weight as weight_share,
    cast(n as integer) as observations_count
from weights
order by study, index_name, component
