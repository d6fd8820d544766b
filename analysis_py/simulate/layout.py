"""How the demo yearbooks print each indicator: unit and decimals, by years.

The layout is what ``raw_layout.csv`` says. ``printed`` and ``canonical`` are the two directions between a world value
in the indicator's canonical unit and the number that stands in the yearbook.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_py.simulate.places import FIRST_YEAR, LAST_YEAR, YEARS

#: Year of the historical cross section.
HISTORY_YEAR = 1984

#: Factor to the base unit of each unit used here (the same factors as ``seed_unit.csv``; a test compares them).
UNIT_FACTOR = {
    "10k_yuan": 1e4,
    "yi_yuan": 1e8,
    "index_prev100": 1.0,
    "pct": 0.01,
    "10k_persons": 1e4,
    "persons": 1.0,
    "km2": 1.0,
    "10k_usd": 1e4,
    "million_usd": 1e6,
    "t": 1.0,
    "10k_t": 1e4,
    "mt": 1e6,
    "households": 1.0,
    "10k_households": 1e4,
    "10k_m3": 1e4,
    "yi_m3": 1e8,
    "10k_kwh": 1e4,
    "yi_kwh": 1e8,
    "count": 1.0,
    "growth_pct": 1.0,
    "tce": 1.0,
    "10k_tce": 1e4,
    "10k_gj": 1e4,
    "share": 1.0,
    "km": 1.0,
    "users": 1.0,
    "10k_users": 1e4,
    "pflops": 1.0,
    "points": 1.0,
}


@dataclass(frozen=True)
class Span:
    """One indicator in one span of years: the unit printed, its decimals, and the canonical unit of the warehouse."""

    source: str
    indicator: str
    year_from: int
    year_to: int
    unit: str
    decimals: int
    canonical: str
    population_basis: str = ""
    note: str = ""

    @property
    def factor(self) -> float:
        """Printed number per canonical number."""
        return UNIT_FACTOR[self.canonical] / UNIT_FACTOR[self.unit]


def _whole(
    source: str,
    indicator: str,
    unit: str,
    decimals: int,
    basis: str = "",
    note: str = "",
    *,
    canonical: str = "",
    since: int = FIRST_YEAR,
) -> list[Span]:
    return [Span(source, indicator, since, LAST_YEAR, unit, decimals, canonical or unit, basis, note)]


def _changed(
    source: str,
    indicator: str,
    early: tuple[str, int],
    last_early: int,
    late: tuple[str, int],
    canonical: str,
    *,
    since: int = FIRST_YEAR,
) -> list[Span]:
    return [
        Span(source, indicator, since, last_early, early[0], early[1], canonical, note="older layout"),
        Span(source, indicator, last_early + 1, LAST_YEAR, late[0], late[1], canonical, note="newer layout"),
    ]


def _yearbook() -> list[Span]:
    y = "city_yearbook"
    return [
        *_changed(y, "gdp", ("10k_yuan", 0), 2016, ("yi_yuan", 2), "yi_yuan"),
        *_whole(y, "gdp_index_prev100", "index_prev100", 1, note="at comparable prices"),
        *_changed(y, "gdp_tertiary", ("10k_yuan", 0), 2016, ("yi_yuan", 2), "yi_yuan"),
        *_whole(y, "gdp_tertiary_share", "pct", 2),
        *_whole(y, "population_resident", "10k_persons", 2, "resident"),
        *_whole(y, "population_registered", "10k_persons", 2, "registered"),
        *_whole(y, "land_area", "km2", 0),
        Span(y, "fiscal_expenditure", FIRST_YEAR, LAST_YEAR, "10k_yuan", 0, "yi_yuan"),
        Span(y, "science_expenditure", FIRST_YEAR, LAST_YEAR, "10k_yuan", 0, "yi_yuan"),
        Span(y, "fixed_asset_investment", FIRST_YEAR, 2017, "10k_yuan", 0, "yi_yuan", note="not printed after 2017"),
        *_changed(y, "deposits", ("10k_yuan", 0), 2016, ("yi_yuan", 2), "yi_yuan"),
        *_changed(y, "loans", ("10k_yuan", 0), 2016, ("yi_yuan", 2), "yi_yuan"),
        *_changed(y, "trade_total", ("10k_usd", 0), 2016, ("million_usd", 2), "10k_usd"),
        *_whole(y, "students_higher_education", "persons", 0),
        *_changed(y, "solid_waste_generated", ("t", 0), 2010, ("10k_t", 2), "10k_t"),
        *_changed(y, "solid_waste_utilised", ("t", 0), 2010, ("10k_t", 2), "10k_t"),
        *_changed(y, "internet_users", ("households", 0), 2010, ("10k_households", 2), "10k_households"),
        *_changed(y, "gdp_primary", ("10k_yuan", 0), 2016, ("yi_yuan", 2), "yi_yuan"),
        *_changed(y, "gdp_secondary", ("10k_yuan", 0), 2016, ("yi_yuan", 2), "yi_yuan"),
        *_changed(y, "employees", ("10k_persons", 2), 2016, ("persons", 0), "10k_persons"),
        *_whole(y, "fixed_asset_investment_growth", "growth_pct", 1, note="instead of the amount", since=2018),
        *_whole(y, "education_expenditure", "10k_yuan", 0, canonical="yi_yuan"),
        *_whole(y, "highway_mileage", "km", 0),
        *_changed(y, "industrial_wastewater", ("t", 0), 2002, ("10k_t", 2), "10k_t"),
        *_whole(y, "industrial_so2", "t", 0),
        *_changed(y, "industrial_soot_dust", ("10k_t", 4), 2010, ("t", 0), "t"),
    ]


def _energy() -> list[Span]:
    e = "city_energy"
    return [
        *_whole(e, "energy_raw_coal", "10k_t", 4),
        *_whole(e, "energy_coke", "10k_t", 2),
        *_whole(e, "energy_crude_oil", "10k_t", 2),
        *_changed(e, "energy_gasoline", ("t", 0), 2009, ("10k_t", 2), "10k_t"),
        *_changed(e, "energy_kerosene", ("t", 0), 2009, ("10k_t", 2), "10k_t"),
        *_changed(e, "energy_diesel", ("t", 0), 2009, ("10k_t", 2), "10k_t"),
        *_changed(e, "energy_fuel_oil", ("t", 0), 2009, ("10k_t", 2), "10k_t"),
        *_changed(e, "energy_natural_gas", ("10k_m3", 0), 2012, ("yi_m3", 4), "yi_m3"),
        *_changed(e, "energy_electricity", ("10k_kwh", 0), 2016, ("yi_kwh", 2), "yi_kwh"),
        *_changed(e, "energy_lpg", ("t", 0), 2009, ("10k_t", 2), "10k_t"),
        *_changed(e, "energy_total", ("tce", 0), 2005, ("10k_tce", 2), "10k_tce"),
    ]


def _construction() -> list[Span]:
    c = "city_construction"
    return [
        *_whole(c, "green_coverage", "pct", 2, note="built-up area"),
        *_whole(c, "environmental_infrastructure_investment", "10k_yuan", 0, canonical="yi_yuan"),
        *_changed(c, "household_water_use", ("t", 0), 2001, ("10k_t", 2), "10k_t"),
        *_whole(c, "household_lpg_use", "t", 0),
        *_whole(c, "buses", "count", 0),
        *_whole(c, "sewage_treatment_rate", "pct", 2),
        *_whole(c, "waste_treatment_rate", "pct", 2),
    ]


def _digital() -> list[Span]:
    d = "city_digital"
    return [
        *_changed(d, "mobile_subscribers", ("users", 0), 2010, ("10k_users", 2), "10k_users"),
        *_changed(d, "telecom_revenue", ("10k_yuan", 0), 2016, ("yi_yuan", 2), "yi_yuan"),
        *_whole(d, "base_stations", "count", 0, since=2006),
        *_whole(d, "data_centre_racks", "count", 0, since=2010),
        *_whole(d, "computing_power", "pflops", 2, since=2010),
        *_whole(d, "digital_finance_index", "points", 2, since=2011),
        *_whole(d, "digital_enterprises", "count", 0),
    ]


def _green_finance() -> list[Span]:
    g = "city_green_finance"
    return [
        *_changed(g, "green_credit", ("share", 6), 2012, ("pct", 4), "pct", since=2004),
        *(
            span
            for part in ("investment", "support", "insurance", "bonds", "funds", "equity")
            for span in _whole(g, f"green_{part}", "pct", 4, since=2004)
        ),
    ]


def _patents() -> list[Span]:
    p = "city_patents"
    kinds = ("invention", "utility_model", "design")
    names = (
        "green_patent_applications",
        *(f"ai_{kind}_applications" for kind in kinds),
        *(f"ai_{kind}_applications_single" for kind in kinds),
        "green_patent_upstream",
        "green_patent_end_of_pipe",
    )
    return [span for name in names for span in _whole(p, name, "count", 0)]


def _history() -> list[Span]:
    """One cross section, of 1984."""
    return [
        Span("city_history", "fixed_telephones", HISTORY_YEAR, HISTORY_YEAR, "count", 0, "count"),
        Span("city_history", "natural_science_researchers", HISTORY_YEAR, HISTORY_YEAR, "persons", 0, "persons"),
    ]


LAYOUT: tuple[Span, ...] = (
    *_yearbook(),
    *_energy(),
    *_whole("city_firms", "ai_firms_registered", "count", 0),
    *_whole("city_firms", "ai_firms_deregistered", "count", 0),
    *_patents(),
    *_whole("city_emissions", "co2_ceads", "mt", 4),
    *_construction(),
    *_digital(),
    *_green_finance(),
    *_whole("city_reports", "environmental_words", "count", 0, since=2003),
    *_whole("city_reports", "report_words", "count", 0, since=2003),
    *_history(),
    *_whole("province_yearbook", "gdp", "yi_yuan", 2),
    *_whole("province_yearbook", "gdp_index_prev100", "index_prev100", 1),
)


def spans(source: str, indicator: str) -> list[Span]:
    """Spans of one indicator, by year; empty for an unknown one."""
    return [s for s in LAYOUT if s.source == source and s.indicator == indicator]


def indicators(source: str) -> list[str]:
    """Indicators of a source in printed order."""
    return list(dict.fromkeys(s.indicator for s in LAYOUT if s.source == source))


def printed(source: str, indicator: str, values: np.ndarray) -> np.ndarray:
    """Values in canonical units (..., T) as printed: unit of the year, rounded; NaN in years without the indicator."""
    out = np.full(values.shape, np.nan)
    for span in spans(source, indicator):
        inside = (span.year_from <= YEARS) & (span.year_to >= YEARS)
        out[..., inside] = np.round(values[..., inside] * span.factor, span.decimals)
    return out


def decimals(source: str, indicator: str) -> np.ndarray:
    """(T,) decimals printed in each year; those of the last span where the indicator is not printed."""
    parts = spans(source, indicator)
    return np.array([next((s.decimals for s in parts if y <= s.year_to), parts[-1].decimals) for y in YEARS])


def round_printed(source: str, indicator: str, numbers: np.ndarray) -> np.ndarray:
    """Numbers (..., T) in printed units rounded to the decimals of their years."""
    return np.stack([np.round(numbers[..., t], int(d)) for t, d in enumerate(decimals(source, indicator))], axis=-1)


def canonical(source: str, indicator: str, numbers: np.ndarray) -> np.ndarray:
    """Printed numbers (..., T) back in canonical units; NaN stays NaN."""
    out = np.full(numbers.shape, np.nan)
    for span in spans(source, indicator):
        inside = (span.year_from <= YEARS) & (span.year_to >= YEARS)
        out[..., inside] = numbers[..., inside] / span.factor
    return out


def quantise(source: str, indicator: str, values: np.ndarray) -> np.ndarray:
    """World values as a reader of the yearbook could know them; years no longer printed keep two more decimals."""
    seen = canonical(source, indicator, printed(source, indicator, values))
    return np.where(np.isnan(seen), np.round(values, 4), seen)
