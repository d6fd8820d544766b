"""From observations of a file to the rows of the raw contract, every cell accounted for.

Nothing is converted or repaired here. A number outside the plausible range of its indicator is quarantined; a
mistake of the whole file (a year that is none, text among numbers, a city-year twice) is kept with its first place and
its count, and refuses the file once everything has been read.
"""

from __future__ import annotations

from collections.abc import Mapping

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.ingest.batches import CellBatches
from analysis_py.ingest.body import tell_passed
from analysis_py.ingest.cell_numbers import NotANumber, NumberReader, has_own_unit
from analysis_py.ingest.cells import is_missing, parse_year, shown
from analysis_py.ingest.column_use import list_used
from analysis_py.ingest.contract import AREA_SCOPES, POPULATION_BASES, VINTAGES, Contract, Indicator
from analysis_py.ingest.layout import Binding, Cell, Observation
from analysis_py.ingest.places import PlaceIndex, PlaceKey, Placement
from analysis_py.ingest.plausibility import Problems, Tally, check_unit, find_implausible
from analysis_py.ingest.report import UsedColumn
from analysis_py.ingest.units import Dictionary
from analysis_py.ingest.unplaced import UnplacedPlaces

#: Distinct places looked up of rows that hold nothing wanted.
_MOST_NOTED = 50_000

_SCOPES = {"area_scope": AREA_SCOPES, "population_basis": POPULATION_BASES, "vintage": VINTAGES}


class Collector:
    """Collects the observations of one file. :meth:`add` each, then :meth:`finish`; the attributes are the account."""

    def __init__(
        self, source: str, dataset: str, binding: Binding, contract: Contract, dictionary: Dictionary, index: PlaceIndex
    ) -> None:
        self.source = source
        self.dataset = dataset
        self.binding = binding
        self.contract = contract
        self.dictionary = dictionary
        self.index = index
        self.indicators = contract.of_source(source)
        self.wanted_years = frozenset(contract.years(source))
        self.numbers = NumberReader(contract, dictionary)
        self.problems = Problems()
        self.bindings: list[Binding] = []
        #: Marks that stand for no value, by how many cells.
        self.marks: dict[str, int] = {}
        self.rows_read = self.rows_placed = self.rows_without_numbers = 0
        self.rows_outside_years = self.rows_after_abolition = 0
        self.cells_read = self.cells_missing = 0
        self.cells_outside_years = self.cells_unplaced = self.cells_not_observed = 0
        #: Why a row of :meth:`finish` is impossible, by its position.
        self.reasons: dict[int, str] = {}
        self.placed: dict[str, None] = {}
        self.years: set[int] = set()
        self.years_outside: set[int] = set()
        self.notes: dict[str, int] = {}
        self.unplaced = UnplacedPlaces()
        #: Rows of the nation in a table of places, and of other places in a table taken for the nation.
        self.rows_of_nation = self.rows_of_others = self.cells_of_others = 0
        self._noted: set[PlaceKey] = set()
        self._tallies: dict[tuple[str, str, str, str, str], Tally] = {}
        self._keys: dict[tuple[object, ...], dict[int, int]] = {}
        self._units: dict[tuple[str, str], str | None] = {}
        self._row = self._last_placed = self._last_outside = self._last_without = 0
        self._last_nation, self._of_nation = 0, UnplacedPlaces()
        self._extra: frozenset[str] = frozenset()
        self._rows = CellBatches()
        self._file = binding.sheet.path.name

    def add(self, seen: Observation) -> None:
        """Account for one observation."""
        if not self.bindings or seen.binding is not self.bindings[-1]:
            self.bindings.append(seen.binding)
            self._extra = seen.binding.mapping.missing
            self._row = self._last_placed = self._last_outside = self._last_without = 0
            self._last_nation = 0
        if seen.row != self._row:
            self._row = seen.row
            self.rows_read += 1
        cells = [cell for cell in seen.cells if not self._is_missing(cell.text)]
        self.cells_missing += len(seen.cells) - len(cells)
        year = parse_year(seen.year_text)
        if year is None:
            if cells:
                self.problems.add("year", lambda: self._bad_year(seen))
            elif seen.row != self._last_without:
                self._last_without = seen.row
                self.rows_without_numbers += 1
                self._note_place(seen)
            return
        placement = self.index.resolve(seen.place, year)
        self.cells_read += len(cells)
        if placement.code is None:
            self._leave_unplaced(seen, placement, len(cells))
            return
        self.placed.setdefault(placement.code)
        if placement.note:
            self.notes[placement.note] = self.notes.get(placement.note, 0) + 1
        if year in self.wanted_years:
            outside = [cell for cell in cells if not self.indicators[cell.rule.indicator].covers(year)]
            cells = [cell for cell in cells if cell not in outside] if outside else cells
        else:
            outside = cells
        self.cells_outside_years += len(outside)
        if outside:
            self.years_outside.add(year)
        if year not in self.wanted_years or (outside and not cells):
            if seen.row != self._last_outside:
                self._last_outside = seen.row
                self.rows_outside_years += 1
            return
        if seen.row != self._last_placed:
            self._last_placed = seen.row
            self.rows_placed += 1
        if cells:
            self._take(seen, placement.code, year, cells)

    def _is_missing(self, text: str) -> bool:
        if not text:
            return True
        if "0" <= text[0] <= "9" and not self._extra:
            return False
        if not is_missing(text, self._extra):
            return False
        mark = text.strip()
        if mark:
            self.marks[mark] = self.marks.get(mark, 0) + 1
        return True

    def remarks(self) -> list[str]:
        """How numbers and empty marks were written, and which rows were passed over."""
        told = self.numbers.remarks()
        if self.marks:
            marks = sorted(self.marks.items(), key=lambda item: (-item[1], item[0]))
            listed = ", ".join(f"'{shown(mark)}' {count:,}" for mark, count in marks[:12])
            told.append(f"no value: cells that hold {listed}{', ...' if len(marks) > 12 else ''}")
        if self.rows_of_nation:
            told.append(f"{self.rows_of_nation:,} row(s) of the whole nation left out: a total, not one of the places")
        if self.index.level == "national" and self.rows_of_others:
            told.append(f"{self.rows_of_others:,} row(s) of other places left out: only the nation's are asked for")
        return told + tell_passed([binding.body for binding in self.bindings if binding.body is not None])

    def _bad_year(self, seen: Observation) -> CarbonpanelError:
        text = shown(seen.year_text)
        what = f"'{text}' is not a year" if text.strip() else "the row holds numbers but its year is empty"
        return CarbonpanelError(
            "CP-YEAR-BAD",
            what,
            where=seen.binding.sheet.place(seen.row, seen.year_column),
            remedy="write a year of four digits, such as 2019 or 2019年",
        )

    def _note_place(self, seen: Observation) -> None:
        """Count the place of a row that holds nothing wanted: it is one of the places the file names."""
        if seen.place in self._noted or seen.year_text or not str(seen.place):
            return
        if len(self._noted) < _MOST_NOTED:
            self._noted.add(seen.place)
            placement = self.index.resolve(seen.place)
            if placement.code is not None:
                self.placed.setdefault(placement.code)
            else:
                self._leave_unplaced(seen, placement, 0)

    def _leave_unplaced(self, seen: Observation, placement: Placement, cells: int) -> None:
        if placement.is_nation or self.index.level == "national":
            self.cells_of_others += cells
        else:
            self.cells_unplaced += cells
        if placement.is_nation:
            self.rows_of_nation += seen.row != self._last_nation
            self._last_nation = seen.row
            self._of_nation.add(str(seen.place), placement, seen.row)
            return
        if self.index.level == "national":
            self.rows_of_others += seen.row != self._last_nation
            self._last_nation = seen.row
        if placement.ended:
            self.rows_after_abolition += 1
            if not cells:
                return
        self.unplaced.add(str(seen.place), placement, seen.row)

    def _scope(self, seen: Observation, kind: str, text: str) -> str | None:
        known = _SCOPES[kind]
        if not text or text in known:
            return text or None
        value = self.dictionary.scope(text, kind)
        if value is None:
            setting = getattr(seen.binding.mapping, kind)
            self.problems.add(
                kind,
                lambda: CarbonpanelError(
                    "CP-SCOPE-UNKNOWN",
                    f"'{shown(text)}' is not a value of {kind}",
                    where=seen.binding.sheet.place(seen.row, setting.column),
                    remedy=did_you_mean(text, known),
                ),
            )
        return value

    def _take(self, seen: Observation, code: str, year: int, cells: list[Cell]) -> None:
        area = self._scope(seen, "area_scope", seen.area_scope)
        basis = self._scope(seen, "population_basis", seen.population_basis)
        vintage = self._scope(seen, "vintage", seen.vintage)
        is_row_keyed = seen.binding.is_row_keyed
        if is_row_keyed:
            self._check_twice(seen, (None, area, basis, vintage), code, year, None)
        for cell in cells:
            indicator = self.indicators[cell.rule.indicator]
            own = (
                cell.rule.area_scope or area,
                cell.rule.population_basis or basis or indicator.population_basis,
                cell.rule.vintage or vintage,
            )
            if not is_row_keyed:
                self._check_twice(seen, (indicator.name, *own), code, year, cell)
            if not cell.is_observed:
                self.cells_not_observed += 1
                continue
            unit = cell.rule.unit
            if unit is None and (cell.unit_text.strip() or not has_own_unit(cell.text)):
                unit = self._row_unit(seen, cell, indicator)
                if unit is None:
                    continue
            self._write(seen, code, year, cell, indicator, unit, own)

    def _check_twice(self, seen: Observation, key: tuple[object, ...], code: str, year: int, cell: Cell | None) -> None:
        """Note that a place and year was seen; a second time is a problem. ``cell`` is ``None`` for whole rows."""
        known = self._keys.setdefault(key, {})
        place = int(code) * 10_000 + year
        first = known.get(place)
        if first is None:
            known[place] = len(self.bindings) << 24 | seen.row
        else:
            self.problems.add("twice", lambda: self._twice(seen, code, year, cell, first))

    def _twice(self, seen: Observation, code: str, year: int, cell: Cell | None, first: int) -> CarbonpanelError:
        of = f" of {cell.rule.indicator}" if cell is not None else ""
        row, sheet = first & 0xFFFFFF, self.bindings[(first >> 24) - 1].sheet
        if sheet is not seen.binding.sheet:
            where = f"in row {row} of sheet '{sheet.name}' and row {seen.row} of sheet '{seen.binding.sheet.name}'"
        elif row == seen.row:
            where = f"in two columns of row {row}"
        else:
            where = f"in rows {row} and {seen.row}"
        return CarbonpanelError(
            "CP-KEY-DUPLICATED",
            f"{self.index.label(code)} {year} is there twice{of}: {where}",
            where=seen.binding.sheet.place(seen.row, cell.column if cell is not None and row == seen.row else None),
            remedy="keep one of the rows; if they differ in area (全市, 市辖区) or vintage, say so in a column",
        )

    def _row_unit(self, seen: Observation, cell: Cell, indicator: Indicator) -> str | None:
        key = (cell.unit_text, indicator.name)
        if key not in self._units:
            self._units[key] = self.dictionary.unit(cell.unit_text, indicator)
        unit = self._units[key]
        if unit is None:
            text = shown(cell.unit_text)
            what = (
                f"'{text}' is not a unit of {indicator.name}" if text.strip() else f"{indicator.name} has no unit here"
            )
            self.problems.add(
                "unit",
                lambda: CarbonpanelError(
                    "CP-UNIT-UNKNOWN",
                    what,
                    where=seen.binding.sheet.place(seen.row, cell.column),
                    remedy=self.dictionary.unit_remedy(cell.unit_text, indicator),
                ),
            )
        return unit

    def _write(
        self,
        seen: Observation,
        code: str,
        year: int,
        cell: Cell,
        indicator: Indicator,
        stated: str | None,
        own: tuple[str | None, str | None, str | None],
    ) -> None:
        read = self.numbers.read(seen, cell, stated, indicator)
        if isinstance(read, NotANumber):
            self.problems.add("text", lambda: self._text(seen, cell, read))
            return
        self.numbers.count(read)
        value, unit = read.value, read.unit
        is_across = seen.binding.mapping.layout in ("years_across", "places_across")
        across = "the whole table" if is_across else seen.binding.keys[cell.column]
        label = cell.label or across
        area, basis, vintage = own
        tally = self._tallies.setdefault(
            (label, indicator.name, unit, str(area), str(vintage)),
            Tally(cell.column, indicator.name, unit, cell.rule.population_basis or indicator.population_basis),
        )
        tally.read += 1
        tally.lowest = min(tally.lowest, value)
        canonical = self.contract.to_canonical(value, unit, indicator)
        reason = find_implausible(canonical, indicator)
        if reason:
            tally.add_impossible(value)
            self.reasons[len(self._rows)] = reason
        else:
            tally.written += 1
            self.years.add(year)
        self._rows.append(
            (
                self.source,
                self.dataset,
                code,
                seen.place.code or None,
                seen.place.name or None,
                year,
                indicator.name,
                value,
                unit,
                area,
                basis,
                vintage,
                str(read.text),
                self._file,
                seen.binding.sheet.name,
                seen.row,
                cell.column,
            )
        )

    def _text(self, seen: Observation, cell: Cell, read: NotANumber) -> CarbonpanelError:
        where = seen.binding.sheet.place(seen.row, cell.column)
        return CarbonpanelError(read.code, read.what, where=where, remedy=read.remedy)

    def finish(self) -> CellBatches:
        """All cells with a number, in file order, those of :attr:`reasons` among them; raises what refuses the file.

        Raises ``CP-FILE-NO-ROWS``, ``CP-YEAR-BAD``, ``CP-CELL-TEXT``, ``CP-CELL-FORMULA``, ``CP-KEY-DUPLICATED``,
        ``CP-UNIT-UNKNOWN``, ``CP-SCOPE-UNKNOWN``, ``CP-PLACE-NONE``, ``CP-UNIT-IMPLAUSIBLE``, ``CP-NOTHING-LEFT``.
        """
        sheet = self.binding.sheet
        if self.rows_read == 0:
            raise CarbonpanelError(
                "CP-FILE-NO-ROWS",
                "the table has column names but no rows",
                where=sheet.place(self.binding.header.row),
                remedy="check that the right file was exported",
            )
        self.problems.raise_first()
        if not self.placed and (self.unplaced or self._of_nation):
            raise (self.unplaced or self._of_nation).refusal(sheet)
        if self.index.level == "city" and self.unplaced.are_provinces(self.placed):
            raise self.unplaced.refusal(sheet)
        if self.index.level == "national" and self.rows_of_others:
            self.unplaced = UnplacedPlaces()
        for tally in self._tallies.values():
            check_unit(tally, self.indicators[tally.indicator], self.contract, sheet)
        if len(self.reasons) == len(self._rows):
            raise self.nothing_left()
        return self._rows

    def nothing_left(self, reasons: Mapping[int, str] | None = None) -> CarbonpanelError:
        """The refusal of a file no number of which can be used; ``reasons`` by position say more than our own."""
        sheet = self.binding.sheet
        told = reasons or self.reasons
        if told:
            position = min(told)
            text, _, _, row, column = self._rows[position][-5:]
            return CarbonpanelError(
                "CP-NOTHING-LEFT",
                f"every number is impossible, the first one: {shown(str(text))} - {told[position]}",
                where=sheet.place(int(str(row)), str(column)),
                remedy="check the units",
            )
        if self.years_outside:
            first, last = min(self.years_outside), max(self.years_outside)
            wanted = sorted(self.wanted_years)
            span = f"{wanted[0]}-{wanted[-1]}" if len(wanted) > 1 else str(wanted[0])
            what = f"all numbers are of years outside {span} ({first}-{last})"
        elif self.cells_not_observed:
            what = "all numbers are marked as estimated, not observed"
        elif self.cells_unplaced or self.cells_of_others:
            what = "all numbers are of places that could not be told or no longer existed"
        else:
            what = "the table holds no number in the columns that are used"
        return CarbonpanelError(
            "CP-NOTHING-LEFT", what, where=sheet.place(), remedy="check that this is the file you meant"
        )

    def places_read(self) -> int:
        """Distinct places of the file: those placed and those that never were."""
        return len(self.placed) + self.unplaced.count_lost()

    def used_columns(self) -> tuple[UsedColumn, ...]:
        """What was taken, a line per column, indicator, unit, scope and vintage; columns without a number last."""
        return list_used(self._tallies, self.bindings, self.indicators)
