"""Choosing how a file is read: the user's mapping, a shipped one that fits, or one proposed from the headers.

Where each sheet of a workbook is of one year, one place or one indicator, all of them are read as one table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.answers import Answers
from analysis_py.ingest.cells import plain
from analysis_py.ingest.headings import HEADER_DEPTH, Header, HeadingReader, sheet_header
from analysis_py.ingest.layout import Binding, Observation, SheetSays, bind
from analysis_py.ingest.levels import is_of_level
from analysis_py.ingest.mapping import Mapping, Rule, find_mapping, shipped_mappings
from analysis_py.ingest.owners import tell_owners
from analysis_py.ingest.places import PlaceIndex, PlaceKey, place_index
from analysis_py.ingest.proposal import Draft, draft_mapping
from analysis_py.ingest.settling import settle_given
from analysis_py.ingest.sheet_names import list_names, read_sheet_name
from analysis_py.ingest.sheets import CellFile, CellSheet, Row
from analysis_py.ingest.table_search import FoundTable, place_headings, search_tables
from analysis_py.ingest.units import Dictionary, HeaderReading, fold, load_dictionary

Heads = list[tuple[CellSheet, list[Row]]]
#: The least a sheet of a group must be understood to be one of its tables and not a page of notes.
_LEAST_SCORE = 8
_MOST_LABELS = 2_000


@dataclass(frozen=True)
class Plan:
    """How a file will be read: a binding for each sheet, remarks for the report, and why columns are ignored
    (header -> reason)."""

    bindings: tuple[Binding, ...]
    remarks: tuple[str, ...]
    ignored: dict[str, str]
    #: Labels of a column of indicators that were left alone.
    unknown_labels: tuple[str, ...] = ()

    @property
    def binding(self) -> Binding:
        """The first sheet's."""
        return self.bindings[0]

    @property
    def sheet_label(self) -> str | None:
        """The name of the sheet, or the first and last of several."""
        names = [binding.sheet.name for binding in self.bindings]
        return names[0] if len(names) == 1 else f"{names[0]} ... {names[-1]} ({len(names)} sheets)"

    def observations(self) -> Iterator[Observation]:
        """The observations of all sheets, in the order of the workbook."""
        for binding in self.bindings:
            yield from binding.observations()


def plan_reading(
    book: CellFile,
    source: str,
    *,
    mapping: str | Path | None = None,
    sheet: str | None = None,
    answers: Answers | None = None,
    among: frozenset[str | None] | None = None,
    brought: Collection[str] = (),
) -> Plan:
    """Choose sheets, header rows and mapping; ``answers`` settles what the file does not say.

    ``among`` are the sheets to choose from, where not all; ``brought`` the other sources the file is brought as too.

    Raises ``CP-MAPPING-*`` for a mapping that does not fit, ``CP-FILE-EMPTY``, ``CP-YEAR-MISSING``,
    ``CP-PLACE-MISSING``, ``CP-INDICATOR-NONE``, ``CP-UNIT-UNKNOWN``, ``CP-COLUMN-AMBIGUOUS``,
    ``CP-COLUMN-DUPLICATED``, ``CP-SHEET-UNKNOWN``, and those of :mod:`analysis_py.ingest.answers`.
    """
    answers = answers or Answers(source, load_dictionary())
    plan = _Chooser(book, source, mapping, sheet, answers, among).choose()
    plan = tell_owners(plan, source, brought)
    answers.check_used(plan.binding.sheet.place(plan.binding.header.row))
    remarks = [*book.remarks(), *plan.remarks, *dict.fromkeys(answers.remarks)]
    used = [binding.sheet for binding in plan.bindings]
    if len(used) > 1:
        remarks.append(f"{len(used)} sheets read: {list_names([one.name for one in used], 40)}")
    unread = [one.name for one in book.visible() if one not in used and one.name and one.head(1)]
    if unread:
        remarks.append(f"{len(unread)} other sheet(s) not read: {list_names(unread)}")
    return replace(plan, remarks=tuple(remarks))


class _Chooser:
    """One choice: the file, what it is brought as, and what the user said of it."""

    def __init__(
        self,
        book: CellFile,
        source: str,
        mapping: str | Path | None,
        sheet: str | None,
        answers: Answers,
        among: frozenset[str | None] | None = None,
    ) -> None:
        self.book = book
        self.among = among
        self.source = source
        self.mapping = mapping
        self.sheet = sheet
        self.answers = answers
        self.dictionary: Dictionary = load_dictionary()
        self.index: PlaceIndex = place_index(self.dictionary.contract.level(source))
        self.reader = HeadingReader(self.dictionary, source)

    def choose(self) -> Plan:
        heads = self._heads(self.sheet)
        if self.mapping is not None:
            chosen = find_mapping(self.mapping)
            if chosen.source != self.source:
                raise CarbonpanelError(
                    "CP-MAPPING-SOURCE",
                    f"the mapping '{chosen.name}' is for {chosen.source}, but the file is brought as {self.source}",
                    where=str(self.mapping),
                    remedy=f"use --as {chosen.source}, or another mapping",
                )
            return self._settle(self._bind_given(chosen, heads), ())
        for shipped, fitting in self._fitting(heads):
            remark = f"recognised as '{shipped.title or shipped.name}'"
            if not shipped.sheet_says:
                fitting = fitting[:1]
            bound = [self._with_labels(self._bind(shipped, one, header)) for one, header in fitting]
            left = tuple(dict.fromkeys(label for _, labels in bound for label in labels))
            told = (f"{len(left)} indicators of the file are left alone: {list_names(left, 20)}",) if left else ()
            return replace(self._settle([binding for binding, _ in bound], (remark, *told)), unknown_labels=left)
        return self._propose(heads)

    def _heads(self, sheet: str | None) -> Heads:
        sheets = [self.book.sheet(sheet)] if sheet is not None else self.book.visible()
        if self.among is not None and sheet is None:
            sheets = [one for one in sheets if one.name in self.among]
        heads = [(one, one.head(HEADER_DEPTH)) for one in sheets]
        if not any(rows for _, rows in heads):
            raise CarbonpanelError(
                "CP-FILE-EMPTY",
                "the file holds no cell with anything in it",
                where=sheets[0].place(),
                remedy="check that the right file was saved",
            )
        return heads

    # ------------------------------------------------------------ mappings

    def _says(self, sheet: CellSheet) -> SheetSays:
        return read_sheet_name(sheet.name, self.source, self.dictionary, self.index)

    def _wanted_says(self, mapping: Mapping, sheet: CellSheet) -> SheetSays | None:
        """What a sheet's name says of what the mapping asks its sheets for; ``None`` when it does not say it all."""
        labels = {text.strip(): text for text, _ in mapping.labels}
        label = labels.get((sheet.name or "").strip(), "") if "indicator" in mapping.sheet_says else ""
        says = self._says(sheet)
        if label:
            says = replace(says, label=label)
        return says.only(mapping.sheet_says) if set(mapping.sheet_says) <= says.kinds else None

    def _bind(self, mapping: Mapping, sheet: CellSheet, header: Header) -> Binding:
        across: dict[int, PlaceKey] = {}
        if mapping.layout == "places_across":
            across = place_headings(header, self.reader.read_all(header), self.index)
        says = self._wanted_says(mapping, sheet) if mapping.sheet_says else None
        return bind(mapping, sheet, header, says, across)

    def _headers(self, mapping: Mapping, sheet: CellSheet, rows: list[Row]) -> list[Header]:
        """The headers a mapping may mean: those of its rows, or of as many rows as it says anywhere near the top."""
        found = []
        for first, (number, _) in enumerate(rows):
            if mapping.header_row in (None, number):
                header = sheet_header(sheet, rows, first, mapping.header_rows)
                if header is not None:
                    found.append(header)
        return found

    def _bind_given(self, mapping: Mapping, heads: Heads) -> list[Binding]:
        """A user's mapping on the sheets it is for; what it names and is not there is refused."""
        if self.sheet is None and mapping.sheets:
            known = {one.name for one in self.book.sheets}
            name = next((wanted for wanted in mapping.sheets if wanted in known), mapping.sheets[0])
            heads = self._heads(name)
        if mapping.sheet_says:
            heads = [(one, rows) for one, rows in heads if rows and self._wanted_says(mapping, one) is not None]
            if not heads:
                raise CarbonpanelError(
                    "CP-SHEET-UNKNOWN",
                    f"no sheet's name says its {' and '.join(mapping.sheet_says)}",
                    where=self.book.sheets[0].place() if len(self.book.sheets) == 1 else str(self.book.path),
                    remedy=f"there are: {list_names([one.name for one in self.book.sheets])}; correct 'sheet_says'",
                )
        wanted = mapping.structural_columns() + [name for name, _ in mapping.columns]
        bindings = []
        best: tuple[int, CellSheet, Header] | None = None
        for one, rows in heads:
            here: tuple[int, CellSheet, Header] | None = None
            for header in self._headers(mapping, one, rows):
                score = sum(header.find(name) is not None for name in wanted)
                if here is None or score > here[0]:
                    here = (score, one, header)
            if here is not None and mapping.sheet_says:
                bindings.append(self._bind(mapping, here[1], here[2]))
            if here is not None and (best is None or here[0] > best[0]):
                best = here
        if best is None:
            raise CarbonpanelError(
                "CP-FILE-NO-HEADER",
                f"row {mapping.header_row} holds no column names",
                where=heads[0][0].place(mapping.header_row),
                remedy="correct 'header_row' in the mapping",
            )
        return bindings or [self._bind(mapping, best[1], best[2])]

    def _fitting(self, heads: Heads) -> list[tuple[Mapping, list[tuple[CellSheet, Header]]]]:
        """Shipped mappings whose fingerprint is in the file with the sheets it is in, the most specific first."""
        found = []
        for mapping in shipped_mappings():
            if mapping.source != self.source or not mapping.recognise:
                continue
            fitting = []
            for sheet, rows in heads:
                if mapping.sheets and (sheet.name or "").strip() not in mapping.sheets:
                    continue
                if mapping.sheet_says and self._wanted_says(mapping, sheet) is None:
                    continue
                headers = self._headers(mapping, sheet, rows)
                fits = [one for one in headers if all(one.find(name) is not None for name in mapping.recognise)]
                if fits and self._units_agree(mapping, fits[0]):
                    fitting.append((sheet, fits[0]))
            if fitting:
                found.append((mapping, fitting))
        return sorted(found, key=lambda item: (-len(item[0].recognise), item[0].name))

    def _units_agree(self, mapping: Mapping, header: Header) -> bool:
        """Whether no heading states another unit than a shipped mapping says: then it is another file after all."""
        for name, rule in mapping.columns:
            position = header.find(name)
            if position is None or rule.unit is None:
                continue
            indicator = self.dictionary.contract.indicators[(mapping.source, rule.indicator)]
            for part in header.parts[position]:
                said = self.dictionary.unit(plain(part).strip("()[] "), indicator)
                if said not in (None, rule.unit):
                    return False
        return True

    def _with_labels(self, binding: Binding) -> tuple[Binding, tuple[str, ...]]:
        """A shipped mapping with the indicators of the file that it does not list but that say what they are."""
        mapping = binding.mapping
        position = binding.header.find(mapping.indicator) if mapping.indicator is not None else None
        if mapping.origin != "shipped" or position is None:
            return binding, ()
        known = {fold(text) for text, _ in mapping.labels}
        more: dict[str, Rule] = {}
        left: dict[str, None] = {}
        for _, cells in binding.body.rows() if binding.body is not None else ():
            text = cells[position].strip()
            if not text or fold(text) in known or text in left or len(left) >= _MOST_LABELS:
                continue
            reading = self.dictionary.read_header(text, self.source)
            rule = _rule_of(reading) if reading is not None else None
            if rule is None:
                left.setdefault(text)
            else:
                known.add(fold(text))
                more[text] = rule
        labels = (*mapping.labels, *more.items())
        return replace(binding, mapping=replace(mapping, labels=labels)), tuple(left)

    def _settle(self, bindings: list[Binding], remarks: tuple[str, ...]) -> Plan:
        return _finish([settle_given(binding, self.answers) for binding in bindings], remarks)

    # ------------------------------------------------------------ proposals

    def _propose(self, heads: Heads) -> Plan:
        tables = [
            search_tables(sheet, self.reader, self.index, self._says(sheet), rows) for sheet, rows in heads if rows
        ]
        found = [table for table in tables if table is not None]
        best = self._best(found)
        group = self._group(best, found)
        drafts = [draft_mapping(table, self.source, self.dictionary, self.index, self.answers) for table in group]
        return _finish_drafts(drafts)

    def _best(self, found: list[FoundTable]) -> FoundTable:
        """The table that is understood best among those whose places are of the source's level, if any are."""
        ranked = sorted(found, key=lambda table: -table.score)
        if len(ranked) == 1 or self.index.level == "national":
            return ranked[0]
        return next((table for table in ranked if is_of_level(table, self.index.level)), ranked[0])

    def _group(self, best: FoundTable, found: list[FoundTable]) -> list[FoundTable]:
        """The tables to be read together: those whose sheets say by their names the same of themselves as the best."""
        kinds = _where(best.says)
        if self.sheet is not None or not kinds:
            return [best]
        return [
            table for table in found if table is best or (_where(table.says) == kinds and table.score >= _LEAST_SCORE)
        ]


def _where(says: SheetSays) -> frozenset[str]:
    """What a sheet's name says, a city and a province taken for the same kind of thing."""
    return frozenset("place" if kind == "province" else kind for kind in says.kinds)


def _rule_of(reading: HeaderReading) -> Rule | None:
    """The rule of a label that says everything itself; ``None`` where something would have to be asked."""
    if reading.problem or reading.needs_inventory or reading.needs_basis or reading.unit is None:
        return None
    return Rule(
        indicator=reading.indicator,
        unit=reading.unit,
        area_scope=reading.area_scope,
        population_basis=reading.population_basis,
        vintage=reading.vintage,
    )


def _finish_drafts(drafts: list[Draft]) -> Plan:
    remarks = tuple(dict.fromkeys(remark for draft in drafts for remark in draft.remarks))
    ignored: dict[str, str] = {}
    for draft in drafts:
        for name, reason in draft.ignored.items():
            ignored.setdefault(name, reason)
    bindings = [draft.binding for draft in drafts]
    labels = tuple(dict.fromkeys(label for one in bindings for label in one.mapping.labels))
    if len(bindings) > 1 and all("indicator" in one.mapping.sheet_says for one in bindings):
        bindings = [replace(one, mapping=replace(one.mapping, labels=labels)) for one in bindings]
    unknown = tuple(dict.fromkeys(label for draft in drafts for label in draft.unknown_labels))
    return replace(_finish(bindings, remarks, ignored), unknown_labels=unknown)


def _finish(bindings: list[Binding], remarks: tuple[str, ...], ignored: dict[str, str] | None = None) -> Plan:
    """Complete a plan: every column that is not used is listed, and absent ones are remarked on."""
    reasons = dict(ignored or {})
    order: dict[str, int] = {}
    if len(bindings) > 1:
        bindings = [replace(binding, is_alone=False) for binding in bindings]
    for binding in bindings:
        mapping, header = binding.mapping, binding.header
        used = {header.find(name) for name in mapping.structural_columns()}
        used |= {column.position for column in binding.values}
        for _, rule in mapping.columns:
            extra = [rule.unit_column, *(column for column, _ in rule.observed_where)]
            used |= {header.find(name) for name in extra if name is not None}
        default = "not in the mapping" if mapping.origin != "proposed" else "name not recognised"
        for position, name in enumerate(header.names):
            order.setdefault(name, position)
            if name and position not in used:
                reasons.setdefault(name, default)
        if binding.absent:
            sheet = f" of sheet '{binding.sheet.name}'" if len(bindings) > 1 else " of this file"
            absent = ", ".join(binding.absent)
            remarks += (f"columns of '{mapping.name}' that{sheet.replace(' of', '', 1)} does not have: {absent}",)
    reasons = dict(sorted(reasons.items(), key=lambda item: order.get(item[0], len(order))))
    return Plan(tuple(bindings), remarks, reasons)
