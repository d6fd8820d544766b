-- Robot exposures of every province and year of the panel, with their codes; they are never filled.
select
    spans.province_code,
    spans.year,
    {{ filled_measure(
        'robot_exposure_cn_stock_per_worker', 'exposures.exposure_cn_stock_per_worker', ["'observed'"]
    ) }},
    {{ filled_measure(
        'robot_exposure_cn_flow_per_worker', 'exposures.exposure_cn_flow_per_worker', ["'observed'"]
    ) }},
    {{ filled_measure(
        'robot_exposure_us_stock_per_worker', 'exposures.exposure_us_stock_per_worker', ["'observed'"]
    ) }},
    {{ filled_measure(
        'robot_exposure_us_flow_per_worker', 'exposures.exposure_us_flow_per_worker', ["'observed'"]
    ) }}
from {{ ref('int_province_years_span') }} as spans
left join {{ ref('int_robot_exposure') }} as exposures
    on spans.province_code = exposures.province_code and spans.year = exposures.year
where spans.level = 'province'
order by spans.province_code, spans.year
