"""The second stage of Simar & Wilson: what explains efficiency, by both algorithms, coverage of bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from analysis_py.efficiency.panel_scores import make_panel
from analysis_py.efficiency.reference_sets import CONTEMPORANEOUS
from analysis_py.efficiency.second_stage import second_stage
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.efficiency.truncated_regression import draw_truncated
from tests.monte_carlo.shapes import Shape, cities_of
from tests.monte_carlo.study import LEVEL, NIGHTLY, Claim, Reading, Trial, by_name, judge, right
from tests.monte_carlo.worlds import Columns
from tests.unit.efficiency_doubles import ratio_evaluator

MIDDLE, SIGMA = 1.6, 0.8


@dataclass(frozen=True)
class FrontierWorld:
    """One input, one output; distances to output = input are normal around 1.6 + slope (z - 2), truncated at one."""

    shape: Shape
    slope: float

    def draw(self, rng: np.random.Generator, draws: int) -> Columns:
        size = (draws, len(self.shape.rows))
        z = rng.normal(2, 1, size)
        middle = MIDDLE + self.slope * (z - 2)
        distance = draw_truncated(middle.ravel(), SIGMA, 1 - rng.random(z.size)).reshape(size)
        used = rng.uniform(1, 10, size)
        return {"z": z, "input": used, "output": used / distance}


def reader(slope: float) -> Callable[[pd.DataFrame, int], dict[str, Reading]]:
    def read(frame: pd.DataFrame, number: int) -> dict[str, Reading]:
        panel = make_panel(range(len(frame)), None, frame["input"].to_numpy(), frame["output"].to_numpy())
        found = {}
        for algorithm in (1, 2):
            made = second_stage(
                panel,
                ModelSpec("ccr"),
                CONTEMPORANEOUS,
                frame[["z"]].to_numpy(),
                ["z"],
                algorithm=algorithm,
                draws=199,
                correction_draws=40,
                seed=number,
                evaluator=ratio_evaluator,
            )
            held = bool(made.ci_low[0] <= slope <= made.ci_high[0])
            found[f"algorithm {algorithm}"] = Reading(
                float(made.estimate[0]) - slope, held, bool(made.p_value[0] <= LEVEL)
            )
        return found

    return read


def trial(slope: float) -> Trial:
    why = "bootstrap of 199 draws on 120 rows: a little small or large"
    claims: dict[str, Claim] = {
        f"algorithm {a}": right(slope, coverage=(0.92, 0.97), bias=0.15, why=why) for a in (1, 2)
    }
    world = FrontierWorld(cities_of(12, (10,), 1), slope)
    return Trial("second stage", "distances truncated normal", world, reader(slope), claims, 40)


TRIALS = by_name(map(trial, (0.0, 0.5)))


@pytest.mark.parametrize("name", TRIALS)
def test_small(name: str) -> None:
    judge(TRIALS[name], TRIALS[name].small)


@pytest.mark.nightly
@pytest.mark.parametrize("name", TRIALS)
def test_thousand(name: str) -> None:
    judge(TRIALS[name], NIGHTLY)
