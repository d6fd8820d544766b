"""Questions about a table as a whole: its years, units, columns, types and text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from expectations.checks.finding import EXAMPLES, Finding, name_rows
from expectations.wording import count_noun, list_values, show_number


def find_unbalanced_years(frame: pd.DataFrame, *, time: str, tolerance: float, only: str | None, rows: str) -> Finding:
    """Years whose number of rows differs from the median year's by more than ``tolerance`` (a share)."""
    chosen = frame if only is None else frame[frame[only].astype(bool)]
    counts = chosen.groupby(time, sort=True).size()
    if counts.empty:
        return Finding(0, 0, True, observed="no rows")
    span = range(int(counts.index.min()), int(counts.index.max()) + 1)
    counts = counts.reindex(span, fill_value=0)
    median = float(counts.median())
    bad = counts[(counts - median).abs() > tolerance * median]
    return Finding(
        element_count=len(counts),
        unexpected_count=len(bad),
        success=bad.empty,
        problem=f"{count_noun(len(bad), 'years')} with {rows} more than {show_number(tolerance * 100)}% off the median "
        f"year's {show_number(median)}",
        examples=tuple(f"{year}: {show_number(float(n))}" for year, n in bad.head(EXAMPLES).items()),
        observed=f"{counts.min()} to {counts.max()} a year, median {show_number(median)}",
    )


def find_grid_gaps(frame: pd.DataFrame, *, unit: str, time: str) -> Finding:
    """Units that lack a year which other units have."""
    years = np.sort(frame[time].dropna().unique())
    counts = frame.groupby(unit, sort=True)[time].nunique()
    bad = counts[counts < len(years)]
    return Finding(
        element_count=len(counts),
        unexpected_count=len(bad),
        success=bad.empty,
        problem=f"{count_noun(len(bad), 'cities')} without some of the {len(years)} years",
        examples=tuple(f"{u}: {n} years" for u, n in bad.head(EXAMPLES).items()),
        observed=f"{len(counts)} units, {len(years)} years",
    )


def find_text_cells(frame: pd.DataFrame, *, share: float) -> Finding:
    """Cells whose text is no number. Fails when more than ``share`` of the cells of any indicator are text."""
    bad = ~np.isfinite(frame["value"].to_numpy(dtype=float))
    if not bad.any():
        return Finding(len(frame), 0, True, observed=f"0 of {len(frame)} cells")
    hit = np.flatnonzero(bad)
    by_indicator = pd.Series(bad).groupby(frame["indicator"].astype("str").to_numpy(), sort=True).agg(["mean", "sum"])
    worst = by_indicator[(by_indicator["sum"] > 0) & (by_indicator["mean"] > share)]
    named = ", ".join(str(i) for i in worst.index) or ", ".join(
        str(i) for i in frame["indicator"].iloc[hit].drop_duplicates()
    )
    shown = hit[:EXAMPLES]
    examples = [f"{w}: '{t}'" for w, t in zip(name_rows(frame, shown), frame["value_text"].iloc[shown], strict=True)]
    limit = f" (more than {show_number(share * 100)}% of {named})" if share and not worst.empty else f" ({named})"
    return Finding(
        element_count=len(frame),
        unexpected_count=len(hit),
        success=worst.empty,
        problem=f"{count_noun(len(hit), 'cells')} with text where a number belongs{limit}",
        examples=tuple(examples),
        observed=f"{len(hit)} of {len(frame)} cells",
    )


def find_conflicting_duplicates(frame: pd.DataFrame, *, tolerance: float) -> Finding:
    """Cells that two data sets of one source both bring, with values further apart than ``tolerance`` (relative)."""
    key = ["place_code", "year", "indicator", "area_scope", "vintage"]
    if frame["dataset"].nunique() < 2:
        return Finding(0, 0, True, observed="one data set")
    group = frame.groupby(key, sort=False, observed=True)["canonical"]
    spread = group.transform("max") - group.transform("min")
    twice = group.transform("size") > 1
    bad = twice & (spread > tolerance * group.transform("max").abs())
    hit = np.flatnonzero(bad.to_numpy())
    hit = hit[~frame.iloc[hit].duplicated(key).to_numpy()]
    return Finding(
        element_count=int(twice.sum()),
        unexpected_count=len(hit),
        success=not len(hit),
        problem=f"{count_noun(len(hit), 'cells')} with different values in the data sets "
        f"{', '.join(sorted(frame['dataset'].unique()))}",
        examples=tuple(name_rows(frame, hit[:EXAMPLES])),
        observed=f"{int(twice.sum())} cells in more than one data set",
    )


def find_sparse_columns(
    frame: pd.DataFrame, *, columns: Sequence[str], least: float, only: str | None, noun: str
) -> Finding:
    """Columns of which fewer than ``least`` (a share) of the rows have a value; ``only`` names a boolean column."""
    chosen = frame if only is None else frame[frame[only].astype(bool)]
    filled = chosen[list(columns)].notna().mean()
    bad = filled[filled < least]
    return Finding(
        element_count=len(columns),
        unexpected_count=len(bad),
        success=bad.empty,
        problem=f"{count_noun(len(bad), 'columns')} with values in fewer than {show_number(100 * least)}% of {noun}",
        examples=tuple(f"{name}: {show_number(round(100 * share, 1))}%" for name, share in bad.items()),
        observed=f"least filled {show_number(round(100 * float(filled.min()), 1))}%" if len(filled) else "",
    )


def find_columns_out_of_range(
    frame: pd.DataFrame, *, ranges: dict[str, Sequence[float | None]], share: float
) -> Finding:
    """Columns of which more than ``share`` of the values lie outside their (low, high); None leaves an end open."""
    bad = {}
    for column, (low, high) in ranges.items():
        values = frame[column].dropna()
        outside = ~values.between(-np.inf if low is None else low, np.inf if high is None else high)
        if len(values) and float(outside.mean()) > share:
            bad[column] = f"{column}: {show_number(round(100 * float(outside.mean()), 1))}% (median {_median(values)})"
    return Finding(
        element_count=len(ranges),
        unexpected_count=len(bad),
        success=not bad,
        problem=f"{count_noun(len(bad), 'columns')} with more than {show_number(100 * share)}% of values out of range",
        examples=tuple(bad.values()),
        observed=f"{len(ranges) - len(bad)} of {len(ranges)} columns in range",
    )


def _median(values: pd.Series) -> str:
    return show_number(float(values.median()))


def find_empty_columns(frame: pd.DataFrame, *, columns: Sequence[str]) -> Finding:
    """Columns in which no row has a value."""
    bad = [c for c in columns if not bool(frame[c].notna().any())]
    return Finding(
        element_count=len(columns),
        unexpected_count=len(bad),
        success=not bad,
        problem=f"{count_noun(len(bad), 'columns')} wholly empty: {list_values(bad)}",
        observed=f"{len(columns) - len(bad)} of {len(columns)} columns have values",
    )


def find_wrong_kinds(frame: pd.DataFrame, *, kinds: dict[str, str]) -> Finding:
    """Columns of a schema frame (one row a file, each cell the kind of a column) that are not of their kind.

    Columns that are absent everywhere are left to the expectation that asks for them.
    """
    wrong = [
        f"{row['where']}: {column} is {'absent' if pd.isna(row[column]) else row[column]}, not {kind}"
        for row in frame.to_dict("records")
        for column, kind in kinds.items()
        if column in frame and row[column] != kind
    ]
    return Finding(
        element_count=len(kinds) * len(frame),
        unexpected_count=len(wrong),
        success=not wrong,
        problem=f"{count_noun(len(wrong), 'columns')} of another type",
        examples=tuple(wrong[:EXAMPLES]),
        observed=f"{len(wrong)} wrong",
    )
