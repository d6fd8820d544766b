-- Every published coefficient beside ours: design always, estimates only where the inputs are real. On the demo world a
-- sign or a star that agrees would mean nothing.
with published as (
    select
        models.study,
        'T' || models.table_no || 'c' || models.column_no as analysis_id,
        models.table_no,
        models.column_no,
        models.column_label,
        models.dependent_variable,
        models.estimator,
        models.n_obs,
        models.r2,
        models.fixed_effects,
        models.controls,
        models.sample_rule,
        models.cluster_or_se,
        coefficients.term,
        coefficients.estimate,
        coefficients.statistic,
        coefficients.stars
    from {{ ref('seed_published_model').include(database=false) }} as models
    left join {{ ref('seed_published_coefficient').include(database=false) }} as coefficients
        on
            models.study = coefficients.study
            and models.table_no = coefficients.table_no
            and models.column_no = coefficients.column_no
),

ours as (
    select * from {{ ref('latest_model').include(database=false) }}
    where variant = 'main'
),

our_terms as (
    select * from {{ ref('latest_coefficient').include(database=false) }}
    where variant = 'main' and regime is null and "group" is null
)

select
    published.study,
    published.analysis_id,
    published.table_no,
    published.column_no,
    published.column_label,
    published.term,
    published.dependent_variable as published_outcome,
    published.estimator as published_estimator,
    published.fixed_effects as published_fixed_effects,
    published.controls as published_controls,
    published.sample_rule as published_sample_rule,
    published.cluster_or_se as published_covariance,
    try_cast(published.n_obs as bigint) as published_n_obs,
    try_cast(published.r2 as double) as published_r2,
    try_cast(published.estimate as double) as published_estimate,
    try_cast(published.statistic as double) as published_statistic,
    published.stars as published_stars,
    ours.run_id,
    ours.id,
    coalesce(ours.status, 'not_run') as status,
    ours.message,
    ours.outcome,
    ours.estimator,
    ours.sample,
    ours.convention,
    ours.covariance,
    ours.n_obs,
    ours.n_units,
    our_terms.term is not null as has_term,
    case when not ours.is_simulated then ours.r2_within end as r2_within,
    case when not ours.is_simulated then our_terms.estimate end as estimate,
    case when not ours.is_simulated then our_terms.std_error end as std_error,
    case when not ours.is_simulated then our_terms.statistic end as statistic,
    case when not ours.is_simulated then our_terms.p_value end as p_value,
    ours.is_simulated,
    ours.is_stale
from published
left join ours on published.study = ours.study and published.analysis_id = ours.analysis_id
left join our_terms
    on
        ours.run_id = our_terms.run_id
        and ours.study = our_terms.study
        and ours.id = our_terms.id
        and published.term = our_terms.term
