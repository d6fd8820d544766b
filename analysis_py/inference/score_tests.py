"""Score tests of an instrumental-variables model, and the overidentification tests that Stata's ``ivregress`` prints.

- Stock & Wright (2000) S: the score form of the Anderson-Rubin test, g' V^-1 g with g the moments of instruments,
  exogenous regressors and constant at b1 = 0 and b2 of least squares (zero but for the instruments) and V their
  covariance, as in ivreg2; absorbed effects are no moments, as with its ``partial``
- Basmann (1960): S (N-L)/(N-S) with S that of Sargan; iid errors only
- Anderson & Rubin (1950) of LIML: N ln(lambda), and its linear form N (lambda - 1); iid errors only
- Wooldridge (1995): robust score tests, N less the residual sum of squares of ones on the products e_i r_i. For
  endogeneity e are the least-squares residuals and r the first-stage residuals free of all regressors; for
  overidentification e are the residuals of 2SLS and r the instruments free of the first-stage fits. Robust to unequal
  variances of independent rows, so they stand beside ``hc1`` alone

Sources: Stata 18 [R] ivregress postestimation, Methods and formulas; Wooldridge (1995) in Maddala, Phillips &
Srinivasan (eds), Advances in Econometrics and Quantitative Economics, 66-87.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_py.estimators.iv_conventions import IvCounts
from analysis_py.estimators.iv_design import IvDesign
from analysis_py.estimators.kclass import KClass
from analysis_py.inference.identification import ChiSquared
from analysis_py.inference.moments import MomentCovariance, quadratic


@dataclass(frozen=True)
class ScoreTests:
    """The tests of one model; None where one does not belong to its covariance or estimator, or nothing is to test."""

    stock_wright: ChiSquared
    basmann: ChiSquared | None
    liml_ratio: ChiSquared | None
    liml_linear: ChiSquared | None
    endogeneity: ChiSquared | None
    overidentification: ChiSquared | None


def run_score_tests(
    design: IvDesign, counts: IvCounts, moments: MomentCovariance, solved: KClass, sargan: float | None
) -> ScoreTests:
    """Compute the tests; ``sargan`` is the model's Sargan statistic, None where its covariance is not iid."""
    over = counts.l1 - counts.k1
    basmann = liml_ratio = liml_linear = score_endogeneity = score_over = None
    if over > 0 and moments.is_iid:
        if sargan is not None:
            basmann = ChiSquared(sargan * counts.df_first / (counts.large_n - sargan), over)
        if solved.method == "liml" and solved.eigenvalue is not None:
            liml_ratio = ChiSquared(counts.large_n * float(np.log(solved.eigenvalue)), over)
            liml_linear = ChiSquared(counts.large_n * (solved.eigenvalue - 1.0), over)
    if moments.spec.type == "hc1":
        score_endogeneity = ChiSquared(_score_of_endogeneity(design), counts.k1)
        if over > 0 and solved.method == "2sls":
            score_over = ChiSquared(_score_of_overidentification(design, solved.residuals), over)
    return ScoreTests(
        _stock_wright(design, counts, moments), basmann, liml_ratio, liml_linear, score_endogeneity, score_over
    )


def _stock_wright(design: IvDesign, counts: IvCounts, moments: MomentCovariance) -> ChiSquared:
    w, y, z = design.weights, design.y, design.z
    sums = design.reduced
    if moments.is_iid:
        return ChiSquared(counts.large_n * float(sums @ sums) / float(w @ y**2), counts.l1)
    columns = [z, design.exogenous.values]
    if not design.sample.fixed_effects:
        columns.append(np.ones((len(y), 1)))
    everything = np.column_stack(columns)
    gradient = np.concatenate([sums, np.zeros(everything.shape[1] - len(sums))])
    value = quadratic(moments.meat(everything * (w * y)[:, None]), gradient)
    return ChiSquared(None if value is None else value * counts.robust_scale, counts.l1)


def _score_of_endogeneity(design: IvDesign) -> float | None:
    w, x, y = design.weights, design.x, design.y
    errors = _free_of(x, w, y[:, None])
    moved = _free_of(x, w, x - design.z @ design.slopes)
    return _ones_explained(moved * (w[:, None] * errors))


def _score_of_overidentification(design: IvDesign, residuals: np.ndarray) -> float | None:
    w, z = design.weights, design.z
    # the instruments' directions that the first-stage fits leave over; which basis of them is no matter
    left, _, _ = np.linalg.svd(design.slopes, full_matrices=True)
    return _ones_explained((z @ left[:, design.slopes.shape[1] :]) * (w * residuals)[:, None])


def _free_of(columns: np.ndarray, weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    root = np.sqrt(weights)[:, None]
    q, _ = np.linalg.qr(root * columns)
    return np.asarray(values - (q @ (q.T @ (root * values))) / root)


def _ones_explained(products: np.ndarray) -> float | None:
    """Explained sum of squares of a column of ones on the products; None where these are collinear."""
    return quadratic(products.T @ products, products.sum(axis=0))
