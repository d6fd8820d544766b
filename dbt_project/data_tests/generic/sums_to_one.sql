{#- Passes when `column` sums to one (to 1e-9) within every group of `by`. -#}
{% test sums_to_one(model, column, by) %}
select
    {{ by | join(', ') }},
    list_sum(list({{ column }} order by {{ column }})) as total
from {{ model }}
group by {{ by | join(', ') }}
having total is null or abs(total - 1) > 1e-9
{% endtest %}
