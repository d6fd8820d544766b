"""CR2 and CR3: cluster covariances whose residuals are corrected for the leverage of their cluster.

With the data multiplied by the square roots of the weights, P the projection on every column of the regression (all
dummies included) and I - P_gg the block of cluster g, residuals e_g become

- CR2  (I - P_gg)^(+1/2) e_g, unbiased when errors are independent with variance proportional to 1/weight
       (Bell & McCaffrey 2002; Pustejovsky & Tipton 2018, JBES 36:672-683)
- CR3  (I - P_gg)^+ e_g, whose sandwich is the jackknife that leaves one cluster out

with Moore-Penrose roots, because an effect nested in clusters makes I - P_gg singular. The covariance is then the plain
clustered one on the corrected residuals. Degrees of freedom after Satterthwaite: for a contrast with influence h, and
p_g = (I - P_gg)^(+1/2) h_g, they are tr(M)^2 / tr(M^2) with M_ij = p_i' (I - P)_ij p_j.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_py.estimators.factors import Factor
from analysis_py.estimators.projection import Projection

#: Eigenvalues of I - P_gg below this are zero: directions the cluster fits by itself.
_ZERO = 1e-10
#: Rows of M handled at a time.
_BLOCK = 512


@dataclass(frozen=True)
class Correction:
    """Columns multiplied by (I - P_gg)^(+power) cluster by cluster, in the scale of the data times sqrt(weight).

    Attributes
    ----------
    corrected : (n, p).
    saturated : (p,) clusters whose own rows fit a part of the column entirely, so that this part is lost.
    """

    corrected: np.ndarray
    saturated: np.ndarray


def correct_columns(projection: Projection, clusters: Factor, columns: np.ndarray, power: float) -> Correction:
    """Multiply columns (n, p), already times sqrt(weight), by (I - P_gg)^(+power) within each cluster."""
    order = np.argsort(clusters.codes, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(clusters.codes, minlength=clusters.levels))])
    corrected = np.empty_like(columns)
    saturated = np.zeros(columns.shape[1], dtype=np.int64)
    sizes = np.einsum("ij,ij->j", columns, columns)
    for g in range(clusters.levels):
        rows = order[bounds[g] : bounds[g + 1]]
        levels, column = np.unique(projection.absorbed.codes[rows], return_inverse=True)
        inner = np.zeros((len(rows), len(levels)))
        inner[np.arange(len(rows)), np.asarray(column).ravel()] = projection.shares[rows]
        span = np.column_stack([inner, projection.basis[rows]])
        corrected[rows], lost = _power_of_rest(span, columns[rows], power)
        saturated += lost > 1e-9 * sizes
    return Correction(corrected, saturated)


def _power_of_rest(span: np.ndarray, columns: np.ndarray, power: float) -> tuple[np.ndarray, np.ndarray]:
    """(I - F F')^(+power) v for F (n, r) and columns v, and the squares of the parts of v that F fits entirely."""
    if span.shape[0] <= span.shape[1]:
        values, vectors = np.linalg.eigh(np.eye(len(span)) - span @ span.T)
        free = values > _ZERO
        scaled = np.where(free, np.where(free, values, 1.0) ** power, 0.0)
        turned = vectors.T @ columns
        return vectors @ (scaled[:, None] * turned), np.sum(turned[~free] ** 2, axis=0)
    values, vectors = np.linalg.eigh(span.T @ span)
    values = np.clip(values, 0.0, 1.0)
    free = values < 1.0 - _ZERO
    change = np.where(free, np.expm1(power * np.log1p(-np.where(free, values, 0.0))), -1.0)
    change = np.where(values > 1e-14, change / np.where(values > 1e-14, values, 1.0), -power)
    turned = vectors.T @ (span.T @ columns)
    return columns + span @ (vectors @ (change[:, None] * turned)), np.sum(turned[~free] ** 2, axis=0)


def satterthwaite(projection: Projection, clusters: Factor, corrected: np.ndarray) -> np.ndarray:
    """Degrees of freedom of each contrast from its corrected influence (n, p) times sqrt(weight); shape (p,)."""
    degrees = np.empty(corrected.shape[1])
    for j, p in enumerate(corrected.T):
        own = np.bincount(clusters.codes, p * p, clusters.levels)
        absorbed = projection.absorbed_sums(p, clusters)
        basis = projection.basis_sums(p, clusters)
        trace = squares = 0.0
        for start in range(0, clusters.levels, _BLOCK):
            rows = slice(start, min(start + _BLOCK, clusters.levels))
            block = -np.asarray((absorbed[:, rows].T @ absorbed).todense()) - basis[rows] @ basis.T
            at = np.arange(block.shape[0])
            block[at, at + start] += own[rows]
            trace += float(block[at, at + start].sum())
            squares += float(np.sum(block * block))
        degrees[j] = trace**2 / squares if squares > 0 else np.nan
    return degrees
