-- The panel of the Yellow River study: its symbols as columns, 78 cities, 2006-2021. Lags are formed on all years
-- before the sample is cut; the composed indices, the efficiency and the medians are taken on the sample.
{% set composed = [
    ('ER', 'environmental_regulation'), ('green_finance', 'green_finance'), ('green_consumption', 'green_consumption')
] -%}
{% set efficiency_measures = [('CTFP', 'CTFP'), ('CTFP_BCC', 'CTFP_BCC')] -%}
{% set halves = ['env_attention', 'env_investment', 'students', 'green_consumption'] -%}
with lagged as (
    select
        *,
        {{ lag_by_year('ai_invention_applications_count') }} / 100 as AI_lag1
    from {{ ref('fct_city_year') }}
),

indices as (
    {{ pivot_indices('yellow_river', composed) }}
),

-- Users of the nation in the year before, 10^4 households.
nation as (
    select
        year + 1 as year,
        {{ measure_triple('internet_users_10k_households', rename='national_broadband') }}
    from {{ ref('int_national_year') }}
),

sample_years as (
    select
        facts.city_code,
        facts.year,
        facts.city_name_zh,
        facts.city_name_en,
        facts.province_code,
        {{ select_symbols(yellow_river_symbols(), 'facts.') }},
        facts.AI_lag1,
        facts.is_simulated,
        {% for symbol, _ in composed -%}
        {{ measure_triple(symbol, 'indices.') }},
        {% endfor -%}
        nation.national_broadband_reported,
        nation.national_broadband,
        coalesce(nation.national_broadband_fill, 'missing') as national_broadband_fill
    from lagged as facts
    inner join {{ ref('int_yellow_river_sample') }} as samples
        on
            facts.city_code = samples.city_code
            and samples.is_in_sample
            and facts.year between samples.first_year and samples.last_year
    inner join indices on facts.city_code = indices.city_code and facts.year = indices.year
    left join nation on facts.year = nation.year
),

interacted as (
    select
        *,
        {{ filled_measure('tel', 'tel_1984 * national_broadband', ['tel_1984_fill', 'national_broadband_fill']) }},
        {{ filled_measure('res', 'res_1984 * national_broadband', ['res_1984_fill', 'national_broadband_fill']) }}
    from sample_years
),

efficiency as (
    {{ pivot_efficiency('yellow_river', efficiency_measures) }}
),

medians as (
    select
        median(env_attention) as env_attention,
        median(env_investment) as env_investment,
        median(students) as students,
        median(green_consumption) as green_consumption
    from sample_years
)

select
    here.city_code,
    here.year,
    here.city_name_zh,
    here.city_name_en,
    here.province_code,
    cities.province_name_en,
    {% for symbol, _ in efficiency_measures -%}
    efficiency.{{ symbol }},
    {% endfor -%}
    {% for symbol in yellow_river_panel_symbols() -%}
    here.{{ symbol }},
    {% endfor -%}
    here.AI_lag1,
    cities.is_urban_agglomeration,
    cities.is_resource_based,
    {% for symbol in halves -%}
    here.{{ symbol }} > medians.{{ symbol }} as is_high_{{ symbol }},
    {% endfor -%}
    '{{ var('co2_source') }}' as co2_source,
    here.is_simulated,
    {{ select_fills(yellow_river_panel_symbols(), 'here.') }},
    {{ select_efficiency_fills(efficiency_measures) }}
from interacted as here
inner join {{ ref('dim_city') }} as cities on here.city_code = cities.city_code
left join efficiency on here.city_code = efficiency.unit_code and here.year = efficiency.year
cross join medians
order by here.city_code, here.year
