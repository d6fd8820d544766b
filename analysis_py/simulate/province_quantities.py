"""True quantities of the provinces, as a careful reader of unspoilt yearbooks knows them.

What has a city counterpart is the sum of the province's cities and a little noise (people, credit, budget, trade,
green patents, subscribers, fuels, investment); the rest is drawn. Every quantity is rounded as its table prints it
before anything is computed from it. Arrays are (P, T), provinces by code, years 2000-2023, canonical units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis_py.simulate.fuels import read_grid_factors, split_fuels
from analysis_py.simulate.places import TIBET, YEARS, Places, read_reference
from analysis_py.simulate.prices import draw_investment_prices
from analysis_py.simulate.process import autoregress
from analysis_py.simulate.province_layout import (
    EMISSIONS,
    ENERGY,
    FUELS,
    NATION,
    SECTOR_NAMES,
    SECTORS,
    YEARBOOK,
    quantise,
)
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.world import World

#: Last year in which the amount of investment is printed; its growth afterwards.
LAST_INVESTMENT_YEAR = 2017
#: Share of a fuel burnt in industry, transport and construction; the rest in homes, farms and trade.
_SECTOR_SHARE = {
    "raw_coal": (0.82, 0.006, 0.008),
    "coke": (0.97, 0.001, 0.004),
    "crude_oil": (0.985, 0.006, 0.001),
    "gasoline": (0.08, 0.45, 0.03),
    "kerosene": (0.03, 0.88, 0.004),
    "diesel": (0.14, 0.58, 0.06),
    "fuel_oil": (0.45, 0.48, 0.01),
    "lpg": (0.25, 0.04, 0.006),
    "natural_gas": (0.62, 0.12, 0.003),
}


@dataclass(frozen=True)
class Provinces:
    """Names (P,) and quantities of the provinces by source and indicator; ``nation`` holds (1, T) arrays."""

    code: list[str]
    name: list[str]
    quantity: Mapping[str, Mapping[str, np.ndarray]]
    nation: Mapping[str, np.ndarray]
    grid_factor: np.ndarray  # (P, T) t CO2 per MWh of the province's grid

    @property
    def has_energy(self) -> np.ndarray:
        """(P,) whether the energy tables have the province: all but Tibet, as in the yearbooks."""
        return np.array([code != TIBET for code in self.code])


def draw_provinces(world: World, reference: Path, gdp: pd.DataFrame) -> Provinces:
    """The provinces of a world; ``gdp`` is its table of provincial GDP and growth (a row a province and year)."""
    places, streams = world.places, Streams(world.seed)
    code = sorted(places.province_name)
    yearbook = _draw_people(world, streams, code)
    yearbook |= {name: _grid(gdp, code, name) for name in ("gdp", "gdp_index_prev100")}
    _draw_sectors_of_output(world, streams, code, yearbook)
    _draw_money(world, streams, code, yearbook)
    _draw_industry(streams, yearbook)
    energy = _draw_energy(world, streams, code, reference)
    grid_factor = _grid_factors(places, reference, code)
    return Provinces(
        code=code,
        name=[places.province_name[c] for c in code],
        quantity={
            YEARBOOK: yearbook,
            ENERGY: energy,
            SECTORS: _split_sectors(streams, energy),
            EMISSIONS: _draw_inventory(streams, world, code, energy, reference),
        },
        nation={
            "internet_users": quantise(NATION, "internet_users", yearbook["internet_users"].sum(axis=0)[None, :]),
            "energy_electricity": quantise(
                NATION, "energy_electricity", energy["energy_electricity"].sum(axis=0)[None, :]
            ),
        },
        grid_factor=grid_factor,
    )


def sum_cities(places: Places, code: list[str], values: np.ndarray) -> np.ndarray:
    """(P, T) sums over the cities that exist in the year, of (N, T) values."""
    alive = np.where(places.exists, values, 0.0)
    return np.stack([alive[places.province == c].sum(axis=0) for c in code])


def add(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Sum of arrays of one shape, in their order."""
    return np.sum(np.stack(list(parts)), axis=0)


def _grid(table: pd.DataFrame, code: list[str], column: str) -> np.ndarray:
    wide = table.pivot(index="province_code", columns="year", values=column)
    return wide.reindex(index=code, columns=YEARS).to_numpy(float)


def _region(world: World, code: list[str]) -> list[str]:
    return [str(world.places.region4[world.places.province == c][0]) for c in code]


def _noise(draw: np.random.Generator, shape: tuple[int, int], size: float) -> np.ndarray:
    """Factors near one: a lasting difference of the province and a little of the year."""
    return np.exp(draw.normal(0.0, size, shape[0])[:, None] + 0.3 * size * autoregress(draw, shape, 0.6))


def _logistic(score: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-score))


def _draw_people(world: World, streams: Streams, code: list[str]) -> dict[str, np.ndarray]:
    draw = streams.stream("province_people")
    places, years = world.places, YEARS - 2012.0
    region = _region(world, code)
    people = sum_cities(places, code, world.quantity["population_resident"])
    shape = people.shape
    people = quantise(YEARBOOK, "population_resident", people * _noise(draw, shape, 0.004))
    centre = {"east": 0.62, "central": 0.15, "west": 0.0, "northeast": 0.45}
    municipal = np.array([places.is_municipality[places.province == c].all() for c in code])
    level = np.array([centre[r] for r in region]) + 1.15 * municipal - 1.0 * (np.array(code) == TIBET)
    level = level + draw.normal(0.0, 0.15, len(code))
    rate = _logistic(level[:, None] + 0.058 * years[None, :] + 0.02 * autoregress(draw, shape, 0.9))
    working = np.clip(0.555 + draw.normal(0.0, 0.025, len(code)), 0.48, 0.62)
    worked = people * (working[:, None] - 0.0012 * years[None, :] + 0.004 * autoregress(draw, shape, 0.8))
    farm = _logistic(
        -0.62 - 1.35 * municipal[:, None] + 0.32 * np.array([r == "west" for r in region])[:, None]
        - 0.055 * years[None, :] + 0.03 * autoregress(draw, shape, 0.85)
    )  # fmt: skip
    industry = _logistic(
        draw.normal(0.05, 0.18, len(code))[:, None] - 0.012 * years + 0.02 * autoregress(draw, shape, 0.8)
    )
    first = quantise(YEARBOOK, "employment_primary", farm * worked)
    second = quantise(YEARBOOK, "employment_secondary", 0.86 * industry * (1.0 - farm) * worked)
    third = quantise(YEARBOOK, "employment_tertiary", worked - first - second)
    land = sum_cities(places, code, world.quantity["land_area"])
    return {
        "population_resident": people,
        "population_urban": quantise(YEARBOOK, "population_urban", rate * people),
        "employment": quantise(YEARBOOK, "employment", first + second + third),
        "employment_primary": first,
        "employment_secondary": second,
        "employment_tertiary": third,
        "land_area": quantise(YEARBOOK, "land_area", land),
    }


def _draw_sectors_of_output(world: World, streams: Streams, code: list[str], yearbook: dict[str, np.ndarray]) -> None:
    """Value added by sector; services are those of the cities, farming is drawn, industry is what is left."""
    draw = streams.stream("province_output")
    places, gdp, years = world.places, yearbook["gdp"], YEARS - 2012.0
    services = sum_cities(places, code, world.quantity["gdp_tertiary"]) / sum_cities(
        places, code, world.quantity["gdp"]
    )
    tertiary = quantise(YEARBOOK, "gdp_tertiary", services * gdp * _noise(draw, gdp.shape, 0.002))
    centre = {"east": -2.75, "central": -2.15, "west": -2.0, "northeast": -2.0}
    level = np.array([centre[r] for r in _region(world, code)]) + draw.normal(0.0, 0.22, len(code))
    municipal = np.array([places.is_municipality[places.province == c].all() for c in code])
    farm = _logistic((level - 1.3 * municipal)[:, None] - 0.045 * years + 0.04 * autoregress(draw, gdp.shape, 0.85))
    primary = quantise(YEARBOOK, "gdp_primary", np.minimum(farm * gdp, 0.4 * (gdp - tertiary)))
    yearbook["gdp_primary"], yearbook["gdp_tertiary"] = primary, tertiary
    yearbook["gdp_secondary"] = quantise(YEARBOOK, "gdp_secondary", gdp - primary - tertiary)
    share = _logistic(
        draw.normal(1.85, 0.3, len(code))[:, None] - 0.02 * years + 0.05 * autoregress(draw, gdp.shape, 0.8)
    )
    yearbook["industrial_value_added"] = quantise(YEARBOOK, "industrial_value_added", share * yearbook["gdp_secondary"])


def _draw_money(world: World, streams: Streams, code: list[str], yearbook: dict[str, np.ndarray]) -> None:
    """Credit, budget, trade, investment and its prices, subscribers and green patents: the cities' sums."""
    draw = streams.stream("province_money")
    places, gdp = world.places, yearbook["gdp"]
    shape = gdp.shape
    for name, size in (("loans", 0.01), ("trade_total", 0.02), ("internet_users", 0.01)):
        total = sum_cities(places, code, world.quantity[name])
        yearbook[name] = quantise(YEARBOOK, name, total * _noise(draw, shape, size))
    own_budget = 1.0 + draw.uniform(0.01, 0.05, len(code))[:, None]
    spent = sum_cities(places, code, world.quantity["fiscal_expenditure"]) * own_budget
    yearbook["fiscal_expenditure"] = quantise(YEARBOOK, "fiscal_expenditure", spent * _noise(draw, shape, 0.01))
    yearbook["green_patent_applications"] = sum_cities(places, code, world.quantity["green_patent_applications"])
    invested = sum_cities(places, code, world.quantity["fixed_asset_investment"]) * _noise(draw, shape, 0.015)
    capital = draw.uniform(0.86, 1.0, len(code))[:, None] - 0.008 * (YEARS - 2000.0)[None, :]
    formed = invested * capital * np.exp(0.02 * autoregress(draw, shape, 0.7))
    yearbook["fixed_asset_investment"], growth = _end_in_growth(quantise(YEARBOOK, "fixed_asset_investment", invested))
    yearbook["fixed_asset_investment_growth"] = growth
    printed = quantise(YEARBOOK, "fixed_capital_formation", formed)
    yearbook["fixed_capital_formation"] = _follow_growth(printed, growth)
    yearbook["fixed_asset_price_index"] = draw_investment_prices(streams, gdp, yearbook["gdp_index_prev100"])


def _end_in_growth(amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Amounts (P, T) whose growth after 2017 is a printed rate (percent, one decimal), and these rates."""
    growth = np.full(amounts.shape, np.nan)
    growth[:, 1:] = np.round(100.0 * (amounts[:, 1:] / amounts[:, :-1] - 1.0), 1)
    return _follow_growth(amounts, growth), growth


def _follow_growth(amounts: np.ndarray, growth: np.ndarray) -> np.ndarray:
    out = amounts.copy()
    for t in np.flatnonzero(YEARS > LAST_INVESTMENT_YEAR):
        out[:, t] = out[:, t - 1] * (1.0 + growth[:, t] / 100.0)
    return out


def _draw_industry(streams: Streams, yearbook: dict[str, np.ndarray]) -> None:
    """What the industrial intelligence index and environmental regulation are made of."""
    draw = streams.stream("province_industry")
    years, shape = YEARS - 2012.0, yearbook["gdp"].shape

    def amounts(base: str, level: float, spread: float, trend: float) -> np.ndarray:
        own = draw.normal(0.0, spread, (shape[0], 1)) + 0.18 * autoregress(draw, shape, 0.75)
        return np.exp(level + own + trend * years[None, :]) * yearbook[base]

    made = {
        "pollution_control_investment": amounts("industrial_value_added", -5.9, 0.45, -0.05),
        "software_revenue": amounts("gdp", -3.9, 0.95, 0.09),
        "information_investment": amounts("gdp", -4.9, 0.35, 0.02),
        "new_product_revenue": amounts("industrial_value_added", -0.9, 0.5, 0.05),
    }
    for name, values in made.items():
        yearbook[name] = quantise(YEARBOOK, name, values)


def _draw_energy(world: World, streams: Streams, code: list[str], reference: Path) -> dict[str, np.ndarray]:
    """Fuels and electricity are the cities' sums; liquefied gas, the total and what is bought outside are drawn."""
    draw = streams.stream("province_energy")
    burnt = split_fuels(world.places, Streams(world.seed), world.co2_mt, reference)
    energy: dict[str, np.ndarray] = {}
    shape = (len(code), len(YEARS))
    for fuel in FUELS:
        name = f"energy_{fuel}"
        if fuel == "lpg":
            values = energy["energy_gasoline"] * np.exp(draw.normal(-1.3, 0.5, shape[0]))[:, None]
            values = values * np.exp(0.12 * autoregress(draw, shape, 0.7))
        else:
            values = sum_cities(world.places, code, burnt[name]) * _noise(draw, shape, 0.01)
        energy[name] = quantise(ENERGY, name, values)
    power = sum_cities(world.places, code, burnt["energy_electricity"]) * _noise(draw, shape, 0.01)
    energy["energy_electricity"] = quantise(ENERGY, "energy_electricity", power)
    total = add(energy[name] * factor for name, factor in _read_standard_coal(reference).items())
    energy["energy_total"] = quantise(
        ENERGY, "energy_total", total * np.exp(draw.uniform(0.0, 0.12, shape[0]))[:, None]
    )
    imported = np.maximum(draw.normal(0.16, 0.2, shape[0]), 0.0)[:, None] + 0.02 * autoregress(draw, shape, 0.8)
    energy["electricity_purchased"] = quantise(
        ENERGY, "electricity_purchased", np.clip(imported, 0.0, 0.7) * energy["energy_electricity"]
    )
    heat = np.exp(draw.normal(0.4, 0.9, shape[0])[:, None] + 0.1 * autoregress(draw, shape, 0.8))
    energy["heat_purchased"] = quantise(ENERGY, "heat_purchased", heat * energy["energy_total"] * 0.3)
    return energy


def _read_standard_coal(reference: Path) -> dict[str, float]:
    """10^4 tce per canonical unit of each fuel and of electricity (10^4 t, 10^8 m3, 10^8 kWh)."""
    table = read_reference(reference, "seed_ipcc_emission_factor")
    coal = dict(zip(table["fuel"], table["standard_coal_kgce_per_unit"].astype(float), strict=True))
    scale = {"natural_gas": 10.0, "electricity": 10.0}
    return {f"energy_{fuel}": coal[fuel] * scale.get(fuel, 1.0) for fuel in (*FUELS, "electricity")}


def _split_sectors(streams: Streams, energy: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    draw = streams.stream("province_sectors")
    out = {}
    for k, sector in enumerate(SECTOR_NAMES):
        for fuel in FUELS:
            total = energy[f"energy_{fuel}"]
            share = _SECTOR_SHARE[fuel][k]
            score = np.log(share / (1.0 - share)) + draw.normal(0.0, 0.15, len(total))[:, None]
            part = _logistic(score + 0.03 * autoregress(draw, total.shape, 0.7))
            out[f"energy_{fuel}_{sector}"] = part * total
    for fuel in FUELS:
        names = [f"energy_{fuel}_{sector}" for sector in SECTOR_NAMES]
        room = 0.999 * energy[f"energy_{fuel}"] / np.maximum(add(out[n] for n in names), 1e-9)
        for name in names:
            out[name] = quantise(SECTORS, name, out[name] * np.minimum(room, 1.0))
    return out


def _draw_inventory(
    streams: Streams, world: World, code: list[str], energy: Mapping[str, np.ndarray], reference: Path
) -> dict[str, np.ndarray]:
    """An outside inventory: about twice final combustion, as power stations and processes are in it; and scope 3."""
    draw = streams.stream("province_inventory")
    total = sum_cities(world.places, code, world.co2_mt)
    shape = total.shape
    ratio = np.exp(draw.normal(0.35, 0.22, (shape[0], 1)) + 0.03 * autoregress(draw, shape, 0.7))
    other = draw.uniform(0.08, 0.3, (shape[0], 1)) * np.exp(0.04 * autoregress(draw, shape, 0.7))
    return {
        "co2_ceads": quantise(EMISSIONS, "co2_ceads", total * ratio),
        "co2_scope3_reported": quantise(EMISSIONS, "co2_scope3_reported", total * other),
    }


def _grid_factors(places: Places, reference: Path, code: list[str]) -> np.ndarray:
    """(P, T) t CO2 per MWh of the regional grid, by the nearest-year rule of ``fuels``."""
    by_city = read_grid_factors(reference, places) / 10.0
    return np.stack([by_city[np.flatnonzero(places.province == c)[0]] for c in code])
