"""Record files as a stream of column batches: text of any size, Parquet, and the workbooks that ``ingest`` reads.

However long a file is, a few batches of it are in memory. Rows count from 1 with the header, as in a spreadsheet.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.ingest.files import FoundFile, damaged, find_file
from analysis_py.ingest.sheets import CellSheet, Row, open_cells
from analysis_py.records.columns import ColumnMap, count_known, map_columns

#: Rows above the column names that are looked through for them.
HEAD_ROWS = 30
#: Roles two of which a row must name to be taken for the column names below a title.
_ENOUGH_ROLES = 2
_CELL_BATCH = 20_000
_PARQUET_BATCH = 65_536


@dataclass
class RaggedRows:
    """Rows with more or fewer cells than the header: left out and counted, in file order."""

    numbers: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    _data_before: list[int] = field(default_factory=list)

    def add(self, data_index: int, row: int, width: int) -> None:
        """Note row ``row``, the ``data_index``-th below the header counting ragged ones, with ``width`` cells."""
        self._data_before.append(data_index - len(self.numbers))
        self.numbers.append(row)
        self.widths.append(width)

    def before(self, data_index: int) -> int:
        """How many ragged rows come before the ``data_index``-th good one."""
        return bisect_right(self._data_before, data_index)


@dataclass(frozen=True)
class RecordBatch:
    """Some rows: role -> texts ('' = empty, never NULL), and the file row of each by its position."""

    columns: Mapping[str, pa.StringArray]
    first: int
    header_row: int
    ragged: RaggedRows

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def row(self, at: int) -> int:
        """The row of the file that position ``at`` of this batch is."""
        index = self.first + at
        return self.header_row + 1 + index + self.ragged.before(index)

    def texts(self, role: str, at: Sequence[int] | pa.Array) -> list[str]:
        """Cells of a role at some positions; empty texts where the file has no such column."""
        column = self.columns.get(role)
        return column.take(pa.array(at, pa.int64())).to_pylist() if column is not None else [""] * len(at)


@dataclass(frozen=True)
class RecordFile:
    """An open file of records: its columns by role and its batches, which can be read once.

    ``position`` tells (done, total) in bytes or rows, for a progress bar.
    """

    found: FoundFile
    form: str
    header_row: int
    columns: ColumnMap
    ragged: RaggedRows
    batches: Iterator[RecordBatch]
    position: Callable[[], tuple[int, int]]

    @property
    def path(self) -> Path:
        return self.found.path


def open_records(
    path: Path, kind: str, given: Mapping[str, str], *, sheet: str | None = None, encoding: str | None = None
) -> RecordFile:
    """Open a file of ``firms`` or ``patents``; ``given`` maps roles to its columns where their names do not say them.

    Raises the errors of :func:`analysis_py.ingest.files.find_file`, ``CP-RECORDS-COLUMNS``, ``CP-RECORDS-ENCODING``.
    """
    from analysis_py.records.text_stream import open_text_records

    found = find_file(path)
    if sheet is not None and found.kind not in ("xlsx", "xls"):
        raise CarbonpanelError("CP-OPTION", "--sheet is for workbooks; this file has no sheets", where=Place(file=path))
    if found.kind == "text":
        opened = open_text_records(found, kind, given, encoding)
        if opened is not None:
            return opened
    if found.kind == "parquet":
        return _open_parquet(found, kind, given)
    return _open_cells(found, kind, given, sheet)


def find_header(rows: Sequence[Row], kind: str, given: Mapping[str, str]) -> Row | None:
    """The first row that names the columns of two roles; the first row at all where none does."""
    for row in rows:
        if count_known(row[1], kind, given) >= _ENOUGH_ROLES:
            return row
    return rows[0] if rows else None


def _open_parquet(found: FoundFile, kind: str, given: Mapping[str, str]) -> RecordFile:
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(found.path, pre_buffer=False)
        header, total = list(table.schema_arrow.names), table.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise damaged(found.path, error) from error
    columns = map_columns(header, kind, given, Place(file=found.path))
    done = [0]

    def read() -> Iterator[RecordBatch]:
        wanted = list(dict.fromkeys(header[at] for at in columns.positions.values()))
        try:
            for batch in table.iter_batches(batch_size=_PARQUET_BATCH, columns=wanted):
                texts = {
                    role: _as_text(batch.column(header[at]), found.path, header[at])
                    for role, at in columns.positions.items()
                }
                yield RecordBatch(texts, done[0], 1, RaggedRows())
                done[0] += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise damaged(found.path, error) from error
        finally:
            table.close()

    return RecordFile(found, "Parquet", 1, columns, RaggedRows(), read(), lambda: (done[0], total))


def _as_text(column: pa.Array, path: Path, name: str) -> pa.StringArray:
    if pa.types.is_floating(column.type):
        # 2019.0 from a column with gaps is the year 2019, not a text of its own kind.
        whole = pc.all(pc.equal(pc.floor(column), column), min_count=0).as_py()
        column = column.cast(pa.int64()) if whole and not pc.any(pc.is_nan(column)).as_py() else column
    try:
        texts = column if column.type == pa.string() else column.cast(pa.string())
    except pa.ArrowException as error:
        raise CarbonpanelError(
            "CP-RECORDS-COLUMNS",
            f"the column holds no text but {column.type} ({str(error).splitlines()[0][:80]})",
            where=Place(file=path, column=name),
            remedy="name another column with --columns, or write it as text",
        ) from error
    return texts.fill_null("") if texts.null_count else texts


def _open_cells(found: FoundFile, kind: str, given: Mapping[str, str], sheet: str | None) -> RecordFile:
    book = open_cells(found.path)
    chosen, header_row, header = _choose_sheet(book.visible() if sheet is None else [book.sheet(sheet)], kind, given)
    columns = map_columns(header, kind, given, chosen.place(header_row))
    done = [0]
    row_numbers = RaggedRows()

    def read() -> Iterator[RecordBatch]:
        with book:
            rows = (row for row in chosen.rows() if row[0] > header_row)
            first = 0
            while piece := list(islice(rows, _CELL_BATCH)):
                texts = {
                    role: pa.array([cells[at] if at < len(cells) else "" for _, cells in piece], pa.string())
                    for role, at in columns.positions.items()
                }
                for index, (number, _) in enumerate(piece, start=first):
                    # Blank rows are no rows, but they count.
                    while header_row + 1 + index + len(row_numbers.numbers) < number:
                        missing = header_row + 1 + index + len(row_numbers.numbers)
                        row_numbers.add(index + len(row_numbers.numbers), missing, 0)
                yield RecordBatch(texts, first, header_row, row_numbers)
                first += len(piece)
                done[0] = first

    return RecordFile(found, book.form, header_row, columns, RaggedRows(), read(), lambda: (done[0], 0))


def _choose_sheet(sheets: Sequence[CellSheet], kind: str, given: Mapping[str, str]) -> tuple[CellSheet, int, list[str]]:
    """The first sheet with a row that names columns, its row and names; else the first that holds anything."""
    filled = []
    for sheet in sheets:
        row = find_header(sheet.head(HEAD_ROWS), kind, given)
        if row is not None and count_known(row[1], kind, given) >= _ENOUGH_ROLES:
            return sheet, row[0], row[1]
        if row is not None:
            filled.append((sheet, row[0], row[1]))
    if not filled:
        raise CarbonpanelError(
            "CP-FILE-NO-ROWS", "the file holds no rows", where=sheets[0].place(), remedy="check what was exported"
        )
    return filled[0]
