"""What a refresh will read: the demo world, or the files a user has brought. Never both.

As soon as any dataset of a user is there, the sources without one are ``none``: their variables are empty, not
simulated.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.ingest.answer_store import AnswerStore
from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.corrections import load_corrections
from analysis_py.ingest.datasets import quarantine_path
from analysis_py.ingest.files import file_hash
from analysis_py.ingest.places import place_index
from analysis_py.ingest.precedence import load_precedence
from analysis_py.settings import paths
from analysis_py.simulate import DRAWN_SOURCES

_COLUMNS = (
    "source",
    "inputs",
    "dataset",
    "file",
    "numbers",
    "places",
    "years",
    "indicators",
    "quarantined",
    "unplaced",
    "decided",
)
#: What ``carbonpanel inputs`` can show besides the datasets.
QUARANTINE_COLUMNS = (
    *("source", "dataset", "place", "year", "indicator", "value_text", "unit", "reason", "guess", "decision"),
    *("why", "decided_on", "file", "sheet", "row", "column"),
)
CORRECTION_COLUMNS = (
    *("line", "source", "dataset", "place", "year", "indicator", "action", "value", "unit", "why", "date"),
)
ANSWER_COLUMNS = ("id", "source", "file", "answers", "columns")
PRECEDENCE_COLUMNS = ("source", "indicators", "years", "prefer")


def datasets(data_dir: str | Path) -> dict[str, list[Path]]:
    """Parquet files a user has brought, by source (all sources, in contract order, the flat ones last), by name."""
    root = Path(data_dir) / "raw"
    return {
        source: sorted(path for path in (root / source).glob("*.parquet") if path.is_file())
        for source in load_contract().all_sources
    }


def has_demo(source: str) -> bool:
    """Whether the demo world has the source: a seed ``seeds/raw/raw_<source>.csv``, or a file drawn for a build."""
    return source in DRAWN_SOURCES or (paths().seeds / "raw" / f"raw_{source}.csv").is_file()


def current_inputs(data_dir: str | Path) -> dict[str, str]:
    """Per source ``demo`` (no user file anywhere), ``user`` (it has one) or ``none`` (only other sources have one).

    A source that is no part of the demo world is ``none`` there too.
    """
    found = datasets(data_dir)
    if not any(found.values()):
        return {source: "demo" if has_demo(source) else "none" for source in found}
    return {source: "user" if files else "none" for source, files in found.items()}


def input_hash(data_dir: str | Path) -> str:
    """SHA-256 over the names and contents of all user datasets; the same for the same data wherever it lies."""
    digest = hashlib.sha256()
    for source, files in datasets(data_dir).items():
        for path in files:
            digest.update(f"{source}/{path.name}\0{file_hash(path)}\n".encode())
    return digest.hexdigest()


def read_report(path: Path) -> dict[str, Any]:
    """The account beside a dataset; empty when it is not there or not readable (the data stand without it)."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def describe_inputs(data_dir: str | Path) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Column names and one row per dataset of a user, and per source without one (``demo`` or ``none``)."""
    state = current_inputs(data_dir)
    rows: list[tuple[Any, ...]] = []
    for source, files in datasets(data_dir).items():
        if not files:
            rows.append((source, state[source], *[None] * (len(_COLUMNS) - 2)))
        for path in files:
            report = read_report(path.with_name(f"{path.stem}.report.json"))
            # A report that is of another Parquet (a run cut between the two writes) would describe what is not there.
            matches = report.get("parquet_sha256") == file_hash(path)
            if not matches:
                report = {}
            decided = [cell["decision"] for cell in _read_quarantine(path)]
            years = report.get("years") or []
            rows.append(
                (
                    source,
                    "user",
                    path.stem,
                    report.get("file", "(report missing; ingest the file again)"),
                    pq.read_metadata(path).num_rows if matches else None,
                    report.get("places_placed"),
                    f"{years[0]}-{years[-1]}" if years else None,
                    ", ".join(report.get("indicators", [])) or None,
                    decided.count("quarantined") if report else None,
                    len(report["unplaced"]) + report.get("unplaced_unlisted", 0) if report else None,
                    len(decided) - decided.count("quarantined") if report else None,
                )
            )
    return _COLUMNS, rows


def describe_quarantine(data_dir: str | Path) -> list[tuple[Any, ...]]:
    """A row per cell that is quarantined, accepted or corrected, in the order of :data:`QUARANTINE_COLUMNS`."""
    contract = load_contract()
    rows = []
    for source, files in datasets(data_dir).items():
        for path in files:
            for cell in _read_quarantine(path):
                is_place = source in contract.sources
                place = place_index(contract.level(source)).label(cell["city_code"]) if is_place else ""
                rows.append(
                    (
                        *(source, path.stem, place or cell["place_name_raw"], cell["year"], cell["indicator"]),
                        *(cell["value_text"], cell["unit"], cell["reason"], cell["guess"], cell["decision"]),
                        *(cell["why"], cell["decided_on"], cell["source_file"], cell["source_sheet"]),
                        *(cell["source_row"], cell["source_column"]),
                    )
                )
    return rows


def describe_corrections(data_dir: str | Path) -> list[tuple[Any, ...]]:
    """A row per entry of corrections.yml, in the order of :data:`CORRECTION_COLUMNS`."""
    contract = load_contract()
    return [
        (
            *(entry.line, entry.source, entry.dataset),
            *(place_index(contract.level(entry.source)).label(entry.place_code), entry.year, entry.indicator),
            *(entry.action, entry.value, entry.unit, entry.why, entry.date),
        )
        for entry in load_corrections(data_dir)
    ]


def describe_answers(data_dir: str | Path) -> list[tuple[Any, ...]]:
    """A row per remembered set of column names, in the order of :data:`ANSWER_COLUMNS`."""
    rows = []
    for entry in AnswerStore(data_dir).all():
        told = [f"{kind}{f' of {subject}' if subject else ''} = {value}" for (kind, subject), value in
                sorted(entry.answers.items())]  # fmt: skip
        rows.append((entry.fingerprint, entry.source, entry.file, "; ".join(told), ", ".join(entry.columns)))
    return rows


def describe_precedence(data_dir: str | Path) -> list[tuple[Any, ...]]:
    """A row per entry of precedence.yml, in the order of :data:`PRECEDENCE_COLUMNS`."""
    return [
        (
            *(entry.source, ", ".join(entry.indicators) or "all", f"{entry.years[0]}-{entry.years[1]}"),
            ", ".join(entry.datasets),
        )
        for entry in load_precedence(data_dir)
    ]


def forget_answers(data_dir: str | Path, wanted: str) -> list[str]:
    """Forget remembered answers by their id, its beginning, or ``all``; what was forgotten, for a person."""
    store = AnswerStore(data_dir)
    gone = store.forget(wanted)
    store.save()
    return [f"{entry.fingerprint} ({entry.source}, first given for {entry.file})" for entry in gone]


def _read_quarantine(path: Path) -> list[dict[str, Any]]:
    beside = quarantine_path(path)
    try:
        return list(pq.read_table(beside, partitioning=None).to_pylist()) if beside.is_file() else []
    except (pa.ArrowException, OSError):
        return []


def remove_dataset(data_dir: str | Path, name: str) -> str:
    """Forget a dataset given as ``SOURCE/DATASET`` (its Parquet and report; the user's own file is not touched).

    Returns ``SOURCE/DATASET``. Raises ``CP-DATASET-UNKNOWN`` naming the nearest one.
    """
    known = {f"{source}/{path.stem}": path for source, files in datasets(data_dir).items() for path in files}
    path = known.get(name.strip().removesuffix(".parquet"))
    if path is None:
        raise CarbonpanelError(
            "CP-DATASET-UNKNOWN",
            f"there is no dataset '{name}'",
            where=Place(file=Path(data_dir) / "raw"),
            remedy=did_you_mean(name, known) if known else "no file has been ingested yet",
        )
    try:
        path.unlink()
        path.with_name(f"{path.stem}.report.json").unlink(missing_ok=True)
        quarantine_path(path).unlink(missing_ok=True)
    except OSError as error:
        raise CarbonpanelError(
            "CP-FILE-UNWRITABLE", f"the dataset cannot be removed: {error.strerror}", where=Place(file=path)
        ) from error
    return name.strip().removesuffix(".parquet")
