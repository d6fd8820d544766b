"""What makes the raw tables hard to use: defects planted in the printed tables, each one listed with its place.

``plant_defects`` changes the tables in place and returns the list. Kinds whose cells a plausible range can catch are
told apart from those only a jump shows and from those nothing in the tables shows.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from analysis_py.simulate.defects_measured import plant_further
from analysis_py.simulate.layout import canonical, indicators, spans
from analysis_py.simulate.places import YEARS, read_reference
from analysis_py.simulate.raw_tables import CENSUSES, CITY_SOURCES, RawTables, printed_rows
from analysis_py.simulate.spoiling import Cells, Defect, empty_runs, note, number, pick, trim_edges
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.world import World

COLUMNS = ["defect_id", "kind", "source", "city_code", "year", "indicator", "description"]

#: kind -> what it is and whether the tables give it away.
KINDS: dict[str, str] = {
    "code_change": "rows up to this year carry the code and name of the former prefecture or county",
    "former_name": "rows up to this year carry the city's former name",
    "short_name": "rows of this place carry its name without the suffix of its level",
    "province_level_code": "rows up to this year carry the province-level code of the municipality",
    "abolished": "last year of a city that was merged into others",
    "unit_change": "the printed unit changes from this year on (declared in raw_layout)",
    "series_ended": "the indicator is no longer printed from this year on",
    "gdp_revision": "GDP and services were revised up to this census year; the first rows are lower",
    "urban_rows": "rows of the urban districts stand beside those of the whole city",
    "missing": "empty cells from this year on",
    "unit_mixup": "one cell printed 10,000 times too large (an undeclared unit), outside the plausible range",
    "unit_mixup_hidden": "one cell printed 10,000 times too small (an undeclared unit), inside the plausible range",
    "tenfold": "one cell printed ten times too large (a slipped decimal point), inside the plausible range",
    "share_for_percent": "one cell printed as a share (0-1) in a column of percents",
    "impossible_value": "one cell with a negative amount, or with a growth rate in a column of indices",
    "swapped_digits": "two digits of a sector's value added exchanged: the sectors no longer add up to GDP",
    "repeated_value": "last year's number printed again",
    "scope_mixup": "the number of the urban districts printed in the row of the whole city",
    "population_mixup": "registered population printed as resident population",
    "retroactive_scope": "registrations of this year include firms that entered the business later",
}

_MIXUP_CHOICES = (
    ("city_yearbook", "fiscal_expenditure"),
    ("city_yearbook", "deposits"),
    ("city_yearbook", "loans"),
    ("city_yearbook", "gdp_tertiary"),
    ("city_yearbook", "solid_waste_generated"),
    ("city_yearbook", "students_higher_education"),
    ("city_yearbook", "internet_users"),
    ("city_energy", "energy_raw_coal"),
    ("city_energy", "energy_diesel"),
    ("city_energy", "energy_electricity"),
)
_REPEATED = ("land_area", "population_registered", "solid_waste_utilised", "students_higher_education")


#: Indicators of the yearbook whose gaps are drawn one after the other from one stream, in this order.
_ECONOMY = (
    "gdp",
    "gdp_index_prev100",
    "gdp_tertiary",
    "gdp_tertiary_share",
    "population_resident",
    "population_registered",
    "land_area",
    "fiscal_expenditure",
    "science_expenditure",
    "fixed_asset_investment",
    "deposits",
    "loans",
    "trade_total",
    "students_higher_education",
    "solid_waste_generated",
    "solid_waste_utilised",
    "internet_users",
)


def plant_defects(raw: RawTables, world: World, reference: Path) -> list[Defect]:
    """Spoil the tables; returns what was done, in a fixed order."""
    streams = Streams(world.seed)
    found = [
        *_list_layout(),
        *_rename(raw, streams),
        *_list_rows(raw),
        *_register_retroactively(raw, streams),
        *_mix_scopes(raw, streams),
        *_repeat_values(raw, streams),
    ]
    rules = read_reference(reference, "seed_indicator")
    found += _mix_units(raw, streams, rules)
    protected = {(d.source, d.indicator, d.city_code, d.year) for d in found}
    found += _lose_cells(raw, world, streams, protected)
    found += plant_further(raw, world, streams, _ranges(rules))
    return sorted(found, key=lambda d: (d.kind, d.source, d.city_code, d.year, d.indicator))


def _ranges(rules: pd.DataFrame) -> dict[tuple[str, str], tuple[float, float]]:
    """Plausible range (canonical unit) by source and indicator, of ``seed_indicator``."""
    columns = (rules[name] for name in ("source", "indicator", "min_value", "max_value"))
    return {(source, name): (float(low), float(high)) for source, name, low, high in zip(*columns, strict=True)}


def defect_frame(defects: list[Defect]) -> pd.DataFrame:
    """``truth_defect``: one row a defect, numbered in order."""
    rows = [
        (f"D{k:05d}", d.kind, d.source, d.city_code, d.year, d.indicator, d.description)
        for k, d in enumerate(defects, start=1)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _list_layout() -> list[Defect]:
    out = []
    for source in CITY_SOURCES:
        for name in indicators(source):
            parts = spans(source, name)
            for before, after in pairwise(parts):
                text = f"{before.unit} until {before.year_to}, {after.unit} from {after.year_from}"
                out.append(Defect("unit_change", source, "", after.year_from, name, text))
            if parts[-1].year_to < YEARS[-1]:
                text = f"not printed after {parts[-1].year_to}"
                out.append(Defect("series_ended", source, "", parts[-1].year_to + 1, name, text))
    return out


def _rename(raw: RawTables, streams: Streams) -> list[Defect]:
    """Former codes and names are already printed; add province-level codes of municipalities and short names."""
    places = raw.places
    draw = streams.stream("labels")
    out = []
    for i in range(places.count):
        code, name = str(places.code[i]), str(places.name[i])
        old_code = places.exists[i] & (places.former_code[i] != code)
        old_name = places.exists[i] & (places.former_name[i] != name)
        for source in CITY_SOURCES:
            has_row = printed_rows(raw, source)[i]
            if (old_code & has_row).any():
                t = int(np.flatnonzero(old_code & has_row)[-1])
                text = f"{places.former_code[i, t]} {places.former_name[i, t]} until {YEARS[t]}"
                out.append(Defect("code_change", source, code, int(YEARS[t]), "", text))
            if (old_name & ~old_code & has_row).any():
                t = int(np.flatnonzero(old_name & ~old_code & has_row)[-1])
                text = f"{places.former_name[i, t]} until {YEARS[t]}"
                out.append(Defect("former_name", source, code, int(YEARS[t]), "", text))
        if places.is_municipality[i]:
            for source in ("city_energy", "city_firms"):
                last = int(draw.integers(2005, 2015))
                raw.code[source][i, last >= YEARS] = places.province[i]
                out.append(Defect("province_level_code", source, code, last, "", f"{places.province[i]} until {last}"))
        elif not old_name.any() and draw.uniform() < 0.12 and len(name) > 2 and name.endswith("市"):
            raw.label["city_patents"][i, :] = name[:-1]
            out.append(Defect("short_name", "city_patents", code, int(YEARS[0]), "", f"{name[:-1]} for {name}"))
    return out


def _list_rows(raw: RawTables) -> list[Defect]:
    places = raw.places
    out = []
    urban = ~np.isnan(raw.urban["population_resident"])
    revised = ~np.isnan(raw.revised["gdp"])
    for i in range(places.count):
        code = str(places.code[i])
        gone = np.flatnonzero(places.exists[i])[-1]
        if YEARS[gone] < YEARS[-1]:
            text = f"no rows after {YEARS[gone]}"
            out.append(Defect("abolished", "city_yearbook", code, int(YEARS[gone]), "", text))
        if urban[i].any():
            years = ";".join(str(y) for y in YEARS[urban[i]])
            out.append(Defect("urban_rows", "city_yearbook", code, int(YEARS[urban[i]][0]), "", years))
        for census, since in CENSUSES:
            inside = (since <= YEARS) & (census >= YEARS) & revised[i]
            if inside.any():
                text = f"revised figures for {YEARS[inside][0]}-{YEARS[inside][-1]}"
                out.append(Defect("gdp_revision", "city_yearbook", code, census, "gdp", text))
    return out


def _register_retroactively(raw: RawTables, streams: Streams) -> list[Defect]:
    """Firms that changed their business scope later are counted in the year they were founded."""
    draw = streams.stream("retroactive")
    places = raw.places
    registered = raw.printed["city_firms"]["ai_firms_registered"]
    out = []
    for i in sorted(draw.choice(places.count, size=24, replace=False)):
        until = int(draw.integers(2003, 2008))
        for t in np.flatnonzero(places.exists[i] & (until >= YEARS)):
            extra = int(draw.poisson(0.15 * registered[i, t] + 0.2))
            if extra:
                true = int(registered[i, t])
                registered[i, t] += extra
                text = f"{true} firms truly registered, {true + extra} printed"
                out.append(
                    Defect(
                        "retroactive_scope",
                        "city_firms",
                        str(places.code[i]),
                        int(YEARS[t]),
                        "ai_firms_registered",
                        text,
                    )
                )
    return out


def _mix_scopes(raw: RawTables, streams: Streams) -> list[Defect]:
    draw = streams.stream("scopes")
    table = raw.printed["city_yearbook"]
    out = []
    beside = ~np.isnan(raw.urban["fiscal_expenditure"]) & (YEARS > 2003)[None, :]
    for name in ("fiscal_expenditure", "deposits", "internet_users", "solid_waste_utilised"):
        for i, t in pick(draw, beside, 2):
            out.append(
                note(raw, "scope_mixup", "city_yearbook", name, i, t, f"whole city: {number(table[name][i, t])}")
            )
            table[name][i, t] = raw.urban[name][i, t]
    for i, t in pick(draw, ~np.isnan(table["population_resident"]), 10):
        true = table["population_resident"][i, t]
        table["population_resident"][i, t] = table["population_registered"][i, t]
        out.append(
            note(raw, "population_mixup", "city_yearbook", "population_resident", i, t, f"resident: {number(true)}")
        )
    return out


def _repeat_values(raw: RawTables, streams: Streams) -> list[Defect]:
    draw = streams.stream("repeats")
    table = raw.printed["city_yearbook"]
    out = []
    for name in _REPEATED:
        change = np.ones(len(YEARS), dtype=bool)
        change[[s.year_from - YEARS[0] for s in spans("city_yearbook", name)]] = False
        differs = np.zeros(table[name].shape, dtype=bool)
        differs[:, 1:] = np.abs(table[name][:, 1:] - table[name][:, :-1]) > 0
        for i, t in pick(draw, differs & change[None, :], 5):
            true = table[name][i, t]
            table[name][i, t] = table[name][i, t - 1]
            out.append(note(raw, "repeated_value", "city_yearbook", name, i, t, f"true number: {number(true)}"))
    return out


def _mix_units(raw: RawTables, streams: Streams, rules: pd.DataFrame) -> list[Defect]:
    """Single cells in an undeclared unit, and amounts below zero."""
    draw = streams.stream("units")
    limit = {(r.source, r.indicator): float(str(r.max_value)) for r in rules.itertuples()}
    out = []
    for source, name in _MIXUP_CHOICES:
        cells = raw.printed[source][name]
        visible = canonical(source, name, cells) * 1e4 > 2.0 * limit[source, name]
        for i, t in pick(draw, np.nan_to_num(visible).astype(bool) & (YEARS > 2002)[None, :], 1 + (name[0] in "fe")):
            out.append(note(raw, "unit_mixup", source, name, i, t, f"true number: {number(cells[i, t])}"))
            cells[i, t] *= 1e4
    students = raw.printed["city_yearbook"]["students_higher_education"]
    for i, t in pick(draw, (students > 20000) & (students < 2e6) & (YEARS > 2002)[None, :], 3):
        true = students[i, t]
        students[i, t] = np.round(true / 1e4)
        out.append(
            note(
                raw,
                "unit_mixup_hidden",
                "city_yearbook",
                "students_higher_education",
                i,
                t,
                f"true number: {number(true)}",
            )
        )
    science = raw.printed["city_yearbook"]["science_expenditure"]
    for i, t in pick(draw, (science > 10) & (YEARS > 2003)[None, :], 3):
        true = science[i, t]
        science[i, t] = -np.round(true / 50.0)
        out.append(
            note(raw, "impossible_value", "city_yearbook", "science_expenditure", i, t, f"true number: {number(true)}")
        )
    return out


def _lose_cells(raw: RawTables, world: World, streams: Streams, protected: Cells) -> list[Defect]:
    """Empty cells, not at random: poor places and bad years report less; the dirtiest places hide their fuels."""
    draw = streams.stream("missing")
    places = raw.places
    income = np.log(world.gdp_real[:, [3]] / world.quantity["population_resident"][:, [3]])
    poor = 1.0 / (1.0 + np.exp(1.2 * (income - np.median(income)) / income.std()))
    dirty = np.argsort(np.argsort(-world.co2_mt / world.gdp_real, axis=0), axis=0) < places.count // 5
    usual = dict.fromkeys(_ECONOMY, 0.006)
    usual |= {"gdp": 0.0, "gdp_index_prev100": 0.001, "gdp_tertiary": 0.004, "population_resident": 0.004}
    usual |= {"solid_waste_generated": 0.012, "solid_waste_utilised": 0.015, "internet_users": 0.010}
    out = []
    for name, rate in usual.items():
        out += empty_runs(raw, draw, "city_yearbook", (name,), rate * 4.0 * poor, protected)
        out += trim_edges(raw, draw, "city_yearbook", (name,), 6.0 * rate * poor[:, 0])
    energy = tuple(indicators("city_energy"))
    chance = 0.006 * poor + 0.015 * dirty
    out += empty_runs(raw, draw, "city_energy", energy, chance, protected)
    out += trim_edges(raw, draw, "city_energy", energy, 0.06 * poor[:, 0])
    return out


def count_kinds(defects: list[Defect]) -> dict[str, int]:
    """Number of defects by kind, in the order of ``KINDS``."""
    return {kind: sum(d.kind == kind for d in defects) for kind in KINDS}
