"""AI patents by keywords and kind, and green patents by IPC symbols, by applicant's city and application year."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analysis_py.records.counts import Measure
from analysis_py.records.green_classes import END_OF_PIPE, OTHER, UPSTREAM, GreenClasses
from analysis_py.records.keywords import Keyword, make_keyword
from analysis_py.records.ledger import Cell, DateReader, Ledger
from analysis_py.records.matcher import Hit, KeywordMatcher
from analysis_py.records.options import EXACT, RecordOptions
from analysis_py.records.patent_kinds import (
    DESIGN,
    INVENTION,
    KINDS,
    NUMBER_ROLES,
    UTILITY_MODEL,
    application_key,
    is_foreign,
    kind_of_numbers,
    kind_of_type,
    number_pattern,
)
from analysis_py.records.plain_text import plain_text
from analysis_py.records.review import ReviewSample
from analysis_py.records.streams import RecordBatch
from analysis_py.records.tally import ANY, Event, Tally, identify

GREEN = "green_patent_applications"
GREEN_FLOWS = {
    UPSTREAM: "green_patent_upstream",
    END_OF_PIPE: "green_patent_end_of_pipe",
    OTHER: "green_patent_other_flow",
}
TEXT_ROLES = ("title", "abstract")
SYMBOL_ROLES = ("main_ipc", "ipc")
_UNKNOWN = "unknown_kind"


def ai_measure(kind: str, *, is_single: bool = False) -> str:
    """Name of the indicator: ``ai_invention_applications``, ``ai_design_applications_single``, ..."""
    return f"ai_{kind}_applications{'_single' if is_single else ''}"


@dataclass
class PatentFinds:
    """Finds by what became of them (AI: chosen match)."""

    ai: int = 0
    ai_placed: int = 0
    ai_unknown_kind: int = 0
    green: int = 0
    green_placed: int = 0
    green_contested: int = 0
    green_broad_only: int = 0
    without_place_or_year: int = 0
    foreign_office: int = 0


@dataclass(frozen=True)
class Candidates:
    """Positions of records that may hold a keyword, and of those that may be green."""

    ai: npt.NDArray[np.int64]
    green: npt.NDArray[np.int64]


@dataclass
class _Seen:
    """What the files have at all, so that none can be told from not looked at."""

    has_text: bool = False
    has_symbols: bool = False
    kinds: set[str] = field(default_factory=set)
    type_texts: dict[str, str | None] = field(default_factory=dict)


class PatentCounter:
    """Counts batches of patent records; see :mod:`analysis_py.records.pipeline` for ``scan`` and ``count``."""

    def __init__(self, options: RecordOptions) -> None:
        self.options = options
        self.keywords, self.single = _with_single(options)
        self.matcher = KeywordMatcher(self.keywords)
        self.green = GreenClasses(options.flow_priority, without_broad=options.without_broad)
        self.ledger = Ledger(*options.years)
        self.dates = DateReader()
        self.tally = Tally()
        self.review = ReviewSample(options.review, options.seed)
        self.finds = PatentFinds()
        self._seen = _Seen()

    def scan(self, batch: RecordBatch) -> Candidates:
        """Positions of the records that may be AI, and that may be green, patents."""
        return Candidates(
            _matching(batch, TEXT_ROLES, self.matcher.candidates), _matching(batch, SYMBOL_ROLES, self.green.candidates)
        )

    def count(self, batch: RecordBatch, candidates: Candidates, file: str) -> None:
        """Account for a batch and count its finds."""
        years = self.dates.read(batch, "date", file)
        regions = self.ledger.regions.read(batch.columns)
        self.ledger.add(batch, regions, years, file)
        self._note_kinds(batch)
        events: list[Event] = []
        self._count_ai(batch, candidates.ai, years, regions, file, events)
        self._count_green(batch, candidates.green, years, regions, file, events)
        self.tally.add(events)

    def _count_ai(
        self,
        batch: RecordBatch,
        candidates: npt.NDArray[np.int64],
        years: npt.NDArray[np.int32],
        regions: npt.NDArray[np.int32],
        file: str,
        events: list[Event],
    ) -> None:
        roles = ("title", "abstract", "id", "publication", "type", "address")
        texts = zip(*(batch.texts(role, candidates) for role in roles), strict=True)
        wants_exact = self.options.match == EXACT
        for at, (title, abstract, number, publication, kind_text, address) in zip(
            candidates.tolist(), texts, strict=True
        ):
            plain = {"title": plain_text(title), "abstract": plain_text(abstract)}
            hits = {name: self.matcher.find_plain(text) if text else [] for name, text in plain.items()}
            found: dict[int, bool] = {}
            for hit in (*hits["title"], *hits["abstract"]):
                found[hit.keyword] = found.get(hit.keyword, False) or hit.is_exact
            if not found:
                continue
            year, cell = int(years[at]), Cell(file, batch.row(at))
            city = self._city(int(regions[at]), year)
            listed = {keyword: is_exact for keyword, is_exact in found.items() if keyword < len(self.options.keywords)}
            is_chosen = any(listed.values()) or bool(listed and not wants_exact)
            kind = self._kind(kind_text, number, publication)
            self._tell_ai(is_chosen, kind, city, number or publication)
            if city is None:
                continue
            identity = _identify(number, publication, plain["title"], str(year), address, cell)
            if listed:
                measure = ai_measure(kind or _UNKNOWN)
                events.append(Event(measure, ANY, city, year, any(listed.values()), identity, cell))
                for keyword, is_exact in listed.items():
                    keyword_id = self.keywords[keyword].keyword_id
                    events.append(Event(measure, keyword_id, city, year, is_exact, identity, cell))
            if self.single in found:
                measure = ai_measure(kind or _UNKNOWN, is_single=True)
                events.append(Event(measure, ANY, city, year, found[self.single], identity, cell))
            if self.review.size:
                self._sample(listed, plain, hits, year, city, cell, identity)

    def _count_green(
        self,
        batch: RecordBatch,
        candidates: npt.NDArray[np.int64],
        years: npt.NDArray[np.int32],
        regions: npt.NDArray[np.int32],
        file: str,
        events: list[Event],
    ) -> None:
        roles = ("main_ipc", "ipc", "id", "publication", "title", "address")
        texts = zip(*(batch.texts(role, candidates) for role in roles), strict=True)
        for at, (main, symbols, number, publication, title, address) in zip(candidates.tolist(), texts, strict=True):
            green = self.green.find(f"{main};{symbols}")
            if green is None:
                continue
            year, cell = int(years[at]), Cell(file, batch.row(at))
            city = self._city(int(regions[at]), year)
            self.finds.green += 1
            self.finds.green_contested += green.is_contested
            self.finds.green_broad_only += green.is_broad
            if city is None:
                self.finds.without_place_or_year += 1
                continue
            self.finds.green_placed += 1
            identity = _identify(number, publication, plain_text(title), str(year), address, cell)
            keys = [(GREEN, ANY), (GREEN_FLOWS[green.flow], ANY), *((GREEN, section) for section in green.sections)]
            events += [Event(measure, keyword, city, year, True, identity, cell) for measure, keyword in keys]

    def _city(self, region: int, year: int) -> str | None:
        first, last = self.options.years
        return self.ledger.regions.place(region, year).code if first <= year <= last else None

    def _kind(self, text: str, number: str, publication: str) -> str | None:
        if text not in self._seen.type_texts:
            self._seen.type_texts[text] = kind_of_type(text)
        return self._seen.type_texts[text] or kind_of_numbers(number, publication)

    def _note_kinds(self, batch: RecordBatch) -> None:
        seen = self._seen
        seen.has_text |= any(role in batch.columns for role in TEXT_ROLES)
        seen.has_symbols |= any(role in batch.columns for role in SYMBOL_ROLES)
        if len(seen.kinds) == len(KINDS):
            return
        if "type" in batch.columns:
            for text in pc.unique(batch.columns["type"]).to_pylist():
                seen.kinds.update([kind] if (kind := self._kind(text, "", "")) else [])
        for kind in KINDS:
            if kind not in seen.kinds and any(
                pc.any(pc.match_substring_regex(batch.columns[role], number_pattern(kind, role))).as_py()
                for role in NUMBER_ROLES
                if role in batch.columns
            ):
                seen.kinds.add(kind)

    def _tell_ai(self, is_chosen: bool, kind: str | None, city: str | None, number: str) -> None:
        if not is_chosen:
            return
        self.finds.ai += 1
        self.finds.ai_placed += city is not None
        self.finds.without_place_or_year += city is None
        self.finds.ai_unknown_kind += kind is None
        self.finds.foreign_office += is_foreign(number)

    def _sample(
        self,
        listed: dict[int, bool],
        plain: dict[str, str],
        hits: dict[str, list[Hit]],
        year: int,
        city: str,
        cell: Cell,
        identity: int,
    ) -> None:
        label = self.ledger.regions.index.label(city)
        told: set[int] = set()
        for name, text in plain.items():
            for hit in hits[name]:
                if listed.get(hit.keyword) == hit.is_exact and hit.keyword not in told:
                    told.add(hit.keyword)
                    self.review.offer(hit, text, name, (plain["title"], str(identity)), label, year, cell)

    def measures(self) -> list[Measure]:
        """What was counted, in order: AI by kind where there is text, green where there are symbols."""
        covered = self.ledger.covered
        labels = {keyword.keyword_id: keyword.word for keyword in self.options.keywords}
        found = []
        if self._seen.has_text:
            for is_single in (False, True):
                for kind in KINDS:
                    can_be_zero = kind in self._seen.kinds
                    shown = {} if is_single else labels
                    found.append(Measure(ai_measure(kind, is_single=is_single), covered, shown, can_be_zero))
                if any(measure == ai_measure(_UNKNOWN, is_single=is_single) for measure, *_ in self.tally.counts):
                    found.append(Measure(ai_measure(_UNKNOWN, is_single=is_single), covered, {}, False))
        if self._seen.has_symbols:
            found.append(Measure(GREEN, covered, self.green.sections))
            found += [Measure(measure, covered, {}) for measure in GREEN_FLOWS.values()]
        return found

    def kinds_absent(self) -> list[str]:
        """Kinds of patents of which the files hold none."""
        return [kind for kind in (INVENTION, UTILITY_MODEL, DESIGN) if kind not in self._seen.kinds]


def _with_single(options: RecordOptions) -> tuple[tuple[Keyword, ...], int]:
    """The keywords with the single one among them, and its position; behind the others where it is none of them."""
    single = make_keyword("single", options.single_keyword)
    for at, keyword in enumerate(options.keywords):
        if keyword.forms == single.forms:
            return options.keywords, at
    return (*options.keywords, single), len(options.keywords)


def _matching(batch: RecordBatch, roles: tuple[str, ...], pattern: str) -> npt.NDArray[np.int64]:
    masks = [pc.match_substring_regex(batch.columns[role], pattern) for role in roles if role in batch.columns]
    if not masks:
        return np.zeros(0, np.int64)
    mask: pa.BooleanArray = masks[0] if len(masks) == 1 else pc.or_(masks[0], masks[1])
    return np.asarray(pc.indices_nonzero(mask), np.int64)


def _identify(number: str, publication: str, title: str, year: str, address: str, cell: Cell) -> int:
    """What makes a patent one: its application number, else title, year and address; an untitled one is its row."""
    if len(number.strip()) > 5:
        return identify("application", application_key(number))
    if title:
        return identify("title", title, year, address.strip())
    if publication.strip():
        return identify("publication", publication.strip().upper())
    return identify("row", *map(str, cell))
