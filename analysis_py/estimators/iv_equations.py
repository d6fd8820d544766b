"""The equations of an instrumental-variables model: the structural one, its first stages and its reduced form.

Coefficients b come with influence rows H (n, p), b = H'W y, from which every covariance is made. For k-class estimates
H = H1 T + H2 with H1 that of the endogenous coefficients and H2 in the span of the exogenous columns and the constant;
the two are orthogonal, so iid covariances are sigma2 (T' bread T + H2'W H2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_py.estimators.iv_conventions import IvCounts
from analysis_py.estimators.iv_design import IvDesign
from analysis_py.estimators.kclass import KClass
from analysis_py.inference.covariance import symmetric
from analysis_py.inference.moments import MomentCovariance


@dataclass(frozen=True)
class Equation:
    """One estimated equation in the units of the data.

    ``terms`` (p) with ``estimate`` (p,) and ``vcov`` (p, p); the first ``slopes`` of them are slopes, a constant may
    follow. ``residuals`` (n,), ``rss`` their weighted sum of squares.
    """

    terms: tuple[str, ...]
    estimate: np.ndarray
    vcov: np.ndarray
    slopes: int
    residuals: np.ndarray
    rss: float


def structural_equation(
    design: IvDesign, solved: KClass, counts: IvCounts, moments: MomentCovariance, *, constant: bool
) -> Equation:
    """Coefficients of the endogenous variables, the exogenous ones and, where reported, the constant."""
    w, n = design.weights, len(design.y)
    k1, k2 = len(design.endogenous), len(design.exogenous)
    both = design.exogenous_coefficients(np.column_stack([design.outcome.values, design.endogenous.values]))
    gamma = both[:, 1:]
    beta2 = both[:, 0] - gamma @ solved.coefficients
    inverse = _inverse_gram(design.exogenous.values, w)
    second = design.exogenous.values @ inverse
    transform = np.column_stack([np.eye(k1), -gamma.T])
    exogenous = np.column_stack([np.zeros((n, k1)), second])
    coefficients = np.concatenate([solved.coefficients, beta2])
    scale = np.concatenate([design.endogenous.scale, design.exogenous.scale])
    to_units = design.outcome.scale[0] / scale
    terms = [*design.endogenous.names, *design.exogenous.names]
    if constant:
        means = np.concatenate([design.endogenous.mean, design.exogenous.mean]) / scale
        transform = np.column_stack([transform, -transform @ means])
        exogenous = np.column_stack([exogenous, 1.0 / n - exogenous @ means])
        coefficients = np.append(coefficients, design.outcome.mean[0] / design.outcome.scale[0] - means @ coefficients)
        to_units = np.append(to_units, design.outcome.scale[0])
        terms.append("_cons")
    residuals, rss = solved.residuals, float(w @ solved.residuals**2)
    if moments.is_iid:
        middle = transform.T @ solved.bread @ transform + (exogenous * w[:, None]).T @ exogenous
        vcov = rss / counts.sigma2_divisor() * middle
    else:
        influence = solved.influence @ transform + exogenous
        vcov = counts.sandwich_factor() * moments.meat(influence * (w * residuals)[:, None])
    unit = float(design.outcome.scale[0])
    return Equation(
        terms=tuple(terms),
        estimate=coefficients * to_units,
        vcov=symmetric(vcov * np.outer(to_units, to_units)),
        slopes=k1 + k2,
        residuals=residuals * unit,
        rss=rss * unit**2,
    )


def projection_equation(
    design: IvDesign, position: int | None, counts: IvCounts, moments: MomentCovariance, *, constant: bool
) -> Equation:
    """Least squares of one endogenous variable (its position; None: of the outcome) on instruments and exogenous ones.

    Errors are small-sample ones whatever the main equation's, as ivreg2 prints its first stages.
    """
    w, n = design.weights, len(design.y)
    source = design.outcome if position is None else design.endogenous
    j = 0 if position is None else position
    target = source.values[:, j]
    columns = np.column_stack([design.instruments.values, design.exogenous.values])
    scale = np.concatenate([design.instruments.scale, design.exogenous.scale])
    inverse = _inverse_gram(columns, w)
    influence = columns @ inverse
    coefficients = influence.T @ (w * target)
    coefficients = coefficients + influence.T @ (w * (target - columns @ coefficients))
    residuals = target - columns @ coefficients
    to_units = source.scale[j] / scale
    terms = [*design.instruments.names, *design.exogenous.names]
    slopes = len(terms)
    if constant:
        means = np.concatenate([design.instruments.mean, design.exogenous.mean]) / scale
        influence = np.column_stack([influence, 1.0 / n - influence @ means])
        coefficients = np.append(coefficients, source.mean[j] / source.scale[j] - means @ coefficients)
        to_units = np.append(to_units, source.scale[j])
        terms.append("_cons")
    rss = float(w @ residuals**2)
    if moments.is_iid:
        divisor = counts.sigma2_divisor(counts.l_total, small=True)
        vcov = rss / divisor * (influence * w[:, None]).T @ influence
    else:
        factor = counts.sandwich_factor(counts.l_total, small=True)
        vcov = factor * moments.meat(influence * (w * residuals)[:, None])
    unit = float(source.scale[j])
    return Equation(
        terms=tuple(terms),
        estimate=coefficients * to_units,
        vcov=symmetric(vcov * np.outer(to_units, to_units)),
        slopes=slopes,
        residuals=residuals * unit,
        rss=rss * unit**2,
    )


def _inverse_gram(columns: np.ndarray, weights: np.ndarray) -> np.ndarray:
    if not columns.shape[1]:
        return np.empty((0, 0))
    r = np.linalg.qr(np.sqrt(weights)[:, None] * columns, mode="r")
    half = np.linalg.inv(r)
    return np.asarray(half @ half.T)
