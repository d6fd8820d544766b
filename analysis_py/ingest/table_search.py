"""Finding the names of a table in a sheet: which rows they are, and what the columns without a name hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from analysis_py.ingest.cells import is_missing, parse_year, plain
from analysis_py.ingest.headings import (
    HEADER_DEPTH,
    MOST_HEADER_ROWS,
    Header,
    Heading,
    HeadingReader,
    make_block,
    sheet_header,
)
from analysis_py.ingest.layout import SheetSays
from analysis_py.ingest.numerals import read_number
from analysis_py.ingest.places import PlaceIndex, PlaceKey
from analysis_py.ingest.sheets import CellSheet, Row
from analysis_py.ingest.titles import UNIT_OF_TABLE

_PLACE_ROLES = frozenset({"code", "name", "province_code", "province"})
#: Rows by which columns without a name are judged, and the share of cells that must agree.
_SAMPLE = 400
_SHARE = 0.8
_YEAR_SHARE = 0.95
#: Headings that name places, from which on a table has its places across.
_FEWEST_PLACES = 3
#: Numbers from which on a row may be one of data.
_FEWEST_NUMBERS = 4


@dataclass(frozen=True)
class FoundTable:
    """A header found in a sheet, what each column's heading says, and how much of it is understood."""

    sheet: CellSheet
    header: Header
    headings: tuple[Heading, ...]
    score: int
    above: tuple[Row, ...]
    says: SheetSays


def search_tables(
    sheet: CellSheet, reader: HeadingReader, index: PlaceIndex, says: SheetSays, rows: Sequence[Row] | None = None
) -> FoundTable | None:
    """The best header of a sheet: the rows that are understood best, the fewest and topmost of those equally good."""
    head = list(rows) if rows is not None else sheet.head(HEADER_DEPTH)
    best: FoundTable | None = None
    is_data = [_holds_data(cells) for _, cells in head]
    for first in range(len(head)):
        for count in range(1, MOST_HEADER_ROWS + 1):
            if count > 1 and any(is_data[first : first + count]):
                break
            header = sheet_header(sheet, head, first, count)
            if header is None:
                break
            headings = reader.read_all(header)
            score = _score(headings, says) + _count_places(header, headings, index)
            if best is None or score > best.score:
                best = FoundTable(sheet, header, tuple(headings), score, tuple(head[:first]), says)
    if best is None:
        return None
    return _heed_groups(best, head, reader)


def _holds_data(cells: Sequence[str]) -> bool:
    """Whether a row holds mostly numbers that are no years: such a row is never one of several with names."""
    held = [cell for cell in cells if cell and not cell.isspace()]
    numbers = sum(read_number(cell) is not None and parse_year(cell) is None for cell in held)
    return numbers >= _FEWEST_NUMBERS and 2 * numbers > len(held)


def _score(headings: Sequence[Heading], says: SheetSays) -> int:
    roles = {heading.role for heading in headings} - {None}
    known = sum(heading.reading is not None for heading in headings)
    units = sum(heading.reading is not None and heading.reading.unit is not None for heading in headings)
    years = sum(bool(heading.year) for heading in headings)
    numbers = sum(heading.is_number for heading in headings)
    has_year = "year" in roles or years > 1 or (years == 1 and known > 0) or bool(says.year)
    has_place = bool(roles & _PLACE_ROLES) or says.place is not None
    return 6 * has_year + 6 * has_place + 2 * known + units + 2 * len(roles) + min(years, 8) - 2 * min(numbers, 8)


def _count_places(header: Header, headings: Sequence[Heading], index: PlaceIndex) -> int:
    """Points of a header whose columns are places: as many as there are, where no column says the place."""
    if any(heading.role in _PLACE_ROLES or heading.reading is not None for heading in headings):
        return 0
    found = len(place_headings(header, headings, index))
    return 6 + min(found, 20) if found >= _FEWEST_PLACES else 0


def place_headings(header: Header, headings: Sequence[Heading], index: PlaceIndex) -> dict[int, PlaceKey]:
    """The columns whose heading is a place of the level, by position."""
    found = {}
    for position, (heading, name) in enumerate(zip(headings, header.names, strict=True)):
        if not name or heading.role is not None or heading.reading is not None or heading.year or heading.is_number:
            continue
        key = PlaceKey(name=plain(name))
        if index.resolve(key).code is not None:
            found[position] = key
    return found


def _heed_groups(found: FoundTable, head: Sequence[Row], reader: HeadingReader) -> FoundTable:
    """Leave columns alone that stand under a heading nobody understands (``农村`` over ``常住人口``).

    Looks at the row above the chosen ones. One cell alone in it is a title of the table and not of columns.
    """
    numbers = [number for number, _ in head]
    at = numbers.index(found.header.row)
    if at == 0 or numbers[at - 1] != found.header.row - 1:
        return found
    above = [cell for cell in head[at - 1][1] if cell.strip() and not UNIT_OF_TABLE.search(plain(cell).strip("() "))]
    if len(above) < 2:
        return found
    rows = [row for row in head[at - 1 :] if row[0] <= found.header.last_row]
    block = make_block(rows, found.sheet.merges())
    changed = list(found.headings)
    taken = meant = 0
    for position, heading in enumerate(found.headings):
        if heading.reading is None or position >= len(block.parts):
            continue
        over = [part for part in block.parts[position] if part not in found.header.parts[position]]
        grouped = reader.read_parts(block.parts[position])
        if not over or grouped.reading is not None:
            taken += 1
            continue
        alone = reader.read_parts((over[0],))
        is_known = bool(alone.year) or alone.reading is not None
        meant += is_known
        why = "which says otherwise" if is_known else "which is not understood"
        changed[position] = Heading(reason=f"it stands under '{over[0]}', {why}")
    if not taken and not meant:
        # Every column stands under words nobody knows: then they were a title after all.
        return found
    return FoundTable(found.sheet, found.header, tuple(changed), found.score, found.above, found.says)


def infer_structure(found: FoundTable, index: PlaceIndex) -> dict[str, int]:
    """Roles ``name``, ``code`` and ``year`` of columns that no heading names, judged by what they hold.

    A column of years must have no name; one of places may have a name nobody knows, where only one column qualifies.
    """
    roles = {heading.role for heading in found.headings}
    wants_year = "year" not in roles and not any(heading.year for heading in found.headings) and not found.says.year
    wants_place = not roles & _PLACE_ROLES and found.says.place is None
    if not wants_year and not wants_place:
        return {}
    free = [
        position
        for position, heading in enumerate(found.headings)
        if heading.role is None and heading.reading is None and not heading.year
    ]
    below = (cells for number, cells in found.sheet.rows() if number > found.header.last_row)
    columns: dict[int, list[str]] = {position: [] for position in free}
    for cells in islice(below, _SAMPLE):
        for position in free:
            if position < len(cells) and not is_missing(cells[position]):
                columns[position].append(cells[position])
    inferred: dict[str, int] = {}
    if wants_year:
        dated = [at for at in free if not found.header.names[at] and _share_of_years(columns[at]) >= _YEAR_SHARE]
        if len(dated) == 1:
            inferred["year"] = dated[0]
    if wants_place:
        placed = {at: role for at in free if (role := _place_role(columns[at], index)) is not None}
        placed = {at: role for at, role in placed.items() if at != inferred.get("year")}
        unnamed = {at: role for at, role in placed.items() if not found.header.names[at]}
        for chosen in (placed, unnamed):
            if len(chosen) == 1:
                inferred[next(iter(chosen.values()))] = next(iter(chosen))
                break
    return inferred


def _share_of_years(texts: Sequence[str]) -> float:
    return sum(parse_year(text) is not None for text in texts) / len(texts) if texts else 0.0


def _place_role(texts: Sequence[str], index: PlaceIndex) -> str | None:
    """``name`` or ``code`` where nearly all distinct texts are places, else ``None``."""
    distinct = list(dict.fromkeys(texts))
    if not distinct:
        return None
    are_codes = all(read_number(text) is not None for text in distinct)
    keys = [PlaceKey(code=plain(text)) if are_codes else PlaceKey(name=plain(text)) for text in distinct]
    placed = sum(index.resolve(key).code is not None for key in keys)
    return ("code" if are_codes else "name") if placed >= _SHARE * len(keys) else None
