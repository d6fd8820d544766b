"""From the text of a cell to a number in a unit, or the reason why it is none."""

from __future__ import annotations

import decimal
from dataclasses import dataclass

from analysis_py.ingest.cells import shown
from analysis_py.ingest.column_style import ColumnStyle, Key, style_key, survey_styles
from analysis_py.ingest.contract import Contract, Indicator
from analysis_py.ingest.layout import Binding, Cell, Observation
from analysis_py.ingest.numerals import KINDS, Numeral, read_number
from analysis_py.ingest.plausibility import find_implausible
from analysis_py.ingest.sheets import Formula, Percentage
from analysis_py.ingest.units import Dictionary

_CALCULATE = "open the workbook in a spreadsheet program, let it calculate, and save it"
_CORRECT = "correct the cell, empty it, or list the mark under 'missing' in a mapping if it means no value"
_IN_FULL = "write the number in full, in the unit of the column"


@dataclass(frozen=True, slots=True)
class CellNumber:
    """``value`` in ``unit``, the ``text`` it stood as, and the ways it was written (keys of KINDS)."""

    value: float
    unit: str
    text: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotANumber:
    """Why a cell that is not empty holds no number: an error's code, what is wrong, and the remedy."""

    code: str
    what: str
    remedy: str = _CORRECT


def has_own_unit(text: str) -> bool:
    """Whether a cell says its unit itself (``9409.4亿元``)."""
    read = read_number(text)
    return read is not None and bool(read.unit)


class NumberReader:
    """Reads the cells of one file; a column's style is surveyed when the first cell needs it."""

    def __init__(self, contract: Contract, dictionary: Dictionary) -> None:
        self.contract = contract
        self.dictionary = dictionary
        self._styles: dict[int, dict[Key, ColumnStyle]] = {}
        #: How many cells were understood in which way.
        self.kinds: dict[str, int] = {}

    def remarks(self) -> list[str]:
        """``numbers understood: 12 in full-width digits or signs; ...``, '' kinds left out."""
        told = [f"{self.kinds[kind]:,} {text}" for kind, text in KINDS.items() if self.kinds.get(kind)]
        return [f"numbers understood: {'; '.join(told)}"] if told else []

    def count(self, number: CellNumber) -> None:
        """Account for a number that was taken."""
        for kind in number.kinds:
            self.kinds[kind] = self.kinds.get(kind, 0) + 1

    def read(self, seen: Observation, cell: Cell, unit: str | None, indicator: Indicator) -> CellNumber | NotANumber:
        """The number of a cell whose column is in ``unit`` (``None``: the cell itself must say it)."""
        text = cell.text
        if isinstance(text, Formula):
            return NotANumber(
                "CP-CELL-FORMULA", f"the cell holds the formula '{shown(text)}' and no stored result", _CALCULATE
            )
        if isinstance(text, Percentage):
            return self._read_percentage(text, unit, indicator)
        read = read_number(text)
        if read is None:
            return self._no_number(text, indicator)
        if read.unit:
            own = self.dictionary.unit(read.unit, indicator)
            if own is None:
                return self._no_number(text, indicator)
            if unit is not None and own != unit:
                what = f"'{shown(text)}' says {own}, but the column is in {unit}"
                return NotANumber("CP-CELL-TEXT", what, "correct the cell or the unit of the column")
            unit = own
        if unit is None:
            return NotANumber("CP-UNIT-UNKNOWN", f"{indicator.name} has no unit here", "")
        if read.percent and self.contract.units[unit].dimension not in ("ratio", "growth", "index"):
            what = f"'{shown(text)}' is a percentage, but {indicator.name} is in {unit}"
            return NotANumber("CP-CELL-TEXT", what, "check which column this is, or correct the unit")
        if not read.kinds and read.comma is None:
            return CellNumber(read.value, unit, text)
        return self._resolve(seen, cell, read, unit, indicator)

    def _read_percentage(self, text: Percentage, unit: str | None, indicator: Indicator) -> CellNumber | NotANumber:
        if unit is None or self.contract.units[unit].dimension not in ("ratio", "growth", "index"):
            what = f"the workbook shows '{shown(text.display)}', but {indicator.name} is in {unit or 'no unit'}"
            return NotANumber("CP-CELL-TEXT", what, "check which column this is, or change the format of the cells")
        stored = read_number(str(text))
        if stored is None:
            return self._no_number(text, indicator)
        value = stored.value if unit == "share" else _times(stored.value, 100.0)
        return CellNumber(value, unit, text.display, ("percent_format",))

    def _no_number(self, text: str, indicator: Indicator) -> NotANumber:
        return NotANumber("CP-CELL-TEXT", f"'{shown(text)}' stands where a number of {indicator.name} should be")

    def _resolve(
        self, seen: Observation, cell: Cell, read: Numeral, unit: str, indicator: Indicator
    ) -> CellNumber | NotANumber:
        value, kinds = read.value, read.kinds
        if read.comma is not None:
            style = self._style(seen.binding, cell)
            if style.has_decimal_commas:
                value = read.comma
                kinds = (*(kind for kind in kinds if kind != "thousands"), "decimal_comma")
            elif read.comma_only:
                what = (
                    f"'{shown(cell.text)}' stands where a number of {indicator.name} should be: its comma is no "
                    "thousands comma, and the column does not write decimal commas throughout"
                )
                return NotANumber(
                    "CP-CELL-TEXT", what, "write it with a decimal point, or the whole column with commas"
                )
        if read.percent and unit == "share":
            value = _times(value, 0.01)
        if read.scale != 1.0:
            return self._scale(seen, cell, CellNumber(value, unit, cell.text, kinds), read.scale, indicator)
        return CellNumber(value, unit, cell.text, kinds)

    def _scale(
        self, seen: Observation, cell: Cell, number: CellNumber, scale: float, indicator: Indicator
    ) -> CellNumber | NotANumber:
        """``1.2万`` is 12,000 of the column's unit - or, where that unit is 万元 or 亿元 itself, 1.2万元."""
        unit = self.contract.units[number.unit]
        literal = _times(number.value, scale)
        value: float | None = literal
        if unit.factor > 1 and number.value:
            absolute = literal / unit.factor
            value = self._style(seen.binding, cell).nearer(literal, absolute)
            if value is None:
                fits = [one for one in (literal, absolute) if not self._is_implausible(one, number.unit, indicator)]
                value = fits[0] if len(fits) == 1 else None
            if value is None:
                what = (
                    f"'{shown(cell.text)}' under {unit.label_zh} may be {literal:,.10g} or {absolute:,.10g} of them, "
                    "and the column does not decide"
                )
                return NotANumber("CP-CELL-TEXT", what, _IN_FULL)
        return CellNumber(value if value is not None else literal, number.unit, number.text, number.kinds)

    def _is_implausible(self, value: float, unit: str, indicator: Indicator) -> bool:
        return bool(find_implausible(self.contract.to_canonical(value, unit, indicator), indicator))

    def _style(self, binding: Binding, cell: Cell) -> ColumnStyle:
        styles = self._styles.get(id(binding))
        if styles is None:
            styles = self._styles[id(binding)] = survey_styles(binding.observations(), binding.mapping.missing)
        return styles.get(style_key(binding.mapping.layout, cell)) or ColumnStyle()


def _times(value: float, factor: float) -> float:
    """The product as people mean it: 60.5 for 0.605 times 100, not 60.49999."""
    return float(decimal.Decimal(repr(value)) * decimal.Decimal(repr(factor)))
