"""Where every row of the files goes: placed in a city and year, or left out for a reason that is counted."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analysis_py.ingest.report import UnplacedPlace
from analysis_py.records.dates import MISSING, ODD, RecordDate, read_date
from analysis_py.records.regions import RegionReader
from analysis_py.records.streams import RecordBatch

_MOST_DATES = 200_000
_MOST_ODD = 200
_YEARS = 4_096


class Cell(NamedTuple):
    """A row of a file."""

    file: str
    row: int


@dataclass
class Coverage:
    """Rows of one city and year, and the first of them."""

    rows: int
    first: Cell


class DateReader:
    """Years of a column of dates; remembers what could not be told and the latest day."""

    def __init__(self) -> None:
        self._known: dict[str, RecordDate] = {}
        self.first_day: datetime.date | None = None
        self.last_day: datetime.date | None = None
        self.odd: dict[str, tuple[int, Cell]] = {}
        self.odd_rows = 0
        self.missing_rows = 0

    def read(self, batch: RecordBatch, role: str, file: str) -> npt.NDArray[np.int32]:
        """The year of every record; :data:`~analysis_py.records.dates.MISSING` or ``ODD`` where there is none."""
        column = batch.columns.get(role)
        if column is None:
            return np.zeros(len(batch), np.int32)
        encoded = column.dictionary_encode()
        dates = [self._read(text) for text in encoded.dictionary.to_pylist()]
        for date in dates:
            if date.day is not None:
                self.first_day = min(self.first_day or date.day, date.day)
                self.last_day = max(self.last_day or date.day, date.day)
        indices = encoded.indices.to_numpy(zero_copy_only=False)
        years: npt.NDArray[np.int32] = np.array([date.year for date in dates], np.int32)[indices]
        self.missing_rows += int((years == MISSING).sum())
        odd = np.flatnonzero(years == ODD)
        self.odd_rows += len(odd)
        for at in odd.tolist():
            text = column[at].as_py()
            count, first = self.odd.get(text, (0, Cell(file, batch.row(at))))
            if count or len(self.odd) < _MOST_ODD:
                self.odd[text] = (count + 1, first)
        return years

    def _read(self, text: str) -> RecordDate:
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= _MOST_DATES:
                self._known.clear()
            known = self._known[text] = read_date(text)
        return known


@dataclass
class Ledger:
    """Counts of rows by what became of them; ``read`` is the sum of all the others.

    ``covered`` are the rows of every city and year between ``first_year`` and ``last_year``.
    """

    first_year: int
    last_year: int
    regions: RegionReader = field(default_factory=RegionReader)
    rows_read: int = 0
    rows_blank: int = 0
    rows_undated: int = 0
    rows_odd_date: int = 0
    rows_outside_years: int = 0
    rows_unplaced: int = 0
    rows_placed: int = 0
    covered: dict[tuple[str, int], Coverage] = field(default_factory=dict)
    _unplaced: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    _candidates: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def add(self, batch: RecordBatch, regions: npt.NDArray[np.int32], years: npt.NDArray[np.int32], file: str) -> None:
        """Account for all rows of a batch."""
        blank = _blank_rows(batch, years)
        self.rows_read += len(batch) - blank
        self.rows_blank += blank
        self.rows_undated += int((years == MISSING).sum()) - blank
        self.rows_odd_date += int((years == ODD).sum())
        for region, year, count, at in _groups(regions, years):
            if not self.first_year <= year <= self.last_year:
                self.rows_outside_years += count
                continue
            placement = self.regions.place(region, year)
            if placement.code is None:
                self.rows_unplaced += count
                key = (self.regions.regions[region].text or "(no name)", placement.reason)
                known = self._unplaced.setdefault(key, [0, batch.row(at)])
                known[0] += count
                self._candidates[key] = placement.candidates
                continue
            self.rows_placed += count
            self._cover(self.covered, placement.code, year, count, Cell(file, batch.row(at)))

    def cover_events(
        self,
        into: dict[tuple[str, int], Coverage],
        batch: RecordBatch,
        regions: npt.NDArray[np.int32],
        years: npt.NDArray[np.int32],
        file: str,
    ) -> None:
        """Note which cities and years a second date (a cancellation) speaks of."""
        for region, year, count, at in _groups(regions, years):
            if self.first_year <= year <= self.last_year:
                code = self.regions.place(region, year).code
                if code is not None:
                    self._cover(into, code, year, count, Cell(file, batch.row(at)))

    def _cover(self, into: dict[tuple[str, int], Coverage], code: str, year: int, count: int, first: Cell) -> None:
        known = into.get((code, year))
        if known is None:
            into[(code, year)] = Coverage(count, first)
        else:
            known.rows += count

    def unplaced(self) -> tuple[UnplacedPlace, ...]:
        """Places that could not be told, by their rows, most first."""
        ordered = sorted(self._unplaced.items(), key=lambda item: (-item[1][0], item[0]))
        return tuple(
            UnplacedPlace(text, reason, self._candidates[(text, reason)], rows, first)
            for (text, reason), (rows, first) in ordered
        )


def _groups(regions: npt.NDArray[np.int32], years: npt.NDArray[np.int32]) -> list[tuple[int, int, int, int]]:
    """(region, year, rows, position of the first) of every pair with a year, in order of first position."""
    dated = np.flatnonzero(years > 0)
    keys = regions[dated].astype(np.int64) * _YEARS + years[dated]
    distinct, first, counts = np.unique(keys, return_index=True, return_counts=True)
    order = np.argsort(first, kind="stable")
    return [
        (int(distinct[at] // _YEARS), int(distinct[at] % _YEARS), int(counts[at]), int(dated[first[at]]))
        for at in order.tolist()
    ]


def _blank_rows(batch: RecordBatch, years: npt.NDArray[np.int32]) -> int:
    """Rows without any text at all (blank lines between the rows of a file)."""
    undated = np.flatnonzero(years == MISSING)
    if not len(undated):
        return 0
    is_blank = np.ones(len(undated), bool)
    for column in batch.columns.values():
        is_blank &= np.array([not text.strip() for text in column.take(pa.array(undated)).to_pylist()], bool)
    return int(is_blank.sum())
