"""Covariances of linear estimators, all from one object: the influence of each observation.

A linear estimate is theta = H'W y with influence rows H (n, p) and weights W. With residuals e the covariances are

- iid      sigma2 * H'WH
- HC0      S'S with scores S = W e H, row by row; HC1 times N/(N-K); HC2 and HC3 with e/sqrt(1-h) and e/(1-h)
- cluster  the same with scores summed within clusters, times G/(G-1) * (N-1)/(N-K); several cluster variables by
           inclusion and exclusion over their intersections (Cameron, Gelbach & Miller 2011), G the smallest number
- CR2, CR3 cluster on residuals corrected beforehand, see :mod:`analysis_py.inference.bias_reduced`
- Conley   sum over pairs of locations a, b of k(d_ab) S_a S_b' (Conley 1999)
- Driscoll-Kraay  Newey-West on the scores summed within periods (Driscoll & Kraay 1998)

The factors come from :mod:`analysis_py.inference.small_sample`; nothing here knows a convention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.factors import Factor, intersect
from analysis_py.estimators.result import CLUSTER_TYPES, CovarianceSpec
from analysis_py.inference.conley import conley_covariance

#: Leverage above which an observation is fitted exactly, so that its residual says nothing.
_FULL_LEVERAGE = 1.0 - 1e-9
#: Below this share of the sum over rows alone a sum over pairs is rounding.
_VANISHING = 1e-16


def iid_covariance(influence: np.ndarray, weights: np.ndarray, sigma2: float) -> np.ndarray:
    """sigma2 * H'WH, shape (p, p)."""
    return symmetric(sigma2 * (influence * weights[:, None]).T @ influence)


def hc_covariance(scores: np.ndarray, leverage: np.ndarray | None = None, power: float = 0.0) -> np.ndarray:
    """Sum of outer products of scores (n, p), each divided by (1-h)^power: 0 for HC0, 1/2 for HC2, 1 for HC3.

    An observation of leverage one has residual zero and adds nothing.
    """
    if power and leverage is not None:
        divisor = np.where(leverage < _FULL_LEVERAGE, 1.0 - leverage, 1.0) ** power
        scores = np.where((leverage < _FULL_LEVERAGE)[:, None], scores / divisor[:, None], 0.0)
    return symmetric(scores.T @ scores)


def sum_by(factor: Factor, scores: np.ndarray) -> np.ndarray:
    """Scores summed within the levels of a factor, shape (levels, p), in the order of the rows."""
    summed = np.empty((factor.levels, scores.shape[1]))
    for j in range(scores.shape[1]):
        summed[:, j] = np.bincount(factor.codes, scores[:, j], factor.levels)
    return summed


def cluster_covariance(scores: np.ndarray, clusters: Sequence[Factor]) -> np.ndarray:
    """Clustered sum of outer products, by inclusion and exclusion where there are several cluster variables."""
    total = np.zeros((scores.shape[1], scores.shape[1]))
    for size in range(1, len(clusters) + 1):
        for chosen in combinations(clusters, size):
            summed = sum_by(intersect(chosen), scores)
            total += (1.0 if size % 2 else -1.0) * (summed.T @ summed)
    return symmetric(total)


def driscoll_kraay_covariance(scores: np.ndarray, periods: Factor, lag: int) -> np.ndarray:
    """Newey-West with Bartlett weights 1 - l/(lag+1) on the scores summed by period, periods in their own order."""
    summed = sum_by(periods, scores)
    total = summed.T @ summed
    for step in range(1, min(lag, periods.levels - 1) + 1):
        shifted = summed[step:].T @ summed[:-step]
        total += (1.0 - step / (lag + 1.0)) * (shifted + shifted.T)
    return symmetric(total)


def default_lag(periods: int) -> int:
    """Lag of Driscoll-Kraay where none is given: floor(4 (T/100)^(2/9)) (Newey & West 1994; Stata's xtscc)."""
    return int(np.floor(4.0 * (periods / 100.0) ** (2.0 / 9.0)))


def symmetric(matrix: np.ndarray) -> np.ndarray:
    """The matrix with the rounding of its two halves averaged."""
    return (matrix + matrix.T) / 2.0


def repair_definiteness(vcov: np.ndarray, slopes: int) -> tuple[np.ndarray, bool]:
    """Negative eigenvalues set to zero (Cameron, Gelbach & Miller 2011), and whether there was one.

    As in reghdfe and fixest the repair is made on the matrix in the units of the regressors, and the block of the
    first ``slopes`` coefficients is repaired by itself, so that it does not depend on whether a constant is reported.
    Whether a repair is due is judged on a common scale; eigenvalues negative by rounding alone do not count.
    """
    if not _is_indefinite(vcov):
        return vcov, False
    repaired = _without_negative(vcov)
    block = vcov[:slopes, :slopes]
    repaired[:slopes, :slopes] = _without_negative(block) if _is_indefinite(block) else block
    return repaired, True


def _is_indefinite(vcov: np.ndarray) -> bool:
    if vcov.size == 0:
        return False
    scale = np.sqrt(np.abs(np.diag(vcov)))
    scale = np.where(scale > 0, scale, 1.0)
    values = np.linalg.eigvalsh(symmetric(vcov / np.outer(scale, scale)))
    return bool(values[0] < -1e-10 * max(values[-1], 1e-300))


def _without_negative(vcov: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(symmetric(vcov))
    return symmetric((vectors * np.maximum(values, 0.0)) @ vectors.T)


def wald_f(estimate: np.ndarray, vcov: np.ndarray) -> float | None:
    """Wald statistic of all coefficients being zero, divided by their number; None where the covariance is singular."""
    if estimate.size == 0:
        return None
    scale = np.sqrt(np.diag(vcov).clip(min=0.0))
    if not np.all(scale > 0):
        return None
    correlation = symmetric(vcov / np.outer(scale, scale))
    values, vectors = np.linalg.eigh(correlation)
    if values[0] <= 1e-12 * values[-1]:
        return None
    rotated = vectors.T @ (estimate / scale)
    return float(np.sum(rotated**2 / values) / estimate.size)


def check_positive(value: object, name: str) -> float:
    """A positive finite number from a study's option; ``CP-EST-COVARIANCE`` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value) or value <= 0:
        raise CarbonpanelError(
            "CP-EST-COVARIANCE", f"`{name}` must be a positive number, not {value!r}", remedy=f"for example {name}: 200"
        )
    return float(value)


@dataclass(frozen=True)
class KernelOptions:
    """Options of the covariances that weigh neighbours in time or space, as given or by default.

    ``periods`` is the time factor of Driscoll-Kraay.
    """

    spec: CovarianceSpec
    periods: Factor | None = None

    @property
    def lag(self) -> int:
        """Lag of Driscoll-Kraay: as given, else :func:`default_lag`."""
        lag = self.spec.option("lag")
        if lag is None:
            return default_lag(0 if self.periods is None else self.periods.levels)
        if isinstance(lag, bool) or not isinstance(lag, int) or lag < 0:
            raise CarbonpanelError(
                "CP-EST-COVARIANCE", f"`lag` must be a whole number from 0, not {lag!r}", remedy="for example lag: 2"
            )
        return lag

    @property
    def kernel(self) -> str:
        """Kernel of Conley's covariance: ``uniform`` unless the study says ``bartlett``."""
        kernel = str(self.spec.option("kernel", "uniform"))
        if kernel not in ("uniform", "bartlett"):
            raise CarbonpanelError(
                "CP-EST-COVARIANCE", f"unknown kernel '{kernel}'", remedy="kernel: uniform or bartlett"
            )
        return kernel

    @property
    def cutoff_km(self) -> float:
        """Distance beyond which Conley's covariance takes errors as independent."""
        return check_positive(self.spec.option("cutoff_km"), "cutoff_km")

    @property
    def named(self) -> tuple[tuple[str, object], ...]:
        """Kernel, cutoff and lag that were used, given or chosen."""
        if self.spec.type == "driscoll_kraay":
            return (("kernel", "bartlett"), ("lag", self.lag))
        if self.spec.type == "conley":
            return (("kernel", self.kernel), ("cutoff_km", self.cutoff_km))
        return ()


@dataclass(frozen=True)
class VcovMaker:
    """Everything a covariance needs but the influence: made once, used for the slopes and for joint tests.

    ``sigma2`` is RSS/(N-K); ``factor`` the small-sample factor of every type but iid, HC2 and HC3; ``leverage``
    is needed for HC2 and HC3 alone, ``periods`` for Driscoll-Kraay, ``coordinates`` (n, 2) for Conley.
    """

    spec: CovarianceSpec
    weights: np.ndarray
    residuals: np.ndarray
    sigma2: float
    factor: float
    clusters: Sequence[Factor] = ()
    periods: Factor | None = None
    coordinates: np.ndarray | None = None
    leverage: np.ndarray | None = None

    @property
    def options(self) -> KernelOptions:
        """Kernel, cutoff and lag, given or chosen."""
        return KernelOptions(self.spec, self.periods)

    def make(self, influence: np.ndarray, slopes: int) -> tuple[np.ndarray, list[str]]:
        """Covariance (p, p) of estimates with influence rows (n, p), the first ``slopes`` of them slopes; messages."""
        kind = self.spec.type
        if kind == "iid":
            return iid_covariance(influence, self.weights, self.sigma2), []
        scores = influence * (self.weights * self.residuals)[:, None]
        if kind in ("hc1", "hc2", "hc3"):
            power = {"hc1": 0.0, "hc2": 0.5, "hc3": 1.0}[kind]
            return self.factor * hc_covariance(scores, self.leverage, power), self._leverage_messages()
        if kind in CLUSTER_TYPES:
            summed = cluster_covariance(scores, self.clusters)
            nothing = vanishing(summed, scores)
            vcov, repaired = self.factor * summed, False
            if len(self.clusters) > 1:
                vcov, repaired = repair_definiteness(vcov, slopes)
            vcov[nothing, :] = vcov[:, nothing] = np.nan
            messages = [_REPAIRED] if repaired else []
            return vcov, [*messages, *([_NO_CLUSTER_ERRORS] if nothing.any() else [])]
        elif kind == "driscoll_kraay" and self.periods is not None:
            return self.factor * driscoll_kraay_covariance(scores, self.periods, self.options.lag), []
        elif kind == "conley" and self.coordinates is not None:
            lon, lat = self.coordinates.T
            joined = conley_covariance(scores, lon, lat, self.options.cutoff_km, self.options.kernel)
            refuse_vanishing(joined, scores, self.spec)
            vcov = self.factor * joined
        else:
            raise ValueError(f"covariance {kind!r} lacks what it is computed from")
        vcov, repaired = repair_definiteness(vcov, slopes)
        return vcov, [_REPAIRED] if repaired else []

    def _leverage_messages(self) -> list[str]:
        if self.leverage is None:
            return []
        full = int((self.leverage >= _FULL_LEVERAGE).sum())
        return [f"observations of leverage one, which add nothing to {self.spec.label}: {full}"] if full else []


def vanishing(meat: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Which sums of scores (p,) are zero but for rounding, while the scores themselves are not."""
    alone = (scores**2).sum(axis=0)
    return np.asarray((np.abs(np.diag(meat)) <= _VANISHING * alone) & (alone > 0))


def refuse_vanishing(meat: np.ndarray, scores: np.ndarray, spec: CovarianceSpec) -> None:
    """Raise ``CP-EST-COVARIANCE`` where scores add up to zero over the rows that are joined: so would the errors."""
    if not vanishing(meat, scores).any():
        return
    if spec.type == "conley":
        what = f"{spec.label} joins every row with every other: the scores add up to zero, and so would the errors"
        raise CarbonpanelError("CP-EST-COVARIANCE", what, remedy="choose a smaller cutoff_km, or kernel: bartlett")
    what = "the scores of every cluster add up to zero, and so would the errors"
    raise CarbonpanelError("CP-EST-COVARIANCE", what, remedy="cluster by another column, or widen the sample")


_NO_CLUSTER_ERRORS = "the scores of every cluster add up to zero: coefficients without an error have no clustered one"
_REPAIRED = (
    "the covariance was not positive semi-definite: its negative eigenvalues were set to zero "
    "(Cameron, Gelbach & Miller 2011)"
)
