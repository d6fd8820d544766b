{#-
    The p-th percentile of a sorted list without NULLs, as Stata's _pctile takes it: with k = n p / 100,

        (x_k + x_{k+1}) / 2   where k is a whole number
        x_ceil(k)             else

    The whole number is decided on integers, p in hundredths of a percent.
-#}
{% macro stata_percentile(sorted, p) -%}
    {%- set hundredths = (p * 100) | round | int -%}
    case
        when len({{ sorted }}) = 0 then null
        when (len({{ sorted }}) * {{ hundredths }}) % 10000 = 0 then
            (
                {{ sorted }}[greatest(len({{ sorted }}) * {{ hundredths }} // 10000, 1)]
                + {{ sorted }}[least(len({{ sorted }}) * {{ hundredths }} // 10000 + 1, len({{ sorted }}))]
            ) / 2
        else {{ sorted }}[len({{ sorted }}) * {{ hundredths }} // 10000 + 1]
    end
{%- endmacro %}

{#-
    Winsorises `column` of `relation` at the `low` and `high` percentiles (Stata's winsor2 rule): values below the lower
    limit become it, values above the upper one become that; NULL stays NULL.

    scope : columns within whose groups the percentiles are taken; none means all rows of `relation`, which is to be the
            sample of the study.
    A query with all columns of `relation` and <column>_winsorised.
-#}
{% macro winsorise(relation, column, low=1, high=99, scope=[]) %}
    with sorted as (
        select
            {% for key in scope -%}
            {{ key }},
            {% endfor -%}
            coalesce(list({{ column }} order by {{ column }}) filter (where {{ column }} is not null), []) as sorted_values
        from {{ relation }}
        {% if scope -%}
        group by {{ scope | join(', ') }}
        {%- endif %}
    ),

    limits as (
        select
            {% for key in scope -%}
            {{ key }},
            {% endfor -%}
            {{ stata_percentile('sorted_values', low) }} as low_limit,
            {{ stata_percentile('sorted_values', high) }} as high_limit
        from sorted
    )

    select
        here.*,
        case
            when here.{{ column }} < limits.low_limit then limits.low_limit
            when here.{{ column }} > limits.high_limit then limits.high_limit
            else here.{{ column }}
        end as {{ column }}_winsorised
    from {{ relation }} as here
    {% if scope -%}
    inner join limits
        on
            {% for key in scope -%}
            here.{{ key }} is not distinct from limits.{{ key }}{{ ' and' if not loop.last }}
            {% endfor -%}
    {%- else -%}
    cross join limits
    {%- endif %}
{% endmacro %}
