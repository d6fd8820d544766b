"""Excel workbooks as sheets of text cells: .xlsx as a stream (:mod:`analysis_py.ingest.xlsx`), .xls through xlrd.

A cell with a formula is its stored value. A formula without one (written by a program that never calculated it) is
given as the formula's own text, ``=B2*C2``, so that whoever needs a number there can say what stands in its place.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.ingest.files import MAX_OLD_WORKBOOK_BYTES, damaged, too_large
from analysis_py.ingest.sheets import CellSheet, Merge, Percentage, Row, cell_text
from analysis_py.ingest.xlsx import SheetPart, Workbook
from analysis_py.ingest.xlsx_parts import is_percent_format


def open_workbook(path: Path) -> tuple[list[CellSheet], Callable[[], None]]:
    """Sheets of an .xlsx workbook and the function that closes it; ``CP-FILE-CORRUPT`` when it cannot be opened."""
    try:
        book = Workbook(path)
    except CarbonpanelError:
        raise
    except Exception as error:  # zipfile, expat and zlib raise many kinds on damaged bytes
        raise damaged(path, error) from error
    if not book.sheets:
        book.close()
        raise CarbonpanelError(
            "CP-FILE-NOT-A-TABLE",
            "the workbook has no worksheet",
            where=Place(file=path),
            remedy="save the data in a sheet",
        )
    return [_sheet(path, book, part) for part in book.sheets], book.close


def _sheet(path: Path, book: Workbook, part: SheetPart) -> CellSheet:
    known: list[tuple[Merge, ...]] = []

    def read() -> Iterator[Row]:
        try:
            yield from book.rows(part)
        except CarbonpanelError:
            raise
        except Exception as error:  # as above: damaged XML surfaces only while rows are read
            raise damaged(path, error, part.name) from error

    def merges() -> tuple[Merge, ...]:
        if not known:
            try:
                known.append(book.merges(part))
            except Exception as error:
                raise damaged(path, error, part.name) from error
        return known[0]

    return CellSheet(path, part.name, part.hidden, read, merges)


def open_old_workbook(path: Path) -> tuple[list[CellSheet], Callable[[], None]]:
    """Sheets of an .xls workbook (Excel 2 to 2003); ``CP-FILE-PROTECTED`` when it is encrypted."""
    size = path.stat().st_size
    if size > MAX_OLD_WORKBOOK_BYTES:
        raise too_large(path, size)
    try:
        book = _open_xlrd(path)
        sheets = [_old_sheet(path, book, index) for index in range(book.nsheets)]
    except Exception as error:  # xlrd raises struct, assertion and index errors on damaged bytes
        if "encrypt" in str(error).lower() or "password" in str(error).lower() or _is_encrypted_package(path):
            raise CarbonpanelError(
                "CP-FILE-PROTECTED",
                "the workbook is protected by a password",
                where=Place(file=path),
                remedy="open it in Excel, remove the password and save it",
            ) from error
        raise damaged(path, error) from error
    return sheets, book.release_resources


def _open_xlrd(path: Path) -> Any:
    """The workbook with its number formats and merged ranges, or without them where they cannot be read."""
    import xlrd

    try:
        return xlrd.open_workbook(path, on_demand=True, logfile=io.StringIO(), formatting_info=True)
    except Exception:  # the formats of workbooks written by other programs are often incomplete
        return xlrd.open_workbook(path, on_demand=True, logfile=io.StringIO())


def _is_encrypted_package(path: Path) -> bool:
    """An .xlsx with a password is an OLE container whose directory names an EncryptedPackage stream."""
    with path.open("rb") as handle:
        return "EncryptedPackage".encode("utf-16-le") in handle.read(1 << 22)


def _old_sheet(path: Path, book: Any, index: int) -> CellSheet:
    import xlrd

    percent = _percent_styles(book)

    def text(cell: Any) -> str:
        if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
            return ""
        if cell.ctype == xlrd.XL_CELL_BOOLEAN:
            return cell_text(bool(cell.value))
        if cell.ctype == xlrd.XL_CELL_ERROR:
            return str(xlrd.error_text_from_code.get(cell.value, "#ERROR"))
        if cell.ctype == xlrd.XL_CELL_DATE:
            return cell_text(xlrd.xldate.xldate_as_datetime(cell.value, book.datemode))
        if cell.xf_index in percent and cell.ctype == xlrd.XL_CELL_NUMBER:
            return Percentage(cell_text(cell.value))
        return cell_text(cell.value)

    def read() -> Iterator[Row]:
        try:
            sheet = book.sheet_by_index(index)
            for number in range(sheet.nrows):
                yield number + 1, [text(cell) for cell in sheet.row(number)]
        except CarbonpanelError:
            raise
        except Exception as error:
            raise damaged(path, error) from error

    def merges() -> tuple[Merge, ...]:
        try:
            ranges = book.sheet_by_index(index).merged_cells
        except Exception as error:
            raise damaged(path, error) from error
        return tuple(sorted(Merge(top + 1, bottom, left, right - 1) for top, bottom, left, right in ranges))

    name = str(book.sheet_names()[index])
    hidden = bool(getattr(book, "_sheet_visibility", [0] * book.nsheets)[index])
    return CellSheet(path, name, hidden, read, merges)


def _percent_styles(book: Any) -> frozenset[int]:
    """Indices of the cell styles that show percentages; none where the workbook was read without its formats."""
    found = []
    for index, style in enumerate(getattr(book, "xf_list", [])):
        number_format = book.format_map.get(style.format_key)
        if number_format is not None and is_percent_format(str(number_format.format_str)):
            found.append(index)
    return frozenset(found)
