"""Estimates of several fits with one covariance, from their stacked scores, as Stata's suest makes it.

Each fit's influence rows times its residuals are its scores; put side by side (zero where a row is not in a fit) and
summed within clusters they give V = G/(G-1) * S'S, with the covariances between fits that share clusters. Without
clusters V = N/(N-1) * S'S. Tests are chi-squared. Sources: Weesie (1999), STB-52 sg121; Stata 18 [R] suest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.factors import Factor
from analysis_py.inference.covariance import cluster_covariance, hc_covariance, repair_definiteness


@dataclass(frozen=True)
class StackedFits:
    """Coefficients of several fits, one after the other, with their joint covariance.

    Attributes
    ----------
    estimate : (q,).
    vcov : (q, q).
    starts : (fits + 1,) where each fit's coefficients begin.
    n_obs : rows in at least one fit.
    n_clusters : clusters by variable; empty without clusters.
    """

    estimate: np.ndarray
    vcov: np.ndarray
    starts: tuple[int, ...]
    n_obs: int
    n_clusters: tuple[int, ...]


@dataclass(frozen=True)
class Wald:
    """A chi-squared test; ``statistic`` None where the covariance has not the rank of the restrictions."""

    statistic: float | None
    df: int
    p_value: float | None


def stack_fits(
    estimates: Sequence[np.ndarray],
    scores: Sequence[np.ndarray],
    rows: Sequence[np.ndarray],
    *,
    n_rows: int,
    clusters: Sequence[Factor] = (),
) -> StackedFits:
    """Stack fits.

    Parameters
    ----------
    estimates : (k_f,) coefficients of each fit.
    scores : (n_f, k_f) influence times weight times residual of each row of each fit.
    rows : (n_f,) where each fit's rows stand among ``n_rows`` common rows.
    clusters : factors on the common rows (codes of unused rows do not matter); none for unclustered.

    Raises ``CP-EST-CLUSTERS`` with a single cluster.
    """
    sizes = [len(e) for e in estimates]
    starts = (0, *np.cumsum(sizes).tolist())
    stacked = np.zeros((n_rows, starts[-1]))
    used = np.zeros(n_rows, dtype=bool)
    for start, own, at in zip(starts, scores, rows, strict=False):
        stacked[at, start : start + own.shape[1]] = own
        used[at] = True
    inside = np.flatnonzero(used)
    stacked = stacked[inside]
    kept = [c.take(inside) for c in clusters]
    n = len(inside)
    if kept:
        fewest = min(c.levels for c in kept)
        if fewest < 2:
            raise CarbonpanelError("CP-EST-CLUSTERS", "a joint covariance needs two clusters or more")
        vcov = fewest / (fewest - 1) * cluster_covariance(stacked, kept)
        if len(kept) > 1:
            vcov, _ = repair_definiteness(vcov, starts[-1])
    else:
        vcov = n / (n - 1) * hc_covariance(stacked)
    return StackedFits(np.concatenate(list(estimates)), vcov, starts, n, tuple(c.levels for c in kept))


def wald_chi2(contrast: np.ndarray, fits: StackedFits) -> Wald:
    """Test that ``contrast`` (r, q) times the coefficients is zero."""
    difference = contrast @ fits.estimate
    spread = contrast @ fits.vcov @ contrast.T
    scale = np.sqrt(np.maximum(np.diag(spread), 0.0))
    count = len(contrast)
    if count == 0 or not (scale > 0).all():
        return Wald(None, count, None)
    scaled = spread / np.outer(scale, scale)
    if np.linalg.matrix_rank(scaled, hermitian=True) < count:
        return Wald(None, count, None)
    statistic = float((difference / scale) @ np.linalg.solve(scaled, difference / scale))
    return Wald(statistic, count, float(stats.chi2.sf(statistic, count)))
