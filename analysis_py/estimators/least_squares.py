"""Least squares on columns free of fixed effects: coefficients, the influence of each observation, the constant.

All arithmetic is on columns of unit scale and their small Gram matrix, with one step of iterative refinement; results
are returned in the units of the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.absorption import MAX_EXACT_LEVELS, Dummies, demean, group_means, independent_columns
from analysis_py.estimators.factors import Factor
from analysis_py.estimators.sample import Sample

#: A regressor is absorbed when less than this share of its variance is left within the fixed effects.
ABSORBED_SHARE = 1e-10
#: A regressor is collinear when less than this share of its within variance is left beside earlier ones.
COLLINEAR_SHARE = 1e-10


@dataclass(frozen=True)
class Solution:
    """A least-squares fit.

    Attributes
    ----------
    kept : positions of the regressors that enter.
    dropped : (term, reason) of those that do not.
    slopes : (k,) coefficients.
    influence : (n, k) rows H with slopes = H'W y.
    residuals : (n,).
    x_means : (k,) weighted means; y_mean : that of the outcome.
    rss, tss, tss_within : sums of squares: residual, about the mean, and free of every fixed effect.
    hat : (n,) leverage of the slopes alone, divided by the weight.
    """

    kept: np.ndarray
    dropped: tuple[tuple[str, str], ...]
    slopes: np.ndarray
    influence: np.ndarray
    residuals: np.ndarray
    x_means: np.ndarray
    y_mean: float
    rss: float
    tss: float
    tss_within: float
    hat: np.ndarray


def solve(sample: Sample) -> Solution:
    """Fit the slopes.

    Raises
    ------
    CarbonpanelError
        ``CP-EST-CONSTANT`` where the outcome does not vary (within the fixed effects), ``CP-EST-NOTHING-LEFT`` where
        every regressor is absorbed or collinear.
    """
    w, n = sample.weights, len(sample.y)
    y_mean, y_scale = _moments(sample.y, w)
    moments = [_moments(column, w) for column in sample.x.T]
    means = np.array([m for m, _ in moments])
    scales = np.array([s for _, s in moments])
    if y_scale == 0.0:
        raise CarbonpanelError(
            "CP-EST-CONSTANT",
            f"the outcome '{sample.outcome}' is constant in the sample",
            remedy="choose another outcome or a wider sample",
        )
    varying = np.flatnonzero(scales > 0)
    standard = np.column_stack(
        [(sample.y - y_mean) / y_scale, *((sample.x[:, j] - means[j]) / scales[j] for j in varying)]
    )
    within = demean(standard, sample.fixed_effects, w)
    squares = np.einsum("i,ij,ij->j", w, within, within)
    if not squares[0] > 1e-20 * n:
        raise CarbonpanelError(
            "CP-EST-CONSTANT",
            f"the outcome '{sample.outcome}' does not vary within the fixed effects",
            remedy="choose another outcome or fewer fixed effects",
        )

    free = squares[1:] > ABSORBED_SHARE * n
    candidates = varying[free]
    norms = np.sqrt(squares[1:][free] / n)
    z = within[:, 1:][:, free] / norms
    gram = (z * w[:, None]).T @ z
    chosen = independent_columns(gram, np.diag(gram), COLLINEAR_SHARE)
    kept = candidates[chosen]
    dropped = _reasons(sample, scales, set(candidates.tolist()), set(kept.tolist()))
    if sample.regressors and kept.size == 0:
        raise CarbonpanelError(
            "CP-EST-NOTHING-LEFT",
            "no regressor is left: " + "; ".join(f"'{term}' is {reason}" for term, reason in dropped),
            remedy="use regressors that vary within the fixed effects, or fewer fixed effects",
        )

    z = z[:, chosen]
    target = within[:, 0]
    if kept.size:
        factor = linalg.cho_factor(gram[np.ix_(chosen, chosen)], lower=True)
        slopes = linalg.cho_solve(factor, z.T @ (w * target))
        slopes = slopes + linalg.cho_solve(factor, z.T @ (w * (target - z @ slopes)))
        influence = np.ascontiguousarray(linalg.cho_solve(factor, z.T).T)
    else:
        slopes, influence = np.empty(0), np.empty((n, 0))
    residuals = target - z @ slopes
    to_units = scales[kept] * norms[chosen]
    return Solution(
        kept=kept,
        dropped=dropped,
        slopes=slopes * y_scale / to_units,
        influence=influence / to_units,
        residuals=residuals * y_scale,
        x_means=means[kept],
        y_mean=y_mean,
        rss=float(w @ residuals**2) * y_scale**2,
        tss=n * y_scale**2,
        tss_within=float(squares[0]) * y_scale**2,
        hat=np.einsum("ij,ij->i", influence, z),
    )


def _moments(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Weighted mean and standard deviation (divisor n); the latter 0 for a column constant but for rounding."""
    mean = float(np.average(values, weights=weights))
    largest = float(np.abs(values).max())
    if largest == 0.0 or float(np.ptp(values)) <= 1e-13 * largest:
        return mean, 0.0
    # scaled first, so that squares of very large or very small numbers neither overflow nor vanish
    deviations = (values - mean) / largest
    return mean, float(np.sqrt(np.average(deviations**2, weights=weights))) * largest


def _reasons(sample: Sample, scales: np.ndarray, candidates: set[int], kept: set[int]) -> tuple[tuple[str, str], ...]:
    found = []
    for j, term in enumerate(sample.regressors):
        if j in kept:
            continue
        if scales[j] == 0.0:
            found.append((term, "constant in the sample"))
        elif j not in candidates:
            found.append((term, "absorbed by the fixed effects"))
        else:
            found.append((term, "collinear with the regressors before it"))
    return tuple(found)


@dataclass(frozen=True)
class Constant:
    """The reported constant and, where dummies count as regressors, their part.

    ``influence`` (n,) gives the constant as a linear combination of y. ``dummy_coefficients`` (L,) and
    ``dummy_fit`` (n,) belong to the dummies of the fixed effects after the first; empty and zero where there are none.
    """

    value: float
    influence: np.ndarray
    dummies: Dummies | None
    dummy_coefficients: np.ndarray
    dummy_fit: np.ndarray


def constant_from_means(sample: Sample, solution: Solution) -> Constant:
    """mean(y) - mean(x)'b: the constant of least squares, of xtreg with one effect and of reghdfe."""
    n = len(sample.y)
    return Constant(
        value=solution.y_mean - float(solution.x_means @ solution.slopes),
        influence=1.0 / n - solution.influence @ solution.x_means,
        dummies=None,
        dummy_coefficients=np.empty(0),
        dummy_fit=np.zeros(n),
    )


def constant_beside_dummies(sample: Sample, solution: Solution) -> Constant | None:
    """mean(y) - mean(x)'b - mean(d)'delta with the dummies of the later fixed effects, first levels as base.

    None where the dummies are too many to be solved for.
    """
    first, others = sample.fixed_effects[0], sample.fixed_effects[1:]
    if not others:
        return constant_from_means(sample, solution)
    if sum(f.levels for f in others) > MAX_EXACT_LEVELS:
        return None
    w, n = sample.weights, len(sample.y)
    dummies = Dummies(first, others, w)
    columns = np.column_stack([sample.y - solution.y_mean, sample.x[:, solution.kept] - solution.x_means])
    crossed = dummies.cross(free_of(first, w, columns))
    regressed = dummies.inverse @ crossed
    delta = regressed[:, 0] - regressed[:, 1:] @ solution.slopes
    d_means = dummies.means()
    shifted = solution.x_means - regressed[:, 1:].T @ d_means
    influence = 1.0 / n - solution.influence @ shifted
    influence = influence - dummies.combine_within((dummies.inverse @ d_means)[:, None])[:, 0]
    return Constant(
        value=solution.y_mean - float(solution.x_means @ solution.slopes) - float(d_means @ delta),
        influence=influence,
        dummies=dummies,
        dummy_coefficients=delta,
        dummy_fit=dummies.combine(delta[:, None])[:, 0],
    )


def dummy_influence(sample: Sample, solution: Solution, dummies: Dummies) -> np.ndarray:
    """Influence rows (n, L) of the dummies' coefficients, beside those of the slopes."""
    columns = sample.x[:, solution.kept] - solution.x_means
    regressed = dummies.inverse @ dummies.cross(free_of(dummies.absorbed, sample.weights, columns))
    return dummies.combine_within(dummies.inverse) - solution.influence @ regressed.T


def free_of(factor: Factor, weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Columns (n, k) less their weighted means by level."""
    return values - group_means(factor, weights, values)[factor.codes]


def leverage(sample: Sample, solution: Solution) -> np.ndarray:
    """Leverage of each observation in the regression with all its dummies, shape (n,).

    Raises ``CP-EST-COVARIANCE`` where there are too many levels beside the largest fixed effect.
    """
    w, effects = sample.weights, sorted(sample.fixed_effects, key=lambda f: -f.levels)
    if not effects:
        base = np.full(len(w), 1.0 / w.sum())
    elif len(effects) == 1:
        base = 1.0 / np.bincount(effects[0].codes, w, effects[0].levels)[effects[0].codes]
    elif sum(f.levels for f in effects[1:]) <= MAX_EXACT_LEVELS:
        base = Dummies(effects[0], tuple(effects[1:]), w).leverage()
    else:
        raise CarbonpanelError(
            "CP-EST-COVARIANCE",
            "HC2 and HC3 need the leverages, and these fixed effects have too many levels to compute them",
            remedy="use hc1 or a clustered covariance",
        )
    return np.asarray(w * (solution.hat + base))
