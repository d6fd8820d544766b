"""Reading any table a user has: as a typed frame (:func:`read_table`) or as text cells (:func:`read_cells`).

Text tables may be UTF-8, UTF-16 or GBK, separated by comma, semicolon, tab or bar, gzip-compressed or not; workbooks
.xlsx or .xls; Stata .dta; Parquet. Columns of numbers become numbers, everything else stays the text it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.ingest.cells import is_missing, parse_number, shown
from analysis_py.ingest.files import MAX_COLUMNS, damaged, find_file, too_wide
from analysis_py.ingest.sheets import CellFile, CellSheet, Row, open_cells

_CHUNK = 20_000
#: A column at least this numeric that still holds text is worth explaining when a number is asked of it.
_MOSTLY = 0.5
#: Key of ``frame.attrs`` under which the first text of a mostly numeric column is kept: {column: (row, text)}.
TEXT_CELLS = "carbonpanel_text_cells"
#: Key of ``frame.attrs`` under which row numbers are kept where they do not simply follow the header (blank rows).
ROW_NUMBERS = "carbonpanel_row_numbers"
#: What programs print for an infinite number; estimation counts it as missing and says so.
_INFINITE = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})


def read_cells(path: str | Path, *, sheet: str | None = None) -> list[Row]:
    """All rows of one sheet as ``(row number, cell texts)``; blank rows are left out, their numbers are not reused."""
    with open_cells(path) as book:
        return list(_choose_sheet(book, sheet).rows())


def read_table(path: str | Path, *, sheet: str | None = None, header: int | None = None) -> pd.DataFrame:
    """A table file as a frame with typed columns.

    Parameters
    ----------
    path : CSV/TSV/TXT (optionally .gz), .xlsx, .xls, .dta or .parquet.
    sheet : sheet of a workbook; by default the first visible one that holds a table.
    header : row of the column names, counting from 1; by default the first row that holds anything.

    Returns
    -------
    One row a record in file order, index 0..n-1. Numbers are int64 or float64 (missing = NaN), TRUE/FALSE columns
    bool, all else ``str`` (missing = NaN). Codes with leading zeros stay text. ``attrs[TEXT_CELLS]`` tells, for columns
    that are mostly numbers, the row and text of the first cell that is not.

    Raises
    ------
    CarbonpanelError : missing, empty, damaged or undecodable file, no rows, duplicated column names, unknown sheet.
    """
    found = find_file(path)
    if found.kind in ("parquet", "dta"):
        frame = _typed_frame(found.path, found.kind)
    else:
        with open_cells(found.path) as book:
            frame = _text_frame(_choose_sheet(book, sheet), header)
    return frame


def explain_text(frame: pd.DataFrame, column: str) -> str:
    """Why a mostly numeric column of :func:`read_table` is text: its first odd cell; '' when there is none."""
    where = frame.attrs.get(TEXT_CELLS, {}).get(column)
    return f"row {where[0]} holds '{shown(where[1])}'" if where else ""


def row_numbers(frame: pd.DataFrame) -> np.ndarray:
    """Row of the file, counting from 1, of each row of a frame read by :func:`read_table` (before it is filtered)."""
    kept = frame.attrs.get(ROW_NUMBERS)
    return np.asarray(kept) if kept is not None else np.arange(len(frame)) + 2


def _choose_sheet(book: CellFile, name: str | None) -> CellSheet:
    if name is not None:
        return book.sheet(name)
    filled = [sheet for sheet in book.visible() if sheet.head(1)]
    if not filled:
        raise CarbonpanelError(
            "CP-FILE-EMPTY",
            "the file holds no cell with anything in it",
            where=Place(file=book.path),
            remedy="check that the right file was saved",
        )
    tables = [sheet for sheet in filled if len(sheet.head(2)) == 2 and max(len(c) for _, c in sheet.head(2)) > 1]
    return (tables or filled)[0]


def check_header(sheet: CellSheet, row: int, names: Iterable[str]) -> None:
    """Raise ``CP-COLUMN-DUPLICATED`` naming both positions when two columns have the same name."""
    first: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if name and name in first:
            raise CarbonpanelError(
                "CP-COLUMN-DUPLICATED",
                f"two columns are called '{name}': the {_ordinal(first[name])} and the {_ordinal(position)}",
                where=sheet.place(row, name),
                remedy="rename or remove one of them",
            )
        first.setdefault(name, position)


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def clean_name(text: str) -> str:
    """A column name without surrounding spaces, line breaks or invisible marks."""
    return " ".join(text.replace("\ufeff", "").replace("\u200b", "").split())


def _text_frame(sheet: CellSheet, header: int | None) -> pd.DataFrame:
    rows = sheet.rows()
    head = next((row for row in rows if header is None or row[0] >= header), None)
    if head is None or (header is not None and head[0] != header):
        raise CarbonpanelError(
            "CP-FILE-NO-HEADER",
            f"row {header} holds no column names",
            where=sheet.place(header),
            remedy="give the row of the names",
        )
    row_number, cells = head
    names = [clean_name(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise CarbonpanelError(
            "CP-FILE-NO-HEADER",
            "the first row with anything in it holds no column names",
            where=sheet.place(row_number),
            remedy="put the names of the columns into the first row",
        )
    check_header(sheet, row_number, names)
    taken = set(names)
    names = [name or _free_name(f"column_{position}", taken) for position, name in enumerate(names, start=1)]
    columns, numbers = _collect(sheet, rows, names)
    if not numbers:
        raise CarbonpanelError(
            "CP-FILE-NO-ROWS",
            "the table has column names but no rows",
            where=sheet.place(row_number),
            remedy="check that the right file was exported",
        )
    texts: dict[str, tuple[int, str]] = {}
    data: dict[str, Any] = {}
    for name, column in zip(names, columns, strict=True):
        data[name], odd = _typed(column)
        if odd is not None:
            texts[name] = (numbers[odd[0]], odd[1])
    frame = pd.DataFrame(data)
    frame.attrs[TEXT_CELLS] = texts
    if numbers != list(range(2, len(numbers) + 2)):
        frame.attrs[ROW_NUMBERS] = numbers
    return frame


def _free_name(wish: str, taken: set[str]) -> str:
    while wish in taken:
        wish += "_"
    taken.add(wish)
    return wish


def _collect(sheet: CellSheet, rows: Iterator[Row], names: list[str]) -> tuple[list[pa.ChunkedArray], list[int]]:
    width = len(names)
    pieces: list[list[pa.Array]] = [[] for _ in names]
    numbers: list[int] = []
    while chunk := list(islice(rows, _CHUNK)):
        block = []
        for number, cells in chunk:
            if len(cells) != width:
                if sheet.name is None and any(cells[width:]):
                    raise CarbonpanelError(
                        "CP-FILE-RAGGED",
                        f"the row has {len(cells)} cells, the header names {width} columns",
                        where=sheet.place(number),
                        remedy="look for a separator inside a text that is not quoted, or name the extra column",
                    )
                cells = (cells + [""] * width)[:width]
            numbers.append(number)
            block.append(cells)
        for store, values in zip(pieces, zip(*block, strict=True), strict=True):
            store.append(pa.array(values, pa.large_string()))
    return [pa.chunked_array(store, pa.large_string()) for store in pieces], numbers


def _typed(column: pa.ChunkedArray) -> tuple[Any, tuple[int, str] | None]:
    """The column as an array of its own type, and (position, text) of the first text in a mostly numeric column."""
    trimmed = pc.utf8_trim_whitespace(column)
    empty = pc.equal(trimmed, "")
    values = pc.if_else(empty, pa.scalar(None, pa.large_string()), trimmed)
    if values.null_count == len(values):
        return np.full(len(values), np.nan), None
    # Codes with leading zeros, and hexadecimal, which Arrow would take for a number.
    coded = pc.any(pc.match_substring_regex(values, r"^[+-]?0[0-9xX]")).as_py()
    if not coded:
        try:
            whole = values.cast(pa.int64())
            return (whole if whole.null_count == 0 else whole.cast(pa.float64())).to_numpy(), None
        except pa.ArrowInvalid:
            pass
        try:
            # Arrow parses decimal text exactly; it also takes 'nan' and 'inf', which are left to the slow way below.
            real = values.cast(pa.float64()).to_numpy()
            if np.isfinite(real).sum() == len(values) - values.null_count:
                return real, None
        except pa.ArrowInvalid:
            pass
        slow = _by_distinct_value(values)
        if isinstance(slow, np.ndarray):
            return slow, None
        odd = slow
    else:
        odd = None
    text = pc.if_else(empty, pa.scalar(None, pa.large_string()), column)
    return pd.array(text.to_pandas(), dtype="str"), odd


def _by_distinct_value(values: pa.ChunkedArray) -> np.ndarray | tuple[int, str] | None:
    """Numbers with thousands commas, infinities, full-width digits, missing marks; TRUE/FALSE; else the first text."""
    encoded = values.combine_chunks().dictionary_encode()
    distinct: list[str] = encoded.dictionary.to_pylist()
    codes = encoded.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False)
    if encoded.null_count == 0 and {text.lower() for text in distinct} <= {"true", "false"}:
        return np.array([text.lower() == "true" for text in distinct])[codes]
    numbers: list[float] = []
    text_codes: list[int] = []
    for code, text in enumerate(distinct):
        parsed = (float(text), False) if text.strip().lower() in _INFINITE else parse_number(text)
        if parsed is not None and not parsed[1]:
            numbers.append(parsed[0])
        else:
            numbers.append(np.nan)
            if not is_missing(text):
                text_codes.append(code)
    numbers.append(np.nan)
    numeric = np.array(numbers)
    has_number = bool(np.isfinite(numeric[codes]).any())
    if has_number and not text_codes:
        return numeric[codes]
    odd = np.isin(codes, text_codes)
    filled = int((codes < len(distinct)).sum())
    if has_number and odd.sum() < _MOSTLY * filled:
        position = int(np.argmax(odd))
        return position, distinct[int(codes[position])]
    return None


def _typed_frame(path: Path, kind: str) -> pd.DataFrame:
    """A Parquet or Stata file: types are the file's own; Stata codes with labels stay the numbers they are."""
    found = find_file(path)
    try:
        if kind == "parquet":
            import pyarrow.parquet as pq

            with pq.ParquetFile(path) as reader:
                if reader.metadata.num_columns > MAX_COLUMNS:
                    raise too_wide(path, reader.metadata.num_columns)
                frame = reader.read().to_pandas(ignore_metadata=True)
        else:
            from analysis_py.ingest.stata import iterate_stata

            pieces = list(iterate_stata(found, labels=False))
            frame = pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame()
    except CarbonpanelError:
        raise
    except Exception as error:  # both libraries raise many kinds on damaged bytes
        raise damaged(path, error) from error
    frame.columns = pd.Index([clean_name(str(name)) for name in frame.columns])
    check_header(CellSheet(path, None, False, lambda: iter(())), 1, frame.columns)
    if frame.empty:
        raise CarbonpanelError(
            "CP-FILE-NO-ROWS", "the table has no rows or no columns", where=Place(file=path), remedy="export it again"
        )
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            frame[name] = column.astype(column.cat.categories.dtype)
        elif column.dtype == np.float32:
            frame[name] = column.astype(float)
        if isinstance(frame[name].dtype, pd.StringDtype) or frame[name].dtype == object:
            frame[name] = _without_blank_text(path, frame[name])
    return frame


def _without_blank_text(path: Path, column: pd.Series) -> pd.Series:
    """Texts of nothing as missing values, as in Stata and as in a CSV file; ``damaged`` where a text is no text."""
    try:
        blank = column.map(lambda value: isinstance(value, str) and not value.strip()).astype(bool)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise damaged(path, error) from error
    return column.mask(blank) if blank.any() else column
