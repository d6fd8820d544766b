"""Bias-reduced covariances and the wild bootstrap on dense matrices, by brute force: the tests' second opinion.

Everything is formed in full: the projection (n, n), its blocks, every bootstrap sample. Nothing is shared with the
package.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg

from tests.reference.dense_lsdv import Dense


def _blocks(groups: Sequence[object]) -> list[np.ndarray]:
    return [np.flatnonzero([g == level for g in groups]) for level in sorted(set(groups), key=str)]


def _root(matrix: np.ndarray, power: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * [v**power if v > 1e-10 else 0.0 for v in values]) @ vectors.T


def bias_reduced(dense: Dense, groups: Sequence[object], power: float) -> tuple[np.ndarray, np.ndarray]:
    """CR2 (power -1/2) or CR3 without factor (-1), and Satterthwaite degrees of freedom by their definition.

    The degrees of freedom take every product g_i'g_j with g_i = (I - P)[:, rows of i] A_i z_i M c.
    """
    root = np.sqrt(dense.w)
    z, e = dense.z * root[:, None], dense.residuals * root
    rest = np.eye(len(e)) - z @ dense.bread @ z.T
    meat = np.zeros_like(dense.bread)
    vectors = []
    for rows in _blocks(groups):
        a = _root(rest[np.ix_(rows, rows)], power)
        score = z[rows].T @ a @ e[rows]
        meat += np.outer(score, score)
        vectors.append(rest[:, rows] @ a @ z[rows] @ dense.bread)
    df = np.empty(z.shape[1])
    for j in range(z.shape[1]):
        g = np.column_stack([v[:, j] for v in vectors])
        inner = g.T @ g
        df[j] = np.trace(inner) ** 2 / np.sum(inner**2) if np.sum(inner**2) > 0 else np.nan
    return dense.sandwich(meat), df


def leave_one_out(dense: Dense, groups: Sequence[object], slopes: int) -> np.ndarray:
    """Jackknife covariance of the slopes: one fit without each cluster, centred at the full fit, times (G-1)/G."""
    total = np.zeros((slopes, slopes))
    blocks = _blocks(groups)
    for rows in blocks:
        keep = np.setdiff1d(np.arange(len(dense.y)), rows)
        part = Dense(dense.z[keep], dense.y[keep], dense.w[keep])
        apart = part.beta[:slopes] - dense.beta[:slopes]
        total += np.outer(apart, apart)
    return total * (len(blocks) - 1) / len(blocks)


def wild_statistics(
    dense: Dense, term: int, null: float, boot: Sequence[object], groups: Sequence[Sequence[object]], v: np.ndarray
) -> tuple[float, np.ndarray]:
    """Squared t of the sample and of each draw (rows of v, columns in the sorted order of ``boot``), null imposed."""
    z, y, w = dense.z, dense.y, dense.w
    others = np.delete(np.arange(z.shape[1]), term)
    moved = y - null * z[:, term]
    restricted = Dense(z[:, others], moved, w)
    fitted = y - restricted.residuals
    levels = {level: i for i, level in enumerate(sorted(set(boot), key=str))}
    column = np.array([levels[b] for b in boot])

    def squared_t(values: np.ndarray) -> float:
        full = Dense(z, values, w)
        vcov = full.cluster(*groups)
        return float((full.beta[term] - null) ** 2 / vcov[term, term])

    return squared_t(y), np.array([squared_t(fitted + restricted.residuals * row[column]) for row in v])


def all_signs(clusters: int) -> np.ndarray:
    number = np.arange(2**clusters)[:, None]
    return 1.0 - 2.0 * ((number >> np.arange(clusters)) & 1)


def independent_basis(dense: Dense) -> Dense:
    """The same regression on independent columns, the leading ones kept, so that a term has its own coefficient."""
    _, _, pivots = linalg.qr(dense.z * np.sqrt(dense.w)[:, None], mode="economic", pivoting=True)
    kept = sorted(pivots[: dense.rank])
    return Dense(dense.z[:, kept], dense.y, dense.w)
