"""What every command shares: formats, options, how results and problems are printed."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from analysis_py.errors import CarbonpanelError
from analysis_py.interrupts import listen
from analysis_py.settings import SIMULATED_NOTICE, quiet_environment


class Format(StrEnum):
    table = "table"
    md = "md"
    csv = "csv"
    json = "json"


class TableFormat(StrEnum):
    text = "text"
    md = "md"
    csv = "csv"
    tex = "tex"


FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How to print.")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Also write the result as JSON to this file.")]


#: No space, or no quota (which Windows has no number for).
_NO_ROOM = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def people_errors() -> Iterator[None]:
    """Turn problems into a few readable lines and an exit code; a bug leaves its details in a file."""
    quiet_environment()
    listen()
    try:
        yield
        sys.stdout.flush()
    except CarbonpanelError as error:
        say(str(error))
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        say("interrupted: what was there before is unchanged")
        raise typer.Exit(130) from None
    except BrokenPipeError:
        _discard_output()  # its reader has gone
        raise typer.Exit(141) from None
    except typer.Exit:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            _discard_output()
            say(
                str(
                    CarbonpanelError(
                        "CP-DISK-FULL",
                        "there is no room left to write to",
                        where=error.filename or "standard output",
                        remedy="free some space and run again; what was there before is unchanged",
                    )
                )
            )
            raise typer.Exit(1) from None
        from analysis_py.bugs import record_bug

        say(record_bug(error, sys.argv[1:]))
        raise typer.Exit(70) from None


def _discard_output() -> None:
    """Let what is still in the buffer of standard output go nowhere, instead of failing again at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def write_json(target: Path | None, data: Any) -> None:
    if target is not None:
        from analysis_py import files

        files.write_json(target, data)
        say(f"written: {target}")


def print_rows(columns: Any, rows: Any, fmt: Format) -> None:
    from analysis_py.display import render_rows

    print(render_rows(columns, rows, fmt.value))


def notice(simulated: bool, fmt: Format | TableFormat) -> None:
    if simulated:
        # machine-readable output stays clean: there the notice goes to standard error
        (say if fmt.value in {"csv", "json", "tex"} else print)(SIMULATED_NOTICE)
