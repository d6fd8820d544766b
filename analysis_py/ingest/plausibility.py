"""What makes a number impossible, a column's unit wrong, and a file unfit to be taken."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.contract import Contract, Indicator
from analysis_py.ingest.sheets import CellSheet

#: A column of at least this many numbers, more than half of them impossible, is in another unit than it says.
_WRONG_UNIT_CELLS = 10
_WRONG_UNIT_SHARE = 0.5
_SAMPLE = 200
#: Growth of a whole column that never falls below this percentage is an index of the year before.
_LOWEST_INDEX = 50.0
#: Share of a sample that must be possible in another unit for that unit to be worth naming.
_GUESS_SHARE = 0.95


@dataclass
class Tally:
    """The numbers of one column and unit: read, written, impossible, and a sample of the impossible ones."""

    column: str
    indicator: str
    unit: str
    population_basis: str | None
    read: int = 0
    written: int = 0
    impossible: int = 0
    lowest: float = math.inf
    sample: list[float] = field(default_factory=list)

    def add_impossible(self, value: float) -> None:
        self.impossible += 1
        if len(self.sample) < _SAMPLE:
            self.sample.append(value)


class Problems:
    """Mistakes that refuse a file: the first of each kind is shown, the others are counted."""

    def __init__(self) -> None:
        self._first: dict[str, CarbonpanelError] = {}
        self._count: dict[str, int] = {}

    def add(self, kind: str, make: Callable[[], CarbonpanelError]) -> None:
        if kind not in self._first:
            self._first[kind] = make()
        self._count[kind] = self._count.get(kind, 0) + 1

    def raise_first(self) -> None:
        for kind, error in self._first.items():
            more = self._count[kind] - 1
            if more:
                again = CarbonpanelError(
                    error.code, f"{error.what} (and {more:,} more like it)", where=error.where, remedy=error.remedy
                )
                raise again from None
            raise error


def find_implausible(value: float, indicator: Indicator) -> str:
    """Why ``value`` (in the canonical unit) is outside the plausible range of its indicator; '' when it is not."""
    low, high = indicator.min_value, indicator.max_value
    if (low is None or value >= low) and (high is None or value <= high):
        return ""
    bounds = f"below {low:,.10g}" if low is not None and value < low else f"above {high:,.10g}"
    return f"{value:,.10g} {indicator.unit} is {bounds}, outside what {indicator.name} can be"


def check_unit(tally: Tally, indicator: Indicator, contract: Contract, sheet: CellSheet) -> None:
    """Refuse a column most of whose numbers are impossible in its unit, naming a unit in which they would fit."""
    if indicator.kind == "rate" and tally.read >= _WRONG_UNIT_CELLS and tally.lowest >= _LOWEST_INDEX:
        raise CarbonpanelError(
            "CP-UNIT-IMPLAUSIBLE",
            f"all {tally.read:,} numbers of {indicator.name} are {_LOWEST_INDEX:g} or more: no growth in percent",
            where=sheet.place(column=tally.column),
            remedy="are they an index (上年=100)? take 100 from each of them",
        )
    if tally.read < _WRONG_UNIT_CELLS or tally.impossible <= _WRONG_UNIT_SHARE * tally.read:
        return
    guess = guess_unit(tally, indicator, contract)
    raise CarbonpanelError(
        "CP-UNIT-IMPLAUSIBLE",
        f"{tally.impossible:,} of {tally.read:,} numbers of {indicator.name} cannot be in {tally.unit}",
        where=sheet.place(column=tally.column),
        remedy=(f"are they in {guess}? " if guess else "") + "correct the unit in the header or in a mapping",
    )


def guess_unit(tally: Tally, indicator: Indicator, contract: Contract) -> str:
    """The largest other unit in which nearly all the impossible numbers would be possible; '' when there is none."""
    names = [name for name in contract.units_for(indicator) if name != tally.unit]
    for name in sorted(names, key=lambda name: -contract.units[name].factor):
        fine = [
            not find_implausible(contract.to_canonical(value, name, indicator), indicator) for value in tally.sample
        ]
        if sum(fine) >= _GUESS_SHARE * len(fine):
            return f"{contract.units[name].label_zh} ({name})"
    return ""
