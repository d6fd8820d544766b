"""``ingest``: a user's file into the raw contract, whole or not at all.

The file is read to its end and judged before a byte is written; then the Parquet is written beside the old one and
renamed over it, and the account (``<dataset>.report.json``) after it.
"""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.files import write_json
from analysis_py.ingest.answers import Answers, Given
from analysis_py.ingest.batches import CellBatches
from analysis_py.ingest.collect import Collector
from analysis_py.ingest.contract import PARQUET_COLUMNS, load_contract
from analysis_py.ingest.draft import Plan, plan_reading
from analysis_py.ingest.files import file_hash, find_file
from analysis_py.ingest.inputs import read_report
from analysis_py.ingest.places import place_index
from analysis_py.ingest.report import IngestReport, QuarantinedCell, render_report
from analysis_py.ingest.sheets import CellFile, open_cells
from analysis_py.ingest.units import load_dictionary
from analysis_py.progress import ProgressCallback

__all__ = ["IngestReport", "ingest_file", "render_report"]

_PROGRESS_EVERY = 1_000
_DATASET = re.compile(r"\w[\w-]{0,79}\Z")


def ingest_file(
    path: str | Path,
    source: str,
    *,
    data_dir: str | Path,
    mapping: str | Path | None = None,
    dataset: str | None = None,
    sheet: str | None = None,
    check: bool = False,
    inventory: str | None = None,
    answers: Given | None = None,
    progress: ProgressCallback | None = None,
) -> IngestReport:
    """Take one file into the raw contract.

    Parameters
    ----------
    path : CSV, Excel, Stata or Parquet file.
    source : what it is: one of the contract's sources (``city_yearbook`` ...).
    data_dir : folder of users' data; ``raw/<source>/<dataset>.parquet`` and ``.report.json`` are written in it.
    mapping : path of a mapping YAML or name of a shipped one; by default a shipped one that fits, else a proposal.
    dataset : name to keep it under; by default the file's name. A dataset of the same name is replaced.
    sheet : sheet of a workbook.
    check : only report, write nothing.
    inventory : ``ceads`` or ``edgar``: whose CO2 a column is that does not say so; short for ``answers``.
    answers : what the file does not say, as given with the command.
    progress : called with (rows done, 0, label) as reading goes on.

    Returns
    -------
    The account of every row and cell. The Parquet has the columns of
    :data:`analysis_py.ingest.contract.PARQUET_COLUMNS`, one row per cell with a value, in file order, each value in
    the unit of the file.

    Raises
    ------
    CarbonpanelError : see the modules of this package; nothing is written then.
    """
    path = Path(path).expanduser()
    contract = load_contract()
    contract.check_source(source)
    find_file(path)
    name = dataset_name(path, dataset)
    with open_cells(path) as book:
        given = answers or Given(inventory=inventory)
        settled = Answers(source, load_dictionary(), given)
        plan = plan_reading(book, source, mapping=mapping, sheet=sheet, answers=settled)
        collector = Collector(
            source, name, plan.binding, contract, load_dictionary(), place_index(contract.level(source))
        )
        for count, seen in enumerate(plan.binding.observations()):
            if progress is not None and count % _PROGRESS_EVERY == 0:
                progress(collector.rows_read, 0, "rows read")
            collector.add(seen)
        rows = collector.finish()
        table = rows.table(without=collector.reasons)
        folder = Path(data_dir) / "raw" / source
        report = _account(book, plan, collector, rows, folder)
    if check:
        return report
    output, digest = _write(table, folder, name, Path(data_dir))
    report = replace(report, output=output, parquet_sha256=digest)
    write_json(folder / f"{name}.report.json", report.to_json())
    return report


def dataset_name(path: Path, wanted: str | None) -> str:
    """The name a file is kept under: letters of any script, digits, ``_`` and ``-``; other signs are refused."""
    if wanted is not None:
        if not _DATASET.match(wanted):
            raise CarbonpanelError(
                "CP-DATASET-NAME",
                f"'{wanted}' cannot be the name of a dataset",
                remedy="use letters, digits, '_' and '-' only, e.g. my_yearbook_2020",
            )
        return wanted
    stem = path.stem
    while Path(stem).suffix.lower() in (".csv", ".tsv", ".txt", ".tab", ".dta"):
        stem = Path(stem).stem
    slug = re.sub(r"[^\w-]+", "_", unicodedata.normalize("NFKC", stem).lower()).strip("_-")
    return slug[:80] or "dataset"


def _quarantined(seen: Collector, rows: CellBatches) -> tuple[QuarantinedCell, ...]:
    names = [name for name, _ in PARQUET_COLUMNS]
    cells = []
    for position, reason in sorted(seen.reasons.items()):
        row: dict[str, Any] = dict(zip(names, rows[position], strict=True))
        cells.append(
            QuarantinedCell(
                row=row["source_row"],
                column=row["source_column"],
                place=seen.index.label(row["city_code"]),
                city_code=row["city_code"],
                year=row["year"],
                indicator=row["indicator"],
                value=row["value"],
                unit=row["unit"],
                value_text=row["value_text"],
                reason=reason,
            )
        )
    return tuple(cells)


def _account(book: CellFile, plan: Plan, seen: Collector, rows: CellBatches, folder: Path) -> IngestReport:
    binding = plan.binding
    mapping = binding.mapping
    report = IngestReport(
        file=book.path.name,
        file_sha256=file_hash(book.path),
        form=book.form,
        sheet=binding.sheet.name,
        header_row=binding.header.row,
        source=seen.source,
        dataset=seen.dataset,
        mapping=mapping.name,
        mapping_origin=mapping.origin,
        layout=mapping.layout,
        rows_read=seen.rows_read,
        rows_placed=seen.rows_placed,
        rows_without_numbers=seen.rows_without_numbers,
        rows_outside_years=seen.rows_outside_years,
        rows_after_abolition=seen.rows_after_abolition,
        cells_read=seen.cells_read,
        cells_missing=seen.cells_missing,
        cells_written=len(rows) - len(seen.reasons),
        cells_outside_years=seen.cells_outside_years,
        cells_unplaced=seen.cells_unplaced,
        cells_not_observed=seen.cells_not_observed,
        places_read=seen.places_read(),
        places_placed=len(seen.placed),
        unplaced=seen.unplaced(),
        unplaced_unlisted=seen.unplaced_unlisted,
        quarantined=_quarantined(seen, rows),
        columns_used=seen.used_columns(),
        columns_ignored=plan.ignored,
        years=tuple(sorted(seen.years)),
        years_outside=tuple(sorted(seen.years_outside)),
        remarks=plan.remarks,
        warnings=(),
    )
    warnings = [f"{note} ({count:,} rows)" for note, count in seen.notes.items()]
    return replace(report, warnings=(*warnings, *_overlaps(report, folder)))


def _overlaps(report: IngestReport, folder: Path) -> list[str]:
    """Other datasets of the source that bring the same indicators, and a replaced dataset from another file."""
    told = []
    for other in sorted(folder.glob("*.report.json")):
        known = read_report(other)
        if known.get("dataset") == report.dataset:
            if known.get("file") != report.file:
                told.append(f"replaces dataset '{report.dataset}', which came from {known.get('file')}")
            continue
        both = [name for name in report.indicators if name in known.get("indicators", [])]
        if both:
            told.append(f"{', '.join(both)} also comes from dataset '{known.get('dataset')}'; both are kept")
    return told


def _write(table: pa.Table, folder: Path, name: str, data_dir: Path) -> tuple[Path, str]:
    """Write the Parquet beside its place and rename it; the old file stays until the new one is whole."""
    target = folder / f"{name}.parquet"
    temporary = folder / f".{name}.parquet.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.resolve().is_relative_to(data_dir.resolve()):
            raise CarbonpanelError(
                "CP-DATA-OUTSIDE",
                "the folder for this source leads outside the data folder",
                where=Place(file=folder),
                remedy="remove the link, or choose another data folder (CARBONPANEL_DATA)",
            )
        try:
            with temporary.open("wb") as handle:
                pq.write_table(table, handle, compression="zstd")
                handle.flush()
                os.fsync(handle.fileno())
            digest = file_hash(temporary)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise CarbonpanelError(
            "CP-FILE-UNWRITABLE",
            f"the data cannot be written: {error.strerror or error}",
            where=Place(file=target),
            remedy="check permissions and free space, or choose another data folder (CARBONPANEL_DATA)",
        ) from error
    return target, digest
