"""Through which variables a coefficient moves: Gelbach's decomposition, which does not depend on any order.

With base regression y = T c + X g + e and full regression y = T c' + M b + X g' + u on the same rows, and G the
coefficients of T in the regressions of the mediators M on T and X,

    c - c' = G b    exactly, one part G_k b_k for each mediator.

The parts' covariance counts the sampling of both b and G. From influence functions (robust, clustered):
IF(G_k b_k) = G_k IF(b_k) + b_k IF(G_k). With independent errors of equal variance b and G are uncorrelated:
G V(b) G' + b' S b (X'X)^-1 with S the mediators' residual covariance. Source: Gelbach (2016), J. Labor Economics
34:509-543, section 3 and appendix B.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.absorption import demean, independent_columns
from analysis_py.estimators.blas import single_threaded_blas
from analysis_py.estimators.factors import Factor

#: Share of a column's variance within the fixed effects that must be left beside earlier columns.
_COLLINEAR = 1e-10
#: Share of its whole variance that the fixed effects must leave.
_ABSORBED = 1e-10


@dataclass(frozen=True)
class Decomposition:
    """Base, full and the parts between them for t treatments and m mediators.

    Attributes
    ----------
    base, full : (t,) coefficients of the treatments without and with the mediators.
    effect : (m,) coefficients of the mediators in the full regression (b).
    path : (t, m) coefficients of the treatments in the mediators' regressions (G).
    parts : (t, m) path times effect; rows sum to base - full.
    scores : (n, t * m) influence of each row on the parts, treatment by treatment.
    path_scores, effect_scores : (n, t * m) and (n, m), the same of G and b.
    iid : (t * m, t * m) covariance of the parts with independent errors of equal variance, degrees of freedom counted.
    path_error, effect_error : (t, m), (m,) standard errors with such errors.
    """

    base: np.ndarray
    full: np.ndarray
    effect: np.ndarray
    path: np.ndarray
    parts: np.ndarray
    scores: np.ndarray
    path_scores: np.ndarray
    effect_scores: np.ndarray
    iid: np.ndarray
    path_error: np.ndarray
    effect_error: np.ndarray


def decompose(
    outcome: np.ndarray,
    treatments: np.ndarray,
    controls: np.ndarray,
    mediators: np.ndarray,
    *,
    fixed_effects: tuple[Factor, ...],
    weights: np.ndarray,
    absorbed: int,
    names: Sequence[str] = (),
) -> Decomposition:
    """Decompose the treatments' coefficients.

    Parameters
    ----------
    outcome : (n,).
    treatments, controls, mediators : (n, t), (n, c), (n, m); all rows enter every regression.
    fixed_effects : factors on the rows; none means a constant.
    weights : (n,) analytic weights of mean one.
    absorbed : parameters of the fixed effects, the constant included, for the degrees of freedom.
    names : (t + m,) treatments and mediators, for messages.

    Raises
    ------
    CarbonpanelError
        ``CP-EST-MECHANISM`` where a treatment or mediator is absorbed or a combination of the others, or nothing is
        left of the degrees of freedom.
    """
    t, c, m = treatments.shape[1], controls.shape[1], mediators.shape[1]
    columns = np.column_stack([controls, treatments, mediators, outcome])
    centred = columns - np.average(columns, axis=0, weights=weights)
    scales = np.sqrt(np.average(centred**2, axis=0, weights=weights))
    scales = np.where(scales > 0, scales, 1.0)
    with single_threaded_blas():
        within = demean(centred / scales, list(fixed_effects), weights)
        gram = (within * weights[:, None]).T @ within
        own = np.diag(gram)[: c + t + m]
        # a column counts as lost beside the others, or where the fixed effects leave next to nothing of it
        own = np.maximum(own, _ABSORBED * weights.sum() / _COLLINEAR)
        kept = set(independent_columns(gram[: c + t + m, : c + t + m], own, _COLLINEAR).tolist())
        lost = [j for j in range(c, c + t + m) if j not in kept]
        if lost:
            named = names or [f"treatment {i + 1}" for i in range(t)] + [f"mediator {i + 1}" for i in range(m)]
            listed = ", ".join(str(named[j - c]) for j in lost)
            raise CarbonpanelError(
                "CP-EST-MECHANISM",
                f"{listed} cannot be told from the fixed effects or from the controls, treatments and mediators before",
                remedy="leave out a mediator that is the treatment, a control, or a combination of them",
            )
        base_at = [*(j for j in range(c) if j in kept), *range(c, c + t)]
        med_at = list(range(c + t, c + t + m))
        df = len(outcome) - absorbed - len(base_at)
        if df - m < 1:
            raise CarbonpanelError(
                "CP-EST-MECHANISM", f"{len(outcome)} observations leave no degree of freedom beside {m} mediator(s)"
            )
        x, z, y = within[:, base_at], within[:, [*base_at, *med_at]], within[:, -1]
        x_inverse = linalg.cho_solve(linalg.cho_factor(gram[np.ix_(base_at, base_at)]), np.eye(len(base_at)))
        full_at = [*base_at, *med_at]
        z_inverse = linalg.cho_solve(linalg.cho_factor(gram[np.ix_(full_at, full_at)]), np.eye(len(full_at)))
        b = z_inverse @ (z.T @ (weights * y))
        b = b + z_inverse @ (z.T @ (weights * (y - z @ b)))
        paths = x_inverse @ (x.T @ (weights[:, None] * within[:, med_at]))
        paths = paths + x_inverse @ (x.T @ (weights[:, None] * (within[:, med_at] - x @ paths)))
        base = x_inverse @ (x.T @ (weights * y))
        base = base + x_inverse @ (x.T @ (weights * (y - x @ base)))
    u = y - z @ b
    v = within[:, med_at] - x @ paths
    treated = slice(len(base_at) - t, len(base_at))
    s_y, s_t, s_m = scales[-1], scales[c : c + t], scales[c + t : c + t + m]
    effect_scores = (z @ z_inverse)[:, len(base_at) :] * (weights * u)[:, None] * (s_y / s_m)
    x_influence = (x @ x_inverse)[:, treated] / s_t
    path_scores = (x_influence[:, :, None] * (weights[:, None] * v * s_m)[:, None, :]).reshape(len(y), t * m)
    effect = b[len(base_at) :] * s_y / s_m
    path = paths[treated] * s_m[None, :] / s_t[:, None]
    scores = (path[None] * effect_scores[:, None, :]).reshape(len(y), t * m) + path_scores * np.tile(effect, t)
    effect_cov = z_inverse[len(base_at) :, len(base_at) :] * float(weights @ u**2) / (df - m)
    effect_cov = effect_cov * np.outer(s_y / s_m, s_y / s_m)
    spread = (v * weights[:, None]).T @ v / df * np.outer(s_m, s_m)
    x_cov = x_inverse[treated, treated] / np.outer(s_t, s_t)
    path_cov = np.kron(x_cov, spread)
    weighted_path = np.vstack([np.diag(row) for row in path])
    iid = weighted_path @ effect_cov @ weighted_path.T + path_cov * np.outer(np.tile(effect, t), np.tile(effect, t))
    return Decomposition(
        base=base[treated] * s_y / s_t,
        full=b[treated] * s_y / s_t,
        effect=effect,
        path=path,
        parts=path * effect[None, :],
        scores=scores,
        path_scores=path_scores,
        effect_scores=effect_scores,
        iid=(iid + iid.T) / 2.0,
        path_error=np.sqrt(np.diag(path_cov)).reshape(t, m),
        effect_error=np.sqrt(np.diag(effect_cov)),
    )
