"""Estimates of one to three thresholds, one after the other, the first refined: Hansen's three steps.

1. g1 minimises SSR(g). 2. g2 minimises SSR(g1, g). 3. g1 minimises SSR(g, g2). A third threshold minimises
SSR(g1, g2, g) at those two. F_k = (SSR_{k-1} - SSR_k) / (SSR_k / df) tests k thresholds against k - 1; the interval of
a threshold is where LR(g) = (SSR(g) - SSR_k) / (SSR_k / df) <= -2 ln(1 - sqrt(0.95)).

Source: Hansen (1999), Journal of Econometrics 93:345-368, equations 6, 14, 18, 20 to 24.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.threshold_design import ThresholdDesign, quadratic
from analysis_py.estimators.threshold_grid import Grid

#: Coverage of the likelihood-ratio interval.
COVERAGE = 0.95
#: Its critical value, -2 ln(1 - sqrt(0.95)) = 7.35.
CRITICAL_LR = float(-2.0 * np.log(1.0 - np.sqrt(COVERAGE)))


@dataclass(frozen=True)
class Test:
    """k thresholds against k - 1: where both stand, their sums of squared residuals and F."""

    order: int
    under_null: tuple[int, ...]
    added: int
    ssr_null: float
    ssr: float
    f: float


@dataclass(frozen=True)
class Curve:
    """SSR and likelihood ratio over the candidates (k,) at ``positions`` for one threshold, the others held."""

    order: int
    position: int
    others: tuple[int, ...]
    positions: np.ndarray
    ssr: np.ndarray
    likelihood_ratio: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """(k,) which candidates the interval holds."""
        return self.likelihood_ratio <= CRITICAL_LR


@dataclass(frozen=True)
class Search:
    """Estimated positions in the order they were found (the first refined), a test and a curve for each.

    ``first_curve`` belongs to the model with one threshold alone.
    """

    positions: tuple[int, ...]
    tests: tuple[Test, ...]
    curves: tuple[Curve, ...]
    first_curve: Curve
    scale: float


def profile(design: ThresholdDesign, others: Sequence[int] = ()) -> np.ndarray:
    """SSR(others, g) for every candidate g, in the units of the outcome squared; shape (G,)."""
    width = design.width
    own = np.einsum("grr->rg", design.squares)
    if not others:
        gram, slopes, base = design.gram, design.slopes, design.ssr_null
    else:
        at = np.asarray(others, dtype=np.int64)
        size = len(at) * width
        across = design.rows(at).reshape(size, design.n_bins, width)
        held = across.reshape(len(at), width, design.n_bins, width)[:, :, at].reshape(size, size)
        inverse = pseudo_inverse(held, np.einsum("grr->gr", design.squares)[at].ravel())
        held_slopes = design.slopes[at].ravel()
        taken = np.einsum("ij,jgr->igr", inverse, across)
        gram = design.gram - np.einsum("igr,igs->grs", across, taken)
        slopes = design.slopes - np.einsum("igr,i->gr", taken, held_slopes)
        base = design.ssr_null - float(held_slopes @ inverse @ held_slopes)
    parts = [[gram[:, i, j] for j in range(width)] for i in range(width)]
    reduced = quadratic(parts, [slopes[:, i] for i in range(width)], own)
    return np.asarray((base - reduced) * design.y_scale**2)


def pseudo_inverse(held: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Inverse of A_SS; directions that least squares would find collinear are left out."""
    scale = np.sqrt(np.where(own > 0, own, 1.0))
    values, vectors = np.linalg.eigh(held / np.outer(scale, scale))
    inverse = np.where(values > 1e-11, 1.0 / np.where(values > 1e-11, values, 1.0), 0.0)
    return np.asarray((vectors * inverse) @ vectors.T / np.outer(scale, scale))


def search_thresholds(design: ThresholdDesign, grid: Grid, count: int, scale: float) -> Search:
    """Estimate ``count`` thresholds.

    Parameters
    ----------
    scale : degrees of freedom of F and of the likelihood ratio.

    Raises
    ------
    CarbonpanelError
        ``CP-EST-THRESHOLD`` where the trimming leaves no room for another threshold.
    """
    first = _minimise(design, grid, 0, (), scale)
    curves, tests = [first], [_test(1, (), first, design.ssr_null * design.y_scale**2, scale)]
    positions: tuple[int, ...] = (first.position,)
    if count > 1:
        second = _minimise(design, grid, 1, positions, scale)
        tests.append(_test(2, positions, second, tests[0].ssr, scale))
        refined = _minimise(design, grid, 1, (second.position,), scale, order_name=0)
        positions = (refined.position, second.position)
        curves = [refined, second]
    if count > 2:
        third = _minimise(design, grid, 2, positions, scale)
        tests.append(_test(3, positions, third, float(curves[0].ssr.min()), scale))
        positions = (*positions, third.position)
        curves.append(third)
    return Search(positions, tuple(tests), tuple(curves), first, scale)


def _minimise(
    design: ThresholdDesign,
    grid: Grid,
    order: int,
    others: tuple[int, ...],
    scale: float,
    order_name: int | None = None,
) -> Curve:
    eligible = np.flatnonzero(grid.eligible(order, others))
    if eligible.size == 0:
        raise CarbonpanelError(
            "CP-EST-THRESHOLD",
            f"there is no room for threshold {order + 1}: trimming and the gap beside the others leave no candidate",
            remedy="search fewer thresholds, or make trim and gap smaller",
        )
    ssr = profile(design, others)[eligible]
    best = int(np.argmin(ssr))
    if not ssr[best] > 1e-22 * design.y_scale**2 * len(design.y):
        raise CarbonpanelError(
            "CP-EST-THRESHOLD",
            f"with {len(others) + 1} threshold(s) the regression fits exactly: there is nothing to test",
            remedy="check the outcome and the regressors",
        )
    ratio = (ssr - ssr[best]) / (ssr[best] / scale)
    return Curve(order if order_name is None else order_name, int(eligible[best]), others, eligible, ssr, ratio)


def _test(order: int, under_null: tuple[int, ...], curve: Curve, ssr_null: float, scale: float) -> Test:
    ssr = float(curve.ssr.min())
    return Test(order, under_null, curve.position, ssr_null, ssr, (ssr_null - ssr) / (ssr / scale))
