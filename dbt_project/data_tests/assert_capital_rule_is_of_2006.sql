-- fct_city_year names its capital stock for prices of 2006: the rule it takes the stock from has that base year.
select
    study,
    level,
    base_year
from {{ ref('seed_capital_rule') }}
where study = 'yellow_river' and level = 'city' and base_year <> 2006
