"""Forward measurement in Python: from the printed tables to the panel's symbols, by the warehouse's rules.

It serves the truth tables (which city-years a column can use, how far defects move a measure) and the tests of the
inverse measurement; the panel itself is made by dbt alone. Rules: printed units of ``raw_layout``; a value outside the
plausible range is missing; a revision comes before a first figure; linear fill inside gaps up to the indicator's
limit; an unreported services sector is GDP times its share; a missing growth index is the province's.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from analysis_py.simulate.economy import BASE, chain_volume, read_exchange_rate
from analysis_py.simulate.fuels import emit
from analysis_py.simulate.layout import canonical, indicators
from analysis_py.simulate.places import read_reference
from analysis_py.simulate.raw_tables import RawTables


@dataclass(frozen=True)
class Rule:
    """Plausible range (canonical unit) of an indicator and the longest gap that is filled (0: none is)."""

    low: float
    high: float
    max_gap: int


Rules = dict[tuple[str, str], Rule]


def read_rules(reference: Path) -> Rules:
    """Rules by (source, indicator) from ``seed_indicator``."""
    table = read_reference(reference, "seed_indicator")
    return {
        (source, name): Rule(float(low), float(high), int(gap) if fill == "linear" else 0)
        for source, name, low, high, fill, gap in zip(
            *(table[c] for c in ("source", "indicator", "min_value", "max_value", "fill_rule", "max_gap_years")),
            strict=True,
        )
    }


def measure_panel(raw: RawTables, reference: Path) -> dict[str, np.ndarray]:
    """Symbols of the panel (N, T) as the printed tables give them (NaN: they do not); also ``co2_mt``, ``gdp_real``."""
    rules = read_rules(reference)
    cell = {
        name: _read(raw.printed[source][name], source, name, rules)
        for source in raw.printed
        for name in indicators(source)
    }
    for name in raw.revised:
        revised = _accept(canonical("city_yearbook", name, raw.revised[name]), rules["city_yearbook", name])
        cell[name] = np.where(np.isnan(revised), cell[name], revised)
    reported_services = cell["gdp_tertiary"].copy()
    filled = {}
    for source in raw.printed:
        for name in indicators(source):
            gap = rules[source, name].max_gap
            filled[name] = fill_linear(cell[name], gap) if gap else cell[name]
    # as printed, else GDP times its printed share, else interpolated, else GDP times an interpolated share
    by_share = cell["gdp"] * cell["gdp_tertiary_share"] / 100.0
    by_filled_share = filled["gdp"] * filled["gdp_tertiary_share"] / 100.0
    for value in (by_share, filled["gdp_tertiary"], by_filled_share):
        reported_services = np.where(np.isnan(reported_services), value, reported_services)
    filled["gdp_tertiary"] = reported_services
    return _derive(raw, filled, reference)


def _derive(raw: RawTables, filled: dict[str, np.ndarray], reference: Path) -> dict[str, np.ndarray]:
    places = raw.places
    province = raw.province.pivot(index="province_code", columns="year", values="gdp_index_prev100")
    local = province.loc[list(places.province)].to_numpy(float)
    index = np.where(np.isnan(filled["gdp_index_prev100"]), local, filled["gdp_index_prev100"])
    gdp_real = filled["gdp"][:, [BASE]] * chain_volume(index)
    co2 = emit(filled, places, reference)
    net = filled["ai_firms_registered"] - filled["ai_firms_deregistered"]
    stock = np.cumsum(np.where(places.exists, net, 0.0), axis=1)
    people = filled["population_resident"]
    with np.errstate(divide="ignore", invalid="ignore"):
        out = {
            "CP": gdp_real / (co2 * 100.0),
            "AI": np.log1p(stock),
            "UIS": filled["gdp_tertiary"] / filled["gdp"],
            "EnvrPat": np.log1p(filled["green_patent_applications"]),
            "ER": 100.0 * filled["solid_waste_utilised"] / filled["solid_waste_generated"],
            "IP": 100.0 * filled["internet_users"] / people,
            "HC": filled["students_higher_education"] / (people * 1e4),
            "Fin": (filled["deposits"] + filled["loans"]) / filled["gdp"],
            "POP": np.log(people * 1e4 / filled["land_area"]),
            "Ope": filled["trade_total"] * read_exchange_rate(reference) / 1e4 / filled["gdp"],
            "Gov": filled["fiscal_expenditure"] / filled["gdp"],
            "FI": filled["fixed_asset_investment"] / filled["fiscal_expenditure"],
            "ST": filled["science_expenditure"] / filled["fiscal_expenditure"],
            "co2_mt": co2,
            "gdp_real": gdp_real,
        }
    return {name: np.where(places.exists & np.isfinite(values), values, np.nan) for name, values in out.items()}


def _read(numbers: np.ndarray, source: str, name: str, rules: Rules) -> np.ndarray:
    return _accept(canonical(source, name, numbers), rules[source, name])


def _accept(values: np.ndarray, rule: Rule) -> np.ndarray:
    """Values inside the indicator's plausible range, NaN elsewhere."""
    inside = (values >= rule.low) & (values <= rule.high)
    return np.where(inside, values, np.nan)


def fill_linear(values: np.ndarray, max_gap: int) -> np.ndarray:
    """Linear interpolation of gaps of at most ``max_gap`` missing years; nothing before the first or after the last."""
    out = values.copy()
    for i in range(values.shape[0]):
        known = np.flatnonzero(~np.isnan(values[i]))
        for a, b in pairwise(known):
            if 1 < b - a <= max_gap + 1:
                step = np.arange(1, b - a) / (b - a)
                out[i, a + 1 : b] = values[i, a] + (values[i, b] - values[i, a]) * step
    return out
