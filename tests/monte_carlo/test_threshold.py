"""The threshold model: size and power of the first, second and third test, location, intervals and slopes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest

from analysis_py.estimators.threshold import fit_threshold
from tests.monte_carlo.shapes import Shape, cities, provinces, river_cities, unbalanced_cities
from tests.monte_carlo.study import (
    NIGHTLY,
    Claim,
    Reading,
    Trial,
    by_name,
    judge,
    powerful,
    read_p,
    read_term,
    right,
    sized,
)
from tests.monte_carlo.worlds import Noise, ThresholdWorld

#: With 199 draws a test at 5% rejects where at most nine draws reach F: 10 of 200 ranks where draws are exact.
DRAWS = 199
CLUSTERED = Noise(serial=0.5, uneven=0.3)
#: A threshold this far from the truth counts as found.
NEAR = 0.08


def reader(world: ThresholdWorld, count: int) -> Callable[[pd.DataFrame, int], dict[str, Reading]]:
    def read(frame: pd.DataFrame, number: int) -> dict[str, Reading]:
        made = fit_threshold(
            frame,
            outcome="y",
            regime_terms=["z"],
            regressors=["x"],
            fixed_effects=["city", "year"],
            covariance={"type": "cluster", "by": ["city"]},
            convention="plain",
            threshold={"variable": "q", "count": count, "grid": 200, "trim": 0.05, "bootstrap": DRAWS, "seed": number},
            unit="city",
            time="year",
        )
        found = {f"test {t.order}": read_p(t.p_value) for t in made.tests}
        if count != len(world.thresholds):
            return found
        # the curve is searched at candidates only: an interval reaches to the next one on each side
        step = float(np.max(np.diff(made.curves[0].x)))
        for j, (place, truth) in enumerate(
            zip(sorted(made.thresholds, key=lambda t: t.value), world.thresholds, strict=True), start=1
        ):
            assert place.ci_low is not None and place.ci_high is not None
            held = place.ci_low - step <= truth <= place.ci_high + step
            found[f"threshold {j}, LR interval"] = Reading(place.value - truth, held)
            found[f"threshold {j}, found within {NEAR}"] = Reading(rejected=abs(place.value - truth) < NEAR)
        for j, (term, truth) in enumerate(
            zip(made.regression.terms[: len(world.slopes)], world.slopes, strict=True), start=1
        ):
            found[f"slope {j}"] = read_term(made.regression, term, truth)
        return found

    return read


def trial(about: str, world: ThresholdWorld, count: int, claims: Mapping[str, Claim], small: int = 30) -> Trial:
    return Trial("threshold", about, world, reader(world, count), claims, small)


def none(shape: Shape, error: Noise, slope: float, small: int) -> Trial:
    about = "no threshold" if error == Noise() else "no threshold, errors correlated in time, unequal"
    world = ThresholdWorld(shape, (slope,), error=error)
    return trial(about, world, 1, {"test 1": sized(truth=f"none, slope {slope:g}")}, small)


def surplus(shape: Shape, slopes: tuple[float, ...], thresholds: tuple[float, ...], small: int) -> Trial:
    """One test more than there are thresholds: the last one's null is true."""
    count = len(thresholds) + 1
    claims = {f"test {j}": powerful(0.9, truth=f"{count - 1} threshold(s)") for j in range(1, count)}
    claims[f"test {count}"] = sized((0.03, 0.07), truth=f"{count - 1} threshold(s)", why="after the estimated ones")
    return trial("one threshold more asked for", ThresholdWorld(shape, slopes, thresholds), count, claims, small)


def located(
    about: str,
    shape: Shape,
    slopes: tuple[float, ...],
    thresholds: tuple[float, ...],
    error: Noise = Noise(),  # noqa: B008
) -> Trial:
    world = ThresholdWorld(shape, slopes, thresholds, error)
    claims: dict[str, Claim] = {}
    for j, threshold in enumerate(thresholds, start=1):
        truth = f"{threshold:g}"
        claims[f"test {j}"] = powerful(0.9, truth=f"{len(thresholds)} threshold(s)")
        # conservative where the jump does not shrink (Hansen 2000): no upper limit; errors correlated in time are
        # outside its theory
        held = (0.95, 1.0) if error == Noise() else (0.85, 1.0)
        why = "conservative: the jump is large" + ("" if error == Noise() else "; errors correlated in time")
        claims[f"threshold {j}, LR interval"] = Claim(held, bias=0.5, truth=truth, why=why)
        claims[f"threshold {j}, found within {NEAR}"] = powerful(0.5, truth=truth)
    for j, slope in enumerate(slopes, start=1):
        claims[f"slope {j}"] = right(
            slope,
            coverage=(0.93, 0.96),
            bias=0.15,
            why="thresholds count as known, slopes lean outwards; `plain` counts every city in the factor",
        )
    return trial(about, world, len(thresholds), claims)


TRIALS = by_name(
    (
        none(provinces(), Noise(), 0.3, 100),
        none(provinces(), CLUSTERED, 0.0, 100),
        none(unbalanced_cities(), CLUSTERED, 0.3, 40),
        surplus(river_cities(), (0.3, 0.75), (0.25,), 60),
        surplus(cities(), (0.2, 0.6, 0.0), (-0.5, 0.6), 30),
        located("one threshold", cities(), (0.3, 0.55), (0.25,)),
        located(
            "one threshold, downwards, errors correlated in time", unbalanced_cities(), (0.3, 0.0), (-0.4,), CLUSTERED
        ),
        located("two thresholds", cities(), (0.2, 0.6, 0.0), (-0.5, 0.6)),
    )
)


@pytest.mark.parametrize("name", TRIALS)
def test_small(name: str) -> None:
    judge(TRIALS[name], TRIALS[name].small)


@pytest.mark.nightly
@pytest.mark.parametrize("name", TRIALS)
def test_thousand(name: str) -> None:
    judge(TRIALS[name], NIGHTLY)
