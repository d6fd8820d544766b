"""XML of a workbook as a stream of elements under limits, and what its small parts say: texts, formats, references.

How deep elements nest and how many there are is checked while reading, and document type definitions are refused.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any, Protocol
from xml.parsers import expat

from analysis_py.ingest.sheets import cell_text

_DEEPEST = 64
_MOST_ELEMENTS = 200_000_000
#: Elements of other names than a sheet's rows and cells; more of them is no sheet.
_MOST_OTHERS = 5_000_000
_MOST_STRINGS = 5_000_000
#: Longest text of one cell.
LONGEST_TEXT = 1 << 20
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})\Z")
_CELL_TAGS = frozenset({"row", "c", "v", "f", "is", "t", "r", "rPr", "rPh", "extLst", "si"})
#: Number formats every workbook has without declaring them (ECMA-376 part 1, 18.8.30): dates and percentages.
_BUILTIN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59), *range(71, 82)})
_BUILTIN_PERCENT = frozenset({9, 10, 67, 68})
_QUOTED = re.compile(r"\"[^\"]*\"|\[(?!hh?\]|mm?\]|ss?\])[^\]]*\]|[\\_*].", re.I)
_DATE_LETTER = re.compile(r"[dmhysDMHYS年月日]")


class WorkbookError(ValueError):
    """Something in the workbook that no spreadsheet program writes."""


class Handler(Protocol):
    """What is told of the elements: their local names, attributes and texts."""

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...


def parse_xml(pieces: Iterator[bytes], handler: Handler) -> Iterator[None]:
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


class Attributes:
    """Base of the handlers of the small parts: attributes of every element, no text."""

    def __init__(self) -> None:
        self.found: list[tuple[str, dict[str, str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.found.append((name, attributes))

    def end(self, name: str) -> None:
        pass

    def text(self, data: str) -> None:
        pass


class SharedStrings:
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
            if self._length > LONGEST_TEXT:
                raise WorkbookError("a text is longer than 1 MB")
            self._parts.append(data)


def split_reference(reference: str) -> tuple[int, int]:
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


def read_formats(elements: list[tuple[str, dict[str, str]]]) -> list[str]:
    """Of each cell style, from the elements of the styles part: ``date``, ``percent`` or ''."""
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
