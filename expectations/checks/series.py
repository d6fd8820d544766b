"""Questions about a value and the years around it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from expectations.checks.finding import (
    EXAMPLES,
    ColumnFinding,
    Finding,
    Neighbours,
    SeriesOrder,
    divide,
    join_columns,
    list_outside,
    name_rows,
)
from expectations.wording import count_noun, show_number

#: Digits from which a number that comes again is no chance.
LONG_NUMBER = 5
#: How far back the value before may lie: over longer gaps a series may well have moved.
LONGEST_GAP = 3


def find_jumps(
    frame: pd.DataFrame,
    *,
    columns: Sequence[str],
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
    order = SeriesOrder(frame, series, time)
    count, found = 0, []
    for column in columns:
        table = order.of(column)
        step = _step(table)
        count += int((~np.isnan(step)).sum())
        hit = np.flatnonzero(_jumps(table, step, factor, floor))
        if len(hit):
            found.append(_describe_jumps(frame, column, table, step, hit, factor, has_unit, noun))
    return join_columns(count, columns, found)


def _step(table: Neighbours) -> np.ndarray:
    step = divide(table.x, table.before)
    step[~(table.year - table.year_before <= LONGEST_GAP)] = np.nan
    return step


def _jumps(table: Neighbours, step: np.ndarray, factor: float, floor: float) -> np.ndarray:
    x, before, after = table.x, table.before, table.after
    back, around = divide(after, x), divide(after, before)
    large = np.fmax(x, before) > floor
    jumps = large & (x > 0) & ((step > factor) | (step < 1 / factor))
    vanishes = (x == 0) & (before > floor) & (after > floor) & ~np.isnan(step)
    isolated = jumps & ((back > factor) | (back < 1 / factor)) & (around >= 1 / factor) & (around <= factor)
    returns = np.zeros(len(x), dtype=bool)
    returns[1:] = isolated[:-1] & (table.series[1:] == table.series[:-1])
    found: np.ndarray = (jumps & ~returns) | vanishes
    return found


def _describe_jumps(
    frame: pd.DataFrame,
    column: str,
    table: Neighbours,
    step: np.ndarray,
    hit: np.ndarray,
    factor: float,
    has_unit: bool,
    noun: str,
) -> ColumnFinding:
    size = np.full(len(hit), np.inf)
    positive = step[hit] > 0
    size[positive] = np.abs(np.log(step[hit][positive]))
    ranked = np.lexsort((table.position[hit], -size))
    hit, size = hit[ranked], size[ranked]
    up = int((step[hit] > 1).sum())
    directions = [f"more than {show_number(factor)} times"] * (up > 0) + [f"less than 1/{show_number(factor)} of"] * (
        up < len(hit)
    )
    labels = name_rows(frame, table.position[hit])
    examples = []
    for label, k in zip(labels, hit[:EXAMPLES], strict=False):
        earlier = "" if table.year[k] - table.year_before[k] == 1 else f" in {table.year_before[k]:.0f}"
        values = f"{show_number(float(table.x[k]))} against {show_number(float(table.before[k]))}"
        examples.append(f"{label}: {values}{earlier}")
    problem = f"{count_noun(len(hit), noun)} {' or '.join(directions)} the year before"
    return ColumnFinding(column, problem, labels, examples, _advise_on_powers(size, noun) if has_unit else "")


def _advise_on_powers(size: np.ndarray, noun: str) -> str:
    """Name the power of ten (from 100) that the absolute log steps lie near to, within a factor of 2; else nothing."""
    powers = size[np.isfinite(size)] / np.log(10)
    near = np.round(powers[(np.abs(powers - np.round(powers)) < np.log10(2)) & (np.round(powers) >= 2)])
    if not len(near):
        return ""
    tens = " or ".join(show_number(10.0 ** float(power)) for power in np.unique(near))
    all_of_them = "" if len(near) == len(size) else f" in {count_noun(len(near), noun)}"
    return f"probably a unit mix-up{all_of_them} (a factor of about {tens})"


def find_spikes(
    frame: pd.DataFrame, *, columns: Sequence[str], series: str, time: str, factor: float, jump: float, noun: str
) -> Finding:
    """Single years that stand out from both neighbours by ``factor`` while the neighbours agree with each other.

    Only steps below ``jump`` count: larger ones are jumps. Both neighbouring years must be there.
    """
    order = SeriesOrder(frame, series, time)
    count, found = 0, []
    for column in columns:
        table = order.of(column)
        together = (table.year - table.year_before == 1) & (table.year_after - table.year == 1)
        into, out = _log(divide(table.x, table.before)), _log(divide(table.after, table.x))
        both = together & ~np.isnan(into) & ~np.isnan(out)
        step = np.minimum(np.abs(into), np.abs(out))
        agree = (np.sign(into) * np.sign(out) < 0) & (np.abs(into + out) < np.log(factor) / 2)
        bad = np.flatnonzero(both & agree & (step > np.log(factor)) & (np.abs(into) <= np.log(jump)))
        count += int(both.sum())
        hit = bad[np.lexsort((table.position[bad], -step[bad]))]
        if len(hit):
            problem = f"{count_noun(len(hit), noun)} more than {show_number(factor)} times off both neighbouring years"
            labels = name_rows(frame, table.position[hit])
            found.append(ColumnFinding(column, problem, labels, _between(labels, table, hit)))
    return join_columns(count, columns, found)


def find_shares(
    frame: pd.DataFrame, *, columns: Sequence[str], series: str, time: str, factor: float, noun: str
) -> Finding:
    """Percents printed as shares: at most 1, and a hundred times that is what both neighbours are, within ``factor``.

    Neighbours are the non-empty values before and after, at most three years away; at either end of a series the two
    values next to it. The neighbours must be within ``factor`` of each other too: a series that moves by itself tells
    nothing.
    """
    order = SeriesOrder(frame, series, time)
    count, found = 0, []
    for column in columns:
        table = order.of(column)
        first, second = _both_neighbours(table)
        near, other = divide(first, table.x), divide(second, table.x)
        count += int((~np.isnan(near) & ~np.isnan(other)).sum())
        like = [(ratio >= 100 / factor) & (ratio <= 100 * factor) for ratio in (near, other)]
        agree = np.abs(_log(divide(first, second))) <= np.log(factor)
        hit = np.flatnonzero((table.x <= 1) & like[0] & like[1] & agree)
        if len(hit):
            labels = name_rows(frame, table.position[hit])
            problem = f"{count_noun(len(hit), noun)} about a hundredth of the years around"
            examples = [
                f"{w}: {show_number(float(table.x[k]))} between {show_number(float(first[k]))} and "
                f"{show_number(float(second[k]))}"
                for w, k in zip(labels, hit[:EXAMPLES], strict=False)
            ]
            found.append(ColumnFinding(column, problem, labels, examples))
    return join_columns(count, columns, found)


def _both_neighbours(table: Neighbours) -> tuple[np.ndarray, np.ndarray]:
    """The values before and after, at most three years away; at an end of the series the nearest two."""
    before, after = table.before.copy(), table.after.copy()
    before[~(table.year - table.year_before <= LONGEST_GAP)] = np.nan
    after[~(table.year_after - table.year <= LONGEST_GAP)] = np.nan
    first, second = before.copy(), after.copy()
    at_start, at_end = np.flatnonzero(np.isnan(before)), np.flatnonzero(np.isnan(after))
    inside = at_start[at_start + 1 < len(after)]
    inside = inside[~np.isnan(after[inside])]
    first[inside], second[inside] = after[inside], after[inside + 1]
    inside = at_end[at_end > 0]
    inside = inside[~np.isnan(before[inside])]
    second[inside], first[inside] = before[inside], before[inside - 1]
    return first, second


def find_repeats(frame: pd.DataFrame, *, columns: Sequence[str], series: str, time: str, noun: str) -> Finding:
    """Values that repeat the year before to the last digit, where the number has at least ``LONG_NUMBER`` digits.

    Shorter numbers (0.05, 24.12) repeat by chance and are skipped.
    """
    order = SeriesOrder(frame, series, time)
    count, found = 0, []
    for column in columns:
        table = order.of(column)
        follows = table.year - table.year_before == 1
        count += int(follows.sum())
        same = np.flatnonzero(follows & (table.x == table.before))
        hit = same[[_count_digits(float(x)) >= LONG_NUMBER for x in table.x[same]]] if len(same) else same
        hit = hit[np.argsort(table.position[hit], kind="stable")]
        if len(hit):
            labels = name_rows(frame, table.position[hit])
            problem = f"{count_noun(len(hit), noun)} with exactly the number of the year before"
            examples = [f"{w}: {show_number(float(v))}" for w, v in zip(labels, table.x[hit[:EXAMPLES]], strict=False)]
            found.append(ColumnFinding(column, problem, labels, examples))
    return join_columns(count, columns, found)


def _count_digits(value: float) -> int:
    return len(show_number(value).lstrip("-").replace(",", "").replace(".", "").lstrip("0"))


def _between(labels: Sequence[str], table: Neighbours, hit: np.ndarray) -> list[str]:
    """``where: value between the one before and the one after`` of the first examples."""
    return [
        f"{w}: {show_number(float(table.x[k]))} between {show_number(float(table.before[k]))} and "
        f"{show_number(float(table.after[k]))}"
        for w, k in zip(labels, hit[:EXAMPLES], strict=False)
    ]


def _log(values: np.ndarray) -> np.ndarray:
    """Natural logarithms of the positive values; NaN else."""
    out = np.full(len(values), np.nan)
    np.log(values, out=out, where=values > 0)
    return out


def find_far_values(frame: pd.DataFrame, *, columns: Sequence[str], series: str, factor: float, noun: str) -> Finding:
    """Positive values more than ``factor`` times the median of the positive values of their series, or its inverse."""
    codes = pd.factorize(frame[series])[0]
    count, found = 0, []
    for column in columns:
        x = frame[column].to_numpy(dtype=float, na_value=np.nan)
        x = np.where(x > 0, x, np.nan)
        usual = pd.Series(x).groupby(codes).transform("median").to_numpy(dtype=float)
        ratio = divide(x, usual)
        count += int((~np.isnan(ratio)).sum())
        hit = np.flatnonzero((ratio > factor) | (ratio < 1 / factor))
        if len(hit):
            labels = name_rows(frame, hit)
            examples = [
                f"{w}: {show_number(float(x[k]))} against {show_number(float(usual[k]))}"
                for w, k in zip(labels, hit[:EXAMPLES], strict=False)
            ]
            problem = f"{count_noun(len(hit), noun)} more than {show_number(factor)} times off the median of the series"
            found.append(ColumnFinding(column, problem, labels, examples))
    return join_columns(count, columns, found)


def find_growth_mismatches(
    frame: pd.DataFrame, *, level: str, index: str, series: str, time: str, low: float, high: float, noun: str
) -> Finding:
    """Years whose implied deflator leaves [low, high]: nominal growth over the volume index (previous year = 100)."""
    table = SeriesOrder(frame, series, time).of(level)
    volume = frame[index].to_numpy(dtype=float, na_value=np.nan)[table.position] / 100
    growth = divide(table.x, table.before)
    growth[table.year - table.year_before != 1] = np.nan
    deflator = np.full(len(frame), np.nan)
    deflator[table.position] = divide(growth, volume)
    return list_outside(
        frame, pd.Series(deflator, index=frame.index), low, high, noun, f"growth of {level} over {index}"
    )


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


def find_stock_misfits(
    frame: pd.DataFrame,
    *,
    stock: str,
    added: str,
    life: int,
    tolerance: float,
    least: float,
    series: str,
    time: str,
    noun: str,
) -> Finding:
    """Rows whose ``stock`` is not what was ``added`` in the last ``life`` years, within ``tolerance`` of the larger.

    Only rows before which the series has all these years; stocks below ``least`` are skipped (revisions of a few).
    """
    table = SeriesOrder(frame, series, time).of(added)
    stocks = frame[stock].to_numpy(dtype=float, na_value=np.nan)[table.position]
    summed, n = np.concatenate([[0.0], np.cumsum(table.x)]), len(table.x)
    last = np.arange(n)
    first = last - life + 1
    whole = first >= 0
    start = np.where(whole, first, 0)
    whole &= (table.series[start] == table.series) & (table.year - table.year[start] == life - 1)
    expected = np.where(whole, summed[last + 1] - summed[start], np.nan)
    larger = np.fmax(np.abs(stocks), np.abs(expected))
    bad = np.flatnonzero((larger >= least) & (np.abs(stocks - expected) > tolerance * larger))
    worst = bad[np.argsort(-np.abs(stocks[bad] - expected[bad]), kind="stable")][:EXAMPLES]
    examples = [
        f"{w}: {show_number(float(stocks[k]))} against {show_number(float(expected[k]))}"
        for w, k in zip(name_rows(frame, table.position[worst]), worst, strict=True)
    ]
    return Finding(
        element_count=int((~np.isnan(expected) & ~np.isnan(stocks)).sum()),
        unexpected_count=len(bad),
        success=not len(bad),
        problem=f"{count_noun(len(bad), noun)} where {stock} is not {added} of {life} years",
        examples=tuple(examples),
        rows=tuple(name_rows(frame, table.position[bad])),
    )
