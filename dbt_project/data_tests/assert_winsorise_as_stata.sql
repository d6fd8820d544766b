-- Percentiles as Stata's _pctile takes them, within groups: of 1..10 the 10th is (1 + 2) / 2 because 10 * 10 / 100 is a
-- whole number; of 1..5 it is the first value, since 0.5 is none. NULL stays NULL and does not count.
with sample as (
    select
        'ten' as scope,
        cast(unnest(range(1, 11)) as double) as x
    union all
    select
        'five' as scope,
        cast(unnest(range(1, 6)) as double) as x
    union all
    select
        'five' as scope,
        cast(null as double) as x
),

winsorised as (
    {{ winsorise('sample', 'x', low=10, high=90, scope=['scope']) }}
),

computed as (
    select
        scope,
        count(*) as n_rows,
        min(x_winsorised) as low_value,
        max(x_winsorised) as high_value,
        count(*) filter (where x_winsorised is null) as n_missing
    from winsorised
    group by scope
)

select *
from computed
where not coalesce(
    (scope = 'ten' and n_rows = 10 and low_value = 1.5 and high_value = 9.5 and n_missing = 0)
    or (scope = 'five' and n_rows = 6 and low_value = 1 and high_value = 5 and n_missing = 1),
    false
)
