-- The nation by year, beside the year before by the calendar.
with joined as (
    select
        users.province_code,
        users.year,
        users.reported as internet_users_10k_households_reported,
        users.value as internet_users_10k_households,
        users.fill as internet_users_10k_households_fill,
        power.reported as energy_electricity_yi_kwh_reported,
        power.value as energy_electricity_yi_kwh,
        power.fill as energy_electricity_yi_kwh_fill
    from {{ ref('int_province_year_fill') }} as users
    left join {{ ref('int_province_year_fill') }} as power
        on
            users.province_code = power.province_code
            and users.year = power.year
            and power.indicator = 'energy_electricity'
    where users.province_code = '000000' and users.indicator = 'internet_users'
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
