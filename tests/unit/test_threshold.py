"""The threshold model on a frame: conventions, options, what is said of bad designs, no trace of order or scale."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.threshold import fit_threshold
from analysis_py.estimators.threshold_conventions import THRESHOLD_CONVENTIONS
from analysis_py.estimators.threshold_grid import ThresholdSpec, build_grid
from analysis_py.estimators.threshold_result import ThresholdResult
from analysis_py.estimators.threshold_search import CRITICAL_LR
from analysis_py.estimators.twfe import fit_twfe
from analysis_py.settings import project_root
from tests.unit.threshold_panels import draw_panel, plain_ssr


def fit(frame: pd.DataFrame, **more: Any) -> ThresholdResult:
    options: dict[str, Any] = {"variable": "q", "bootstrap": 0} | more.pop("threshold", {})
    given: dict[str, Any] = {
        "outcome": "y",
        "regime_terms": ["z0"],
        "regressors": ["x0", "x1"],
        "fixed_effects": ["unit", "time"],
        "covariance": "iid",
        "convention": "xthreg",
        "unit": "unit",
        "time": "time",
    }
    return fit_threshold(frame, **{**given, **more}, threshold=options)


CLEAR = draw_panel(51, units=40, times=10, step=1.5, share=0.9, threshold=0.3)


def test_coefficients_are_those_of_a_plain_fit_of_the_regimes() -> None:
    for covariance in ("iid", "hc1", {"type": "cluster", "by": ["unit"]}, {"type": "cluster", "by": ["unit", "time"]}):
        found = fit(CLEAR, covariance=covariance)
        value = found.thresholds[0].value
        table = CLEAR.assign(low=CLEAR["z0"] * (CLEAR["q"] <= value), high=CLEAR["z0"] * (CLEAR["q"] > value))
        plain = fit_twfe(
            table,
            outcome="y",
            regressors=["low", "high", "x0", "x1"],
            fixed_effects=["unit", "time"],
            covariance=covariance,
            convention="xtreg",
            unit="unit",
            time="time",
        )
        np.testing.assert_array_equal(found.regression.vcov, plain.vcov)
        np.testing.assert_array_equal(found.regression.estimate, plain.estimate)
        assert found.term_regimes == (
            ("z0", f"<= {value:g}"),
            ("z0", f"> {value:g}"),
            ("x0", None),
            ("x1", None),
            ("_cons", None),
        )
    assert found.thresholds[0].value == 0.3
    np.testing.assert_allclose(found.tests[0].ssr, plain_ssr(CLEAR, [0.3]), rtol=1e-10)


@pytest.mark.parametrize("convention", sorted(THRESHOLD_CONVENTIONS))
def test_every_convention_finds_the_threshold_and_scales_f_as_it_says(convention: str) -> None:
    found = fit(CLEAR, convention=convention, threshold={"grid": "all"})
    rules = THRESHOLD_CONVENTIONS[convention]
    (one,) = found.thresholds
    assert one.cut == 0.3
    # Hansen's program names the first value of the upper regime
    assert one.value == pytest.approx(0.4 if rules.is_strict else 0.3)
    n, units = found.regression.n_obs, CLEAR["unit"].nunique()
    assert found.degrees == (n - units if rules.degrees == "units" else n - n / units)
    (test,) = found.tests
    assert test.f == pytest.approx((test.ssr_null - test.ssr) / (test.ssr / found.degrees))
    assert found.regression.convention == rules.regression


def test_three_regimes_are_named_and_counted() -> None:
    found = fit(CLEAR, threshold={"count": 2, "trim": 0.05})
    low, high = sorted(t.value for t in found.thresholds)
    assert found.regimes == (f"<= {low:g}", f"({low:g}, {high:g}]", f"> {high:g}")
    q = CLEAR["q"].to_numpy()[found.regression.used_rows]
    np.testing.assert_array_equal(found.regime, (q > low).astype(int) + (q > high))
    shares = found.shares
    assert shares.n_obs.tolist() == np.bincount(found.regime, minlength=3).tolist()
    np.testing.assert_allclose(shares.share.sum(axis=1), 1.0)
    for at, time in enumerate(shares.times):
        inside = CLEAR["time"].to_numpy()[found.regression.used_rows] == time
        np.testing.assert_allclose(shares.share[at], np.bincount(found.regime[inside], minlength=3) / inside.sum())
    unit = CLEAR["unit"].to_numpy()[found.regression.used_rows]
    assert shares.n_units.tolist() == [len(set(unit[found.regime == r])) for r in range(3)]


def test_interval_is_where_the_likelihood_ratio_accepts() -> None:
    found = fit(draw_panel(52, step=0.5, ties=False), threshold={"grid": "all"})
    (one,), (curve,) = found.thresholds, found.curves
    inside = curve.x[curve.y <= CRITICAL_LR]
    assert (one.ci_low, one.ci_high) == (inside.min(), inside.max())
    assert pytest.approx(7.352277) == CRITICAL_LR
    assert curve.y.min() == 0.0 and curve.x[np.argmin(curve.y)] == one.value


def test_given_thresholds_are_taken() -> None:
    found = fit(CLEAR, threshold={"given": [-0.25, 0.3]})
    assert found.regimes == ("<= -0.25", "(-0.25, 0.3]", "> 0.3")
    assert not found.tests and not found.curves
    searched = fit(CLEAR, threshold={"grid": "all"})
    alone = fit(CLEAR, threshold={"given": searched.thresholds[0].value})
    np.testing.assert_array_equal(alone.regression.estimate, searched.regression.estimate)


def test_order_of_rows_does_not_matter() -> None:
    options = {"count": 2, "bootstrap": 99, "trim": 0.05}
    for share in (1.0, 0.8):
        frame = draw_panel(53, share=share, step=0.6)
        first = fit(frame, threshold=options)
        mixed = frame.sample(frac=1.0, random_state=4).reset_index(drop=True)
        again = fit(mixed, threshold=options)
        assert [t.value for t in first.thresholds] == [t.value for t in again.thresholds]
        assert [(t.p_value, t.draws) for t in first.tests] == [(t.p_value, t.draws) for t in again.tests]
        np.testing.assert_allclose([t.f for t in first.tests], [t.f for t in again.tests], rtol=1e-11)
        np.testing.assert_allclose(list(first.tests[0].critical.values()), list(again.tests[0].critical.values()))
        np.testing.assert_allclose(first.regression.estimate, again.regression.estimate, rtol=1e-9)


def test_units_of_measurement_do_not_matter() -> None:
    options = {"count": 2, "bootstrap": 64, "trim": 0.05}
    frame = draw_panel(54, step=0.6, regime_terms=2)
    terms = ["z0", "z1"]
    first = fit(frame, threshold=options, regime_terms=terms)
    scaled = frame.assign(y=frame["y"] * 1e6 + 3e6, z0=frame["z0"] * 1e-5, x0=frame["x0"] * 1e4 - 7.0, q=frame["q"] * 4)
    again = fit(scaled, threshold=options, regime_terms=terms)
    np.testing.assert_allclose([4 * t.value for t in first.thresholds], [t.value for t in again.thresholds])
    np.testing.assert_allclose([t.f for t in first.tests], [t.f for t in again.tests], rtol=1e-8)
    np.testing.assert_allclose(
        list(first.tests[1].critical.values()), list(again.tests[1].critical.values()), rtol=1e-7
    )
    assert [t.p_value for t in first.tests] == [t.p_value for t in again.tests]


def test_grids() -> None:
    q = np.repeat(np.arange(1000.0), np.arange(1000) % 3 + 1)
    plain, xthreg, hansen = (THRESHOLD_CONVENTIONS[n] for n in ("plain", "xthreg", "hansen"))

    def values(rules: Any, **options: Any) -> np.ndarray:
        return build_grid(q, rules, ThresholdSpec.parse({"variable": "q", **options})).values

    every = values(plain, grid="all", trim=0.1)
    np.testing.assert_array_equal(every, np.arange(100.0, 901.0))
    assert len(values(xthreg)) == 400 and values(xthreg)[[0, -1]].tolist() == [10.0, 990.0]
    by_rows = values(xthreg, points="observations", trim=0.25, grid=3)
    np.testing.assert_array_equal(by_rows, np.sort(q)[[499, 999, 1499]])
    # Hansen: distinct value number floor((t + j/G) m), counted from 1
    np.testing.assert_array_equal(values(hansen, grid=10, trim=0.1), np.arange(100, 901, 100) - 1.0)
    strict = build_grid(q, hansen, ThresholdSpec.parse({"variable": "q", "grid": 10, "trim": 0.1}))
    np.testing.assert_array_equal(strict.cuts, strict.values - 1.0)


def test_trims_and_gaps_by_threshold() -> None:
    q = np.arange(1001.0)
    rules = THRESHOLD_CONVENTIONS["xthreg"]

    def allowed(order: int, others: list[int], **options: Any) -> list[float]:
        spec = ThresholdSpec.parse({"variable": "q", "grid": "all", "count": 3, **options})
        grid = build_grid(q, rules, spec)
        at = [int(np.searchsorted(grid.values, o)) for o in others]
        return grid.values[grid.eligible(order, at)].tolist()

    ends = allowed(0, [], trim=[0.01, 0.2, 0.2])
    assert (ends[0], ends[-1]) == (10.0, 991.0)
    second = allowed(1, [500], trim=[0.01, 0.2, 0.2])
    assert min(second) == 200.0 and 301.0 not in second and 299.0 in second and 701.0 in second
    wide = allowed(1, [500], trim=0.01)
    assert 451.0 not in wide and 449.0 in wide and 551.0 in wide
    named = allowed(2, [300, 600], trim=0.01, gap=[0.1, 0.1, 0.02])
    assert 279.0 in named and 281.0 not in named and 621.0 in named


def _constant(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(q=1.0)


def _two_values(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(q=(frame["q"] > 0).astype(float))


def _missing(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(q=np.nan)


def _text(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(q=np.where(frame["q"] > 0, "high", "low"))


def _same(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


def _flat_outcome(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(y=frame["unit"] * 2.0)


def _empty(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[:0]


def _few_rows(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[:6]


REFUSED: list[tuple[Callable[[pd.DataFrame], pd.DataFrame], dict[str, Any], str, str]] = [
    (_constant, {}, "CP-EST-THRESHOLD", "does not vary"),
    (_two_values, {}, "CP-EST-THRESHOLD", "only two values"),
    (_missing, {}, "CP-EST-EMPTY", "missing q"),
    (_text, {}, "CP-EST-NOT-NUMERIC", "'q' is not numeric"),
    (_same, {"threshold": {"variable": "Q"}}, "CP-EST-COLUMN", "no column 'Q'"),
    (_same, {"threshold": {"variable": "y"}}, "CP-EST-THRESHOLD", "outcome itself"),
    (_same, {"regime_terms": []}, "CP-EST-THRESHOLD", "no regressor"),
    (_same, {"regressors": ["z0", "x0"]}, "CP-EST-THRESHOLD", "both split"),
    (_same, {"threshold": {"count": 4}}, "CP-EST-THRESHOLD", "4 thresholds"),
    (_same, {"threshold": {"trim": 0.5}}, "CP-EST-THRESHOLD", "one half"),
    (_same, {"threshold": {"trim": [0.1, 0.1]}}, "CP-EST-THRESHOLD", "'trim' has 2 values"),
    (_same, {"threshold": {"grid": 1}}, "CP-EST-THRESHOLD", "grid of 1"),
    (_same, {"threshold": {"count": 3, "gap": 0.45}}, "CP-EST-THRESHOLD", "no room for threshold"),
    (_same, {"threshold": {"resample": "donor"}}, "CP-EST-THRESHOLD", "'donor' is not known"),
    (_same, {"threshold": {"points": "unqiue"}}, "CP-EST-THRESHOLD", "'unqiue' is not known"),
    (_same, {"threshold": {"trimm": 0.1}}, "CP-EST-THRESHOLD", "no option 'trimm'"),
    (_same, {"threshold": {"given": 99.0}}, "CP-EST-THRESHOLD", "one regime empty"),
    (_same, {"threshold": {"given": [0.31, 0.32]}}, "CP-EST-THRESHOLD", "between the given"),
    (_same, {"threshold": {"given": [0.5, 0.1]}}, "CP-EST-THRESHOLD", "rising"),
    (_same, {"convention": "xtreg2"}, "CP-EST-CONVENTION", "unknown convention"),
    (_same, {"convention": "ivreg2"}, "CP-EST-CONVENTION", "not to the threshold model"),
    (_same, {"convention": "hansen", "fixed_effects": ["time"]}, "CP-EST-THRESHOLD", "demeans by unit"),
    (_same, {"convention": "hansen", "weights": "w"}, "CP-EST-WEIGHTS", "knows no weights"),
    (_same, {"convention": "hansen", "covariance": "hc3"}, "CP-EST-COVARIANCE", "no covariance 'HC3'"),
    (_same, {"covariance": "hc9"}, "CP-EST-COVARIANCE", "unknown covariance"),
    (_flat_outcome, {}, "CP-EST-CONSTANT", "does not vary"),
    (_empty, {}, "CP-EST-EMPTY", "no rows"),
    (_few_rows, {}, "CP-EST-", ""),
]


@pytest.mark.parametrize(("change", "options", "code", "what"), REFUSED, ids=[r[3] or r[0].__name__ for r in REFUSED])
def test_bad_designs_are_refused_with_a_reason(
    change: Callable[[pd.DataFrame], pd.DataFrame], options: dict[str, Any], code: str, what: str
) -> None:
    with pytest.raises(CarbonpanelError) as refused:
        fit(change(CLEAR), **options)
    assert refused.value.code.startswith(code) and what in refused.value.what
    assert refused.value.remedy


def test_all_values_trimmed_away() -> None:
    """Nine rows in ten share the largest value: the trimmed grid holds it alone, above which there is nothing."""
    frame = CLEAR.assign(q=np.where(CLEAR.index % 10 == 0, CLEAR["q"].clip(upper=4.0), 5.0))
    with pytest.raises(CarbonpanelError, match="no candidate is left"):
        fit(frame, threshold={"trim": 0.2, "points": "observations"})


def test_too_many_values_for_two_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis_py.estimators.threshold_grid.MOST_JOINT_VALUES", 50)
    frame = draw_panel(55, ties=False)
    with pytest.raises(CarbonpanelError, match="too many for 2 thresholds"):
        fit(frame, threshold={"grid": "all", "count": 2})
    assert fit(frame, threshold={"grid": "all"}).n_candidates > 50
    monkeypatch.setattr("analysis_py.estimators.threshold_design.MAX_JOINT_CELLS", 50)
    with pytest.raises(CarbonpanelError, match="too many to hold"):
        fit(frame, threshold={"grid": 40, "count": 2})
    monkeypatch.setattr("analysis_py.estimators.threshold_design.MAX_BASIS_CELLS", 50)
    with pytest.raises(CarbonpanelError, match="too many for a threshold search"):
        fit(frame)


def test_three_values_are_searched_and_said_to_be_few() -> None:
    frame = CLEAR.assign(q=np.round(CLEAR["q"] * 0.7).clip(-1, 1))
    found = fit(frame)
    assert found.n_candidates == 2 and any("only 3 distinct values" in m for m in found.messages)
    assert found.thresholds[0].value in (-1.0, 0.0)


def test_a_treatment_as_its_own_threshold_variable_is_warned_of() -> None:
    found = fit(CLEAR, threshold={"variable": "z0"})
    assert any("endogenous" in m for m in found.messages)
    assert not any("endogenous" in m for m in fit(CLEAR).messages)


def test_interval_at_the_edge_and_thin_regimes_are_warned_of() -> None:
    plain = draw_panel(56, units=30, times=9, ties=False)

    def jump_at(rank: int) -> list[str]:
        above = plain["q"] > np.sort(plain["q"])[-rank]
        return list(fit(plain.assign(y=plain["y"] + 30.0 * plain["z0"] * above), threshold={"grid": "all"}).messages)

    assert any("reaches the edge of the grid" in m for m in jump_at(2))
    assert any("holds only" in m and "unit(s)" in m for m in jump_at(6))
    thin = plain.assign(q=np.where(plain["time"] == 8, plain["q"] * 0.01 + 9.0, plain["q"]))
    thin = thin[(thin["time"] < 8) | (thin["unit"] < 12)]
    thin["y"] += 30.0 * thin["z0"] * (thin["q"] > 5.0)
    found = fit(thin, threshold={"grid": "all"})
    assert any("% of the observations (12 units)" in m for m in found.messages)


def test_a_gap_in_years_makes_the_panel_unbalanced() -> None:
    frame = draw_panel(57, units=20, times=8)
    whole = fit(frame, threshold={"bootstrap": 20})
    assert whole.tests[0].resample == "donors"
    # every unit loses one year, but not the same
    gaps = frame[frame["time"] != frame["unit"] % 8]
    assert set(gaps.groupby("unit").size()) == {7}
    found = fit(gaps, threshold={"bootstrap": 20})
    assert found.tests[0].resample == "multipliers"
    assert fit(gaps, threshold={"bootstrap": 20, "resample": "donors"}).tests[0].resample == "donors"


def test_incomplete_rows_and_singletons_are_listed() -> None:
    frame = CLEAR.copy()
    frame.loc[3, "q"] = np.nan
    frame.loc[5, "z0"] = np.inf
    alone = frame.iloc[[0]].assign(unit=999)
    frame = pd.concat([frame, alone], ignore_index=True)
    kept = fit(frame)
    assert dict(kept.regression.dropped_rows) == {3: "missing q", 5: "infinite z0"}
    assert any("singletons of the fixed effects kept" in m for m in kept.messages)
    dropped = fit(frame, convention="reghdfe")
    assert dropped.regression.n_singletons_dropped == 1
    assert dict(dropped.regression.dropped_rows)[len(frame) - 1] == "singleton unit"
    assert len(frame) - 1 not in dropped.regression.used_rows
    np.testing.assert_allclose(kept.tests[0].ssr, dropped.tests[0].ssr, rtol=1e-10)


def test_few_units_and_signs() -> None:
    frame = draw_panel(58, units=6, times=30)
    found = fit(frame, threshold={"bootstrap": 200, "resample": "multipliers"})
    assert any("32 draws of signs" in m for m in found.messages)


def test_without_unit_or_time() -> None:
    """A cross-section: rows are their own units, F is scaled by their number."""
    frame = draw_panel(59, units=200, times=1, step=2.0).drop(columns=["time"])
    found = fit(frame, fixed_effects=[], convention="plain", unit=None, time=None, threshold={"bootstrap": 50})
    assert found.degrees == 200 and found.degrees_name == "N"
    assert found.tests[0].p_value == 0.0
    assert found.shares.share.shape == (0, 2)


def test_given_thresholds_of_hansens_convention_are_strict() -> None:
    found = fit(CLEAR, convention="hansen", threshold={"given": 0.3})
    assert found.thresholds[0].cut == pytest.approx(0.2)


SCRIPT = """
import json, sys
from tests.unit.test_threshold import fit, draw_panel
found = []
for share in (1.0, 0.8):
    frame = draw_panel(60, share=share, step=0.4, regime_terms=2)
    r = fit(frame, regime_terms=["z0", "z1"], threshold={"count": 3, "bootstrap": 130, "grid": 60, "trim": 0.05},
            covariance={"type": "cluster", "by": ["unit"]})
    found += [[t.f.hex(), t.p_value, [v.hex() for v in t.critical.values()]] for t in r.tests]
    found += [[t.value, t.ci_low, t.ci_high] for t in r.thresholds]
    found += [[float(v).hex() for v in (*r.regression.estimate, *r.regression.std_error)]]
print(json.dumps(found))
"""


EVERY_SEED = [(seed, threads) for seed in "01234" for threads in "12"]


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param([EVERY_SEED[0], EVERY_SEED[3], EVERY_SEED[5]], id="three"),
        pytest.param(EVERY_SEED, id="every", marks=pytest.mark.nightly),
    ],
)
def test_same_bytes_under_hash_seeds_and_threads(settings: list[tuple[str, str]]) -> None:
    answers = set()
    for seed, threads in settings:
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "OPENBLAS_NUM_THREADS": threads,
            "OMP_NUM_THREADS": threads,
            "PYTHONPATH": str(project_root()),
        }
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, cwd=project_root()
        )
        assert done.returncode == 0, done.stderr
        answers.add(done.stdout)
    assert len(answers) == 1
    assert len(json.loads(answers.pop())) == 14
