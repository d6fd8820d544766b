"""Twelve, fourteen and thirty clusters: CR2 and the wild bootstrap hold where ordinary clustered errors do not."""

from __future__ import annotations

import pytest

from tests.monte_carlo.shapes import Shape, cities_of
from tests.monte_carlo.study import NIGHTLY, Claim, Trial, by_name, judge, right
from tests.monte_carlo.test_twfe import JACKKNIFE, reader
from tests.monte_carlo.worlds import Noise, PanelWorld

NOISE = Noise(serial=0.5, province=0.5)


def few(shape: Shape, slope: float, plain: tuple[float, float]) -> Trial:
    claims: dict[str, Claim] = {
        "cluster province": right(slope, coverage=plain, power=0.7, why="few clusters: too small"),
        "CR2 province": right(slope, power=0.7),
        "CR3 province": right(slope, coverage=(0.95, 0.98), power=0.7, why=JACKKNIFE),
        "wild province": right(slope, power=0.7),
    }
    world = PanelWorld(shape, slope, NOISE, Noise(serial=0.2, province=0.5))
    return Trial("twfe", "errors common to provinces", world, reader(claims, slope), claims, 40)


TRIALS = by_name(
    few(cities_of(provinces, each, 7), slope, plain)
    for provinces, each, slope, plain in (
        (12, (3,), 0.0, (0.89, 0.95)),
        (12, (3,), 0.3, (0.89, 0.95)),
        (14, (6, 2, 2), 0.0, (0.86, 0.95)),
        (14, (6, 2, 2), -0.28, (0.86, 0.95)),
        (30, (3,), 0.18, (0.92, 0.95)),
    )
)


@pytest.mark.parametrize("name", TRIALS)
def test_small(name: str) -> None:
    judge(TRIALS[name], TRIALS[name].small)


@pytest.mark.nightly
@pytest.mark.parametrize("name", TRIALS)
def test_thousand(name: str) -> None:
    judge(TRIALS[name], NIGHTLY)
