"""Economy of the demo world: population, prices, GDP, public finance, trade, waste, internet, students, credit.

Everything here is exogenous to AI and to carbon productivity. Values are rounded to the digits of the yearbooks and
the ratios are recomputed from the rounded numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis_py.simulate.layout import quantise
from analysis_py.simulate.places import SANSHA, TIBET, YEARS, Places, read_reference
from analysis_py.simulate.process import autoregress
from analysis_py.simulate.streams import Streams

BASE = int(np.flatnonzero(YEARS == 2003)[0])
YEARBOOK = "city_yearbook"


@dataclass(frozen=True)
class Economy:
    """Exogenous part of a world: ``quantity`` in canonical units, ``symbol`` in the panel's units, all (N, T)."""

    quantity: Mapping[str, np.ndarray]
    symbol: Mapping[str, np.ndarray]
    gdp_real: np.ndarray
    size_score: np.ndarray  # (N,) standardised log population
    income_score: np.ndarray  # (N,) standardised log income per head


def draw_economy(places: Places, streams: Streams, reference: Path) -> Economy:
    """Draw population, prices and output first, then everything measured as a ratio to them."""
    quantity: dict[str, np.ndarray] = {}
    symbol: dict[str, np.ndarray] = {}
    size = _draw_population(places, streams, quantity, symbol)
    income, gdp_real = _draw_output(places, streams, quantity)
    _draw_finance(places, streams, quantity, symbol, read_exchange_rate(reference))
    _draw_society(places, streams, quantity, symbol, size)
    return Economy(quantity, symbol, gdp_real, size, income)


def read_exchange_rate(reference: Path) -> np.ndarray:
    """(T,) annual mean price of one US dollar in yuan."""
    table = read_reference(reference, "seed_exchange_rate").set_index("year")["cny_per_usd"]
    return np.array([float(table.loc[str(y)]) for y in YEARS])


def standardise(values: np.ndarray) -> np.ndarray:
    """(x - mean) / sd."""
    return (values - values.mean()) / values.std()


def _draw_population(
    places: Places, streams: Streams, quantity: dict[str, np.ndarray], symbol: dict[str, np.ndarray]
) -> np.ndarray:
    draw = streams.stream("population")
    n, t = places.count, len(YEARS)
    base = {"super": 1500.0, "mega": 900.0, "large_type_1": 620.0, "large_type_2": 480.0}
    typical = np.array([base.get(d, 300.0) for d in places.size_detail])
    log_pop = np.log(typical) + draw.normal(0.0, 0.38, n)
    log_pop = log_pop - 0.3 * (places.region4 == "west") - 1.6 * (places.province == TIBET)
    log_pop[places.code == SANSHA] = np.log(0.25)
    growth = (
        draw.normal(0.004, 0.007, n) + 0.012 * (places.size_class == "mega") - 0.008 * (places.region4 == "northeast")
    )
    path = growth[:, None] * (YEARS - 2010.0)[None, :]
    wave = 0.05 * autoregress(draw, (n, t), 0.92)
    resident = np.exp(log_pop[:, None] + path + wave)
    gap = 0.04 * draw.standard_normal(n) - 0.12 * (places.size_class == "mega") + 0.02
    registered = np.exp(log_pop[:, None] + 0.4 * path + 0.01 * autoregress(draw, (n, t), 0.92) + gap[:, None])
    centre = {"east": 6.35, "central": 6.1, "west": 5.3, "northeast": 5.2}
    density = np.array([centre[r] for r in places.region4]) + draw.normal(0.0, 0.68, n) + 0.25 * places.is_capital
    density = density - 2.2 * (places.province == TIBET)
    area = np.maximum(np.exp(log_pop - density) * 1e4, 5.0)
    revised = np.where(draw.uniform(size=(n, t)) < 0.03, draw.normal(0.0, 0.003, (n, t)), 0.0)
    quantity["population_resident"] = quantise(YEARBOOK, "population_resident", resident)
    quantity["population_registered"] = quantise(YEARBOOK, "population_registered", registered)
    quantity["land_area"] = quantise(YEARBOOK, "land_area", area[:, None] * np.exp(np.cumsum(revised, axis=1)))
    symbol["POP"] = np.log(quantity["population_resident"] * 1e4 / quantity["land_area"])
    return standardise(log_pop)


def _draw_output(places: Places, streams: Streams, quantity: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Income score (N,) and real GDP (10^8 yuan at 2003 prices, chained from the printed indices)."""
    draw = streams.stream("output")
    n, t = places.count, len(YEARS)
    codes = np.array(sorted(places.province_name))
    of = np.searchsorted(codes, places.province.astype(str))
    hump = 4.0 * np.exp(-(((YEARS - 2006.5) / 4.0) ** 2))
    national = 9.3 + hump - 0.33 * np.maximum(YEARS - 2011.0, 0.0) - 3.5 * (YEARS == 2020) + 2.0 * (YEARS == 2021)
    national = national + draw.normal(0.0, 0.3, t)
    province = 0.9 * autoregress(draw, (len(codes), t), 0.7)
    own = 1.6 * autoregress(draw, (n, t), 0.5, tail_df=6.0) + draw.normal(0.0, 0.5, n)[:, None]
    index = quantise(YEARBOOK, "gdp_index_prev100", np.clip(100.0 + national + province[of] + own, 82.0, 128.0))
    inflation = 0.03 + 0.02 * np.sin((YEARS - 2000.0) / 2.4) + draw.normal(0.0, 0.006, t)
    local = 0.008 * autoregress(draw, (len(codes), t), 0.3)
    price = np.cumprod(1.0 + inflation[None, :] + local[of], axis=1)
    price = price / price[:, [BASE]]
    centre = {"east": 1.05, "central": 0.62, "west": 0.58, "northeast": 0.8}
    income = np.log([centre[r] for r in places.region4]) + draw.normal(0.0, 0.42, n)
    income = (
        income + 0.35 * places.is_capital + 0.35 * (places.size_class == "mega") + 0.15 * (places.size_class == "big")
    )
    start = quantity["population_resident"][:, BASE] * np.exp(income)
    chain = chain_volume(index)
    first = quantise(YEARBOOK, "gdp", np.repeat(start[:, None], t, axis=1))[:, BASE]
    quantity["gdp_index_prev100"] = index
    quantity["gdp"] = quantise(YEARBOOK, "gdp", first[:, None] * chain * price)
    return standardise(income), quantity["gdp"][:, [BASE]] * chain


def chain_volume(index: np.ndarray) -> np.ndarray:
    """Volume relative to 2003 from indices (previous year = 100), forwards and backwards."""
    growth = index / 100.0
    chain = np.ones_like(growth)
    for t in range(BASE + 1, growth.shape[1]):
        chain[:, t] = chain[:, t - 1] * growth[:, t]
    for t in range(BASE - 1, -1, -1):
        chain[:, t] = chain[:, t + 1] / growth[:, t + 1]
    return chain


def _ratio(
    draw: np.random.Generator, level: np.ndarray, path: np.ndarray, noise: float, rho: float = 0.85
) -> np.ndarray:
    """Positive ratio: exp(log level (N,) + log path (T,) + AR(1) noise)."""
    wave = noise * autoregress(draw, (len(level), len(path)), rho, tail_df=8.0)
    return np.exp(level[:, None] + path[None, :] + wave)


def _draw_finance(
    places: Places,
    streams: Streams,
    quantity: dict[str, np.ndarray],
    symbol: dict[str, np.ndarray],
    yuan_per_usd: np.ndarray,
) -> None:
    draw = streams.stream("finance")
    n = places.count
    years = YEARS - 2012.0
    gdp = quantity["gdp"]
    west = places.region4 == "west"
    gov = _ratio(draw, np.log(0.137) + draw.normal(0, 0.36, n) + 0.3 * west, 0.035 * years - 0.0012 * years**2, 0.10)
    fiscal = quantise(YEARBOOK, "fiscal_expenditure", np.minimum(gov, 1.5) * gdp)
    fi = _ratio(draw, np.log(4.5) + draw.normal(0, 0.36, n), 0.012 * years - 0.003 * years**2, 0.16)
    st = _ratio(draw, np.log(0.0088) + draw.normal(0, 0.7, n) + 0.6 * places.is_capital, 0.05 * years, 0.22)
    invested = quantise(YEARBOOK, "fixed_asset_investment", fi * fiscal)
    science = quantise(YEARBOOK, "science_expenditure", np.maximum(np.minimum(st, 0.25) * fiscal, 0.001))
    fin = _ratio(draw, np.log(1.85) + draw.normal(0, 0.36, n) + 0.45 * places.is_capital, 0.018 * years, 0.08)
    part = draw.uniform(0.36, 0.46, n)[:, None] + 0.01 * autoregress(draw, gdp.shape, 0.7)
    quantity["loans"] = quantise(YEARBOOK, "loans", part * fin * gdp)
    quantity["deposits"] = quantise(YEARBOOK, "deposits", (1.0 - part) * fin * gdp)
    east = places.region4 == "east"
    ope = _ratio(draw, np.log(0.07) + draw.normal(0, 0.85, n) + 0.9 * east, 0.02 * years - 0.006 * years**2, 0.22)
    usd = np.minimum(ope, 2.5) * gdp * 1e4 / yuan_per_usd
    quantity["trade_total"] = quantise(YEARBOOK, "trade_total", usd)
    quantity["fiscal_expenditure"], quantity["science_expenditure"] = fiscal, science
    quantity["fixed_asset_investment"] = invested
    symbol["Gov"], symbol["FI"], symbol["ST"] = fiscal / gdp, invested / fiscal, science / fiscal
    symbol["Fin"] = (quantity["deposits"] + quantity["loans"]) / gdp
    symbol["Ope"] = quantity["trade_total"] * yuan_per_usd / 1e4 / gdp


def _draw_society(
    places: Places,
    streams: Streams,
    quantity: dict[str, np.ndarray],
    symbol: dict[str, np.ndarray],
    size: np.ndarray,
) -> None:
    draw = streams.stream("society")
    n, t = places.count, len(YEARS)
    years = YEARS - 2012.0
    people = quantity["population_resident"]
    hc = _ratio(draw, np.log(0.0085) + draw.normal(0, 0.8, n) + 1.5 * places.is_capital, 0.045 * years, 0.06)
    students = quantise(YEARBOOK, "students_higher_education", np.minimum(hc, 0.25) * people * 1e4)
    users = 100.0 / (1.0 + np.exp(-(YEARS - 2018.0) / 4.2)) * 0.42
    level = draw.normal(0.0, 0.28, n) + 0.25 * (places.region4 == "east")
    internet = np.minimum(np.exp(level[:, None] + 0.08 * autoregress(draw, (n, t), 0.85)) * users[None, :], 75.0)
    connected = quantise(YEARBOOK, "internet_users", internet / 100.0 * people)
    waste = np.exp(4.9 + 0.5 * size + 0.9 * places.is_resource + draw.normal(0.0, 0.9, n))
    made = waste[:, None] * np.exp(0.03 * years[None, :] + 0.15 * autoregress(draw, (n, t), 0.8))
    score = 2.0 + 1.4 * draw.standard_normal(n)[:, None] + 0.75 * autoregress(draw, (n, t), 0.75, tail_df=6.0)
    used = 1.0 / (1.0 + np.exp(-score))
    from_stock = np.where(draw.uniform(size=(n, t)) < 0.012, draw.uniform(1.0, 1.35, (n, t)) / used, 1.0)
    generated = np.maximum(quantise(YEARBOOK, "solid_waste_generated", made), 0.1)
    utilised = quantise(YEARBOOK, "solid_waste_utilised", np.minimum(used * from_stock, 1.6) * generated)
    quantity["students_higher_education"], quantity["internet_users"] = students, connected
    quantity["solid_waste_generated"], quantity["solid_waste_utilised"] = generated, utilised
    symbol["HC"] = students / (people * 1e4)
    symbol["IP"] = 100.0 * connected / people
    symbol["ER"] = 100.0 * utilised / generated
