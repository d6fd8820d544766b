{#- Passes when `columns` identify the rows: no duplicates, and no NULL except in `nullable`. -#}
{% test is_key(model, columns, nullable=[]) %}
select
    {{ columns | join(', ') }},
    count(*) as n_rows
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {% for column in columns if column not in nullable -%}
    or {{ column }} is null
    {% endfor %}
{% endtest %}
