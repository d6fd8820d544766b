"""What our own expectations look for, as pure functions from a dataframe to a :class:`Finding`.

Nothing here knows Great Expectations; ``expectations.custom`` wraps each function in an expectation class. All are
vectorised: a city panel of 7,000 rows takes a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """

    element_count: int
    unexpected_count: int
    success: bool
    problem: str = ""
    examples: tuple[str, ...] = ()
    advice: str = ""
    observed: str = ""


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
    table = _ordered(frame, column, series, time)
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
    size = _log(hit["step"].where(hit["step"] > 0)).abs()
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
    table = _ordered(frame, column, series, time)
    together = (table["year"] - table["year_before"] == 1) & (table["year_after"] - table["year"] == 1)
    positive = (table["x"] > 0) & (table["before"] > 0) & (table["after"] > 0)
    into = _log((table["x"] / table["before"]).where(positive))
    out = _log((table["after"] / table["x"]).where(positive))
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
    )


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


def find_text_cells(frame: pd.DataFrame, *, share: float) -> Finding:
    """Cells whose text is no number. Fails when more than ``share`` of the cells of any indicator are text."""
    bad = frame["value"].isna() | ~np.isfinite(frame["value"])
    hit = frame[bad]
    by_indicator = bad.groupby(frame["indicator"], sort=True).agg(["mean", "sum"])
    worst = by_indicator[(by_indicator["sum"] > 0) & (by_indicator["mean"] > share)]
    named = ", ".join(str(i) for i in worst.index) or ", ".join(str(i) for i in hit["indicator"].drop_duplicates())
    examples = [
        f"{w}: '{t}'" for w, t in zip(hit["where"].head(EXAMPLES), hit["value_text"].head(EXAMPLES), strict=True)
    ]
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
    group = frame.groupby(key, sort=False)["canonical"]
    spread = group.transform("max") - group.transform("min")
    twice = group.transform("size") > 1
    bad = twice & (spread > tolerance * group.transform("max").abs())
    hit = frame[bad].drop_duplicates(key)
    return Finding(
        element_count=int(twice.sum()),
        unexpected_count=len(hit),
        success=hit.empty,
        problem=f"{count_noun(len(hit), 'cells')} with different values in the data sets "
        f"{', '.join(sorted(frame['dataset'].unique()))}",
        examples=tuple(str(w) for w in hit["where"].head(EXAMPLES)),
        observed=f"{int(twice.sum())} cells in more than one data set",
    )


def find_ratio_outliers(
    frame: pd.DataFrame,
    *,
    numerator: str,
    denominators: Sequence[str],
    low: float,
    high: float,
    scale: float,
    noun: str,
) -> Finding:
    """Rows where ``scale * numerator / product(denominators)`` leaves [low, high].

    Rows with an empty numerator or an empty or zero denominator are skipped.
    """
    bottom = frame[list(denominators)].where(frame[list(denominators)] > 0).prod(axis=1, skipna=False)
    ratio = scale * frame[numerator] / bottom
    return _outside(frame, ratio, low, high, noun, f"{numerator} over {' times '.join(denominators)}")


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
    )


def find_growth_mismatches(
    frame: pd.DataFrame, *, level: str, index: str, series: str, time: str, low: float, high: float, noun: str
) -> Finding:
    """Years whose implied deflator leaves [low, high]: nominal growth over the volume index (previous year = 100)."""
    table = _ordered(frame, level, series, time)
    volume = frame[index].loc[table.index] / 100
    follows = (table["year"] - table["year_before"] == 1) & (table["before"] > 0) & (volume > 0)
    deflator = (table["x"] / table["before"].where(follows) / volume.where(follows)).reindex(frame.index)
    return _outside(frame, deflator, low, high, noun, f"growth of {level} over {index}")


def find_scope_excess(
    frame: pd.DataFrame, *, column: str, scope: str, part: str, whole: str, keys: Sequence[str]
) -> Finding:
    """Rows of the ``part`` scope (urban districts) larger than the same place's ``whole`` (whole city)."""
    wide = (
        frame[frame[column].notna() & frame[scope].isin([part, whole])]
        .drop_duplicates([*keys, scope])
        .set_index([*keys, scope])[[column, "where"]]
    )
    if wide.empty or part not in frame[scope].to_numpy():
        return Finding(0, 0, True, observed=f"no rows of {part}")
    parts = wide.xs(part, level=scope)
    both = parts.join(pd.DataFrame({"whole": wide.xs(whole, level=scope)[column]}), how="inner")
    hit = both[both[column] > both["whole"] * 1.001]
    examples = [
        f"{w}: {show_number(p)} against {show_number(t)}"
        for w, p, t in zip(*(hit.head(EXAMPLES)[c] for c in ("where", column, "whole")), strict=True)
    ]
    return Finding(
        element_count=len(both),
        unexpected_count=len(hit),
        success=hit.empty,
        problem=f"{count_noun(len(hit), 'city-years')} with more in the urban districts than in the whole city",
        examples=tuple(examples),
    )


def find_fill_mismatches(
    frame: pd.DataFrame, *, column: str, codes: Sequence[str], missing: str, observed: str
) -> Finding:
    """Rows where ``<column>_reported``, ``<column>`` and ``<column>_fill`` contradict each other.

    The fill code is one of ``codes``. The reported value is there exactly when the code is ``observed``; the value is
    empty exactly when the code is ``missing``; an observed value equals the reported one.
    """
    value, reported, fill = frame[column], frame[f"{column}_reported"], frame[f"{column}_fill"]
    is_observed = fill == observed
    differs = is_observed & reported.notna() & value.notna() & (value != reported)
    bad = (is_observed != reported.notna()) | (value.isna() != (fill == missing)) | differs | ~fill.isin(list(codes))
    hit = np.flatnonzero(bad.to_numpy())
    shown = [s.iloc[hit[:EXAMPLES]] for s in (frame["where"], value, reported, fill)]
    examples = [f"{w}: {_cell(v)}, reported {_cell(r)}, fill '{f}'" for w, v, r, f in zip(*shown, strict=True)]
    return Finding(
        element_count=len(frame),
        unexpected_count=len(hit),
        success=len(hit) == 0,
        problem=f"{count_noun(len(hit), 'rows')} whose value, reported value and fill code contradict each other",
        examples=tuple(examples),
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


def find_empty_columns(frame: pd.DataFrame, *, columns: Sequence[str]) -> Finding:
    """Columns in which no row has a value."""
    bad = [c for c in columns if not bool(frame[c].notna().any())]
    return Finding(
        element_count=len(columns),
        unexpected_count=len(bad),
        success=not bad,
        problem=f"{count_noun(len(bad), 'columns')} wholly empty: {', '.join(bad)}",
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


CHECKS: dict[str, Callable[..., Finding]] = {
    f.__name__: f
    for f in (
        find_jumps,
        find_spikes,
        find_unbalanced_years,
        find_text_cells,
        find_conflicting_duplicates,
        find_ratio_outliers,
        find_stock_deficits,
        find_growth_mismatches,
        find_scope_excess,
        find_fill_mismatches,
        find_grid_gaps,
        find_empty_columns,
        find_wrong_kinds,
    )
}


def _ordered(frame: pd.DataFrame, column: str, series: str, time: str) -> pd.DataFrame:
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


def _outside(frame: pd.DataFrame, ratio: pd.Series, low: float, high: float, noun: str, what: str) -> Finding:
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
        observed=f"{show_number(float(ratio.min()))} to {show_number(float(ratio.max()))}"
        if ratio.notna().any()
        else "",
    )


def _log(values: pd.Series) -> pd.Series:
    return pd.Series(np.log(values.to_numpy(dtype=float)), index=values.index)


def _span(values: pd.Series) -> str:
    if not values.notna().any():
        return "no values"
    return f"{show_number(float(values.min()))} to {show_number(float(values.max()))}"


def _cell(value: float | None) -> str:
    return "empty" if value is None or pd.isna(value) else show_number(float(value))
