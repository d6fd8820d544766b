{#- Passes when every unit has a row in every period any unit has one in. -#}
{% test is_balanced(model, unit, time) %}
with periods as (
    select count(distinct {{ time }}) as n from {{ model }}
)

select
    {{ unit }},
    count(*) as n_rows
from {{ model }}
group by {{ unit }}
having count(*) <> (select n from periods)
{% endtest %}
