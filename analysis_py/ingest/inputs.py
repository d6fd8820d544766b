"""What a refresh will read: the demo world, or the files a user has brought. Never both.

As soon as any dataset of a user is there, the sources without one are ``none``: their variables are empty, not
simulated.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.files import file_hash
from analysis_py.settings import paths

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
)


def datasets(data_dir: str | Path) -> dict[str, list[Path]]:
    """Parquet files a user has brought, by source (all sources, in contract order), by name."""
    root = Path(data_dir) / "raw"
    return {
        source: sorted(path for path in (root / source).glob("*.parquet") if path.is_file())
        for source in load_contract().sources
    }


def has_demo(source: str) -> bool:
    """Whether the demo world has the source: a seed ``seeds/raw/raw_<source>.csv``."""
    return (paths().seeds / "raw" / f"raw_{source}.csv").is_file()


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
            years = report.get("years") or []
            rows.append(
                (
                    source,
                    "user",
                    path.stem,
                    report.get("file", "(report missing; ingest the file again)"),
                    report.get("cells_written"),
                    report.get("places_placed"),
                    f"{years[0]}-{years[-1]}" if years else None,
                    ", ".join(report.get("indicators", [])) or None,
                    len(report["quarantined"]) if report else None,
                    len(report["unplaced"]) + report.get("unplaced_unlisted", 0) if report else None,
                )
            )
    return _COLUMNS, rows


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
    except OSError as error:
        raise CarbonpanelError(
            "CP-FILE-UNWRITABLE", f"the dataset cannot be removed: {error.strerror}", where=Place(file=path)
        ) from error
    return name.strip().removesuffix(".parquet")
