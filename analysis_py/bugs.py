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
    folder = paths().database.parent
    if not folder.is_dir():
        folder = Path(tempfile.gettempdir())
    target = folder / f"carbonpanel_bug_{time.strftime('%Y%m%d_%H%M%S')}.txt"
    details = f"carbonpanel {__version__}\narguments: {list(arguments)}\n\n{''.join(traceback.format_exception(error))}"
    try:
        target.write_text(details, encoding="utf-8")
        where = str(target)
    except OSError:
        where = "could not be written"
    first = str(error).splitlines()[0] if str(error) else ""
    return (
        f"error CP-BUG: carbonpanel met a problem of its own ({type(error).__name__}: {first[:200]})\n"
        f"  where:  details in {where}\n"
        "  remedy: this is a bug; please report it with that file. Your database is as it was"
    )
