-- log_count by its three rules, on a zero, a one and a missing count.
with cases as (
    select
        0.0 as x,
        0.0 as ln1p_expected,
        null as ln_expected,
        0.0 as asinh_expected
    union all
    select
        1.0 as x,
        ln(2) as ln1p_expected,
        0.0 as ln_expected,
        ln(1 + sqrt(2)) as asinh_expected
    union all
    select
        null as x,
        null as ln1p_expected,
        null as ln_expected,
        null as asinh_expected
),

computed as (
    select
        *,
        {{ log_count('x') }} as ln1p_value,
        {{ log_count('x', 'ln') }} as ln_value,
        {{ log_count('x', 'asinh') }} as asinh_value
    from cases
)

select *
from computed
where
    coalesce(abs(ln1p_value - ln1p_expected), 0) > 1e-15
    or coalesce(abs(ln_value - ln_expected), 0) > 1e-15
    or coalesce(abs(asinh_value - asinh_expected), 0) > 1e-15
    or (ln1p_value is null) <> (ln1p_expected is null)
    or (ln_value is null) <> (ln_expected is null)
    or (asinh_value is null) <> (asinh_expected is null)
