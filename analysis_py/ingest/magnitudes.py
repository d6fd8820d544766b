"""Numbers off by a power of ten: a cell against the same city's other years, a year against the years around it, a
column against the nation.

Nothing is changed here. A cell whose order of magnitude cannot be right gets a :class:`Doubt`, with a guess at how it
came about (``万元`` under a heading of ``亿元``), and is quarantined by the caller.

Working in decimal logarithms of the canonical unit, per indicator, area, population and vintage:

1. *Columns.* The median city's step between two years is a whole power of ten: the years on one side of it are in
   another unit. Which side is right is told by the national total, else by the number of cells.
2. *The nation.* What the places of a year add up to is off the national total by a power of ten that the number of
   places cannot explain.
3. *Cells.* A value is a power of ten off the line through the years before and after (:mod:`.neighbours`).

Changes by a factor of ten also happen in life; they are judged only where there are years before and after that lie
close to their line, and where other large deviations are rarer in the same series.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from analysis_py.ingest.contract import Contract, Indicator, load_contract, read_reference
from analysis_py.ingest.neighbours import NEAR, NEAR_ONE, WINDOW, deviation, is_telling, stack_neighbours, whole_power
from analysis_py.ingest.plausibility import find_implausible

#: Log distance from the median of the neighbours from which a cell is looked at.
_SUSPECT = 0.4
#: Counts of events below this (in logs) may well change tenfold.
_FEW = math.log10(20)
#: Cities that must have a value in both years, and the share of them that must step alike, for a step of a column.
_STEP_CITIES = 10
_STEP_SHARE = 0.7
#: Places a year needs for its sum to say something, and the share of all that counts as nearly the whole nation.
_SUM_PLACES = 5
_SUM_SHARE = 0.6
#: No places add up to three times the nation; below it, few places may be small ones (a thousandth of their share).
_SUM_OVER = 0.5
_SUM_UNDER_WHOLE = 0.7
_SUM_UNDER = 3.0
#: Years beyond the first and last known national total for which it still stands.
_REACH = 3


@dataclass(frozen=True)
class Doubt:
    """Why a number is not believed. ``span`` is cell, year or column: how much of the file has the same fault."""

    reason: str
    guess: str = ""
    span: str = "cell"


@dataclass(frozen=True)
class _Series:
    """One indicator, area, population and vintage: ``logs`` is places x years, NaN where there is no positive value;
    ``positions`` are those of the rows (-1 = none)."""

    indicator: Indicator
    places: tuple[str, ...]
    years: tuple[int, ...]
    logs: np.ndarray
    positions: np.ndarray
    units: Mapping[int, str]


def judge_magnitudes(
    table: pa.Table,
    impossible: Mapping[int, str],
    contract: Contract | None = None,
    folder: Path | None = None,
) -> dict[int, Doubt]:
    """Which rows of the raw contract are not believed.

    Parameters
    ----------
    table : rows with the columns of the contract, in file order.
    impossible : position -> reason of the rows already found outside their plausible range; they are no evidence, and
        come back with a guess.
    contract, folder : reference tables other than the project's own.

    Returns
    -------
    Position -> doubt, in order of positions.
    """
    contract = contract or load_contract()
    doubts = {
        position: Doubt(reason, _other_measure(table, position, contract)) for position, reason in impossible.items()
    }
    for series in _read_series(table, contract):
        _Judge(series, contract, impossible, doubts, folder).judge()
    return dict(sorted(doubts.items()))


def _other_measure(table: pa.Table, position: int, contract: Contract) -> str:
    """A guess for an impossible index or growth rate: that the one stands under a heading of the other."""
    names = ("source", "indicator", "value", "unit")
    source, name, value, said = (table.column(column)[position].as_py() for column in names)
    indicator = contract.indicators[(source, name)]
    if not indicator.is_relative:
        return ""
    for unit in contract.units_for(indicator):
        if unit != said and not find_implausible(contract.to_canonical(value, unit, indicator), indicator):
            return f"looks like {contract.units[unit].label_zh} ({unit}) under {contract.units[said].label_zh} ({said})"
    return ""


def _read_series(table: pa.Table, contract: Contract) -> list[_Series]:
    names = ("source", "indicator", "area_scope", "population_basis", "vintage", "city_code", "year", "value", "unit")
    columns = [table.column(name).to_pylist() for name in names]
    groups: dict[tuple[object, ...], list[tuple[int, str, int, float, str]]] = {}
    for position, (*key, place, year, value, unit) in enumerate(zip(*columns, strict=True)):
        groups.setdefault(tuple(key), []).append((position, place, year, value, unit))
    found = []
    for (source, name, *_), cells in groups.items():
        indicator = contract.indicators[(str(source), str(name))]
        if indicator.is_relative:
            continue
        places = tuple(sorted({cell[1] for cell in cells}))
        years = tuple(sorted({cell[2] for cell in cells}))
        at_place, at_year = ({key: at for at, key in enumerate(keys)} for keys in (places, years))
        logs = np.full((len(places), len(years)), np.nan)
        positions = np.full(logs.shape, -1, dtype=np.int64)
        units = {}
        for position, place, year, value, unit in cells:
            where = at_place[place], at_year[year]
            canonical = contract.to_canonical(value, unit, indicator)
            positions[where] = position
            units[position] = unit
            if canonical > 0:
                logs[where] = math.log10(canonical)
        found.append(_Series(indicator, places, years, logs, positions, units))
    return found


class _Judge:
    """Judges one series."""

    def __init__(
        self,
        series: _Series,
        contract: Contract,
        impossible: Mapping[int, str],
        doubts: dict[int, Doubt],
        folder: Path | None,
    ) -> None:
        self.series = series
        self.contract = contract
        self.doubts = doubts
        self.folder = folder
        self.indicator = series.indicator
        self.is_count = contract.units[series.indicator.unit].dimension == "count"
        self.logs = series.logs.copy()
        self.is_impossible = np.isin(series.positions, list(impossible)) & (series.positions >= 0)
        self.logs[self.is_impossible] = np.nan

    def judge(self) -> None:
        powers = self._choose_base(self._year_powers())
        self._doubt_years(powers)
        # Cells are judged on the level of their own year.
        self.logs -= powers
        self._doubt_cells(powers)

    # ------------------------------------------------------------ years and columns

    def _year_powers(self) -> np.ndarray:
        """Per year the power of ten it is off the first one, by the steps of the median city (0 where none).

        Numbers outside their range count here: a year in another unit may have little else.
        """
        logs = self.series.logs
        powers = np.zeros(len(self.series.years), dtype=int)
        for at in range(1, len(powers)):
            powers[at] = powers[at - 1]
            for before in range(at - 1, max(-1, at - 1 - WINDOW), -1):
                change = logs[:, at] - logs[:, before]
                change = change[np.isfinite(change)]
                if len(change) < _STEP_CITIES:
                    continue
                median = float(np.median(change))
                step = round(median)
                is_whole = abs(median - step) <= (NEAR_ONE if abs(step) == 1 else NEAR)
                if not is_whole or np.mean(np.abs(change - step) <= 2 * NEAR) < _STEP_SHARE:
                    step = 0
                powers[at] = powers[before] + step
                break
        return powers

    def _national_powers(self, steps: np.ndarray) -> dict[int, int]:
        """Per level of ``steps`` the power of ten by which its middle year misses the nation; 0 where it does not."""
        totals = national_totals(self.folder).get(self.indicator.name)
        if not totals:
            return {}
        everywhere = place_count(self.indicator.level, self.folder)
        found: dict[int, list[int]] = {}
        for at, year in enumerate(self.series.years):
            column = self.logs[:, at]
            known = column[np.isfinite(column)]
            is_told = totals[0][0] - _REACH <= year <= totals[-1][0] + _REACH
            if len(known) < _SUM_PLACES or not is_told:
                continue
            over = math.log10(math.fsum(10**known)) - math.log10(_nation(totals, year, self.indicator, self.contract))
            # What is left when as many average places would have the same.
            gap = over - math.log10(len(known) / everywhere)
            under = _SUM_UNDER_WHOLE if len(known) >= _SUM_SHARE * everywhere else _SUM_UNDER
            found.setdefault(int(steps[at]), []).append(round(gap) if over > _SUM_OVER or gap < -under else 0)
        return {level: sorted(powers)[len(powers) // 2] for level, powers in sorted(found.items())}

    def _choose_base(self, steps: np.ndarray) -> np.ndarray:
        """Per year the power of ten it is off the truth: its level less the one taken as true."""
        cells: dict[int, int] = {}
        for at, level in enumerate(steps):
            cells[int(level)] = cells.get(int(level), 0) + int(np.isfinite(self.logs[:, at]).sum())
        nation = self._national_powers(steps)
        fitting = [level for level, power in nation.items() if not power]
        candidates = fitting or list(nation) or list(cells)
        base = min(candidates, key=lambda level: (-cells[level], level))
        return steps - base + nation.get(base, 0)

    def _doubt_years(self, powers: np.ndarray) -> None:
        off = [at for at in range(len(powers)) if powers[at]]
        everything = len(off) == len(powers)
        for at in off:
            there = np.isfinite(self.series.logs[:, at])
            rows = [int(position) for position in self.series.positions[there, at]]
            if not rows:
                continue
            power = int(powers[at])
            year = self.series.years[at]
            many = f"{len(rows):,} {self._places_word(len(rows))}"
            if everything:
                told = f"the {many} of {year} add up to about {_times(power)} what the nation had"
            else:
                told = (
                    f"all of {self.indicator.name} in {year} ({many}) is about {_times(power)} what its other years are"
                )
            for row in rows:
                self.doubts[row] = Doubt(told, self._guess(power, row), "column" if everything else "year")

    # ------------------------------------------------------------ cells

    def _doubt_cells(self, powers: np.ndarray) -> None:
        raw = self.series.logs - powers
        around = stack_neighbours(self.logs, self.series.years)
        has_enough = np.isfinite(around).any(axis=0) & np.isfinite(raw)
        middle = np.nanmedian(np.where(has_enough, around, 0.0), axis=0)
        # The line of the neighbours is never far from their median: most cells need no closer look.
        suspects = has_enough & (np.abs(raw - middle) > _SUSPECT)
        cells = int(np.isfinite(raw).sum())
        gaps: dict[tuple[int, int], float] = {}
        for place, at in zip(*np.nonzero(suspects), strict=True):
            row = int(self.series.positions[place, at])
            if row not in self.doubts or self.is_impossible[place, at]:
                gap = deviation(float(raw[place, at]), around[:, place, at])
                if gap:
                    gaps[int(place), int(at)] = gap
        for (place, at), gap in gaps.items():
            power = whole_power(gap)
            row = int(self.series.positions[place, at])
            if not power or (self.is_count and abs(power) == 1 and middle[place, at] < _FEW):
                continue
            if row in self.doubts:
                self.doubts[row] = Doubt(self.doubts[row].reason, self._guess(power, row), self.doubts[row].span)
            elif is_telling(gaps.values(), power, cells):
                self.doubts[row] = Doubt(self._told(place, at, power), self._guess(power, row))

    def _told(self, place: int, at: int, power: int) -> str:
        shown = []
        for other in (at - 1, at + 1):
            if 0 <= other < len(self.series.years) and np.isfinite(self.logs[place, other]):
                shown.append(f"{self.series.years[other]}: {10 ** self.logs[place, other]:,.6g}")
        value = 10 ** self.series.logs[place, at]
        beside = f" ({', '.join(shown)})" if shown else ""
        return f"{value:,.6g} {self.indicator.unit} is about {_times(power)} what the years around it are{beside}"

    # ------------------------------------------------------------ words

    def _guess(self, power: int, row: int) -> str:
        """``looks 10^4 times too large: 万元 instead of 亿元?``; without units where none explains the power."""
        units = self.contract.units
        said = units[self.series.units[row]]
        told = f"looks {_power(abs(power))} times too {'large' if power > 0 else 'small'}"
        for name in self.contract.units_for(self.indicator):
            unit = units[name]
            if unit.dimension == said.dimension and math.isclose(said.factor / unit.factor, 10.0**power, rel_tol=1e-9):
                return f"{told}: {unit.label_zh} instead of {said.label_zh}?"
        return told

    def _places_word(self, count: int) -> str:
        if self.indicator.level == "province":
            return "province" if count == 1 else "provinces"
        return "city" if count == 1 else "cities"


def _power(power: int) -> str:
    return "10" if power == 1 else f"10^{power}"


def _times(power: int) -> str:
    return f"{_power(power)} times"


@lru_cache(maxsize=4)
def national_totals(folder: Path | None = None) -> dict[str, tuple[tuple[int, float, str], ...]]:
    """Per indicator (year, value, unit) of ``seed_national_total``, by year; empty where the table is absent."""
    found: dict[str, list[tuple[int, float, str]]] = {}
    for row in read_reference("seed_national_total", folder, required=False):
        found.setdefault(row["indicator"], []).append((int(row["year"]), float(row["value"]), row["unit"]))
    return {name: tuple(sorted(rows)) for name, rows in found.items()}


@lru_cache(maxsize=4)
def place_count(level: str, folder: Path | None = None) -> int:
    """Places of a level there are in the reference tables."""
    return len(read_reference("seed_province" if level == "province" else "seed_city", folder))


def _nation(totals: tuple[tuple[int, float, str], ...], year: int, indicator: Indicator, contract: Contract) -> float:
    """The national total of a year in the canonical unit: between known years in logs, beyond them as at the end."""
    years = [row[0] for row in totals]
    logs = [math.log10(contract.to_canonical(value, unit, indicator)) for _, value, unit in totals]
    return float(10 ** np.interp(year, years, logs))
