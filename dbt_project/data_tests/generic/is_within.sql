{#- Passes when every value of `column` that is not NULL lies in [low, high]. -#}
{% test is_within(model, column, low, high) %}
select {{ column }} as outside
from {{ model }}
where {{ column }} < {{ low }} or {{ column }} > {{ high }} or not isfinite({{ column }})
{% endtest %}
