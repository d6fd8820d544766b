"""The inside of an .xlsx workbook, read as a stream: sheets, rows of texts, merged ranges.

Only what a table needs is read (ECMA-376, SpreadsheetML), part by part, never as a tree in memory; how many columns a
row claims and how far a row number jumps is checked while reading. Formulas are not calculated; their stored values are
read.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis_py.ingest.files import MAX_COLUMNS, MAX_SHEET_ROWS, too_large, too_wide
from analysis_py.ingest.sheets import Formula, Merge, Percentage, Row, cell_text
from analysis_py.ingest.xlsx_parts import (
    LONGEST_TEXT,
    Attributes,
    SharedStrings,
    WorkbookError,
    parse_xml,
    read_date,
    read_formats,
    split_reference,
    unescape,
)

_PIECE = 1 << 16
#: Cells a sheet may claim, empty ones between the used included.
_MOST_CELLS = 60_000_000
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}[0-9]{1,7})\"")
_MOST_MERGES = 200_000


@dataclass(frozen=True)
class SheetPart:
    """A worksheet: its name, whether it is hidden, and where it is in the package."""

    name: str
    hidden: bool
    part: str


class Workbook:
    """An open .xlsx package. Parts are read when asked for; :meth:`close` it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._package = zipfile.ZipFile(path)
        self._names = {name.lower().lstrip("/"): name for name in self._package.namelist()}
        self._strings: list[str] | None = None
        self._formats: list[str] | None = None
        self._book = self._find_book()
        self.is_1904 = False
        self.sheets = self._find_sheets()

    def close(self) -> None:
        self._package.close()

    def _pieces(self, part: str) -> Iterator[bytes]:
        name = self._names.get(part.lower().lstrip("/"))
        if name is None:
            raise WorkbookError(f"its part {part} is missing")
        with self._package.open(name) as stream:
            while piece := stream.read(_PIECE):
                yield piece

    def _elements(self, part: str) -> list[tuple[str, dict[str, str]]]:
        handler = Attributes()
        for _ in parse_xml(self._pieces(part), handler):
            pass
        return handler.found

    def _relations(self, part: str) -> list[dict[str, str]]:
        folder, name = posixpath.split(part)
        inside = posixpath.join(folder, "_rels", f"{name}.rels")
        if inside.lower() not in self._names:
            return []
        found = [attributes for tag, attributes in self._elements(inside) if tag == "Relationship"]
        for relation in found:
            target = relation.get("Target", "")
            relation["part"] = (
                target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")
            )
        return found

    def _find_book(self) -> str:
        for relation in self._relations(""):
            if relation.get("Type", "").endswith("/officeDocument"):
                return relation["part"].lstrip("/")
        named = [name for name in self._names if name.endswith("workbook.xml")]
        if not named:
            raise WorkbookError("it has no workbook part")
        return named[0]

    def _find_sheets(self) -> list[SheetPart]:
        relations = {relation.get("Id", ""): relation for relation in self._relations(self._book)}
        found = []
        for tag, attributes in self._elements(self._book):
            if tag == "workbookPr":
                self.is_1904 = attributes.get("date1904", "0") in ("1", "true")
            if tag != "sheet":
                continue
            identity = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
            relation = relations.get(identity)
            # Charts and dialogues are sheets of other kinds.
            if relation is None or not relation.get("Type", "").endswith("/worksheet"):
                continue
            hidden = attributes.get("state", "visible") != "visible"
            found.append(SheetPart(unescape(attributes.get("name", "")), hidden, relation["part"]))
        return found

    def _related(self, ending: str) -> str | None:
        for relation in self._relations(self._book):
            if relation.get("Type", "").endswith(ending) and relation["part"].lower() in self._names:
                return relation["part"]
        return None

    @property
    def strings(self) -> list[str]:
        """The shared strings, read once."""
        if self._strings is None:
            handler = SharedStrings()
            part = self._related("/sharedStrings")
            if part is not None:
                for _ in parse_xml(self._pieces(part), handler):
                    pass
            self._strings = handler.strings
        return self._strings

    @property
    def formats(self) -> list[str]:
        """Of each cell style ``date``, ``percent`` or ''."""
        if self._formats is None:
            part = self._related("/styles")
            self._formats = read_formats(self._elements(part)) if part is not None else []
        return self._formats

    def rows(self, sheet: SheetPart) -> Iterator[Row]:
        """Rows of a sheet that hold a cell, as texts; row numbers as in the sheet."""
        handler = _SheetRows(self)
        for _ in parse_xml(self._pieces(sheet.part), handler):
            yield from handler.take()

    def merges(self, sheet: SheetPart) -> tuple[Merge, ...]:
        """The merged ranges of a sheet, by first row and column."""
        found: list[Merge] = []
        tail = b""
        for piece in self._pieces(sheet.part):
            window = tail + piece
            end = 0
            if b"mergeCell" in window:
                for match in _MERGE.finditer(window):
                    first, _, last = match.group(1).decode("ascii").partition(":")
                    found.append(_merge(first, last))
                    end = match.end()
                if len(found) > _MOST_MERGES:
                    raise WorkbookError(f"it has more than {_MOST_MERGES:,} merged ranges")
            tail = window[max(end, len(window) - 200) :]
        return tuple(sorted(found))


def _merge(first: str, last: str) -> Merge:
    columns, rows = zip(*(split_reference(text) for text in (first, last)), strict=True)
    return Merge(min(rows), max(rows), min(columns), max(columns))


class _SheetRows:
    """Handler of a worksheet: gathers finished rows until they are taken."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._done: list[Row] = []
        self._cells: list[str] = []
        self._row = 0
        self._claimed = 0
        self._column = -1
        self._kind = ""
        self._style = ""
        self._into: list[str] | None = None
        self._value: list[str] = []
        self._formula: list[str] = []
        self._inline: list[str] = []
        self._has_formula = self._has_value = False
        self._guides = 0

    def take(self) -> list[Row]:
        done, self._done = self._done, []
        return done

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            reference = attributes.get("r")
            column = split_reference(reference)[0] if reference else self._column + 1
            if column >= MAX_COLUMNS:
                raise too_wide(self._book.path, column + 1)
            if column <= self._column:
                raise WorkbookError(f"the cells of row {self._row} are out of order")
            self._column = column
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._value, self._formula, self._inline = [], [], []
            self._has_formula = self._has_value = False
        elif name == "v":
            self._has_value = True
            self._into = self._value
        elif name == "f":
            self._has_formula = True
            self._into = self._formula
        elif name == "t":
            self._into = self._inline if not self._guides else None
        elif name == "rPh":
            self._guides += 1
        elif name == "row":
            text = attributes.get("r")
            number = int(text) if text else self._row + 1
            if number <= self._row or number > MAX_SHEET_ROWS:
                raise WorkbookError(f"row {number:,} cannot follow row {self._row:,}")
            self._row, self._column, self._cells = number, -1, []

    def text(self, data: str) -> None:
        if self._into is not None:
            if len(self._into) * _PIECE > 2 * LONGEST_TEXT:
                raise WorkbookError("a text is longer than 1 MB")
            self._into.append(data)

    def end(self, name: str) -> None:
        if name == "c":
            text = self._read_cell()
            if text:
                if len(self._cells) < self._column:
                    self._cells.extend([""] * (self._column - len(self._cells)))
                self._cells.append(text)
        elif name in ("v", "f", "t"):
            self._into = None
        elif name == "rPh":
            self._guides -= 1
        elif name == "row" and self._cells:
            self._claimed += len(self._cells)
            if self._claimed > _MOST_CELLS:
                raise too_large(self._book.path, self._claimed * 8)
            self._done.append((self._row, self._cells))

    def _read_cell(self) -> str:
        value = "".join(self._value)
        # A calculated empty text is an empty value too, but of type "str".
        if self._has_formula and not value and not (self._has_value and self._kind == "str"):
            return Formula(f"={''.join(self._formula) or '(shared formula)'}")
        if self._kind == "n" or not self._kind:
            return self._read_number(value) if value else ""
        if self._kind == "s":
            if not value:
                return ""
            index = int(value)
            if not 0 <= index < len(self._book.strings):
                raise WorkbookError("a cell names a text that is not there")
            return self._book.strings[index]
        if self._kind == "inlineStr":
            return unescape("".join(self._inline))
        if self._kind == "b":
            return "TRUE" if value.strip() in ("1", "true") else "FALSE" if value else ""
        if self._kind == "d":
            return value.removesuffix("T00:00:00").removesuffix("T00:00:00.000").replace("T", " ")
        return unescape(value)

    def _read_number(self, text: str) -> str:
        style = int(self._style) if self._style else 0
        formats = self._book.formats
        kind = formats[style] if 0 <= style < len(formats) else ""
        if not kind:
            if len(text) < 16 and text.isdigit() and text.isascii() and (text[0] != "0" or text == "0"):
                return text
            return cell_text(float(text))
        number = float(text)
        return Percentage(cell_text(number)) if kind == "percent" else read_date(number, self._book.is_1904)
