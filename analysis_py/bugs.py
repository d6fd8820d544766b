"""What a person sees when carbonpanel itself is wrong: one message, the details in a file."""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from analysis_py import __version__
from analysis_py.settings import paths


def record_bug(error: Exception, arguments: Sequence[str]) -> str:
    """Write the traceback to a file and return the message that names it."""
    name = f"carbonpanel_bug_{time.strftime('%Y%m%d_%H%M%S')}.txt"
    details = f"carbonpanel {__version__}\narguments: {list(arguments)}\n\n{''.join(traceback.format_exception(error))}"
    where = "could not be written"
    for folder in (paths().database.parent, Path(tempfile.gettempdir())):
        try:
            (folder / name).write_text(details, encoding="utf-8")
        except OSError:
            continue
        where = str(folder / name)
        break
    first = str(error).splitlines()[0] if str(error) else ""
    return (
        f"error CP-BUG: carbonpanel met a problem of its own ({type(error).__name__}: {first[:200]})\n"
        f"  where:  details in {where}\n"
        "  remedy: this is a bug; please report it with that file. Your database is as it was"
    )
