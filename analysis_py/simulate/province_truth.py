"""Truth of the provincial measures: what the marts must come back to wherever nothing was made missing or spoilt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis_py.simulate.economy import read_exchange_rate
from analysis_py.simulate.fuels import FACTOR_SET
from analysis_py.simulate.places import YEARS, read_reference
from analysis_py.simulate.province_layout import EMISSIONS, ENERGY, FUELS, SECTOR_NAMES, SECTORS, YEARBOOK
from analysis_py.simulate.province_quantities import Provinces, add

#: Base year of constant prices, depreciation, and the years over which real investment grows into the first stock.
BASE_YEAR, DEPRECIATION, SPAN_YEARS = 2000, 0.1096, 5
#: t CO2 per GJ of purchased heat: the default of the ministry's accounting guides for enterprises.
HEAT_T_CO2_PER_GJ = 0.11
_DIGITS = 8


def province_truth(provinces: Provinces, reference: Path) -> pd.DataFrame:
    """``truth_province_year``: a row a province and year; energy and CO2 are empty for Tibet."""
    book, energy = provinces.quantity[YEARBOOK], provinces.quantity[ENERGY]
    gdp = book["gdp"]
    real = gdp[:, [0]] * _chain(book["gdp_index_prev100"])
    co2 = _burn(energy, [f"energy_{fuel}" for fuel in FUELS], reference)
    scope1 = add(
        _burn(provinces.quantity[SECTORS], [f"energy_{fuel}_{sector}" for fuel in FUELS], reference)
        for sector in SECTOR_NAMES
    )
    scope2 = energy["electricity_purchased"] * provinces.grid_factor / 10.0
    scope2 = scope2 + energy["heat_purchased"] * HEAT_T_CO2_PER_GJ / 100.0
    scope3 = provinces.quantity[EMISSIONS]["co2_scope3_reported"]
    power = energy["energy_electricity"]
    yuan = read_exchange_rate(reference)[None, :]
    productivity = {
        sector: book[f"gdp_{sector}"] / book[f"employment_{sector}"] for sector in ("primary", "secondary", "tertiary")
    }
    measures = {
        "gdp_2000_price_yi_yuan": real,
        "capital_stock_2000_price_yi_yuan": accumulate_capital(
            book["fixed_capital_formation"], book["fixed_asset_price_index"]
        ),
        "co2_ipcc2006_mt": co2,
        "co2_scope1_ipcc2006_mt": scope1,
        "co2_scope2_mt": scope2,
        "co2_scope3_mt": scope3,
        "Co2": np.log(co2 * 100.0),
        "Co2_scopes": np.log((scope1 + scope2 + scope3) * 100.0),
        "Open": book["trade_total"] / 1e4 * yuan / gdp,
        "Density": book["population_resident"] / book["land_area"],
        "Fin": book["loans"] / gdp,
        "Gov": book["fiscal_expenditure"] / gdp,
        "Energy": power / provinces.nation["energy_electricity"],
        "Urban": book["population_urban"] / book["population_resident"],
        "energy_efficiency": real / energy["energy_total"],
        "green_technology": book["green_patent_applications"] / book["population_resident"],
        "industrial_structure": add(book[f"gdp_{s}"] / gdp * productivity[s] for s in productivity),
        "env_regulation": book["pollution_control_investment"] / book["industrial_value_added"],
        "industrialization": book["gdp_secondary"] / gdp,
    }
    physical = ("co2", "Co2", "Energy", "energy")
    for name, values in measures.items():
        if name.startswith(physical):
            values[~provinces.has_energy] = np.nan
    i, t = np.indices(gdp.shape)
    frame = {"province_code": np.array(provinces.code, dtype=object)[i.ravel()], "year": YEARS[t.ravel()]}
    texts = {name: [_number(v) for v in np.broadcast_to(x, gdp.shape).ravel()] for name, x in measures.items()}
    return pd.DataFrame(frame | texts)


def accumulate_capital(investment: np.ndarray, price_index: np.ndarray) -> np.ndarray:
    """(P, T) stock at prices of 2000: K_t = (1 - d) K_{t-1} + I_t / P_t, K_2000 = I_2000 / (g + d).

    g is the geometric mean growth of real investment over the five years after 2000. Source: Shan (2008), whose rate of
    depreciation is 10.96 percent.
    """
    level = np.ones_like(price_index)
    for t in range(1, price_index.shape[1]):
        level[:, t] = level[:, t - 1] * price_index[:, t] / 100.0
    real = investment / level
    growth = (real[:, SPAN_YEARS] / real[:, 0]) ** (1.0 / SPAN_YEARS) - 1.0
    stock = np.empty_like(real)
    stock[:, 0] = real[:, 0] / (growth + DEPRECIATION)
    for t in range(1, real.shape[1]):
        stock[:, t] = (1.0 - DEPRECIATION) * stock[:, t - 1] + real[:, t]
    return stock


def _chain(index: np.ndarray) -> np.ndarray:
    """Volume relative to 2000 from indices, previous year = 100."""
    chain = np.ones_like(index)
    for t in range(1, index.shape[1]):
        chain[:, t] = chain[:, t - 1] * index[:, t] / 100.0
    return chain


def _burn(quantity: Mapping[str, np.ndarray], names: Sequence[str], reference: Path) -> np.ndarray:
    """Mt of CO2 of fuels in canonical units; the names are in the order of ``FUELS``."""
    factors = read_combustion_factors(reference)
    parts = [quantity[name] * factors[fuel] for name, fuel in zip(names, FUELS, strict=True)]
    return add(parts)


def read_combustion_factors(reference: Path, factor_set: str = FACTOR_SET) -> dict[str, float]:
    """Mt CO2 per canonical unit (10^4 t; 10^8 m3 of gas) of each fuel of the province study."""
    table = read_reference(reference, "seed_ipcc_emission_factor")
    numbers = table[table["factor_set"] == factor_set].set_index("fuel")
    out = {}
    for fuel in FUELS:
        columns = ["ncv_kj_per_unit", "carbon_content_tc_per_tj", "oxidation_rate"]
        heat, carbon, oxidation = (float(str(numbers.loc[fuel, c])) for c in columns)
        kg_per_unit = heat * carbon * oxidation * 44.0 / 12.0 / 1e6
        out[fuel] = kg_per_unit / (10.0 if fuel == "natural_gas" else 100.0)
    return out


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.{_DIGITS}g}"
