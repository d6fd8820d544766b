"""Anderson-Rubin (1949) test and confidence set: valid however weak the instruments are.

AR(b) tests that the instruments do not explain y - x b: the Wald statistic of pi(b) = r - q b with r and q the reduced
form and the first stage on the instruments, its covariance from the reduced-form residuals, as in ivreg2. The set of b
that are not rejected is found without a grid: W(b) <= c is c V(b) - pi(b)pi(b)' >= 0 in the sense of definiteness, V
and pi pi' are quadratic in b, so the boundaries are the real roots of a polynomial: of degree two for iid errors or one
instrument, else the real eigenvalues of a quadratic matrix polynomial of size l1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import linalg, stats

from analysis_py.estimators.iv_conventions import IvCounts
from analysis_py.estimators.iv_design import IvDesign
from analysis_py.inference.moments import MomentCovariance, quadratic


@dataclass(frozen=True)
class ArTest:
    """Joint test that all endogenous coefficients are zero: F(l1, df2) and the chi-squared form; None if singular."""

    f: float | None
    df1: int
    df2: int
    chi2: float | None

    @property
    def p_value(self) -> float | None:
        return None if self.f is None else float(stats.f.sf(self.f, self.df1, self.df2))

    @property
    def chi2_p_value(self) -> float | None:
        return None if self.chi2 is None else float(stats.chi2.sf(self.chi2, self.df1))


@dataclass(frozen=True)
class ConfidenceSet:
    """A set of real numbers: disjoint closed intervals in rising order, ends possibly infinite."""

    level: float
    intervals: tuple[tuple[float, float], ...]

    @property
    def kind(self) -> str:
        """``empty``, ``bounded``, ``whole line``, ``unbounded`` (one half-line or two) or ``several intervals``."""
        if not self.intervals:
            return "empty"
        ends = [e for pair in self.intervals for e in pair]
        if not np.isinf(ends).any():
            return "bounded" if len(self.intervals) == 1 else "several intervals"
        return "whole line" if len(self.intervals) == 1 and np.isinf(ends).all() else "unbounded"

    @property
    def hull(self) -> tuple[float, float]:
        """Smallest interval that contains the set; (NaN, NaN) where it is empty."""
        if not self.intervals:
            return float("nan"), float("nan")
        return self.intervals[0][0], self.intervals[-1][1]

    def contains(self, value: float) -> bool:
        return any(low <= value <= high for low, high in self.intervals)

    def __str__(self) -> str:
        if self.kind == "empty":
            return "empty"
        if self.kind == "whole line":
            return "the whole line"
        parts = []
        for low, high in self.intervals:
            left = "(-inf" if np.isinf(low) else f"[{low:.6g}"
            parts.append(f"{left}, {'inf)' if np.isinf(high) else f'{high:.6g}]'}")
        return " and ".join(parts)


def ar_test(design: IvDesign, counts: IvCounts, moments: MomentCovariance) -> ArTest:
    """Test that every endogenous variable has coefficient zero."""
    w, z = design.weights, design.z
    residual = design.y - z @ design.reduced
    if moments.is_iid:
        wald: float | None = float(design.reduced @ design.reduced) / (float(w @ residual**2) / counts.large_n)
    else:
        value = quadratic(moments.meat(z * (w * residual)[:, None]), design.reduced)
        wald = None if value is None else value * counts.robust_scale
    f = None if wald is None else counts.to_f(wald, counts.l1)
    return ArTest(f, counts.l1, counts.df_denominator, wald)


def ar_set(
    design: IvDesign, counts: IvCounts, moments: MomentCovariance, *, level: float = 0.95
) -> ConfidenceSet | None:
    """Values of the one endogenous coefficient that the F form of the test does not reject, in units of the data.

    None where there are several endogenous variables or the covariance is singular.
    """
    if counts.k1 != 1:
        return None
    critical = float(stats.f.ppf(level, counts.l1, counts.df_denominator))
    bound = counts.from_f(critical, counts.l1) / (1.0 if moments.is_iid else counts.robust_scale)
    w, z = design.weights, design.z
    r, q = design.reduced, design.slopes[:, 0]
    errors = np.column_stack([design.y - z @ r, design.x[:, 0] - z @ q])
    if moments.is_iid:
        s = errors.T @ (w[:, None] * errors) / counts.large_n
        coefficients = np.array([bound * s[1, 1] - q @ q, -2.0 * (bound * s[0, 1] - q @ r), bound * s[0, 0] - r @ r])
        intervals = where_positive(coefficients)
    else:
        scores = np.column_stack([z * (w * errors[:, i])[:, None] for i in (0, 1)])
        meat, l1 = moments.meat(scores), counts.l1
        v0, v1, v2 = meat[:l1, :l1], meat[:l1, l1:] + meat[l1:, :l1], meat[l1:, l1:]
        if quadratic(v0, r) is None or quadratic(v2, q) is None:
            return None
        if l1 == 1:
            coefficients = np.array(
                [bound * v2[0, 0] - q[0] ** 2, -(bound * v1[0, 0] - 2 * q[0] * r[0]), bound * v0[0, 0] - r[0] ** 2]
            )
            intervals = where_positive(coefficients)
        else:
            intervals = _by_eigenvalues(bound, (v0, v1, v2), r, q)
    unit = float(design.outcome.scale[0] / design.endogenous.scale[0])
    return ConfidenceSet(level, tuple((low * unit, high * unit) for low, high in intervals))


def where_positive(coefficients: np.ndarray) -> list[tuple[float, float]]:
    """Intervals on which a b^2 + m b + c >= 0."""
    a, m, c = (float(v) for v in coefficients)
    size = max(abs(a), abs(m), abs(c))
    if size == 0.0:
        return [(-np.inf, np.inf)]
    if abs(a) <= 1e-14 * size:
        if abs(m) <= 1e-14 * size:
            return [(-np.inf, np.inf)] if c >= 0 else []
        return [(-c / m, np.inf)] if m > 0 else [(-np.inf, -c / m)]
    discriminant = m * m - 4.0 * a * c
    if discriminant <= 0.0:
        return [(-np.inf, np.inf)] if a > 0 else []
    # the larger root in size first: no cancellation
    big = -(m + np.copysign(np.sqrt(discriminant), m)) / 2.0
    low, high = sorted((big / a, c / big if big else 0.0))
    return [(-np.inf, low), (high, np.inf)] if a > 0 else [(low, high)]


def _by_eigenvalues(
    bound: float, v: tuple[np.ndarray, np.ndarray, np.ndarray], r: np.ndarray, q: np.ndarray
) -> list[tuple[float, float]]:
    """Intervals on which (r - q b)' V(b)^-1 (r - q b) <= bound, V(b) = v0 - v1 b + v2 b^2."""
    l1 = len(r)

    def accepted(b: float) -> bool:
        # divided by 1 + b^2, so that far values do not overflow
        size = 1.0 + b * b
        value = quadratic((v[0] - v[1] * b + v[2] * (b * b)) / size, (r - q * b) / np.sqrt(size))
        return value is not None and value <= bound

    m0 = bound * v[0] - np.outer(r, r)
    m1 = -bound * v[1] + np.outer(r, q) + np.outer(q, r)
    m2 = bound * v[2] - np.outer(q, q)
    zero, one = np.zeros((l1, l1)), np.eye(l1)
    left = np.block([[zero, one], [-m0, -m1]])
    right = np.block([[one, zero], [zero, m2]])
    values = linalg.eigvals(left, right)
    finite = values[np.isfinite(values)]
    real = np.sort(finite[np.abs(finite.imag) <= 1e-7 * (1.0 + np.abs(finite))].real)
    edges = [-np.inf, *real.tolist(), np.inf]
    found: list[tuple[float, float]] = []
    for low, high in pairwise(edges):
        if not accepted(_between(low, high)):
            continue
        if found and found[-1][1] == low:
            found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return found


def _between(low: float, high: float) -> float:
    if np.isinf(low) and np.isinf(high):
        return 0.0
    if np.isinf(low):
        return high - (1.0 + abs(high))
    if np.isinf(high):
        return low + (1.0 + abs(low))
    return (low + high) / 2.0
