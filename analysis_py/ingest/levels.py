"""Whether the places of a sheet are cities, provinces or the nation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from analysis_py.ingest.cells import plain
from analysis_py.ingest.headings import HeadingReader
from analysis_py.ingest.places import PlaceKey, place_index
from analysis_py.ingest.sheet_names import read_sheet_name
from analysis_py.ingest.sheets import CellSheet, Row
from analysis_py.ingest.table_search import FoundTable, infer_structure, place_headings, search_tables
from analysis_py.ingest.titles import read_titles
from analysis_py.ingest.units import load_dictionary

#: Rows by which the level of a sheet is judged, and the share of their places that must be of a level.
_SAMPLE = 300
_SHARE = 0.5
_ROLES = ("code", "name", "province_code", "province")


def sheet_levels(sheet: CellSheet, rows: list[Row]) -> tuple[str, ...]:
    """The levels of the places of a sheet: one of them, and the nation's where a table of provinces has a row of it."""
    cities, _ = _share_in_sheet(sheet, rows, "city")
    if cities >= _SHARE:
        return ("city",)
    provinces, has_nation = _share_in_sheet(sheet, rows, "province")
    if provinces >= _SHARE:
        return ("province", "national") if has_nation else ("province",)
    nation, _ = _share_in_sheet(sheet, rows, "national")
    return ("national",) if nation > 0 and not cities and not provinces else ()


def is_of_level(found: FoundTable, level: str) -> bool:
    """Whether the places of a table that was found are mostly of a level."""
    return place_share(found, level)[0] >= _SHARE


def _share_in_sheet(sheet: CellSheet, rows: list[Row], level: str) -> tuple[float, bool]:
    """As :func:`place_share`, of the table that the source of the level finds which understands most of the sheet."""
    dictionary = load_dictionary()
    index = place_index(level)
    best: FoundTable | None = None
    for source in dictionary.contract.sources_of(level):
        says = read_sheet_name(sheet.name, source, dictionary, index)
        found = search_tables(sheet, HeadingReader(dictionary, source), index, says, rows)
        if found is not None and (best is None or found.score > best.score):
            best = found
    return place_share(best, level) if best is not None else (0.0, False)


def place_share(found: FoundTable, level: str) -> tuple[float, bool]:
    """Share of the first rows whose places are of a level, and whether one of them is the nation."""
    index = place_index(level)
    if found.says.place is not None or read_titles(found.above, index).place:
        return 1.0, False
    roles: dict[str, int] = {}
    for position, heading in enumerate(found.headings):
        if heading.role in _ROLES:
            roles.setdefault(heading.role, position)
    roles |= {role: at for role, at in infer_structure(found, index).items() if role in _ROLES}
    if level == "city":
        at = {role: roles[role] for role in ("code", "name", "province") if role in roles}
    else:
        at = {"code": roles.get("province_code", roles.get("code", -1)), "name": roles.get("province", -1)}
        at["name"] = at["name"] if at["name"] >= 0 else roles.get("name", -1)
        at = {role: where for role, where in at.items() if where >= 0}
    if level == "national":
        # Many tables have the nation's name somewhere; one of its numbers has an indicator too.
        is_table = found.says.label or any(one.reading or one.role == "indicator" for one in found.headings)
        if not is_table or not at:
            return (1.0 if is_table else 0.0), False
    if "code" not in at and "name" not in at:
        return (1.0 if len(place_headings(found.header, found.headings, index)) >= 3 else 0.0), False
    placed = seen = 0
    has_nation = False
    for key in islice(_keys(found, at), _SAMPLE):
        placement = index.resolve(key)
        has_nation = has_nation or placement.is_nation
        seen += not placement.is_nation
        placed += placement.code is not None
    return (placed / seen if seen else 0.0), has_nation


def _keys(found: FoundTable, at: dict[str, int]) -> Iterator[PlaceKey]:
    for number, cells in found.sheet.rows():
        if number > found.header.last_row:
            told = {name: plain(cells[where]) if where < len(cells) else "" for name, where in at.items()}
            if any(told.values()):
                yield PlaceKey(**told)
