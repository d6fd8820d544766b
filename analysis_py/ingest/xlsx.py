"""The inside of an .xlsx workbook, read as a stream: sheets, rows of texts, merged ranges.

Only what a table needs is read (ECMA-376, SpreadsheetML), part by part through expat, never as a tree in memory: how
deep elements nest, how many there are, how many columns a row claims and how far a row number jumps is checked while
reading, and document type definitions are refused. Formulas are not calculated; their stored values are read.
"""

from __future__ import annotations

import datetime
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from xml.parsers import expat

from analysis_py.ingest.files import MAX_COLUMNS, MAX_SHEET_ROWS, too_large, too_wide
from analysis_py.ingest.sheets import Formula, Merge, Percentage, Row, cell_text

_PIECE = 1 << 16
_DEEPEST = 64
_MOST_ELEMENTS = 200_000_000
#: Elements of other names than a sheet's rows and cells; more of them is no sheet.
_MOST_OTHERS = 5_000_000
_MOST_STRINGS = 5_000_000
_LONGEST_TEXT = 1 << 20
#: Cells a sheet may claim, empty ones between the used included.
_MOST_CELLS = 60_000_000
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})\Z")
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}[0-9]{1,7})\"")
_MOST_MERGES = 200_000
_CELL_TAGS = frozenset({"row", "c", "v", "f", "is", "t", "r", "rPr", "rPh", "extLst", "si"})
#: Number formats every workbook has without declaring them (ECMA-376 part 1, 18.8.30): dates and percentages.
_BUILTIN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59), *range(71, 82)})
_BUILTIN_PERCENT = frozenset({9, 10, 67, 68})
_QUOTED = re.compile(r"\"[^\"]*\"|\[(?!hh?\]|mm?\]|ss?\])[^\]]*\]|[\\_*].", re.I)
_DATE_LETTER = re.compile(r"[dmhysDMHYS年月日]")


class WorkbookError(ValueError):
    """Something in the workbook that no spreadsheet program writes."""


class _Handler(Protocol):
    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...


def _parse(pieces: Iterator[bytes], handler: _Handler, after_piece: Callable[[], None] | None = None) -> Iterator[None]:
    """Feed XML to a handler, giving the caller a turn after every piece."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = elements = others = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, elements, others
        depth += 1
        elements += 1
        name = name.rpartition(":")[2]
        if name not in _CELL_TAGS:
            others += 1
        if depth > _DEEPEST or elements > _MOST_ELEMENTS or others > _MOST_OTHERS:
            raise WorkbookError("its XML is nested or repeated beyond what a workbook needs")
        handler.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        handler.end(name.rpartition(":")[2])

    def refuse(*_: Any) -> None:
        raise WorkbookError("its XML declares a document type, which no workbook does")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = refuse
    for piece in pieces:
        parser.Parse(piece, False)
        yield
    parser.Parse(b"", True)
    yield


class _Collector:
    """Base of the handlers of the small parts: attributes of every element, no text."""

    def __init__(self) -> None:
        self.found: list[tuple[str, dict[str, str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.found.append((name, attributes))

    def end(self, name: str) -> None:
        pass

    def text(self, data: str) -> None:
        pass


class _Strings:
    """The shared strings: the text of each ``si``, phonetic guides left out."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._parts: list[str] = []
        self._in_text = False
        self._guides = 0
        self._length = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self._parts, self._length = [], 0
        elif name == "rPh":
            self._guides += 1
        elif name == "t":
            self._in_text = not self._guides

    def end(self, name: str) -> None:
        if name == "t":
            self._in_text = False
        elif name == "rPh":
            self._guides -= 1
        elif name == "si":
            self.strings.append(unescape("".join(self._parts)))
            if len(self.strings) > _MOST_STRINGS:
                raise WorkbookError(f"it holds more than {_MOST_STRINGS:,} texts")

    def text(self, data: str) -> None:
        if self._in_text:
            self._length += len(data)
            if self._length > _LONGEST_TEXT:
                raise WorkbookError("a text is longer than 1 MB")
            self._parts.append(data)


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
        handler = _Collector()
        for _ in _parse(self._pieces(part), handler):
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
            handler = _Strings()
            part = self._related("/sharedStrings")
            if part is not None:
                for _ in _parse(self._pieces(part), handler):
                    pass
            self._strings = handler.strings
        return self._strings

    @property
    def formats(self) -> list[str]:
        """Of each cell style ``date``, ``percent`` or ''."""
        if self._formats is None:
            part = self._related("/styles")
            self._formats = _read_formats(self._elements(part)) if part is not None else []
        return self._formats

    def rows(self, sheet: SheetPart) -> Iterator[Row]:
        """Rows of a sheet that hold a cell, as texts; row numbers as in the sheet."""
        handler = _SheetRows(self)
        for _ in _parse(self._pieces(sheet.part), handler):
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
    columns, rows = zip(*(_split_reference(text) for text in (first, last)), strict=True)
    return Merge(min(rows), max(rows), min(columns), max(columns))


def _split_reference(reference: str) -> tuple[int, int]:
    """0-based column and row (counting from 1) of ``B7``."""
    match = _REFERENCE.match(reference)
    if match is None:
        raise WorkbookError(f"'{reference[:20]}' is not a cell")
    return column_index(match.group(1)), int(match.group(2))


def column_index(letters: str) -> int:
    """0-based column of its letters: ``A`` 0, ``AA`` 26."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1


def unescape(text: str) -> str:
    """Text with the workbook's own escapes (``_x000D_``) resolved; control signs are left as they are written."""
    if "_x" not in text:
        return text
    return _ESCAPE.sub(
        lambda m: sign if (sign := chr(int(m.group(1), 16))).isprintable() or sign in "\t\r\n" else m.group(0), text
    )


def is_date_format(code: str) -> bool:
    """Whether a number format shows a date or a time."""
    return _DATE_LETTER.search(_QUOTED.sub("", code.split(";")[0])) is not None and code.lower() != "general"


def is_percent_format(code: str) -> bool:
    """Whether a number format multiplies by 100 and shows a percent sign."""
    return "%" in _QUOTED.sub("", code.split(";")[0])


def _read_formats(elements: list[tuple[str, dict[str, str]]]) -> list[str]:
    declared = {
        int(a["numFmtId"]): a.get("formatCode", "") for tag, a in elements if tag == "numFmt" and "numFmtId" in a
    }
    kinds = []
    inside = False
    for tag, attributes in elements:
        if tag in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            inside = tag == "cellXfs"
        elif tag == "xf" and inside:
            number = int(attributes.get("numFmtId", "0"))
            code = declared.get(number)
            if code is not None:
                kinds.append("percent" if is_percent_format(code) else "date" if is_date_format(code) else "")
            else:
                kinds.append("percent" if number in _BUILTIN_PERCENT else "date" if number in _BUILTIN_DATES else "")
    return kinds


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
            column = _split_reference(reference)[0] if reference else self._column + 1
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
            if len(self._into) * _PIECE > 2 * _LONGEST_TEXT:
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


def read_date(serial: float, is_1904: bool) -> str:
    """A stored date as text: ISO date, with the time where there is one; the number itself where it is no date.

    Day 60 of the 1900 system is 29 February 1900, which never was; days before it count from one later.
    """
    if not 0 <= serial < 2_958_466:
        return cell_text(serial)
    epoch = datetime.datetime(1904, 1, 1) if is_1904 else datetime.datetime(1899, 12, 30)
    shift = 1 if not is_1904 and serial < 60 else 0
    moment = epoch + datetime.timedelta(days=int(serial) + shift, seconds=round(serial % 1 * 86_400))
    return cell_text(moment.time() if serial < 1 else moment)
