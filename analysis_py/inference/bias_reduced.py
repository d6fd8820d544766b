"""CR2 and CR3: cluster covariances whose residuals are corrected for the leverage of their cluster.

With the data multiplied by the square roots of the weights, P the projection on every column of the regression (all
dummies included) and I - P_gg the block of cluster g, residuals e_g become

- CR2  (I - P_gg)^(+1/2) e_g, unbiased when errors are independent with variance proportional to 1/weight
       (Bell & McCaffrey 2002; Pustejovsky & Tipton 2018, JBES 36:672-683)
- CR3  (I - P_gg)^+ e_g, whose sandwich is the jackknife that leaves one cluster out

with Moore-Penrose roots, because an effect nested in clusters makes I - P_gg singular. The covariance is then the plain
clustered one on the corrected residuals. Degrees of freedom after Satterthwaite: for a contrast with influence h, and
p_g = (I - P_gg)^(+1/2) h_g, they are tr(M)^2 / tr(M^2) with M_ij = p_i' (I - P)_ij p_j.

P_gg = DD' + UU' with a column of D for each level of the absorbed effect in the cluster. Where every level lies wholly
in the cluster, DD' is a projection beside UU' and drops out; where every row has a level of its own (clusters by time),
DD' is diagonal, and only the span of U among rows of one diagonal value needs a decomposition. Both are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.factors import Factor
from analysis_py.estimators.projection import Projection
from analysis_py.interrupts import stop_if_interrupted

#: Eigenvalues of I - P_gg below this are zero: directions the cluster fits by itself.
_ZERO = 1e-10
#: Rows, or columns of D and U, of a cluster above which its dense matrix is refused.
_MAX_DENSE = 4_000


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
    """Multiply columns (n, p), already times sqrt(weight), by (I - P_gg)^(+power) within each cluster.

    Raises
    ------
    CarbonpanelError
        ``CP-EST-COVARIANCE`` for a cluster that cuts through the absorbed effect and is too large for a dense matrix.
    """
    order = np.argsort(clusters.codes, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(clusters.codes, minlength=clusters.levels))])
    corrected = np.empty_like(columns)
    saturated = np.zeros(columns.shape[1], dtype=np.int64)
    sizes = np.einsum("ij,ij->j", columns, columns)
    for g in range(clusters.levels):
        stop_if_interrupted()
        rows = order[bounds[g] : bounds[g + 1]]
        corrected[rows], lost = _power_in_cluster(projection, clusters, rows, columns[rows], power)
        saturated += lost > 1e-9 * sizes
    return Correction(corrected, saturated)


def _power_in_cluster(
    projection: Projection, clusters: Factor, rows: np.ndarray, columns: np.ndarray, power: float
) -> tuple[np.ndarray, np.ndarray]:
    """(I - P_gg)^(+power) v for the rows of one cluster, and the squares of the parts of v that are lost."""
    levels, codes = np.unique(projection.absorbed.codes[rows], return_inverse=True)
    codes, shares, basis = np.asarray(codes).ravel(), projection.shares[rows], projection.basis[rows]
    if np.all(np.abs(np.bincount(codes, shares**2) - 1.0) < 1e-9):
        inner = np.column_stack([np.bincount(codes, shares * v, len(levels)) for v in columns.T])
        made, lost = _power_of_rest(basis, columns - shares[:, None] * inner[codes], power)
        return made, lost + np.sum(inner**2, axis=0)
    if len(levels) == len(rows):
        values, kind = np.unique(shares**2, return_inverse=True)
        if len(values) * basis.shape[1] < len(rows) // 2:
            return _power_beside_diagonal(values, np.asarray(kind).ravel(), basis, columns, power)
    width = len(levels) + basis.shape[1]
    if min(len(rows), width) > _MAX_DENSE:
        raise CarbonpanelError(
            "CP-EST-COVARIANCE",
            f"CR2 and CR3 by '{clusters.name}' need a dense matrix of {min(len(rows), width):,} rows for one cluster",
            remedy="cluster by the absorbed effect or by something that contains it, or use clustered errors",
        )
    dummies = np.zeros((len(rows), len(levels)))
    dummies[np.arange(len(rows)), codes] = shares
    return _power_of_rest(np.column_stack([dummies, basis]), columns, power)


def _power_beside_diagonal(
    values: np.ndarray, kind: np.ndarray, basis: np.ndarray, columns: np.ndarray, power: float
) -> tuple[np.ndarray, np.ndarray]:
    """(I - diag(d) - UU')^(+power) v, d = values[kind].

    Among rows of one d, what is orthogonal to U is an eigenspace of 1 - d; the rest is no larger than U's span there.
    """
    free = 1.0 - values > _ZERO
    powers = np.where(free, np.where(free, 1.0 - values, 1.0) ** power, 0.0)
    spans, turned, on_basis, diagonal = [], [], [], []
    rest = columns.copy()
    for k in range(len(values)):
        rows = np.flatnonzero(kind == k)
        span = np.linalg.qr(basis[rows])[0]
        spans.append((rows, span))
        turned.append(span.T @ columns[rows])
        rest[rows] -= span @ turned[-1]
        on_basis.append(span.T @ basis[rows])
        diagonal.append(np.full(span.shape[1], 1.0 - values[k]))
    across, inside = np.concatenate(on_basis), np.concatenate(turned)
    roots, vectors = np.linalg.eigh(np.diag(np.concatenate(diagonal)) - across @ across.T)
    kept = roots > _ZERO
    rotated = vectors.T @ inside
    made = vectors @ (np.where(kept, np.where(kept, roots, 1.0) ** power, 0.0)[:, None] * rotated)
    lost = np.sum(rotated[~kept] ** 2, axis=0) + np.sum(rest[~free[kind]] ** 2, axis=0)
    found = rest * powers[kind][:, None]
    start = 0
    for rows, span in spans:
        found[rows] += span @ made[start : start + span.shape[1]]
        start += span.shape[1]
    return found, lost


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
        # M = diag(own) - A'A - BB', its trace and sum of squares without ever forming it
        own = np.bincount(clusters.codes, p * p, clusters.levels)
        absorbed = projection.absorbed_sums(p, clusters)
        basis = projection.basis_sums(p, clusters)
        of_absorbed = np.asarray(absorbed.multiply(absorbed).sum(axis=0)).ravel()
        of_basis = np.einsum("ij,ij->i", basis, basis)
        cross = absorbed @ basis
        inner = absorbed.T @ absorbed if absorbed.shape[1] <= absorbed.shape[0] else absorbed @ absorbed.T
        trace = float(np.sum(own - of_absorbed - of_basis))
        squares = float(
            np.sum(own * (own - 2.0 * (of_absorbed + of_basis)))
            + np.sum(inner.data**2)
            + 2.0 * np.sum(cross * cross)
            + np.sum((basis.T @ basis) ** 2)
        )
        degrees[j] = trace**2 / squares if squares > 0 else np.nan
    return degrees
