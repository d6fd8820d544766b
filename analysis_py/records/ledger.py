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
from analysis_py.records.distinct import count_distinct
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


#: Rows by region and year: the number of the region times :data:`_YEARS` plus the year -> rows and the first of them.
Groups = dict[int, Coverage]


@dataclass
class Ledger:
    """Counts of rows by what became of them; ``read`` is the sum of all the others.

    Batches are added with :meth:`add`; :meth:`settle` then says where the rows are: ``covered`` are those of every city
    and year between ``first_year`` and ``last_year``.
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
    unplaced: tuple[UnplacedPlace, ...] = ()
    _groups: Groups = field(default_factory=dict)

    def add(self, batch: RecordBatch, regions: npt.NDArray[np.int32], years: npt.NDArray[np.int32], file: str) -> None:
        """Account for all rows of a batch."""
        blank = _blank_rows(batch, years)
        self.rows_read += len(batch) - blank
        self.rows_blank += blank
        self.rows_undated += int((years == MISSING).sum()) - blank
        self.rows_odd_date += int((years == ODD).sum())
        add_groups(self._groups, batch, regions, years, file)

    def settle(self) -> None:
        """Place all groups of rows; to be called once, after the last batch."""
        unplaced: dict[tuple[str, str], list[int]] = {}
        candidates: dict[tuple[str, str], tuple[str, ...]] = {}
        for key, group in self._groups.items():
            region, year = divmod(key, _YEARS)
            if not self.first_year <= year <= self.last_year:
                self.rows_outside_years += group.rows
                continue
            placement = self.regions.place(region, year)
            if placement.code is not None:
                self.rows_placed += group.rows
                continue
            self.rows_unplaced += group.rows
            at = (self.regions.regions[region].text or "(no name)", placement.reason)
            known = unplaced.setdefault(at, [0, group.first.row])
            known[0] += group.rows
            candidates[at] = placement.candidates
        self.covered = self.cover(self._groups)
        self.unplaced = tuple(
            UnplacedPlace(text, reason, candidates[(text, reason)], rows, first)
            for (text, reason), (rows, first) in sorted(unplaced.items(), key=lambda item: (-item[1][0], item[0]))
        )

    def cover(self, groups: Groups) -> dict[tuple[str, int], Coverage]:
        """Rows by city and year of groups, those of no city and of other years left out."""
        found: dict[tuple[str, int], Coverage] = {}
        for key, group in groups.items():
            region, year = divmod(key, _YEARS)
            code = self.regions.place(region, year).code if self.first_year <= year <= self.last_year else None
            if code is None:
                continue
            known = found.get((code, year))
            if known is None:
                found[(code, year)] = Coverage(group.rows, group.first)
                continue
            known.rows += group.rows
            # Groups that appear in one batch are not in the order of their rows.
            if group.first.file == known.first.file and group.first.row < known.first.row:
                known.first = group.first
        return found


def add_groups(
    groups: Groups, batch: RecordBatch, regions: npt.NDArray[np.int32], years: npt.NDArray[np.int32], file: str
) -> None:
    """Add the rows of a batch that have a year to their groups."""
    dated = np.flatnonzero(years > 0)
    if not len(dated):
        return
    lowest = int(years[dated].min())
    span = int(years[dated].max()) - lowest + 1
    distinct, first, counts = count_distinct(regions[dated].astype(np.int64) * span + (years[dated] - lowest))
    keys = distinct // span * _YEARS + distinct % span + lowest
    for key, at, rows in zip(keys.tolist(), dated[first].tolist(), counts.tolist(), strict=True):
        known = groups.get(key)
        if known is None:
            groups[key] = Coverage(rows, Cell(file, batch.row(at)))
        else:
            known.rows += rows


def _blank_rows(batch: RecordBatch, years: npt.NDArray[np.int32]) -> int:
    """Rows without any text at all (blank lines between the rows of a file)."""
    undated = np.flatnonzero(years == MISSING)
    if not len(undated):
        return 0
    is_blank = np.ones(len(undated), bool)
    for column in batch.columns.values():
        is_blank &= np.array([not text.strip() for text in column.take(pa.array(undated)).to_pylist()], bool)
    return int(is_blank.sum())
