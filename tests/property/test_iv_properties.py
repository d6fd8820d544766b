"""Instrumental variables do not depend on units, order, rows' order or fixed shifts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_py.estimators.iv import IvResult, fit_iv
from tests.reference.test_iv_dense import panel

TESTS = (
    "anderson_lm",
    "cragg_donald_f",
    "kleibergen_paap_rk_lm",
    "kleibergen_paap_rk_wald_f",
    "effective_f",
    "first_stage_f",
    "hansen_j",
    "endogeneity",
    "wu_hausman",
    "anderson_rubin",
)
MODEL: dict[str, Any] = {
    "outcome": "y",
    "endogenous": ["d1"],
    "instruments": ["z1", "z2", "z3"],
    "exogenous": ["x1", "x2"],
    "fixed_effects": ["city", "year"],
    "covariance": {"type": "cluster", "by": ["city"]},
    "convention": "ivreghdfe",
    "unit": "city",
    "time": "year",
}


def statistics(result: IvResult) -> np.ndarray:
    found = [result.main.diagnostic(t) for t in TESTS]
    return np.array([f.statistic for f in found if f is not None])


@settings(max_examples=15, deadline=None)
@given(
    scales=st.lists(st.sampled_from([1e-6, 1e-3, 1.0, 1e4, 1e8]), min_size=5, max_size=5),
    shift=st.sampled_from([0.0, 1.0, 1e3]),
)
def test_units_do_not_matter(scales: list[float], shift: float) -> None:
    frame = panel()
    base = fit_iv(frame, **MODEL)
    names = ["y", "d1", "z1", "z2", "x1"]
    moved = frame.assign(**{n: frame[n] * s + shift * s for n, s in zip(names, scales, strict=True)})
    result = fit_iv(moved, **MODEL)
    ratio = scales[0] / scales[1]
    assert result.main.coefficient("d1") == pytest.approx(base.main.coefficient("d1") * ratio, rel=1e-7)
    assert result.main.error("d1") == pytest.approx(base.main.error("d1") * ratio, rel=1e-7)
    np.testing.assert_allclose(statistics(result), statistics(base), rtol=1e-6)
    first, second = base.tests.anderson_rubin_set, result.tests.anderson_rubin_set
    assert first is not None and second is not None
    np.testing.assert_allclose(np.array(second.intervals), np.array(first.intervals) * ratio, rtol=1e-5)


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(["z1", "z2", "z3"]), rows=st.integers(0, 1000))
def test_order_does_not_matter(order: list[str], rows: int) -> None:
    frame = panel()
    base = fit_iv(frame, **MODEL)
    mixed = frame.sample(frac=1.0, random_state=rows)
    result = fit_iv(mixed, **{**MODEL, "instruments": order, "exogenous": ["x2", "x1"]})
    assert result.main.coefficient("d1") == pytest.approx(base.main.coefficient("d1"), rel=1e-9)
    assert result.main.error("d1") == pytest.approx(base.main.error("d1"), rel=1e-9)
    np.testing.assert_allclose(statistics(result), statistics(base), rtol=1e-8)


def test_instruments_may_be_recombined() -> None:
    """Any nonsingular combination of the instruments is the same model."""
    frame = panel()
    base = fit_iv(frame, **MODEL)
    mixed = frame.assign(z1=frame["z1"] + frame["z2"], z2=frame["z2"] - 3 * frame["z3"] + frame["x1"])
    result = fit_iv(mixed, **MODEL)
    assert result.main.coefficient("d1") == pytest.approx(base.main.coefficient("d1"), rel=1e-9)
    np.testing.assert_allclose(statistics(result), statistics(base), rtol=1e-8)


def test_the_same_numbers_twice() -> None:
    first, second = fit_iv(panel(), **MODEL), fit_iv(panel(), **MODEL)
    assert (first.main.estimate == second.main.estimate).all()
    assert (first.main.std_error == second.main.std_error).all()
    assert (statistics(first) == statistics(second)).all()
