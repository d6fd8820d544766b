"""A file as sheets of text cells: every cell keeps its row number and the text it held.

Rows count from 1 and include header lines, as a spreadsheet shows them. A sheet can be read several times (a
look at its head, then the whole) and is never held in memory by this module.
"""

from __future__ import annotations

import csv
import datetime
import decimal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.ingest.encoding import detect_text_form, open_text
from analysis_py.ingest.files import MAX_COLUMNS, FoundFile, damaged, find_file, too_wide

Row = tuple[int, list[str]]

#: Longest text one cell may hold; a larger one is an unclosed quotation mark that swallowed the table.
_LONGEST_CELL = 1 << 20
#: Rows a Parquet file may claim: a few kilobytes of it can stand for any number of them.
_MOST_ROWS = 200_000_000


class Formula(str):
    """A cell that holds a formula and no stored result: the formula's own text, ``=B2*C2``."""

    __slots__ = ()


class Percentage(str):
    """A cell whose number a workbook shows as a percentage: the text of the stored number, ``0.605``."""

    __slots__ = ()

    @property
    def display(self) -> str:
        """What the workbook shows, to all digits: ``60.5%``."""
        try:
            return f"{cell_text(float(decimal.Decimal(self) * 100))}%"
        except decimal.InvalidOperation:
            return str(self)


class Merge(NamedTuple):
    """A merged range: rows counting from 1, columns from 0, both ends included."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int


def _no_merges() -> tuple[Merge, ...]:
    return ()


@dataclass(frozen=True)
class CellSheet:
    """One table of a file. ``name`` is ``None`` for files without sheets.

    ``merges`` gives the merged ranges of a workbook's sheet by first row; ``labels`` are the descriptions that a Stata
    file keeps beside its column names ('' = none).
    """

    path: Path
    name: str | None
    hidden: bool
    read: Callable[[], Iterator[Row]] = field(repr=False)
    merges: Callable[[], tuple[Merge, ...]] = field(default=_no_merges, repr=False)
    labels: tuple[str, ...] = ()

    def rows(self) -> Iterator[Row]:
        """Row number and cell texts ('' = empty), blank rows included as numbers left out, rows of unequal length."""
        for number, cells in self.read():
            if len(cells) > MAX_COLUMNS:
                raise too_wide(self.path, len(cells), self.name)
            if (cells and cells[0] and not cells[0].isspace()) or any(cell and not cell.isspace() for cell in cells):
                yield number, cells

    def head(self, count: int) -> list[Row]:
        """The first ``count`` rows that hold anything."""
        return list(islice(self.rows(), count))

    def place(self, row: int | None = None, column: str | None = None) -> Place:
        return Place(file=self.path, sheet=self.name, row=row, column=column)


class CellFile:
    """An open file: its sheets, and remarks on how it had to be read. Use as a context manager."""

    def __init__(self, found: FoundFile, sheets: list[CellSheet], form: str, close: Callable[[], None]) -> None:
        self.found = found
        self.path = found.path
        self.kind = found.kind
        self.sheets = sheets
        self.form = form
        self._close = close

    def __enter__(self) -> CellFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def remarks(self) -> list[str]:
        """What a report should say of how the file was come by: the file behind a link, sheets that are hidden."""
        told = [f"the path is a link; the file read is {self.found.real}"] if self.found.real is not None else []
        hidden = [str(sheet.name) for sheet in self.sheets if sheet.hidden]
        if hidden and len(hidden) < len(self.sheets):
            listed = ", ".join(hidden[:10]) + (", ..." if len(hidden) > 10 else "")
            told.append(f"{len(hidden)} hidden sheet(s) not read: {listed}")
        return told

    def sheet(self, name: str) -> CellSheet:
        """The sheet called ``name`` (letter case and outer spaces do not matter), else ``CP-SHEET-UNKNOWN``."""
        wanted = name.strip().lower()
        for sheet in self.sheets:
            if sheet.name is not None and sheet.name.strip().lower() == wanted:
                return sheet
        names = [sheet.name for sheet in self.sheets if sheet.name is not None]
        raise CarbonpanelError(
            "CP-SHEET-UNKNOWN",
            f"there is no sheet '{name}'" if names else f"a sheet '{name}' is asked for, but this file has no sheets",
            where=Place(file=self.path),
            remedy=did_you_mean(name, names) if names else "leave the sheet out",
        )

    def visible(self) -> list[CellSheet]:
        """Sheets that are not hidden, in their order; all sheets when every one is hidden."""
        return [sheet for sheet in self.sheets if not sheet.hidden] or self.sheets


def cell_text(value: Any) -> str:
    """A typed cell as text: whole numbers without ``.0``, shortest exact form of others, ISO dates, '' for nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if value != value:
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time(0)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value)


def _text_sheet(found: FoundFile) -> tuple[CellSheet, str]:
    form = detect_text_form(found.open, found.path)

    def read() -> Iterator[Row]:
        csv.field_size_limit(_LONGEST_CELL)
        number = 0
        try:
            with open_text(found.open, form.codec) as handle:
                aligned = form.separator == " "
                lines = (line.strip(" \r\n") + "\n" for line in handle) if aligned else handle
                reader = csv.reader(lines, delimiter=form.separator, skipinitialspace=aligned)
                for number, cells in enumerate(reader, start=1):
                    yield number, cells
        except (csv.Error, UnicodeError) as error:
            raise CarbonpanelError(
                "CP-FILE-NOT-A-TABLE",
                f"the text stops being a table here ({error})",
                where=Place(file=found.path, row=number + 1),
                remedy="look for a quotation mark that is not closed, in or above this row",
            ) from error

    return CellSheet(found.path, None, False, read), form.description


def _parquet_sheet(found: FoundFile) -> tuple[CellSheet, Callable[[], None]]:
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(found.path)
        names = list(table.schema_arrow.names)
        rows = table.metadata.num_rows
    except Exception as error:  # pyarrow raises many kinds on damaged bytes
        raise damaged(found.path, error) from error
    if rows > _MOST_ROWS:
        raise CarbonpanelError(
            "CP-FILE-TOO-LARGE",
            f"the file says that it has {rows:,} rows (limit {_MOST_ROWS:,})",
            where=Place(file=found.path),
            remedy="select the rows of cities or provinces first",
        )
    if len(names) > MAX_COLUMNS:
        raise too_wide(found.path, len(names))

    def read() -> Iterator[Row]:
        yield 1, names
        number = 1
        try:
            for batch in table.iter_batches(batch_size=20_000):
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    yield number, [cell_text(value) for value in values]
        except CarbonpanelError:
            raise
        except Exception as error:
            raise damaged(found.path, error) from error

    return CellSheet(found.path, None, False, read), table.close


def _stata_sheet(found: FoundFile) -> CellSheet:
    from analysis_py.ingest.stata import iterate_stata, read_labels

    def read() -> Iterator[Row]:
        number = 0
        for frame in iterate_stata(found, labels=True):
            if number == 0:
                number = 1
                yield 1, [str(name) for name in frame.columns]
            columns = [frame[name].astype(object).to_list() for name in frame.columns]
            for values in zip(*columns, strict=True):
                number += 1
                yield number, [cell_text(value) for value in values]

    return CellSheet(found.path, None, False, read, labels=read_labels(found))


def open_cells(path: str | Path) -> CellFile:
    """Open any table file as sheets of text cells.

    Raises the errors of :func:`analysis_py.ingest.files.find_file`, and ``CP-FILE-CORRUPT``, ``CP-FILE-ENCODING``,
    ``CP-FILE-NUL``, ``CP-FILE-NOT-A-TABLE``, ``CP-FILE-TOO-WIDE``; rows read later may raise the same.
    """
    found = find_file(path)
    if found.kind == "text":
        sheet, form = _text_sheet(found)
        return CellFile(found, [sheet], form, lambda: None)
    if found.kind == "parquet":
        sheet, close = _parquet_sheet(found)
        return CellFile(found, [sheet], "Parquet", close)
    if found.kind == "dta":
        return CellFile(found, [_stata_sheet(found)], "Stata", lambda: None)
    from analysis_py.ingest.workbooks import open_old_workbook, open_workbook

    sheets, close = open_workbook(found.path) if found.kind == "xlsx" else open_old_workbook(found.path)
    return CellFile(found, sheets, "Excel workbook", close)
