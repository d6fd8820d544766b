"""Instrumental variables: estimates, intervals and tests; strong, weak, invalid, irrelevant, several instruments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import pytest

from analysis_py.estimators.iv import IvResult, fit_iv
from analysis_py.estimators.twfe import fit_twfe
from tests.monte_carlo.shapes import provinces, unbalanced_cities
from tests.monte_carlo.study import (
    NIGHTLY,
    Claim,
    Reading,
    Trial,
    by_name,
    judge,
    oversized,
    powerful,
    read_p,
    read_term,
    right,
    sized,
    wrong,
)
from tests.monte_carlo.worlds import InstrumentWorld, Noise

CITY = {"type": "cluster", "by": ["city"]}
ENDOGENOUS = "x is endogenous"


def fit(frame: pd.DataFrame, world: InstrumentWorld, **changes: Any) -> IvResult:
    return fit_iv(
        frame,
        **{
            "outcome": "y",
            "endogenous": [f"x{k + 1}" for k in range(len(world.effects))],
            "instruments": [f"z{j + 1}" for j in range(len(world.strength[0]))],
            "exogenous": ["c"],
            "fixed_effects": ["city", "year"],
            "covariance": CITY,
            "convention": "ivreghdfe",
            "unit": "city",
            "time": "year",
        }
        | changes,
    )


def reader(
    world: InstrumentWorld, methods: Mapping[str, Claim], **changes: Any
) -> Callable[[pd.DataFrame, int], dict[str, Reading]]:
    """Every method a trial of ``world`` may name; LIML, least squares and iid errors only where they are named."""
    truth = world.effects[0]

    def read(frame: pd.DataFrame, _: int) -> dict[str, Reading]:
        result = fit(frame, world, **changes)
        tests = result.tests
        found = {
            "2SLS": read_term(result.main, "x1", truth),
            "Hansen J": read_p(tests.overidentification.p_value),
            "endogeneity C": read_p(tests.endogeneity.p_value),
            "Wu-Hausman": read_p(tests.wu_hausman.p_value),
            "Anderson-Rubin test": read_p(tests.anderson_rubin.p_value),
            "Kleibergen-Paap rk LM": read_p(tests.identification.kleibergen_paap_lm.p_value),
            "first-stage F over 10": Reading(rejected=(tests.first_stages[0].f or 0.0) > 10),
        }
        for k, effect in enumerate(world.effects[1:], start=2):
            found[f"2SLS, x{k}"] = read_term(result.main, f"x{k}", effect)
        if tests.anderson_rubin_set is not None:
            found["Anderson-Rubin set"] = Reading(
                covered=tests.anderson_rubin_set.contains(truth),
                rejected=not tests.anderson_rubin_set.contains(0.0),
            )
        if tests.effective_f is not None:
            strong = tests.effective_f.statistic > tests.effective_f.critical["10%"]
            found["effective F over its critical value"] = Reading(rejected=strong)
        if result.tf is not None:
            low, high = result.tf.ci_low, result.tf.ci_high
            found["tF"] = Reading(covered=low <= truth <= high, rejected=not low <= 0 <= high)
        if result.plausible is not None:
            low, high = float(result.plausible.low[0]), float(result.plausible.high[0])
            found["plausibly exogenous"] = Reading(covered=low <= truth <= high, rejected=not low <= 0 <= high)
        for method in ("liml", "fuller"):
            if method in methods:
                found[method] = read_term(fit(frame, world, method=method, **changes).main, "x1", truth)
        if "2SLS, iid" in methods:
            found["2SLS, iid"] = read_term(fit(frame, world, covariance="iid").main, "x1", truth)
        if any(method.startswith("iid:") for method in methods):
            plain = fit(frame, world, covariance="iid").tests
            found["iid: Anderson LM"] = read_p(plain.identification.anderson_lm.p_value)
            found["iid: Sargan"] = read_p(plain.overidentification.p_value)
        if "least squares" in methods:
            found["least squares"] = read_term(_least_squares(frame, world), "x1", truth)
        return found

    return read


def _least_squares(frame: pd.DataFrame, world: InstrumentWorld) -> Any:
    return fit_twfe(
        frame,
        outcome="y",
        regressors=[*(f"x{k + 1}" for k in range(len(world.effects))), "c"],
        fixed_effects=["city", "year"],
        covariance=CITY,
        convention="reghdfe",
    )


def trial(about: str, world: InstrumentWorld, claims: Mapping[str, Claim], small: int = 40, **changes: Any) -> Trial:
    return Trial("iv", about, world, reader(world, claims, **changes), claims, small)


def strong(effect: float) -> Trial:
    """One strong instrument: the usual interval, tF and Anderson-Rubin all hold."""
    world = InstrumentWorld(
        unbalanced_cities(), (effect,), ((0.3,),), error=Noise(serial=0.8, uneven=0.3), instrument=Noise(serial=0.8)
    )
    claims = {
        "2SLS": right(effect),
        "tF": right(effect, bias=None, coverage=(0.95, 0.96), why="F near or over 104.67: nearly the usual interval"),
        "Anderson-Rubin set": right(effect, bias=None),
        "2SLS, iid": wrong(effect, "errors correlated in time"),
        "least squares": wrong(effect, ENDOGENOUS, bias=None),
        "endogeneity C": powerful(0.8, truth="x endogenous"),
        "Wu-Hausman": powerful(0.8, truth="x endogenous"),
        "Kleibergen-Paap rk LM": powerful(0.99, truth="identified"),
        "effective F over its critical value": powerful(0.99, truth="strong"),
    }
    return trial("one strong instrument", world, claims)


def several_instruments(effect: float) -> Trial:
    """Three valid instruments: 2SLS, LIML and Fuller, the size of J."""
    world = InstrumentWorld(unbalanced_cities(), (effect,), ((0.3, 0.2, 0.1),))
    claims = {
        "2SLS": right(effect, bias=0.1, why="2SLS with three instruments leans a little towards least squares"),
        "liml": right(effect),
        "fuller": right(effect, bias=0.05),
        "Anderson-Rubin set": right(effect, bias=None),
        "Hansen J": sized(truth="instruments valid"),
    }
    return trial("three strong instruments", world, claims)


def exogenous() -> Trial:
    world = InstrumentWorld(unbalanced_cities(), (0.2,), ((0.3, 0.2, 0.1),), tie=0.0)
    claims = {
        "2SLS": right(0.2),
        "endogeneity C": sized(truth="x exogenous"),
        "Wu-Hausman": sized(truth="x exogenous"),
        "Hansen J": sized(truth="instruments valid"),
    }
    return trial("x exogenous", world, claims)


def robust() -> Trial:
    """Independent errors of unequal size: the robust tests without clusters."""
    world = InstrumentWorld(
        unbalanced_cities(), (-0.2,), ((0.3, 0.2, 0.1),), tie=0.0, error=Noise(uneven=0.5), instrument=Noise()
    )
    claims = {
        "2SLS": right(-0.2),
        "Hansen J": sized(truth="instruments valid"),
        "endogeneity C": sized(truth="x exogenous"),
    }
    return trial("x exogenous, independent errors of unequal size, hc1", world, claims, covariance="hc1")


def invalid() -> Trial:
    world = InstrumentWorld(unbalanced_cities(), (0.2,), ((0.3, 0.3, 0.3),), direct=(0.0, 0.0, 0.12))
    claims = {
        "Hansen J": powerful(0.8, truth="one instrument invalid"),
        "2SLS": wrong(0.2, "an instrument with an effect of its own", bias=None),
    }
    return trial("one of three instruments invalid", world, claims)


def weak(effect: float) -> Trial:
    """Five instruments of no use: t over-rejects, Anderson-Rubin does not."""
    world = InstrumentWorld(unbalanced_cities(), (effect,), ((0.02,) * 5,), tie=0.9)
    claims = {
        "2SLS": wrong(effect, "five weak instruments", bias=None),
        "Anderson-Rubin set": right(effect, bias=None, power=None),
        "effective F over its critical value": sized((0.0, 0.05), truth="weak", why="weaker than the bound of 10%"),
        "Hansen J": oversized("J is not sized with weak instruments", truth="instruments valid"),
    }
    return trial("five weak instruments", world, claims)


def weak_alone(effect: float) -> Trial:
    """One weak instrument with much endogeneity: tF and Anderson-Rubin hold."""
    world = InstrumentWorld(unbalanced_cities(), (effect,), ((0.015,),), tie=0.99)
    claims = {
        "2SLS": wrong(effect, "one weak instrument, x highly endogenous", bias=None),
        "tF": right(effect, coverage=(0.95, 1.0), bias=None, power=None, why="conservative"),
        "Anderson-Rubin set": right(effect, bias=None, power=None),
    }
    return trial("one weak instrument", world, claims, 60)


def unidentified() -> Trial:
    world = InstrumentWorld(unbalanced_cities(), (0.0,), ((0.0, 0.0, 0.0),))
    claims = {
        "Kleibergen-Paap rk LM": sized(truth="unidentified"),
        "Anderson-Rubin test": sized(truth="0"),
        "iid: Anderson LM": oversized("errors correlated in time", truth="unidentified"),
        "effective F over its critical value": sized((0.0, 0.02), truth="unidentified"),
    }
    return trial("no instrument moves x", world, claims)


def alike() -> Trial:
    """Errors independent: the tests for iid errors have their size too, also where rank is short by one."""
    world = InstrumentWorld(
        unbalanced_cities(), (0.0, 0.3), ((0.5, 0.2, 0.3), (0.5, 0.2, 0.3)), error=Noise(), instrument=Noise()
    )
    claims = {
        "iid: Anderson LM": sized(truth="rank one of two"),
        "Kleibergen-Paap rk LM": sized(truth="rank one of two"),
    }
    return trial("two endogenous variables moved alike, independent errors", world, claims)


def independent() -> Trial:
    world = InstrumentWorld(provinces(), (0.2,), ((0.7, 0.4, 0.3),), error=Noise(), instrument=Noise())
    claims = {
        "2SLS, iid": right(0.2, bias=0.1),
        "iid: Sargan": sized(
            (0.05, 0.08), truth="instruments valid", why="300 rows, 41 parameters, N in the statistic"
        ),
        "Hansen J": sized((0.02, 0.05), truth="instruments valid", why="30 clusters: J is small"),
    }
    return trial("three instruments, independent errors", world, claims, 60)


def several_endogenous(effects: Sequence[float]) -> Trial:
    world = InstrumentWorld(unbalanced_cities(), tuple(effects), ((0.5, 0.2, 0.1), (0.0, 0.4, 0.3)), tie=0.5)
    claims = {
        "2SLS": right(effects[0], bias=0.1, why="2SLS leans a little towards least squares"),
        "2SLS, x2": right(effects[1], bias=0.1, why="2SLS leans a little towards least squares"),
        "liml": right(effects[0]),
        "Hansen J": sized(truth="instruments valid"),
        "Kleibergen-Paap rk LM": powerful(0.99, truth="identified"),
        "Anderson-Rubin test": powerful(0.8, truth="effects not zero"),
    }
    return trial("two endogenous variables, three instruments", world, claims)


def nearly_excluded(effect: float) -> Trial:
    world = InstrumentWorld(unbalanced_cities(), (effect,), ((0.4,),), direct=(0.08,))
    claims = {
        "plausibly exogenous": right(
            effect, coverage=(0.95, 1.0), bias=None, why="a union of intervals: covers at least 95%"
        ),
        "2SLS": wrong(effect, "the instrument has an effect of its own", bias=None),
    }
    return trial("an instrument with a small effect of its own", world, claims, plausible={"z1": (0.0, 0.1)})


def thirty(effect: float) -> Trial:
    world = InstrumentWorld(provinces(), (effect,), ((1.0,),))
    claims = {
        "2SLS": right(effect, coverage=(0.91, 0.95), bias=0.1, why="30 clusters"),
        "Anderson-Rubin set": right(effect, coverage=(0.91, 0.95), bias=None, why="30 clusters"),
        "tF": right(effect, coverage=(0.91, 0.98), bias=None, why="30 clusters"),
    }
    return trial("one strong instrument, 30 clusters", world, claims, 60)


TRIALS = by_name(
    (
        *map(strong, (0.0, 0.35, -0.35)),
        *map(several_instruments, (0.0, 0.25)),
        exogenous(),
        robust(),
        invalid(),
        *map(weak, (0.0, 0.5)),
        *map(weak_alone, (0.0, 0.5)),
        unidentified(),
        alike(),
        independent(),
        several_endogenous((0.3, -0.3)),
        nearly_excluded(0.25),
        *map(thirty, (0.0, 0.5)),
    )
)


@pytest.mark.parametrize("name", TRIALS)
def test_small(name: str) -> None:
    judge(TRIALS[name], TRIALS[name].small)


@pytest.mark.nightly
@pytest.mark.parametrize("name", TRIALS)
def test_thousand(name: str) -> None:
    judge(TRIALS[name], NIGHTLY)
