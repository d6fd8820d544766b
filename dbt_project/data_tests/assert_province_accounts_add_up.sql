-- The parts of a province add up to their whole, where all of them were observed: sectors of GDP; urban residents
-- within all; fuels of three sectors within final consumption; each with the rounding of its yearbook. A warning: the
-- cells are held against each other, and looked up, by the expectations of the raw tables.
{{ config(severity='warn') }}
with sums as (
    select
        province_code,
        year,
        'gdp' as whole_name,
        gdp_yi_yuan_reported as whole,
        gdp_primary_yi_yuan_reported + gdp_secondary_yi_yuan_reported + gdp_tertiary_yi_yuan_reported as parts,
        false as is_within
    from {{ ref('fct_province_year') }}
    union all
    select
        province_code,
        year,
        'population' as whole_name,
        population_resident_10k_reported as whole,
        population_urban_10k_reported as parts,
        true as is_within
    from {{ ref('fct_province_year') }}
    union all
    select
        province_code,
        year,
        'co2_scope1' as whole_name,
        co2_ipcc2006_mt_reported as whole,
        co2_scope1_ipcc2006_mt_reported as parts,
        true as is_within
    from {{ ref('fct_province_year') }}
)

select
    province_code,
    year,
    whole_name,
    whole,
    parts
from sums
where
    parts > whole * 1.0005 + 0.03
    or (not is_within and parts < whole * 0.9995 - 0.03)
