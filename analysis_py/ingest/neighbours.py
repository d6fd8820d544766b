"""What the years around a value say of its order of magnitude.

Everything is in decimal logarithms. A value is held against the line through the years before and after it (Theil and
Sen's, which a single fault among them does not move); it is told apart from its neighbours only where these agree.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

#: Years before and after a value that it is held against.
WINDOW = 3
#: A neighbour agrees with the others within this distance of the line (a factor of 2), and so must this share of them.
_AGREE = 0.3
_AGREE_SHARE = 0.75
#: How near to a whole power of ten a deviation must be: a factor of 1.4, and of 1.6 from 100 on.
NEAR_ONE = 0.15
NEAR = 0.2
#: Closeness of the neighbours to their line (spread of the residuals) that a single factor of 10 needs: 1.8 times.
_CLOSE = 0.25
#: Powers from which three neighbours on one side are enough.
_PLAIN_POWER = 3
#: Share of the cells of a series from which large deviations are common.
_COMMON = 0.001
_FEWEST = 3
_FEWEST_ONE = 4


def stack_neighbours(logs: np.ndarray, years: tuple[int, ...]) -> np.ndarray:
    """Layers of the calendar years before (farthest first) and after each year.

    ``logs`` is places x years; the result (2 x :data:`WINDOW`) x places x years, NaN where there is no value.
    """
    at = {year: position for position, year in enumerate(years)}
    layers = []
    for offset in (*range(-WINDOW, 0), *range(1, WINDOW + 1)):
        layer = np.full(logs.shape, np.nan)
        for position, year in enumerate(years):
            other = at.get(year + offset)
            if other is not None:
                layer[:, position] = logs[:, other]
        layers.append(layer)
    return np.stack(layers)


def deviation(value: float, around: np.ndarray) -> float:
    """How far a value is from the line of its neighbours; 0 where they do not tell.

    ``around`` are the layers of :func:`stack_neighbours` for the value. The nearer a deviation is to a change that
    happens in life, the more is asked of the neighbours: for a factor of ten years on both sides, close to their line.
    """
    offsets = np.concatenate([np.arange(-WINDOW, 0), np.arange(1, WINDOW + 1)])
    known = np.isfinite(around)
    x, y = offsets[known], around[known]
    if len(y) < _FEWEST:
        return 0.0
    has_both = bool((x < 0).any() and (x > 0).any())
    # A line is drawn between years, never beyond them.
    level, slope = _line(x, y) if has_both else (float(np.median(y)), 0.0)
    gap = value - level
    residuals = y - level - slope * x
    power = abs(round(gap))
    if np.mean(np.abs(residuals) <= _AGREE) < _AGREE_SHARE or (power < _PLAIN_POWER and not has_both):
        return 0.0
    if power == 1 and (len(y) < _FEWEST_ONE or float(np.ptp(residuals)) > _CLOSE):
        return 0.0
    return gap


def whole_power(gap: float) -> int:
    """The power of ten a deviation is near to; 0 where it is near none."""
    power = round(gap)
    return power if abs(gap - power) <= (NEAR_ONE if abs(power) == 1 else NEAR) else 0


def is_telling(gaps: Iterable[float], power: int, cells: int) -> bool:
    """Whether a deviation of ``power`` means a misplaced point in a series of so many cells.

    ``gaps`` are the deviations of the series. Where others of about that size that are no power of ten are common, the
    numbers simply vary so much, and only many more that are one mean something.
    """
    size = abs(power)
    if size >= _PLAIN_POWER:
        return True
    alike = [gap for gap in gaps if abs(round(gap)) == size]
    near = sum(whole_power(gap) != 0 for gap in alike)
    others = len(alike) - near
    return others <= _COMMON * cells or near > 2 * others


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Level at 0 and slope of Theil and Sen's line: the medians of the slopes of all pairs and of what they leave."""
    first, second = np.triu_indices(len(x), k=1)
    slope = float(np.median((y[second] - y[first]) / (x[second] - x[first])))
    return float(np.median(y - slope * x)), slope
