"""From carbon dioxide back to fuels, with the factors a warehouse uses to come forward again.

Burnt fuels: t CO2 per unit = NCV x carbon content x oxidation x 44/12 of factor set ``ipcc2006`` (2006 IPCC Guidelines,
vol. 2 ch. 1). Electricity: the ``grid_average`` factor of the province's grid region in the nearest year for which one
was announced, the earlier of two equally near; a province on no regional grid takes the national series.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from analysis_py.simulate.effects import Ground
from analysis_py.simulate.layout import quantise
from analysis_py.simulate.places import YEARS, Places, read_reference
from analysis_py.simulate.process import autoregress, compose
from analysis_py.simulate.streams import Streams

#: Burnt fuels of the carbon productivity study, raw coal last: it takes up the rounding of the others.
BURNT = ("coke", "crude_oil", "gasoline", "kerosene", "diesel", "fuel_oil", "natural_gas", "raw_coal")
FACTOR_SET = "ipcc2006"
#: Canonical units hold 10^4 t (10^8 m3 of gas, 10^8 kWh); kg per unit -> 10^4 t CO2 per canonical unit.
_CANONICAL_SCALE = {"natural_gas": 10.0}
_SHARE = {
    "coke": 0.07,
    "crude_oil": 0.05,
    "gasoline": 0.05,
    "kerosene": 0.01,
    "diesel": 0.09,
    "fuel_oil": 0.03,
    "natural_gas": 0.04,
    "electricity": 0.26,
}


def read_fuel_factors(reference: Path, factor_set: str = FACTOR_SET) -> dict[str, float]:
    """10^4 t CO2 per canonical unit (10^4 t; 10^8 m3 for gas) of each burnt fuel."""
    table = read_reference(reference, "seed_ipcc_emission_factor")
    numbers = table[table["factor_set"] == factor_set].set_index("fuel")[
        ["ncv_kj_per_unit", "carbon_content_tc_per_tj", "oxidation_rate"]
    ]
    out = {}
    for fuel in BURNT:
        energy, carbon_content, oxidation = numbers.loc[fuel].to_numpy(float)
        carbon = energy * 1e-9 * carbon_content * oxidation
        out[fuel] = carbon * 1000.0 * 44.0 / 12.0 * _CANONICAL_SCALE.get(fuel, 1.0)
    return out


def read_grid_factors(reference: Path, places: Places) -> np.ndarray:
    """(N, T) 10^4 t CO2 per 10^8 kWh of electricity, by the nearest-year rule of the module."""
    table = read_reference(reference, "seed_grid_emission_factor")
    table = table[table["factor_type"] == "grid_average"]
    known = {
        region: sorted((int(y), float(f)) for y, f in zip(rows["year"], rows["t_co2_per_mwh"], strict=True))
        for region, rows in table.groupby("region", sort=True)
    }
    by_region = {r: np.array([_nearest(series, int(y)) for y in YEARS]) for r, series in known.items()}
    regions = [places.grid_region[p] for p in places.province]
    return np.stack([by_region[r if r in by_region else "national"] for r in regions]) * 10.0


def _nearest(series: list[tuple[int, float]], year: int) -> float:
    return min(series, key=lambda item: (abs(item[0] - year), item[0]))[1]


def split_fuels(places: Places, streams: Streams, co2_mt: np.ndarray, reference: Path) -> dict[str, np.ndarray]:
    """Fuel consumption (canonical units, printed digits) whose emissions add up to ``co2_mt`` (N, T) to rounding."""
    draw = streams.stream("fuels")
    shape = co2_mt.shape
    factors: dict[str, np.ndarray | float] = dict(read_fuel_factors(reference))
    factors["electricity"] = read_grid_factors(reference, places)
    years = (YEARS - 2012.0)[None, :]
    total = co2_mt * 100.0
    left = total.copy()
    out: dict[str, np.ndarray] = {}
    for fuel, typical in _SHARE.items():
        city = np.exp(draw.normal(0.0, 0.45, places.count))[:, None]
        trend = {"natural_gas": 0.08, "coke": -0.02, "fuel_oil": -0.05}.get(fuel, 0.0) * years
        share = typical * city * np.exp(trend + 0.08 * autoregress(draw, shape, 0.8))
        share = np.minimum(share, 0.40 if fuel == "electricity" else 0.09)
        out[fuel] = quantise("city_energy", f"energy_{fuel}", share * total / factors[fuel])
        left = left - out[fuel] * factors[fuel]
    out["raw_coal"] = quantise("city_energy", "energy_raw_coal", left / factors["raw_coal"])
    return {f"energy_{fuel}": values for fuel, values in out.items()}


def read_coal_factors(reference: Path) -> dict[str, float]:
    """10^4 tce per canonical unit (10^4 t, 10^8 m3, 10^8 kWh) of every fuel that the city tables hold."""
    table = read_reference(reference, "seed_ipcc_emission_factor")
    table = table[table["factor_set"].isin([FACTOR_SET, "calorific_value"])].set_index("fuel")
    scale = _CANONICAL_SCALE | {"electricity": 10.0}
    fuels = (*BURNT, "lpg", "electricity")
    return {f: float(str(table.loc[f, "standard_coal_kgce_per_unit"])) * scale.get(f, 1.0) for f in fuels}


def draw_energy(ground: Ground, reference: Path) -> dict[str, np.ndarray]:
    """(N, T) liquefied petroleum gas (10^4 t) and total energy (10^4 tce), consistent with the other fuels."""
    places = ground.places
    draw = ground.streams.stream("lpg")
    use = np.exp(
        np.log(0.018) + draw.normal(0.0, 0.4, places.count)[:, None] + 0.1 * autoregress(draw, ground.shape, 0.8)
    )
    gas = use * (ground.quantity["population_resident"] ** 0.9)
    quantity = ground.quantity | {"energy_lpg": quantise("city_energy", "energy_lpg", gas)}
    coal = read_coal_factors(reference)
    listed = np.zeros(ground.shape)
    for fuel, factor in coal.items():
        listed = listed + factor * quantity[f"energy_{fuel}"]
    draw = ground.streams.stream("other_energy")
    error = 0.1 * autoregress(draw, ground.shape, 0.85)
    level = np.log(0.085) + draw.normal(0.0, 0.3, places.count)
    other = np.exp(compose(ground.effect("other_energy"), level, np.zeros(len(YEARS)), error))
    total = quantise("city_energy", "energy_total", listed * (1.0 + np.minimum(other, 0.3)))
    return {"energy_lpg": quantity["energy_lpg"], "energy_total": total}


def emit(fuels: Mapping[str, np.ndarray], places: Places, reference: Path) -> np.ndarray:
    """Forward measurement: Mt CO2 of fuel quantities in canonical units (N, T); NaN where a fuel is missing."""
    factors: dict[str, np.ndarray | float] = dict(read_fuel_factors(reference))
    factors["electricity"] = read_grid_factors(reference, places)
    total: np.ndarray | float = 0.0
    for fuel in (*BURNT, "electricity"):
        total = total + fuels[f"energy_{fuel}"] * factors[fuel]
    return np.asarray(total) / 100.0
