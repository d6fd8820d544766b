"""Marginal effects over a moderator and the values of it at which they are significant (Johnson & Neyman 1936).

The slope of the outcome in x at moderator m is b1 + b3 m with variance v11 + 2 m v13 + m^2 v33. It is significant where
(b1 + b3 m)^2 > t^2 (v11 + 2 m v13 + m^2 v33), a quadratic in m whose roots bound the region.

Looking at many values of m is many tests: the region that keeps the false discovery rate raises t by Benjamini-Hochberg
over 1,001 values across the moderator's range (Esarey & Sumner 2018, Comparative Political Studies 51:1144-1176, as the
R packages interactionTest and interactions do it). Sources: Bauer & Curran (2005), Multivariate Behavioral Research
40:373-400; Hainmueller, Mummolo & Xu (2019), Political Analysis 27:163-192.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis_py.errors import CarbonpanelError

#: Values of the moderator at which p-values are adjusted.
FDR_STEPS = 1000


@dataclass(frozen=True)
class Margins:
    """Marginal effects with their confidence limits, each of shape (m,)."""

    at: np.ndarray
    slope: np.ndarray
    std_error: np.ndarray
    statistic: np.ndarray
    p_value: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Region:
    """Where the slope is significant.

    Attributes
    ----------
    low, high : the bounds, None where the quadratic has no root there (``high`` is None also for a single root).
    kind : ``inside`` or ``outside`` the bounds, ``below`` or ``above`` a single one, ``everywhere`` or ``nowhere``.
    critical : the t used.
    """

    low: float | None
    high: float | None
    kind: str
    critical: float

    def holds(self, at: np.ndarray) -> np.ndarray:
        """Whether the slope is significant at each value (m,)."""
        if self.kind in ("everywhere", "nowhere"):
            return np.full(np.shape(at), self.kind == "everywhere")
        low = -np.inf if self.low is None else self.low
        if self.kind == "below":
            return np.asarray(at) < low
        if self.kind == "above":
            return np.asarray(at) > low
        high = np.inf if self.high is None else self.high
        inside = (np.asarray(at) > low) & (np.asarray(at) < high)
        return inside if self.kind == "inside" else ~inside & (np.asarray(at) != low) & (np.asarray(at) != high)

    def describe(self, name: str) -> str:
        """In words, ``name`` being the moderator."""
        if self.kind == "everywhere":
            return f"significant at every value of {name}"
        if self.kind == "nowhere":
            return f"significant at no value of {name}"
        if self.kind in ("below", "above"):
            return f"significant where {name} {'<' if self.kind == 'below' else '>'} {self.low:.6g}"
        if self.kind == "inside":
            return f"significant where {self.low:.6g} < {name} < {self.high:.6g}"
        return f"significant where {name} < {self.low:.6g} or {name} > {self.high:.6g}"


def marginal_effects(
    estimate: tuple[float, float], vcov: np.ndarray, at: np.ndarray, *, df: float, level: float = 0.95
) -> Margins:
    """Slopes b1 + b3 m at the values ``at`` (m,).

    Parameters
    ----------
    estimate : (b1, b3), the coefficients of x and of x times the moderator.
    vcov : (2, 2) their covariance.
    df : degrees of freedom of t; infinity for the normal.
    """
    at = np.asarray(at, dtype=float)
    slope = estimate[0] + estimate[1] * at
    variance = vcov[0, 0] + 2.0 * at * vcov[0, 1] + at**2 * vcov[1, 1]
    error = np.sqrt(np.where(variance > 0, variance, np.nan))
    statistic = slope / error
    wide = float(stats.t.ppf(0.5 + level / 2, df))
    return Margins(
        at, slope, error, statistic, 2.0 * stats.t.sf(np.abs(statistic), df), slope - wide * error, slope + wide * error
    )


def significance_region(
    estimate: tuple[float, float], vcov: np.ndarray, *, df: float, alpha: float = 0.05, critical: float | None = None
) -> Region:
    """The Johnson-Neyman region at ``alpha`` (or at a given critical t).

    Raises ``CP-EST-MARGINS`` for coefficients or covariances that are not finite.
    """
    t = float(stats.t.ppf(1.0 - alpha / 2.0, df)) if critical is None else critical
    b1, b3 = estimate
    if not (np.isfinite([b1, b3]).all() and np.isfinite(vcov).all() and np.isfinite(t)):
        raise CarbonpanelError(
            "CP-EST-MARGINS", "the region needs finite coefficients, covariance and degrees of freedom"
        )
    a = b3**2 - t**2 * vcov[1, 1]
    b = 2.0 * (b1 * b3 - t**2 * vcov[0, 1])
    c = b1**2 - t**2 * vcov[0, 0]
    if a == 0.0:
        if b == 0.0:
            return Region(None, None, "everywhere" if c > 0 else "nowhere", t)
        return Region(float(-c / b), None, "above" if b > 0 else "below", t)
    discriminant = b**2 - 4.0 * a * c
    if discriminant <= 0:
        return Region(None, None, "everywhere" if a > 0 else "nowhere", t)
    # the root of larger size first, the other from the product of the roots: no cancellation
    half = -(b + np.copysign(np.sqrt(discriminant), b)) / 2.0
    low, high = sorted((float(half / a), float(c / half)))
    return Region(low, high, "outside" if a > 0 else "inside", t)


def discovery_critical(
    estimate: tuple[float, float], vcov: np.ndarray, span: tuple[float, float], *, df: float, alpha: float = 0.05
) -> float:
    """Critical t that keeps the false discovery rate over the moderator's range ``span``.

    The largest i of the n ordered p-values with p_(i) <= alpha i / n gives t at alpha i / n; with none, i = 1.
    """
    at = np.linspace(span[0], span[1], FDR_STEPS + 1)
    p_values = np.sort(marginal_effects(estimate, vcov, at, df=df).p_value)
    shares = np.arange(1, len(at) + 1) / len(at)
    passed = np.flatnonzero(p_values <= alpha * shares)
    share = shares[passed[-1]] if len(passed) else shares[0]
    return float(stats.t.ppf(1.0 - alpha * share / 2.0, df))
