-- Components of the industrial intelligence index in the long form of the entropy macro, on the sample of the study.
with sample_years as (
    select
        measures.*,
        exposures.robot_exposure_cn_stock_per_worker,
        exposures.robot_exposure_cn_stock_per_worker_fill
    from {{ ref('int_province_measures') }} as measures
    inner join {{ ref('int_province_exposure') }} as exposures
        on measures.province_code = exposures.province_code and measures.year = exposures.year
    inner join {{ ref('int_province_transition_sample') }} as samples
        on
            measures.province_code = samples.province_code
            and samples.is_in_sample
            and measures.year between samples.first_year and samples.last_year
),

components as (
    {% for component in industrial_intelligence_components() -%}
    select
        '{{ component }}' as component,
        province_code as unit_code,
        year,
        {{ component }} as value,
        {{ component }}_fill as fill
    from sample_years
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    'province_transition' as study,
    'industrial_intelligence' as index_name,
    component,
    1 as sign,
    'study' as scope,
    unit_code,
    year,
    value,
    fill
from components
order by component, unit_code, year
