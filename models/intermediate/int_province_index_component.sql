-- Components of the composed indices of the province study in long form, on its sample.
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
    listed.study,
    listed.index_name,
    listed.component,
    listed.sign,
    listed.scope,
    components.unit_code,
    components.year,
    components.value,
    components.fill
from {{ ref('seed_index_component') }} as listed
inner join components on listed.component = components.component
where listed.level = 'province'
order by listed.study, listed.index_name, listed.component, components.unit_code, components.year
