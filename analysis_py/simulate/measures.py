"""True values of the measures that the marts derive for the other studies, from the world's complete quantities.

They are what a reader of the unspoilt tables computes: quantities are rounded to print before anything is made of them;
only investment after 2017 is known here and printed as growth alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from analysis_py.simulate.composite import compose_index
from analysis_py.simulate.investment import CAPITAL_BASE_YEAR, accumulate_capital
from analysis_py.simulate.places import TIBET, YEARS, Places, read_reference
from analysis_py.simulate.prices import draw_investment_prices
from analysis_py.simulate.raw_tables import sum_provinces
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.world import World

YELLOW_RIVER_YEARS = (2006, 2021)
GREEN_TFP_YEARS, GREEN_TFP_SINCE = (2011, 2022), 2010
GREEN_INNOVATION_YEARS = (2006, 2022)
COMPUTING_SINCE = 2010
_BASE = int(np.flatnonzero(YEARS == CAPITAL_BASE_YEAR)[0])
_KINDS = ("invention", "utility_model", "design")


def derive_measures(world: World, reference: Path) -> dict[str, np.ndarray]:
    """(N, T) true measures by column of ``truth_city_year``; NaN outside the years or the sample of a measure."""
    quantity = world.quantity
    gdp = quantity["gdp"]
    real = gdp[:, [_BASE]] * world.gdp_real / world.gdp_real[:, [_BASE]]
    invested = quantity["fixed_asset_investment"]
    out = {
        "gdp_2006_price_yi_yuan": real,
        "fixed_asset_investment_extended_yi_yuan": invested,
        "capital_stock_2006_price_yi_yuan": accumulate_capital(invested, price_investment(world)),
        "energy_efficiency_10k_yuan_per_tce": real / quantity["energy_total"],
        "ai_all_applications_count": _add(quantity[f"ai_{kind}_applications"] for kind in _KINDS),
        "ai_all_applications_single_count": _add(quantity[f"ai_{kind}_applications_single"] for kind in _KINDS),
        "industrial_wastewater_10k_t_per_yi_yuan": quantity["industrial_wastewater"] / gdp,
        "industrial_so2_t_per_yi_yuan": quantity["industrial_so2"] / gdp,
        "industrial_soot_dust_t_per_yi_yuan": quantity["industrial_soot_dust"] / gdp,
    }
    return out | compose_indices(world, reference, out)


def price_investment(world: World) -> np.ndarray:
    """(N, T) level of the price index of investment of each city's province, 2000 = 1."""
    streams = Streams(world.seed)
    table = sum_provinces(world, streams)
    codes = sorted(world.places.province_name)
    gdp, growth = (
        table.pivot(index="province_code", columns="year", values=name).reindex(codes).to_numpy(float)
        for name in ("gdp", "gdp_index_prev100")
    )
    index = draw_investment_prices(streams, gdp, growth)
    index[:, 0] = 100.0
    level = np.cumprod(index / 100.0, axis=1)
    return level[np.searchsorted(np.array(codes), world.places.province.astype(str))]


def compose_indices(world: World, reference: Path, derived: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """(N, T) indices by the entropy method, each on the sample of its study: ``<study>_<index>_index``."""
    q, places = world.quantity, world.places
    people = q["population_resident"]
    river = _sample(yellow_river_cities(places, reference), YELLOW_RIVER_YEARS)
    cities = _sample(prefecture_cities(places, GREEN_TFP_SINCE, GREEN_TFP_YEARS[1]), GREEN_TFP_YEARS)
    all_cities = prefecture_cities(places, *GREEN_INNOVATION_YEARS)
    network = {
        "internet_users": (1, q["internet_users"] / people),
        "mobile_subscribers": (1, q["mobile_subscribers"] / people),
        "base_stations": (1, q["base_stations"] / people),
    }
    computing = {name: (1, q[name] / people) for name in ("data_centre_racks", "computing_power")}
    emissions = ("wastewater_10k_t", "so2_t", "soot_dust_t")
    regulation = {name: (-1, derived[f"industrial_{name}_per_yi_yuan"]) for name in emissions}
    parts = ("credit", "investment", "support", "insurance", "bonds", "funds", "equity")
    finance = {name: (1, q[f"green_{name}"]) for name in parts}
    consumption = {
        "household_water_use": (-1, q["household_water_use"]),
        "household_lpg_use": (-1, q["household_lpg_use"]),
        "buses": (1, q["buses"]),
        "sewage_treatment_rate": (1, q["sewage_treatment_rate"]),
        "waste_treatment_rate": (1, q["waste_treatment_rate"]),
    }
    # computing power is printed from a later year on than this study begins
    wired = _sample(all_cities, (COMPUTING_SINCE, GREEN_INNOVATION_YEARS[1]))
    indices = {
        "yellow_river_environmental_regulation": (
            regulation | {"solid_waste_utilised_pct": (1, world.symbol["ER"])},
            river,
        ),
        "yellow_river_green_finance": (finance, river),
        "yellow_river_green_consumption": (consumption, river),
        "green_tfp_network_infrastructure": (network, cities),
        "green_tfp_computing_infrastructure": (computing, cities),
        "green_tfp_information_infrastructure": (network | computing, cities),
        "green_innovation_green_finance": (finance, _sample(all_cities, GREEN_INNOVATION_YEARS)),
        "green_innovation_digital_infrastructure": (network | computing, wired),
    }
    return {f"{name}_index": compose_index(components, sample) for name, (components, sample) in indices.items()}


def yellow_river_cities(places: Places, reference: Path) -> np.ndarray:
    """(N,) cities of the Yellow River study."""
    return np.isin(places.code, read_reference(reference, "seed_yellow_river_city")["city_code"].to_list())


def prefecture_cities(places: Places, first: int, last: int) -> np.ndarray:
    """(N,) prefecture-level cities at every year-end from ``first`` to ``last``, Tibet left out."""
    is_city = places.exists & (places.former_code == places.code[:, None])
    inside = (first <= YEARS) & (last >= YEARS)
    return is_city[:, inside].all(axis=1) & (places.province != TIBET)


def _sample(cities: np.ndarray, years: tuple[int, int]) -> np.ndarray:
    return cities[:, None] & ((years[0] <= YEARS) & (years[1] >= YEARS))[None, :]


def _add(parts: Iterable[np.ndarray]) -> np.ndarray:
    return np.sum(np.stack(list(parts)), axis=0)
