"""Poisson with fixed effects: right errors for Poisson counts, clustered ones where counts vary more than that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest

from analysis_py.estimators.poisson import fit_poisson
from tests.monte_carlo.shapes import provinces, unbalanced_cities
from tests.monte_carlo.study import NIGHTLY, Claim, Reading, Trial, by_name, judge, read_term, right, wrong
from tests.monte_carlo.worlds import CountWorld

METHODS: dict[str, Any] = {"iid": "iid", "hc1": "hc1", "cluster city": {"type": "cluster", "by": ["city"]}}
MORE = "counts vary more than Poisson, and together from year to year"


def reader(methods: Mapping[str, Claim], truth: float) -> Callable[[pd.DataFrame, int], dict[str, Reading]]:
    def read(frame: pd.DataFrame, _: int) -> dict[str, Reading]:
        return {
            method: read_term(
                fit_poisson(
                    frame,
                    outcome="n",
                    regressors=["x", "c"],
                    fixed_effects=["city", "year"],
                    covariance=METHODS[method],
                    convention="reghdfe",
                ),
                "x",
                truth,
            )
            for method in methods
        }

    return read


def poisson(slope: float) -> Trial:
    claims = {
        "iid": right(slope),
        "hc1": right(slope, coverage=(0.91, 0.95), why="asymptotic factors beside 41 parameters: a little small"),
        "cluster city": right(slope, coverage=(0.88, 0.95), why="30 clusters and normal quantiles: a little small"),
    }
    return Trial("poisson", "Poisson counts", CountWorld(provinces(), slope), reader(claims, slope), claims, 40)


def excess(slope: float) -> Trial:
    claims = {
        "iid": wrong(slope, MORE),
        "hc1": wrong(slope, MORE),
        "cluster city": right(slope, coverage=(0.92, 0.95), why="271 clusters of very unequal size"),
    }
    world = CountWorld(unbalanced_cities(), slope, excess=0.5)
    return Trial("poisson", "counts that vary more than Poisson", world, reader(claims, slope), claims, 40)


TRIALS = by_name(
    made for make, truths in ((poisson, (0.0, 0.15)), (excess, (0.0, 0.12, -0.12))) for made in map(make, truths)
)


@pytest.mark.parametrize("name", TRIALS)
def test_small(name: str) -> None:
    judge(TRIALS[name], TRIALS[name].small)


@pytest.mark.nightly
@pytest.mark.parametrize("name", TRIALS)
def test_thousand(name: str) -> None:
    judge(TRIALS[name], NIGHTLY)
