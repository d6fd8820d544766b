"""Shift-share instruments: regions that share sectors are not independent, and AKM errors know it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from analysis_py.estimators.iv import fit_iv
from analysis_py.estimators.shift_share import Exposure, ShiftShareInference, shift_share_inference
from tests.monte_carlo.shapes import differences
from tests.monte_carlo.study import NIGHTLY, Claim, Reading, Trial, by_name, judge, read_term, right, wrong
from tests.monte_carlo.worlds import ShiftShareWorld

SHARED = "cities with the same sectors share errors"


def reader(world: ShiftShareWorld) -> Callable[[pd.DataFrame, int], dict[str, Reading]]:
    names = tuple(f"s{k}" for k in range(world.sectors))

    def read(frame: pd.DataFrame, _: int) -> dict[str, Reading]:
        truth = world.effect
        model: dict[str, Any] = {"outcome": "y", "endogenous": ["x"], "instruments": ["z"]}
        robust = fit_iv(frame, covariance="hc1", **model)
        clustered = fit_iv(frame, covariance={"type": "cluster", "by": ["province"]}, **model)
        shares = world.shares[robust.design.sample.used_rows]
        apart = shift_share_inference(robust.design, Exposure(shares, names))
        together = shift_share_inference(robust.design, Exposure(shares, names, cluster=world.groups))
        found = {
            "hc1": read_term(robust.main, "x", truth),
            "cluster province": read_term(clustered.main, "x", truth),
        }
        for name, made in (("AKM", apart), ("AKM by groups of sectors", together)):
            found[name] = _read_akm(made, truth)
            held = made.akm0.contains(truth)
            found[name.replace("AKM", "AKM0")] = Reading(covered=held, rejected=not made.akm0.contains(0.0))
        return found

    return read


def _read_akm(made: ShiftShareInference, truth: float) -> Reading:
    return Reading(made.estimate - truth, made.akm_low <= truth <= made.akm_high, made.akm_p_value <= 0.05)


def independent(effect: float) -> Trial:
    claims = {
        "hc1": wrong(effect, SHARED, bias=0.1),
        "cluster province": wrong(effect, SHARED, bias=0.1),
        "AKM": right(effect, coverage=(0.90, 0.95), bias=0.1, why="120 shocks: a little small"),
        "AKM0": _set(effect, (0.94, 0.96)),
    }
    world = ShiftShareWorld(differences(), effect)
    return Trial("shift-share", "independent shocks", world, reader(world), claims, 50)


def correlated(effect: float) -> Trial:
    claims = {
        "cluster province": wrong(effect, SHARED, bias=0.1),
        "AKM": wrong(effect, "shocks correlated within groups of sectors", bias=0.1),
        "AKM by groups of sectors": right(effect, coverage=(0.88, 0.95), bias=0.1, why="30 groups: a little small"),
        "AKM0 by groups of sectors": _set(effect, (0.93, 0.97)),
    }
    world = ShiftShareWorld(differences(), effect, together=4)
    return Trial("shift-share", "shocks correlated within groups of sectors", world, reader(world), claims, 50)


def _set(effect: float, coverage: tuple[float, float]) -> Claim:
    return right(effect, coverage=coverage, bias=None, power=0.5, why="null imposed")


TRIALS = by_name(
    made for make, truths in ((independent, (0.0, 0.6)), (correlated, (0.0, -0.8))) for made in map(make, truths)
)


@pytest.mark.parametrize("name", TRIALS)
def test_small(name: str) -> None:
    judge(TRIALS[name], TRIALS[name].small)


@pytest.mark.nightly
@pytest.mark.parametrize("name", TRIALS)
def test_thousand(name: str) -> None:
    judge(TRIALS[name], NIGHTLY)
