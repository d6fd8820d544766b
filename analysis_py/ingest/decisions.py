"""What a user decided about the data as a whole, brought into the files that the warehouse reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
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
    """A sentence per source whose datasets bring the same indicators: which, and which of them goes first."""
    told = []
    for source, paths in files.items():
        owners: dict[str, list[str]] = {}
        for path in paths:
            for name in indicators_of(path):
                owners.setdefault(name, []).append(path.stem)
        shared = {name: names for name, names in owners.items() if len(names) > 1}
        if not shared:
            continue
        names = sorted({name for names in shared.values() for name in names})
        rule = "precedence.yml says which goes first" if source in ordered else f"'{names[0]}' goes first (by name)"
        told.append(
            f"{source}: {len(shared)} indicator(s) come from several of {', '.join(names)}; {rule}; "
            "'carbonpanel inputs --overlap' compares them"
        )
    return told


def indicators_of(path: Path) -> list[str]:
    """Indicators of a dataset, by name; none where it cannot be read."""
    try:
        column = pq.read_table(path, columns=["indicator"], partitioning=None).column("indicator")
    except (pa.ArrowException, OSError, KeyError):
        return []
    return sorted(str(name) for name in pc.unique(column).to_pylist())
