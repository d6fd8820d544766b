"""How the demo's provincial and national yearbooks print each indicator: unit and decimals, by years.

The same idea as ``layout`` for the cities: ``raw_layout.csv`` says what stands here. Arrays are (P, T) by province and
year, 2000-2023; the national table is one more such array with a single row.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from analysis_py.simulate.layout import Span
from analysis_py.simulate.places import FIRST_YEAR, LAST_YEAR, YEARS

YEARBOOK, ENERGY, SECTORS, EMISSIONS, NATION = (
    "province_yearbook",
    "province_energy",
    "province_sectors",
    "province_emissions",
    "national_yearbook",
)
#: Fuels of the province study in the order of ``seed_study_fuel``.
FUELS = ("raw_coal", "coke", "crude_oil", "gasoline", "kerosene", "diesel", "fuel_oil", "lpg", "natural_gas")
SECTOR_NAMES = ("industry", "transport", "construction")


def _whole(source: str, indicator: str, unit: str, decimals: int, basis: str = "", note: str = "") -> list[Span]:
    return [Span(source, indicator, FIRST_YEAR, LAST_YEAR, unit, decimals, unit, basis, note)]


def _changed(
    source: str, indicator: str, early: tuple[str, int], last_early: int, late: tuple[str, int], canonical: str
) -> list[Span]:
    return [
        Span(source, indicator, FIRST_YEAR, last_early, early[0], early[1], canonical, note="older layout"),
        Span(source, indicator, last_early + 1, LAST_YEAR, late[0], late[1], canonical, note="newer layout"),
    ]


def _fuel_unit(fuel: str) -> str:
    return "yi_m3" if fuel == "natural_gas" else "10k_t"


#: Beyond the GDP and the growth index of the provinces, which ``layout`` has.
PROVINCE_LAYOUT: tuple[Span, ...] = (
    *_whole(YEARBOOK, "gdp_primary", "yi_yuan", 2),
    *_whole(YEARBOOK, "gdp_secondary", "yi_yuan", 2),
    *_whole(YEARBOOK, "gdp_tertiary", "yi_yuan", 2),
    *_whole(YEARBOOK, "industrial_value_added", "yi_yuan", 2),
    *_whole(YEARBOOK, "employment", "10k_persons", 2),
    *_whole(YEARBOOK, "employment_primary", "10k_persons", 2),
    *_whole(YEARBOOK, "employment_secondary", "10k_persons", 2),
    *_whole(YEARBOOK, "employment_tertiary", "10k_persons", 2),
    *_whole(YEARBOOK, "population_resident", "10k_persons", 2, "resident"),
    *_whole(YEARBOOK, "population_urban", "10k_persons", 2, "", "part of the residents"),
    *_whole(YEARBOOK, "land_area", "km2", 0),
    *_whole(YEARBOOK, "loans", "yi_yuan", 2),
    *_changed(YEARBOOK, "fiscal_expenditure", ("10k_yuan", 0), 2006, ("yi_yuan", 2), "yi_yuan"),
    *_changed(YEARBOOK, "trade_total", ("10k_usd", 0), 2016, ("million_usd", 2), "10k_usd"),
    Span(
        YEARBOOK,
        "fixed_capital_formation",
        FIRST_YEAR,
        2017,
        "yi_yuan",
        2,
        "yi_yuan",
        note="not printed after 2017",
    ),
    Span(YEARBOOK, "fixed_asset_investment", FIRST_YEAR, 2017, "yi_yuan", 2, "yi_yuan", note="not printed after 2017"),
    Span(
        YEARBOOK,
        "fixed_asset_investment_growth",
        2018,
        LAST_YEAR,
        "growth_pct",
        1,
        "growth_pct",
        note="instead of the amount",
    ),
    Span(
        YEARBOOK,
        "fixed_asset_price_index",
        FIRST_YEAR,
        2019,
        "index_prev100",
        1,
        "index_prev100",
        note="not printed after 2019",
    ),
    Span(YEARBOOK, "pollution_control_investment", FIRST_YEAR, LAST_YEAR, "10k_yuan", 1, "yi_yuan"),
    *_whole(YEARBOOK, "green_patent_applications", "count", 0),
    *_whole(YEARBOOK, "internet_users", "10k_households", 2),
    *_changed(YEARBOOK, "software_revenue", ("10k_yuan", 0), 2012, ("yi_yuan", 2), "yi_yuan"),
    *_whole(YEARBOOK, "information_investment", "yi_yuan", 2),
    *_changed(YEARBOOK, "new_product_revenue", ("10k_yuan", 0), 2010, ("yi_yuan", 2), "yi_yuan"),
    *[span for fuel in FUELS for span in _whole(ENERGY, f"energy_{fuel}", _fuel_unit(fuel), 2)],
    *_whole(ENERGY, "energy_electricity", "yi_kwh", 2),
    *_whole(ENERGY, "energy_total", "10k_tce", 2),
    *_whole(ENERGY, "electricity_purchased", "yi_kwh", 2),
    *_whole(ENERGY, "heat_purchased", "10k_gj", 2),
    *[
        span
        for sector in SECTOR_NAMES
        for fuel in FUELS
        for span in _whole(SECTORS, f"energy_{fuel}_{sector}", _fuel_unit(fuel), 2)
    ],
    *_whole(EMISSIONS, "co2_ceads", "mt", 2),
    *_whole(EMISSIONS, "co2_scope3_reported", "mt", 2),
    *_changed(NATION, "internet_users", ("10k_households", 1), 2010, ("10k_households", 2), "10k_households"),
    *_whole(NATION, "energy_electricity", "yi_kwh", 2),
)


def spans(source: str, indicator: str) -> list[Span]:
    """Spans of one indicator, by year; empty for an unknown one."""
    return [s for s in PROVINCE_LAYOUT if s.source == source and s.indicator == indicator]


def indicators(source: str) -> list[str]:
    """Indicators of a source in printed order."""
    return list(dict.fromkeys(s.indicator for s in PROVINCE_LAYOUT if s.source == source))


def printed(source: str, indicator: str, values: np.ndarray) -> np.ndarray:
    """Values in canonical units (P, T) as printed: unit of the year, rounded; NaN in years without the indicator."""
    out = np.full(values.shape, np.nan)
    for span in spans(source, indicator):
        inside = (span.year_from <= YEARS) & (span.year_to >= YEARS)
        out[..., inside] = np.round(values[..., inside] * span.factor, span.decimals)
    return out


def quantise(source: str, indicator: str, values: np.ndarray) -> np.ndarray:
    """World values as a reader of the yearbook could know them; years no longer printed keep four decimals."""
    out = np.round(values, 4)
    for span in spans(source, indicator):
        inside = (span.year_from <= YEARS) & (span.year_to >= YEARS)
        out[..., inside] = np.round(values[..., inside] * span.factor, span.decimals) / span.factor
    return out


def text_columns(source: str, numbers: dict[str, np.ndarray]) -> dict[str, list[str]]:
    """Printed numbers (P, T) by indicator as text in row-major order: no trailing zeros, empty for NaN."""
    out: dict[str, list[str]] = {}
    for name in indicators(source):
        places = np.zeros(len(YEARS), dtype=int)
        for span in spans(source, name):
            places[(span.year_from <= YEARS) & (span.year_to >= YEARS)] = span.decimals
        grid = numbers[name]
        out[name] = [_text(grid[i, t], int(places[t])) for i in range(len(grid)) for t in range(len(YEARS))]
    return out


def _text(value: float, decimals: int) -> str:
    if np.isnan(value):
        return ""
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def layout_rows(sources: Iterable[str]) -> pd.DataFrame:
    """Rows of ``raw_layout`` for these sources, in the order of its key."""
    columns = ["source", "indicator", "year_from", "year_to", "unit", "population_basis", "note"]
    chosen = [s for s in PROVINCE_LAYOUT if s.source in set(sources)]
    rows = [(s.source, s.indicator, s.year_from, s.year_to, s.unit, s.population_basis, s.note) for s in chosen]
    return pd.DataFrame(rows, columns=columns).sort_values(columns[:3], kind="stable").reset_index(drop=True)
