"""What makes the provincial tables hard to use, each defect listed with its place, as ``defects`` does for the cities.

The kinds are those of ``defects.KINDS``; the column ``city_code`` of the list holds the province.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from analysis_py.simulate.places import YEARS
from analysis_py.simulate.province_layout import EMISSIONS, ENERGY, NATION, SECTORS, YEARBOOK, indicators, spans
from analysis_py.simulate.province_quantities import Provinces
from analysis_py.simulate.streams import Streams

COLUMNS = ["kind", "source", "city_code", "year", "indicator", "description"]
Tables = dict[str, dict[str, np.ndarray]]
_Row = tuple[str, str, str, int, str, str]

#: Cells printed 10,000 times too large: outside the plausible range of the indicator.
_MIXUPS = (
    (YEARBOOK, "population_resident"),
    (YEARBOOK, "loans"),
    (ENERGY, "energy_electricity"),
    (ENERGY, "energy_diesel"),
    (SECTORS, "energy_raw_coal_industry"),
)
_REPEATED = ((YEARBOOK, "employment_secondary"), (ENERGY, "energy_gasoline"))
#: Indicator -> chance that a gap begins in a province-year; the poorer and the smaller report less.
_GAPS = {
    (YEARBOOK, "employment_primary"): 0.010,
    (YEARBOOK, "employment_tertiary"): 0.006,
    (YEARBOOK, "population_urban"): 0.012,
    (YEARBOOK, "fixed_capital_formation"): 0.006,
    (YEARBOOK, "pollution_control_investment"): 0.020,
    (YEARBOOK, "software_revenue"): 0.025,
    (YEARBOOK, "information_investment"): 0.015,
    (YEARBOOK, "new_product_revenue"): 0.020,
    (ENERGY, "energy_lpg"): 0.020,
    (ENERGY, "energy_kerosene"): 0.015,
    (ENERGY, "heat_purchased"): 0.020,
    (SECTORS, "energy_diesel_construction"): 0.015,
    (EMISSIONS, "co2_scope3_reported"): 0.015,
}


def plant_province_defects(tables: Tables, provinces: Provinces, streams: Streams) -> pd.DataFrame:
    """Spoil the printed tables (P, T) in place; returns the list in the order of its columns."""
    draw = streams.stream("province_defects")
    rows = [*_list_layout(), *_mix_units(tables, provinces, draw), *_make_impossible(tables, provinces, draw)]
    rows += _repeat(tables, provinces, draw)
    spoilt = {(source, name, code) for _, source, code, _, name, _ in rows}
    rows += _lose_cells(tables, provinces, draw, spoilt)
    return pd.DataFrame(sorted(rows), columns=COLUMNS)


def _list_layout() -> list[_Row]:
    out: list[_Row] = []
    for source in (YEARBOOK, ENERGY, SECTORS, EMISSIONS, NATION):
        for name in indicators(source):
            parts = spans(source, name)
            for before, after in pairwise(parts):
                if before.unit != after.unit:
                    text = f"{before.unit} until {before.year_to}, {after.unit} from {after.year_from}"
                    out.append(("unit_change", source, "", after.year_from, name, text))
            if parts[-1].year_to < YEARS[-1]:
                text = f"not printed after {parts[-1].year_to}"
                out.append(("series_ended", source, "", parts[-1].year_to + 1, name, text))
    return out


def _mix_units(tables: Tables, provinces: Provinces, draw: np.random.Generator) -> list[_Row]:
    out = []
    for source, name in _MIXUPS:
        cells = tables[source][name]
        # the smallest values stay inside the range even 10,000 times too large
        large = cells > np.nanquantile(cells, 0.25)
        for i, t in _pick(draw, large & (YEARS > 2002)[None, :], 1):
            out.append(_row("unit_mixup", source, provinces, i, t, name, f"true number: {_number(cells[i, t])}"))
            cells[i, t] *= 1e4
    return out


def _make_impossible(tables: Tables, provinces: Provinces, draw: np.random.Generator) -> list[_Row]:
    """An amount below zero; and a price index printed as growth in percent."""
    out = []
    cells = tables[YEARBOOK]["pollution_control_investment"]
    for i, t in _pick(draw, (cells > 0) & (YEARS > 2003)[None, :], 2):
        text = f"true number: {_number(cells[i, t])}"
        out.append(_row("impossible_value", YEARBOOK, provinces, i, t, "pollution_control_investment", text))
        cells[i, t] = -cells[i, t]
    index = tables[YEARBOOK]["fixed_asset_price_index"]
    for i, t in _pick(draw, (index > 100.5) & (YEARS > 2003)[None, :] & (YEARS < 2019)[None, :], 1):
        text = f"growth in percent instead of the index {_number(index[i, t])}"
        out.append(_row("impossible_value", YEARBOOK, provinces, i, t, "fixed_asset_price_index", text))
        index[i, t] = np.round(index[i, t] - 100.0, 1)
    return out


def _repeat(tables: Tables, provinces: Provinces, draw: np.random.Generator) -> list[_Row]:
    out = []
    for source, name in _REPEATED:
        cells = tables[source][name]
        differs = np.zeros(cells.shape, dtype=bool)
        differs[:, 1:] = np.abs(cells[:, 1:] - cells[:, :-1]) > 0
        for span in spans(source, name)[1:]:
            differs[:, span.year_from == YEARS] = False
        for i, t in _pick(draw, differs, 2):
            out.append(_row("repeated_value", source, provinces, i, t, name, f"true number: {_number(cells[i, t])}"))
            cells[i, t] = cells[i, t - 1]
    return out


def _lose_cells(
    tables: Tables, provinces: Provinces, draw: np.random.Generator, spoilt: set[tuple[str, str, str]]
) -> list[_Row]:
    """Empty cells, not at random: gaps inside a series, more of them where little is produced."""
    output = provinces.quantity[YEARBOOK]["gdp"].mean(axis=1)
    small = 1.6 - 1.2 * np.argsort(np.argsort(output)) / (len(output) - 1.0)
    out = []
    for (source, name), chance in _GAPS.items():
        cells = tables[source][name]
        start = draw.uniform(size=cells.shape) < chance * small[:, None]
        length = draw.choice([1, 2, 3, 5], p=[0.6, 0.2, 0.12, 0.08], size=cells.shape)
        for i, t in zip(*np.nonzero(start), strict=True):
            stop = int(t + length[i, t])
            inside = t > 0 and stop < len(YEARS) and not np.isnan(cells[i, t - 1 : stop + 1]).any()
            if not inside or (source, name, provinces.code[i]) in spoilt:
                continue
            cells[i, t:stop] = np.nan
            text = f"empty {YEARS[t]}-{YEARS[stop - 1]}"
            out.append(_row("missing", source, provinces, int(i), int(t), name, text))
    return out


def _pick(draw: np.random.Generator, allowed: np.ndarray, count: int) -> list[tuple[int, int]]:
    cells = np.argwhere(allowed)
    chosen = draw.choice(len(cells), size=min(count, len(cells)), replace=False)
    return [(int(cells[k, 0]), int(cells[k, 1])) for k in sorted(chosen)]


def _row(kind: str, source: str, provinces: Provinces, i: int, t: int, name: str, text: str) -> _Row:
    return kind, source, provinces.code[i], int(YEARS[t]), name, text


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")
