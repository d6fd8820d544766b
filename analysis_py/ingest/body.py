"""The rows below the names of a table: which are data, and which are notes, names again, or words of neither kind.

What is passed over is counted by kind with its first row, for the report; a row that holds a number where numbers are
read is never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.cells import is_missing, parse_year, plain, shown
from analysis_py.ingest.headings import Header, clean_name
from analysis_py.ingest.numerals import read_number
from analysis_py.ingest.sheets import CellSheet, Merge, Percentage, Row

_NOTE = re.compile(
    r"(?:附?注(?:释|解|[0-9一二三四五六七八九十]+)?\s*[:：.、]|备\s*注\s*[:：]|说\s*明\s*[:：]|(?:资料|数据)?\s*来\s*源(?:于|[:：])|本表|"
    r"(?:foot)?notes?\s*[0-9]*\s*[:.)]|(?:data\s+)?sources?\s*[:.]|remarks?\s*[:.]|\*+\s*[^\s0-9.*]|[①-⑳]\s*\S|续\s*表|"
    r"(?:计量)?单\s*位\s*[:：])",
    re.I,
)
_KINDS = {
    "note": ("note below or beside the table", "notes below or beside the table"),
    "names": ("row that repeats the column names", "rows that repeat the column names"),
    "words": ("row of words under the column names", "rows of words under the column names"),
    "others": ("row that the mapping does not ask for", "rows that the mapping does not ask for"),
}


def is_note(text: str) -> bool:
    """Whether a text begins like a note below a table (``注：``, ``资料来源：``, ``Note:``)."""
    return _NOTE.match(text.lstrip()) is not None


@dataclass
class Passed:
    """Rows of one kind that were passed over: how many, and the first of them."""

    rows: int
    first_row: int
    example: str


class Body:
    """The data rows of one table. Iterate :meth:`rows` as often as needed; :attr:`passed` tells of the last time.

    ``structure`` are the positions of the columns that say place, year and so on, ``values`` those of numbers;
    ``year`` is the position of the column of years, where there is one; ``only`` lists (position, folded texts) of rows
    to take.
    """

    def __init__(
        self,
        sheet: CellSheet,
        header: Header,
        structure: Sequence[int],
        values: Sequence[int],
        year: int | None = None,
        only: Sequence[tuple[int, frozenset[str]]] = (),
    ) -> None:
        self.sheet = sheet
        self.header = header
        self.structure = tuple(structure)
        self.values = tuple(values)
        self.year = year
        self.only = tuple(only)
        self._names = [{(at, text) for at, text in enumerate(line) if text} for line in _name_rows(header)]
        self._any_name = frozenset(text for line in self._names for _, text in line)
        #: What was passed over when the rows were read last, by kind.
        self.passed: dict[str, Passed] = {}

    def rows(self) -> Iterator[Row]:
        """Row number and cells, at least as many as the header has names, merged cells of the structure filled in."""
        self.passed = {}
        width = len(self.header.names)
        merged = MergedCells(self.sheet, self.header.last_row, self.structure, self.values)
        in_notes = has_data = False
        for number, cells in self.sheet.rows():
            if number <= self.header.last_row:
                continue
            first = next((cell for cell in cells if cell and not cell.isspace()), "")
            if self._is_note(first, cells, in_notes):
                in_notes = True
                self._pass("note", number, first)
                continue
            if len(cells) < width:
                cells = cells + [""] * (width - len(cells))
            elif self.sheet.name is None and len(cells) > width and any(cells[width:]):
                # In a workbook a stray cell beside the table moves nothing; in text it means that columns shifted.
                raise CarbonpanelError(
                    "CP-FILE-RAGGED",
                    f"the row has {len(cells)} cells, the header names {width} columns",
                    where=self.sheet.place(number),
                    remedy="look for a separator inside a text that is not quoted, or name the extra column",
                )
            merged.fill(number, cells)
            if clean_name(first) in self._any_name and self._repeats_names(cells):
                self._pass("names", number, first)
                continue
            if not has_data:
                if self._is_words(cells):
                    self._pass("words", number, first)
                    continue
                has_data = True
            if self.only and not all(plain(cells[at]).lower() in texts for at, texts in self.only):
                self._pass("others", number, first)
                continue
            in_notes = False
            yield number, cells

    def _pass(self, kind: str, row: int, example: str) -> None:
        known = self.passed.setdefault(kind, Passed(0, row, example))
        known.rows += 1

    def _has_number(self, cells: Sequence[str]) -> bool:
        return any(at < len(cells) and cells[at] and read_number(cells[at]) is not None for at in self.values)

    def _is_note(self, first: str, cells: Sequence[str], in_notes: bool) -> bool:
        text = first.lstrip()
        if not in_notes and not (text[:1] in "附注备说资数来本fFnNdDsSrR*续计单①②③④⑤⑥⑦⑧⑨⑩" and _NOTE.match(text)):
            return False
        if self._has_number(cells):
            return False
        # Below a note anything of a few cells without a number is its continuation.
        return bool(_NOTE.match(text)) or sum(bool(cell and not cell.isspace()) for cell in cells) <= 2

    def _repeats_names(self, cells: Sequence[str]) -> bool:
        held = {(at, clean_name(cell)) for at, cell in enumerate(cells) if cell and not cell.isspace()}
        return bool(held) and any(held <= line for line in self._names)

    def _is_words(self, cells: Sequence[str]) -> bool:
        """Whether a row before all data holds words where years and numbers should be: more names, in another form."""
        if self.year is None or parse_year(cells[self.year]) is not None or self._has_number(cells):
            return False
        held = [cells[at] for at in self.values if cells[at] and not is_missing(cells[at])]
        return bool(held) and not any("0" <= sign <= "9" for text in held for sign in text)


def tell_passed(bodies: Sequence[Body]) -> list[str]:
    """One line for each kind of row that was passed over in one or several sheets."""
    told = []
    for kind, (one, many) in _KINDS.items():
        found = [(body, body.passed[kind]) for body in bodies if kind in body.passed]
        if not found:
            continue
        rows = sum(passed.rows for _, passed in found)
        body, first = found[0]
        place = f"sheet '{body.sheet.name}', " if body.sheet.name else ""
        also = "" if len(found) == 1 else f"in {len(found)} sheets; the first: "
        count = f"1 {one}" if rows == 1 else f"{rows:,} {many}"
        told.append(f"{count} left out ({also}{place}row {first.first_row}: {shown(first.example)})")
    return told


def _name_rows(header: Header) -> list[list[str]]:
    depth = max((len(parts) for parts in header.parts), default=0)
    return [[parts[line] if line < len(parts) else "" for parts in header.parts] for line in range(depth)]


class MergedCells:
    """Merged ranges of the rows below the names: a place or year that is written once for several rows."""

    def __init__(self, sheet: CellSheet, last_header_row: int, structure: Sequence[int], values: Sequence[int]) -> None:
        self.sheet = sheet
        self._structure = set(structure)
        self._values = set(values)
        below = [merge for merge in sheet.merges() if merge.last_row > last_header_row]
        self._coming = list(reversed(below))
        self._open: list[tuple[Merge, str]] = []

    def fill(self, number: int, cells: list[str]) -> None:
        """Write the text of merged ranges into the structural cells they cover; refuse merged numbers."""
        if not self._coming and not self._open:
            return
        while self._coming and self._coming[-1].first_row <= number:
            merge = self._coming.pop()
            if merge.first_row < number:
                # Its first row was above the table or held nothing.
                continue
            text = cells[merge.first_column] if merge.first_column < len(cells) else ""
            self._check(merge, number, text)
            self._open.append((merge, text))
        self._open = [(merge, text) for merge, text in self._open if merge.last_row >= number]
        for merge, text in self._open:
            for column in range(merge.first_column, min(merge.last_column, len(cells) - 1) + 1):
                if column in self._structure and not cells[column]:
                    cells[column] = text

    def _check(self, merge: Merge, number: int, text: str) -> None:
        covered = [at for at in range(merge.first_column, merge.last_column + 1) if at in self._values]
        cells = len(covered) * (merge.last_row - merge.first_row + 1)
        is_number = isinstance(text, Percentage) or (bool(text) and read_number(text) is not None)
        if merge.first_column in self._values and cells > 1 and is_number:
            raise CarbonpanelError(
                "CP-CELL-MERGED",
                f"the number {shown(text)} stands in {cells} merged cells: whose it is cannot be known",
                where=self.sheet.place(number),
                remedy="separate the cells and write each number where it belongs",
            )
