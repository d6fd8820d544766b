"""What a threshold model hands back: frozen records; arrays in the order said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.threshold_grid import ThresholdSpec


@dataclass(frozen=True)
class ThresholdEstimate:
    """One threshold of the final model, in the order of estimation.

    ``cut`` is the largest observed value of the regime below it. The interval holds every candidate that the
    likelihood-ratio test accepts at 5%, from the lowest to the highest; ``is_connected`` says whether it accepts all
    between. None for a threshold that was given.
    """

    order: int
    value: float
    cut: float
    ci_low: float | None
    ci_high: float | None
    is_connected: bool
    reaches_edge: bool


@dataclass(frozen=True)
class ThresholdTest:
    """k thresholds against k - 1: F with its bootstrap.

    ``under_null`` are the thresholds of the null, ``value`` the one added; ``ssr_null`` and ``ssr`` the sums of squared
    residuals; ``p_value`` and ``critical`` (by level) are None and empty without draws.
    """

    order: int
    under_null: tuple[float, ...]
    value: float
    ssr_null: float
    ssr: float
    f: float
    p_value: float | None
    critical: Mapping[str, float]
    draws: int
    resample: str | None


@dataclass(frozen=True)
class LikelihoodCurve:
    """LR(g) = (SSR(g) - SSR) / (SSR / df) over the candidates x (k,) for one threshold, the others held."""

    order: int
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class RegimeShares:
    """How the sample falls into the R regimes.

    ``times`` (T,) in order, ``share`` (T, R) of each time's observations (each of them a unit), ``n_obs`` (R,),
    ``n_units`` (R,) units that are ever in the regime, ``n_switching`` units seen in more than one.
    """

    times: np.ndarray
    share: np.ndarray
    n_obs: np.ndarray
    n_units: np.ndarray
    n_all_units: int
    n_switching: int


@dataclass(frozen=True)
class ThresholdResult:
    """A fitted panel threshold model.

    ``thresholds`` in the order of estimation, ``regimes`` (labels) and ``regime`` (n,) from the lowest values up.
    ``regression`` holds the coefficients given the thresholds; ``term_regimes`` names, for each of its terms, the
    variable and the regime (None where it has none). ``degrees`` is what F and LR are scaled by, ``degrees_name`` its
    formula. ``used_rows`` are positions in the frame given, the rows of ``regime`` and of the residuals.
    """

    spec: ThresholdSpec
    convention: str
    thresholds: tuple[ThresholdEstimate, ...]
    tests: tuple[ThresholdTest, ...]
    curves: tuple[LikelihoodCurve, ...]
    regimes: tuple[str, ...]
    regime: np.ndarray
    regression: RegressionResult
    term_regimes: tuple[tuple[str, str | None], ...]
    shares: RegimeShares
    degrees: float
    degrees_name: str
    n_candidates: int
    messages: tuple[str, ...]
    notes: tuple[str, ...]
