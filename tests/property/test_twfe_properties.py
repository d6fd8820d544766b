"""Invariances of fixed-effects least squares, on panels drawn by hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from analysis_py.estimators.conventions import CONVENTIONS
from analysis_py.estimators.descriptive import stata_percentile, winsorise
from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.twfe import fit_twfe
from tests.reference.dense_lsdv import lsdv

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
CONVENTION = st.sampled_from(sorted(CONVENTIONS))
EFFECTS = st.sampled_from([["unit"], ["unit", "time"], ["time", "unit"], ["unit", "group^time"], []])
COVARIANCE = st.sampled_from(
    ["iid", "hc1", "hc3", {"type": "cluster", "by": ["unit"]}, {"type": "driscoll_kraay", "lag": 1}]
)


@st.composite
def panels(draw: st.DrawFn) -> pd.DataFrame:
    """An unbalanced panel of 6 to 14 units and 3 to 7 periods, two regressors, weights."""
    seed = draw(st.integers(0, 2**32 - 1))
    units, times = draw(st.integers(6, 14)), draw(st.integers(3, 7))
    rng = np.random.default_rng(seed)
    unit, time = np.repeat(np.arange(units), times), np.tile(np.arange(times), units)
    rows = rng.random(len(unit)) < draw(st.floats(0.6, 1.0))
    unit, time = unit[rows], time[rows]
    n = len(unit)
    return pd.DataFrame(
        {
            "unit": unit,
            "time": time,
            "group": unit % 3,
            "x": rng.normal(size=n) + unit / 3,
            "z": rng.exponential(size=n) * (1 + time),
            "y": rng.normal(size=n) * 2 + unit - time,
            "w": rng.uniform(0.2, 4.0, n),
        }
    )


def fit(frame: pd.DataFrame, **changes: Any) -> RegressionResult:
    base: dict[str, Any] = {
        "outcome": "y",
        "regressors": ["x", "z"],
        "fixed_effects": ["unit", "time"],
        "covariance": "iid",
        "convention": "plain",
        "unit": "unit",
        "time": "time",
    }
    return fit_twfe(frame, **(base | changes))


def is_identified(frame: pd.DataFrame, effects: list[str]) -> bool:
    keyed = frame.assign(**{"group^time": frame["group"] * 100 + frame["time"]})
    dense = lsdv(keyed, "y", ["x", "z"], effects)
    return dense.df >= 4 and dense.rank == lsdv(keyed, "y", [], effects).rank + 2


@FEW
@given(frame=panels(), effects=EFFECTS, weighted=st.booleans())
def test_frisch_waugh_lovell(frame: pd.DataFrame, effects: list[str], weighted: bool) -> None:
    """Demeaned least squares is least squares on every dummy."""
    assume(is_identified(frame, effects))
    keyed = frame.assign(**{"group^time": frame["group"] * 100 + frame["time"]})
    dense = lsdv(keyed, "y", ["x", "z"], effects, frame["w"].to_numpy() if weighted else None)
    result = fit(frame, fixed_effects=effects, weights="w" if weighted else None)
    np.testing.assert_allclose(result.estimate[:2], dense.beta[:2], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(result.vcov[:2, :2], dense.iid()[:2, :2], rtol=1e-7)
    np.testing.assert_allclose(result.residuals, dense.residuals, atol=1e-8)
    assert result.df_resid == dense.df


@FEW
@given(frame=panels(), effects=EFFECTS, covariance=COVARIANCE, convention=CONVENTION, seed=st.integers(0, 99))
def test_order_of_rows(frame: pd.DataFrame, effects: list[str], covariance: Any, convention: str, seed: int) -> None:
    assume(is_identified(frame, effects))
    order = np.random.default_rng(seed).permutation(len(frame))
    choice: dict[str, Any] = {"fixed_effects": effects, "covariance": covariance, "convention": convention}
    first, second = fit(frame, **choice), fit(frame.iloc[order], **choice)
    assert first.terms == second.terms
    assert (first.n_obs, first.df_resid, first.df_t) == (second.n_obs, second.df_resid, second.df_t)
    np.testing.assert_allclose(first.estimate, second.estimate, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(first.vcov, second.vcov, rtol=1e-7, atol=1e-12)
    back = np.full(len(frame), np.nan)
    back[order[second.used_rows]] = second.residuals
    np.testing.assert_allclose(first.residuals, back[first.used_rows], atol=1e-9)


@FEW
@given(
    frame=panels(),
    effects=EFFECTS,
    covariance=COVARIANCE,
    convention=CONVENTION,
    power=st.integers(-9, 9),
    shift=st.floats(-1e3, 1e3),
)
def test_units_of_a_regressor(
    frame: pd.DataFrame, effects: list[str], covariance: Any, convention: str, power: int, shift: float
) -> None:
    """x in other units: its coefficient and error scale, everything else stays."""
    assume(is_identified(frame, effects))
    scale = 10.0**power
    choice: dict[str, Any] = {"fixed_effects": effects, "covariance": covariance, "convention": convention}
    first, second = fit(frame, **choice), fit(frame.assign(x=(frame.x + shift) * scale), **choice)
    assert first.dropped_terms == second.dropped_terms == ()
    np.testing.assert_allclose(first.coefficient("x"), second.coefficient("x") * scale, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(first.error("x"), second.error("x") * scale, rtol=1e-6)
    np.testing.assert_allclose(first.error("z"), second.error("z"), rtol=1e-6)
    assert first.r2 is not None
    assert second.r2 is not None
    assert abs(first.r2 - second.r2) < 1e-8


@FEW
@given(frame=panels(), convention=CONVENTION, covariance=COVARIANCE, effects=EFFECTS, shift=st.floats(-1e4, 1e4))
def test_constant_added_to_the_outcome(
    frame: pd.DataFrame, convention: str, covariance: Any, effects: list[str], shift: float
) -> None:
    """Only the constant moves, by as much."""
    assume(is_identified(frame, effects))
    choice: dict[str, Any] = {"fixed_effects": effects, "covariance": covariance, "convention": convention}
    first, second = fit(frame, **choice), fit(frame.assign(y=frame.y + shift), **choice)
    np.testing.assert_allclose(first.estimate[:2], second.estimate[:2], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(first.std_error, second.std_error, rtol=1e-6)
    if "_cons" in first.terms:
        np.testing.assert_allclose(second.coefficient("_cons") - first.coefficient("_cons"), shift, atol=1e-7)


@FEW
@given(frame=panels(), convention=CONVENTION, effects=EFFECTS, a=st.floats(0.1, 10), b=st.floats(-5, 5))
def test_a_collinear_regressor_is_dropped_and_said(
    frame: pd.DataFrame, convention: str, effects: list[str], a: float, b: float
) -> None:
    assume(is_identified(frame, effects))
    doubled = frame.assign(copy=a * frame.x + b * frame.z + 3)
    result = fit(doubled, regressors=["x", "z", "copy"], fixed_effects=effects, convention=convention)
    assert result.dropped_terms == ("copy",)
    assert any(m.startswith("'copy' dropped") for m in result.messages)
    usual = fit(frame, fixed_effects=effects, convention=convention)
    np.testing.assert_allclose(result.estimate, usual.estimate, rtol=1e-9, atol=1e-11)
    assert result.df_resid == usual.df_resid


@FEW
@given(frame=panels(), covariance=COVARIANCE)
def test_integer_weights_repeat_rows(frame: pd.DataFrame, covariance: Any) -> None:
    """Slopes with weights k are slopes with each row k times."""
    assume(is_identified(frame, ["unit", "time"]))
    frame = frame.assign(w=1 + (frame.unit + 2 * frame.time) % 3)
    repeated = frame.loc[frame.index.repeat(frame["w"])]
    first = fit(frame, weights="w", covariance=covariance)
    np.testing.assert_allclose(first.estimate, fit(repeated, covariance=covariance).estimate, rtol=1e-7, atol=1e-9)


@FEW
@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60),
    low=st.integers(0, 49),
    high=st.integers(51, 100),
)
def test_winsorising(values: list[float], low: int, high: int) -> None:
    numbers = np.array(values)
    cut = winsorise(numbers, low, high)
    bottom, top = stata_percentile(numbers, low), stata_percentile(numbers, high)
    assert bottom <= top
    assert ((cut >= bottom) & (cut <= top)).all()
    inside = (numbers >= bottom) & (numbers <= top)
    np.testing.assert_array_equal(cut[inside], numbers[inside])
    # what lies outside moves to the nearer limit
    np.testing.assert_array_equal(cut[numbers < bottom], bottom)
    np.testing.assert_array_equal(cut[numbers > top], top)
