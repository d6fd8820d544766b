"""Bringing a mapping and a sheet together, and reading the sheet as observations whatever its layout.

Place, year, indicator and unit of a number may stand in its row, over its column or in the name of its sheet. A sheet
with an indicator a column, a year a column, a place a column or a number a row comes out as the same stream of
:class:`Observation`: a row of the file, its place, its year, and cells that each know their rule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.ingest.body import Body
from analysis_py.ingest.cells import plain
from analysis_py.ingest.headings import HEADER_DEPTH, Header, clean_name, header_year
from analysis_py.ingest.mapping import Mapping, Rule, Setting
from analysis_py.ingest.places import PlaceKey
from analysis_py.ingest.sheets import CellSheet
from analysis_py.ingest.units import fold

__all__ = ["HEADER_DEPTH", "Binding", "Cell", "Header", "Observation", "SheetSays", "ValueColumn", "bind"]

#: Distinct places and indicator names that are kept while a sheet is read.
_MOST_KEYS = 20_000


@dataclass(frozen=True)
class SheetSays:
    """What the name of a sheet says of all its numbers ('' or None = nothing). ``label`` names the indicator,
    ``province`` (as it is written) the province its cities lie in."""

    year: str = ""
    place: PlaceKey | None = None
    label: str = ""
    province: str = ""

    @property
    def kinds(self) -> frozenset[str]:
        """Which of year, place, province and indicator are said."""
        told = (("year", self.year), ("place", self.place), ("province", self.province), ("indicator", self.label))
        return frozenset(kind for kind, value in told if value)

    def only(self, kinds: Collection[str]) -> SheetSays:
        """The same without what is not in ``kinds``."""
        return SheetSays(
            self.year if "year" in kinds else "",
            self.place if "place" in kinds else None,
            self.label if "indicator" in kinds else "",
            self.province if "province" in kinds else "",
        )


@dataclass(frozen=True)
class ValueColumn:
    """A column of numbers bound to the file.

    ``rule`` is ``None`` where each row's label decides; ``year_text`` and ``place`` are what the heading says of all
    cells below it; ``key`` is what the mapping calls the column.
    """

    position: int
    name: str
    rule: Rule | None
    year_text: str | None = None
    place: PlaceKey | None = None
    key: str = ""


@dataclass(slots=True)
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


@dataclass(slots=True)
class Observation:
    """A place and year of one row of the file, with its cells. ``year_column`` is where the year was read."""

    binding: Binding
    row: int
    place: PlaceKey
    year_text: str
    year_column: str
    area_scope: str
    population_basis: str
    vintage: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class _Bound:
    """A value column with the positions its unit and its conditions are read from."""

    column: ValueColumn
    unit_at: int | None
    conditions: tuple[tuple[int, frozenset[str]], ...]


@dataclass(frozen=True)
class Binding:
    """A mapping whose columns were found in a sheet."""

    sheet: CellSheet
    mapping: Mapping
    header: Header
    values: tuple[ValueColumn, ...]
    absent: tuple[str, ...]
    says: SheetSays = SheetSays()
    body: Body | None = field(default=None, compare=False, repr=False)
    #: Whether no other sheet is read with it.
    is_alone: bool = True

    @property
    def is_row_keyed(self) -> bool:
        """Whether a row is all there is of a place and year."""
        return self.mapping.layout == "columns" and self.is_alone and not any(one.year_text for one in self.values)

    @cached_property
    def keys(self) -> dict[str, str]:
        """What the mapping calls each column, by its name in this sheet."""
        return {column.name: column.key or column.name for column in self.values}

    def _position(self, name: str | None) -> int | None:
        return None if name is None else self.header.find(name)

    def _conditions(self, rule: Rule | None) -> tuple[tuple[int, frozenset[str]], ...]:
        return _locate(self.header, rule.observed_where) if rule else ()

    def observations(self) -> Iterator[Observation]:
        """All data rows below the header, in file order; a row once for each year or place its columns speak of."""
        assert self.body is not None
        mapping, header = self.mapping, self.header
        place_at = [self._position(name) for name in (mapping.code, mapping.place, mapping.province)]
        settings = [
            (setting, self._position(setting.column))
            for setting in (mapping.area_scope, mapping.population_basis, mapping.vintage)
        ]
        constant = [setting.value or "" for setting, at in settings] if all(at is None for _, at in settings) else None
        year_at, label_at = self._position(mapping.year), self._position(mapping.indicator)
        unit_at = self._position(mapping.unit)
        labels = {fold(text): (rule, self._conditions(rule)) for text, rule in mapping.labels}
        of_sheet = labels.get(fold(self.says.label)) if self.says.label else None
        own = (mapping.table, self._conditions(mapping.table))
        groups = self._groups()
        keys: dict[tuple[str, ...], PlaceKey] = {}
        names: dict[str, tuple[Rule | None, tuple[tuple[int, frozenset[str]], ...], str]] = {}
        year_name = header.title(year_at) if year_at is not None else f"sheet '{self.sheet.name}'"
        is_across = mapping.layout in ("years_across", "places_across")
        for number, cells in self.body.rows():
            rule, conditions = of_sheet or own
            label = self.says.label if of_sheet else ""
            if label_at is not None:
                text = cells[label_at]
                named = names.get(text)
                if named is None:
                    if len(names) >= _MOST_KEYS:
                        names.clear()
                    found = labels.get(fold(text)) or own
                    named = names[text] = (*found, clean_name(text) if is_across else "")
                rule, conditions, label = named
            told = tuple("" if at is None else cells[at] for at in place_at)
            key = keys.get(told)
            if key is None:
                if len(keys) >= _MOST_KEYS:
                    keys.clear()
                code, name, province = (plain(text) for text in told)
                key = keys[told] = PlaceKey(code, name, province or self.says.province)
            if label_at is not None and rule is None:
                # A row of an indicator that is left alone still counts as read, and its place as named.
                yield Observation(self, number, key, "", "", "", "", "", ())
                continue
            area, basis, vintage = constant or [self._settle(cells, setting, at) for setting, at in settings]
            row_year = cells[year_at] if year_at is not None else self.says.year
            row_unit = cells[unit_at] if unit_at is not None else ""
            is_observed = all(plain(cells[where]).lower() in texts for where, texts in conditions)
            for year_text, year_column, place, bound in groups:
                read = []
                for one in bound:
                    column = one.column
                    used = column.rule or rule
                    if used is None:
                        continue
                    observed = is_observed
                    if one.conditions:
                        observed = all(plain(cells[where]).lower() in texts for where, texts in one.conditions)
                    unit = cells[one.unit_at] if one.unit_at is not None else row_unit
                    read.append(Cell(column.name, used, cells[column.position], unit, observed, label))
                yield Observation(
                    self,
                    number,
                    place or (key if any(told) else self.says.place or key),
                    row_year if year_text is None else year_text,
                    year_name if year_column is None else year_column,
                    area,
                    basis,
                    vintage,
                    tuple(read),
                )

    def _groups(self) -> list[tuple[str | None, str | None, PlaceKey | None, list[_Bound]]]:
        """Value columns by the year and place their headings say, in file order."""
        groups: dict[tuple[str | None, PlaceKey | None], list[_Bound]] = {}
        names: dict[tuple[str | None, PlaceKey | None], str | None] = {}
        for column in self.values:
            key = (column.year_text, column.place)
            bound = _Bound(
                column,
                self._position(column.rule.unit_column if column.rule else None),
                self._conditions(column.rule),
            )
            groups.setdefault(key, []).append(bound)
            names.setdefault(key, column.name if column.year_text is not None else None)
        return [(year, names[(year, place)], place, bound) for (year, place), bound in groups.items()]

    @staticmethod
    def _settle(cells: list[str], setting: Setting, position: int | None) -> str:
        text = plain(cells[position]) if position is not None else ""
        return text or setting.value or ""


def _locate(
    header: Header, conditions: Iterable[tuple[str, tuple[str, ...]]]
) -> tuple[tuple[int, frozenset[str]], ...]:
    """(position, lower-case plain texts) of the conditions whose column is there."""
    found = ((header.find(column), frozenset(plain(text).lower() for text in texts)) for column, texts in conditions)
    return tuple((position, texts) for position, texts in found if position is not None)


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


def bind(
    mapping: Mapping,
    sheet: CellSheet,
    header: Header,
    says: SheetSays | None = None,
    across: dict[int, PlaceKey] | None = None,
) -> Binding:
    """Find a mapping's columns in a sheet; ``across`` are the places named by headings, by position.

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
            values.append(ValueColumn(position, header.title(position), rule, rule.year, key=name))
    if mapping.layout == "long" and mapping.value is not None:
        position = header.find(mapping.value)
        assert position is not None
        values.append(ValueColumn(position, header.title(position), None))
    places = [header.find(name) for name in structural]
    if mapping.layout == "years_across":
        for position, parts in enumerate(header.parts):
            years = [year for part in parts if (year := header_year(part))]
            if position not in places and years:
                values.append(ValueColumn(position, header.title(position), mapping.table, years[0]))
        if not values:
            raise no_year(sheet, header)
    if mapping.layout == "places_across":
        for position, place in (across or {}).items():
            if position not in places:
                values.append(ValueColumn(position, header.title(position), mapping.table, None, place))
        if not values:
            raise no_place(sheet, header)
    check_duplicates(sheet, header, [*places, *(v.position for v in values)])
    body = Body(
        sheet,
        header,
        structure=[at for at in places if at is not None],
        values=[column.position for column in values],
        year=header.find(mapping.year) if mapping.year is not None else None,
        only=_locate(header, mapping.only_rows),
    )
    says = says or SheetSays()
    fixed = PlaceKey(name=mapping.fixed_place) if mapping.fixed_place else None
    says = replace(says, year=says.year or mapping.fixed_year or "", place=says.place or fixed)
    return Binding(sheet, mapping, header, tuple(values), tuple(absent), says, body)


def check_duplicates(sheet: CellSheet, header: Header, used: Iterable[int | None]) -> None:
    """Raise ``CP-COLUMN-DUPLICATED`` when a used column's name is there more than once."""
    for position in used:
        if position is None or not header.names[position]:
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


def _listed(header: Header) -> str:
    names = [name for name in header.names if name]
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def no_year(sheet: CellSheet, header: Header) -> CarbonpanelError:
    """The refusal of a table that nowhere says which year its numbers are of."""
    return CarbonpanelError(
        "CP-YEAR-MISSING",
        f"there is no column of years and no year among the column names ({_listed(header)})",
        where=sheet.place(header.row),
        remedy="name the column 'year' or '年份', head the columns with years, or say which it is in a mapping",
    )


def no_place(sheet: CellSheet, header: Header, level: str = "city") -> CarbonpanelError:
    """The refusal of a table that nowhere says which place its numbers are of."""
    wanted = "'province_code' or 'province'" if level == "province" else "'city_code' or 'city'"
    return CarbonpanelError(
        "CP-PLACE-MISSING",
        f"no column says which {level} a row is of",
        where=sheet.place(header.row),
        remedy=f"name one {wanted} (or {'省份' if level == 'province' else '城市'}), or use a mapping",
    )
