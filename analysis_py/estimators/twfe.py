"""Fixed-effects least squares: two-way, n-way, one-way or none, under the conventions of several programs.

y = X b + (fixed effects) + e, analytic weights w, b from the columns demeaned by every fixed effect (Frisch-Waugh).
The conventions are described in :mod:`analysis_py.estimators.conventions`, the covariances in
:mod:`analysis_py.inference.covariance`, the factors in :mod:`analysis_py.inference.small_sample`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from analysis_py.estimators.blas import single_threaded_blas
from analysis_py.estimators.conventions import Convention, find_convention
from analysis_py.estimators.factors import Factor
from analysis_py.estimators.fit_statistics import dummy_f, fit_r2, panel_statistics
from analysis_py.estimators.least_squares import (
    Constant,
    Solution,
    constant_beside_dummies,
    constant_from_means,
    leverage,
    solve,
)
from analysis_py.estimators.result import CovarianceSpec, Diagnostic, Inference, RegressionResult, infer
from analysis_py.estimators.sample import Sample, draw_sample
from analysis_py.inference.careful import bootstrap, careful_diagnostics, correct_residuals, few_cluster_reasons
from analysis_py.inference.covariance import VcovMaker, wald_f
from analysis_py.inference.small_sample import SmallSample, small_sample
from analysis_py.inference.wild_bootstrap import WildResult


def fit_twfe(
    frame: pd.DataFrame,
    *,
    outcome: str,
    regressors: Sequence[str],
    fixed_effects: Sequence[str],
    covariance: CovarianceSpec | str | Mapping[str, object],
    convention: str,
    unit: str | None = None,
    time: str | None = None,
    weights: str | None = None,
    beside: Sequence[str] = (),
) -> RegressionResult:
    """Fit one regression.

    Parameters
    ----------
    frame : the panel, any index, incomplete rows included: they are dropped here and listed with their reason.
    outcome, regressors : columns of the frame, by any name; a term such as ``L.AI`` is a column of that name.
    fixed_effects : columns or interactions ``province_code^year``; empty for least squares with a constant.
    covariance : a :class:`CovarianceSpec` or a study's entry for one.
    convention : a name of :data:`analysis_py.estimators.conventions.CONVENTIONS`.
    unit, time : panel columns, for counting and for Driscoll-Kraay; ``unit`` also says which fixed effect ``xtreg``
        and ``areg`` absorb (otherwise the first).
    weights : column of analytic weights.
    beside : regressors for which CR2, CR3 and the wild bootstrap stand beside clustered errors where clusters, or
        clusters with a 0/1 regressor, are few.

    Returns
    -------
    RegressionResult
        ``terms`` in the order of ``regressors``, dropped ones left out, then ``_cons`` where the convention has one.

    Raises
    ------
    CarbonpanelError
        ``CP-EST-...``: empty sample, unknown column, convention or covariance, text where a number is needed, more
        parameters than observations, a single cluster, nothing left to estimate.
    """
    rules = find_convention(convention)
    spec = CovarianceSpec.parse(covariance)
    effects = list(fixed_effects)
    if rules.constant == "dummies" and unit in effects:
        effects = [unit, *(e for e in effects if e != unit)]
    sample = draw_sample(
        frame,
        outcome=outcome,
        regressors=regressors,
        fixed_effects=effects,
        spec=spec,
        convention=rules,
        unit=unit,
        time=time,
        weights=weights,
    )
    with single_threaded_blas():
        solution = solve(sample)
        clusters = (sample.periods,) if sample.periods is not None else sample.clusters
        small = small_sample(
            rules,
            spec,
            n_obs=len(sample.y),
            slopes=len(solution.slopes),
            fixed_effects=sample.fixed_effects,
            clusters=clusters,
        )
        return _assemble(sample, solution, rules, spec, small, tuple(beside))


def _assemble(
    sample: Sample,
    solution: Solution,
    rules: Convention,
    spec: CovarianceSpec,
    small: SmallSample,
    beside: tuple[str, ...],
) -> RegressionResult:
    n, k = len(sample.y), len(solution.slopes)
    messages = [*sample.messages, *_drop_messages(solution), *small.messages]
    diagnostics: list[Diagnostic] = []

    constant, reports_constant = _constant(sample, solution, rules)
    if constant is None:
        messages.append("the dummies are too many for a constant beside them: mean(y) - mean(x)'b is reported instead")
        constant = constant_from_means(sample, solution)
    beside_dummies = constant.dummies if rules.counts_dummies else None

    influence, estimate, terms = solution.influence, solution.slopes, [sample.regressors[j] for j in solution.kept]
    if reports_constant:
        influence = np.column_stack([influence, constant.influence])
        estimate = np.append(estimate, constant.value)
        terms.append("_cons")
    residuals, df_terms = solution.residuals, None
    if spec.type in ("cr2", "cr3"):
        corrected = correct_residuals(sample, solution, spec, influence)
        residuals, df_terms = corrected.residuals, corrected.df_terms
        messages += corrected.messages

    maker = VcovMaker(
        spec,
        weights=sample.weights,
        residuals=residuals,
        sigma2=solution.rss / small.df_resid,
        factor=small.factor,
        clusters=sample.clusters,
        periods=sample.periods,
        coordinates=sample.coordinates,
        leverage=leverage(sample, solution) if spec.type in ("hc2", "hc3") else None,
    )
    vcov, notes = maker.make(influence, slopes=k)
    messages += notes
    if spec.type == "hc1" and rules.name == "xtreg" and sample.fixed_effects:
        messages.append(
            "Stata's `xtreg, fe robust` clusters by unit: these HC1 errors are those of areg; "
            f"for Stata's write covariance: {{type: cluster, by: [{sample.fixed_effects[0].name}]}}"
        )
    if solution.rss <= 1e-22 * solution.tss:
        messages.append("the regression fits exactly: its standard errors say nothing")

    slopes_f = wald_f(solution.slopes, vcov[:k, :k])
    f, df_model = slopes_f, float(k)
    f_notes: list[str] = []
    if beside_dummies is not None:
        df_model = float(k + len(constant.dummy_coefficients))
        f, f_notes = dummy_f(sample, solution, constant, maker, spec, small)
        if slopes_f is not None:
            diagnostics.append(_f_diagnostic("slopes_f", slopes_f, k, small.df_t, "the named regressors alone"))
    elif f is None and k:
        f_notes = ["no F statistic: the covariance of the slopes is singular (fewer clusters than slopes)"]
    messages += f_notes

    r2 = fit_r2(sample, solution, rules, small)
    panel = panel_statistics(sample, solution, constant, rules, small)
    diagnostics += panel.diagnostics
    inference = infer(estimate, vcov, small.df_t if df_terms is None else df_terms)
    named = (*small.named, *maker.options.named)
    if df_terms is not None:
        named = (*named, ("df", "satterthwaite"))
    if spec.type == "wild":
        wild, how = bootstrap(sample, solution, spec, influence, estimate)
        inference, named = _replace_tests(inference, wild), (*named, *how)
        messages += _bootstrap_messages(terms, wild)
    if spec.type == "cluster" and beside:
        found, reasons = _beside(sample, solution, spec, influence, estimate, terms, beside)
        diagnostics += found
        messages += reasons
    return RegressionResult(
        estimator="twfe",
        convention=rules.name,
        covariance=spec.label,
        terms=tuple(terms),
        estimate=estimate,
        std_error=inference.std_error,
        statistic=inference.statistic,
        p_value=inference.p_value,
        ci_low=inference.ci_low,
        ci_high=inference.ci_high,
        vcov=vcov,
        statistic_kind="t",
        df_t=small.df_t,
        n_obs=n,
        n_units=_levels(sample.unit, sample.fixed_effects),
        n_times=None if sample.time is None else sample.time.levels,
        n_clusters=tuple(c.levels for c in ((sample.periods,) if sample.periods else sample.clusters)),
        n_singletons_dropped=sample.singletons_dropped,
        dropped_rows=sample.dropped_rows,
        df_resid=small.df_resid,
        df_model=df_model,
        r2=r2.r2,
        r2_within=r2.within,
        r2_between=panel.r2_between,
        r2_overall=panel.r2_overall,
        r2_adjusted=r2.adjusted,
        rmse=float(np.sqrt(solution.rss / small.df_rmse)),
        f=f,
        f_p_value=None if f is None else float(stats.f.sf(f, df_model, small.df_t)),
        diagnostics=tuple(diagnostics),
        small_sample=named,
        dropped_terms=tuple(term for term, _ in solution.dropped),
        messages=tuple(dict.fromkeys(messages)),
        residuals=solution.residuals,
        used_rows=sample.used_rows,
        df_terms=df_terms,
    )


def _replace_tests(inference: Inference, wild: WildResult) -> Inference:
    """Clustered errors and t statistics with the bootstrap's p-values and intervals."""
    return replace(
        inference,
        p_value=np.array([t.p_value for t in wild.tests]),
        ci_low=np.array([t.ci_low for t in wild.tests]),
        ci_high=np.array([t.ci_high for t in wild.tests]),
    )


def _bootstrap_messages(terms: Sequence[str], wild: WildResult) -> list[str]:
    found = []
    for term, test in zip(terms, wild.tests, strict=True):
        if test.valid_draws == 0:
            found.append(f"no bootstrap of '{term}': its clustered variance is not positive")
        elif test.valid_draws < wild.draws:
            lost = wild.draws - test.valid_draws
            found.append(f"{lost} draws of '{term}' without a positive variance are left out")
        if np.isinf(test.ci_low) or np.isinf(test.ci_high):
            found.append(f"the bootstrap interval of '{term}' is unbounded: no null far away is rejected")
    if not wild.enumerated and wild.boot_clusters < 6:
        found.append(f"only {wild.boot_clusters} clusters to draw by: the bootstrap's p-values are coarse")
    elif wild.enumerated and wild.boot_clusters < 7:
        found.append(
            f"{wild.boot_clusters} clusters have {2 ** (wild.boot_clusters - 1)} different draws: no p-value can be"
            f" below {2.0 ** (1 - wild.boot_clusters):.3g}"
        )
    return found


def _beside(
    sample: Sample,
    solution: Solution,
    spec: CovarianceSpec,
    influence: np.ndarray,
    estimate: np.ndarray,
    terms: Sequence[str],
    beside: Sequence[str],
) -> tuple[list[Diagnostic], list[str]]:
    """CR2, CR3 and the bootstrap of the named terms where clusters or treated clusters are few, with the reasons."""
    reasons = few_cluster_reasons(sample, beside)
    shown = [i for i, term in enumerate(terms) if term in beside]
    if not reasons or not shown:
        return [], []
    wanted = [terms[i] for i in shown]
    found, problems = careful_diagnostics(sample, solution, spec, influence[:, shown], estimate[shown], wanted)
    # how few the clusters are is said by the small-sample messages already
    said = [f"{reason}: clustered errors tend to be too small" for reason in reasons if not reason.startswith("only")]
    if found:
        said.append("few clusters: CR2, CR3 and the wild bootstrap stand beside as diagnostics")
    return found, [*said, *problems]


def _constant(sample: Sample, solution: Solution, rules: Convention) -> tuple[Constant | None, bool]:
    """The constant, and whether the convention reports it."""
    if not sample.fixed_effects:
        return constant_from_means(sample, solution), True
    if rules.constant == "dummies":
        return constant_beside_dummies(sample, solution), True
    return constant_from_means(sample, solution), rules.constant == "means"


def _drop_messages(solution: Solution) -> list[str]:
    return [f"'{term}' dropped: {reason}" for term, reason in solution.dropped]


def _f_diagnostic(test: str, f: float, df1: float, df2: float, note: str) -> Diagnostic:
    return Diagnostic(test, f, float(df1), float(df2), float(stats.f.sf(f, df1, df2)), {}, note)


def _levels(unit: Factor | None, effects: Sequence[Factor]) -> int | None:
    if unit is not None:
        return unit.levels
    return effects[0].levels if effects else None
