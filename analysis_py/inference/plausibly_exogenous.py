"""Bounds when instruments are only nearly excluded (Conley, Hansen & Rossi 2012, Review of Economics and Statistics
94:260-272): y = x b + z g + controls, g in stated intervals; the union over g of the intervals of b given g.

Given g the estimate is that of y - z g, so it is linear in g and its standard error is the root of a quadratic form in
g, hence convex: lower limits are concave and upper limits convex in g, and the union over a box is reached at its
corners.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from analysis_py.errors import CarbonpanelError, did_you_mean

#: More instruments with an interval than this make too many corners.
MOST_INTERVALS = 12

#: Estimates and standard errors of the endogenous coefficients for direct effects g (units of y per unit of z).
Refit = Callable[[Mapping[str, float]], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class PlausibleBounds:
    """Union of confidence intervals, (k1,) arrays ``low`` and ``high``; ``ranges`` are the intervals of g given."""

    ranges: Mapping[str, tuple[float, float]]
    level: float
    low: np.ndarray
    high: np.ndarray


def plausible_bounds(
    ranges: Mapping[str, tuple[float, float]],
    instruments: tuple[str, ...],
    refit: Refit,
    quantile: float,
    *,
    level: float = 0.95,
) -> PlausibleBounds:
    """Union of confidence intervals over the corners of the box of direct effects.

    Parameters
    ----------
    ranges : (low, high) of the direct effect of each instrument named; others are excluded exactly.
    instruments : the instruments of the model, for checking names.
    refit : the model refitted with the direct effects given.
    quantile : of the estimator's t or normal distribution at ``level``.

    Raises ``CP-EST-PLAUSIBLE`` for a name that is no instrument, an interval that falls, or too many of them.
    """
    for name, (low, high) in ranges.items():
        if name not in instruments:
            raise CarbonpanelError(
                "CP-EST-PLAUSIBLE", f"'{name}' is no instrument of the model", remedy=did_you_mean(name, instruments)
            )
        if not low <= high:
            raise CarbonpanelError(
                "CP-EST-PLAUSIBLE",
                f"the direct effect of '{name}' goes from {low:g} down to {high:g}",
                remedy="write [low, high]",
            )
    if len(ranges) > MOST_INTERVALS:
        raise CarbonpanelError(
            "CP-EST-PLAUSIBLE",
            f"{len(ranges)} instruments have an interval; the corners of {MOST_INTERVALS} can be tried",
            remedy="give intervals to fewer instruments",
        )
    lows, highs = [], []
    for corner in product(*ranges.values()):
        estimate, error = refit(dict(zip(ranges, corner, strict=True)))
        lows.append(estimate - quantile * error)
        highs.append(estimate + quantile * error)
    return PlausibleBounds(dict(ranges), level, np.min(lows, axis=0), np.max(highs, axis=0))
