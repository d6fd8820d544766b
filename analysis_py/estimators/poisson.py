"""Poisson pseudo-maximum likelihood with fixed effects absorbed.

E[y | x] = exp(x b + fixed effects), any y >= 0. b solves the weighted normal equations of iteratively reweighted least
squares on columns freed of the fixed effects by the weights mu of each step; no effect is ever estimated. Observations
for which the likelihood has no maximum (all zero in a level of a fixed effect, or zero wherever a combination of
regressors points the same way) are separated: they are found and dropped first, which leaves every other estimate as it
is. Sources: Correia, Guimaraes & Zylkin (2020, Stata Journal 20:95-115) for the algorithm, the same (2019,
arXiv:1903.01633) for separation; the sandwich is that of Gourieroux, Monfort & Trognon (1984).

Conventions: ``reghdfe`` follows Stata's ``ppmlhdfe`` (singletons dropped, asymptotic factors N/(N-1) and G/(G-1), a
constant; not checked against its output), ``fixest`` is R's ``fepois`` (the factors of least squares); ``plain``,
``xtreg`` and ``areg`` use the asymptotic factors without dropping singletons. Test statistics are z.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import linalg, special, stats

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.absorption import demean, independent_columns
from analysis_py.estimators.blas import single_threaded_blas
from analysis_py.estimators.conventions import Convention, find_convention
from analysis_py.estimators.factors import Factor, find_singletons
from analysis_py.estimators.result import CovarianceSpec, Diagnostic, RegressionResult, infer
from analysis_py.estimators.sample import Sample, draw_sample
from analysis_py.estimators.separation import find_separated
from analysis_py.inference.covariance import VcovMaker, wald_f
from analysis_py.inference.small_sample import SmallSample, small_sample

#: Covariances that exist for Poisson; the others are exact for least squares only.
COVARIANCES = ("iid", "hc1", "cluster", "conley", "driscoll_kraay")
MAX_STEPS = 200
#: Relative change of the deviance at which the steps stop.
TOLERANCE = 1e-12
#: A regressor is dropped when less than this share of its (within) variation is left.
_LOST = 1e-10


@dataclass(frozen=True)
class _Fit:
    """A converged fit: kept positions, slopes, linear index, mean, columns free of the effects, reached deviance."""

    kept: np.ndarray
    slopes: np.ndarray
    index: np.ndarray
    mean: np.ndarray
    within: np.ndarray
    deviance: float
    steps: int


def fit_poisson(
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
) -> RegressionResult:
    """Fit one Poisson regression; arguments as :func:`analysis_py.estimators.twfe.fit_twfe`.

    Returns
    -------
    RegressionResult
        ``statistic_kind`` is ``z``; R2s are None; diagnostics hold ``pseudo_r2``, ``log_likelihood``, ``deviance`` and
        ``n_separated``; ``f`` is the Wald statistic of all slopes divided by their number. ``residuals`` are y - mu.

    Raises
    ------
    CarbonpanelError
        ``CP-EST-...`` as for least squares; ``CP-EST-COUNT`` for a negative outcome or one that is zero everywhere,
        ``CP-EST-CONVERGE`` where the steps do not settle.
    """
    rules = find_convention(convention)
    spec = CovarianceSpec.parse(covariance)
    if spec.type not in COVARIANCES:
        raise CarbonpanelError(
            "CP-EST-COVARIANCE",
            f"covariance '{spec.type}' is not defined for Poisson here",
            remedy=f"use one of: {', '.join(COVARIANCES)}",
        )
    sample = draw_sample(
        frame,
        outcome=outcome,
        regressors=regressors,
        fixed_effects=list(fixed_effects),
        spec=spec,
        convention=rules,
        unit=unit,
        time=time,
        weights=weights,
    )
    _check_outcome(sample)
    with single_threaded_blas():
        sample, reasons = _drop_separated(sample, rules)
        fit = _fit(sample)
        # R takes weights as they are: the information, and with it iid errors, grows with them
        is_raw = weights is not None and rules.name == "fixest" and spec.type == "iid"
        size = float(frame[weights].iloc[sample.used_rows].mean()) if is_raw else 1.0
        return _assemble(sample, fit, rules, spec, reasons, size)


def _check_outcome(sample: Sample) -> None:
    negative = np.flatnonzero(sample.y < 0)
    if negative.size:
        raise CarbonpanelError(
            "CP-EST-COUNT",
            f"the outcome '{sample.outcome}' is {sample.y[negative[0]]:g} in observation"
            f" {sample.used_rows[negative[0]] + 1}: Poisson needs values from zero",
            remedy="use the count itself, not its logarithm, or estimator: twfe",
        )
    if not (sample.y > 0).any():
        raise CarbonpanelError(
            "CP-EST-COUNT", f"the outcome '{sample.outcome}' is zero in every row", remedy="choose another outcome"
        )


def _drop_separated(sample: Sample, rules: Convention) -> tuple[Sample, dict[str, int]]:
    """Leave out rows of levels whose outcome is all zero, then those the regressors separate, until none is left.

    Dropping may make new singletons and new all-zero levels, so it is repeated.
    """
    counts: dict[str, int] = {}
    dropped = dict(sample.dropped_rows)
    while True:
        reason = np.full(len(sample.y), "", dtype=object)
        for factor in sample.fixed_effects:
            total = np.bincount(factor.codes, sample.y, factor.levels)
            rows = (total[factor.codes] == 0) & (reason == "")
            reason[rows] = f"separated: '{sample.outcome}' is zero throughout its {factor.name}"
        if not (reason != "").any():
            reason[find_separated(sample)] = "separated by a combination of the regressors"
        if (reason == "").all() and rules.drops_singletons:
            for single, position in find_singletons(sample.fixed_effects):
                reason[single] = f"singleton {sample.fixed_effects[position].name}"
        keep = np.flatnonzero(reason == "")
        if len(keep) == len(sample.y):
            return replace(sample, dropped_rows=tuple(sorted(dropped.items()))), counts
        for row in np.flatnonzero(reason != ""):
            dropped[int(sample.used_rows[int(row)])] = str(reason[row])
            kind = "singletons" if str(reason[row]).startswith("singleton") else "separated"
            counts[kind] = counts.get(kind, 0) + 1
        if len(keep) == 0:
            raise CarbonpanelError(
                "CP-EST-EMPTY", "every row is separated or a singleton", remedy="use fewer fixed effects or regressors"
            )
        sample = _take(sample, keep)


def _take(sample: Sample, rows: np.ndarray) -> Sample:
    def cut(factor: Factor | None) -> Factor | None:
        return None if factor is None else factor.take(rows)

    return replace(
        sample,
        used_rows=sample.used_rows[rows],
        y=sample.y[rows],
        x=sample.x[rows],
        weights=sample.weights[rows] / sample.weights[rows].mean(),
        fixed_effects=tuple(f.take(rows) for f in sample.fixed_effects),
        clusters=tuple(f.take(rows) for f in sample.clusters),
        unit=cut(sample.unit),
        time=cut(sample.time),
        periods=cut(sample.periods),
        coordinates=None if sample.coordinates is None else sample.coordinates[rows],
    )


def _fit(sample: Sample) -> _Fit:
    y, w = sample.y, sample.weights
    centre = np.average(sample.x, axis=0, weights=w)
    scale = np.sqrt(np.average((sample.x - centre) ** 2, axis=0, weights=w))
    largest = np.abs(sample.x).max(axis=0, initial=0.0)
    varying = np.flatnonzero(scale > 1e-13 * np.maximum(largest, 1e-300))
    x = (sample.x[:, varying] - centre[varying]) / scale[varying]
    # what is absorbed or collinear is so whatever the weights: decided once, on the plain ones
    plain = demean(x, sample.fixed_effects, w)
    gram = (plain * w[:, None]).T @ plain
    free = np.flatnonzero(np.diag(gram) > _LOST * w.sum())
    chosen = free[independent_columns(gram[np.ix_(free, free)], np.diag(gram)[free], _LOST)]
    x = np.ascontiguousarray(x[:, chosen])

    mean = 0.5 * (y + np.average(y, weights=w))
    index = np.log(mean)
    deviance = np.inf
    for step in range(1, MAX_STEPS + 1):
        work = w * mean
        size = float(work.mean())
        z = index + (y - mean) / mean
        level = float(np.average(z, weights=work))
        spread = float(np.sqrt(np.average((z - level) ** 2, weights=work))) or 1.0
        within = demean(np.column_stack([(z - level) / spread, x]), sample.fixed_effects, work / size)
        left, right = within[:, 1:], within[:, 0] * spread
        normal = (left * work[:, None]).T @ left
        slopes = _solve(normal, left.T @ (work * right)) if len(chosen) else np.empty(0)
        new_index = z - (right - left @ slopes)
        halvings = 0
        while True:
            new_mean = np.exp(np.minimum(new_index, 700.0))
            new_deviance = _deviance(y, new_mean, new_index, w)
            if np.isfinite(new_deviance) and (new_deviance <= deviance * (1 + 1e-8) + 1e-8 or halvings == 30):
                break
            if halvings == 30:
                break
            new_index, halvings = 0.5 * (new_index + index), halvings + 1
        change = abs(deviance - new_deviance) / max(0.1, min(deviance, new_deviance))
        index, mean, deviance = new_index, new_mean, new_deviance
        if change < TOLERANCE and step > 1:
            found = varying[chosen]
            # the covariance is taken at the last mean, not at the one before it
            work = w * mean
            left = demean(x, sample.fixed_effects, work / float(work.mean()))
            return _Fit(found, slopes / scale[found], index, mean, left * scale[found], deviance, step)
    raise CarbonpanelError(
        "CP-EST-CONVERGE",
        f"the Poisson regression of '{sample.outcome}' does not converge in {MAX_STEPS} steps",
        remedy="check for outliers in the regressors, or take out regressors that are nearly collinear",
    )


def _solve(gram: np.ndarray, right: np.ndarray) -> np.ndarray:
    size = np.sqrt(np.diag(gram))
    return np.asarray(linalg.solve(gram / np.outer(size, size), right / size, assume_a="pos") / size)


def _deviance(y: np.ndarray, mean: np.ndarray, index: np.ndarray, w: np.ndarray) -> float:
    """2 sum w (y ln(y / mu) - (y - mu)), the logarithm of mu taken as the linear index."""
    return float(2.0 * np.sum(w * (special.xlogy(y, y) - y * index - (y - mean))))


def _assemble(
    sample: Sample,
    fit: _Fit,
    rules: Convention,
    spec: CovarianceSpec,
    separated: dict[str, int],
    weight: float = 1.0,
) -> RegressionResult:
    """``weight`` is the mean weight that iid variances are divided by."""
    n, k = len(sample.y), len(fit.kept)
    if sample.regressors and k == 0:
        raise CarbonpanelError(
            "CP-EST-NOTHING-LEFT",
            "no regressor is left: all are constant, absorbed by the fixed effects or collinear",
            remedy="use regressors that vary within the fixed effects, or fewer fixed effects",
        )
    clusters = (sample.periods,) if sample.periods is not None else sample.clusters
    small = _factors(
        small_sample(rules, spec, n_obs=n, slopes=k, fixed_effects=sample.fixed_effects, clusters=clusters),
        spec,
        rules,
        n,
        min((c.levels for c in clusters), default=0),
    )
    work = sample.weights * fit.mean
    left = fit.within
    gram = (left * work[:, None]).T @ left
    influence = np.linalg.solve(gram, left.T).T if k else np.empty((n, 0))
    x_means = np.average(sample.x[:, fit.kept], axis=0, weights=work) if k else np.empty(0)
    estimate, terms = fit.slopes, [sample.regressors[j] for j in fit.kept]
    if not sample.fixed_effects or rules.constant != "none":
        # the weighted mean of the index at zero regressors, as in ppmlhdfe
        constant = float(np.average(fit.index, weights=work) - x_means @ fit.slopes)
        influence = np.column_stack([influence, 1.0 / work.sum() - influence @ x_means])
        estimate, terms = np.append(estimate, constant), [*terms, "_cons"]
    maker = VcovMaker(
        spec,
        weights=work,
        residuals=(sample.y - fit.mean) / fit.mean,
        sigma2=small.factor / weight if spec.type == "iid" else 1.0,
        factor=small.factor,
        clusters=sample.clusters,
        periods=sample.periods,
        coordinates=sample.coordinates,
    )
    vcov, notes = maker.make(influence, slopes=k)
    named = () if weight == 1.0 else (("mean weight", weight),)
    inference = infer(estimate, vcov, np.inf, kind="z")
    f = wald_f(fit.slopes, vcov[:k, :k])
    dropped = tuple(t for j, t in enumerate(sample.regressors) if j not in set(fit.kept.tolist()))
    messages = [*sample.messages, *small.messages, *notes]
    messages += [f"'{t}' dropped: constant, absorbed by the fixed effects or collinear" for t in dropped]
    if separated.get("separated"):
        messages.append(
            f"{separated['separated']} separated observation(s) dropped: no finite estimate exists with them"
        )
    if separated.get("singletons"):
        messages.append(f"singletons of the fixed effects dropped: {separated['singletons']} after separation")
    if not np.equal(np.mod(sample.y, 1), 0).all():
        messages.append(f"'{sample.outcome}' is not a count: the estimates stand if its mean is exponential in x")
    if fit.deviance <= 1e-14 * float(sample.weights @ sample.y):
        messages.append("the regression fits exactly: its standard errors say nothing")
    singletons = sample.singletons_dropped + separated.get("singletons", 0)
    return RegressionResult(
        estimator="poisson",
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
        statistic_kind="z",
        df_t=float("inf"),
        n_obs=n,
        n_units=sample.unit.levels
        if sample.unit
        else (sample.fixed_effects[0].levels if sample.fixed_effects else None),
        n_times=None if sample.time is None else sample.time.levels,
        n_clusters=tuple(c.levels for c in clusters),
        n_singletons_dropped=singletons,
        dropped_rows=sample.dropped_rows,
        df_resid=small.df_resid,
        df_model=float(k),
        r2=None,
        r2_within=None,
        r2_between=None,
        r2_overall=None,
        r2_adjusted=None,
        rmse=None,
        f=f,
        f_p_value=None if f is None else float(stats.chi2.sf(f * k, k)),
        diagnostics=_diagnostics(sample, fit, separated.get("separated", 0)),
        small_sample=(*small.named, *named, *maker.options.named, ("steps", fit.steps)),
        dropped_terms=dropped,
        messages=tuple(dict.fromkeys(messages)),
        residuals=sample.y - fit.mean,
        used_rows=sample.used_rows,
    )


def _factors(small: SmallSample, spec: CovarianceSpec, rules: Convention, n: int, groups: int) -> SmallSample:
    """Asymptotic factors except under ``fixest``: N/(N-1), G/(G-1), and the likelihood's own inverse for iid."""
    if rules.name == "fixest":
        parameters = dict(small.named)["K"]
        if spec.type == "iid" and isinstance(parameters, int):
            factor = (n - 1) / (n - parameters)
            named = (("iid", "inverse of the information times (N-1)/(N-K)"), *small.named[1:], ("factor", factor))
            return replace(small, factor=factor, named=named)
        return small
    if spec.type == "iid":
        return replace(small, factor=1.0, named=(("iid", "inverse of the information"), ("N", n)))
    by_group = spec.type in ("cluster", "driscoll_kraay")
    factor = groups / (groups - 1) if by_group else n / (n - 1)
    how = (spec.type, "G/(G-1)" if by_group else "N/(N-1)")
    counts: tuple[tuple[str, object], ...] = (("G", groups),) if by_group else ()
    return replace(small, factor=factor, named=(how, ("N", n), *counts, ("factor", factor)))


def _diagnostics(sample: Sample, fit: _Fit, separated: int) -> tuple[Diagnostic, ...]:
    y, w = sample.y, sample.weights
    log_factorial = special.gammaln(y + 1.0)
    reached = float(np.sum(w * (y * fit.index - fit.mean - log_factorial)))
    average = float(np.average(y, weights=w))
    alone = float(np.sum(w * (y * np.log(average) - average - log_factorial)))
    return (
        Diagnostic("pseudo_r2", 1.0 - reached / alone, note="1 - log likelihood / that with a constant alone"),
        Diagnostic("log_likelihood", reached, note="of the Poisson density, weights of mean one"),
        Diagnostic("deviance", fit.deviance, note="2 sum w (y ln(y/mu) - (y - mu))"),
        Diagnostic("n_separated", float(separated), note="observations without a finite fit, dropped"),
    )
