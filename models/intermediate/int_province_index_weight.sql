-- Weights of the industrial intelligence index by the entropy method, pooled over the sample of the study.
with components as (
    select * from {{ ref('int_province_index_component') }}
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
