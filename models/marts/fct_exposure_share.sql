select
    study,
    instrument,
    province_code,
    ifr_code,
    base_year,
    employees_persons,
    province_employees_persons,
    employment_share
from {{ ref('int_exposure_share') }}
order by study, instrument, province_code, ifr_code
