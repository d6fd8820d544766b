"""One file into the raw contract, whatever its source is: numbers of places and years, or a flat table."""

from __future__ import annotations

from pathlib import Path

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.answer_store import AnswerStore
from analysis_py.ingest.answers import Asker, Given
from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.files import find_file
from analysis_py.ingest.flat_ingest import FlatReport, ingest_flat
from analysis_py.ingest.flat_report import render_flat
from analysis_py.ingest.ingest import dataset_name, ingest_file, no_mapping
from analysis_py.ingest.report import IngestReport, render_report
from analysis_py.progress import ProgressCallback

#: The account of a file of any source.
Report = IngestReport | FlatReport


def bring_file(
    path: str | Path,
    source: str,
    *,
    data_dir: str | Path,
    mapping: str | Path | None = None,
    dataset: str | None = None,
    sheet: str | None = None,
    check: bool = False,
    answers: Given | None = None,
    ask: Asker | None = None,
    store: AnswerStore | None = None,
    prefer: bool = False,
    progress: ProgressCallback | None = None,
) -> Report:
    """Take one file; arguments as of :func:`analysis_py.ingest.ingest.ingest_file`.

    Raises ``CP-OPTION`` for a mapping or preference of a flat source, and what the two kinds of ingest raise.
    """
    contract = load_contract()
    contract.check_source(source)
    store = store or AnswerStore(data_dir)
    if source not in contract.flat:
        return ingest_file(
            path, source, data_dir=data_dir, mapping=mapping, dataset=dataset, sheet=sheet, check=check,
            answers=answers, ask=ask, store=store, prefer=prefer, progress=progress,
        )  # fmt: skip
    if mapping is not None:
        raise no_mapping(source)
    if prefer:
        raise CarbonpanelError(
            "CP-OPTION",
            f"--prefer goes with sources of places and years, not with {source}",
            remedy="leave it out; bring one dataset of each table",
        )
    file = Path(path).expanduser()
    find_file(file)
    return ingest_flat(
        file, source, dataset_name(file, dataset), data_dir=Path(data_dir), sheet=sheet, check=check, answers=answers,
        ask=ask, store=store, progress=progress,
    )  # fmt: skip


def render(report: Report) -> str:
    """The account in plain text for a terminal."""
    return render_flat(report) if isinstance(report, FlatReport) else render_report(report)
