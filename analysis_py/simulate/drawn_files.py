"""The Parquet sources of the demo world beside a database: made when absent, damaged or of other code, tables or seed.

A stamp beside the files says what they were made from and their hashes. Looking takes milliseconds and loads neither
numpy nor pandas, as every build does it.
"""

from __future__ import annotations

import json
import os
from importlib.metadata import version
from pathlib import Path

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.fingerprint import hash_file, hash_files
from analysis_py.locks import FileLock
from analysis_py.settings import DEFAULT_SEED, SIMULATED_NOTICE, project_root
from analysis_py.simulate import DRAWN_SOURCES

STAMP = "stamp.json"
LOCK = "drawing.lock"


def ensure_drawn_files(folder: Path, seed: int = DEFAULT_SEED, root: Path | None = None) -> bool:
    """Make ``<folder>/<source>.parquet`` of ``DRAWN_SOURCES`` unless they are there, whole and current.

    Returns
    -------
    bool : whether they were drawn.

    Raises
    ------
    CarbonpanelError ``CP-FILE-MISSING`` for an absent reference table, ``CP-FILE-UNWRITABLE``, ``CP-DB-BUSY``.
    """
    root = root or project_root()
    wanted = made_from(root, seed)
    if _is_current(folder, wanted):
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / LOCK, purpose="drawing the demo world's firms", wait_seconds=60):
            if _is_current(folder, wanted):
                return False
            from analysis_py.simulate.firm_files import draw_files

            files = draw_files(seed, root / "seeds" / "reference")
            for source in DRAWN_SOURCES:
                _replace(folder / f"{source}.parquet", files[source])
            stamp = {"made_from": wanted, "files": _hashes(folder)}
            _replace(folder / STAMP, json.dumps(stamp, indent=1, sort_keys=True).encode())
    except OSError as error:
        raise CarbonpanelError(
            "CP-FILE-UNWRITABLE",
            f"the demo world's firms cannot be written: {error.strerror}",
            where=Place(file=folder),
            remedy="make room or name another folder with CARBONPANEL_DEMO",
        ) from error
    return True


def made_from(root: Path, seed: int) -> dict[str, object]:
    """What the files depend on: seed, hash of the package that draws them, of the reference tables, libraries."""
    return {
        "notice": SIMULATED_NOTICE,
        "seed": seed,
        "code": hash_files((root / "analysis_py" / "simulate").glob("*.py"), relative_to=root),
        "reference": hash_files((root / "seeds" / "reference").glob("*.csv"), relative_to=root),
        "libraries": {name: version(name) for name in ("numpy", "pyarrow")},
    }


def _hashes(folder: Path) -> dict[str, str]:
    return {source: hash_file(folder / f"{source}.parquet") for source in DRAWN_SOURCES}


def _is_current(folder: Path, wanted: dict[str, object]) -> bool:
    try:
        found = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        return bool(found == {"made_from": wanted, "files": _hashes(folder)})
    except (OSError, ValueError):
        return False


def _replace(file: Path, content: bytes) -> None:
    """Write whole or not at all."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.part")
    draft.write_bytes(content)
    draft.replace(file)
