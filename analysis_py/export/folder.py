"""The folder of an export: both files are written or neither, and nothing is replaced unasked."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from analysis_py.errors import CarbonpanelError


def write_folder(folder: Path, files: Mapping[str, bytes], *, force: bool = False) -> tuple[Path, ...]:
    """Write files into a folder, made where it is not there.

    They are written beside it first; a new folder then appears by one renaming, files in one that exists are put in
    place one after the other and taken back where that fails.

    Raises
    ------
    CarbonpanelError
        ``CP-EXPORT-EXISTS`` where one of the files is there already and ``force`` is not given,
        ``CP-FILE-UNWRITABLE``.
    """
    present = [name for name in files if (folder / name).exists() or (folder / name).is_symlink()]
    if folder.exists() and not folder.is_dir():
        raise CarbonpanelError(
            "CP-FILE-UNWRITABLE", "is a file, not a folder", where=str(folder), remedy="choose another place: --out DIR"
        )
    if present and not force:
        raise CarbonpanelError(
            "CP-EXPORT-EXISTS",
            f"{' and '.join(present)} {'is' if len(present) == 1 else 'are'} there already",
            where=str(folder),
            remedy="--force replaces them, --out DIR writes elsewhere",
        )
    made: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
        for name, content in files.items():
            (made / name).write_bytes(content)
        if folder.exists():
            _put_in_place(made, folder, list(files))
        else:
            made.chmod(0o777 & ~_umask())
            made.replace(folder)
    except OSError as error:
        raise CarbonpanelError(
            "CP-FILE-UNWRITABLE",
            f"cannot be written: {error.strerror}",
            where=str(folder),
            remedy="choose another place: --out DIR",
        ) from None
    finally:
        if made is not None and made.exists():
            shutil.rmtree(made, ignore_errors=True)
    return tuple(folder / name for name in files)


def _put_in_place(made: Path, folder: Path, names: list[str]) -> None:
    """Move files into a folder that exists; what was there before comes back if one cannot be moved."""
    kept: list[tuple[Path, Path | None]] = []
    try:
        for name in names:
            target = folder / name
            old = made / f"{name}.before" if target.exists() else None
            if old is not None:
                target.replace(old)
            kept.append((target, old))
            (made / name).replace(target)
    except OSError:
        for target, old in reversed(kept):
            with contextlib.suppress(OSError):
                if old is not None:
                    old.replace(target)
                else:
                    target.unlink()
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
