"""AI firms from registry text: registrations and deregistrations by city and year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from analysis_py.records.counts import Measure
from analysis_py.records.ledger import Cell, Coverage, DateReader, Groups, Ledger, add_groups
from analysis_py.records.matcher import Hit, KeywordMatcher
from analysis_py.records.options import EXACT, RecordOptions
from analysis_py.records.outcome import Cohort
from analysis_py.records.plain_text import plain_text
from analysis_py.records.review import ReviewSample
from analysis_py.records.streams import RecordBatch
from analysis_py.records.tally import ANY, Event, Tally, identify

REGISTERED, DEREGISTERED = "ai_firms_registered", "ai_firms_deregistered"
TEXT_ROLES = ("name", "scope")
_GONE = ("注销", "吊销", "撤销", "cancel", "revoke", "dissol", "deregister")
_MOST_CACHED = 20_000


@dataclass
class FirmFinds:
    """Finds by what became of them (chosen match); ``any_hit`` counts rows with a tolerant find at least."""

    any_hit: int = 0
    placed: int = 0
    without_place_or_year: int = 0
    gone_without_date: int = 0
    gone_before_registered: int = 0


@dataclass(frozen=True)
class FirmCandidates:
    """Positions of records that may hold a keyword, and whether it may be in the name and in the scope."""

    at: npt.NDArray[np.int64]
    in_name: list[bool]
    in_scope: list[bool]


class FirmCounter:
    """Counts batches of registry records; see :mod:`analysis_py.records.pipeline` for ``scan`` and ``count``."""

    def __init__(self, options: RecordOptions) -> None:
        self.options = options
        self.matcher = KeywordMatcher(options.keywords)
        self.ledger = Ledger(*options.years)
        self.dates = DateReader()
        self.cancelled_dates = DateReader()
        self.revoked_dates = DateReader()
        self.tally = Tally()
        self.review = ReviewSample(options.review, options.seed)
        self.finds = FirmFinds()
        self._gone_groups: Groups = {}
        self._cohorts: dict[int, list[int]] = {}
        self._cache: dict[str, list[Hit]] = {}

    def scan(self, batch: RecordBatch) -> FirmCandidates:
        """The records that may hold a keyword."""
        masks = [
            np.asarray(pc.match_substring_regex(batch.columns[role], self.matcher.candidates))
            if role in batch.columns
            else np.zeros(len(batch), bool)
            for role in TEXT_ROLES
        ]
        found = np.flatnonzero(masks[0] | masks[1])
        return FirmCandidates(found, masks[0][found].tolist(), masks[1][found].tolist())

    def count(self, batch: RecordBatch, candidates: FirmCandidates, file: str) -> None:
        """Account for a batch and count its finds."""
        years = self.dates.read(batch, "date", file)
        regions = self.ledger.regions.read(batch.columns)
        self.ledger.add(batch, regions, years, file)
        gone = self._read_gone(batch, file)
        if gone is not None:
            add_groups(self._gone_groups, batch, regions, gone, file)
        roles = ("name", "scope", "id", "status", "date", "province", "city", "address")
        texts = zip(*(batch.texts(role, candidates.at) for role in roles), strict=True)
        events: list[Event] = []
        for at, in_name, in_scope, (name, scope, *rest) in zip(
            candidates.at.tolist(), candidates.in_name, candidates.in_scope, texts, strict=True
        ):
            by_name = self.matcher.find(name) if in_name else []
            by_scope = self._find_in_scope(scope) if in_scope else []
            if not by_name and not by_scope:
                continue
            found = _Found(by_name, by_scope, self.options.match == EXACT)
            cell = Cell(file, batch.row(at))
            identity = _identify(name, rest, cell)
            self.finds.any_hit += 1
            self._add(found, int(years[at]), int(regions[at]), identity, cell, REGISTERED, events)
            gone_year = int(gone[at]) if gone is not None else 0
            if gone_year > 0:
                self._add(found, gone_year, int(regions[at]), identity, cell, DEREGISTERED, events)
            if found.is_chosen:
                self._note(found, rest[1], int(years[at]), gone_year)
                self._sample(found, name, scope, int(years[at]), int(regions[at]), cell)
        self.tally.add(events)

    def _read_gone(self, batch: RecordBatch, file: str) -> npt.NDArray[np.int32] | None:
        """The year in which each firm was cancelled, else the year in which its licence was revoked."""
        if "cancelled" not in batch.columns and "revoked" not in batch.columns:
            return None
        cancelled = self.cancelled_dates.read(batch, "cancelled", file)
        revoked = self.revoked_dates.read(batch, "revoked", file)
        return np.where(cancelled > 0, cancelled, np.maximum(revoked, 0)).astype(np.int32)

    def _find_in_scope(self, scope: str) -> list[Hit]:
        known = self._cache.get(scope)
        if known is None:
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            known = self._cache[scope] = self.matcher.find(scope)
        return known

    def _add(
        self,
        found: _Found,
        year: int,
        region: int,
        identity: int,
        cell: Cell,
        measure: str,
        events: list[Event],
    ) -> None:
        options = self.options
        city = self._city(region, year)
        if measure == REGISTERED and found.is_chosen:
            self.finds.placed += city is not None
            self.finds.without_place_or_year += city is None
        if city is None:
            return
        events.append(Event(measure, ANY, city, year, found.is_exact, identity, cell))
        for keyword, is_exact in found.keywords.items():
            keyword_id = options.keywords[keyword].keyword_id
            events.append(Event(measure, keyword_id, city, year, is_exact, identity, cell))

    def _city(self, region: int, year: int) -> str | None:
        first, last = self.options.years
        return self.ledger.regions.place(region, year).code if first <= year <= last else None

    def _note(self, found: _Found, status: str, year: int, gone_year: int) -> None:
        if year > 0:
            cohort = self._cohorts.setdefault(year, [0, 0])
            cohort[0] += 1
            cohort[1] += found.is_chosen_by_name
        if gone_year <= 0 and any(word in status.lower() for word in _GONE):
            self.finds.gone_without_date += 1
        if 0 < gone_year < year:
            self.finds.gone_before_registered += 1

    def _sample(self, found: _Found, name: str, scope: str, year: int, region: int, cell: Cell) -> None:
        if not self.review.size:
            return
        city = self._city(region, year)
        label = self.ledger.regions.index.label(city) if city is not None else ""
        for field, text, hits in (("name", name, found.by_name), ("scope", scope, found.by_scope)):
            plain = plain_text(text) if hits else ""
            for hit in hits:
                is_best = found.keywords[hit.keyword] == hit.is_exact
                if is_best and (field == "name" or hit.keyword not in found.in_name):
                    self.review.offer(hit, plain, field, (name, scope, str(year)), label, year, cell)

    def measures(self) -> list[Measure]:
        """What was counted, in order; deregistrations where the files have such a date."""
        labels = {keyword.keyword_id: keyword.word for keyword in self.options.keywords}
        found = [Measure(REGISTERED, self.ledger.covered, labels)]
        if cancelled := self.ledger.cover(self._gone_groups):
            # A registry with a city's firms of a year, and with dates of cancellation, would show those of that year.
            covered = {at: Coverage(rows.rows, rows.first) for at, rows in self.ledger.covered.items()}
            for at, rows in cancelled.items():
                covered[at] = Coverage(rows.rows + (covered[at].rows if at in covered else 0), rows.first)
            found.append(Measure(DEREGISTERED, covered, labels))
        return found

    def cohorts(self) -> tuple[Cohort, ...]:
        """Finds by founding year, by the name or by the scope alone."""
        return tuple(
            Cohort(year, total, by_name, total - by_name, round((total - by_name) / total, 6))
            for year, (total, by_name) in sorted(self._cohorts.items())
        )


class _Found:
    """The keywords of one record, over its name and its scope."""

    def __init__(self, by_name: list[Hit], by_scope: list[Hit], wants_exact: bool) -> None:
        self.by_name, self.by_scope = by_name, by_scope
        self.keywords: dict[int, bool] = {}
        for hit in (*by_name, *by_scope):
            self.keywords[hit.keyword] = self.keywords.get(hit.keyword, False) or hit.is_exact
        self.is_exact = any(self.keywords.values())
        self.is_chosen = self.is_exact or not wants_exact
        self.is_chosen_by_name = any(hit.is_exact or not wants_exact for hit in by_name)

    @property
    def in_name(self) -> frozenset[int]:
        """Keywords of the name whose best find is there."""
        return frozenset(hit.keyword for hit in self.by_name if self.keywords[hit.keyword] == hit.is_exact)


def _identify(name: str, cells: Sequence[str], cell: Cell) -> int:
    """What makes a record one: its number, else name, date and place as written; a nameless one is its row.

    ``cells`` are those of the number, the status and then date and place.
    """
    number = cells[0].strip().upper()
    if len(number) > 3:
        return identify("id", number)
    if name.strip():
        return identify("name", *(text.strip() for text in (name, *cells[2:])))
    return identify("row", *map(str, cell))
