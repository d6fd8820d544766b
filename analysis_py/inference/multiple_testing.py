"""Corrections for testing several hypotheses: Benjamini-Hochberg and Romano-Wolf's step-down.

Romano-Wolf needs the joint distribution of the test statistics. Here it is drawn by signs: with psi_uj the influence
of cluster u on estimate j, T*_j = |sum_u xi_u psi_uj| / se_j with xi_u = +1 or -1, the same sign for all hypotheses, so
that their dependence is kept. Sources: Benjamini & Hochberg (1995), JRSS B 57:289-300; Romano & Wolf (2005),
Econometrica 73:1237-1282; Clarke, Romano & Wolf (2020), Stata Journal 20:812-843; Kline & Santos (2012), J. Econometric
Methods 1:23-41 for the score bootstrap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_py.estimators.blas import single_threaded_blas
from analysis_py.progress import report_step

#: Signs drawn at once.
_BLOCK = 2_000


@dataclass(frozen=True)
class FamilyTest:
    """A family of two-sided tests.

    Attributes
    ----------
    statistic, std_error : (J,) estimate over its clustered error, and that error.
    p_value : (J,) each test alone, by the sign distribution.
    romano_wolf, benjamini_hochberg : (J,) adjusted p-values; the latter from t with as many degrees of freedom as
        clusters take part, less one.
    n_clusters, draws : clusters in the family and sign draws.
    """

    statistic: np.ndarray
    std_error: np.ndarray
    p_value: np.ndarray
    romano_wolf: np.ndarray
    benjamini_hochberg: np.ndarray
    n_clusters: int
    draws: int


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Adjusted p-values (J,): min over k >= rank of p_(k) J / k, at most one; NaN stays NaN and does not count."""
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(np.isfinite(p_values))
    if len(known) == 0:
        return adjusted
    order = known[np.argsort(p_values[known], kind="stable")]
    scaled = p_values[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def step_down(statistic: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Romano-Wolf adjusted p-values.

    Parameters
    ----------
    statistic : (J,) sizes of the observed statistics, |t|.
    draws : (B, J) the same under the null, jointly.

    Returns
    -------
    (J,) p: with hypotheses ordered by |t|, (1 + #{max over this and smaller ones of |t*| >= |t|}) / (1 + B), made
    monotone along the order.
    """
    order = np.argsort(-statistic, kind="stable")
    largest = np.maximum.accumulate(draws[:, order][:, ::-1], axis=1)[:, ::-1]
    raw = (1 + (largest >= statistic[order] * (1 - 1e-12)).sum(axis=0)) / (1 + len(draws))
    adjusted = np.empty(len(statistic))
    adjusted[order] = np.maximum.accumulate(raw)
    return adjusted


def correct_family(estimate: np.ndarray, influence: np.ndarray, *, draws: int, seed: int) -> FamilyTest:
    """Test J estimates against zero together.

    Parameters
    ----------
    estimate : (J,) estimates.
    influence : (clusters, J) influence summed within clusters, small-sample factors included: zero where a cluster
        takes no part in an estimate.
    draws, seed : sign draws and the seed of numpy's default generator.

    The errors are the root of the sum of squares; nothing is tested on fewer than two clusters.
    """
    from scipy import stats

    parts = (influence != 0).sum(axis=0)
    squares = (influence**2).sum(axis=0)
    error = np.sqrt(np.where((parts > 1) & (squares > 0), squares, np.nan))
    statistic = estimate / error
    known = np.flatnonzero(np.isfinite(statistic))
    alone, wolf = np.full(len(estimate), np.nan), np.full(len(estimate), np.nan)
    if len(known):
        scaled = influence[:, known] / error[known]
        rng = np.random.default_rng(seed)
        blocks = []
        with single_threaded_blas():
            for start in range(0, draws, _BLOCK):
                signs = rng.integers(0, 2, size=(min(_BLOCK, draws - start), len(influence))) * 2.0 - 1.0
                blocks.append(np.abs(signs @ scaled))
                report_step(min(start + _BLOCK, draws), draws, "sign draws of the family")
        drawn = np.concatenate(blocks)
        size = np.abs(statistic[known])
        alone[known] = (1 + (drawn >= size * (1 - 1e-12)).sum(axis=0)) / (1 + draws)
        wolf[known] = step_down(size, drawn)
    single = 2.0 * stats.t.sf(np.abs(statistic), np.maximum(parts - 1, 1))
    return FamilyTest(statistic, error, alone, wolf, benjamini_hochberg(single), len(influence), draws)
