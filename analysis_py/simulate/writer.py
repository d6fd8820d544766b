"""Writing the demo world: CSV files with the same bytes on every machine (UTF-8, LF, key order)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write each table as ``<folder>/<name>.csv``; a file is renamed into place whole. Returns the files in name order."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in sorted(tables):
        file = folder / f"{name}.csv"
        draft = folder / f".{name}.csv.part"
        draft.write_bytes(tables[name].to_csv(index=False, lineterminator="\n").encode("utf-8"))
        draft.replace(file)
        written.append(file)
    return written
