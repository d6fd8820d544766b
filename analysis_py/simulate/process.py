"""Elementary processes of the demo world: serially and spatially correlated paths, two-way demeaning, composition.

All functions use elementwise operations and numpy's own sums only (no BLAS), so that results do not depend on threads.
"""

from __future__ import annotations

import numpy as np


def autoregress(draw: np.random.Generator, shape: tuple[int, int], rho: float, tail_df: float = 0.0) -> np.ndarray:
    """Stationary AR(1) paths of unit variance, (N, T); normal innovations, or Student t with ``tail_df`` degrees."""
    n, t = shape
    if tail_df:
        innovation = draw.standard_t(tail_df, size=(n, t)) / np.sqrt(tail_df / (tail_df - 2.0))
    else:
        innovation = draw.standard_normal((n, t))
    return accumulate(innovation, rho)


def accumulate(innovation: np.ndarray, rho: float) -> np.ndarray:
    """AR(1) recursion along the second axis, scaled so that unit-variance innovations give unit-variance paths."""
    out = np.empty_like(innovation)
    out[:, 0] = innovation[:, 0]
    scale = np.sqrt(1.0 - rho * rho)
    for t in range(1, innovation.shape[1]):
        out[:, t] = rho * out[:, t - 1] + scale * innovation[:, t]
    return out


def spread(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Neighbour means: (N, N) row-normalised weights applied to (N, T) values, summed in index order."""
    return np.einsum("ij,jt->it", weights, values, optimize=False)


def demean(values: np.ndarray) -> np.ndarray:
    """Two-way demeaned (N, T) values of a balanced panel."""
    return values - values.mean(axis=1, keepdims=True) - values.mean(axis=0, keepdims=True) + values.mean()


def within_sd(values: np.ndarray) -> float:
    """Standard deviation left after city and year means are taken out."""
    return float(np.sqrt(np.mean(demean(values) ** 2)))


def compose(parts: np.ndarray, level: np.ndarray, path: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Outcome with wanted levels: within part of ``parts`` (N, T) + city level (N,) + year path (T,) + error (N, T).

    Only city and year effects differ from ``parts`` itself, so every slope inside ``parts`` stays what it was.
    """
    return demean(parts) + level[:, None] + path[None, :] + error


def logistic(values: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)): shares from logit points."""
    return 1.0 / (1.0 + np.exp(-values))


def round_significant(value: float, digits: int = 4) -> float:
    """``value`` to a number of significant digits."""
    return float(f"{value:.{digits}g}")
