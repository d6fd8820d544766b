"""A dataset on disk: ``<data>/raw/<source>/<dataset>.parquet``, and what was left out of it beside.

``<source>/quarantine/<dataset>.parquet`` holds the cells that are not in the dataset as they were read: quarantined
ones, and those a user accepted or corrected, with the decision. Both files together are the table as it was read, so
that a decision can be taken back. Each knows the other; a pair cut by a kill is noticed and asked for again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.ingest.batches import SCHEMA
from analysis_py.ingest.files import file_hash
from analysis_py.ingest.magnitudes import Doubt

#: Columns of a quarantine file after those of the contract. ``position`` counts the cells as read from 0; ``reason`` is
#: NULL where a cell that nothing was wrong with was corrected by hand.
QUARANTINE_SCHEMA = pa.schema(
    [
        *SCHEMA,
        ("position", pa.int64()),
        ("reason", pa.string()),
        ("guess", pa.string()),
        ("span", pa.string()),
        ("decision", pa.string()),
        ("new_value", pa.float64()),
        ("new_unit", pa.string()),
        ("why", pa.string()),
        ("decided_on", pa.string()),
    ]
)
_COUNT = b"carbonpanel.left_out"
_PARTNER = b"carbonpanel.dataset_sha256"


@dataclass(frozen=True)
class Decision:
    """What became of one cell: ``quarantined``, ``accepted`` or ``corrected`` (then with the new value and unit)."""

    decision: str
    new_value: float | None = None
    new_unit: str | None = None
    why: str | None = None
    decided_on: str | None = None


@dataclass(frozen=True)
class Judged:
    """A file as it was read: all its cells in the columns of the contract, and those not believed by position."""

    table: pa.Table
    doubts: Mapping[int, Doubt]


def split(judged: Judged, decisions: Mapping[int, Decision]) -> tuple[pa.Table, pa.Table]:
    """The dataset and its quarantine: cells in doubt leave the one for the other, unless a decision says otherwise.

    ``decisions`` is by position; a corrected cell keeps its text, so that the file can still be read off it.
    """
    touched = sorted({*judged.doubts, *decisions})
    settled = {position: decisions.get(position, Decision("quarantined")) for position in touched}
    table = judged.table
    values, units = table.column("value").to_pylist(), table.column("unit").to_pylist()
    for position, decision in settled.items():
        if decision.decision == "corrected":
            values[position], units[position] = decision.new_value, decision.new_unit
    corrected = table.set_column(table.schema.get_field_index("value"), SCHEMA.field("value"), pa.array(values))
    corrected = corrected.set_column(
        table.schema.get_field_index("unit"), SCHEMA.field("unit"), pa.array(units, pa.string())
    )
    gone = {position for position in touched if settled[position].decision == "quarantined"}
    kept = pa.array([position for position in range(table.num_rows) if position not in gone], pa.int64())
    dataset = corrected.take(kept).replace_schema_metadata({_COUNT: str(len(touched)).encode()})
    left = table.take(pa.array(touched, pa.int64()))
    doubts = [judged.doubts.get(position) for position in touched]
    more = {
        "position": touched,
        "reason": [doubt.reason if doubt else None for doubt in doubts],
        "guess": [(doubt.guess or None) if doubt else None for doubt in doubts],
        "span": [doubt.span if doubt else None for doubt in doubts],
        "decision": [settled[position].decision for position in touched],
        "new_value": [settled[position].new_value for position in touched],
        "new_unit": [settled[position].new_unit for position in touched],
        "why": [settled[position].why for position in touched],
        "decided_on": [settled[position].decided_on for position in touched],
    }
    for name, column in more.items():
        left = left.append_column(QUARANTINE_SCHEMA.field(name), pa.array(column, QUARANTINE_SCHEMA.field(name).type))
    return dataset, left


def quarantine_path(dataset: Path) -> Path:
    """Where the quarantine of a dataset file lies."""
    return dataset.parent / "quarantine" / dataset.name


def read_judged(path: Path) -> Judged:
    """The table as it was read, from a dataset and its quarantine.

    Raises ``CP-DATASET-DAMAGED`` where the two do not belong together.
    """
    try:
        dataset = pq.read_table(path, partitioning=None)
        beside = quarantine_path(path)
        left = pq.read_table(beside, partitioning=None) if beside.is_file() else QUARANTINE_SCHEMA.empty_table()
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from None
    promised = int((dataset.schema.metadata or {}).get(_COUNT, b"0"))
    partner = (left.schema.metadata or {}).get(_PARTNER, b"").decode()
    if promised != left.num_rows or (left.num_rows and partner != file_hash(path)):
        raise _damaged(path, "the dataset and its quarantine are of different runs")
    doubts = {
        position: Doubt(reason, guess or "", span or "cell")
        for position, reason, guess, span in zip(
            *(left.column(name).to_pylist() for name in ("position", "reason", "guess", "span")), strict=True
        )
        if reason is not None
    }
    return Judged(_merge(dataset, left), doubts)


def _merge(dataset: pa.Table, left: pa.Table) -> pa.Table:
    """Both parts in the order in which the cells were read; a decided cell as it was read."""
    positions = left.column("position").to_pylist()
    is_gone = [decision == "quarantined" for decision in left.column("decision").to_pylist()]
    total = dataset.num_rows + sum(is_gone)
    at = {position: order for order, position in enumerate(positions)}
    order = []
    taken = 0
    for position in range(total):
        where = at.get(position)
        if where is None:
            order.append(taken)
            taken += 1
        else:
            order.append(dataset.num_rows + where)
            taken += not is_gone[where]
    both = pa.concat_tables([dataset.select(SCHEMA.names).cast(SCHEMA), left.select(SCHEMA.names).cast(SCHEMA)])
    return both.take(pa.array(order, pa.int64())).combine_chunks()


def write_dataset(data_dir: Path, source: str, name: str, dataset: pa.Table, left: pa.Table) -> tuple[Path, str]:
    """Write both files beside their places and rename them; the old ones stay until the new ones are whole.

    Returns the path and the SHA-256 of the dataset. Raises ``CP-DATA-OUTSIDE``, ``CP-FILE-UNWRITABLE``.
    """
    folder = data_dir / "raw" / source
    target = folder / f"{name}.parquet"
    beside = quarantine_path(target)
    temporary = folder / f".{name}.parquet.{os.getpid()}.part"
    aside = beside.parent / temporary.name
    try:
        for place in (folder, *([beside.parent] if left.num_rows else [])):
            place.mkdir(parents=True, exist_ok=True)
            if not place.resolve().is_relative_to(data_dir.resolve()):
                raise CarbonpanelError(
                    "CP-DATA-OUTSIDE",
                    "the folder for this source leads outside the data folder",
                    where=Place(file=place),
                    remedy="remove the link, or choose another data folder (CARBONPANEL_DATA)",
                )
        try:
            digest = _write_table(dataset, temporary)
            if left.num_rows:
                _write_table(left.replace_schema_metadata({_PARTNER: digest.encode()}), aside)
            temporary.replace(target)
            if left.num_rows:
                aside.replace(beside)
            else:
                beside.unlink(missing_ok=True)
        finally:
            temporary.unlink(missing_ok=True)
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise CarbonpanelError(
            "CP-FILE-UNWRITABLE",
            f"the data cannot be written: {error.strerror or error}",
            where=Place(file=target),
            remedy="check permissions and free space, or choose another data folder (CARBONPANEL_DATA)",
        ) from error
    return target, digest


def _write_table(table: pa.Table, path: Path) -> str:
    with path.open("wb") as handle:
        pq.write_table(table, handle, compression="zstd")
        handle.flush()
        os.fsync(handle.fileno())
    return file_hash(path)


def _damaged(path: Path, why: str) -> CarbonpanelError:
    return CarbonpanelError(
        "CP-DATASET-DAMAGED",
        f"the dataset cannot be read back: {why}",
        where=Place(file=path),
        remedy="ingest the original file again",
    )
