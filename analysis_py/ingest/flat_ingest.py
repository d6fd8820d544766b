"""``ingest`` of a flat source: a file of robots, employment, firms or links into ``raw/<source>/<dataset>.parquet``,
whole or not at all."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from analysis_py.files import write_json
from analysis_py.ingest.answer_store import AnswerStore
from analysis_py.ingest.answers import Answers, Asker, Given
from analysis_py.ingest.datasets import QUARANTINE_SCHEMA, write_dataset
from analysis_py.ingest.files import file_hash
from analysis_py.ingest.flat_contract import FlatSource, flat_sources
from analysis_py.ingest.flat_rows import FlatCollector, FlatQuarantine
from analysis_py.ingest.flat_table import FlatPlan, plan_tables
from analysis_py.ingest.inputs import read_report
from analysis_py.ingest.report import UnplacedPlace
from analysis_py.ingest.sheets import CellFile, open_cells
from analysis_py.progress import ProgressCallback


@dataclass(frozen=True)
class FlatColumnUsed:
    """A column that was taken: as what, in which unit of the file ('' = no number), how many numbers of it."""

    column: str
    indicator: str
    unit: str
    cells: int


@dataclass(frozen=True)
class FlatReport:
    """The account of one file of a flat source.

    ``rows_read`` = written + those of ``passed`` (left out, by why) + unplaced ones; ``cells_read`` = written +
    quarantined. ``places_placed`` counts what the first column of the key names (countries, provinces, firms).
    """

    file: str
    file_sha256: str
    form: str
    sheet: str | None
    header_row: int
    source: str
    dataset: str
    rows_read: int
    rows_placed: int
    passed: dict[str, int]
    cells_read: int
    cells_missing: int
    cells_written: int
    places_placed: int
    unplaced: tuple[UnplacedPlace, ...]
    unplaced_unlisted: int
    quarantined: tuple[FlatQuarantine, ...]
    columns_used: tuple[FlatColumnUsed, ...]
    columns_ignored: dict[str, str]
    years: tuple[int, ...]
    remarks: tuple[str, ...]
    warnings: tuple[str, ...]
    parquet_sha256: str | None = None
    output: Path | None = field(default=None, compare=False)

    @property
    def indicators(self) -> tuple[str, ...]:
        """The columns of the source that the file fills."""
        return tuple(column.indicator for column in self.columns_used)

    def to_json(self) -> dict[str, Any]:
        """The report as plain data, without the place of the output."""
        data = asdict(self)
        data.pop("output")
        data["indicators"] = list(self.indicators)
        return data


@dataclass(frozen=True)
class PreparedFlat:
    """A file that was read to its end and judged; nothing of it is written yet."""

    report: FlatReport
    data: Path
    table: pa.Table
    left: pa.Table
    store: AnswerStore

    def write(self) -> FlatReport:
        """Write the dataset, its quarantine, the account and the answers; the account with its place."""
        source, name = self.report.source, self.report.dataset
        output, digest = write_dataset(self.data, source, name, self.table, self.left)
        report = replace(self.report, output=output, parquet_sha256=digest)
        write_json(output.with_name(f"{name}.report.json"), report.to_json())
        self.store.save()
        return report


def prepare_flat(
    path: Path,
    source: str,
    dataset: str,
    *,
    data_dir: Path,
    sheet: str | None = None,
    answers: Given | None = None,
    ask: Asker | None = None,
    store: AnswerStore,
    progress: ProgressCallback | None = None,
    among: frozenset[str | None] | None = None,
) -> PreparedFlat:
    """Read and judge one file of a flat source; arguments as of :func:`analysis_py.ingest.ingest.prepare_file`.

    Raises the errors of reading files, of :func:`plan_tables` and of :meth:`FlatCollector.finish`. The Parquet written
    from it has the columns of the source (numbers in the units of the contract) and those of
    :data:`analysis_py.ingest.flat_contract.ORIGIN`, a row per row of the file, in its order.
    """
    kind = flat_sources()[source]
    with open_cells(path) as book:
        settled = Answers(source, kind.dictionary, answers, store=store, ask=ask)
        plan = plan_tables(book, kind, sheet, settled, among)
        settled.check_used(plan.tables[0].sheet.place(plan.tables[0].header.row))
        seen = FlatCollector(kind, dataset)
        for table in plan.tables:
            seen.read(table, progress)
        data = seen.finish()
        book.found.check_unchanged()
        remarks = (*book.remarks(), *plan.remarks, *settled.remarks, *seen.remarks())
        report = replace(
            _account(book, kind, plan, seen, remarks), warnings=_beside(data_dir, source, dataset, path.name)
        )
    settled.remember(path.name)
    return PreparedFlat(report, data_dir, data, _quarantine(seen), store)


def _beside(data_dir: Path, source: str, dataset: str, file: str) -> tuple[str, ...]:
    """Other datasets of the source, and a replaced dataset that came from another file."""
    told = []
    for other in sorted((data_dir / "raw" / source).glob("*.parquet")):
        if other.stem != dataset:
            told.append(
                f"dataset '{other.stem}' brings {source} too; of a row that both have, the first by name counts"
            )
            continue
        known = read_report(other.with_name(f"{dataset}.report.json")).get("file")
        if known not in (None, file):
            told.append(f"replaces dataset '{dataset}', which came from {known}")
    return tuple(told)


def _account(
    book: CellFile, source: FlatSource, plan: FlatPlan, seen: FlatCollector, remarks: tuple[str, ...]
) -> FlatReport:
    first = plan.tables[0]
    names = [table.sheet.name for table in plan.tables if table.sheet.name]
    used = [
        FlatColumnUsed(first.header.title(at), name, first.units.get(name, ""), seen.taken.get(name, seen.rows_written))
        for name, at in sorted(first.positions.items(), key=lambda item: item[1])
        if name in source.columns
    ]
    used = [replace(one, cells=seen.taken.get(one.indicator, 0)) if one.unit else one for one in used]
    contract = source.dictionary.contract
    told = [
        f"'{one.column}' is turned from {contract.units[one.unit].label_zh} into "
        f"{contract.units[source.numbers[one.indicator].unit].label_zh}"
        for one in used
        if one.unit and one.unit != source.numbers[one.indicator].unit
    ]
    return FlatReport(
        file=book.path.name,
        file_sha256=file_hash(book.path),
        form=book.form,
        sheet=None
        if not names
        else names[0]
        if len(names) == 1
        else f"{names[0]} ... {names[-1]} ({len(names)} sheets)",
        header_row=first.header.row,
        source=source.name,
        dataset=seen.dataset,
        rows_read=seen.rows_read,
        rows_placed=seen.rows_written,
        passed=seen.passed,
        cells_read=seen.cells_read,
        cells_missing=seen.cells_missing,
        cells_written=sum(seen.taken.values()),
        places_placed=len(seen.subjects),
        unplaced=seen.unplaced_places(),
        unplaced_unlisted=seen.unplaced_unlisted,
        quarantined=tuple(seen.quarantined),
        columns_used=tuple(used),
        columns_ignored=plan.ignored,
        years=tuple(sorted(seen.years)),
        remarks=(*dict.fromkeys(remarks), *told),
        warnings=(),
    )


def _quarantine(seen: FlatCollector) -> pa.Table:
    """The quarantined numbers in the columns of the other sources' quarantine, the key in the place of a name."""
    file = seen.tables[0].sheet.path.name
    rows = [
        dict.fromkeys(QUARANTINE_SCHEMA.names)
        | {
            "source": seen.source.name,
            "dataset": seen.dataset,
            "place_name_raw": one.key,
            "year": one.year,
            "indicator": one.indicator,
            "value": one.value,
            "unit": one.unit,
            "value_text": one.value_text,
            "source_file": file,
            "source_sheet": one.sheet,
            "source_row": one.row,
            "source_column": one.column,
            "position": at,
            "reason": one.reason,
            "span": "cell",
            "decision": "quarantined",
        }
        for at, one in enumerate(seen.quarantined)
    ]
    return pa.Table.from_pylist(rows, schema=QUARANTINE_SCHEMA)
