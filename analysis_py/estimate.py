"""From names on the command line to runs in the results tables.

Estimates are computed first, on a read-only view of the warehouse, and written afterwards in one short
transaction; nothing is written when the warehouse was replaced in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis_py.errors import CarbonpanelError
from analysis_py.interrupts import stop_if_interrupted
from analysis_py.progress import Progress, ProgressCallback
from analysis_py.settings import paths
from analysis_py.warehouse import open_write

if TYPE_CHECKING:
    from analysis_py.runner import StudyRun
    from analysis_py.study import Study


@dataclass(frozen=True)
class EstimateOutcome:
    """The runs, in the order they were made, and what to say after them."""

    runs: tuple[StudyRun, ...]
    messages: tuple[str, ...]

    @property
    def all_failed(self) -> bool:
        """Whether not one model gave an estimate."""
        statuses = [m.status for run in self.runs for m in run.models]
        return bool(statuses) and all(s == "failed" for s in statuses)

    def json(self) -> dict[str, Any]:
        """``{"run", "models"}`` as the contract says; of several tables the models stand in one list, with ``runs``."""
        from analysis_py.results import to_json

        parts = [to_json(run) for run in self.runs]
        if len(parts) == 1:
            return parts[0]
        models = [{"study": part["run"]["study"], **model} for part in parts for model in part["models"]]
        return {"run": parts[0]["run"], "runs": [part["run"] for part in parts], "models": models}


def find_studies(names: Sequence[str], folder: Path) -> list[Study]:
    """Studies for ``names``: a study id, ``study/table``, a file's stem, or a path; none means all, in order."""
    from analysis_py.study import load_studies, load_study

    if not names:
        return load_studies(folder)
    found: list[Study] = []
    for name in names:
        is_file = Path(name).suffix in {".yml", ".yaml"}
        hits = [load_study(Path(name))] if is_file else load_studies(folder, [name])
        found.extend(study for study in hits if study not in found)
    return found


def estimate_studies(
    names: Sequence[str],
    *,
    data: Path | None = None,
    sheet: str | None = None,
    models: Sequence[str] | None = None,
    write: bool = True,
    quiet: bool = False,
    on_run: Callable[[StudyRun], None] | None = None,
) -> EstimateOutcome:
    """Run studies on the warehouse (or one on a file) and store the results.

    Parameters
    ----------
    names : as :func:`find_studies`; with ``data`` exactly one.
    data, sheet : a file to run on instead of the warehouse; nothing is stored then.
    models : only these model ids.
    write : whether to store warehouse runs in schema ``results``.
    on_run : called with each finished run, e.g. to print it.
    """
    from analysis_py.runner import FilePanel, WarehousePanel, run_study

    place = paths()
    if data is not None and len(names) != 1:
        raise CarbonpanelError(
            "CP-OPTION", "--data runs one study file", remedy="carbonpanel estimate STUDY.yml --data FILE"
        )
    studies = [_only(study, models) for study in find_studies(names, place.studies)]
    studies = [s for s in studies if s.models]
    if models and not studies:
        raise CarbonpanelError(
            "CP-MODEL-UNKNOWN", f"no model is called {', '.join(models)}", remedy="see the ids in the study file"
        )
    runs: list[StudyRun] = []
    total = sum(len(s.models) for s in studies)
    done = 0
    with Progress(f"estimating {total} model{'s' if total != 1 else ''}", quiet=quiet) as bar:
        for study in studies:
            source = FilePanel(data, sheet=sheet) if data is not None else WarehousePanel(place.database)
            run = run_study(study, source, progress=_offset(bar, done, total))
            done += len(study.models)
            runs.append(run)
            stop_if_interrupted()
    messages: list[str] = []
    try:
        if write and data is None:
            messages = _store(runs, place.database)
    finally:  # what was computed is shown even where it could not be stored
        for run in runs:
            if on_run is not None:
                on_run(run)
    return EstimateOutcome(tuple(runs), tuple(messages))


def _offset(bar: Progress, base: int, total: int) -> ProgressCallback:
    """Report one study's progress as part of all of them."""
    return lambda done, _, label: bar(base + done, total, label)


def _only(study: Study, models: Sequence[str] | None) -> Study:
    if not models:
        return study
    return replace(study, models=tuple(m for m in study.models if m.id in models))


def _store(runs: Sequence[StudyRun], database: Path) -> list[str]:
    from analysis_py.results import write_run

    with open_write(database) as con:
        now = dict(con.execute("select table_name, hash from meta.mart_hash").fetchall())
        for run in runs:
            table = str(run.panel).rsplit(".", 1)[-1]
            if now.get(table) != run.panel_hash:
                raise CarbonpanelError(
                    "CP-DB-CHANGED",
                    "the warehouse was refreshed while the estimates were computed; nothing was written",
                    remedy="run the command again",
                )
        for run in runs:
            write_run(con, run)
    return [f"{len(runs)} run(s) stored in schema results"]


def summary_line(run: StudyRun) -> str:
    """One line: study, table, how many models ok, warned, not run, failed, with the first reasons."""
    counts = {s: [m for m in run.models if m.status == s] for s in ("ok", "warned", "not_run", "failed")}
    parts = [f"{len(found)} {status}" for status, found in counts.items() if found]
    table = f" Table {run.table_no}" if run.table_no else ""
    line = f"{run.study}{table}: {', '.join(parts)}"
    for status in ("failed", "not_run"):
        reasons: dict[str, list[str]] = {}
        for model in counts[status]:
            reasons.setdefault(str(model.message), []).append(model.id)
        for message, ids in list(reasons.items())[:2]:
            more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
            line += f"\n  {', '.join(ids[:3])}{more} {status}: {message}"
        if len(reasons) > 2:
            line += f"\n  {len(reasons) - 2} more reason(s) in results.latest_model"
    return line
