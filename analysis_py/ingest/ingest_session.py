"""Several files with one command: each is taken whole or not at all, and a table says what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.answer_store import AnswerStore
from analysis_py.ingest.answers import Asker, Given
from analysis_py.ingest.bringing import AUTO, Report, bring_file, bring_parts, read_sources
from analysis_py.progress import Progress

SUMMARY_COLUMNS = (
    *("file", "dataset", "rows_read", "rows_placed", "places", "numbers", "quarantined", "unplaced", "outcome"),
)


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file: its report, or why it was refused."""

    file: Path
    report: Report | None = None
    error: CarbonpanelError | None = None

    def to_json(self) -> dict[str, Any]:
        if self.report is not None:
            return self.report.to_json()
        assert self.error is not None
        error = {key: getattr(self.error, key) for key in ("code", "what", "where", "remedy")}
        return {"file": self.file.name, "error": error}


def only_file(files: Sequence[Path], option: str) -> Path:
    """The one file of a command whose ``option`` goes with one file; ``CP-OPTION`` where there are several."""
    if len(files) != 1:
        raise CarbonpanelError("CP-OPTION", f"{option} goes with one file, not {len(files)}", remedy="give one file")
    return files[0]


def bring_files(
    files: Sequence[Path],
    source: str,
    *,
    data_dir: Path,
    given: Given | None = None,
    ask: Asker | None = None,
    mapping: Path | None = None,
    dataset: str | None = None,
    sheet: str | None = None,
    check: bool = False,
    prefer: bool = False,
    quiet: bool = False,
) -> Iterator[FileOutcome]:
    """Take the files one after the other; a refused one does not stop the others.

    ``source`` is one source, several separated by commas, or ``auto``; a file then has an outcome for each. Answers
    given for one file serve the next ones with the same column names. Raises ``CP-OPTION`` for a dataset's name with
    several files, a mapping with several sources, or the same file twice.
    """
    if len(files) > 1 and dataset is not None:
        raise CarbonpanelError(
            "CP-OPTION",
            f"--dataset names one dataset, but there are {len(files)} files",
            remedy="leave it out: each is named after its file",
        )
    seen: set[Path] = set()
    for file in files:
        if file.resolve() in seen:
            raise CarbonpanelError("CP-OPTION", f"'{file}' is given twice", remedy="give each file once")
        seen.add(file.resolve())
    sources = read_sources(source)
    is_one = len(sources) == 1 and sources[0] != AUTO
    if mapping is not None and not is_one:
        raise CarbonpanelError(
            "CP-OPTION", "--mapping goes with one source", remedy="name the source that the mapping is for with --as"
        )
    store = AnswerStore(data_dir)
    for file in files:
        outcomes = []
        with _LateProgress(f"reading {file.name}", quiet=quiet) as bar:
            try:
                if is_one:
                    reports = [
                        bring_file(
                            file, sources[0], data_dir=data_dir, mapping=mapping, dataset=dataset, sheet=sheet,
                            check=check, answers=given, ask=ask, store=store, prefer=prefer, progress=bar,
                        )
                    ]  # fmt: skip
                else:
                    reports = bring_parts(
                        file, sources, data_dir=data_dir, dataset=dataset, sheet=sheet, check=check, answers=given,
                        ask=ask, store=store, prefer=prefer, progress=bar,
                    )  # fmt: skip
            except CarbonpanelError as error:
                outcomes.append(FileOutcome(file, error=error))
            else:
                outcomes += [FileOutcome(file, report=report) for report in reports]
        yield from outcomes


def summarise(outcomes: Sequence[FileOutcome]) -> list[tuple[Any, ...]]:
    """A row per file (and source, where there are several) in the order of :data:`SUMMARY_COLUMNS`, and their sum."""
    rows: list[tuple[Any, ...]] = []
    several = len({outcome.report.source for outcome in outcomes if outcome.report is not None}) > 1
    for outcome in outcomes:
        report = outcome.report
        if report is None:
            assert outcome.error is not None
            rows.append((outcome.file.name, *[None] * 7, f"refused: {outcome.error.code}"))
            continue
        unplaced = len(report.unplaced) + report.unplaced_unlisted
        rows.append(
            (
                *(
                    report.file,
                    f"{report.source}/{report.dataset}" if several else report.dataset,
                    report.rows_read,
                    report.rows_placed,
                    report.places_placed,
                ),
                *(report.cells_written, len(report.quarantined), unplaced),
                "checked" if report.output is None else "taken",
            )
        )
    taken = sum(outcome.report is not None for outcome in outcomes)
    totals = [sum(row[at] or 0 for row in rows) for at in (2, 3, 5, 6, 7)]
    rows.append(("total", None, *totals[:2], None, *totals[2:], f"{taken} of {len(outcomes)}"))
    return rows


class _LateProgress:
    """A progress bar that opens when reading begins, so that questions come before it and not into it."""

    def __init__(self, title: str, *, quiet: bool) -> None:
        self._title = title
        self._quiet = quiet
        self._bar: Progress | None = None

    def __enter__(self) -> _LateProgress:
        return self

    def __call__(self, done: int, total: int, label: str = "") -> None:
        if self._bar is None:
            self._bar = Progress(self._title, quiet=self._quiet).__enter__()
        self._bar(done, total, label)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, value, trace)
