"""Bringing a mapping and a sheet together, and reading the sheet as observations whatever its layout.

A sheet with an indicator a column, a year a column or a number a row comes out as the same stream of
:class:`Observation`: a row of the file, its place, its year, and cells that each know their rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.ingest.cells import parse_year, plain
from analysis_py.ingest.mapping import Mapping, Rule, Setting
from analysis_py.ingest.places import PlaceKey
from analysis_py.ingest.readers import clean_name
from analysis_py.ingest.sheets import CellSheet
from analysis_py.ingest.units import fold

#: Rows in which a header is looked for.
HEADER_DEPTH = 20


@dataclass(frozen=True)
class Header:
    """A row of column names; ``positions`` is the first position of each name (exact and folded)."""

    row: int
    names: tuple[str, ...]
    exact: dict[str, int] = field(repr=False)
    folded: dict[str, int] = field(repr=False)

    def find(self, name: str) -> int | None:
        """0-based position of a column, by its exact name or, failing that, by its folded one."""
        position = self.exact.get(clean_name(name))
        return position if position is not None else self.folded.get(fold(name))


def make_header(row: int, cells: list[str]) -> Header:
    names = tuple(clean_name(cell) for cell in cells)
    exact: dict[str, int] = {}
    folded: dict[str, int] = {}
    for position, name in enumerate(names):
        if name:
            exact.setdefault(name, position)
            folded.setdefault(fold(name), position)
    return Header(row, names, exact, folded)


@dataclass(frozen=True)
class ValueColumn:
    """A column of numbers bound to the file.

    ``rule`` is ``None`` where each row's label decides; ``year_text`` is the header itself where years are headers.
    """

    position: int
    name: str
    rule: Rule | None
    year_text: str | None = None


@dataclass(frozen=True)
class Cell:
    """One cell of an observation: its column's name, its rule, and the texts of value and unit ('' = not given).

    ``label`` is the text that named its indicator where that is not the column.
    """

    column: str
    rule: Rule
    text: str
    unit_text: str = ""
    is_observed: bool = True
    label: str = ""


@dataclass(frozen=True)
class Observation:
    """A place and year of one row of the file, with its cells. ``year_column`` is where the year was read."""

    row: int
    place: PlaceKey
    year_text: str
    year_column: str
    area_scope: str
    population_basis: str
    vintage: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Binding:
    """A mapping whose columns were found in a sheet."""

    sheet: CellSheet
    mapping: Mapping
    header: Header
    values: tuple[ValueColumn, ...]
    absent: tuple[str, ...]

    def observations(self) -> Iterator[Observation]:
        """All rows below the header, in file order."""
        if self.mapping.layout == "years_across":
            return self._read_years_across()
        return self._read_rows()

    def _position(self, name: str | None) -> int | None:
        return None if name is None else self.header.find(name)

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        width = len(self.header.names)
        for number, cells in self.sheet.rows():
            if number <= self.header.row:
                continue
            if len(cells) < width:
                cells = cells + [""] * (width - len(cells))
            elif self.sheet.name is None and any(cells[width:]):
                # In a workbook a stray cell beside the table moves nothing; in text it means that columns shifted.
                raise CarbonpanelError(
                    "CP-FILE-RAGGED",
                    f"the row has {len(cells)} cells, the header names {width} columns",
                    where=self.sheet.place(number),
                    remedy="look for a separator inside a text that is not quoted, or name the extra column",
                )
            yield number, cells

    def _common(self) -> tuple[list[int | None], list[tuple[Setting, int | None]]]:
        mapping = self.mapping
        places = [self._position(name) for name in (mapping.code, mapping.place, mapping.province)]
        settings = [
            (setting, self._position(setting.column))
            for setting in (mapping.area_scope, mapping.population_basis, mapping.vintage)
        ]
        return places, settings

    @staticmethod
    def _settle(cells: list[str], setting: Setting, position: int | None) -> str:
        text = plain(cells[position]) if position is not None else ""
        return text or setting.value or ""

    def _read_rows(self) -> Iterator[Observation]:
        mapping = self.mapping
        places, settings = self._common()
        year = self._position(mapping.year)
        label, unit = self._position(mapping.indicator), self._position(mapping.unit)
        labels = {fold(text): rule for text, rule in mapping.labels}
        bound = [
            (column, self._position(column.rule.unit_column if column.rule else None), self._conditions(column.rule))
            for column in self.values
        ]
        assert year is not None
        for number, cells in self._rows():
            found = []
            for column, unit_at, conditions in bound:
                rule = column.rule
                if rule is None:
                    rule = labels.get(fold(cells[label])) if label is not None else None
                    if rule is None:
                        continue
                    conditions = self._conditions(rule)
                at = unit_at if unit_at is not None else unit
                observed = all(plain(cells[where]).lower() in texts for where, texts in conditions)
                found.append(
                    Cell(column.name, rule, cells[column.position], cells[at] if at is not None else "", observed)
                )
            key = PlaceKey(*(plain(cells[at]) if at is not None else "" for at in places))
            area, basis, vintage = (self._settle(cells, setting, at) for setting, at in settings)
            yield Observation(number, key, cells[year], self.header.names[year], area, basis, vintage, tuple(found))

    def _read_years_across(self) -> Iterator[Observation]:
        mapping = self.mapping
        places, settings = self._common()
        label, unit = self._position(mapping.indicator), self._position(mapping.unit)
        labels = {fold(text): rule for text, rule in mapping.labels}
        for number, cells in self._rows():
            rule = mapping.table
            if label is not None:
                rule = labels.get(fold(cells[label]), mapping.table)
            if rule is None:
                # A row of an indicator that is left alone still counts as read.
                yield Observation(number, PlaceKey(), "", "", "", "", "", ())
                continue
            named = clean_name(cells[label]) if label is not None else ""
            key = PlaceKey(*(plain(cells[at]) if at is not None else "" for at in places))
            area, basis, vintage = (self._settle(cells, setting, at) for setting, at in settings)
            unit_text = cells[unit] if unit is not None else ""
            observed = all(plain(cells[where]).lower() in texts for where, texts in self._conditions(rule))
            for column in self.values:
                cell = Cell(column.name, rule, cells[column.position], unit_text, observed, named)
                yield Observation(number, key, column.year_text or "", column.name, area, basis, vintage, (cell,))

    def _conditions(self, rule: Rule | None) -> list[tuple[int, frozenset[str]]]:
        found = []
        for column, texts in rule.observed_where if rule else ():
            position = self.header.find(column)
            if position is not None:
                found.append((position, frozenset(plain(text).lower() for text in texts)))
        return found


def _column_missing(name: str, mapping: Mapping, sheet: CellSheet, header: Header) -> CarbonpanelError:
    known = [column for column in header.names if column]
    if mapping.path is not None:
        line = mapping.line_of(name)
        what = f"the mapping names a column '{name}' that is not in {sheet.path.name} (header in row {header.row})"
        return CarbonpanelError(
            "CP-MAPPING-COLUMN", what, where=Place(mapping.path, row=line), remedy=did_you_mean(name, known)
        )
    return CarbonpanelError(
        "CP-COLUMN-MISSING",
        f"there is no column '{name}'",
        where=sheet.place(header.row, name),
        remedy=did_you_mean(name, known),
    )


def bind(mapping: Mapping, sheet: CellSheet, header: Header) -> Binding:
    """Find a mapping's columns in a sheet.

    Columns a user's own mapping names must all be there (``CP-MAPPING-COLUMN`` with the nearest name); of a shipped
    mapping the columns of numbers may be absent and are reported. Two columns of one name where that name is used:
    ``CP-COLUMN-DUPLICATED``; years across without a year in the header: ``CP-YEAR-MISSING``.
    """
    structural = mapping.structural_columns()
    for name in structural:
        if header.find(name) is None:
            raise _column_missing(name, mapping, sheet, header)
    values: list[ValueColumn] = []
    absent: list[str] = []
    rules = mapping.columns if mapping.layout == "columns" else ()
    for name, rule in rules:
        position = header.find(name)
        needed = [rule.unit_column, *(column for column, _ in rule.observed_where)]
        lost = [column for column in (name, *needed) if column is not None and header.find(column) is None]
        if lost and (mapping.origin != "shipped" or lost[0] != name):
            raise _column_missing(lost[0], mapping, sheet, header)
        if position is None:
            absent.append(name)
        else:
            values.append(ValueColumn(position, header.names[position], rule))
    if mapping.layout == "long" and mapping.value is not None:
        position = header.find(mapping.value)
        assert position is not None
        values.append(ValueColumn(position, header.names[position], None))
    if mapping.layout == "years_across":
        taken = {header.find(name) for name in structural}
        values += [
            ValueColumn(position, name, mapping.table, name)
            for position, name in enumerate(header.names)
            if position not in taken and parse_year(name) is not None
        ]
        if not values:
            raise no_year(sheet, header)
    check_duplicates(sheet, header, [*(header.find(n) for n in structural), *(v.position for v in values)])
    return Binding(sheet, mapping, header, tuple(values), tuple(absent))


def check_duplicates(sheet: CellSheet, header: Header, used: Iterable[int | None]) -> None:
    """Raise ``CP-COLUMN-DUPLICATED`` when a used column's name is there more than once."""
    for position in used:
        if position is None:
            continue
        name = header.names[position]
        places = [str(at + 1) for at, other in enumerate(header.names) if other == name]
        if len(places) > 1:
            raise CarbonpanelError(
                "CP-COLUMN-DUPLICATED",
                f"{len(places)} columns are called '{name}' (columns {', '.join(places)})",
                where=sheet.place(header.row, name),
                remedy="rename or remove all but one of them",
            )


def no_year(sheet: CellSheet, header: Header) -> CarbonpanelError:
    """The refusal of a table that nowhere says which year its numbers are of."""
    names = [name for name in header.names if name]
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return CarbonpanelError(
        "CP-YEAR-MISSING",
        f"there is no column of years and no year among the column names ({shown})",
        where=sheet.place(header.row),
        remedy="name the column 'year' or '年份', head the columns with years, or say which it is in a mapping",
    )
