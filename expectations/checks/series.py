"""Questions about a value and the years around it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.checks.finding import EXAMPLES, Finding, list_outside, log_of, order_series
from expectations.wording import count_noun, show_number

#: Digits from which a number that comes again is no chance.
LONG_NUMBER = 5


def find_jumps(
    frame: pd.DataFrame,
    *,
    column: str,
    series: str,
    time: str,
    factor: float,
    floor: float,
    has_unit: bool,
    noun: str,
) -> Finding:
    """Values more than ``factor`` times the value before them in their series, or less than its inverse.

    The value before is the last non-empty one, at most three years back. Where a value jumps and the next one jumps
    back, only the first is counted. Zeros count as jumps only when a value above ``floor`` falls to zero and comes
    back; pairs with both values below ``floor`` are skipped. Where the column has a unit (is no plain count), steps
    near a power of ten are named as a likely mix-up of units.
    """
    table = order_series(frame, column, series, time)
    x, before, after = table["x"], table["before"], table["after"]
    step = (x / before.where(before > 0)).where(table["year"] - table["year_before"] <= 3)
    back = after / x.where(x > 0)
    around = after / before.where(before > 0)
    large = np.maximum(x, before) > floor
    jumps = large & (x > 0) & ((step > factor) | (step < 1 / factor))
    vanishes = (x == 0) & (before > floor) & (after > floor) & step.notna()
    isolated = jumps & ((back > factor) | (back < 1 / factor)) & around.between(1 / factor, factor)
    returns = pd.Series(isolated, index=table.index).shift(1, fill_value=False)
    returns &= table["series"] == table["series"].shift(1)
    hit = table.assign(step=step)[(jumps & ~returns) | vanishes]
    size = log_of(hit["step"].where(hit["step"] > 0)).abs()
    hit = hit.assign(size=size.fillna(np.inf)).sort_values(["size", "position"], ascending=[False, True])
    up = int((hit["step"] > 1).sum())
    directions = [f"more than {show_number(factor)} times"] * (up > 0) + [f"less than 1/{show_number(factor)} of"] * (
        up < len(hit)
    )
    examples = []
    for row in hit.head(EXAMPLES).to_dict("records"):
        earlier = "" if row["year"] - row["year_before"] == 1 else f" in {row['year_before']:.0f}"
        examples.append(f"{row['where']}: {show_number(row['x'])} against {show_number(row['before'])}{earlier}")
    return Finding(
        element_count=int(step.notna().sum()),
        unexpected_count=len(hit),
        success=hit.empty,
        problem=f"{count_noun(len(hit), noun)} {' or '.join(directions)} the year before",
        examples=tuple(examples),
        advice=_advise_on_powers(size, noun) if has_unit else "",
        observed=f"{up} up, {len(hit) - up} down",
        rows=tuple(hit["where"]),
    )


def _advise_on_powers(size: pd.Series, noun: str) -> str:
    """Name the power of ten (from 100) that the absolute log steps lie near to, within a factor of 2; else nothing."""
    powers = size[np.isfinite(size)] / np.log(10)
    near = powers[((powers - powers.round()).abs() < np.log10(2)) & (powers.round() >= 2)].round()
    if near.empty:
        return ""
    tens = " or ".join(show_number(10.0**power) for power in sorted(near.unique()))
    all_of_them = "" if len(near) == len(size) else f" in {count_noun(len(near), noun)}"
    return f"probably a unit mix-up{all_of_them} (a factor of about {tens})"


def find_spikes(
    frame: pd.DataFrame, *, column: str, series: str, time: str, factor: float, jump: float, noun: str
) -> Finding:
    """Single years that stand out from both neighbours by ``factor`` while the neighbours agree with each other.

    Only steps below ``jump`` count: larger ones are jumps. Both neighbouring years must be there.
    """
    table = order_series(frame, column, series, time)
    together = (table["year"] - table["year_before"] == 1) & (table["year_after"] - table["year"] == 1)
    positive = (table["x"] > 0) & (table["before"] > 0) & (table["after"] > 0)
    into = log_of((table["x"] / table["before"]).where(positive))
    out = log_of((table["after"] / table["x"]).where(positive))
    step = np.minimum(into.abs(), out.abs())
    opposite = np.sign(into) * np.sign(out) < 0
    agree = (into + out).abs() < np.log(factor) / 2
    bad = together & opposite & agree & (step > np.log(factor)) & (into.abs() <= np.log(jump))
    hit = table.assign(step=step)[bad].sort_values(["step", "position"], ascending=[False, True])
    examples = [
        f"{w}: {show_number(v)} between {show_number(b)} and {show_number(a)}"
        for w, v, b, a in zip(*(hit.head(EXAMPLES)[c] for c in ("where", "x", "before", "after")), strict=True)
    ]
    return Finding(
        element_count=int((together & positive).sum()),
        unexpected_count=len(hit),
        success=hit.empty,
        problem=f"{count_noun(len(hit), noun)} more than {show_number(factor)} times off both neighbouring years",
        examples=tuple(examples),
        rows=tuple(hit["where"]),
    )


def find_repeats(frame: pd.DataFrame, *, column: str, series: str, time: str, noun: str) -> Finding:
    """Values that repeat the year before to the last digit, where the number has at least ``LONG_NUMBER`` digits.

    Shorter numbers (0.05, 24.12) repeat by chance and are skipped.
    """
    table = order_series(frame, column, series, time)
    follows = table["year"] - table["year_before"] == 1
    same = table[follows & (table["x"] == table["before"])]
    long = np.array([_count_digits(x) >= LONG_NUMBER for x in same["x"]], dtype=bool)
    hit = same[long].sort_values("position")
    shown = hit.head(EXAMPLES)
    return Finding(
        element_count=int(follows.sum()),
        unexpected_count=len(hit),
        success=hit.empty,
        problem=f"{count_noun(len(hit), noun)} with exactly the number of the year before",
        examples=tuple(f"{w}: {show_number(v)}" for w, v in zip(shown["where"], shown["x"], strict=True)),
        rows=tuple(hit["where"]),
    )


def _count_digits(value: float) -> int:
    return len(show_number(value).lstrip("-").replace(",", "").replace(".", "").lstrip("0"))


def find_growth_mismatches(
    frame: pd.DataFrame, *, level: str, index: str, series: str, time: str, low: float, high: float, noun: str
) -> Finding:
    """Years whose implied deflator leaves [low, high]: nominal growth over the volume index (previous year = 100)."""
    table = order_series(frame, level, series, time)
    volume = frame[index].loc[table.index] / 100
    follows = (table["year"] - table["year_before"] == 1) & (table["before"] > 0) & (volume > 0)
    deflator = (table["x"] / table["before"].where(follows) / volume.where(follows)).reindex(frame.index)
    return list_outside(frame, deflator, low, high, noun, f"growth of {level} over {index}")


def find_stock_deficits(frame: pd.DataFrame, *, added: str, removed: str, series: str, time: str, noun: str) -> Finding:
    """Rows where more has been removed so far than was added: the stock would be negative."""
    ordered = frame.sort_values([series, time], kind="stable")
    stock = (ordered[added].fillna(0) - ordered[removed].fillna(0)).groupby(ordered[series], sort=False).cumsum()
    bad = (stock < 0).reindex(frame.index)
    shown = list(zip(frame["where"][bad].head(EXAMPLES), stock.reindex(frame.index)[bad].head(EXAMPLES), strict=True))
    count = int(bad.sum())
    return Finding(
        element_count=len(frame),
        unexpected_count=count,
        success=count == 0,
        problem=f"{count_noun(count, noun)} with more {removed} than {added} so far",
        examples=tuple(f"{w}: {show_number(float(v))}" for w, v in shown),
        observed=f"least stock {show_number(float(stock.min()))}" if len(stock) else "",
        rows=tuple(frame["where"][bad]),
    )
