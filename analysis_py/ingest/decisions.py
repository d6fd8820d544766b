"""What a user decided about the data as a whole, brought into the files that the warehouse reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analysis_py.ingest.corrections import settle_corrections
from analysis_py.ingest.inputs import datasets
from analysis_py.ingest.precedence import settle_precedence


def settle_decisions(data_dir: str | Path) -> list[str]:
    """Apply ``corrections.yml`` and ``precedence.yml``; sentences on what they do, for the log of a refresh.

    Raises ``CP-CORRECTION*`` and ``CP-PRECEDENCE`` naming file and line.
    """
    files = datasets(data_dir)
    told = []
    corrections = settle_corrections(data_dir, files)
    if corrections:
        accepted = sum(entry.action == "accept" for entry in corrections)
        told.append(f"corrections.yml: {accepted} cell(s) accepted, {len(corrections) - accepted} given another value")
    preferences = settle_precedence(data_dir, files)
    return told + shared_indicators(files, {entry.source for entry in preferences})


def shared_indicators(files: Mapping[str, Sequence[Path]], ordered: set[str]) -> list[str]:
    """A sentence per source whose datasets bring the same indicators of the same years, and which of them goes first.

    ``ordered`` are the sources that precedence.yml speaks of.
    """
    told = []
    for source, paths in files.items():
        owners: dict[tuple[str, int], list[str]] = {}
        for path in paths:
            for key in indicator_years(path):
                owners.setdefault(key, []).append(path.stem)
        shared = {key: names for key, names in owners.items() if len(names) > 1}
        if not shared:
            continue
        indicators = {name for name, _ in shared}
        names = sorted({name for names in shared.values() for name in names})
        rule = "precedence.yml says which goes first" if source in ordered else f"'{names[0]}' goes first (by name)"
        told.append(
            f"{source}: {len(indicators)} indicator(s) come from several of {', '.join(names)}; {rule}; "
            "'carbonpanel inputs --overlap' compares them"
        )
    return told


def indicator_years(path: Path) -> list[tuple[str, int]]:
    """Indicators and years of a dataset, in order; none where it cannot be read."""
    try:
        table = pq.read_table(path, columns=["indicator", "year"], partitioning=None)
    except (pa.ArrowException, OSError, KeyError):
        return []
    pairs = table.group_by(["indicator", "year"]).aggregate([])
    return sorted(zip(*(pairs.column(name).to_pylist() for name in ("indicator", "year")), strict=True))
