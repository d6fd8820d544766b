"""The sums a threshold search lives on: every sum of squared residuals of the grid from one pass over the data.

Model: y = (fixed effects) + x b + z d + sum_j z 1(q <= g_j) d_j + e. With M the projection off the fixed effects, x
and z, and h_g = z 1(q <= g), least squares with thresholds S leaves

    SSR(S) = y'My - g_S' A_SS^-1 g_S,    g(a) = h_a'My,    A(a, b) = h_a'Mh_b.

One fixed effect is absorbed by means (P), the rest, x and z are an orthonormal basis Q, so that
A(a, b) = sum_{q <= min(a, b)} zz' - c_a'c_b with c = [sums by absorbed level / sqrt(T_i), Q'h]: all of it cumulative
sums over the bins of the grid. Analytic weights enter as square roots. A convention that drops the last demeaned
observation of each unit (Hansen's program) replaces I - P by K(I - P), K the rows kept; then
A(a, b) = sum_kept zz' - u_a'u_b/k + k (s_a/T - u_a/k)'(s_b/T - u_b/k) - (Q'h_a)'(Q'h_b) with s and u the sums over all
and over the kept rows of a unit.

Source: Hansen (1999), Journal of Econometrics 93:345-368, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import linalg, sparse

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.absorption import independent_columns
from analysis_py.estimators.factors import Factor, independent_factors
from analysis_py.estimators.least_squares import ABSORBED_SHARE, COLLINEAR_SHARE
from analysis_py.estimators.threshold_within import Within

#: Most cells of the explicit basis beside the absorbed fixed effect, and of the sums that join two thresholds.
MAX_BASIS_CELLS = 60_000_000
MAX_JOINT_CELLS = 60_000_000
#: Up to this many candidates times split regressors A is computed whole, once.
MAX_WHOLE = 1_200
#: A split regressor counts as explained when less than this share of it is left.
EXPLAINED = 1e-11


@dataclass(frozen=True)
class ThresholdDesign:
    """The data of a search, transformed once. n rows, G candidates, r split regressors, p columns of the basis.

    Attributes
    ----------
    within : the absorbed projection.
    basis : (n, p) orthonormal Q, transformed.
    z : (n, r) split regressors, each of unit scale, times the square root of the weight.
    z_scales : (r,) what a column of z was divided by.
    bins : (n,) first candidate whose lower regime holds the row; G where none does.
    n_bins : G.
    y : (n,) My, in units of ``y_scale``.
    y_scale : standard deviation of the outcome.
    """

    within: Within
    basis: np.ndarray
    z: np.ndarray
    z_scales: np.ndarray
    bins: np.ndarray
    n_bins: int
    y: np.ndarray
    y_scale: float

    @property
    def width(self) -> int:
        """r, the split regressors."""
        return self.z.shape[1]

    @cached_property
    def ssr_null(self) -> float:
        """y'My in scaled units: the sum of squared residuals without a threshold."""
        return float(self.y @ self.y)

    @cached_property
    def _binning(self) -> tuple[sparse.csr_matrix, ...]:
        """For each split regressor the (G, n) matrix that sums z v over a bin."""
        n = len(self.bins)
        inside = np.flatnonzero(self.bins < self.n_bins)
        return tuple(
            sparse.csr_matrix((column[inside], (self.bins[inside], inside)), shape=(self.n_bins, n))
            for column in self.z.T
        )

    def accumulate(self, values: np.ndarray) -> np.ndarray:
        """h_g'v for every candidate and every column of v (n, k); shape (G, r, k)."""
        found = np.empty((self.n_bins, self.width, values.shape[1]))
        for j, matrix in enumerate(self._binning):
            np.cumsum(matrix @ values, axis=0, out=found[:, j])
        return found

    @cached_property
    def slopes(self) -> np.ndarray:
        """g(a), shape (G, r)."""
        return self.accumulate(self.within.carry(self.y[:, None]))[:, :, 0]

    @cached_property
    def basis_sums(self) -> np.ndarray:
        """Q'h_a, shape (G, r, p)."""
        return self.accumulate(self.within.carry(self.basis))

    @cached_property
    def squares(self) -> np.ndarray:
        """sum_{q <= g, kept} zz', shape (G, r, r)."""
        kept = self.z if self.within.kept is None else self.z * self.within.kept[:, None]
        return self.accumulate(kept)

    @cached_property
    def gram(self) -> np.ndarray:
        """A(a, a), shape (G, r, r), without ever forming sums by absorbed level and candidate."""
        found = self.squares - np.einsum("grp,gsp->grs", self.basis_sums, self.basis_sums)
        if self.within.codes is not None:
            found = found - self._absorbed_squares()
        return (found + found.transpose(0, 2, 1)) / 2.0

    def _absorbed_squares(self) -> np.ndarray:
        """The part of h_a'h_a that absorption takes, as cumulative sums of what each row adds to it."""
        codes, within = self.within.codes, self.within
        order = np.argsort(self.bins, kind="stable")
        sums = (self.z * within.roots[:, None])[order]
        level = codes[order] if codes is not None else order
        before = _running(sums, level)
        if within.kept is None:
            return self._spread(_product_steps(before, sums, before, sums), 1.0 / within.totals, level, order)
        kept = sums * within.kept[order][:, None]
        kept_before = _running(kept, level)
        crossed = _product_steps(kept_before, kept, before, sums)
        both = crossed + crossed.transpose(0, 2, 1)
        own = _product_steps(before, sums, before, sums)
        total = within.totals
        return self._spread(both, 1.0 / total, level, order) - self._spread(own, within.counts / total**2, level, order)

    def _spread(self, steps: np.ndarray, factor: np.ndarray, level: np.ndarray, order: np.ndarray) -> np.ndarray:
        """Cumulative sums over the bins of steps (n, r, r) times a factor by level."""
        found = np.empty((self.n_bins, self.width, self.width))
        bins, scaled = self.bins[order], factor[level]
        for i in range(self.width):
            for j in range(self.width):
                found[:, i, j] = np.cumsum(np.bincount(bins, steps[:, i, j] * scaled, self.n_bins + 1)[:-1])
        return found

    @cached_property
    def _joint(self) -> tuple[np.ndarray, np.ndarray]:
        """c of every candidate, shape (P, G r), and the sign (P,) with which c_a'c_b enters A(a, b)."""
        within, size = self.within, self.n_bins * self.width
        blocks = [self.basis_sums.reshape(size, -1).T]
        signs = [-np.ones(len(blocks[0]))]
        if within.codes is not None:
            parts = 1 if within.kept is None else 2
            if within.levels * size * parts > MAX_JOINT_CELLS:
                raise CarbonpanelError(
                    "CP-EST-THRESHOLD",
                    f"{self.n_bins} candidates for several thresholds and {within.levels} units are too many to hold",
                    remedy="grid: 400, or count: 1",
                )
            sums = self._level_sums(self.z * within.roots[:, None])
            if within.kept is None:
                blocks.append(sums / np.sqrt(within.totals)[:, None])
                signs.append(-np.ones(within.levels))
            else:
                kept = self._level_sums(self.z * (within.roots * within.kept)[:, None])
                root = np.sqrt(within.counts)[:, None]
                share = np.divide(kept, root, out=np.zeros_like(kept), where=root > 0)
                blocks += [share, root * sums / within.totals[:, None] - share]
                signs += [-np.ones(within.levels), np.ones(within.levels)]
        return np.concatenate(blocks), np.concatenate(signs)

    def _level_sums(self, values: np.ndarray) -> np.ndarray:
        """Sums of h_a by absorbed level, shape (levels, G r)."""
        within = self.within
        cell = within.codes * (self.n_bins + 1) + self.bins if within.codes is not None else self.bins
        found = np.empty((within.levels, self.n_bins, self.width))
        for j, column in enumerate(values.T):
            summed = np.bincount(cell, column, within.levels * (self.n_bins + 1))
            np.cumsum(summed.reshape(within.levels, -1)[:, :-1], axis=1, out=found[:, :, j])
        return found.reshape(within.levels, -1)

    def rows(self, positions: np.ndarray) -> np.ndarray:
        """A(a, b) for the candidates a at ``positions`` and every b, shape (len, r, G, r)."""
        if self.n_bins * self.width <= MAX_WHOLE:
            return self._whole[positions]
        return self._compute_rows(positions)

    @cached_property
    def _whole(self) -> np.ndarray:
        return self._compute_rows(np.arange(self.n_bins))

    def _compute_rows(self, positions: np.ndarray) -> np.ndarray:
        joint, signs = self._joint
        width, size = self.width, self.n_bins
        chosen = (positions[:, None] * width + np.arange(width)).ravel()
        crossed = (joint[:, chosen].T * signs) @ joint
        both = self.squares[np.minimum(positions[:, None], np.arange(size))]
        return both.transpose(0, 2, 1, 3) + crossed.reshape(len(positions), width, size, width)

    def among(self, positions: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """A_SS (s r, s r) and g_S (s r,) of the thresholds at ``positions``."""
        at = np.asarray(positions, dtype=np.int64)
        size = len(at) * self.width
        return self.rows(at)[:, :, at].reshape(size, size), self.slopes[at].ravel()

    def split(self, positions: Sequence[int]) -> np.ndarray:
        """Mh_S, transformed and free of the basis, shape (n, s r)."""
        columns = [self.z * (self.bins <= at)[:, None] for at in positions]
        raw = self.within.transform(np.concatenate(columns, axis=1))
        return raw - self.basis @ (self.basis.T @ raw)


def build_design(
    y: np.ndarray,
    x: np.ndarray,
    z: np.ndarray,
    bins: np.ndarray,
    n_bins: int,
    *,
    fixed_effects: Sequence[Factor],
    weights: np.ndarray | None = None,
    kept: np.ndarray | None = None,
    unit: Factor | None = None,
) -> ThresholdDesign:
    """Transform the data once.

    Parameters
    ----------
    y : (n,) outcome; x : (n, k) regressors without a threshold; z : (n, r) split regressors.
    bins, n_bins : as :meth:`analysis_py.estimators.threshold_grid.Grid.bins`.
    fixed_effects : any number; the one with most levels is absorbed (``unit`` where rows are dropped), the others are
        explicit dummies. None: a constant.
    weights : (n,) analytic weights.
    kept : (n,) rows that count after demeaning by ``unit``, which must then be among the fixed effects.

    Raises
    ------
    CarbonpanelError
        ``CP-EST-CONSTANT`` where the outcome does not vary within the fixed effects, ``CP-EST-THRESHOLD`` where the
        other fixed effects have too many levels.
    """
    n = len(y)
    roots = np.ones(n) if weights is None else np.sqrt(weights / weights.mean())
    factors = [fixed_effects[i] for i in independent_factors(fixed_effects)]
    absorbed = max(factors, key=lambda f: f.levels, default=None)
    if kept is not None and unit is not None:
        absorbed = unit
    others = [f for f in factors if f is not absorbed]
    within = Within(
        None if absorbed is None else absorbed.codes,
        0 if absorbed is None else absorbed.levels,
        roots,
        None if kept is None else kept.astype(float),
    )
    levels = sum(f.levels - 1 for f in others)
    if n * (levels + x.shape[1]) > MAX_BASIS_CELLS:
        raise CarbonpanelError(
            "CP-EST-THRESHOLD",
            f"{levels} dummies of {', '.join(f.name for f in others)} beside '{within.levels}' absorbed levels are too "
            f"many for a threshold search over {n} rows",
            remedy="use fewer fixed effects",
        )
    dummies = [_dummies(f) for f in others] or ([] if absorbed is not None else [np.ones((n, 1))])
    y_scale = float(np.std(y))
    scaled = (y - y.mean()) / (y_scale or 1.0)
    z_scales = np.sqrt(np.mean(z**2, axis=0))
    z_scales = np.where(z_scales > 0, z_scales, 1.0)
    offered = np.concatenate([*dummies, _standardise(x), _standardise(z / z_scales)], axis=1) * roots[:, None]
    basis = _orthonormal(within.transform(offered), offered)
    target = within.transform((scaled * roots)[:, None])[:, 0]
    if not target @ target > 1e-20 * n:
        raise CarbonpanelError(
            "CP-EST-CONSTANT",
            "the outcome does not vary within the fixed effects",
            remedy="choose another outcome or fewer fixed effects",
        )
    for _ in range(2):  # the second pass takes out the rounding of the first
        target = target - basis @ (basis.T @ target)
    return ThresholdDesign(
        within=within,
        basis=basis,
        z=z / z_scales * roots[:, None],
        z_scales=z_scales,
        bins=bins,
        n_bins=n_bins,
        y=target,
        y_scale=y_scale,
    )


def _dummies(factor: Factor) -> np.ndarray:
    """Dummies of every level but the first, shape (n, levels - 1)."""
    found = np.zeros((len(factor.codes), factor.levels))
    found[np.arange(len(factor.codes)), factor.codes] = 1.0
    return found[:, 1:]


def _standardise(columns: np.ndarray) -> np.ndarray:
    """Columns of mean zero and standard deviation one; constants become zero."""
    if columns.shape[1] == 0:
        return columns
    centred = columns - columns.mean(axis=0)
    spread = centred.std(axis=0)
    constant = spread <= 1e-13 * np.abs(columns).max(axis=0)
    return centred / np.where(constant, np.inf, spread)


def _orthonormal(columns: np.ndarray, raw: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the columns that are neither absorbed nor combinations of earlier ones, shape (n, p)."""
    squares = np.einsum("ij,ij->j", columns, columns)
    own = np.einsum("ij,ij->j", raw, raw)
    free = np.flatnonzero(squares > ABSORBED_SHARE * own)
    if free.size == 0:
        return np.empty((len(columns), 0))
    scaled = columns[:, free] / np.sqrt(squares[free])
    gram = scaled.T @ scaled
    kept = independent_columns(gram, np.diag(gram), COLLINEAR_SHARE)
    return np.ascontiguousarray(linalg.qr(scaled[:, kept], mode="economic", check_finite=False)[0])


def _running(values: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Sum of the earlier rows of the same level, shape as ``values`` (n, r)."""
    return pd.DataFrame(values).groupby(level, sort=False).cumsum().to_numpy() - values


def _product_steps(left: np.ndarray, left_step: np.ndarray, right: np.ndarray, right_step: np.ndarray) -> np.ndarray:
    """What each row adds to (sum of left)(sum of right)' of its level, shape (n, r, r)."""
    return (
        left_step[:, :, None] * right[:, None, :]
        + left[:, :, None] * right_step[:, None, :]
        + left_step[:, :, None] * right_step[:, None, :]
    )


def quadratic(gram: Sequence[Sequence[np.ndarray]], slopes: Sequence[np.ndarray], own: np.ndarray) -> np.ndarray:
    """g'D^-1 g for many small systems at once, by Cholesky elimination over the r split regressors.

    Parameters
    ----------
    gram : r by r arrays D[i][j] (lower triangle used), slopes : r arrays g[i], all of one shape or broadcastable.
    own : (r, ...) what each diagonal is measured against: a column of which less than :data:`EXPLAINED` is left adds
        nothing, as a collinear regressor does in least squares.
    """
    r = len(slopes)
    lower: list[list[np.ndarray]] = []
    solved: list[np.ndarray] = []
    total: np.ndarray | None = None
    for i in range(r):
        line: list[np.ndarray] = []
        for j in range(i):
            left = gram[i][j]
            for k in range(j):
                left = left - line[k] * lower[j][k]
            line.append(left * lower[j][j])
        pivot, value = gram[i][i], slopes[i]
        for k in range(i):
            pivot = pivot - line[k] ** 2
            value = value - line[k] * solved[k]
        inverse = 1.0 / np.sqrt(np.where(pivot > EXPLAINED * own[i], pivot, np.inf))
        line.append(inverse)
        lower.append(line)
        value = value * inverse
        solved.append(value)
        total = value**2 if total is None else total + value**2
    if total is None:
        raise ValueError("no split regressor")
    return total
