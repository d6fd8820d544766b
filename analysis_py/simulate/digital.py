"""Digital economy of the demo cities: networks, computing power, digital finance and enterprises."""

from __future__ import annotations

import numpy as np

from analysis_py.simulate.effects import Ground
from analysis_py.simulate.layout import quantise
from analysis_py.simulate.places import YEARS
from analysis_py.simulate.process import autoregress, compose, logistic

DIGITAL = "city_digital"
_CENTRED = YEARS - 2012.0


def draw_digital(ground: Ground) -> dict[str, np.ndarray]:
    """(N, T) mobile subscribers (10^4), telecom revenue (10^8 yuan), base stations, racks, computing power (PFLOPS),
    digital finance index (points) and digital enterprises. Years before a series begins are drawn and not printed."""
    amounts = _draw_networks(ground) | _draw_computing(ground)
    amounts["digital_finance_index"] = _draw_finance(ground)
    amounts["digital_enterprises"] = _draw_enterprises(ground)
    return {name: quantise(DIGITAL, name, values) for name, values in amounts.items()}


def _draw_networks(ground: Ground) -> dict[str, np.ndarray]:
    draw = ground.streams.stream("networks")
    n, people = ground.places.count, ground.quantity["population_resident"]
    reach = draw.normal(0.0, 0.14, n) + 0.16 * ground.income
    penetration = 1.15 * logistic((YEARS - 2009.5) / 4.0)
    mobile = np.exp(reach[:, None] + 0.04 * _wave(draw, ground)) * penetration[None, :] * people
    share = np.log(0.019) + draw.normal(0.0, 0.2, n)
    revenue = np.exp(share[:, None] - 0.045 * _CENTRED[None, :] + 0.08 * _wave(draw, ground)) * ground.quantity["gdp"]
    dense = np.log(16.0) + 0.2 * ground.income + draw.normal(0.0, 0.2, n)
    stations = np.exp(
        dense[:, None] + (3.4 * logistic((YEARS - 2013.0) / 4.5) - 1.5)[None, :] + 0.05 * _wave(draw, ground)
    )
    return {"mobile_subscribers": mobile, "telecom_revenue": revenue, "base_stations": stations * people}


def _draw_computing(ground: Ground) -> dict[str, np.ndarray]:
    draw = ground.streams.stream("computing")
    n = ground.places.count
    level = 6.6 + 0.6 * ground.size + 0.4 * ground.income + 0.6 * ground.places.is_capital + draw.normal(0.0, 0.7, n)
    racks = level[:, None] + 0.19 * _CENTRED[None, :] + 0.12 * _wave(draw, ground)
    per_rack = -4.6 + draw.normal(0.0, 0.35, n)
    power = compose(ground.effect("computing_power"), per_rack, 0.14 * _CENTRED, 0.1 * _wave(draw, ground))
    return {"data_centre_racks": np.exp(racks), "computing_power": np.exp(np.minimum(racks + power, 13.4))}


def _draw_finance(ground: Ground) -> np.ndarray:
    draw = ground.streams.stream("digital_finance")
    path = 62.0 + 250.0 * (1.0 - np.exp(-(YEARS - 2011.0) / 6.5))
    place = 13.0 * ground.income + draw.normal(0.0, 7.0, ground.places.count)
    return np.maximum(path[None, :] + place[:, None] + 5.0 * _wave(draw, ground), 5.0)


def _draw_enterprises(ground: Ground) -> np.ndarray:
    draw = ground.streams.stream("digital_enterprises")
    level = 4.6 + 0.7 * ground.size + 0.5 * ground.income + draw.normal(0.0, 0.6, ground.places.count)
    path = 0.16 * _CENTRED - 0.002 * _CENTRED**2
    latent = compose(ground.effect("digital_enterprises"), level, path, 0.1 * _wave(draw, ground))
    return np.maximum(np.exp(latent) - 1.0, 0.0)


def _wave(draw: np.random.Generator, ground: Ground) -> np.ndarray:
    return autoregress(draw, ground.shape, 0.85)
