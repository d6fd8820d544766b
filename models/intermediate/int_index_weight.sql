-- Weights of the composed indices of the city studies by the entropy method, pooled over the sample of each study.
with components as (
    select * from {{ ref('int_index_component') }}
),

weights as (
    {{ entropy_weights('components') }}
)

select
    study,
    index_name,
    component,
    sign,
    min_value,
    max_value,
    entropy,
    weight,
    n,
    'study' as scope
from weights
order by study, index_name, component
