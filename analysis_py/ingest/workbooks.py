"""Excel workbooks as sheets of text cells: .xlsx through openpyxl (streaming), .xls through xlrd.

A cell with a formula is its stored value. A formula without one (written by a program that never calculated it) is
given as the formula's own text, ``=B2*C2``, so that whoever needs a number there can say what stands in its place.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.ingest.files import MAX_SHEET_ROWS, damaged
from analysis_py.ingest.sheets import CellSheet, Row, cell_text

Formulas = dict[int, dict[int, str]]


def _column_index(reference: str) -> int:
    """0-based column of a cell reference: ``A1`` 0, ``AA7`` 26."""
    index = 0
    for letter in reference:
        if not letter.isalpha():
            break
        index = index * 26 + ord(letter.upper()) - 64
    return index - 1


def _contains_formula(path: Path, part: str) -> bool:
    tail = b""
    with zipfile.ZipFile(path) as package, package.open(part) as stream:
        while piece := stream.read(1 << 20):
            window = tail + piece
            if b"<f>" in window or b"<f " in window or b"<f/" in window or b":f>" in window:
                return True
            tail = window[-3:]
    return False


def _uncalculated(path: Path, part: str) -> Formulas:
    """Row -> 0-based column -> formula text, of the cells that hold a formula and no stored value."""
    found: Formulas = {}
    if not _contains_formula(path, part):
        return found
    with zipfile.ZipFile(path) as package, package.open(part) as stream:
        for _, element in ElementTree.iterparse(stream):
            if element.tag.rpartition("}")[2] != "c":
                continue
            children = {child.tag.rpartition("}")[2]: child for child in element}
            reference = element.get("r", "")
            # A calculated empty text is also an empty <v>, but of type "str".
            stored = "v" in children and (children["v"].text or element.get("t") == "str")
            if "f" in children and not stored and reference:
                digits = reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
                if digits.isdigit():
                    text = children["f"].text or "(shared formula)"
                    found.setdefault(int(digits), {})[_column_index(reference)] = f"={text}"
            element.clear()
    return found


def open_workbook(path: Path) -> tuple[list[CellSheet], Callable[[], None]]:
    """Sheets of an .xlsx workbook and the function that closes it; ``CP-FILE-CORRUPT`` when it cannot be opened."""
    import openpyxl

    # By handle: openpyxl judges a path by its ending, and a workbook may have any.
    handle = path.open("rb")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(handle, read_only=True, data_only=True, keep_links=False)
        sheets = [_sheet(path, sheet) for sheet in book.worksheets]
    except Exception as error:  # openpyxl raises whatever its parsers raise on damaged bytes
        handle.close()
        raise damaged(path, error) from error
    if not sheets:
        handle.close()
        raise CarbonpanelError(
            "CP-FILE-NOT-A-TABLE",
            "the workbook has no worksheet",
            where=Place(file=path),
            remedy="save the data in a sheet",
        )

    def close() -> None:
        book.close()
        handle.close()

    return sheets, close


def _sheet(path: Path, sheet: Any) -> CellSheet:
    # Filled by the first reading; a sheet is looked at before it is read whole.
    known: list[Formulas] = []

    def read() -> Iterator[Row]:
        try:
            if not known:
                known.append(_uncalculated(path, str(sheet._worksheet_path).lstrip("/")))
            formulas = known[0]
            # The stored extent of a sheet is often wrong; without it every row is as long as its last cell.
            sheet.reset_dimensions()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
                    if number > MAX_SHEET_ROWS:
                        raise ValueError(f"more than {MAX_SHEET_ROWS:,} rows")
                    cells = [cell_text(value) for value in values]
                    for column, formula in formulas.get(number, {}).items():
                        cells.extend([""] * (column + 1 - len(cells)))
                        cells[column] = formula
                    yield number, cells
        except CarbonpanelError:
            raise
        except Exception as error:  # as above: damaged XML surfaces only while rows are read
            raise damaged(path, error, sheet.title) from error

    return CellSheet(path, str(sheet.title), sheet.sheet_state != "visible", read)


def open_old_workbook(path: Path) -> tuple[list[CellSheet], Callable[[], None]]:
    """Sheets of an .xls workbook (Excel 2 to 2003); ``CP-FILE-PROTECTED`` when it is encrypted."""
    import xlrd

    try:
        book = xlrd.open_workbook(path, on_demand=True, logfile=io.StringIO())
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


def _is_encrypted_package(path: Path) -> bool:
    """An .xlsx with a password is an OLE container whose directory names an EncryptedPackage stream."""
    with path.open("rb") as handle:
        return "EncryptedPackage".encode("utf-16-le") in handle.read(1 << 22)


def _old_sheet(path: Path, book: Any, index: int) -> CellSheet:
    import xlrd

    def text(cell: Any) -> str:
        if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
            return ""
        if cell.ctype == xlrd.XL_CELL_BOOLEAN:
            return cell_text(bool(cell.value))
        if cell.ctype == xlrd.XL_CELL_ERROR:
            return str(xlrd.error_text_from_code.get(cell.value, "#ERROR"))
        if cell.ctype == xlrd.XL_CELL_DATE:
            return cell_text(xlrd.xldate.xldate_as_datetime(cell.value, book.datemode))
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

    name = str(book.sheet_names()[index])
    hidden = bool(getattr(book, "_sheet_visibility", [0] * book.nsheets)[index])
    return CellSheet(path, name, hidden, read)
