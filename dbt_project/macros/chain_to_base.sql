{#-
    Chains a growth index (previous year = 100) to a base year, forwards and backwards:

        chain_index_t = prod_{base < s <= t} link_s / 100      after the base year,
        chain_index_t = 1 / prod_{t < s <= base} link_s / 100  before it, and 1 in it.

    A year without a link breaks the chain: chain_index is NULL from there on. The links are multiplied in the order of
    their years, so that the product does not depend on the number of threads.

    relation : a CTE or table with the columns of `by`, `time`, `base` and `link`; one row for each. `base` is a column,
               so several base years, or one of each unit, are chained at once.
    count_where : names of counts and their conditions, over the links between the base year and the year.
    A query with the columns of `by`, `time`, `base`, the counts and chain_index.
-#}
{% macro chain_to_base(relation, by=['city_code'], time='year', base='base_year', link='prev100_index', count_where={}) %}
    select
        {% for key in by -%}
        here.{{ key }},
        {% endfor -%}
        here.{{ time }},
        here.{{ base }},
        {% for name, condition in count_where.items() -%}
        cast(count(*) filter (where {{ condition }}) as integer) as {{ name }},
        {% endfor -%}
        case
            when here.{{ base }} is null then null
            when here.{{ time }} = here.{{ base }} then 1.0
            when count(links.{{ link }}) < abs(here.{{ time }} - here.{{ base }}) then null
            when here.{{ time }} > here.{{ base }}
                then list_product(list(links.{{ link }} / 100 order by links.{{ time }}))
            else 1.0 / list_product(list(links.{{ link }} / 100 order by links.{{ time }}))
        end as chain_index
    from {{ relation }} as here
    left join {{ relation }} as links
        on
            {% for key in by -%}
            here.{{ key }} = links.{{ key }} and
            {% endfor -%}
            here.{{ base }} = links.{{ base }}
            and links.{{ time }} > least(here.{{ time }}, here.{{ base }})
            and links.{{ time }} <= greatest(here.{{ time }}, here.{{ base }})
    group by {% for key in by %}here.{{ key }}, {% endfor %}here.{{ time }}, here.{{ base }}
{% endmacro %}
