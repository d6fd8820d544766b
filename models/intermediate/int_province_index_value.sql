-- The industrial intelligence index of every province and year of the sample.
with components as (
    select * from {{ ref('int_province_index_component') }}
),

weights as (
    select * from {{ ref('int_province_index_weight') }}
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
