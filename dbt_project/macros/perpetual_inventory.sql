{#-
    Capital stock by perpetual inventory, from real investment i_t = I_t / P_t:

        K_t = (1 - d) * K_{t-1} + i_t            t > base year
        K_base = i_base / 0.10                   initial_rule 'tenth' (Zhang Jun)
        K_base = i_base / (g + d)                initial_rule 'steady_state'
        g = (i_{base + n} / i_base)^(1 / n) - 1  geometric mean growth over n = growth_years

    No stock before the base year, and none from the first year without investment on. The fill code of a stock is the
    worst of all the investments in it, that of the last year of the growth rate among them.

    relation : a CTE or table with the columns of `by` (the units), `time`, `flow` (real investment), `fill` (its code)
               and, from seed_capital_rule, initial_rule, depreciation_rate, base_year and growth_years.
    A query with the columns of `by`, `time`, the rule, real_investment, growth_rate (NULL under 'tenth'),
    initial_stock, stock and stock_fill; rows from the base year on.
-#}
{% macro perpetual_inventory(relation, by=['city_code'], time='year', flow='real_investment', fill='real_investment_fill') %}
    with marked as (
        select
            *,
            max({{ flow }}) filter (where {{ time }} = base_year) over units as first_flow,
            max({{ flow }}) filter (where {{ time }} = base_year + growth_years) over units as last_flow,
            max({{ fill }}) filter (where {{ time }} = base_year + growth_years) over units as last_flow_fill
        from {{ relation }}
        window units as (partition by {{ by | join(', ') }})
    ),

    run_up as (
        select
            *,
            case
                when initial_rule = 'steady_state' then pow(last_flow / nullif(first_flow, 0), 1.0 / growth_years) - 1
            end as growth_rate,
            list({{ flow }}) over years_since as flows,
            list_concat(
                list({{ fill }}) over years_since,
                case when initial_rule = 'steady_state' then [last_flow_fill] else [] end
            ) as fills,
            count({{ flow }}) over years_since as n_known
        from marked
        where {{ time }} >= base_year
        window years_since as (
            partition by {{ by | join(', ') }} order by {{ time }} rows between unbounded preceding and current row
        )
    ),

    started as (
        select
            *,
            case
                when initial_rule = 'tenth' then first_flow / 0.10
                when growth_rate + depreciation_rate > 0 then first_flow / (growth_rate + depreciation_rate)
            end as initial_stock
        from run_up
    ),

    accumulated as (
        select
            *,
            case
                when n_known = {{ time }} - base_year + 1 then
                    list_reduce(
                        list_prepend(initial_stock, flows[2:]),
                        (stock, investment) -> (1 - depreciation_rate) * stock + investment
                    )
            end as stock
        from started
    )

    select
        {{ by | join(', ') }},
        {{ time }},
        base_year,
        initial_rule,
        depreciation_rate,
        {{ flow }},
        growth_rate,
        initial_stock,
        stock,
        case when stock is null then 'missing' else {{ worst_fill_of('fills') }} end as stock_fill
    from accumulated
{% endmacro %}
