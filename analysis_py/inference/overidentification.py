"""Sargan and Hansen J tests of overidentifying restrictions, and tests that a regressor is exogenous.

- Sargan (1958)  e'Pz e / (RSS/(N-d)); Hansen (1982) J of two-step GMM with S from the first step's residuals
- C statistic (difference of J): J of the model in which the tested regressors are their own instruments less J of the
  model as it is, both with the S of the former, so that C >= 0 (Hayashi 2000, p. 220). Under iid errors this is
  Durbin's (1954) statistic
- Wu-Hausman: F of the first-stage residuals added to the least-squares regression, under the model's covariance

Exogenous regressors are partialled out first, which changes none of these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis_py.estimators.iv_conventions import IvCounts
from analysis_py.estimators.iv_design import IvDesign
from analysis_py.inference.identification import ChiSquared
from analysis_py.inference.moments import MomentCovariance, quadratic


def overidentification_test(
    design: IvDesign, counts: IvCounts, moments: MomentCovariance, residuals: np.ndarray
) -> ChiSquared:
    """Sargan under iid errors, Hansen J otherwise; 0 with 0 degrees of freedom where exactly identified."""
    df = counts.l1 - counts.k1
    if df == 0:
        return ChiSquared(0.0, 0)
    w, z = design.weights, design.z
    if moments.is_iid:
        sums = z.T @ (w * residuals)
        return ChiSquared(float(sums @ sums) / (float(w @ residuals**2) / counts.large_n), df)
    return ChiSquared(_j(z, design, counts, moments.meat(z * (w * residuals)[:, None])), df)


def endogeneity_test(design: IvDesign, counts: IvCounts, moments: MomentCovariance) -> ChiSquared:
    """C statistic that all endogenous variables are exogenous, chi2(k1)."""
    w, z, x, y = design.weights, design.z, design.x, design.y
    b = np.linalg.solve(x.T @ (w[:, None] * x), x.T @ (w * y))
    residual = y - x @ b
    # the same span as instruments and tested regressors together, the instruments first
    root = np.sqrt(w)[:, None]
    q, _ = np.linalg.qr(root * (x - z @ design.slopes))
    wide = np.column_stack([z, q / root])
    if moments.is_iid:
        omega = np.eye(wide.shape[1]) * (float(w @ residual**2) / counts.large_n) * counts.robust_scale
    else:
        omega = moments.meat(wide * (w * residual)[:, None])
    restricted = _j(wide, design, counts, omega)
    l1 = z.shape[1]
    full = _j(z, design, counts, omega[:l1, :l1]) if l1 > x.shape[1] else 0.0
    if restricted is None or full is None:
        return ChiSquared(None, counts.k1)
    return ChiSquared(max(restricted - full, 0.0), counts.k1)


def _j(z: np.ndarray, design: IvDesign, counts: IvCounts, omega: np.ndarray) -> float | None:
    """J of two-step GMM with moment covariance ``omega`` of the sums z'We."""
    w = design.weights
    zx, zy = z.T @ (w[:, None] * design.x), z.T @ (w * design.y)
    scale = np.sqrt(np.diag(omega).clip(min=0.0))
    if not (scale > 0).all():
        return None
    values, vectors = np.linalg.eigh(omega / np.outer(scale, scale))
    if values[0] <= 1e-10 * values[-1]:
        return None
    half = (vectors / np.sqrt(values)).T / scale
    a, b = half @ zx, half @ zy
    q, _ = np.linalg.qr(a)
    left = b - q @ (q.T @ b)
    return float(left @ left) * counts.robust_scale


@dataclass(frozen=True)
class FTest:
    """An F statistic; None where its covariance is singular."""

    statistic: float | None
    df1: int
    df2: int

    @property
    def p_value(self) -> float | None:
        return None if self.statistic is None else float(stats.f.sf(self.statistic, self.df1, self.df2))


def wu_hausman_test(design: IvDesign, counts: IvCounts, moments: MomentCovariance) -> FTest:
    """F that the first-stage residuals have no effect beside the endogenous variables (control function)."""
    w, x = design.weights, design.x
    wide = np.column_stack([x, x - design.z @ design.slopes])
    inverse = np.linalg.inv(wide.T @ (w[:, None] * wide))
    b = inverse @ (wide.T @ (w * design.y))
    residual = design.y - wide @ b
    k1, parameters = counts.k1, counts.k + counts.k1
    tested = b[k1:]
    df2 = counts.df_t if counts.clustered else counts.df_resid - k1
    if df2 < 1:
        return FTest(None, k1, df2)
    if moments.is_iid:
        vcov = float(w @ residual**2) / df2 * inverse
    else:
        vcov = counts.sandwich_factor(parameters, small=True) * (
            inverse @ moments.meat(wide * (w * residual)[:, None]) @ inverse
        )
    wald = quadratic(vcov[k1:, k1:], tested)
    return FTest(None if wald is None else wald / k1, k1, df2)
