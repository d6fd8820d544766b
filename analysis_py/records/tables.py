"""Counts and samples as files: CSV, Parquet or a workbook, written whole or not at all, the same bytes every time."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.ingest.files import MAX_SHEET_ROWS
from analysis_py.records.outcome import Cohort, CountRow, KeywordTotal, RecordsOutcome
from analysis_py.records.review import REVIEW_COLUMNS

#: Endings of files that tables are written to.
SUFFIXES = (".csv", ".parquet", ".xlsx")
_TYPES = {"str": pa.string(), "int": pa.int64(), "float": pa.float64()}
#: Texts of the review sample; a CSV opened in a spreadsheet must not take one for a formula.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")

Table = tuple[tuple[str, ...], list[tuple[Any, ...]]]


def check_target(path: Path, inputs: Sequence[Path | None] = ()) -> None:
    """Raise ``CP-RECORDS-OPTION`` or ``CP-FILE-SAME`` where a table cannot be written to ``path``."""
    from analysis_py.files import refuse_same_file

    if path.suffix.lower() not in SUFFIXES:
        raise CarbonpanelError(
            "CP-RECORDS-OPTION",
            f"tables are not written as '{path.suffix or path.name}'",
            where=Place(file=path),
            remedy=f"{did_you_mean(path.suffix, SUFFIXES)} (.csv, .parquet or .xlsx)",
        )
    refuse_same_file(path, inputs)


def write_counts(path: Path, outcome: RecordsOutcome) -> None:
    """The long table of counts; a workbook also has keywords, cohorts, unplaced places, odd dates and notes."""
    counts = count_table(outcome)
    if path.suffix.lower() != ".xlsx":
        _write(path, _csv(counts) if path.suffix.lower() == ".csv" else _parquet(counts, CountRow))
        return
    unplaced = [
        (item.place, item.reason, "; ".join(item.candidates), item.rows, item.first_row) for item in outcome.unplaced
    ]
    odd = [(item.text, item.column, item.file, item.row, item.rows) for item in outcome.odd_dates]
    notes: list[tuple[Any, ...]] = [("rows", name, number) for name, number in outcome.rows.items()]
    notes += [("finds", name, number) for name, number in outcome.finds.items()]
    notes += [("warning", text, None) for text in outcome.warnings]
    notes += [("note", text, None) for text in outcome.remarks]
    sheets: dict[str, Table] = {
        "counts": counts,
        "keywords": _rows(KeywordTotal, outcome.totals),
        "cohorts": _rows(Cohort, outcome.cohorts),
        "unplaced": (("place", "reason", "near", "rows", "first_row"), unplaced),
        "odd_dates": (("text", "column", "file", "row", "rows"), odd),
        "notes": (("kind", "text", "number"), notes),
    }
    _write(path, _workbook(path, sheets))


def write_review(path: Path, outcome: RecordsOutcome) -> None:
    """The sample for checking by hand; ``is_right`` is left for the checker."""
    table = review_table(outcome)
    if path.suffix.lower() == ".xlsx":
        _write(path, _workbook(path, {"review": table}))
    elif path.suffix.lower() == ".csv":
        safe = [tuple(_not_a_formula(cell) for cell in row) for row in table[1]]
        _write(path, _csv((table[0], safe)))
    else:
        columns = {name: pa.array([row[at] for row in table[1]]) for at, name in enumerate(table[0])}
        _write(path, _parquet_bytes(pa.table(columns)))


def count_table(outcome: RecordsOutcome) -> Table:
    """Names and rows of the long table."""
    return _rows(CountRow, outcome.counts)


def review_table(outcome: RecordsOutcome) -> Table:
    """Names and rows of the sample, ordered by keyword; the kind of match and the field it was found in are told."""
    keywords = outcome.options.keywords
    rows = [
        (
            *(keywords[row.keyword].keyword_id, keywords[row.keyword].word),
            *("tolerant" if row.is_tolerant else "exact", row.field, row.context, row.name, row.city),
            *(row.year if row.year > 0 else None, row.file, row.row, None),
        )
        for row in outcome.review
    ]
    return REVIEW_COLUMNS, rows


def _rows(kind: type[Any], items: Iterable[Any]) -> Table:
    names = tuple(field.name for field in fields(kind))
    return names, [tuple(getattr(item, name) for name in names) for item in items]


def _csv(table: Table) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table[0])
    writer.writerows(table[1])
    # With a byte order mark: spreadsheet programs read Chinese as something else without it.
    return buffer.getvalue().encode("utf-8-sig", "replace")


def _not_a_formula(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_SIGNS) else cell


def _parquet(table: Table, kind: type[Any]) -> bytes:
    types = {field.name: _TYPES[str(field.type).split(" ")[0]] for field in fields(kind)}
    columns = [pa.array([row[at] for row in table[1]], types[name]) for at, name in enumerate(table[0])]
    return _parquet_bytes(pa.Table.from_arrays(columns, names=list(table[0])))


def _parquet_bytes(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _workbook(path: Path, sheets: Mapping[str, Table]) -> bytes:
    from analysis_py.records.workbook import render_workbook

    for name, (_, rows) in sheets.items():
        if len(rows) >= MAX_SHEET_ROWS:
            raise CarbonpanelError(
                "CP-RECORDS-OPTION",
                f"the table '{name}' has {len(rows):,} rows, more than a sheet holds",
                where=Place(file=path),
                remedy="write .csv or .parquet",
            )
    return render_workbook(sheets)


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise CarbonpanelError(
            "CP-FILE-UNWRITABLE",
            f"cannot be written: {error.strerror or error}",
            where=Place(file=path),
            remedy="choose another place",
        ) from None
