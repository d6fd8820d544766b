"""What a check hands back, and what checks share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from expectations.wording import count_noun, show_number

#: Examples named in a message.
EXAMPLES = 3


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes
    ----------
    element_count : how many things were looked at.
    unexpected_count : how many of them are not as expected.
    success : whether the expectation holds (a few unexpected ones may be allowed).
    problem : what is wrong, to be read after a column's name; empty when nothing is.
    examples : at most three of the unexpected ones, in the order of the frame.
    advice : what a person can do, where the check knows better than the suite.
    observed : one short text of what was seen.
    rows : ``where`` of every unexpected row, for checks that look at rows.
    """

    element_count: int
    unexpected_count: int
    success: bool
    problem: str = ""
    examples: tuple[str, ...] = ()
    advice: str = ""
    observed: str = ""
    rows: tuple[str, ...] = ()


def order_series(frame: pd.DataFrame, column: str, series: str, time: str) -> pd.DataFrame:
    """Non-empty values of ``column`` in order of series and time with their neighbours in the series."""
    table = pd.DataFrame(
        {
            "series": frame[series],
            "year": frame[time].astype(float),
            "x": frame[column].astype(float),
            "where": frame["where"],
            "position": np.arange(len(frame)),
        },
        index=frame.index,
    )
    table = table[table["x"].notna()].sort_values(["series", "year"], kind="stable")
    same_before = (table["series"] == table["series"].shift(1)).to_numpy()
    same_after = (table["series"] == table["series"].shift(-1)).to_numpy()
    for name, offset, same in (("before", 1, same_before), ("after", -1, same_after)):
        table[name] = table["x"].shift(offset).where(same)
        table[f"year_{name}"] = table["year"].shift(offset).where(same)
    return table


def list_outside(frame: pd.DataFrame, ratio: pd.Series, low: float, high: float, noun: str, what: str) -> Finding:
    """Rows whose ``ratio`` (aligned with ``frame``; NaN is skipped) leaves [low, high], the farthest first."""
    bad = ratio.notna() & ~ratio.between(low, high)
    worst = (ratio - (low + high) / 2)[bad].abs().sort_values(ascending=False, kind="stable").index[:EXAMPLES]
    shown = list(zip(frame["where"][worst], ratio[worst], strict=True))
    count = int(bad.sum())
    return Finding(
        element_count=int(ratio.notna().sum()),
        unexpected_count=count,
        success=count == 0,
        problem=f"{count_noun(count, noun)} where {what} is not between {show_number(low)} and {show_number(high)}",
        examples=tuple(f"{w}: {show_number(float(r))}" for w, r in shown),
        observed=show_span(ratio),
        rows=tuple(frame["where"][bad]),
    )


def log_of(values: pd.Series) -> pd.Series:
    """Natural logarithms; NaN stays NaN. Values must be positive or NaN."""
    return pd.Series(np.log(values.to_numpy(dtype=float)), index=values.index)


def show_span(values: pd.Series) -> str:
    """``least to largest``, in words where there is none."""
    if not values.notna().any():
        return "no values"
    return f"{show_number(float(values.min()))} to {show_number(float(values.max()))}"
