"""Descriptive statistics and winsorising by Stata's rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.sample import read_numbers

#: Percentiles of a descriptive table, in the order of Stata's `summarize, detail` less its extremes.
PERCENTILES: tuple[int, ...] = (1, 5, 10, 25, 50, 75, 90, 95, 99)


@dataclass(frozen=True)
class DescriptiveRow:
    """Statistics of one column over its non-missing values; None where there are too few of them.

    ``sd`` has divisor n - 1. Percentiles follow Stata's ``_pctile``. ``n_missing`` counts missing and infinite cells.
    """

    variable: str
    n: int
    n_missing: int
    mean: float | None
    sd: float | None
    min: float | None
    p1: float | None
    p5: float | None
    p10: float | None
    p25: float | None
    p50: float | None
    p75: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    max: float | None

    def as_dict(self) -> dict[str, object]:
        """The row as a mapping, in the order of the fields."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def stata_percentile(values: np.ndarray | Sequence[float], p: float) -> float:
    """Percentile by the rule of Stata's ``_pctile`` (unweighted).

    With P = n p / 100 and x sorted: the mean of x[P] and x[P+1] where P is a whole number, else x[ceil P], counting
    from 1. Missing and infinite values are left out. NaN where nothing is left.

    Source: Stata 18 [D] pctile, Methods and formulas. It differs from numpy's interpolation.
    """
    ordered = np.sort(_finite(values))
    return _percentile_of_sorted(ordered, p)


def _percentile_of_sorted(ordered: np.ndarray, p: float) -> float:
    if not 0.0 <= p <= 100.0:
        raise CarbonpanelError("CP-EST-PERCENTILE", f"percentile {p:g} is not between 0 and 100", remedy="give percent")
    n = len(ordered)
    if n == 0:
        return float("nan")
    position = n * p / 100.0
    whole = round(position)
    if math.isclose(position, whole, rel_tol=1e-12, abs_tol=1e-12):
        low, high = min(max(whole, 1), n), min(whole + 1, n)
        if whole == 0:
            high = low
        return float(ordered[low - 1]) / 2.0 + float(ordered[high - 1]) / 2.0
    return float(ordered[min(math.ceil(position), n) - 1])


def winsorise(values: np.ndarray | Sequence[float], low: float, high: float) -> np.ndarray:
    """Values below the ``low`` percentile set to it and those above the ``high`` one set to that; missing stay missing.

    The rule of Stata's ``winsor2, cuts(low high)``: percentiles by ``_pctile`` over the values given, so the caller
    chooses their scope (study, subsample) by what is handed in. Infinite values count as missing. ``low`` 0 and
    ``high`` 100 leave that side alone.

    Raises ``CP-EST-WINSOR`` unless 0 <= low < high <= 100.
    """
    if not 0.0 <= low < high <= 100.0:
        raise CarbonpanelError(
            "CP-EST-WINSOR",
            f"winsor limits {low:g} and {high:g} are not percentiles in order",
            remedy="for example limits: [1, 99]",
        )
    numbers = np.asarray(values, dtype=np.float64)
    ordered = np.sort(_finite(numbers))
    result = np.where(np.isfinite(numbers), numbers, np.nan)
    if ordered.size == 0:
        return result
    bottom, top = _percentile_of_sorted(ordered, low), _percentile_of_sorted(ordered, high)
    return np.asarray(np.where(result < bottom, bottom, np.where(result > top, top, result)))


def describe_columns(
    frame: pd.DataFrame, columns: Sequence[str], winsor: tuple[float, float] | None = None
) -> list[DescriptiveRow]:
    """One row of statistics for each column, in the order given, after winsorising where limits are given.

    Raises ``CP-EST-COLUMN`` and ``CP-EST-NOT-NUMERIC`` for columns that are not there or not numbers.
    """
    rows = []
    for name in columns:
        numbers = read_numbers(frame, name)
        if winsor is not None:
            numbers = winsorise(numbers, *winsor)
        rows.append(_describe(name, numbers))
    return rows


def _describe(name: str, numbers: np.ndarray) -> DescriptiveRow:
    ordered = np.sort(_finite(numbers))
    n = len(ordered)
    mean = math.fsum(ordered) / n if n else None
    spread = None
    if mean is not None and n > 1:
        spread = math.sqrt(math.fsum((ordered - mean) ** 2) / (n - 1))
    points = {f"p{p}": _percentile_of_sorted(ordered, p) if n else None for p in PERCENTILES}
    return DescriptiveRow(
        variable=name,
        n=n,
        n_missing=len(numbers) - n,
        mean=mean,
        sd=spread,
        min=float(ordered[0]) if n else None,
        max=float(ordered[-1]) if n else None,
        **points,
    )


def _finite(values: np.ndarray | Sequence[float]) -> np.ndarray:
    numbers = np.asarray(values, dtype=np.float64)
    return numbers[np.isfinite(numbers)]
