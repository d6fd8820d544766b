-- The composed indices of every city and year of the samples.
with components as (
    select * from {{ ref('int_index_component') }}
),

weights as (
    select * from {{ ref('int_index_weight') }}
),

indices as (
    {{ entropy_index('components', 'weights') }}
)

select
    study,
    index_name,
    unit_code,
    year,
    value,
    fill
from indices
order by study, index_name, unit_code, year
