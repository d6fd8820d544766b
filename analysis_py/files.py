"""Small text files: read with readable errors, written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from analysis_py.errors import CarbonpanelError

#: Spellings of standard output; opening it a second time would write over what is in it.
_STANDARD_OUTPUT = frozenset({"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})


def read_text(path: Path | None) -> str:
    """The text of ``path`` (UTF-8, BOM allowed), or of standard input for ``-``."""
    if path is None or str(path) == "-":
        return sys.stdin.read()
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CarbonpanelError("CP-FILE-MISSING", "there is no such file", where=str(path)) from None
    except IsADirectoryError:
        raise CarbonpanelError("CP-FILE-FOLDER", "this is a folder, not a file", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise CarbonpanelError(
            "CP-FILE-ENCODING", f"not UTF-8 text (byte {error.start})", where=str(path), remedy="save it as UTF-8"
        ) from None
    except OSError as error:
        raise CarbonpanelError("CP-FILE-UNREADABLE", str(error.strerror), where=str(path)) from None


def write_text(path: Path, text: str) -> None:
    """Write beside ``path`` and rename: a reader or a kill never sees half a file.

    ``-`` is standard output; a device or pipe (``/dev/null``, ``>(...)``) is written to as it is; a link's target is
    replaced, not the link.
    """
    if not _is_stream(path) and path.is_symlink():
        path = path.resolve()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if str(path) in _STANDARD_OUTPUT:
            sys.stdout.write(text)
            return
        if _is_stream(path):
            with path.open("w", encoding="utf-8") as stream:
                stream.write(text)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except BrokenPipeError:
        raise
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise CarbonpanelError(
            "CP-FILE-UNWRITABLE", f"cannot be written: {error.strerror}", where=str(path), remedy="choose another place"
        ) from None


def _is_stream(path: Path) -> bool:
    """Whether a path names something to write into and not to replace: a device, a pipe, an open descriptor."""
    if path.is_dir():
        return False
    return path.parts[:2] in (("/", "dev"), ("/", "proc")) or (path.exists() and not path.is_file())


def write_json(path: Path, data: Any) -> None:
    """``data`` as UTF-8 JSON with a final newline; refuses NaN and infinities."""
    write_text(path, json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def refuse_same_file(target: Path | None, inputs: Iterable[Path | None]) -> None:
    """Raise ``CP-FILE-SAME`` when an output would replace one of the files it is made from."""
    for source in inputs:
        if (
            target is not None
            and source is not None
            and target.exists()
            and source.exists()
            and target.samefile(source)
        ):
            raise CarbonpanelError(
                "CP-FILE-SAME", "the output would replace an input", where=str(target), remedy="choose another name"
            )
