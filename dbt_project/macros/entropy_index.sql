{#-
    Index by the entropy method, pooled over the unit-years of a sample. For component j and unit-year i of n:

        z_ij = (x_ij - min_j) / (max_j - min_j), or (max_j - x_ij) / (max_j - min_j) where the sign is -1
        p_ij = z_ij / sum_i z_ij
        e_j  = - sum_i p_ij ln p_ij / ln n        0 ln 0 = 0
        w_j  = (1 - e_j) / sum_j (1 - e_j)
        index_i = sum_j w_j z_ij

    Only unit-years with every component count: the others enter neither the weights nor have an index. A component
    that does not vary has entropy 1 and weight 0. Sums run in the order of unit and year, so that they do not depend on
    the number of threads.

    relation : a CTE or table with the columns of `by` (what tells one index from another), `component`, `sign` (1 or
               -1), `unit`, `time`, `value` and `fill`; one row a component and unit-year, with NULL where it is missing.
-#}
{% macro entropy_weights(relation, by=['study', 'index_name'], unit='unit_code', time='year') %}
    {%- set keys = by | join(', ') %}
    with counted as (
        select
            *,
            count(value) over (partition by {{ keys }}, {{ unit }}, {{ time }})
            = count(*) over (partition by {{ keys }}, {{ unit }}, {{ time }}) as is_complete
        from {{ relation }}
    ),

    ranged as (
        select
            *,
            min(value) over (partition by {{ keys }}, component) as min_value,
            max(value) over (partition by {{ keys }}, component) as max_value
        from counted
        where is_complete
    ),

    scaled as (
        select
            *,
            {{ scale_min_max('value', 'min_value', 'max_value', 'sign') }} as scaled
        from ranged
    ),

    totals as (
        select
            {{ keys }},
            component,
            list_sum(list(scaled order by {{ unit }}, {{ time }})) as total
        from scaled
        group by {{ keys }}, component
    ),

    shares as (
        select
            scaled.*,
            scaled.scaled / nullif(totals.total, 0) as p
        from scaled
        inner join totals using ({{ keys }}, component)
    ),

    entropies as (
        select
            {{ keys }},
            component,
            max(sign) as sign,
            count(*) as n,
            max(min_value) as min_value,
            max(max_value) as max_value,
            case
                when max(p) is null or count(*) < 2 then 1.0
                else
                    - list_sum(list(case when p > 0 then p * ln(p) else 0.0 end order by {{ unit }}, {{ time }}))
                    / ln(count(*))
            end as entropy
        from shares
        group by {{ keys }}, component
    ),

    sums as (
        select
            {{ keys }},
            list_sum(list(1 - entropy order by component)) as total_divergence
        from entropies
        group by {{ keys }}
    )

    select
        entropies.*,
        (1 - entropies.entropy) / nullif(sums.total_divergence, 0) as weight
    from entropies
    inner join sums using ({{ keys }})
{% endmacro %}

{#- The index of every unit-year of `relation`, by the weights of `weights` (a query of entropy_weights); NULL without a component. -#}
{% macro entropy_index(relation, weights, by=['study', 'index_name'], unit='unit_code', time='year') %}
    {%- set keys = by | join(', ') %}
    with weighted as (
        select
            components.*,
            weights.weight
            * {{ scale_min_max('components.value', 'weights.min_value', 'weights.max_value', 'components.sign') }}
                as part
        from {{ relation }} as components
        left join {{ weights }} as weights using ({{ keys }}, component)
    ),

    summed as (
        select
            {{ keys }},
            {{ unit }},
            {{ time }},
            case when count(part) = count(*) then list_sum(list(part order by component)) end as value,
            list(fill order by component) as fills
        from weighted
        group by {{ keys }}, {{ unit }}, {{ time }}
    )

    select
        {{ keys }},
        {{ unit }},
        {{ time }},
        value,
        case when value is null then 'missing' else {{ worst_fill_of('fills') }} end as fill
    from summed
{% endmacro %}

{#- Min-max scaling to 0..1, turned round where `sign` is negative; 0 for every value where there is no spread. -#}
{% macro scale_min_max(value, low, high, sign) -%}
    case
        when {{ value }} is null then null
        when {{ high }} = {{ low }} then 0.0
        when {{ sign }} < 0 then ({{ high }} - {{ value }}) / ({{ high }} - {{ low }})
        else ({{ value }} - {{ low }}) / ({{ high }} - {{ low }})
    end
{%- endmacro %}
