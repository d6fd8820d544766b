"""Errors for people: a code, what happened, where, and what to do about it.

Every problem a user can cause or meet is raised as :class:`CarbonpanelError`; the command line prints it
as a few lines and exits with code 1. Anything else that escapes is a bug.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where in a user's file a problem sits; rows count from 1 with the header, as a spreadsheet shows them."""

    file: str | Path | None = None
    sheet: str | None = None
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        parts = []
        if self.file is not None:
            parts.append(str(self.file))
        if self.sheet:
            parts.append(f"sheet '{self.sheet}'")
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.column:
            parts.append(f"column '{self.column}'")
        return ", ".join(parts)


class CarbonpanelError(Exception):
    """A problem said in one readable message.

    Parameters
    ----------
    code : short stable identifier, e.g. ``CP-FILE-MISSING``; documented in docs/errors.md.
    what : one sentence: what is wrong.
    where : a :class:`Place` or text; optional.
    remedy : one sentence: what the user can do.
    """

    def __init__(self, code: str, what: str, *, where: Place | str | None = None, remedy: str = "") -> None:
        self.code = code
        self.what = what
        self.where = str(where) if where is not None else ""
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [f"error {self.code}: {self.what}"]
        if self.where:
            lines.append(f"  where:  {self.where}")
        if self.remedy:
            lines.append(f"  remedy: {self.remedy}")
        return "\n".join(lines)


def nearest(name: str, candidates: Iterable[str], count: int = 1) -> list[str]:
    """The candidates closest in spelling to ``name`` (case-insensitive), best first, at most ``count``."""
    table = {str(c).lower(): str(c) for c in candidates}
    hits = difflib.get_close_matches(str(name).lower(), list(table), n=count, cutoff=0.5)
    return [table[h] for h in hits]


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """A remedy sentence naming the nearest valid name, or the list of valid names when none is near."""
    known = sorted({str(c) for c in candidates})
    hits = nearest(name, known)
    if hits:
        return f"did you mean '{hits[0]}'?"
    shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return f"known names: {shown}" if known else ""
