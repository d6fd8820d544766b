-- Robot exposure of a province (Bartik): sum over industries of their share of its workers in the base year times the
-- nation's robots of the industry per worker of the industry. The paper prints the two denominators exchanged.
-- NULL where an industry's robots of the year are not known.
with terms as (
    select
        shares.province_code,
        shocks.year,
        shocks.instrument,
        shares.ifr_code,
        shares.employment_share,
        shares.employment_share * shocks.shock_robots_per_worker as term
    from {{ ref('int_exposure_share') }} as shares
    inner join {{ ref('int_exposure_shock') }} as shocks
        on shares.instrument = shocks.instrument and shares.ifr_code = shocks.ifr_code
),

summed as (
    select
        province_code,
        year,
        instrument,
        case when count(term) = count(*) then list_sum(list(term order by ifr_code)) end as exposure,
        count(*) as n_industries,
        list_sum(list(employment_share order by ifr_code)) as covered_share
    from terms
    group by province_code, year, instrument
)

select
    province_code,
    year,
    {% for instrument, country, metric, base_year in robot_instruments() -%}
    max(exposure) filter (where instrument = '{{ instrument }}') as exposure_{{ instrument }}_per_worker,
    {% endfor -%}
    cast(max(n_industries) as integer) as industries_count,
    max(covered_share) as covered_employment_share
from summed
group by province_code, year
order by province_code, year
