"""Questions about several columns or scopes of one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from expectations.checks.finding import EXAMPLES, Finding, list_outside
from expectations.wording import count_noun, show_number


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
    return list_outside(frame, ratio, low, high, noun, f"{numerator} over {' times '.join(denominators)}")


def find_sum_gaps(frame: pd.DataFrame, *, parts: Sequence[str], whole: str, tolerance: float, noun: str) -> Finding:
    """Rows whose ``parts`` together differ from ``whole`` by more than ``tolerance`` of it; gaps are skipped.

    Where one slip in one part explains the difference - two digits exchanged, a power of ten - that part is
    the column told (``rows``), else the whole.
    """
    total = frame[list(parts)].sum(axis=1, skipna=False)
    ratio = total / frame[whole].where(frame[whole] > 0)
    label = f"{' + '.join(parts)} over {whole}"
    found = list_outside(frame, ratio, 1 - tolerance, 1 + tolerance, noun, label)
    values = ratio.to_numpy(dtype=float)
    bad = np.flatnonzero((values < 1 - tolerance) | (values > 1 + tolerance))
    columns, told = [], {}
    for where, k in zip(found.rows, bad, strict=True):
        row = {column: float(frame[column].iloc[k]) for column in (*parts, whole)}
        column, slip = _explain_gap(row, parts, whole, tolerance / 10)
        columns.append(column)
        told[where] = f" ({column} {show_number(row[column])}: {slip})" if slip else ""
    return replace(
        found,
        examples=tuple(e + told.get(e.rsplit(": ", 1)[0], "") for e in found.examples),
        rows=tuple(f"{row}, {column}" for row, column in zip(found.rows, columns, strict=True)),
    )


def _explain_gap(row: dict[str, float], parts: Sequence[str], whole: str, tolerance: float) -> tuple[str, str]:
    """The part that one slip would make add up, and the slip in words; the whole and nothing where there is none."""
    gap, near = row[whole] - sum(row[p] for p in parts), tolerance * row[whole]
    for part in parts:
        wanted, value = row[part] + gap, row[part]
        if any(abs(number - wanted) <= near for number in _exchange_digits(value)):
            return part, "two digits exchanged"
        # of a part that is next to nothing the rounding of the others would explain any power
        if value > 0 and wanted > 10 * near:
            power = round(float(np.log10(value / wanted)))
            if power and abs(value / 10.0**power - wanted) <= near:
                return (
                    part,
                    f"{'too large' if power > 0 else 'too small'} by a factor of {show_number(10.0 ** abs(power))}",
                )
    return whole, ""


def _exchange_digits(value: float) -> list[float]:
    """The number with each pair of neighbouring digits exchanged that changes it."""
    text = f"{value:.10g}"
    if not np.isfinite(value) or "e" in text:
        return []
    digits = [k for k, sign in enumerate(text) if sign.isdigit()]
    found = []
    for left, right in pairwise(digits):
        if text[left] != text[right]:
            signs = list(text)
            signs[left], signs[right] = signs[right], signs[left]
            found.append(float("".join(signs)))
    return found


def find_group_gaps(
    frame: pd.DataFrame,
    *,
    column: str,
    member: str,
    whole: str,
    parts: Sequence[str],
    keys: Sequence[str],
    tolerance: float,
    noun: str,
) -> Finding:
    """Rows of the ``whole`` (a value of ``member``) whose ``column`` is not the sum over the rows of the ``parts``.

    ``keys`` are what a whole and its parts have in common. Parts without a row count as nothing: looked at is where
    the parts sum to more than the whole, or, with a row of every part, to less, by more than ``tolerance`` of it.
    """
    rows = frame[frame[column].notna()]
    named = rows[member].astype("str")
    of_parts = rows[named.isin(list(parts))].groupby(list(keys), sort=False, observed=True)[column].agg(["sum", "size"])
    wholes = rows[(named == whole).to_numpy()].drop_duplicates(list(keys))
    joined = wholes[[*keys, column, "where"]].join(of_parts, on=list(keys), how="inner")
    gap = joined["sum"] - joined[column]
    wrong = (gap > tolerance * joined[column]) | ((joined["size"] >= len(parts)) & (-gap > tolerance * joined[column]))
    hit = joined[wrong]
    examples = [
        f"{w}: {show_number(float(s))} against {show_number(float(t))}"
        for w, s, t in zip(*(hit[c].head(EXAMPLES) for c in ("where", "sum", column)), strict=True)
    ]
    return Finding(
        element_count=len(joined),
        unexpected_count=len(hit),
        success=hit.empty,
        problem=f"{count_noun(len(hit), noun)} where {column} of {whole} is not the sum of its parts",
        examples=tuple(examples),
        rows=tuple(hit["where"]),
    )


def find_equal_pairs(frame: pd.DataFrame, *, column: str, other: str, noun: str) -> Finding:
    """Rows in which two columns that measure different things hold the same number (zeros aside)."""
    both = frame[column].notna() & frame[other].notna() & (frame[column] != 0)
    hit = frame[both & (frame[column] == frame[other])]
    shown = hit.head(EXAMPLES)
    return Finding(
        element_count=int(both.sum()),
        unexpected_count=len(hit),
        success=hit.empty,
        problem=f"{count_noun(len(hit), noun)} with the same number as {other}",
        examples=tuple(f"{w}: {show_number(v)}" for w, v in zip(shown["where"], shown[column], strict=True)),
        rows=tuple(hit["where"]),
    )


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
        rows=tuple(hit["where"]),
    )


def find_scope_copies(
    frame: pd.DataFrame, *, columns: Sequence[str], scope: str, part: str, whole: str, keys: Sequence[str]
) -> Finding:
    """Cells of the ``whole`` scope that repeat the ``part`` scope's number while the rest of the row does not.

    A city without counties has equal rows; so only rows whose other columns mostly differ are looked at.
    """
    both = frame[frame[scope].isin([part, whole])].drop_duplicates([*keys, scope]).set_index([*keys, scope])
    if part not in frame[scope].to_numpy():
        return Finding(0, 0, True, observed=f"no rows of {part}")
    parts = both.xs(part, level=scope)
    wholes = both.xs(whole, level=scope)
    shared = wholes.index.intersection(parts.index, sort=False)
    parts, wholes = parts.loc[shared], wholes.loc[shared]
    names = list(columns)
    of_whole, of_part = wholes[names].to_numpy(dtype=float), parts[names].to_numpy(dtype=float)
    compared = ~np.isnan(of_whole) & ~np.isnan(of_part) & (of_whole != 0)
    equal = compared & (of_whole == of_part)
    mostly_differ = equal.sum(axis=1) < compared.sum(axis=1) / 2
    hits = np.argwhere(equal & mostly_differ[:, None]).tolist()
    labels = wholes["where"].tolist()
    rows = [f"{labels[i]}, {names[j]}" for i, j in hits]
    return Finding(
        element_count=int(compared.sum()),
        unexpected_count=len(rows),
        success=not rows,
        problem=f"{count_noun(len(rows), 'cells')} of the whole city with the number of its urban districts",
        examples=tuple(
            f"{r}: {show_number(float(of_whole[i, j]))}"
            for r, (i, j) in zip(rows[:EXAMPLES], hits[:EXAMPLES], strict=True)
        ),
        rows=tuple(rows),
    )


def find_fill_mismatches(
    frame: pd.DataFrame, *, columns: Sequence[str], codes: Sequence[str], missing: str, observed: str
) -> Finding:
    """Rows where ``x_reported``, ``x`` and ``x_fill`` of one of ``columns`` contradict each other.

    The fill code is one of ``codes``. The reported value is there exactly when the code is ``observed``; the value is
    empty exactly when the code is ``missing``; an observed value equals the reported one.
    """
    count = 0
    examples: list[str] = []
    for column in columns:
        value, reported = (frame[c].to_numpy(dtype=float, na_value=np.nan) for c in (column, f"{column}_reported"))
        fill = frame[f"{column}_fill"].astype("category")
        # the last place is that of code -1: an empty cell
        is_observed, is_missing, is_known = (
            np.append(fill.cat.categories.isin(wanted), False)[fill.cat.codes.to_numpy()]
            for wanted in ([observed], [missing], list(codes))
        )
        no_value, no_report = np.isnan(value), np.isnan(reported)
        differs = is_observed & ~no_report & ~no_value & (value != reported)
        hit = np.flatnonzero((is_observed == no_report) | (no_value != is_missing) | differs | ~is_known)
        count += len(hit)
        shown = [s.iloc[hit[:EXAMPLES]] for s in (frame["where"], frame[column], frame[f"{column}_reported"], fill)]
        examples += [
            f"{w}: {column} {_cell(v)}, reported {_cell(r)}, fill '{f}'" for w, v, r, f in zip(*shown, strict=True)
        ]
    return Finding(
        element_count=len(frame) * len(columns),
        unexpected_count=count,
        success=count == 0,
        problem=f"{count_noun(count, 'values')} that contradict the reported value or the fill code beside them",
        examples=tuple(examples[:EXAMPLES]),
    )


def _cell(value: float | None) -> str:
    return "empty" if value is None or pd.isna(value) else show_number(float(value))
