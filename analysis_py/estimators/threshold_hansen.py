"""Coefficients of the regimes as Hansen's program computes them: least squares after dropping each unit's last row.

Every column is demeaned by unit, the last demeaned observation of each unit left out, and plain least squares run on
the rest. Its errors: ``iid`` RSS / (n(T-1) - n - K) as printed by the program (the units are taken off twice), ``hc1``
White's without any factor, ``cluster`` with G/(G-1) * (N-1)/(N-K) on the rows that are left.

Source: B. E. Hansen, thresh_p.prg (https://www.ssc.wisc.edu/~bhansen/progs/joe_99.html).
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.absorption import independent_columns
from analysis_py.estimators.factors import Factor, independent_factors
from analysis_py.estimators.least_squares import ABSORBED_SHARE, COLLINEAR_SHARE
from analysis_py.estimators.result import CovarianceSpec, RegressionResult, infer
from analysis_py.estimators.sample import Sample
from analysis_py.estimators.threshold_within import Within
from analysis_py.inference.covariance import VcovMaker, wald_f


def fit_hansen(
    sample: Sample, x: np.ndarray, terms: tuple[str, ...], kept: np.ndarray, unit: Factor, spec: CovarianceSpec
) -> RegressionResult:
    """Fit one regression on the rows that Hansen's program keeps.

    Parameters
    ----------
    sample : the rows; its outcome, fixed effects, clusters and counts are used.
    x, terms : (n, k) regressors and their names.
    kept : (n,) rows that stay after demeaning by ``unit``.

    Raises
    ------
    CarbonpanelError
        ``CP-EST-COVARIANCE`` for another covariance than iid, hc1 or cluster; ``CP-EST-TOO-FEW``.
    """
    if spec.type not in ("iid", "hc1", "cluster"):
        raise CarbonpanelError(
            "CP-EST-COVARIANCE",
            f"convention 'hansen' has no covariance '{spec.label}'",
            remedy="use iid, hc1 or cluster, or convention: xthreg",
        )
    n, rows = len(sample.y), np.flatnonzero(kept)
    within = Within(unit.codes, unit.levels, np.ones(n), kept.astype(float))
    others = [f for f in (sample.fixed_effects[i] for i in independent_factors(sample.fixed_effects)) if f is not unit]
    dummies = [np.eye(f.levels)[f.codes][:, 1:] for f in others]
    scales = np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)
    offered = np.concatenate([x / scales, *dummies], axis=1)
    columns = within.transform(offered)[rows]
    target = within.transform(sample.y[:, None])[rows, 0]
    squares = np.einsum("ij,ij->j", columns, columns)
    free = np.flatnonzero(squares > ABSORBED_SHARE * np.einsum("ij,ij->j", offered, offered))
    scaled = columns[:, free] / np.sqrt(squares[free])
    gram = scaled.T @ scaled
    chosen = independent_columns(gram, np.diag(gram), COLLINEAR_SHARE)
    design, at = scaled[:, chosen], free[chosen]
    named = np.flatnonzero(at < len(terms))
    degrees = len(rows) - unit.levels - len(at)
    if degrees < 1:
        raise CarbonpanelError(
            "CP-EST-TOO-FEW",
            f"{len(rows)} rows leave nothing for {len(at)} coefficients and {unit.levels} units counted twice",
            remedy="use convention: xthreg, or more years",
        )
    q, r = linalg.qr(design, mode="economic")
    beta = linalg.solve_triangular(r, q.T @ target)
    residuals = target - design @ beta
    influence = linalg.solve_triangular(r, q.T).T[:, named]
    to_units = (np.sqrt(squares[at]) * np.concatenate([scales, np.ones(offered.shape[1] - len(scales))])[at])[named]
    estimate, influence = beta[named] / to_units, influence / to_units
    rss = float(residuals @ residuals)
    small: tuple[tuple[str, object], ...] = (("N", len(rows)), ("K", len(at)), ("units", unit.levels))
    factor, df_t = 1.0, float(degrees)
    clusters = tuple(f.take(rows) for f in sample.clusters)
    if spec.type == "iid":
        small = (("iid", "RSS/(N-units-K), N = n(T-1)"), *small)
    elif spec.type == "hc1":
        small = (("hc1", "1 (Hansen's program scales White's errors by nothing)"), *small)
    else:
        groups = min(f.levels for f in clusters)
        if groups < 2:
            raise CarbonpanelError(
                "CP-EST-CLUSTERS", "a single cluster in the sample", remedy="cluster by a column with more groups"
            )
        factor = groups / (groups - 1) * (len(rows) - 1) / (len(rows) - len(at))
        df_t = float(groups - 1)
        small = (("cluster", "G/(G-1)*(N-1)/(N-K)"), ("G", groups), *small, ("factor", factor))
    maker = VcovMaker(spec, np.ones(len(rows)), residuals, rss / degrees, factor, clusters=clusters)
    vcov, messages = maker.make(influence, slopes=len(named))
    inference = infer(estimate, vcov, df_t)
    kept_terms = tuple(terms[at[i]] for i in named)
    padded = np.zeros(n)
    padded[rows] = residuals
    dropped = tuple(t for t in terms if t not in kept_terms)
    messages = [*messages, *(f"'{t}' dropped: absorbed by the fixed effects or collinear" for t in dropped)]
    total = float(target @ target)
    return RegressionResult(
        estimator="threshold",
        convention="hansen",
        covariance="HC0" if spec.type == "hc1" else spec.label,
        terms=kept_terms,
        estimate=estimate,
        std_error=inference.std_error,
        statistic=inference.statistic,
        p_value=inference.p_value,
        ci_low=inference.ci_low,
        ci_high=inference.ci_high,
        vcov=vcov,
        statistic_kind="t",
        df_t=df_t,
        n_obs=n,
        n_units=unit.levels,
        n_times=None if sample.time is None else sample.time.levels,
        n_clusters=tuple(c.levels for c in clusters),
        n_singletons_dropped=sample.singletons_dropped,
        dropped_rows=sample.dropped_rows,
        df_resid=float(degrees),
        df_model=float(len(named)),
        r2=1.0 - rss / total,
        r2_within=1.0 - rss / total,
        r2_between=None,
        r2_overall=None,
        r2_adjusted=None,
        rmse=float(np.sqrt(rss / degrees)),
        f=wald_f(estimate, vcov),
        f_p_value=None,
        diagnostics=(),
        small_sample=small,
        dropped_terms=dropped,
        messages=tuple(messages),
        residuals=padded,
        used_rows=sample.used_rows,
    )
