"""What a check hands back, and what checks share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from expectations.wording import BETWEEN_COLUMNS, count_noun, show_number

#: Examples named in a message, of each column.
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
    rows : ``where`` of every unexpected row, for checks that look at rows; ``where, column`` where there are several
        columns.
    names_columns : whether ``problem`` names its columns itself, with their examples.
    """

    element_count: int
    unexpected_count: int
    success: bool
    problem: str = ""
    examples: tuple[str, ...] = ()
    advice: str = ""
    observed: str = ""
    rows: tuple[str, ...] = ()
    names_columns: bool = False


@dataclass(frozen=True)
class ColumnFinding:
    """What a check of several columns found in one of them: ``rows`` are labels of rows, ``examples`` the first."""

    column: str
    problem: str
    rows: Sequence[str]
    examples: Sequence[str]
    advice: str = ""

    def text(self) -> str:
        """``column: problem (e.g. examples); advice``."""
        shown = f" (e.g. {'; '.join(self.examples)})" if self.examples else ""
        return f"{self.column}: {self.problem}{shown}" + (f"; {self.advice}" if self.advice else "")


def join_columns(element_count: int, columns: Sequence[str], found: Sequence[ColumnFinding]) -> Finding:
    """One finding about ``columns``, of which those in ``found`` are not as expected, in their order."""
    return Finding(
        element_count=element_count,
        unexpected_count=sum(len(part.rows) for part in found),
        success=not found,
        problem=BETWEEN_COLUMNS.join(part.text() for part in found),
        observed=f"{len(columns) - len(found)} of {len(columns)} columns as expected" if len(columns) > 1 else "",
        rows=tuple(f"{row}, {part.column}" for part in found for row in part.rows),
        names_columns=True,
    )


def name_rows(frame: pd.DataFrame, positions: np.ndarray) -> list[str]:
    """What tells a person which rows are meant, of the rows at ``positions``.

    ``where`` of the frame; where it has ``indicator`` (cells) and ``origin`` (the place in a file), with these.
    """
    labels = [str(label) for label in frame["where"].iloc[positions]]
    if "origin" not in frame:
        return labels
    origins = [str(origin) for origin in frame["origin"].iloc[positions]]
    if "indicator" in frame:
        origins = [f", {name}{end}" for name, end in zip(frame["indicator"].iloc[positions], origins, strict=True)]
    return [label + end for label, end in zip(labels, origins, strict=True)]


@dataclass(frozen=True)
class Neighbours:
    """Non-empty values of one column in order of series and time, each with those around it in its series.

    All arrays have one element a value; ``position`` is its row in the frame; NaN where there is no neighbour.
    """

    position: np.ndarray
    series: np.ndarray
    year: np.ndarray
    x: np.ndarray
    before: np.ndarray
    after: np.ndarray
    year_before: np.ndarray
    year_after: np.ndarray


class SeriesOrder:
    """The rows of a frame in order of series and time: ordered once, however many columns are looked at."""

    def __init__(self, frame: pd.DataFrame, series: str, time: str) -> None:
        self._frame = frame
        codes = pd.factorize(frame[series])[0]
        year = frame[time].to_numpy(dtype=float, na_value=np.nan)
        self._order = np.lexsort((year, codes))
        self._series, self._year = codes[self._order], year[self._order]

    def of(self, column: str) -> Neighbours:
        """The values of a column with their neighbours."""
        values = self._frame[column].to_numpy(dtype=float, na_value=np.nan)[self._order]
        kept = ~np.isnan(values)
        series, year, x = self._series[kept], self._year[kept], values[kept]
        same = series[1:] == series[:-1]
        return Neighbours(
            position=self._order[kept],
            series=series,
            year=year,
            x=x,
            before=_shift(x, same, 1),
            after=_shift(x, same, -1),
            year_before=_shift(year, same, 1),
            year_after=_shift(year, same, -1),
        )


def _shift(values: np.ndarray, same: np.ndarray, by: int) -> np.ndarray:
    """Each value's neighbour ``by`` places before; NaN where ``same`` says it is of another series."""
    out = np.full(len(values), np.nan)
    if by > 0:
        out[1:][same] = values[:-1][same]
    else:
        out[:-1][same] = values[1:][same]
    return out


def divide(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """``top / bottom`` where the bottom is positive, else NaN."""
    out = np.full(len(top), np.nan)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out


def list_outside(
    frame: pd.DataFrame, ratio: pd.Series, low: float, high: float, noun: str, what: str, column: str = ""
) -> Finding:
    """Rows whose ``ratio`` (aligned with ``frame``; NaN is skipped) leaves [low, high], the farthest first."""
    values = ratio.to_numpy(dtype=float)
    bad = np.flatnonzero((values < low) | (values > high))
    worst = bad[np.argsort(-np.abs(values[bad] - (low + high) / 2), kind="stable")][:EXAMPLES]
    end = f", {column}" if column else ""
    return Finding(
        element_count=int((~np.isnan(values)).sum()),
        unexpected_count=len(bad),
        success=not len(bad),
        problem=f"{count_noun(len(bad), noun)} where {what} is not between {show_number(low)} and {show_number(high)}",
        examples=tuple(
            f"{w}: {show_number(float(r))}" for w, r in zip(name_rows(frame, worst), values[worst], strict=True)
        ),
        observed=show_span(ratio),
        rows=tuple(f"{w}{end}" for w in name_rows(frame, bad)),
    )


def show_span(values: pd.Series) -> str:
    """``least to largest``, in words where there is none."""
    if not values.notna().any():
        return "no values"
    return f"{show_number(float(values.min()))} to {show_number(float(values.max()))}"
