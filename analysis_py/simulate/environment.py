"""Environment of the demo cities: industrial emissions, urban construction, household consumption, green finance."""

from __future__ import annotations

import numpy as np

from analysis_py.simulate.economy import YEARBOOK
from analysis_py.simulate.effects import Ground
from analysis_py.simulate.layout import quantise
from analysis_py.simulate.places import YEARS
from analysis_py.simulate.process import autoregress, compose, logistic

CONSTRUCTION, FINANCE = "city_construction", "city_green_finance"
_CENTRED = YEARS - 2012.0

#: Emission -> log level of a middling city in 2012 and the yearly change before and after the turn of the trend.
_EMISSIONS = {
    "industrial_wastewater": (np.log(4200.0), 0.030, 2008, -0.055),
    "industrial_so2": (np.log(38000.0), 0.050, 2006, -0.105),
    "industrial_soot_dust": (np.log(19000.0), -0.010, 2014, -0.120),
}
#: Component of green finance -> level in percent, yearly growth, spread between cities, spread over time.
_FINANCE = {
    "green_credit": (8.0, 0.045, 0.22, 0.06),
    "green_investment": (0.95, 0.010, 0.40, 0.18),
    "green_support": (2.60, 0.020, 0.30, 0.15),
    "green_insurance": (0.45, 0.060, 0.45, 0.15),
    "green_bonds": (0.90, 0.110, 0.60, 0.25),
    "green_funds": (0.70, 0.090, 0.50, 0.20),
    "green_equity": (1.40, 0.080, 0.55, 0.22),
}


def draw_emissions(ground: Ground) -> dict[str, np.ndarray]:
    """(N, T) industrial wastewater (10^4 t), sulphur dioxide and soot and dust (t)."""
    out = {}
    for name, (typical, rise, turn, fall) in _EMISSIONS.items():
        draw = ground.streams.stream(name)
        heavy = 0.45 * ground.size + 0.35 * ground.places.is_resource + draw.normal(0.0, 0.5, ground.places.count)
        trend = np.where(turn >= YEARS, rise * (YEARS - turn), fall * (YEARS - turn))
        path = trend - trend[12]
        error = 0.16 * autoregress(draw, ground.shape, 0.8, tail_df=6.0)
        amount = np.exp(compose(ground.effect(name), typical + heavy, path, error))
        out[name] = quantise(YEARBOOK, name, amount)
    return out


def draw_construction(ground: Ground) -> dict[str, np.ndarray]:
    """(N, T) table of urban construction: green coverage, investment, household water and gas, buses, treatment."""
    draw = ground.streams.stream("construction")
    places, shape = ground.places, ground.shape
    n = places.count
    error = 0.05 * autoregress(draw, shape, 0.8, tail_df=6.0)
    green = compose(ground.effect("green_coverage"), -0.5 + draw.normal(0.0, 0.2, n), 0.02 * _CENTRED, error)
    intensity = np.log(0.0065) + draw.normal(0.0, 0.4, n)
    invested = np.exp(intensity[:, None] + 0.35 * autoregress(draw, shape, 0.5)) * ground.quantity["gdp"]
    urban = logistic(-0.55 + 0.45 * ground.income[:, None] + 0.04 * _CENTRED[None, :])
    people = urban * ground.quantity["population_resident"]
    water = np.exp(np.log(46.0) + draw.normal(0.0, 0.2, n)[:, None] + 0.05 * autoregress(draw, shape, 0.8))
    gas = 0.011 * np.exp(
        draw.normal(0.0, 0.6, n)[:, None] - 0.003 * (_CENTRED**2)[None, :] + 0.12 * _walk(draw, ground)
    )
    vehicles = np.exp(
        np.log(7.0) + draw.normal(0.0, 0.3, n)[:, None] + 0.025 * _CENTRED[None, :] + 0.05 * _walk(draw, ground)
    )
    sewage_path = 3.0 * logistic((YEARS - 2007.0) / 3.2) - 0.9
    sewage = compose(
        ground.effect("sewage_treatment_rate"),
        draw.normal(0.0, 0.5, n) + 0.3 * ground.income,
        sewage_path,
        0.2 * _walk(draw, ground),
    )
    waste = draw.normal(0.3, 0.7, n)[:, None] + (4.2 * logistic((YEARS - 2008.0) / 3.0) - 0.8)[None, :]
    waste = waste + 0.3 * _walk(draw, ground)
    amounts = {
        "green_coverage": 100.0 * logistic(green),
        "environmental_infrastructure_investment": invested,
        "household_water_use": people * water,
        "household_lpg_use": people * 1e4 * gas,
        "buses": np.maximum(people * vehicles, 1.0),
        "sewage_treatment_rate": 100.0 * logistic(sewage),
        # many cities treat all their waste in the end
        "waste_treatment_rate": np.minimum(101.5 * logistic(waste), 100.0),
    }
    return {name: quantise(CONSTRUCTION, name, values) for name, values in amounts.items()}


def draw_green_finance(ground: Ground) -> dict[str, np.ndarray]:
    """(N, T) seven shares (percent) of which green finance is composed."""
    out = {}
    for name, (typical, growth, between, over_time) in _FINANCE.items():
        draw = ground.streams.stream(name)
        level = np.log(typical) + 0.12 * ground.income + draw.normal(0.0, between, ground.places.count)
        error = over_time * autoregress(draw, ground.shape, 0.75)
        share = np.exp(compose(ground.effect(name), level, growth * _CENTRED, error))
        out[name] = quantise(FINANCE, name, np.minimum(share, 60.0))
    return out


def _walk(draw: np.random.Generator, ground: Ground) -> np.ndarray:
    return autoregress(draw, ground.shape, 0.85)
