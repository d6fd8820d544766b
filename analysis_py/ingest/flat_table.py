"""Finding the table of a flat source in a file: which rows hold the names, which column is what, in which unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.answers import LEAVE, Answers
from analysis_py.ingest.body import Body
from analysis_py.ingest.cells import plain
from analysis_py.ingest.flat_contract import FlatColumn, FlatSource
from analysis_py.ingest.headings import HEADER_DEPTH, Header, sheet_header
from analysis_py.ingest.sheets import CellFile, CellSheet, Row
from analysis_py.ingest.units import HeaderReading, fold, load_dictionary

#: Rows the names may take: codes over names over units, as databases export them.
_MOST_HEADER_ROWS = 3
_NO_UNIT = frozenset({"没有单位", "无单位", "nounit", "none"})
_BRACKETS = re.compile(r"[(\[（【].*?[)\]）】]")
#: Columns besides those of the contract: the province beside a city, and the kind of statement a row is of.
PROVINCE, STATEMENT = "province", "statement"


@dataclass(frozen=True)
class FlatHeading:
    """What one heading says: a column of the source (or PROVINCE, STATEMENT), its unit, whether it holds dates."""

    column: str = ""
    reading: HeaderReading | None = None
    is_period: bool = False
    reason: str = ""


@dataclass(frozen=True)
class FlatTable:
    """A table of one sheet: position of each column, units of the numbers, what its names say for all rows."""

    sheet: CellSheet
    header: Header
    positions: dict[str, int]
    units: dict[str, str]
    constants: dict[str, str]
    is_period: bool
    body: Body = field(repr=False, compare=False)


@dataclass(frozen=True)
class FlatPlan:
    """The tables of a file, remarks, and why columns are left alone (heading -> reason)."""

    tables: tuple[FlatTable, ...]
    remarks: tuple[str, ...]
    ignored: dict[str, str]


class HeadingReader:
    """Reads the headings of one flat source."""

    def __init__(self, source: FlatSource) -> None:
        self.source = source
        self.dictionary = source.dictionary
        self.provinces = {word for word, (role, _) in load_dictionary().roles.items() if role == "province"}

    def read(self, header: Header, position: int) -> FlatHeading:
        """What the column at a position is: all parts of its name must say the same, units aside."""
        parts = header.parts[position]
        label = header.labels[position] if position < len(header.labels) else ""
        found: list[FlatHeading] = []
        units: list[str] = []
        unknown = ""
        for part in parts:
            inner = plain(part).strip("()[]【】 ")
            one = self.read_text(part)
            if one is not None:
                found.append(one)
            elif fold(inner) in _NO_UNIT or self.dictionary.is_unit(inner):
                units.append(inner)
            else:
                unknown = part
        if not found and label:
            described = self.read_text(label)
            return described if described is not None else FlatHeading()
        if unknown or not found or len({one.column for one in found}) > 1:
            return FlatHeading(reason=f"'{unknown}' is not understood" if found and unknown else "")
        best = max(found, key=lambda one: one.reading is not None and one.reading.unit is not None)
        stated = [unit for unit in units if fold(unit) not in _NO_UNIT]
        if best.reading is not None and stated and found[0].column in self.source.numbers:
            name = self.source.columns[best.column].label_en
            reading = self.dictionary.read_header(f"{name} ({stated[0]})", self.source.name)
            return FlatHeading(best.column, reading)
        return best

    def read_text(self, text: str) -> FlatHeading | None:
        """What one text names, or ``None``."""
        base = _BRACKETS.sub(" ", plain(text))
        keys = {fold(text), fold(base)}
        for column in self.source.columns.values():
            if column.kind == "number":
                continue
            if keys & column.spellings:
                return FlatHeading(column.name)
            if keys & column.periods:
                return FlatHeading(column.name, is_period=True)
        reading = self.dictionary.read_header(text, self.source.name)
        if reading is not None:
            return FlatHeading(reading.indicator, reading)
        if self.source.passed_over is not None and keys & self.source.passed_over.spellings:
            return FlatHeading(STATEMENT)
        return FlatHeading(PROVINCE) if "city_name" in self.source.columns and keys & self.provinces else None


def plan_tables(
    book: CellFile,
    source: FlatSource,
    sheet: str | None,
    answers: Answers,
    among: frozenset[str | None] | None = None,
) -> FlatPlan:
    """Find the tables of the source: of one sheet, or of all visible sheets (of those ``among``) that hold its key.

    Raises ``CP-FILE-EMPTY``, ``CP-COLUMN-MISSING``, ``CP-COLUMN-AMBIGUOUS``, ``CP-COLUMN-DUPLICATED``,
    ``CP-UNIT-UNKNOWN``, ``CP-UNIT-MISSING``, ``CP-SHEET-UNKNOWN``.
    """
    sheets = [book.sheet(sheet)] if sheet is not None else book.visible()
    sheets = [one for one in sheets if among is None or one.name in among] or sheets
    heads = [(one, one.head(HEADER_DEPTH)) for one in sheets]
    heads = [(one, rows) for one, rows in heads if rows]
    if not heads:
        raise CarbonpanelError(
            "CP-FILE-EMPTY",
            "the file holds no cell with anything in it",
            where=sheets[0].place(),
            remedy="check that the right file was saved",
        )
    reader = HeadingReader(source)
    drafts = [_Draft(one, rows, source, reader, answers) for one, rows in heads]
    whole = [draft for draft in drafts if not draft.missing()]
    if not whole:
        raise max(drafts, key=lambda draft: draft.score).refusal()
    remarks: list[str] = []
    ignored: dict[str, str] = {}
    tables = [draft.bind(remarks, ignored) for draft in whole]
    left = [draft.sheet.name for draft in drafts if draft not in whole and draft.sheet.name]
    if left:
        remarks.append(f"{len(left)} other sheet(s) not read: {', '.join(map(str, left[:10]))}")
    return FlatPlan(tuple(tables), tuple(dict.fromkeys(remarks)), ignored)


class _Draft:
    """The best header of one sheet."""

    def __init__(
        self, sheet: CellSheet, rows: Sequence[Row], source: FlatSource, reader: HeadingReader, answers: Answers
    ) -> None:
        self.sheet, self.source, self.answers = sheet, source, answers
        self.score = -1
        for first in range(len(rows)):
            for count in range(1, _MOST_HEADER_ROWS + 1):
                header = sheet_header(sheet, rows, first, count)
                if header is None:
                    break
                headings = [reader.read(header, position) for position in range(len(header.names))]
                known = {heading.column for heading in headings if heading.column}
                units = sum(heading.reading is not None and heading.reading.unit is not None for heading in headings)
                score = 100 * len(known & set(source.key)) + 3 * len(known) + units
                if score > self.score:
                    self.score, self.header, self.headings, self.above = score, header, headings, rows[:first]
        self.constants = {
            name: value
            for name in source.key
            if (value := self._said_around(source.columns[name])) is not None and not self._positions(name)
        }

    def _positions(self, column: str) -> list[int]:
        return [at for at, heading in enumerate(self.headings) if heading.column == column]

    def _said_around(self, column: FlatColumn) -> str | None:
        """The class that the sheet's name, the lines above the table or the file's name speak of, where it is one."""
        if column.classes is None:
            return None
        above = [cell for _, cells in self.above for cell in cells]
        for texts in ([self.sheet.name or ""], above, [self.sheet.path.stem]):
            said = {
                value
                for text in texts
                for word, value in column.classes.items()
                if (word in fold(text) if not word.isascii() else word in re.split(r"[^a-z]+", plain(text).lower()))
            }
            if len(said) == 1:
                return said.pop()
        return None

    def missing(self) -> list[str]:
        """Columns of the key that are not there; all columns besides the key where none of them is."""
        lacking = [name for name in self.source.key if not self._positions(name) and name not in self.constants]
        others = [name for name in self.source.columns if name not in self.source.key]
        if not lacking and not any(self._positions(name) for name in others):
            return others
        return lacking

    def refusal(self) -> CarbonpanelError:
        names = [name for name in self.header.names if name]
        lacking = self.missing()
        column = self.source.columns[lacking[0]]
        known = f"'{column.name}' or '{column.label_zh}'"
        classes = ""
        if column.classes:
            values = list(dict.fromkeys(column.classes.values()))
            classes = f" ({' or '.join(values)}), or say it in the name of the sheet or file"
        return CarbonpanelError(
            "CP-COLUMN-MISSING",
            f"no column says the {column.label_en.lower()} of a row ({', '.join(names[:8])}"
            f"{', ...' if len(names) > 8 else ''}); a row of {self.source.name} is {self.source.row}",
            where=self.sheet.place(self.header.row),
            remedy=f"name a column {known}{classes}; 'carbonpanel template {self.source.name}' writes all columns",
        )

    def bind(self, remarks: list[str], ignored: dict[str, str]) -> FlatTable:
        self.answers.open(self.header.names)
        positions: dict[str, int] = {}
        units: dict[str, str] = {}
        is_period = False
        for at, heading in enumerate(self.headings):
            name = self.header.title(at)
            if not heading.column:
                if self.header.names[at]:
                    ignored.setdefault(name, heading.reason or "name not recognised")
                continue
            if heading.column in positions:
                other = positions[heading.column]
                if heading.column == "year" and is_period != heading.is_period:
                    keep, drop = (other, at) if not is_period else (at, other)
                    positions["year"], is_period = keep, False
                    ignored.setdefault(self.header.title(drop), "the year stands in another column")
                    continue
                if heading.column in self.source.key or heading.column in self.source.numbers:
                    raise CarbonpanelError(
                        "CP-COLUMN-AMBIGUOUS",
                        f"two columns are both {heading.column}: '{self.header.title(other)}' and '{name}'",
                        where=self.sheet.place(self.header.row, name),
                        remedy="remove one of them",
                    )
                ignored.setdefault(name, f"'{self.header.title(other)}' is taken for it")
                continue
            if heading.reading is not None:
                unit = self._unit(at, heading, remarks, ignored)
                if unit is None:
                    continue
                units[heading.column] = unit
            positions[heading.column] = at
            is_period = heading.is_period if heading.column == "year" else is_period
        for name, value in self.constants.items():
            remarks.append(f"{name} is {value}, as the name of the sheet, title or file says")
        body = Body(
            self.sheet,
            self.header,
            structure=[at for name, at in positions.items() if name not in self.source.numbers],
            values=[at for name, at in positions.items() if name in self.source.numbers],
            year=positions.get("year"),
        )
        return FlatTable(self.sheet, self.header, positions, units, self.constants, is_period, body)

    def _unit(self, at: int, heading: FlatHeading, remarks: list[str], ignored: dict[str, str]) -> str | None:
        """The unit of a column of numbers; ``None`` when it is left out."""
        reading = heading.reading
        assert reading is not None
        name = self.header.title(at)
        where = self.sheet.place(self.header.row, name)
        indicator = self.source.numbers[heading.column]
        unit = self.answers.unit(name, indicator, reading.unit, where)
        if unit is None and reading.problem:
            if reading.is_fatal:
                raise CarbonpanelError(
                    "CP-UNIT-UNKNOWN", f"in '{name}' {reading.problem}", where=where,
                    remedy=self.source.dictionary.unit_remedy(reading.problem.split("'")[1], indicator),
                )  # fmt: skip
            ignored[name] = reading.problem
            return None
        unit = unit or reading.unit
        usual = self.source.columns[heading.column].usual
        if unit is None and usual is not None:
            label = self.source.dictionary.contract.units[usual].label_zh
            remarks.append(f"'{name}' states no unit; taken in {label} ({usual})")
            return usual
        unit = unit or self.answers.ask_unit(name, indicator, where)
        if unit == LEAVE:
            ignored[name] = "left out, as you said"
            return None
        return unit
