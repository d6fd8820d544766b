"""Places of a file that could not be told: why, what is near, and where they stand."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.place_words import MUNICIPALITIES
from analysis_py.ingest.places import PlaceKey, Placement, place_index
from analysis_py.ingest.report import UnplacedPlace
from analysis_py.ingest.sheets import CellSheet

#: Distinct places that are listed one by one; rows of further ones are only counted.
_MOST = 5_000


@dataclass
class _Entry:
    placement: Placement
    rows: int
    first_row: int
    last_row: int


class UnplacedPlaces:
    """Collects unplaced places in order of their first row; ``unlisted`` counts the rows beyond the list."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self.unlisted = 0

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, place: str, placement: Placement, row: int) -> None:
        """Note a place, as the file names it, in a row."""
        name = place or "(no name)"
        known = self._entries.get(name)
        if known is not None:
            known.rows += row != known.last_row
            known.last_row = row
        elif len(self._entries) < _MOST:
            self._entries[name] = _Entry(placement, 1, row, row)
        else:
            self.unlisted += 1

    def listed(self) -> tuple[UnplacedPlace, ...]:
        """The places in order of their first row."""
        return tuple(
            UnplacedPlace(name, entry.placement.reason, entry.placement.candidates, entry.rows, entry.first_row)
            for name, entry in self._entries.items()
        )

    def count_lost(self) -> int:
        """Distinct places that were never placed; those that only ended (Chaohu) were placed in other years."""
        return sum(not entry.placement.ended for entry in self._entries.values()) + self.unlisted

    def are_provinces(self, placed: Collection[str]) -> bool:
        """Whether a table taken for one of cities is of provinces: the municipalities alone could be placed, and more
        provinces could not."""
        provinces = place_index("province")
        if any(provinces.resolve(PlaceKey(code=f"{code[:2]}0000")).code not in MUNICIPALITIES for code in placed):
            return False
        named = sum(provinces.resolve(PlaceKey(name=name)).code is not None for name in self._entries)
        return named > max(len(placed), 1)

    def refusal(self, sheet: CellSheet) -> CarbonpanelError:
        """``CP-PLACE-NONE``, for a file not one place of which could be told."""
        told = [f"{name}: {entry.placement.reason}" for name, entry in list(self._entries.items())[:3]]
        more = len(self._entries) - len(told)
        return CarbonpanelError(
            "CP-PLACE-NONE",
            f"not one place could be told ({'; '.join(told)}{f'; and {more:,} more' if more > 0 else ''})",
            where=sheet.place(next(iter(self._entries.values())).first_row),
            remedy="give six-digit codes of GB/T 2260 or full names, and check which column holds them",
        )
