-- Every component of seed_index_component has a weight of its sign, and no index has another one.
select
    coalesce(listed.study, weights.study) as study,
    coalesce(listed.index_name, weights.index_name) as index_name,
    coalesce(listed.component, weights.component) as component,
    listed.sign as listed_sign,
    weights.is_positive
from {{ ref('seed_index_component') }} as listed
full outer join {{ ref('dim_index_weight') }} as weights
    on
        listed.study = weights.study
        and listed.index_name = weights.index_name
        and listed.component = weights.component
where listed.sign is null or weights.is_positive is null or (listed.sign > 0) <> weights.is_positive
