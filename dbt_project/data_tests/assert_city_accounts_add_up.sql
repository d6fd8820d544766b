-- The parts of a city add up to their whole, or stay within it, where all of them were observed: sectors of GDP; green
-- patents upstream and end-of-pipe within all; AI patents of one keyword within those of all. A warning: the cells are
-- held against each other, and looked up, by the expectations of the raw tables.
{{ config(severity='warn') }}
with sums as (
    select
        city_code,
        year,
        'gdp' as whole_name,
        gdp_yi_yuan_reported as whole,
        gdp_primary_yi_yuan_reported + gdp_secondary_yi_yuan_reported + gdp_tertiary_yi_yuan_reported as parts,
        false as is_within
    from {{ ref('fct_city_year') }}
    union all
    select
        city_code,
        year,
        'green_patents' as whole_name,
        green_patent_applications_count_reported as whole,
        green_patent_upstream_count_reported + green_patent_end_of_pipe_count_reported as parts,
        true as is_within
    from {{ ref('fct_city_year') }}
    union all
    select
        city_code,
        year,
        'ai_patents' as whole_name,
        ai_all_applications_count_reported as whole,
        ai_all_applications_single_count_reported as parts,
        true as is_within
    from {{ ref('fct_city_year') }}
)

select
    city_code,
    year,
    whole_name,
    whole,
    parts
from sums
where
    parts > whole * 1.0005 + 0.03
    or (not is_within and parts < whole * 0.9995 - 0.03)
