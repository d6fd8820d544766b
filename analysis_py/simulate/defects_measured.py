"""Defects of the city sources and indicators beyond those of the carbon productivity study.

The kinds are those of ``defects.KINDS``. Every kind and every series has a stream of its own, and only cells that are
still printed are touched, so that nothing planted before moves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analysis_py.simulate.layout import HISTORY_YEAR, canonical, decimals, indicators, spans
from analysis_py.simulate.places import YEARS
from analysis_py.simulate.raw_tables import RawTables
from analysis_py.simulate.spoiling import Cells, Defect, empty_runs, note, number, pick, trim_edges
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.world import World

Ranges = Mapping[tuple[str, str], tuple[float, float]]

_YEARBOOK, _BUILT, _DIGITAL, _FINANCE = "city_yearbook", "city_construction", "city_digital", "city_green_finance"
_MIXED_UP = (
    (_YEARBOOK, "employees"),
    (_YEARBOOK, "education_expenditure"),
    (_YEARBOOK, "industrial_so2"),
    ("city_energy", "energy_total"),
    (_BUILT, "household_water_use"),
    (_BUILT, "household_lpg_use"),
    (_DIGITAL, "mobile_subscribers"),
    (_DIGITAL, "telecom_revenue"),
)
#: Amounts that stay plausible 10,000 times too small, and the least printed number that is taken.
_MIXED_UP_HIDDEN = ((_YEARBOOK, "industrial_so2", 20_000.0), (_BUILT, "environmental_infrastructure_investment", 2e4))
_TENFOLD = (
    (_YEARBOOK, "highway_mileage"),
    (_YEARBOOK, "education_expenditure"),
    (_BUILT, "buses"),
    (_DIGITAL, "data_centre_racks"),
    ("city_reports", "environmental_words"),
    ("city_patents", "ai_invention_applications"),
)
_SHARES = ((_BUILT, "green_coverage"), (_BUILT, "sewage_treatment_rate"), (_FINANCE, "green_support"))
_BELOW_ZERO = ((_YEARBOOK, "industrial_wastewater"), (_BUILT, "environmental_infrastructure_investment"))
_REPEATED = ((_YEARBOOK, "education_expenditure"), (_YEARBOOK, "employees"), (_DIGITAL, "mobile_subscribers"))
_SCOPES = ("employees", "education_expenditure")
#: Indicator -> chance that a gap begins in a city-year of middling income; every other one of a source has its usual.
_GAPS = {
    (_YEARBOOK, "gdp_primary"): 0.003,
    (_YEARBOOK, "gdp_secondary"): 0.003,
    (_YEARBOOK, "fixed_asset_investment_growth"): 0.004,
    (_YEARBOOK, "highway_mileage"): 0.008,
    (_BUILT, "green_coverage"): 0.006,
}
_USUAL_GAPS = {_YEARBOOK: 0.006, _BUILT: 0.005, _DIGITAL: 0.004, _FINANCE: 0.002}
#: Emissions that the dirtiest cities leave out more often.
_HIDDEN_BY_THE_DIRTY = ("industrial_wastewater", "industrial_so2", "industrial_soot_dust")
_NO_REPORT = 0.012


def plant_further(raw: RawTables, world: World, streams: Streams, ranges: Ranges) -> list[Defect]:
    """Spoil the tables; ``ranges`` holds the plausible range (canonical unit) by source and indicator."""
    found = [
        *_mix_units(raw, streams, ranges),
        *_shrink_units(raw, streams),
        *_slip_decimals(raw, streams, ranges),
        *_print_shares(raw, streams),
        *_print_below_zero(raw, streams),
    ]
    found += _repeat_values(raw, streams, _cells(found))
    found += _mix_scopes(raw, streams, _cells(found))
    found += _swap_digits(raw, streams, _cells(found))
    found += _lose_cells(raw, world, streams, _cells(found))
    return found + _lose_history(raw, streams)


def _cells(found: list[Defect]) -> Cells:
    return {(d.source, d.indicator, d.city_code, d.year) for d in found}


def _free(raw: RawTables, source: str, name: str, taken: Cells) -> np.ndarray:
    """(N, T) printed cells after 2003 that no other defect sits on."""
    free = ~np.isnan(raw.printed[source][name]) & (YEARS > 2003)[None, :]
    for where, what, code, year in taken:
        if (where, what) == (source, name):
            free[raw.places.position(code), year - YEARS[0]] = False
    return free


def _true(value: float) -> str:
    return f"true number: {number(value)}"


def _mix_units(raw: RawTables, streams: Streams, ranges: Ranges) -> list[Defect]:
    out = []
    for source, name in _MIXED_UP:
        cells = raw.printed[source][name]
        outside = canonical(source, name, cells) * 1e4 > 2.0 * ranges[source, name][1]
        draw = streams.stream(f"unit_mixup:{source}:{name}")
        for i, t in pick(draw, outside & _free(raw, source, name, set()), 1):
            out.append(note(raw, "unit_mixup", source, name, i, t, _true(cells[i, t])))
            cells[i, t] *= 1e4
    return out


def _shrink_units(raw: RawTables, streams: Streams) -> list[Defect]:
    out = []
    for source, name, least in _MIXED_UP_HIDDEN:
        cells, draw = raw.printed[source][name], streams.stream(f"unit_mixup_hidden:{source}:{name}")
        for i, t in pick(draw, (cells > least) & _free(raw, source, name, set()), 2):
            out.append(note(raw, "unit_mixup_hidden", source, name, i, t, _true(cells[i, t])))
            cells[i, t] = np.round(cells[i, t] / 1e4, int(decimals(source, name)[t]))
    return out


def _slip_decimals(raw: RawTables, streams: Streams, ranges: Ranges) -> list[Defect]:
    """Ten times too large in a year in which the series did not fall, so that the step is more than tenfold."""
    out = []
    for source, name in _TENFOLD:
        cells, draw = raw.printed[source][name], streams.stream(f"tenfold:{source}:{name}")
        values = canonical(source, name, cells)
        grown = np.zeros(cells.shape, dtype=bool)
        grown[:, 1:] = (values[:, 1:] > values[:, :-1]) & (values[:, :-1] > 20.0 * (source != _YEARBOOK))
        inside = values * 10.0 <= ranges[source, name][1]
        for i, t in pick(draw, grown & inside & _free(raw, source, name, set()), 2):
            out.append(note(raw, "tenfold", source, name, i, t, _true(cells[i, t])))
            cells[i, t] = np.round(cells[i, t] * 10.0, int(decimals(source, name)[t]))
    return out


def _print_shares(raw: RawTables, streams: Streams) -> list[Defect]:
    out = []
    for source, name in _SHARES:
        cells, draw = raw.printed[source][name], streams.stream(f"share_for_percent:{source}:{name}")
        for i, t in pick(draw, _free(raw, source, name, set()), 2):
            out.append(note(raw, "share_for_percent", source, name, i, t, _true(cells[i, t])))
            cells[i, t] = np.round(cells[i, t] / 100.0, int(decimals(source, name)[t]))
    return out


def _print_below_zero(raw: RawTables, streams: Streams) -> list[Defect]:
    out = []
    for source, name in _BELOW_ZERO:
        cells, draw = raw.printed[source][name], streams.stream(f"impossible_value:{source}:{name}")
        for i, t in pick(draw, (cells > 1000.0) & _free(raw, source, name, set()), 1):
            out.append(note(raw, "impossible_value", source, name, i, t, _true(cells[i, t])))
            cells[i, t] = -cells[i, t]
    return out


def _repeat_values(raw: RawTables, streams: Streams, taken: Cells) -> list[Defect]:
    out = []
    for source, name in _REPEATED:
        cells, draw = raw.printed[source][name], streams.stream(f"repeated_value:{source}:{name}")
        free = _free(raw, source, name, taken)
        # no number is repeated beside a spoilt one, nor over a change of the unit
        beside = np.zeros(free.shape, dtype=bool)
        beside[:, 1:] = free[:, 1:] & free[:, :-1] & (np.abs(cells[:, 1:] - cells[:, :-1]) > 0)
        beside[:, [s.year_from - YEARS[0] for s in spans(source, name)]] = False
        for i, t in pick(draw, beside, 3):
            out.append(note(raw, "repeated_value", source, name, i, t, _true(cells[i, t])))
            cells[i, t] = cells[i, t - 1]
    return out


def _mix_scopes(raw: RawTables, streams: Streams, taken: Cells) -> list[Defect]:
    out = []
    for name in _SCOPES:
        cells, draw = raw.printed[_YEARBOOK][name], streams.stream(f"scope_mixup:{name}")
        for i, t in pick(draw, ~np.isnan(raw.urban[name]) & _free(raw, _YEARBOOK, name, taken), 2):
            out.append(note(raw, "scope_mixup", _YEARBOOK, name, i, t, f"whole city: {number(cells[i, t])}"))
            cells[i, t] = raw.urban[name][i, t]
    return out


def _swap_digits(raw: RawTables, streams: Streams, taken: Cells) -> list[Defect]:
    """The first two digits of the secondary sector's value added exchanged, where no revised figure stands beside."""
    name = "gdp_secondary"
    cells, draw = raw.printed[_YEARBOOK][name], streams.stream("swapped_digits")
    swapped = np.full(cells.shape, np.nan)
    for i, t in np.argwhere(_free(raw, _YEARBOOK, name, taken) & np.isnan(raw.revised[name]) & (cells >= 10.0)):
        digits = number(cells[i, t])
        if digits[1] != "0":
            swapped[i, t] = float(digits[1] + digits[0] + digits[2:])
    noticeable = np.abs(swapped / cells - 1.0) > 0.25
    out = []
    for i, t in pick(draw, noticeable & (swapped < 4.0 * cells), 6):
        out.append(note(raw, "swapped_digits", _YEARBOOK, name, i, t, _true(cells[i, t])))
        cells[i, t] = swapped[i, t]
    return out


def _lose_cells(raw: RawTables, world: World, streams: Streams, protected: Cells) -> list[Defect]:
    """Empty cells, not at random: poor places report less, the dirtiest hide what they emit; some reports are lost."""
    income = np.log(world.gdp_real[:, [3]] / world.quantity["population_resident"][:, [3]])
    poor = 1.0 / (1.0 + np.exp(1.2 * (income - np.median(income)) / income.std()))
    dirt = -world.quantity["industrial_so2"] / world.gdp_real
    dirty = np.argsort(np.argsort(dirt, axis=0), axis=0) < raw.places.count // 5
    out = []
    for source, usual in _USUAL_GAPS.items():
        for name in _further_indicators(source):
            rate = _GAPS.get((source, name), usual)
            chance = 4.0 * rate * poor + 0.02 * dirty * (name in _HIDDEN_BY_THE_DIRTY)
            draw = streams.stream(f"missing:{source}:{name}")
            out += empty_runs(raw, draw, source, (name,), chance, protected)
            first = spans(source, name)[0].year_from
            out += trim_edges(raw, draw, source, (name,), 6.0 * rate * poor[:, 0], since=first, protected=protected)
    draw = streams.stream("missing:city_reports")
    reports = tuple(indicators("city_reports"))
    out += empty_runs(raw, draw, "city_reports", reports, 2.0 * _NO_REPORT * poor, protected)
    return out + trim_edges(raw, draw, "city_reports", reports, 0.15 * poor[:, 0], since=2003, protected=protected)


def _further_indicators(source: str) -> list[str]:
    """Indicators of a source whose gaps are drawn here: of the yearbook those that ``defects`` does not see to."""
    names = indicators(source)
    return names[names.index("gdp_primary") :] if source == _YEARBOOK else names


def _lose_history(raw: RawTables, streams: Streams) -> list[Defect]:
    """No numbers of 1984 for small and remote places, telephones alone for some others."""
    draw = streams.stream("missing:city_history")
    places = raw.places
    size = np.log(raw.history["fixed_telephones"])
    lacking = 1.0 / (1.0 + np.exp(2.2 + 1.1 * (size - size.mean()) - 0.8 * (places.region4 == "west")))
    none = (draw.uniform(size=places.count) < lacking) & ~places.is_capital & ~places.is_municipality
    alone = draw.uniform(size=places.count) < 0.06
    out = []
    for i in np.flatnonzero((none | alone) & places.exists[:, 0]):
        names = list(raw.history) if none[i] else ["natural_science_researchers"]
        for name in names:
            raw.history[name][i] = np.nan
        indicator = "" if none[i] else names[0]
        out.append(
            Defect(
                "missing",
                "city_history",
                str(places.code[i]),
                HISTORY_YEAR,
                indicator,
                f"empty {HISTORY_YEAR}-{HISTORY_YEAR}",
            )
        )
    return out
