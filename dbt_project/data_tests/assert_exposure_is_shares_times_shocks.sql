-- The exposure of a province is the sum of the kept shares times the kept shocks, and its shares sum to at most one.
with remade as (
    select
        shares.instrument,
        shares.province_code,
        shocks.year,
        list_sum(
            list(shares.employment_share * shocks.shock_robots_per_worker order by shares.ifr_code)
        ) as exposure,
        count(*) = count(shocks.shock_robots_per_worker) as is_whole,
        list_sum(list(shares.employment_share order by shares.ifr_code)) as share_sum
    from {{ ref('fct_exposure_share') }} as shares
    inner join {{ ref('fct_exposure_shock') }} as shocks
        on
            shares.study = shocks.study
            and shares.instrument = shocks.instrument
            and shares.ifr_code = shocks.ifr_code
    group by shares.instrument, shares.province_code, shocks.year
),

kept as (
    {% for instrument, country, metric, base_year in robot_instruments() -%}
    select
        '{{ instrument }}' as instrument,
        province_code,
        year,
        exposure_{{ instrument }}_per_worker as exposure
    from {{ ref('int_robot_exposure') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    remade.*,
    kept.exposure as kept_exposure
from remade
left join kept
    on
        remade.instrument = kept.instrument
        and remade.province_code = kept.province_code
        and remade.year = kept.year
where
    remade.share_sum > 1 + 1e-9
    or (remade.is_whole and (kept.exposure is null or abs(kept.exposure - remade.exposure) > 1e-12 * remade.exposure))
    or (not remade.is_whole and kept.exposure is not null)
