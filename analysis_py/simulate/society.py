"""Sectors, people at work, schooling, roads and government reports of the demo cities."""

from __future__ import annotations

import numpy as np

from analysis_py.simulate.economy import YEARBOOK
from analysis_py.simulate.effects import Ground
from analysis_py.simulate.layout import quantise
from analysis_py.simulate.places import YEARS
from analysis_py.simulate.process import autoregress, compose

REPORTS = "city_reports"
#: Statistics of roads include village roads from this year on.
VILLAGE_ROADS = 2006


def draw_sectors(ground: Ground) -> dict[str, np.ndarray]:
    """(N, T) value added of the primary and secondary sector (10^8 yuan): with the tertiary they add up to GDP."""
    draw = ground.streams.stream("sectors")
    places, gdp, services = ground.places, ground.quantity["gdp"], ground.quantity["gdp_tertiary"]
    level = np.log(0.13) - 0.35 * ground.income - 0.5 * places.is_capital - 0.4 * places.is_resource
    level = level + draw.normal(0.0, 0.3, places.count)
    share = np.exp(level[:, None] - 0.035 * (YEARS - 2012.0)[None, :] + 0.07 * autoregress(draw, ground.shape, 0.85))
    goods = gdp - services
    primary = quantise(YEARBOOK, "gdp_primary", np.minimum(share * gdp, 0.55 * goods))
    return {"gdp_primary": primary, "gdp_secondary": quantise(YEARBOOK, "gdp_secondary", goods - primary)}


def draw_people(ground: Ground) -> dict[str, np.ndarray]:
    """(N, T) employees (10^4 persons), education expenditure (10^8 yuan) and highways (km)."""
    return {
        "employees": _draw_employees(ground),
        "education_expenditure": _draw_education(ground),
        "highway_mileage": _draw_highways(ground),
    }


def _draw_employees(ground: Ground) -> np.ndarray:
    draw = ground.streams.stream("employees")
    places = ground.places
    level = np.log(0.11) + 0.25 * ground.income + 0.35 * places.is_capital + draw.normal(0.0, 0.2, places.count)
    path = 0.02 * (YEARS - 2012.0) - 0.03 * np.maximum(YEARS - 2014.0, 0.0)
    error = 0.05 * autoregress(draw, ground.shape, 0.85, tail_df=8.0)
    share = np.exp(compose(ground.effect("employees"), level, path, error))
    people = np.minimum(share, 0.6) * ground.quantity["population_resident"]
    return quantise(YEARBOOK, "employees", np.maximum(people, 0.01))


def _draw_education(ground: Ground) -> np.ndarray:
    draw = ground.streams.stream("education")
    level = np.log(0.18) + draw.normal(0.0, 0.16, ground.places.count)
    wave = 0.08 * autoregress(draw, ground.shape, 0.7, tail_df=6.0)
    share = np.exp(level[:, None] + 0.008 * np.sin((YEARS - 2000.0) / 3.0)[None, :] + wave)
    spent = np.minimum(share, 0.45) * ground.quantity["fiscal_expenditure"]
    return quantise(YEARBOOK, "education_expenditure", spent)


def _draw_highways(ground: Ground) -> np.ndarray:
    draw = ground.streams.stream("highways")
    area = np.log(ground.quantity["land_area"][:, -1])
    level = 8.75 + 0.35 * ground.size + 0.25 * (area - area.mean()) + draw.normal(0.0, 0.35, ground.places.count)
    steps = 0.028 + 0.012 * draw.standard_normal(ground.shape) + 0.28 * (YEARS == VILLAGE_ROADS)[None, :]
    grown = np.cumsum(np.maximum(steps, -0.004), axis=1)
    return quantise(YEARBOOK, "highway_mileage", np.exp(level[:, None] + grown - grown[:, [12]]))


def draw_reports(ground: Ground) -> dict[str, np.ndarray]:
    """(N, T) words of the government work report and those of them about the environment."""
    draw = ground.streams.stream("reports")
    n = ground.places.count
    level = 9.15 + draw.normal(0.0, 0.18, n)
    words = np.round(
        np.exp(level[:, None] + 0.012 * (YEARS - 2012.0)[None, :] + 0.12 * draw.standard_normal(ground.shape))
    )
    rate = np.log(0.0058) + draw.normal(0.0, 0.2, n)
    wave = 0.22 * autoregress(draw, ground.shape, 0.4)
    share = np.exp(rate[:, None] + 0.035 * (YEARS - 2012.0)[None, :] + wave)
    return {"environmental_words": np.round(words * share), "report_words": words}
