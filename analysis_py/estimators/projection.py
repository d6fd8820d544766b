"""The projection on all columns of a fixed-effects regression, dummies included, kept in factored form.

With the data multiplied by the square roots of the weights, P = B B' + U U': B has one unit column for each level of
the fixed effect with most levels (for the constant, where there is none), never formed; U (n, r) is an orthonormal
basis of what the other dummies and the regressors add. Everything a leverage-based covariance or a bootstrap needs are
inner products with B and U within clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.absorption import MAX_EXACT_LEVELS, Dummies
from analysis_py.estimators.factors import Factor, independent_factors
from analysis_py.estimators.least_squares import Solution
from analysis_py.estimators.sample import Sample

#: Cells of the basis U above which it is not formed.
MAX_BASIS_CELLS = 60_000_000


@dataclass(frozen=True)
class Projection:
    """P = B B' + U U'.

    Attributes
    ----------
    absorbed : factor of the columns of B.
    shares : (n,) entry of B in each row, sqrt(w / total weight of its level).
    basis : (n, r) U.
    """

    absorbed: Factor
    shares: np.ndarray
    basis: np.ndarray

    def absorbed_sums(self, values: np.ndarray, groups: Factor) -> sparse.csr_matrix:
        """B'v within groups: (levels, groups) for a vector (n,)."""
        return sparse.coo_matrix(
            (self.shares * values, (self.absorbed.codes, groups.codes)), shape=(self.absorbed.levels, groups.levels)
        ).tocsr()

    def basis_sums(self, values: np.ndarray, groups: Factor) -> np.ndarray:
        """U'v within groups: (groups, r) for a vector (n,)."""
        return sum_columns(self.basis * values[:, None], groups)


def sum_columns(values: np.ndarray, groups: Factor) -> np.ndarray:
    """Columns (n, p) summed within groups, shape (groups, p), rows added in their order."""
    summed = np.empty((groups.levels, values.shape[1]))
    for j in range(values.shape[1]):
        summed[:, j] = np.bincount(groups.codes, values[:, j], groups.levels)
    return summed


def find_projection(sample: Sample, solution: Solution) -> Projection:
    """The projection of a fitted regression.

    Raises
    ------
    CarbonpanelError
        ``CP-EST-COVARIANCE`` where the fixed effects beside the largest have too many levels for it.
    """
    w, n = sample.weights, len(sample.y)
    kept = independent_factors(sample.fixed_effects)
    effects = sorted((sample.fixed_effects[i] for i in kept), key=lambda f: -f.levels)
    absorbed = effects[0] if effects else Factor("_cons", np.zeros(n, dtype=np.int64), 1)
    others = tuple(effects[1:])
    width = sum(f.levels for f in others) + len(solution.slopes)
    if width > MAX_EXACT_LEVELS or n * width > MAX_BASIS_CELLS:
        raise CarbonpanelError(
            "CP-EST-COVARIANCE",
            "this covariance needs the projection on all dummies, and these fixed effects have too many levels for it",
            remedy="use a clustered covariance",
        )
    root = np.sqrt(w)
    blocks = []
    if others:
        dummies = Dummies(absorbed, others, w)
        columns = dummies.combine_within(np.eye(len(dummies.kept))) * root[:, None]
        blocks.append(_orthonormal(columns, columns.T @ columns))
    if len(solution.slopes):
        slopes = solution.influence * root[:, None]
        slopes = slopes / np.sqrt(np.einsum("ij,ij->j", slopes, slopes))
        blocks.append(_orthonormal(slopes, slopes.T @ slopes))
    total = np.bincount(absorbed.codes, w, absorbed.levels)
    return Projection(
        absorbed=absorbed,
        shares=root / np.sqrt(total[absorbed.codes]),
        basis=np.column_stack(blocks) if blocks else np.empty((n, 0)),
    )


def _orthonormal(columns: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """An orthonormal basis of independent columns (n, r) from their Gram matrix."""
    lower = np.linalg.cholesky(gram)
    return np.ascontiguousarray(linalg.solve_triangular(lower, columns.T, lower=True).T)
