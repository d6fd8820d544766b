"""Removing fixed effects from columns, and counting what they cost.

Demeaning is done by the alternating projections of pyfixest's compiled core, called directly: ``pyfixest.feols``
would visit the fixed effects in the order of a Python set, so its last digits change with PYTHONHASHSEED, and it
spends four fifths of its time on the formula. Where alternating projections do not converge (poorly connected
effects) an exact elimination takes over, and pyfixest's preconditioned LSMR where that would be too large.

The same elimination (one factor removed by group means, the others by their Schur complement) gives the
coefficients, base levels and leverages of explicit dummies without ever forming them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg, sparse

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.factors import Factor, connected_groups, independent_factors

#: Largest change of a standardised column between two sweeps at which alternating projections stop.
TOLERANCE = 1e-12
#: Sweeps after which the fixed effects count as poorly connected, and steps then given to LSMR.
MAX_SWEEPS = 500
MAX_LSMR_STEPS = 10_000
#: Largest Schur complement solved exactly, in levels.
MAX_EXACT_LEVELS = 2_500
#: A dummy is dependent on earlier ones when less than this share of its own variation is left.
_DEPENDENT = 1e-9


def group_means(factor: Factor, weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Weighted means by level of each column of ``values`` (n, k); shape (levels, k)."""
    total = np.bincount(factor.codes, weights, factor.levels)
    means = np.empty((factor.levels, values.shape[1]))
    for j in range(values.shape[1]):
        means[:, j] = np.bincount(factor.codes, weights * values[:, j], factor.levels) / total
    return means


def demean(values: np.ndarray, factors: Sequence[Factor], weights: np.ndarray) -> np.ndarray:
    """Residuals of the columns of ``values`` (n, k) on the dummies of ``factors``, weighted.

    Columns should be of unit scale: the tolerance is absolute. Without factors the weighted mean is removed.
    """
    if values.shape[1] == 0:
        return values.copy()
    if not factors:
        return values - np.average(values, axis=0, weights=weights)
    factors = [factors[i] for i in independent_factors(factors)]
    if len(factors) == 1:
        return values - group_means(factors[0], weights, values)[factors[0].codes]

    from pyfixest.core.demean import demean as alternate
    from pyfixest.core.demean import demean_within

    # the factor with most levels first: removing it exactly leaves the small ones to the sweeps
    factors = sorted(factors, key=lambda f: -f.levels)
    codes = np.column_stack([f.codes for f in factors])
    columns = np.ascontiguousarray(values, dtype=np.float64)
    swept, converged = alternate(columns, codes.astype(np.uint64), weights, TOLERANCE, MAX_SWEEPS)
    if converged:
        return np.asarray(swept)
    if sum(f.levels for f in factors[1:]) <= MAX_EXACT_LEVELS:
        return Dummies(factors[0], tuple(factors[1:]), weights).residuals(columns)
    solved, converged, _ = demean_within(columns, codes.astype(np.uint32), weights, TOLERANCE, MAX_LSMR_STEPS)
    if not converged:
        raise CarbonpanelError(
            "CP-EST-DEMEAN",
            "the fixed effects " + ", ".join(f"'{f.name}'" for f in factors) + " could not be removed: "
            "their levels are too poorly connected",
            remedy="drop the rows of levels that share no other level with the rest, or use fewer fixed effects",
        )
    return np.asarray(solved)


def rank(factors: Sequence[Factor]) -> tuple[int, bool]:
    """Parameters the fixed effects use, the constant included, and whether the number is exact.

    One factor: its levels. Two: levels less connected groups. Three and more: the rank of the Schur complement,
    or for very many levels the pairwise bound of reghdfe (at least as many parameters as there are, never fewer).
    """
    if not factors:
        return 1, True
    kept = sorted((factors[i] for i in independent_factors(factors)), key=lambda f: -f.levels)
    if len(kept) == 1:
        return kept[0].levels, True
    if len(kept) == 2:
        return kept[0].levels + kept[1].levels - connected_groups(kept[0], kept[1]), True
    if sum(f.levels for f in kept[1:]) <= MAX_EXACT_LEVELS:
        dummies = Dummies(kept[0], tuple(kept[1:]), np.ones(len(kept[0].codes)))
        return kept[0].levels + len(dummies.kept), True
    return pairwise_count(kept), False


def pairwise_count(factors: Sequence[Factor]) -> int:
    """Parameters by reghdfe's pairwise rule: all levels, less for each factor its most redundant earlier pairing."""
    redundant = [0] * len(factors)
    for i, first in enumerate(factors):
        for j in range(i + 1, len(factors)):
            redundant[j] = max(redundant[j], connected_groups(first, factors[j]))
    return sum(f.levels for f in factors) - sum(redundant)


@dataclass(frozen=True)
class Dummies:
    """Explicit dummies of ``others`` beside an absorbed factor, never formed as columns.

    With W the weights, M the projection off the absorbed factor and D the dummies (n, L), all work is done on
    A = D'W M D (L, L). The first level of each factor is its base; a later dummy that depends on earlier ones is left
    out, as Stata does.
    """

    absorbed: Factor
    others: tuple[Factor, ...]
    weights: np.ndarray

    @cached_property
    def offsets(self) -> np.ndarray:
        """Where each factor's levels begin among the stacked levels; the last entry is L."""
        return np.concatenate([[0], np.cumsum([f.levels for f in self.others])]).astype(np.int64)

    @cached_property
    def stacked(self) -> np.ndarray:
        """Stacked level of each row, shape (n, number of factors)."""
        return np.column_stack([f.codes + start for f, start in zip(self.others, self.offsets, strict=False)])

    @cached_property
    def shares(self) -> sparse.csr_matrix:
        """Weighted share of each stacked level in each absorbed level, shape (absorbed levels, L)."""
        counted = self._cross(self.absorbed.codes, self.absorbed.levels)
        return sparse.csr_matrix(sparse.diags(1.0 / np.asarray(self._total_weight)) @ counted)

    @cached_property
    def _total_weight(self) -> np.ndarray:
        return np.bincount(self.absorbed.codes, self.weights, self.absorbed.levels)

    def _cross(self, rows: np.ndarray, height: int) -> sparse.csr_matrix:
        width = self.stacked.shape[1]
        return sparse.coo_matrix(
            (np.repeat(self.weights, width), (np.repeat(rows, width), self.stacked.ravel())),
            shape=(height, int(self.offsets[-1])),
        ).tocsr()

    @cached_property
    def _complement(self) -> np.ndarray:
        """A over all stacked levels, shape (L, L)."""
        size = int(self.offsets[-1])
        inner = sparse.csr_matrix((size, size))
        for position in range(self.stacked.shape[1]):
            inner = inner + self._cross(self.stacked[:, position], size)
        counted = sparse.diags(self._total_weight) @ self.shares
        return np.asarray((inner - self.shares.T @ counted).todense())

    @cached_property
    def kept(self) -> np.ndarray:
        """Stacked levels whose dummies enter: not a base, not dependent on earlier ones."""
        size = int(self.offsets[-1])
        candidates = np.ones(size, dtype=bool)
        candidates[self.offsets[:-1]] = False
        levels = np.flatnonzero(candidates)
        own = np.bincount(self.stacked.ravel(), np.repeat(self.weights, self.stacked.shape[1]), size)[levels]
        return levels[independent_columns(self._complement[np.ix_(levels, levels)], own)]

    @cached_property
    def inverse(self) -> np.ndarray:
        """Inverse of A over the kept dummies, shape (kept, kept)."""
        if len(self.kept) == 0:
            return np.empty((0, 0))
        lower = linalg.cho_factor(self._complement[np.ix_(self.kept, self.kept)], lower=True)
        inverse = linalg.cho_solve(lower, np.eye(len(self.kept)))
        return (inverse + inverse.T) / 2

    def cross(self, within: np.ndarray) -> np.ndarray:
        """D'W v of the kept dummies for columns v (n, k) already free of the absorbed factor; shape (kept, k)."""
        size = int(self.offsets[-1])
        total = np.zeros((size, within.shape[1]))
        for position in range(self.stacked.shape[1]):
            level = self.stacked[:, position]
            for j in range(within.shape[1]):
                total[:, j] += np.bincount(level, self.weights * within[:, j], size)
        return total[self.kept]

    def combine(self, coefficients: np.ndarray) -> np.ndarray:
        """D c for coefficients of the kept dummies (kept, p); shape (n, p)."""
        padded = self._pad(coefficients)
        return padded[self.stacked].sum(axis=1)

    def combine_within(self, coefficients: np.ndarray) -> np.ndarray:
        """M D c: the same with the weighted means by absorbed level removed; shape (n, p)."""
        padded = self._pad(coefficients)
        return padded[self.stacked].sum(axis=1) - np.asarray(self.shares @ padded)[self.absorbed.codes]

    def _pad(self, coefficients: np.ndarray) -> np.ndarray:
        padded = np.zeros((int(self.offsets[-1]), coefficients.shape[1]))
        padded[self.kept] = coefficients
        return padded

    def means(self) -> np.ndarray:
        """Weighted means of the kept dummies, shape (kept,)."""
        size = int(self.offsets[-1])
        total = np.bincount(self.stacked.ravel(), np.repeat(self.weights, self.stacked.shape[1]), size)
        return total[self.kept] / self.weights.sum()

    def residuals(self, values: np.ndarray) -> np.ndarray:
        """Columns (n, k) free of the absorbed factor and of the dummies."""
        within = values - group_means(self.absorbed, self.weights, values)[self.absorbed.codes]
        return within - self.combine_within(self.inverse @ self.cross(within))

    def leverage(self) -> np.ndarray:
        """Diagonal of the projection on absorbed factor and dummies, divided by the weight; shape (n,)."""
        size = int(self.offsets[-1])
        inverse = np.zeros((size, size))
        inverse[np.ix_(self.kept, self.kept)] = self.inverse
        shares = np.asarray(self.shares.todense())
        weighted = shares @ inverse
        group = self.absorbed.codes
        value = 1.0 / self._total_weight[group] + np.einsum("ul,ul->u", weighted, shares)[group]
        for i in range(self.stacked.shape[1]):
            value = value - 2.0 * weighted[group, self.stacked[:, i]]
            for j in range(self.stacked.shape[1]):
                value = value + inverse[self.stacked[:, i], self.stacked[:, j]]
        return value


def independent_columns(gram: np.ndarray, own: np.ndarray, share: float = _DEPENDENT) -> np.ndarray:
    """Positions of columns that are not combinations of earlier ones, by a Cholesky sweep of their Gram matrix.

    Parameters
    ----------
    gram : (k, k) cross products.
    own : (k,) what each column's remaining sum of squares is measured against.
    share : a column goes when less than this share of ``own`` is left.
    """
    size = len(gram)
    if size == 0:
        return np.empty(0, dtype=np.int64)
    try:
        pivots = np.diag(np.linalg.cholesky(gram)) ** 2
    except np.linalg.LinAlgError:
        pivots = np.zeros(size)
    if (pivots > share * own).all():
        return np.arange(size)
    lower = np.zeros((size, size))
    kept: list[int] = []
    for j in range(size):
        done = len(kept)
        left = gram[j:, j] - lower[j:, :done] @ lower[j, :done]
        if left[0] > share * own[j]:
            lower[j:, done] = left / np.sqrt(left[0])
            kept.append(j)
    return np.array(kept, dtype=np.int64)
