"""Questions about single rows: keys, codes, ranges, whole numbers, parts within wholes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from expectations.checks.finding import EXAMPLES, ColumnFinding, Finding, join_columns, name_rows
from expectations.wording import count_noun, show_number


def find_empty_cells(frame: pd.DataFrame, *, columns: Sequence[str], noun: str) -> Finding:
    """Rows without a value in one of ``columns``."""
    found = []
    for column in columns:
        bad = np.flatnonzero(frame[column].isna().to_numpy())
        if len(bad):
            labels = name_rows(frame, bad)
            found.append(
                ColumnFinding(column, f"{count_noun(len(bad), noun)} without {column}", labels, labels[:EXAMPLES])
            )
    return join_columns(len(frame) * len(columns), columns, found)


def find_double_keys(frame: pd.DataFrame, *, columns: Sequence[str], noun: str) -> Finding:
    """Rows that share the values of ``columns`` with another row."""
    bad = np.flatnonzero(_is_double(frame, columns))
    labels = name_rows(frame, bad)
    return Finding(
        element_count=len(frame),
        unexpected_count=len(bad),
        success=not len(bad),
        problem=f"{count_noun(len(bad), noun)} that share their key with another",
        examples=tuple(dict.fromkeys(labels[: 2 * EXAMPLES]))[:EXAMPLES],
        rows=tuple(labels),
    )


def find_repeated_rows(
    frame: pd.DataFrame,
    *,
    keys: Sequence[str],
    columns: Sequence[str],
    noun: str,
    contradicting: bool,
    tolerance: float = 0.0,
) -> Finding:
    """Keys that stand there more than once: with the same numbers, or, where ``contradicting``, with others.

    A key is told once, by its first row. A number that is empty contradicts nothing; numbers contradict each other from
    ``tolerance`` of the larger on.
    """
    double = np.flatnonzero(_is_double(frame, keys))
    if not len(double):
        return Finding(len(frame), 0, True)
    rows = frame.iloc[double]
    groups = rows.groupby(list(keys), sort=False, observed=True, dropna=False)
    group = groups.ngroup().to_numpy()
    least, most = (getattr(groups[list(columns)], name)().to_numpy(dtype=float) for name in ("min", "max"))
    with np.errstate(invalid="ignore"):
        differs = most - least > tolerance * np.fmax(np.abs(least), np.abs(most))
    chosen = differs.any(axis=1) == contradicting
    first = double[np.unique(group, return_index=True)[1][chosen]]
    labels = name_rows(frame, np.sort(first))
    others = "with different numbers" if contradicting else "with the same numbers"
    return Finding(
        element_count=len(frame),
        unexpected_count=len(labels),
        success=not labels,
        problem=f"{count_noun(len(labels), noun)} more than once {others}",
        examples=tuple(labels[:EXAMPLES]),
        rows=tuple(labels),
    )


def _is_double(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Whether a row shares its key with another, by codes combined into one number a row."""
    key = np.zeros(len(frame), dtype=np.int64)
    for column in columns:
        values = frame[column]
        if isinstance(values.dtype, pd.CategoricalDtype):
            codes, size = values.cat.codes.to_numpy(dtype=np.int64), len(values.cat.categories)
        else:
            codes, distinct = pd.factorize(values)
            size = len(distinct)
        # an empty cell is a value of its own, coded -1
        key = np.unique(key, return_inverse=True)[1] if len(key) and key.max() > 2**40 // (size + 2) else key
        key = key * (size + 1) + codes + 1
    double: np.ndarray = pd.Series(key).duplicated(keep=False).to_numpy()
    return double


def find_unknown_values(
    frame: pd.DataFrame, *, column: str, allowed: Sequence[object], phrase: str, noun: str
) -> Finding:
    """Rows whose value of ``column`` is none of ``allowed``; empty cells are skipped."""
    values = frame[column]
    if isinstance(values.dtype, pd.CategoricalDtype):
        known = np.append(values.cat.categories.isin(list(allowed)), True)  # the last: an empty cell
        bad = np.flatnonzero(~known[values.cat.codes.to_numpy()])
    else:
        bad = np.flatnonzero((values.notna() & ~values.isin(list(allowed))).to_numpy(dtype=bool))
    labels = name_rows(frame, bad)
    shown = values.iloc[bad[:EXAMPLES]]
    examples = [w if isinstance(v, (bool, np.bool_)) else f"{w}: {v}" for w, v in zip(labels, shown, strict=False)]
    return Finding(
        element_count=len(frame),
        unexpected_count=len(bad),
        success=not len(bad),
        problem=f"{count_noun(len(bad), noun)} {phrase}",
        examples=tuple(dict.fromkeys(examples)),
        observed=f"{len(bad):,} of {len(frame):,}",
        rows=tuple(labels),
    )


def find_out_of_range(
    frame: pd.DataFrame, *, ranges: Mapping[str, Sequence[float | None]], spans: Mapping[str, str], noun: str
) -> Finding:
    """Values outside [low, high] of their column; None leaves an end open, ``spans`` says the range in words."""
    count, found = 0, []
    for column, (low, high) in ranges.items():
        values = frame[column].to_numpy(dtype=float, na_value=np.nan)
        count += int((~np.isnan(values)).sum())
        bad = np.zeros(len(values), dtype=bool)
        if low is not None:
            bad |= values < low
        if high is not None:
            bad |= values > high
        hit = np.flatnonzero(bad)
        if len(hit):
            labels = name_rows(frame, hit)
            shown = (_show(column, float(v)) for v in values[hit[:EXAMPLES]])
            examples = [f"{w}: {v}" for w, v in zip(labels, shown, strict=False)]
            problem = f"{count_noun(len(hit), noun)} outside {spans[column]}"
            found.append(ColumnFinding(column, problem, labels, examples))
    return join_columns(count, list(ranges), found)


def _show(column: str, value: float) -> str:
    return f"{value:.0f}" if column == "year" or column.endswith("_year") else show_number(value)


def find_fractions(frame: pd.DataFrame, *, columns: Sequence[str], noun: str) -> Finding:
    """Values of counts that are no whole numbers."""
    count, found = 0, []
    for column in columns:
        values = frame[column].to_numpy(dtype=float, na_value=np.nan)
        count += int((~np.isnan(values)).sum())
        hit = np.flatnonzero(~np.isnan(values) & (values != np.round(values)))
        if len(hit):
            labels = name_rows(frame, hit)
            examples = [f"{w}: {show_number(float(v))}" for w, v in zip(labels, values[hit[:EXAMPLES]], strict=False)]
            problem = f"{count_noun(len(hit), noun)} that are no whole numbers"
            found.append(ColumnFinding(column, problem, labels, examples))
    return join_columns(count, columns, found)


def find_excesses(frame: pd.DataFrame, *, pairs: Sequence[Sequence[str]], noun: str) -> Finding:
    """Rows in which the first of a pair (part, whole) is larger than the second; gaps are skipped."""
    count, found = 0, []
    for part, whole in pairs:
        small, large = (frame[c].to_numpy(dtype=float, na_value=np.nan) for c in (part, whole))
        count += int((~np.isnan(small) & ~np.isnan(large)).sum())
        hit = np.flatnonzero(small > large)
        if len(hit):
            labels = name_rows(frame, hit)
            examples = [
                f"{w}: {show_number(float(small[k]))} against {show_number(float(large[k]))}"
                for w, k in zip(labels, hit[:EXAMPLES], strict=False)
            ]
            problem = f"{count_noun(len(hit), noun)} where {part} is larger than {whole}"
            found.append(ColumnFinding(part, problem, labels, examples))
    return join_columns(count, [part for part, _ in pairs], found)
