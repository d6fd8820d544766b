-- Every component of an index has a row in seed_index_component with its sign, and an index that could be weighed at
-- all (some city-year has every component) has all its components.
with weights as (
    select * from {{ ref('dim_index_weight') }}
),

weighed as (
    select distinct
        study,
        index_name
    from weights
),

listed as (
    select components.*
    from {{ ref('seed_index_component') }} as components
    inner join weighed on components.study = weighed.study and components.index_name = weighed.index_name
)

select
    coalesce(listed.study, weights.study) as study,
    coalesce(listed.index_name, weights.index_name) as index_name,
    coalesce(listed.component, weights.component) as component,
    listed.sign as listed_sign,
    weights.is_positive
from listed
full outer join weights
    on
        listed.study = weights.study
        and listed.index_name = weights.index_name
        and listed.component = weights.component
where listed.sign is null or weights.is_positive is null or (listed.sign > 0) <> weights.is_positive
