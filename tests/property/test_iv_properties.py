"""Instrumental variables do not depend on units, order, rows' order or fixed shifts; and they find what is true."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
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


def world(seed: int, *, strength: float, effect: float, units: int = 30, times: int = 8) -> pd.DataFrame:
    """A panel with unit and time effects, errors serially correlated within units, an endogenous regressor."""
    rng = np.random.default_rng(seed)
    n = units * times
    unit, time = np.repeat(np.arange(units), times), np.tile(np.arange(times), units)
    z = (rng.normal(size=units)[unit] + rng.normal(size=n)).round(12)
    common = rng.normal(size=units)[unit] * 0.7 + rng.normal(size=n)
    x = strength * z + common + rng.normal(size=units)[unit] + 0.2 * time
    y = effect * x + 0.8 * common + rng.normal(size=n) + rng.normal(size=units)[unit] + 0.1 * time**1.5
    return pd.DataFrame({"y": y, "x": x, "z": z, "unit": unit, "time": time})


def rejections(draws: int, *, strength: float, effect: float, tested: float, seed: int) -> dict[str, float]:
    counts = {"t": 0, "ar": 0, "tf": 0, "covered": 0}
    for draw in range(draws):
        frame = world(seed + draw, strength=strength, effect=effect)
        result = fit_iv(
            frame,
            outcome="y",
            endogenous=["x"],
            instruments=["z"],
            fixed_effects=["unit", "time"],
            covariance={"type": "cluster", "by": ["unit"]},
            convention="ivreghdfe",
        )
        main, found = result.main, result.tests.anderson_rubin_set
        assert found is not None and result.tf is not None
        counts["t"] += abs(main.coefficient("x") - tested) > 2.045 * main.error("x")
        counts["tf"] += not result.tf.ci_low <= tested <= result.tf.ci_high
        counts["ar"] += not found.contains(tested)
        counts["covered"] += main.ci_low[0] <= effect <= main.ci_high[0]
    return {k: v / draws for k, v in counts.items()}


def band(rate: float, draws: int) -> tuple[float, float]:
    """Limits within which a share falls but for one draw in a thousand."""
    from scipy import stats

    return float(stats.binom.ppf(0.0005, draws, rate)) / draws, float(stats.binom.ppf(0.9995, draws, rate)) / draws


def judge(draws: int) -> None:
    for effect in (0.0, 0.5):
        strong = rejections(draws, strength=1.0, effect=effect, tested=effect, seed=10_000)
        # 30 clusters: a little over 5% is known of cluster-robust errors
        low, high = band(0.06, draws)
        assert max(0.0, low - 0.03) <= strong["t"] <= high and strong["ar"] <= high
        assert strong["covered"] >= 1.0 - high
    weak = rejections(draws, strength=0.1, effect=0.5, tested=0.5, seed=20_000)
    assert weak["ar"] <= band(0.06, draws)[1] and weak["tf"] <= band(0.06, draws)[1]
    power = rejections(draws, strength=1.0, effect=0.5, tested=0.0, seed=30_000)
    assert power["t"] > 0.9 and power["ar"] > 0.9


def test_size_and_coverage() -> None:
    judge(60)


@pytest.mark.nightly
def test_size_and_coverage_at_length() -> None:
    judge(1000)


@pytest.mark.nightly
def test_tests_of_the_instruments_have_their_size() -> None:
    """J, the C statistic and the rank test reject a true null one time in twenty."""
    draws, counts = 1000, np.zeros(3)
    for draw in range(draws):
        rng = np.random.default_rng(40_000 + draw)
        n = 400
        z = rng.normal(size=(n, 3))
        x = z @ [0.4, 0.3, 0.2] + rng.normal(size=n)
        y = 0.3 * x + rng.normal(size=n) * (0.5 + np.abs(z[:, 0]))
        frame = pd.DataFrame(z, columns=["z1", "z2", "z3"]).assign(x=x, y=y, junk=rng.normal(size=n))
        result = fit_iv(frame, outcome="y", endogenous=["x"], instruments=["z1", "z2", "z3"], covariance="hc1")
        useless = fit_iv(frame, outcome="y", endogenous=["junk"], instruments=["z1", "z2", "z3"], covariance="hc1")
        values = (
            result.tests.overidentification.p_value,
            result.tests.endogeneity.p_value,
            useless.tests.identification.kleibergen_paap_lm.p_value,
        )
        counts += [p is not None and p < 0.05 for p in values]
    low, high = band(0.05, draws)
    assert ((counts / draws >= low - 0.01) & (counts / draws <= high + 0.01)).all(), counts
