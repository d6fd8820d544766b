"""Which column of a file holds what: known names of registry and patent exports, or what the user says.

The known names are the rows of ``record_columns.csv`` beside this module; where several columns of a file have names of
one role, the name that is listed first is taken and the others are told.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from analysis_py.errors import CarbonpanelError, Place, did_you_mean, nearest

_KNOWN = Path(__file__).with_name("record_columns.csv")
#: Roles that say where a record is of.
PLACE_ROLES = ("code", "province", "city", "district", "region", "state_code", "address", "authority")
#: At least one of each group must be there.
_NEEDED = {
    "firms": (("name", "scope"), ("date",), PLACE_ROLES),
    "patents": (("title", "abstract", "ipc", "main_ipc"), ("date",), PLACE_ROLES),
}
_SHOWN = 40


@dataclass(frozen=True)
class ColumnMap:
    """Role -> position of its column, the names as the file has them, and columns whose role another one took."""

    positions: Mapping[str, int]
    names: Mapping[str, str]
    passed_over: tuple[str, ...] = ()

    def label(self, roles: Iterable[str]) -> str:
        """Names of the columns of some roles, joined by ``+``."""
        return "+".join(self.names[role] for role in roles if role in self.names)


@lru_cache(maxsize=2)
def known_names(kind: str) -> dict[str, tuple[str, ...]]:
    """Role -> names of its column, folded, in order of preference."""
    names: dict[str, list[str]] = {}
    with _KNOWN.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            if row["kind"] == kind:
                names.setdefault(row["role"], []).append(_fold(row["name"]))
    return {role: tuple(found) for role, found in names.items()}


def parse_columns(text: str | None, kind: str) -> dict[str, str]:
    """``name=企业名,date=日期`` as role -> column; ``CP-RECORDS-OPTION`` for what is no such list."""
    found: dict[str, str] = {}
    for part in (text or "").split(","):
        role, sign, column = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if not sign or not column or role in found:
            raise CarbonpanelError(
                "CP-RECORDS-OPTION",
                f"--columns: '{part.strip()}' is not ROLE=COLUMN" + (" (given twice)" if role in found else ""),
                remedy="e.g. --columns name=企业名,scope=范围,city=城市,date=日期",
            )
        if role not in known_names(kind):
            raise CarbonpanelError(
                "CP-RECORDS-OPTION",
                f"--columns: there is no role '{role}' for {kind}",
                remedy=did_you_mean(role, known_names(kind)),
            )
        found[role] = column
    return found


def count_known(cells: Sequence[str], kind: str, given: Mapping[str, str]) -> int:
    """How many roles a row of cells would name columns of; what finds the header below titles."""
    folded = {_fold(cell) for cell in cells if cell.strip()}
    chosen = {_fold(column) for column in given.values()}
    roles = sum(any(name in folded for name in names) for names in known_names(kind).values())
    return roles + sum(name in folded for name in chosen)


def map_columns(header: Sequence[str], kind: str, given: Mapping[str, str], where: Place) -> ColumnMap:
    """The columns of a file with this ``header``.

    Raises ``CP-RECORDS-COLUMNS`` naming the columns found where a needed role has none, or a column given is not there.
    """
    folded = [_fold(cell) for cell in header]
    positions: dict[str, int] = {}
    for role, column in given.items():
        if _fold(column) not in folded:
            near = nearest(column, [cell for cell in header if cell.strip()])
            raise CarbonpanelError(
                "CP-RECORDS-COLUMNS",
                f"--columns: there is no column '{column}' (found: {_listed(header)})",
                where=where,
                remedy=f"did you mean '{near[0]}'?" if near else "name a column that is there",
            )
        positions[role] = folded.index(_fold(column))
    passed_over = []
    for role, names in known_names(kind).items():
        fitting = [folded.index(name) for name in names if name in folded]
        fitting = [at for at in dict.fromkeys(fitting) if at not in positions.values()]
        if role not in positions and fitting:
            positions[role] = fitting.pop(0)
        passed_over += [f"{header[at]} (as {role} '{header[positions[role]]}' is taken)" for at in fitting]
    for group in _NEEDED[kind]:
        if positions.keys().isdisjoint(group):
            roles = [role for role in group if role in known_names(kind)]
            raise CarbonpanelError(
                "CP-RECORDS-COLUMNS",
                f"no column for {' or '.join(roles)} is known by its name (found: {_listed(header)})",
                where=where,
                remedy=f"say which it is, e.g. --columns {roles[0]}=COLUMN",
            )
    labels = {role: header[at].strip() for role, at in positions.items()}
    return ColumnMap(positions, labels, tuple(passed_over))


def _listed(header: Sequence[str]) -> str:
    cells = [cell.strip()[:40] for cell in header if cell.strip()]
    return ", ".join(cells[:_SHOWN]) + (f", ... ({len(cells)})" if len(cells) > _SHOWN else "") or "none"


def _fold(name: str) -> str:
    """A header without width, letter case, blanks and outer quotes."""
    return "".join(unicodedata.normalize("NFKC", name).lower().split()).strip("'\"\ufeff")
