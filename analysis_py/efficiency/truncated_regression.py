"""Regression of an outcome that is only seen above a point, by maximum likelihood; many outcomes at once.

With gamma = beta/sigma and tau = 1/sigma the log likelihood of y > a,

    sum [ ln tau - ln sqrt(2 pi) - (tau y - z gamma)^2 / 2 - ln Phi(z gamma - tau a) ],

is concave (Olsen 1978), so Newton steps with halving find its maximum where there is one. There is none when the
outcomes above the point vary more than an exponential would, or not at all around the design; such fits say that they
did not converge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtri

_STEPS = 60
_TOLERANCE = 1e-10
#: Below this 1/sigma, in units of the outcome's own spread, the likelihood climbs for ever.
_FLATTEST = 1e-3
_LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)


@dataclass(frozen=True)
class TruncatedFit:
    """``coefficients`` (k,), ``sigma``, ``covariance`` (k+1, k+1) of both (inverse information), and how it went."""

    coefficients: np.ndarray
    sigma: float
    covariance: np.ndarray
    log_likelihood: float
    n: int
    converged: bool


def fit_truncated(outcome: np.ndarray, design: np.ndarray, *, point: float = 1.0) -> TruncatedFit:
    """Left-truncated normal regression of ``outcome`` (n,), all above ``point``, on ``design`` (n, k).

    Raises ValueError when there are no more rows than coefficients or an outcome does not lie above ``point``.
    """
    coefficients, sigma, converged = fit_many(outcome[None, :], design, point=point)
    beta, scale = coefficients[0], float(sigma[0])
    covariance = _covariance(outcome, design, beta, scale, point)
    value = float(_likelihood(beta[None] / scale, np.array([1 / scale]), outcome[None], design, point)[0])
    return TruncatedFit(beta, scale, covariance, value, len(outcome), bool(converged[0]))


def fit_many(
    outcomes: np.ndarray, design: np.ndarray, *, point: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fits of r outcomes (r, n) on one design (n, k): coefficients (r, k), sigma (r,), converged (r,)."""
    n, k = design.shape
    if n <= k:
        raise ValueError(f"{n} rows are too few for {k} coefficients")
    if not (outcomes > point).all():
        raise ValueError(f"every outcome must lie above {point}")
    # columns of one length and an outcome of spread one keep the Newton matrix well scaled
    length = np.sqrt((design**2).mean(axis=0))
    z = design / length
    spread = np.maximum(outcomes.std(axis=1), 1e-12)
    y, a = outcomes / spread[:, None], point / spread
    start = np.linalg.lstsq(z, y.T, rcond=None)[0].T
    residual_sd = np.maximum((y - start @ z.T).std(axis=1), 1e-6)
    gamma, tau = start / residual_sd[:, None], 1 / residual_sd
    value = _likelihood(gamma, tau, y, z, a)
    converged = np.zeros(len(y), dtype=bool)
    active = np.arange(len(y))
    for _ in range(_STEPS):
        if not len(active):
            break
        gradient, hessian = _derivatives(gamma[active], tau[active], y[active], z, a[active])
        step = np.linalg.solve(hessian, -gradient[..., None])[..., 0]
        decrement = np.abs((gradient * step).sum(axis=1))
        size = np.ones(len(active))
        for _ in range(40):
            new_tau = tau[active] + size * step[:, -1]
            trial = _likelihood(gamma[active] + size[:, None] * step[:, :-1], new_tau, y[active], z, a[active])
            worse = ~(trial >= value[active] - 1e-12 * np.abs(value[active])) | ~(new_tau > 0)
            if not worse.any():
                break
            size = np.where(worse, size / 2, size)
        gamma[active] += size[:, None] * step[:, :-1]
        tau[active] += size * step[:, -1]
        value[active] = _likelihood(gamma[active], tau[active], y[active], z, a[active])
        done = decrement < _TOLERANCE * (1 + np.abs(value[active]))
        flat = tau[active] < _FLATTEST
        converged[active[done & ~flat]] = True
        active = active[~done & ~flat]
    sigma = 1 / np.maximum(tau, 1e-300)
    coefficients = gamma * (sigma * spread)[:, None] / length
    return coefficients, sigma * spread, converged


def draw_truncated(
    mean: np.ndarray, sigma: float, uniforms: np.ndarray, *, point: float | np.ndarray = 1.0
) -> np.ndarray:
    """Normal draws of ``mean`` and ``sigma`` that lie above ``point``, from ``uniforms`` in (0, 1]."""
    tail = np.maximum(np.exp(log_ndtr((mean - point) / sigma)), 1e-300)
    return np.maximum(mean - sigma * ndtri(uniforms * tail), point)


def _likelihood(gamma: np.ndarray, tau: np.ndarray, y: np.ndarray, z: np.ndarray, a: np.ndarray | float) -> np.ndarray:
    """(r,) log likelihoods; minus infinity where tau is not positive."""
    safe = np.where(tau > 0, tau, 1.0)
    fitted = gamma @ z.T
    u = safe[:, None] * y - fitted
    v = fitted - (safe * a)[:, None]
    total = (np.log(safe)[:, None] - _LOG_SQRT_2PI - u**2 / 2 - log_ndtr(v)).sum(axis=1)
    return np.where(tau > 0, total, -np.inf)


def _derivatives(
    gamma: np.ndarray, tau: np.ndarray, y: np.ndarray, z: np.ndarray, a: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient (r, k+1) and Hessian (r, k+1, k+1) in (gamma, tau)."""
    k = z.shape[1]
    fitted = gamma @ z.T
    u = tau[:, None] * y - fitted
    v = fitted - (tau * a)[:, None]
    mills = np.exp(-(v**2) / 2 - _LOG_SQRT_2PI - log_ndtr(v))
    slope = -mills * (v + mills)
    gradient = np.concatenate(
        [(u - mills) @ z, (1 / tau[:, None] - u * y + mills * a[:, None]).sum(axis=1)[:, None]], axis=1
    )
    hessian = np.empty((len(y), k + 1, k + 1))
    hessian[:, :k, :k] = np.einsum("rn,nj,nl->rjl", -1 - slope, z, z, optimize=True)
    cross = (y + a[:, None] * slope) @ z
    hessian[:, :k, k] = hessian[:, k, :k] = cross
    hessian[:, k, k] = (-1 / tau[:, None] ** 2 - y**2 - a[:, None] ** 2 * slope).sum(axis=1)
    return gradient, hessian


def _covariance(y: np.ndarray, z: np.ndarray, beta: np.ndarray, sigma: float, point: float) -> np.ndarray:
    """Inverse information of (beta, sigma), from that of (gamma, tau) by the delta method."""
    k = z.shape[1]
    _, hessian = _derivatives(beta[None] / sigma, np.array([1 / sigma]), y[None], z, np.array([point]))
    inner = np.linalg.pinv(-hessian[0])
    jacobian = np.zeros((k + 1, k + 1))
    jacobian[:k, :k] = np.eye(k) * sigma
    jacobian[:k, k] = -beta * sigma
    jacobian[k, k] = -(sigma**2)
    return jacobian @ inner @ jacobian.T
