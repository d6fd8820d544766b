-- Of each indicator, the share of city-years reported, filled and missing within the sample of the study.
select
    filled.indicator,
    count(*) as n_city_years,
    avg(case when filled.fill = 'observed' then 1.0 else 0.0 end) as observed_share,
    avg(case when filled.fill in ('linear', 'carried', 'ratio') then 1.0 else 0.0 end) as filled_share,
    avg(case when filled.fill = 'missing' then 1.0 else 0.0 end) as missing_share
from {{ ref('int_city_year_fill') }} as filled
inner join {{ ref('int_carbon_productivity_sample') }} as samples
    on
        filled.city_code = samples.city_code
        and samples.is_in_sample
        and filled.year between samples.first_year and samples.last_year
group by filled.indicator
order by filled.indicator
