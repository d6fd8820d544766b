"""R2s, F tests and panel statistics of a fixed-effects regression, as the convention defines them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis_py.estimators.absorption import demean, group_means, independent_columns, rank
from analysis_py.estimators.conventions import Convention
from analysis_py.estimators.least_squares import Constant, Solution, dummy_influence, free_of
from analysis_py.estimators.result import CovarianceSpec, Diagnostic
from analysis_py.estimators.sample import Sample
from analysis_py.inference.covariance import VcovMaker, wald_f
from analysis_py.inference.small_sample import SmallSample

#: Cells of the dummies' influence above which the joint F of slopes and dummies is not computed.
MAX_DUMMY_CELLS = 20_000_000


@dataclass(frozen=True)
class FitR2:
    """``r2`` as the convention defines it, the within R2, and the adjusted form of ``r2``; None where undefined."""

    r2: float
    within: float | None
    adjusted: float


def fit_r2(sample: Sample, solution: Solution, rules: Convention, small: SmallSample) -> FitR2:
    """R2s.

    total    1 - RSS / sum w (y - mean y)^2
    within   1 - RSS / (sum of squares of y free of the fixed effects); under ``xtreg`` and ``areg`` free of the
             absorbed effect only, the dummies of the others counted as regressors
    adjusted 1 - (1 - r2) (N - 1) / df, df = N - K of the convention (reghdfe: its own count)
    """
    n = len(sample.y)
    total = 1.0 - solution.rss / solution.tss
    within: float | None = None
    if sample.fixed_effects:
        variation = solution.tss_within
        if rules.counts_dummies and len(sample.fixed_effects) > 1:
            centred = (sample.y - solution.y_mean)[:, None]
            variation = float(sample.weights @ free_of(sample.fixed_effects[0], sample.weights, centred)[:, 0] ** 2)
        within = 1.0 - solution.rss / variation
    r2 = within if rules.r2 == "within" and within is not None else total
    return FitR2(r2, within, 1.0 - (1.0 - r2) * (n - 1) / small.df_rmse)


def dummy_f(
    sample: Sample,
    solution: Solution,
    constant: Constant,
    maker: VcovMaker,
    spec: CovarianceSpec,
    small: SmallSample,
) -> tuple[float | None, list[str]]:
    """F of all slopes and dummies together (``xtreg``, ``areg``), and messages; None where it does not exist."""
    dummies, delta = constant.dummies, constant.dummy_coefficients
    if dummies is None:
        raise ValueError("the joint F needs the dummies")
    tested = np.append(solution.slopes, delta)
    if spec.type == "iid":
        centred = (sample.y - solution.y_mean)[:, None]
        variation = float(sample.weights @ free_of(dummies.absorbed, sample.weights, centred)[:, 0] ** 2)
        explained = (variation - solution.rss) / len(tested)
        return (explained / maker.sigma2 if maker.sigma2 > 0 else None), []
    fewest = min((c.levels for c in sample.clusters), default=len(tested) + 1)
    if sample.periods is not None:
        fewest = sample.periods.levels
    if fewest <= len(tested):
        return None, [
            f"no joint F statistic: {len(tested)} coefficients (dummies included) and {fewest} clusters; "
            "slopes_f tests the named regressors"
        ]
    if len(sample.y) * len(tested) > MAX_DUMMY_CELLS:
        return None, ["no joint F statistic: the dummies are too many; slopes_f tests the named regressors"]
    influence = np.column_stack([solution.influence, dummy_influence(sample, solution, dummies)])
    vcov, _ = maker.make(influence, slopes=influence.shape[1])
    f = wald_f(tested, vcov)
    return f, [] if f is not None else ["no joint F statistic: the covariance of slopes and dummies is singular"]


@dataclass(frozen=True)
class PanelStatistics:
    """What ``xtreg, fe`` prints beside the coefficients; empty under other conventions."""

    r2_between: float | None
    r2_overall: float | None
    diagnostics: tuple[Diagnostic, ...]


def panel_statistics(
    sample: Sample, solution: Solution, constant: Constant, rules: Convention, small: SmallSample
) -> PanelStatistics:
    """Between and overall R2, sigma_u, sigma_e, rho, corr(u_i, Xb) and the F test that all u_i are zero.

    With xb = X b + D delta (no unit effects): r2_overall = corr(xb, y)^2, r2_between = corr of the unit means, each
    unit counted once; u_i = mean_i(y - xb) - _cons; sigma_u their standard deviation over units; rho =
    sigma_u^2 / (sigma_u^2 + sigma_e^2). F compares with the same regression without unit effects, whatever the
    covariance. Source: Stata 18 [XT] xtreg, Methods and formulas.
    """
    if rules.r2 != "within" or not sample.fixed_effects:
        return PanelStatistics(None, None, ())
    if len(sample.fixed_effects) > 1 and constant.dummies is None:
        return PanelStatistics(None, None, ())
    units, w = sample.fixed_effects[0], sample.weights
    fitted = sample.x[:, solution.kept] @ solution.slopes + constant.dummy_fit
    means = group_means(units, w, np.column_stack([sample.y, fitted]))
    effects = means[:, 0] - means[:, 1] - constant.value
    sigma_e = float(np.sqrt(solution.rss / small.df_resid))
    found: list[Diagnostic] = []
    if units.levels > 1:
        sigma_u = float(np.std(effects, ddof=1))
        found.append(Diagnostic("sigma_u", sigma_u, note="standard deviation of the unit effects"))
        found.append(Diagnostic("sigma_e", sigma_e, note="standard deviation of the residuals"))
        if sigma_u + sigma_e > 0:
            share = sigma_u**2 / (sigma_u**2 + sigma_e**2)
            found.append(Diagnostic("rho", share, note="share of variance due to the unit effects"))
        correlation = _correlation(effects[units.codes], fitted)
        if correlation is not None:
            found.append(Diagnostic("corr_u_xb", correlation, note="correlation of unit effects and fit"))
        test = _unit_effects_f(sample, solution, small)
        if test is not None:
            found.append(test)
    between = _correlation(means[:, 1], means[:, 0])
    overall = _correlation(fitted, sample.y)
    return PanelStatistics(
        None if between is None else between**2, None if overall is None else overall**2, tuple(found)
    )


def _unit_effects_f(sample: Sample, solution: Solution, small: SmallSample) -> Diagnostic | None:
    """F that all effects of the first factor are zero, the other fixed effects kept."""
    others = sample.fixed_effects[1:]
    restrictions = rank(sample.fixed_effects)[0] - rank(others)[0]
    if restrictions < 1 or solution.rss <= 0:
        return None
    columns = np.column_stack([sample.y, sample.x[:, solution.kept]])
    scale = columns.std(axis=0)
    standard = (columns - columns.mean(axis=0)) / scale
    within = demean(standard, others, sample.weights)
    gram = (within * sample.weights[:, None]).T @ within
    kept = 1 + independent_columns(gram[1:, 1:], np.diag(gram)[1:], 1e-12)
    explained = gram[0, kept] @ np.linalg.solve(gram[np.ix_(kept, kept)], gram[kept, 0]) if kept.size else 0.0
    pooled_rss = float(gram[0, 0] - explained) * float(scale[0]) ** 2
    statistic = max(pooled_rss - solution.rss, 0.0) / restrictions / (solution.rss / small.df_resid)
    return Diagnostic(
        "f_u",
        statistic,
        float(restrictions),
        float(small.df_resid),
        float(stats.f.sf(statistic, restrictions, small.df_resid)),
        {},
        "all unit effects are zero (conventional)",
    )


def _correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Plain correlation; None where one of the two is constant but for rounding. xtreg weighs none of its own."""
    first, second = a - a.mean(), b - b.mean()
    spread = float(np.sqrt(first @ first))
    size = spread * float(np.sqrt(second @ second))
    if size == 0.0 or spread <= 1e-13 * float(np.sqrt(len(a))) * max(float(np.abs(a).max()), 1e-300):
        return None
    return float(first @ second) / size
