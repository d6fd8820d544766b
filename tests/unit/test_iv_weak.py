"""Weak instruments: Anderson-Rubin sets of every shape, effective F, tF, bounds for nearly excluded instruments."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.iv import IvResult, fit_iv
from analysis_py.inference.anderson_rubin import ConfidenceSet, where_positive
from analysis_py.inference.weak_iv import stock_yogo, tf_critical_value, tf_inference
from analysis_py.specification.iv_keys import METHODS

CLUSTER = {"type": "cluster", "by": ["g"]}


def sample(strength: float, seed: int, *, n: int = 300, instruments: int = 1, invalid: float = 0.0) -> pd.DataFrame:
    """y = 0.5 x + e, x = strength * sum z + v with correlated errors; the first instrument may enter y itself."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, instruments))
    v = rng.normal(size=n)
    e = 0.7 * v + rng.normal(size=n) * (0.5 + 0.5 * np.abs(z[:, 0]))
    x = strength * z.sum(axis=1) + v
    frame = pd.DataFrame(z, columns=[f"z{j + 1}" for j in range(instruments)])
    return frame.assign(x=x, y=0.5 * x + e + invalid * z[:, 0], c=rng.normal(size=n), g=np.arange(n) // 6)


def fit(frame: pd.DataFrame, covariance: Any = "iid", **more: Any) -> IvResult:
    names = [c for c in frame.columns if c.startswith("z")]
    return fit_iv(
        frame, outcome="y", endogenous=["x"], instruments=names, exogenous=["c"], covariance=covariance, **more
    )


def rejects(frame: pd.DataFrame, b: float, covariance: Any) -> bool:
    """The Anderson-Rubin test of b itself: the instruments in a regression of y - b x."""
    moved = frame.assign(y=frame["y"] - b * frame["x"])
    p = fit(moved, covariance).tests.anderson_rubin.p_value
    assert p is not None
    return p < 0.05


@pytest.mark.parametrize("covariance", ["iid", "hc1", CLUSTER], ids=["iid", "hc1", "cluster"])
@pytest.mark.parametrize("instruments", [1, 2, 3])
@pytest.mark.parametrize(("strength", "seed"), [(0.6, 1), (0.05, 2), (0.02, 3), (0.0, 4)])
def test_the_set_is_what_the_test_accepts(covariance: Any, instruments: int, strength: float, seed: int) -> None:
    frame = sample(strength, seed, instruments=instruments)
    found = fit(frame, covariance).tests.anderson_rubin_set
    assert found is not None
    for b in np.concatenate([np.linspace(-6, 6, 25), [-1e3, 1e3]]):
        near = any(abs(b - e) < 1e-6 * (1 + abs(e)) for pair in found.intervals for e in pair)
        assert near or found.contains(b) != rejects(frame, b, covariance), b
    for low, high in found.intervals:
        for end in (low, high):
            if np.isfinite(end):
                moved = frame.assign(y=frame["y"] - end * frame["x"])
                p = fit(moved, covariance).tests.anderson_rubin.p_value
                assert p == pytest.approx(0.05, abs=1e-6)


def test_shapes_of_the_set() -> None:
    kinds = {}
    for strength, seed, invalid in ((0.6, 1, 0.0), (0.0, 4, 0.0), (0.03, 12, 0.0), (0.6, 5, 2.0)):
        result = fit(sample(strength, seed, instruments=2, invalid=invalid))
        found = result.tests.anderson_rubin_set
        assert found is not None
        kinds[found.kind] = result
    assert {"bounded", "whole line", "empty"} <= set(kinds)
    assert any("no effect agrees" in m for m in kinds["empty"].main.messages)
    assert any("do not pin the effect down" in m for m in kinds["whole line"].main.messages)
    exact = fit(sample(0.08, 9))
    assert exact.tests.anderson_rubin_set is not None
    assert exact.tests.anderson_rubin_set.contains(exact.main.coefficient("x"))


def test_two_half_lines() -> None:
    for seed in range(200):
        frame = sample(0.06, seed, n=150)
        frame["y"] += 3.0 * frame["x"]
        found = fit(frame).tests.anderson_rubin_set
        assert found is not None
        if found.kind == "unbounded":
            assert len(found.intervals) == 2
            assert "(-inf" in str(found) and "inf)" in str(found)
            assert found.hull == (-np.inf, np.inf)
            return
    raise AssertionError("no draw gave two half-lines")


def test_quadratics() -> None:
    inf = np.inf
    for coefficients, intervals in (
        ((1.0, 0.0, -4.0), [(-inf, -2.0), (2.0, inf)]),
        ((-1.0, 0.0, 4.0), [(-2.0, 2.0)]),
        ((1.0, 0.0, 4.0), [(-inf, inf)]),
        ((-1.0, 0.0, -4.0), []),
        ((0.0, 2.0, -4.0), [(2.0, inf)]),
        ((0.0, -2.0, 4.0), [(-inf, 2.0)]),
        ((0.0, 0.0, 1.0), [(-inf, inf)]),
        ((0.0, 0.0, -1.0), []),
        ((0.0, 0.0, 0.0), [(-inf, inf)]),
    ):
        found = where_positive(np.array(coefficients))
        assert len(found) == len(intervals)
        assert [e for pair in found for e in pair] == pytest.approx([e for pair in intervals for e in pair])
    assert ConfidenceSet(0.95, ((-inf, 1.0),)).kind == "unbounded"
    assert str(ConfidenceSet(0.95, ())) == "empty" and np.isnan(ConfidenceSet(0.95, ()).hull[0])
    assert ConfidenceSet(0.95, ((0.0, 1.0), (2.0, 3.0))).kind == "several intervals"


def test_several_endogenous_variables_have_no_set() -> None:
    frame = sample(0.5, 1, instruments=3).assign(x2=lambda d: d["z2"] - d["z3"] + np.sin(np.arange(len(d))))
    result = fit_iv(frame, outcome="y", endogenous=["x", "x2"], instruments=["z1", "z2", "z3"])
    assert result.tests.anderson_rubin_set is None and result.tests.effective_f is None and result.tf is None
    row = result.main.diagnostic("anderson_rubin_set")
    assert row is not None and "one endogenous variable only" in row.note


def test_effective_f() -> None:
    one = fit(sample(0.5, 1), "hc1")
    found = one.tests.effective_f
    assert found is not None and found.bias_bound == pytest.approx(1.0)
    assert found.statistic == pytest.approx(one.tests.identification.kleibergen_paap_f, rel=1e-12)
    # Montiel Olea & Pflueger (2013) and Stata's weakivtest for one instrument
    printed = {"5%": 37.418, "10%": 23.109, "20%": 15.062, "30%": 12.045}
    for level, value in printed.items():
        assert found.critical[level] == pytest.approx(value, abs=6e-4)
    three = fit(sample(0.5, 1, instruments=3), "iid")
    found = three.tests.effective_f
    assert found is not None
    assert found.statistic == pytest.approx(three.tests.first_stages[0].f, rel=1e-12)
    # homoskedastic 2SLS: the bias is (K - 2)/K of the worst case
    assert found.bias_bound == pytest.approx(1.0 / 3.0, abs=1e-6)
    assert all(found.critical[k] < found.critical[f"simplified {k}"] for k in printed)


def test_tf() -> None:
    # Lee, McCrary, Moreira & Porter (2022), table 3, and its ends
    for f, value in (
        (4.0, 18.66),
        (6.25, 4.92),
        (9.0, 3.65),
        (20.25, 2.60),
        (100.0, 1.97),
        (104.67, 1.96),
        (1e6, 1.96),
    ):
        assert tf_critical_value(f) == pytest.approx(value, abs=0.011)
    assert tf_critical_value(10.0) == pytest.approx(3.43, abs=0.01)
    assert tf_critical_value(3.84) == np.inf and tf_critical_value(0.0) == np.inf
    assert tf_critical_value(float("nan")) == np.inf
    falling = [tf_critical_value(f) for f in np.linspace(4, 110, 500)]
    assert all(a >= b for a, b in pairwise(falling))
    adjusted = tf_inference(1.0, 0.5, 9.0)
    assert adjusted.std_error == pytest.approx(0.5 * 3.65 / 1.96) and adjusted.ci_low == pytest.approx(1 - 3.65 / 2)
    weak = tf_inference(1.0, 0.5, 2.0)
    assert (weak.ci_low, weak.ci_high) == (-np.inf, np.inf)
    assert fit(sample(0.5, 1, instruments=2)).tf is None


def test_weak_instruments_are_said() -> None:
    strong, weak = fit(sample(0.8, 1)), fit(sample(0.1, 2))
    assert not any("weak" in m for m in strong.main.messages)
    assert any("weak instruments: effective F" in m for m in weak.main.messages)


def test_stock_yogo_table() -> None:
    assert stock_yogo(1, 1) == {"10%": 16.38, "15%": 8.96, "20%": 6.66, "25%": 5.53}
    three = stock_yogo(3, 5)
    assert three == {"bias 5%": 9.53, "bias 10%": 6.61, "bias 20%": 4.99, "bias 30%": 4.30}
    assert stock_yogo(2, 2)["10%"] == 7.03 and stock_yogo(1, 30)["10%"] == 86.17
    assert stock_yogo(1, 2, estimator="liml")["10%"] == 8.68
    assert not stock_yogo(1, 31) and not stock_yogo(4, 6)
    for k1 in (1, 2):
        for l1 in range(k1, 31):
            row = stock_yogo(k1, l1)
            assert row["10%"] > row["15%"] > row["20%"] > row["25%"]
            if "bias 5%" in row:
                assert row["bias 5%"] > row["bias 10%"] > row["bias 20%"] > row["bias 30%"]


@pytest.mark.parametrize("covariance", ["iid", CLUSTER], ids=["iid", "cluster"])
def test_bounds_are_the_union_over_a_grid(covariance: Any) -> None:
    frame = sample(0.5, 3, instruments=2)
    ranges = {"z1": (-0.1, 0.3), "z2": (0.0, 0.2)}
    found = fit(frame, covariance, plausible=ranges).plausible
    assert found is not None
    lows, highs = [], []
    for a in np.linspace(-0.1, 0.3, 9):
        for b in np.linspace(0.0, 0.2, 9):
            moved = frame.assign(y=frame["y"] - a * frame["z1"] - b * frame["z2"])
            main = fit(moved, covariance).main
            lows.append(main.ci_low[0])
            highs.append(main.ci_high[0])
    assert found.low[0] == pytest.approx(min(lows), rel=1e-9)
    assert found.high[0] == pytest.approx(max(highs), rel=1e-9)
    same = fit(frame, covariance, plausible={"z1": (0.0, 0.0)})
    assert same.plausible is not None
    assert same.plausible.low[0] == pytest.approx(same.main.ci_low[0], rel=1e-9)


def test_bounds_name_their_mistakes() -> None:
    frame = sample(0.5, 3)
    for ranges, text in (({"z9": (0.0, 1.0)}, "'z9' is no instrument"), ({"z1": (1.0, 0.0)}, "from 1 down to 0")):
        with pytest.raises(CarbonpanelError, match=text):
            fit(frame, plausible=ranges)


def test_methods_are_named() -> None:
    with pytest.raises(CarbonpanelError, match="unknown method 'limll'"):
        fit(sample(0.5, 1), method="limll")
    with pytest.raises(CarbonpanelError, match="needs its k"):
        fit(sample(0.5, 1), method="kclass")
    assert METHODS == ("2sls", "liml", "fuller", "kclass")
