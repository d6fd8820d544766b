"""The notation in which a column's YAML names its inputs (documented in dbt_project/docs/inputs.md).

``trace`` follows it from a panel cell to raw cells; nothing about single variables is written in Python.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from analysis_py.errors import CarbonpanelError

_ITEM = re.compile(
    r"(?:(?P<table>[A-Za-z]\w*)\.)?(?P<name>[A-Za-z]\w*)(?:\[(?P<filters>[^\]]*)\])?(?:@(?P<when>[-\w.]+))?"
)
_SEVERAL = re.compile(r"(?P<head>(?:[A-Za-z]\w*\.)?)(?P<names>\w+(?:\+\w+)+)(?P<tail>(?:\[[^\]]*\])?(?:@[-\w.]+)?)")
_BRACES = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class InputItem:
    """One ingredient: a column or an indicator, of which table, in which rows and years.

    ``years`` is empty for the year at hand, else the calendar years in order; ``is_series`` says that the item stands
    for a run of years.
    """

    name: str
    table: str | None = None
    filters: tuple[tuple[str, str], ...] = ()
    years: tuple[int, ...] = ()
    is_series: bool = False


def parse_inputs(text: str, *, row: Mapping[str, object], year: int, first_year: int) -> list[tuple[InputItem, ...]]:
    """The items of ``text`` for one row of the table whose column they belong to.

    Each entry holds the alternatives of one ingredient (``a | b``: b stands in where a is NULL), mostly just one.

    Parameters
    ----------
    text : comma list of inputs, as in ``meta.column_dictionary.inputs``.
    row : the row at hand; braces are replaced by its values, and an item whose brace is NULL is left out.
    year : year of the row.
    first_year : first year of the warehouse, for ``@..``.

    Raises
    ------
    CarbonpanelError ``CP-TRACE-NOTATION`` for an item that does not follow the notation: a mistake in a YAML.
    """
    ingredients: list[tuple[InputItem, ...]] = []
    for part in _split(text):
        filled = [fill_braces(choice.strip(), row) for choice in part.split("|")]
        several = _SEVERAL.fullmatch(filled[0] or "") if len(filled) == 1 else None
        if several is not None:  # a brace that named several columns: an ingredient each
            names = [f"{several['head']}{name}{several['tail']}" for name in several["names"].split("+")]
            ingredients += [(_parse_item(name, year, first_year),) for name in names]
            continue
        items = tuple(_parse_item(choice, year, first_year) for choice in filled if choice is not None)
        if items:
            ingredients.append(items)
    return ingredients


def named_columns(text: str) -> list[tuple[str, str]]:
    """(table or empty text, name) of every ingredient of ``text``, alternatives included, whatever the row.

    A part of a name that depends on the row (braces) is given as ``*``.
    """
    found = []
    for part in _split(text):
        for choice in part.split("|"):
            plain = _BRACES.sub("ZZ", re.sub(r"\[[^\]]*\]", "", choice.strip()))
            match = _ITEM.fullmatch(plain)
            if match is not None:
                found.append((match["table"] or "", match["name"].replace("ZZ", "*")))
    return found


def _parse_item(text: str, year: int, first_year: int) -> InputItem:
    match = _ITEM.fullmatch(text)
    if match is None:
        raise CarbonpanelError(
            "CP-TRACE-NOTATION",
            f"the input '{text}' does not follow the notation",
            remedy="mend the `inputs` of the column in the YAML of its model (dbt_project/docs/inputs.md)",
        )
    years, is_series = _years(match["when"], year, first_year)
    pairs = [pair.partition("=") for pair in (match["filters"] or "").split(";") if pair]
    filters = tuple((key.strip(), value.strip()) for key, _, value in pairs)
    return InputItem(match["name"], match["table"], filters, years, is_series)


def _split(text: str) -> list[str]:
    """Parts at the commas that are not inside brackets."""
    return [part.strip() for part in re.split(r",(?![^\[]*\])", text) if part.strip()]


def fill_braces(part: str, row: Mapping[str, object]) -> str | None:
    """``part`` with every ``{column}`` replaced by the row's value; None where one of them is NULL."""
    if any(row.get(name) is None for name in _BRACES.findall(part)):
        return None
    return _BRACES.sub(lambda hit: str(row[hit[1]]), part)


def _years(when: str | None, year: int, first_year: int) -> tuple[tuple[int, ...], bool]:
    if when is None:
        return (), False
    if re.fullmatch(r"-\d+", when):
        return (year + int(when),), False
    if re.fullmatch(r"\d+", when):
        return (int(when),), False
    if when == "..":
        return tuple(range(first_year, year + 1)), True
    if re.fullmatch(r"\d+\.\.", when):
        base = int(when[:-2])
        return tuple(range(min(base, year) + 1, max(base, year) + 1)), True
    raise CarbonpanelError("CP-TRACE-NOTATION", f"the year '@{when}' of an input does not follow the notation")
