"""Linear projections behind the truth tables: what a two-way fixed effects column centres on, and how precisely.

Small dense algebra with numpy's own sums (``einsum`` without BLAS), because the results are written to files whose
bytes are fixed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Design:
    """Regressors and instruments of one column with city and year means projected out, over its complete city-years.

    ``rows`` are (i, t) positions; ``x`` and ``z`` are (n, K); ``city`` numbers the clusters from 0.
    """

    rows: tuple[np.ndarray, np.ndarray]
    x: np.ndarray
    z: np.ndarray
    city: np.ndarray
    year: np.ndarray

    @property
    def clusters(self) -> int:
        return int(self.city.max()) + 1


def build_design(regressors: np.ndarray, instruments: np.ndarray, usable: np.ndarray) -> Design:
    """(N, T, K) regressors and instruments restricted to the ``usable`` (N, T) cells and two-way demeaned."""
    i, t = np.nonzero(usable)
    _, city = np.unique(i, return_inverse=True)
    _, year = np.unique(t, return_inverse=True)
    x = absorb(regressors[i, t], city, year)
    z = absorb(instruments[i, t], city, year)
    return Design((i, t), x, z, city, year)


def absorb(values: np.ndarray, city: np.ndarray, year: np.ndarray) -> np.ndarray:
    """Residuals of (n, K) values on city and year indicators, exactly, for any pattern of missing city-years."""
    flat = _demean_city(values, city)
    years = int(year.max()) + 1
    indicator = (year[:, None] == np.arange(1, years)[None, :]).astype(float)
    dummies = _demean_city(indicator, city)
    gram = np.einsum("na,nb->ab", dummies, dummies, optimize=False)
    cross = np.einsum("na,nk->ak", dummies, flat, optimize=False)
    effect = np.linalg.solve(gram, cross)
    return flat - np.einsum("na,ak->nk", dummies, effect, optimize=False)


def _demean_city(values: np.ndarray, city: np.ndarray) -> np.ndarray:
    count = np.bincount(city).astype(float)
    out = np.empty_like(values, dtype=float)
    for k in range(values.shape[1]):
        out[:, k] = values[:, k] - (np.bincount(city, weights=values[:, k]) / count)[city]
    return out


def project(design: Design, outcome: np.ndarray) -> np.ndarray:
    """(K,) coefficients of an (N, T) outcome: (Z'X)^-1 Z'y on the design's rows."""
    y = absorb(outcome[design.rows][:, None], design.city, design.year)
    zx = np.einsum("na,nb->ab", design.z, design.x, optimize=False)
    zy = np.einsum("na,nk->ak", design.z, y, optimize=False)
    return np.linalg.solve(zx, zy)[:, 0]


def cluster_errors(design: Design, outcome: np.ndarray) -> np.ndarray:
    """(K,) standard errors clustered by city, factor G/(G-1) (n-1)/(n-k-T) as city effects are nested in clusters."""
    y = absorb(outcome[design.rows][:, None], design.city, design.year)[:, 0]
    beta = project(design, outcome)
    residual = y - np.einsum("nk,k->n", design.x, beta, optimize=False)
    n, k = design.x.shape
    score = np.zeros((design.clusters, k))
    np.add.at(score, design.city, design.z * residual[:, None])
    bread = np.linalg.inv(np.einsum("na,nb->ab", design.z, design.x, optimize=False))
    meat = np.einsum("ga,gb->ab", score, score, optimize=False)
    g = design.clusters
    factor = g / (g - 1.0) * (n - 1.0) / (n - k - int(design.year.max()) - 1.0)
    half = np.einsum("ab,bc->ac", bread, meat, optimize=False)
    variance = np.einsum("ab,cb->ac", half, bread, optimize=False) * factor
    return np.sqrt(np.diag(variance))


def winsorise(values: np.ndarray, scope: np.ndarray, low: float, high: float) -> np.ndarray:
    """(N, T) values clipped at two quantiles of the cells inside ``scope`` (N, T) boolean."""
    lower, upper = np.quantile(values[scope], [low, high])
    return np.clip(values, lower, upper)
