"""From the rows of a flat source's tables to its columns, every row and number accounted for.

A number outside its range is quarantined (empty in the data, listed); what makes the file unfit as a whole - a key
that is none or there twice, text among numbers - is kept with its first place and its count, and refuses the file at
the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.ingest.body import tell_passed
from analysis_py.ingest.cells import is_missing, parse_year, plain, shown
from analysis_py.ingest.flat_codes import CodeBook, Meaning, is_day, is_year_end
from analysis_py.ingest.flat_contract import ORIGIN, FlatSource
from analysis_py.ingest.flat_table import PROVINCE, STATEMENT, FlatTable
from analysis_py.ingest.numerals import KINDS, read_number
from analysis_py.ingest.places import PlaceKey, place_index
from analysis_py.ingest.plausibility import Problems, Tally, check_unit, find_implausible
from analysis_py.ingest.report import UnplacedPlace
from analysis_py.ingest.sheets import Formula, Percentage
from analysis_py.ingest.units import fold
from analysis_py.progress import ProgressCallback

_EVENT_YEARS = (2000, 2100)
_MOST_UNPLACED = 5_000
_PROGRESS_EVERY = 1_000


@dataclass(frozen=True)
class FlatQuarantine:
    """A number that is not believed: ``value`` in ``unit`` as the file has it."""

    row: int
    column: str
    sheet: str | None
    key: str
    year: int
    indicator: str
    value: float
    unit: str
    value_text: str
    reason: str


@dataclass
class _Unplaced:
    meaning: Meaning
    rows: int
    first_row: int


@dataclass
class FlatCollector:
    """Collects the rows of one file. :meth:`read` each table, then :meth:`finish`; the attributes are the account."""

    source: FlatSource
    dataset: str
    rows_read: int = 0
    cells_read: int = 0
    cells_missing: int = 0
    #: Rows left out by why.
    passed: dict[str, int] = field(default_factory=dict)
    quarantined: list[FlatQuarantine] = field(default_factory=list)
    unplaced: dict[str, _Unplaced] = field(default_factory=dict)
    unplaced_unlisted: int = 0
    taken: dict[str, int] = field(default_factory=dict)
    years: set[int] = field(default_factory=set)
    subjects: dict[str, None] = field(default_factory=dict)
    tables: list[FlatTable] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.problems = Problems()
        self.codes = CodeBook()
        self.columns: dict[str, list[Any]] = {name: [] for name in self.source.schema.names}
        self.kinds: dict[str, int] = {}
        #: Key -> table and row in which it was first seen.
        self._keys: dict[tuple[Any, ...], tuple[int, int]] = {}
        self._tallies: dict[tuple[int, str], Tally] = {}

    @property
    def rows_written(self) -> int:
        return len(self.columns["source_row"])

    def read(self, table: FlatTable, progress: ProgressCallback | None = None) -> None:
        """All rows of a table."""
        self.tables.append(table)
        for number, cells in table.body.rows():
            if progress is not None and self.rows_read % _PROGRESS_EVERY == 0:
                progress(self.rows_read, 0, "rows read")
            self.rows_read += 1
            self._add(table, number, cells)

    # ------------------------------------------------------------ one row

    def _add(self, table: FlatTable, number: int, cells: list[str]) -> None:
        texts = {name: cells[at] for name, at in table.positions.items()}
        numbers = {name: text for name, text in texts.items() if name in self.source.numbers and not is_missing(text)}
        self.cells_missing += sum(name in self.source.numbers for name in texts) - len(numbers)
        if self._is_other_statement(table, number, texts.get(STATEMENT, "")):
            return
        year = self._year(table, number, texts.get("year", ""), bool(numbers))
        if year is None:
            return
        key = self._key(table, number, texts, year)
        if key is None:
            return
        if key.get("partner_code") is not None and key["partner_code"] == key["firm_code"]:
            self._pass("whose partner is the firm itself")
            return
        if not self._is_first(table, number, key):
            return
        row: dict[str, Any] = dict.fromkeys(self.source.columns)
        row.update(key)
        for name, column in self.source.columns.items():
            if name in key or name not in texts:
                continue
            if column.kind == "text":
                row[name] = plain(texts[name]) or None
            elif column.kind == "event_year":
                row[name] = self._event_year(table, number, name, texts[name])
        if "city_code" in self.source.columns:
            row["city_name"] = plain(texts.get("city_name", "")) or None
            row["city_code"] = self._city(number, texts, year)
        self.cells_read += len(numbers)
        for name, text in numbers.items():
            row[name] = self._number(table, number, name, text, key, year)
        self.years.add(year)
        self.subjects.setdefault(str(key[self.source.key[0]]))
        origin = (self.dataset, table.sheet.path.name, table.sheet.name, number)
        row.update(zip((name for name, _ in ORIGIN), origin, strict=True))
        for name, value in row.items():
            self.columns[name].append(value)

    def _pass(self, why: str) -> None:
        self.passed[why] = self.passed.get(why, 0) + 1

    def _where(self, table: FlatTable, number: int, name: str) -> Place:
        return table.sheet.place(number, table.header.title(table.positions[name]) if name in table.positions else None)

    def _is_other_statement(self, table: FlatTable, number: int, text: str) -> bool:
        over = self.source.passed_over
        if over is None or is_missing(text) or fold(text) in over.keep:
            return False
        if fold(text) in over.leave:
            self._pass(f"of another statement: {over.what}")
            return True
        self.problems.add(
            "statement",
            lambda: CarbonpanelError(
                "CP-SCOPE-UNKNOWN",
                f"'{shown(text)}' is no kind of statement that is known",
                where=self._where(table, number, STATEMENT),
                remedy="write A (consolidated) or B (parent company), or remove the column",
            ),
        )
        return True

    def _year(self, table: FlatTable, number: int, text: str, has_numbers: bool) -> int | None:
        year = parse_year(text)
        if year is not None and table.is_period and not is_year_end(text):
            year = None
        if year is not None:
            return year
        if table.is_period and is_day(text):
            self._pass("of dates within a year (interim reports, opening balances)")
        elif has_numbers or not is_missing(text):
            what = f"'{shown(text)}' is not a year" if text.strip() else "the row holds numbers but its year is empty"
            self.problems.add(
                "year",
                lambda: CarbonpanelError(
                    "CP-YEAR-BAD",
                    what,
                    where=self._where(table, number, "year"),
                    remedy="write a year of four digits, such as 2019, or its last day",
                ),
            )
        else:
            self._pass("without a year and a number")
        return None

    def _key(self, table: FlatTable, number: int, texts: dict[str, str], year: int) -> dict[str, Any] | None:
        key: dict[str, Any] = {}
        for name in self.source.key:
            if name == "year":
                key[name] = year
                continue
            if name in table.constants:
                key[name] = table.constants[name]
                continue
            found = self.codes.read(self.source.columns[name], texts[name])
            if found.value is not None:
                key[name] = found.value
                continue
            if found.passed:
                self._pass(found.passed)
            elif found.unplaced:
                self._note_unplaced(plain(texts[name]), found, number)
            else:
                self._refuse_code(table, number, name, texts[name], found)
            return None
        return key

    def _refuse_code(self, table: FlatTable, number: int, name: str, text: str, found: Meaning) -> None:
        where, label = self._where(table, number, name), self.source.columns[name].label_en.lower()
        if is_missing(text):
            self.problems.add(
                "empty",
                lambda: CarbonpanelError(
                    "CP-KEY-EMPTY",
                    f"the row does not say its {label}",
                    where=where,
                    remedy="fill the cell in, or remove the row",
                ),
            )
            return
        self.problems.add(
            f"code of {name}",
            lambda: CarbonpanelError(
                "CP-CODE-UNKNOWN", f"'{shown(text)}' is no {found.wrong}", where=where, remedy=found.remedy
            ),
        )

    def _note_unplaced(self, text: str, meaning: Meaning, number: int) -> None:
        known = self.unplaced.get(text)
        if known is not None:
            known.rows += 1
        elif len(self.unplaced) < _MOST_UNPLACED:
            self.unplaced[text] = _Unplaced(meaning, 1, number)
        else:
            self.unplaced_unlisted += 1

    def _is_first(self, table: FlatTable, number: int, key: dict[str, Any]) -> bool:
        told = tuple(key.values())
        first, row = self._keys.setdefault(told, (len(self.tables), number))
        if (first, row) == (len(self.tables), number):
            return True
        sheet = self.tables[first - 1].sheet
        at = f"row {row}" + (f" of sheet '{sheet.name}'" if sheet is not table.sheet else "")
        self.problems.add(
            "twice",
            lambda: CarbonpanelError(
                "CP-KEY-DUPLICATED",
                f"{' '.join(map(str, told))} is there twice: in {at} and row {number}",
                where=self._where(table, number, self.source.key[0]),
                remedy="keep one of the rows",
            ),
        )
        return False

    def _city(self, number: int, texts: dict[str, str], year: int) -> str | None:
        key = PlaceKey(*(plain(texts.get(name, "")) for name in ("city_code", "city_name", PROVINCE)))
        if not key.code and not key.name:
            return None
        found = place_index("city").resolve(key, year)
        if found.code is None:
            self._note_unplaced(str(key), Meaning(unplaced=found.reason, candidates=found.candidates), number)
        return found.code

    def _event_year(self, table: FlatTable, number: int, name: str, text: str) -> int | None:
        if is_missing(text) or plain(text) in ("0", "0.0"):
            return None
        year = parse_year(text)
        if year is not None and _EVENT_YEARS[0] <= year <= _EVENT_YEARS[1]:
            return year
        self.problems.add(
            "event",
            lambda: CarbonpanelError(
                "CP-CELL-TEXT",
                f"'{shown(text)}' is not a year; the column holds the year in which the firm became a pilot",
                where=self._where(table, number, name),
                remedy="write the year, or leave the cell empty",
            ),
        )
        return None

    def _number(
        self, table: FlatTable, number: int, name: str, text: str, key: dict[str, Any], year: int
    ) -> float | None:
        value = self._parse(table, number, name, text)
        if value is None:
            return None
        indicator = self.source.numbers[name]
        unit = table.units[name]
        contract = self.source.dictionary.contract
        tally = self._tallies.setdefault(
            (len(self.tables), name), Tally(table.header.title(table.positions[name]), name, unit, None)
        )
        tally.read += 1
        canonical = contract.to_canonical(value, unit, indicator)
        reason = find_implausible(canonical, indicator)
        if not reason:
            self.taken[name] = self.taken.get(name, 0) + 1
            return canonical
        tally.add_impossible(value)
        told = " ".join(str(part) for part in key.values() if part != year)
        column, sheet = table.header.title(table.positions[name]), table.sheet.name
        self.quarantined.append(FlatQuarantine(number, column, sheet, told, year, name, value, unit, str(text), reason))
        return None

    def _parse(self, table: FlatTable, number: int, name: str, text: str) -> float | None:
        """The number of a cell in the unit of its column; ``None`` where it is none and refuses the file."""
        unit = table.units[name]
        if isinstance(text, Formula):
            self.problems.add(
                "formula",
                lambda: CarbonpanelError(
                    "CP-CELL-FORMULA",
                    f"the cell holds the formula '{shown(text)}' and no stored result",
                    where=self._where(table, number, name),
                    remedy="open the workbook in a spreadsheet program, let it calculate, and save it",
                ),
            )
            return None
        read = None if isinstance(text, Percentage) else read_number(text)
        scale = 1.0
        if read is not None and read.unit:
            own = self.source.dictionary.unit(read.unit, self.source.numbers[name])
            read = read if own == unit else None
        if read is not None and read.scale != 1.0:
            # 1.2万 is 12,000 of a unit that is no multiple itself; under 万元 it may be either.
            scale = read.scale
            read = read if self.source.dictionary.contract.units[unit].factor == 1.0 else None
        if read is None or read.comma_only or read.percent:
            self.problems.add(
                "text",
                lambda: CarbonpanelError(
                    "CP-CELL-TEXT",
                    f"'{shown(str(text))}' stands where a number of {name} should be",
                    where=self._where(table, number, name),
                    remedy="correct the cell, or empty it",
                ),
            )
            return None
        for kind in read.kinds:
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
        return read.value * scale

    # ------------------------------------------------------------ the end

    def finish(self) -> pa.Table:
        """The rows in file order, in the columns of the source.

        Raises ``CP-FILE-NO-ROWS``, ``CP-YEAR-BAD``, ``CP-KEY-EMPTY``, ``CP-KEY-DUPLICATED``, ``CP-CODE-UNKNOWN``,
        ``CP-CELL-TEXT``, ``CP-CELL-FORMULA``, ``CP-SCOPE-UNKNOWN``, ``CP-PLACE-NONE``, ``CP-UNIT-IMPLAUSIBLE``,
        ``CP-NOTHING-LEFT``.
        """
        first = self.tables[0]
        if self.rows_read == 0:
            raise CarbonpanelError(
                "CP-FILE-NO-ROWS",
                "the table has column names but no rows",
                where=first.sheet.place(first.header.row),
                remedy="check that the right file was exported",
            )
        self.problems.raise_first()
        for (at, name), tally in self._tallies.items():
            contract = self.source.dictionary.contract
            check_unit(tally, self.source.numbers[name], contract, self.tables[at - 1].sheet)
        if not self.rows_written:
            raise self._nothing_left(first)
        return pa.table(
            [pa.array(self.columns[one.name], one.type) for one in self.source.schema], schema=self.source.schema
        )

    def _nothing_left(self, table: FlatTable) -> CarbonpanelError:
        if self.unplaced:
            name, entry = next(iter(self.unplaced.items()))
            return CarbonpanelError(
                "CP-PLACE-NONE",
                f"not one place could be told ({name}: {entry.meaning.unplaced})",
                where=table.sheet.place(entry.first_row),
                remedy="give codes of GB/T 2260 or full names of provinces, CHN or USA",
            )
        told = "; ".join(f"{count:,} {why}" for why, count in self.passed.items())
        return CarbonpanelError(
            "CP-NOTHING-LEFT",
            f"no row is one of {self.source.name} ({told})",
            where=table.sheet.place(),
            remedy="check that this is the file you meant",
        )

    def unplaced_places(self) -> tuple[UnplacedPlace, ...]:
        return tuple(
            UnplacedPlace(name, one.meaning.unplaced, one.meaning.candidates, one.rows, one.first_row)
            for name, one in self.unplaced.items()
        )

    def remarks(self) -> list[str]:
        """How numbers were written, and which rows were passed over."""
        told = [f"{self.kinds[kind]:,} {text}" for kind, text in KINDS.items() if self.kinds.get(kind)]
        notes = [f"numbers understood: {'; '.join(told)}"] if told else []
        return notes + tell_passed([table.body for table in self.tables])
