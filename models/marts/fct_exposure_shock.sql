select
    study,
    instrument,
    country,
    ifr_code,
    year,
    base_year,
    robots_count,
    employees_persons,
    shock_robots_per_worker
from {{ ref('int_exposure_shock') }}
order by study, instrument, ifr_code, year
