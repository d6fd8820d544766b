"""Fixed-effects least squares: every covariance where it is right, where it is known to err, and where it must fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest

from analysis_py.estimators.twfe import fit_twfe
from tests.monte_carlo.shapes import cities, provinces, unbalanced_cities
from tests.monte_carlo.study import NIGHTLY, Claim, Reading, Trial, by_name, judge, read_term, right, wrong
from tests.monte_carlo.worlds import Noise, PanelWorld

CITY = {"type": "cluster", "by": ["city"]}
PROVINCE = {"type": "cluster", "by": ["province"]}
BOTH = {"type": "cluster", "by": ["city", "year"]}
#: What each method is: covariance, then convention, then weights.
METHODS: dict[str, tuple[Any, str, str | None]] = {
    "iid": ("iid", "reghdfe", None),
    "iid, xtreg": ("iid", "xtreg", None),
    "iid, areg": ("iid", "areg", None),
    "iid, weighted": ("iid", "reghdfe", "w"),
    "hc1": ("hc1", "reghdfe", None),
    "hc1, areg": ("hc1", "areg", None),
    "hc2": ("hc2", "reghdfe", None),
    "hc3": ("hc3", "reghdfe", None),
    "cluster city": (CITY, "reghdfe", None),
    "cluster city, xtreg": (CITY, "xtreg", None),
    "cluster city, areg": (CITY, "areg", None),
    "cluster city, weighted": (CITY, "reghdfe", "w"),
    "cluster province": (PROVINCE, "reghdfe", None),
    "cluster city and year": (BOTH, "reghdfe", None),
    "CR2 city": ({"type": "cr2", "by": ["city"]}, "reghdfe", None),
    "CR2 province": ({"type": "cr2", "by": ["province"]}, "reghdfe", None),
    "CR3 province": ({"type": "cr3", "by": ["province"]}, "reghdfe", None),
    "wild province": ({"type": "wild", "by": ["province"], "draws": 399}, "reghdfe", None),
    "Conley 400 km": ({"type": "conley", "lon": "lon", "lat": "lat", "cutoff_km": 400}, "reghdfe", None),
    "Driscoll-Kraay": ("driscoll_kraay", "reghdfe", None),
}


def reader(methods: Mapping[str, Claim], truth: float) -> Callable[[pd.DataFrame, int], dict[str, Reading]]:
    def read(frame: pd.DataFrame, number: int) -> dict[str, Reading]:
        found = {}
        for method in methods:
            covariance, convention, weights = METHODS[method]
            if method.startswith("wild"):
                covariance = covariance | {"seed": number}
            result = fit_twfe(
                frame,
                outcome="y",
                regressors=["x", "c"],
                fixed_effects=["city", "year"],
                covariance=covariance,
                convention=convention,
                unit="city",
                time="year",
                weights=weights,
            )
            found[method] = read_term(result, "x", truth)
        return found

    return read


def trial(about: str, world: PanelWorld, claims: Mapping[str, Claim], small: int = 60) -> Trial:
    return Trial("twfe", about, world, reader(claims, world.slope), claims, small)


FEW_PROVINCES = "30 provinces of unequal size: ordinary clustered errors are a little small"
JACKKNIFE = "the jackknife errs to the safe side"
TIME = "errors correlated in time"


def independent(slope: float) -> Trial:
    plain = ("iid", "iid, xtreg", "iid, areg", "hc1", "hc1, areg", "hc2", "hc3")
    names = (*plain, "cluster city", "cluster city, xtreg", "cluster city, areg")
    return trial("independent errors", PanelWorld(cities(), slope), {name: right(slope) for name in names}, 30)


def uneven_errors(slope: float) -> Trial:
    world = PanelWorld(provinces(), slope, Noise(tail_df=6), Noise(), reaction=1.0)
    claims = {
        "iid": wrong(slope, "errors larger where x is far from its mean"),
        "hc1": right(slope, coverage=(0.90, 0.95), why="300 rows, 41 parameters: HC1 is a little small"),
        "hc2": right(slope, coverage=(0.92, 0.95), why="300 rows, 41 parameters: HC2 is a little small"),
        "hc3": right(slope, coverage=(0.94, 0.97), why=JACKKNIFE),
    }
    return trial("errors that grow with x", world, claims, 100)


def serial_errors(slope: float) -> Trial:
    world = PanelWorld(unbalanced_cities(), slope, Noise(serial=0.85, uneven=0.4, tail_df=6), Noise(serial=0.85))
    claims = {
        "iid": wrong(slope, TIME),
        "hc1": wrong(slope, TIME),
        "hc3": wrong(slope, TIME),
        "Driscoll-Kraay": wrong(slope, "errors correlated within cities for longer than the lag of two years"),
        "cluster city": right(slope),
        "cluster city, xtreg": right(slope),
        "cluster city, areg": right(slope, coverage=(0.95, 0.96), why="every effect counted in the factor"),
    }
    if slope < 0:
        # 271 small matrices a fit: once is enough
        claims["CR2 city"] = right(slope)
    return trial("errors correlated in time, unequal between cities", world, claims, 40)


def weighted(slope: float) -> Trial:
    world = PanelWorld(unbalanced_cities(), slope, weighted=True)
    claims = {
        "iid": right(slope, coverage=(0.95, 0.95), why="inefficient, and right: the variance does not go with x"),
        "iid, weighted": right(slope),
        "cluster city": right(slope, coverage=(0.94, 0.95), why="a few cities carry most of the variance"),
        "cluster city, weighted": right(slope, coverage=(0.92, 0.95), why="a few cities carry most of the weight"),
    }
    return trial("variance the inverse of the weights", world, claims, 100)


def province_errors(slope: float) -> Trial:
    shares = Noise(serial=0.5, province=0.5)
    claims = {
        "iid": wrong(slope, "errors common to provinces"),
        "cluster city": wrong(slope, "errors common to provinces"),
        "cluster province": right(slope, coverage=(0.90, 0.95), why=FEW_PROVINCES),
        "CR2 province": right(slope),
        "CR3 province": right(slope, coverage=(0.95, 0.98), why=JACKKNIFE),
        "wild province": right(slope),
    }
    return trial("errors common to provinces", PanelWorld(cities(), slope, shares, shares), claims, 40)


def few_treated(slope: float) -> Trial:
    noise = Noise(serial=0.5, province=0.2)
    claims = {
        "cluster province": wrong(slope, "two treated provinces"),
        "CR2 province": right(
            slope, coverage=(0.95, 1.0), power=0.1, why="two treated provinces: one degree of freedom, wide intervals"
        ),
        "CR3 province": right(
            slope,
            coverage=(0.80, 0.95),
            why="two treated provinces: the jackknife with t(G-1) is known to be too small",
        ),
        "wild province": right(
            slope, coverage=(0.95, 1.0), power=0.0, why="few treated: the bootstrap under the null hardly rejects"
        ),
    }
    return trial("a policy in two provinces of thirty", PanelWorld(provinces(), slope, noise, treated=2), claims, 100)


def thirty(slope: float) -> Trial:
    world = PanelWorld(provinces(), slope, Noise(serial=0.85, uneven=0.3), Noise(serial=0.85))
    claims = {
        "iid": wrong(slope, TIME),
        "cluster city": right(slope, coverage=(0.92, 0.95), why="30 clusters"),
        "cluster city, xtreg": right(slope, coverage=(0.92, 0.95), why="30 clusters"),
        "CR2 province": right(slope),
        "CR3 province": right(slope, coverage=(0.95, 0.97), why=JACKKNIFE),
        "wild province": right(slope),
    }
    return trial("errors correlated in time, 30 clusters", world, claims, 60)


def common_path(slope: float) -> Trial:
    shares = Noise(serial=0.0, factor=0.5)
    claims = {
        "hc1": wrong(slope, "a path common to all cities in x and errors"),
        "cluster city": wrong(slope, "a path common to all cities in x and errors"),
        "cluster city and year": right(slope, coverage=(0.90, 0.95), why="19 years"),
        "Driscoll-Kraay": right(slope, coverage=(0.88, 0.95), why="19 years, two lags: known to be small"),
    }
    return trial("a path common to all cities", PanelWorld(cities(), slope, shares, shares), claims, 60)


def neighbours(slope: float) -> Trial:
    shares = Noise(serial=0.5, spatial=0.95)
    claims = {
        "iid": wrong(slope, "errors correlated between neighbours"),
        "cluster city": wrong(slope, "errors correlated between neighbours"),
        "Conley 400 km": right(
            slope,
            coverage=(0.88, 0.95),
            why="correlations beyond the cutoff, few independent regions: known to be small",
        ),
    }
    return trial("errors correlated between neighbours", PanelWorld(cities(), slope, shares, shares), claims, 60)


TRIALS = by_name(
    made
    for make, truths in (
        (independent, (0.0, 0.055)),
        (uneven_errors, (0.0, -0.36)),
        (serial_errors, (0.0, 0.1, -0.1)),
        (weighted, (0.0, 0.075)),
        (province_errors, (0.0, 0.12)),
        (few_treated, (0.0, 2.5)),
        (thirty, (0.0, 0.36)),
        (common_path, (0.0, 0.45)),
        (neighbours, (0.0, 0.1)),
    )
    for made in map(make, truths)
)


@pytest.mark.parametrize("name", TRIALS)
def test_small(name: str) -> None:
    judge(TRIALS[name], TRIALS[name].small)


@pytest.mark.nightly
@pytest.mark.parametrize("name", TRIALS)
def test_thousand(name: str) -> None:
    judge(TRIALS[name], NIGHTLY)
