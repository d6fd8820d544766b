-- The nation by year, beside the year before by the calendar.
with users as (
    select
        province_code,
        year,
        reported as internet_users_10k_households_reported,
        value as internet_users_10k_households,
        fill as internet_users_10k_households_fill
    from {{ ref('int_province_year_fill') }}
    where province_code = '000000' and indicator = 'internet_users'
),

power as (
    select
        province_code,
        year,
        reported as energy_electricity_yi_kwh_reported,
        value as energy_electricity_yi_kwh,
        fill as energy_electricity_yi_kwh_fill
    from {{ ref('int_province_year_fill') }}
    where province_code = '000000' and indicator = 'energy_electricity'
),

joined as (
    select *
    from users
    full join power using (province_code, year)
)

select
    year,
    {{ measure_triple('internet_users_10k_households') }},
    {{ lag_by_year('internet_users_10k_households', unit='province_code') }} as internet_users_10k_households_lag1,
    {{ lag_by_year('internet_users_10k_households_fill', unit='province_code') }}
        as internet_users_10k_households_lag1_fill,
    {{ measure_triple('energy_electricity_yi_kwh') }},
    {{ lag_by_year('energy_electricity_yi_kwh', unit='province_code') }} as energy_electricity_yi_kwh_lag1,
    {{ lag_by_year('energy_electricity_yi_kwh_fill', unit='province_code') }} as energy_electricity_yi_kwh_lag1_fill
from joined
order by year
