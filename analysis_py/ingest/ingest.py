"""``ingest``: a user's file into the raw contract, whole or not at all.

The file is read to its end and judged before a byte is written; then the dataset and its quarantine are written beside
the old ones and renamed over them, and the account (``<dataset>.report.json``) after them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analysis_py.errors import CarbonpanelError
from analysis_py.files import write_json
from analysis_py.ingest.answer_store import AnswerStore
from analysis_py.ingest.answers import Answers, Asker, Given
from analysis_py.ingest.collect import Collector
from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.corrections import corrections_path, decide, load_corrections
from analysis_py.ingest.datasets import Decision, Judged, split, write_dataset
from analysis_py.ingest.draft import Plan, plan_reading
from analysis_py.ingest.files import file_hash, find_file
from analysis_py.ingest.inputs import read_report
from analysis_py.ingest.magnitudes import judge_magnitudes
from analysis_py.ingest.mapping_text import render_mapping, write_mapping
from analysis_py.ingest.places import place_index
from analysis_py.ingest.precedence import load_precedence, order_datasets, prefer_dataset
from analysis_py.ingest.report import IngestReport, QuarantinedCell, UsedColumn, render_report
from analysis_py.ingest.sheets import CellFile, open_cells
from analysis_py.ingest.units import load_dictionary
from analysis_py.progress import ProgressCallback

__all__ = ["IngestReport", "draft_mapping", "ingest_file", "render_report"]

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
    ask: Asker | None = None,
    store: AnswerStore | None = None,
    prefer: bool = False,
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
    ask : asks a person what neither the file nor ``answers`` say; without it such a question may refuse the file.
    store : answers remembered from earlier files; by default those of ``data_dir``. New ones are kept in it, and saved
        when the file is taken.
    prefer : put the dataset first where others of its source bring the same numbers.
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
    prepared = prepare_file(
        path, source, data_dir=data_dir, mapping=mapping, dataset=dataset, sheet=sheet,
        answers=answers or Given(inventory=inventory), ask=ask, store=store, prefer=prefer, progress=progress,
    )  # fmt: skip
    return prepared.report if check else prepared.write()


@dataclass(frozen=True)
class Prepared:
    """A file that was read to its end and judged; nothing of it is written yet."""

    report: IngestReport
    data: Path
    kept: pa.Table
    left: pa.Table
    store: AnswerStore
    prefer: bool = False

    def write(self) -> IngestReport:
        """Write the dataset, its quarantine, the account and the answers; the account with its place."""
        source, name = self.report.source, self.report.dataset
        output, digest = write_dataset(self.data, source, name, self.kept, self.left)
        report = replace(self.report, output=output, parquet_sha256=digest)
        write_json(output.with_name(f"{name}.report.json"), report.to_json())
        self.store.save()
        if self.prefer:
            prefer_dataset(self.data, source, name)
        return report


def prepare_file(
    path: str | Path,
    source: str,
    *,
    data_dir: str | Path,
    mapping: str | Path | None = None,
    dataset: str | None = None,
    sheet: str | None = None,
    answers: Given | None = None,
    ask: Asker | None = None,
    store: AnswerStore | None = None,
    prefer: bool = False,
    progress: ProgressCallback | None = None,
    among: frozenset[str | None] | None = None,
    brought: Collection[str] = (),
) -> Prepared:
    """Read and judge one file without writing; arguments as of :func:`ingest_file`.

    ``among`` are the sheets to choose from, where not all; ``brought`` the other sources the file is brought as too.
    """
    path = Path(path).expanduser()
    data = Path(data_dir)
    contract = load_contract()
    contract.check_source(source)
    if source in contract.flat:
        raise ValueError(f"{source} is no source of places and years: see prepare_flat")
    find_file(path)
    name = dataset_name(path, dataset)
    store = store or AnswerStore(data)
    with open_cells(path) as book:
        settled = Answers(source, load_dictionary(), answers, store=store, ask=ask)
        plan = plan_reading(book, source, mapping=mapping, sheet=sheet, answers=settled, among=among, brought=brought)
        index = place_index(contract.level(source))
        collector = Collector(source, name, plan.binding, contract, load_dictionary(), index)
        for count, seen in enumerate(plan.observations()):
            if progress is not None and count % _PROGRESS_EVERY == 0:
                progress(collector.rows_read, 0, "rows read")
            collector.add(seen)
        table = collector.finish().table()
        book.found.check_unchanged()
        doubts = judge_magnitudes(table, collector.reasons, contract)
        judged = Judged(table, doubts)
        entries = [entry for entry in load_corrections(data) if (entry.source, entry.dataset) == (source, name)]
        decisions = decide(judged, entries, corrections_path(data))
        kept, left = split(judged, decisions)
        if not kept.num_rows:
            raise collector.nothing_left({position: doubt.reason for position, doubt in doubts.items()})
        report = _account(book, plan, collector, judged, decisions, kept)
        report = replace(report, corrections=tuple(entry.same() for entry in entries))
        report = replace(report, warnings=(*report.warnings, *_overlaps(report, data, prefer=prefer)))
    settled.remember(path.name)
    return Prepared(report, data, kept, left, store, prefer)


def draft_mapping(
    path: str | Path,
    source: str,
    target: str | Path,
    *,
    data_dir: str | Path,
    mapping: str | Path | None = None,
    sheet: str | None = None,
    answers: Given | None = None,
) -> str:
    """Write the mapping by which a file would be read, for its user to complete; its text.

    What the file does not say is left empty there, with the possible answers beside. Raises ``CP-FILE-EXISTS`` where
    ``target`` is there already.
    """
    path = Path(path).expanduser()
    load_contract().check_source(source)
    if source in load_contract().flat:
        raise no_mapping(source)
    find_file(path)
    with open_cells(path) as book:
        settled = Answers(source, load_dictionary(), answers, store=AnswerStore(data_dir), is_drafting=True)
        plan = plan_reading(book, source, mapping=mapping, sheet=sheet, answers=settled)
        text = render_mapping(plan, settled.open_questions)
    write_mapping(Path(target).expanduser(), text)
    return text


def no_mapping(source: str) -> CarbonpanelError:
    """The refusal of a mapping for a source whose columns are known by their names alone."""
    return CarbonpanelError(
        "CP-OPTION",
        f"{source} takes no mapping: its columns are known by their names",
        remedy=f"name the columns as 'carbonpanel template {source}' writes them",
    )


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


def _rows_at(judged: Judged, positions: Iterable[int]) -> dict[int, dict[str, Any]]:
    wanted = sorted(set(positions))
    return dict(zip(wanted, judged.table.take(pa.array(wanted, pa.int64())).to_pylist(), strict=True))


def _cell(
    seen: Collector, judged: Judged, position: int, row: dict[str, Any], decision: Decision | None
) -> QuarantinedCell:
    doubt = judged.doubts.get(position)
    return QuarantinedCell(
        row=row["source_row"],
        column=row["source_column"],
        place=seen.index.label(row["city_code"]),
        city_code=row["city_code"],
        year=row["year"],
        indicator=row["indicator"],
        value=row["value"],
        unit=row["unit"],
        value_text=row["value_text"],
        reason=doubt.reason if doubt else "",
        guess=doubt.guess if doubt else "",
        span=doubt.span if doubt else "cell",
        decision=decision.decision if decision else "quarantined",
    )


def _used_columns(
    seen: Collector, judged: Judged, rows: dict[int, dict[str, Any]], decisions: dict[int, Decision]
) -> tuple[UsedColumn, ...]:
    """The columns taken, counting what is in the dataset: without what magnitudes or decisions changed."""
    used = list(seen.used_columns())
    for position, row in rows.items():
        is_counted = position not in seen.reasons
        is_kept = position in decisions or position not in judged.doubts
        if is_counted == is_kept:
            continue
        wanted = (row["indicator"], row["unit"], row["area_scope"], row["vintage"])
        for at, column in enumerate(used):
            if (column.indicator, column.unit, column.area_scope, column.vintage) == wanted:
                used[at] = replace(column, cells=column.cells + (1 if is_kept else -1))
                break
    return tuple(used)


def _account(
    book: CellFile, plan: Plan, seen: Collector, judged: Judged, decisions: dict[int, Decision], kept: pa.Table
) -> IngestReport:
    binding = plan.binding
    mapping = binding.mapping
    left_out = [position for position in judged.doubts if position not in decisions]
    rows = _rows_at(judged, (*judged.doubts, *decisions))
    return IngestReport(
        file=book.path.name,
        file_sha256=file_hash(book.path),
        form=book.form,
        sheet=plan.sheet_label,
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
        cells_written=judged.table.num_rows - len(left_out),
        cells_outside_years=seen.cells_outside_years,
        cells_unplaced=seen.cells_unplaced,
        cells_not_observed=seen.cells_not_observed,
        cells_of_others=seen.cells_of_others,
        places_read=seen.places_read(),
        places_placed=len(seen.placed),
        unplaced=seen.unplaced.listed(),
        unplaced_unlisted=seen.unplaced.unlisted,
        quarantined=tuple(_cell(seen, judged, at, rows[at], None) for at in left_out),
        decided=tuple(_cell(seen, judged, at, rows[at], decisions[at]) for at in sorted(decisions)),
        columns_used=_used_columns(seen, judged, rows, decisions),
        columns_ignored=plan.ignored,
        years=tuple(sorted(pc.unique(kept.column("year")).to_pylist())),
        years_outside=tuple(sorted(seen.years_outside)),
        remarks=(*plan.remarks, *seen.remarks()),
        warnings=tuple(f"{note} ({count:,} rows)" for note, count in seen.notes.items()),
    )


def _overlaps(report: IngestReport, data: Path, *, prefer: bool) -> list[str]:
    """Other datasets of the source that bring the same indicators, and a replaced dataset from another file."""
    told = []
    preferences = load_precedence(data)
    for other in sorted((data / "raw" / report.source).glob("*.report.json")):
        known = read_report(other)
        if known.get("dataset") == report.dataset:
            if known.get("file") != report.file:
                told.append(f"replaces dataset '{report.dataset}', which came from {known.get('file')}")
            continue
        both = [name for name in report.indicators if name in known.get("indicators", [])]
        if both and not set(report.years).isdisjoint(known.get("years", [])):
            names = (report.dataset, str(known.get("dataset")))
            firsts = {
                order_datasets(preferences, names, report.source, name, year)[0]
                for name in both
                for year in report.years
            }
            first = report.dataset if prefer else sorted(firsts)[0]
            rule = "goes first" if prefer or len(firsts) == 1 else "or the other goes first, as precedence.yml says"
            told.append(
                f"{', '.join(both)} also comes from dataset '{known.get('dataset')}'; both are kept, '{first}' {rule}"
            )
    return told
