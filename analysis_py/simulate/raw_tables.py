"""Inverse measurement: from the true world to the tables a statistician would have printed, before anything is spoilt.

Tables are kept as (N, T) arrays of printed numbers by source and indicator; ``frames`` lays them out as the wide CSV
tables of the raw contract.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis_py.simulate.layout import (
    HISTORY_YEAR,
    LAYOUT,
    UNIT_FACTOR,
    decimals,
    indicators,
    printed,
    round_printed,
    spans,
)
from analysis_py.simulate.places import SANSHA, YEARS, Places
from analysis_py.simulate.process import autoregress
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.world import World

#: Economic censuses and the first year each revision reaches back to.
CENSUSES = ((2004, 2000), (2008, 2005), (2013, 2009), (2018, 2014))
REVISED = ("gdp", "gdp_primary", "gdp_secondary", "gdp_tertiary")
CITY_SOURCES = (
    "city_yearbook",
    "city_energy",
    "city_firms",
    "city_patents",
    "city_emissions",
    "city_construction",
    "city_digital",
    "city_green_finance",
    "city_reports",
)
URBAN_SHARE = 0.2
_INTENSIVE = ("gdp_index_prev100", "fixed_asset_investment_growth")
#: Sources that print numbers of the island city too; of the yearbook some indicators.
_ISLAND_SOURCES = ("city_firms", "city_patents")
_ISLAND_INDICATORS = ("population_resident", "population_registered", "land_area", "fiscal_expenditure")


@dataclass
class RawTables:
    """Printed numbers by source and indicator, (N, T) each; NaN = empty cell.

    ``revised`` and ``urban`` hold the extra rows of the yearbook; ``code`` and ``label`` are the code and name printed
    in each (source, place, year); ``history`` is the cross section of 1984, (N,) by indicator.
    """

    places: Places
    printed: dict[str, dict[str, np.ndarray]]
    revised: dict[str, np.ndarray]
    urban: dict[str, np.ndarray]
    province: pd.DataFrame
    history: dict[str, np.ndarray]
    code: dict[str, np.ndarray] = field(default_factory=dict)
    label: dict[str, np.ndarray] = field(default_factory=dict)


def build_raw_tables(world: World) -> RawTables:
    """Print the world: every table complete and right, with revisions and urban-district rows beside."""
    places = world.places
    streams = Streams(world.seed)
    quantity = dict(world.quantity)
    gap = _draw_revisions(places, streams)
    first = dict(quantity)
    first["gdp"] = quantity["gdp"] / (1.0 + gap)
    first["gdp_tertiary"] = quantity["gdp_tertiary"] / (1.0 + 1.5 * gap)
    first["gdp_tertiary_share"] = 100.0 * first["gdp_tertiary"] / first["gdp"]
    goods = [printed("city_yearbook", name, first[name]) for name in ("gdp", "gdp_tertiary", "gdp_primary")]
    first["co2_ceads"] = _draw_inventory(places, streams, world.co2_mt)
    table = {
        source: {name: printed(source, name, first[name]) for name in indicators(source)} for source in CITY_SOURCES
    }
    # the sectors add up to the first figure of GDP as well, to the digit printed
    table["city_yearbook"]["gdp_secondary"] = round_printed(
        "city_yearbook", "gdp_secondary", goods[0] - goods[1] - goods[2]
    )
    _clear_nonexistent(places, table)
    revised = {
        name: np.where((gap != 0.0) & places.exists, printed("city_yearbook", name, quantity[name]), np.nan)
        for name in REVISED
    }
    raw = RawTables(
        places=places,
        printed=table,
        revised=revised,
        urban=_draw_urban(places, streams, table["city_yearbook"]),
        province=sum_provinces(world, streams),
        history={name: values.copy() for name, values in world.history.items()},
        code={s: places.former_code.copy() for s in CITY_SOURCES},
        label={s: places.former_name.copy() for s in CITY_SOURCES},
    )
    return raw


def _clear_nonexistent(places: Places, table: dict[str, dict[str, np.ndarray]]) -> None:
    """Empty the cells of places that did not exist; the island city reports people, land, firms and patents only."""
    sansha = places.position(SANSHA)
    for source, columns in table.items():
        for name, values in columns.items():
            values[~places.exists] = np.nan
            if source not in _ISLAND_SOURCES and name not in _ISLAND_INDICATORS:
                values[sansha] = np.nan


def _draw_revisions(places: Places, streams: Streams) -> np.ndarray:
    """(N, T) share by which census revisions raised GDP; 0 where the province printed no revision."""
    draw = streams.stream("revisions")
    gap = np.zeros((places.count, len(YEARS)))
    codes = sorted(places.province_name)
    for census, since in CENSUSES:
        inside = (since <= YEARS) & (census >= YEARS)
        revises = draw.uniform(size=len(codes)) < 0.6
        mean = draw.uniform(0.01, 0.08, len(codes))
        own = draw.normal(0.0, 0.012, places.count)
        for k, code in enumerate(codes):
            member = places.province == code
            if revises[k]:
                size = np.maximum(mean[k] + own[member], 0.002)[:, None]
                ramp = ((YEARS[inside] - since + 1.0) / (census - since + 1.0))[None, :]
                gap[np.ix_(member, inside)] = size * ramp
    return gap


def _draw_inventory(places: Places, streams: Streams, co2_mt: np.ndarray) -> np.ndarray:
    """An outside inventory to 2019: true emissions with a city's own bias and noise, for some cities in some years."""
    draw = streams.stream("inventory")
    bias = draw.normal(0.05, 0.15, places.count)[:, None]
    values = co2_mt * np.exp(bias + 0.08 * autoregress(draw, co2_mt.shape, 0.6))
    covered = draw.uniform(size=places.count) < 0.87
    chance = draw.uniform(0.45, 1.0, places.count)[:, None] + 0.02 * (YEARS - 2012.0)[None, :]
    seen = covered[:, None] & (draw.uniform(size=co2_mt.shape) < chance) & (YEARS <= 2019)[None, :]
    return np.where(seen, values, np.nan)


def _draw_urban(places: Places, streams: Streams, yearbook: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rows of the urban districts in a share of the city-years: parts of the totals, NaN where there is no row."""
    draw = streams.stream("urban")
    shape = places.exists.shape
    row = (draw.uniform(size=shape) < URBAN_SHARE) & places.exists
    row[places.position(SANSHA)] = False
    part = draw.uniform(0.25, 0.75, places.count)[:, None]
    out: dict[str, np.ndarray] = {}
    for name, values in yearbook.items():
        urban: np.ndarray
        lean = np.exp(draw.normal(0.0, 0.12, shape))
        if name in _INTENSIVE:
            urban = values + draw.normal(0.3, 0.8, shape)
        elif name == "gdp_tertiary_share":
            urban = np.minimum(values * lean * 1.08, 96.0)
        else:
            urban = values * np.minimum(part * lean, 0.95)
        out[name] = np.where(row, round_printed("city_yearbook", name, urban), np.nan)
    _balance_urban(out)
    return out


def _balance_urban(urban: dict[str, np.ndarray]) -> None:
    """Sectors of the urban districts: little farming, and industry what is left of GDP (NaN where nothing would be)."""
    goods = urban["gdp"] - urban["gdp_tertiary"]
    primary = round_printed("city_yearbook", "gdp_primary", np.minimum(0.35 * urban["gdp_primary"], 0.5 * goods))
    secondary = round_printed("city_yearbook", "gdp_secondary", goods - primary)
    left = goods > 0
    urban["gdp_primary"] = np.where(left, primary, np.nan)
    urban["gdp_secondary"] = np.where(left, secondary, np.nan)


def sum_provinces(world: World, streams: Streams) -> pd.DataFrame:
    """Province GDP (final figures) = its cities plus small noise; growth = GDP-weighted growth of its cities."""
    draw = streams.stream("province")
    places = world.places
    gdp = np.where(places.exists, world.quantity["gdp"], 0.0)
    index = world.quantity["gdp_index_prev100"]
    rows = []
    for code in sorted(places.province_name):
        member = places.province == code
        noise = np.round(draw.normal(0.0, 0.003, len(YEARS)), 5)
        for t, year in enumerate(YEARS):
            total = gdp[member, t].sum()
            weight = gdp[member, max(t - 1, 0)]
            growth = (weight * index[member, t]).sum() / weight.sum()
            rows.append(
                (code, places.province_name[code], int(year), round(total * (1 + noise[t]), 2), round(growth, 1))
            )
    return pd.DataFrame(rows, columns=["province_code", "province_name", "year", "gdp", "gdp_index_prev100"])


def frames(raw: RawTables) -> dict[str, pd.DataFrame]:
    """The tables of the raw contract by file stem, rows in key order, cells as text in yearbook digits."""
    out = {f"raw_{source}": _city_frame(raw, source) for source in CITY_SOURCES}
    province = raw.province.copy()
    province["gdp"] = [_text(v, 2) for v in province["gdp"]]
    province["gdp_index_prev100"] = [_text(v, 1) for v in province["gdp_index_prev100"]]
    out["raw_province_yearbook"] = province
    out["raw_city_history"] = _history_frame(raw)
    out["raw_layout"] = layout_frame()
    return out


def _city_frame(raw: RawTables, source: str) -> pd.DataFrame:
    names = indicators(source)
    blocks = [_rows(raw, source, raw.printed[source], names, "whole_city", "first")]
    if source == "city_yearbook":
        blocks.append(_rows(raw, source, raw.urban, names, "urban_districts", "first"))
        empty = {name: np.full(raw.places.exists.shape, np.nan) for name in names}
        blocks.append(_rows(raw, source, empty | raw.revised, names, "whole_city", "revised"))
    frame = pd.concat(blocks, ignore_index=True)
    keys = ["city_code", "year", "area_scope", "vintage"]
    frame = frame.sort_values(keys, kind="stable").reset_index(drop=True)
    if source != "city_yearbook":
        frame = frame.drop(columns=["area_scope", "vintage"])
    return frame


def _history_frame(raw: RawTables) -> pd.DataFrame:
    """The cross section of 1984: one row a city with a number, under the code and name the place had before 2000."""
    names = indicators("city_history")
    places = raw.places
    kept = np.any([~np.isnan(raw.history[n]) for n in names], axis=0) & places.exists[:, 0]
    data: dict[str, object] = {
        "city_code": places.former_code[kept, 0],
        "city_name": places.former_name[kept, 0],
        "year": HISTORY_YEAR,
    }
    for name in names:
        data[name] = [_text(v, 0) for v in raw.history[name][kept]]
    return pd.DataFrame(data).sort_values("city_code", kind="stable")


def printed_rows(raw: RawTables, source: str) -> np.ndarray:
    """(N, T): the source prints a row, from its first year on; inventories have rows only where they have a number."""
    names = indicators(source)
    if source == "city_emissions":
        return raw.places.exists & np.any([~np.isnan(raw.printed[source][n]) for n in names], axis=0)
    first = min(spans(source, name)[0].year_from for name in names)
    return raw.places.exists & (first <= YEARS)[None, :]


def _rows(
    raw: RawTables, source: str, columns: dict[str, np.ndarray], names: list[str], scope: str, vintage: str
) -> pd.DataFrame:
    """One block of rows: those the source prints; of the extra blocks those with a number."""
    if (scope, vintage) == ("whole_city", "first"):
        keep = printed_rows(raw, source)
    else:
        keep = raw.places.exists & np.any([~np.isnan(columns[n]) for n in names], axis=0)
    i, t = np.nonzero(keep)
    data: dict[str, object] = {
        "city_code": raw.code[source][i, t],
        "city_name": raw.label[source][i, t],
        "year": YEARS[t],
        "area_scope": scope,
        "vintage": vintage,
    }
    for name in names:
        per_cell = decimals(source, name)[t]
        data[name] = [_text(v, d) for v, d in zip(columns[name][i, t], per_cell, strict=True)]
    return pd.DataFrame(data)


def _text(value: float, decimals: int) -> str:
    """A number in at most ``decimals`` decimals without trailing zeros, as yearbook files hold it; empty for NaN."""
    if np.isnan(value):
        return ""
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def layout_frame() -> pd.DataFrame:
    """``raw_layout``: unit of each indicator by years."""
    unknown = sorted({s.unit for s in LAYOUT} - set(UNIT_FACTOR))
    if unknown:
        raise ValueError(f"layout names units without a factor: {unknown}")
    columns = ["source", "indicator", "year_from", "year_to", "unit", "population_basis", "note"]
    rows = [(s.source, s.indicator, s.year_from, s.year_to, s.unit, s.population_basis, s.note) for s in LAYOUT]
    return pd.DataFrame(rows, columns=columns).sort_values(["source", "indicator", "year_from"], kind="stable")
