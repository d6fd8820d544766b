"""Careful errors beside few clusters, in studies and as covariances of their own; what stands with the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.result import CovarianceSpec, RegressionResult
from analysis_py.estimators.twfe import fit_twfe
from analysis_py.inference.wild_bootstrap import WEBB_UNDER
from analysis_py.panels.panel import FramePanel
from analysis_py.runner import run_study
from analysis_py.settings import DEFAULT_SEED
from tests.unit.study_case import model_of, small_panel, study_of


def fit(frame: pd.DataFrame, covariance: Any, **changes: Any) -> RegressionResult:
    base: dict[str, Any] = {
        "outcome": "CP",
        "regressors": ["AI", "POP"],
        "fixed_effects": ["city", "year"],
        "convention": "reghdfe",
        "unit": "city",
        "time": "year",
    }
    return fit_twfe(frame, covariance=covariance, **(base | changes))


def test_beside_clustered_errors(tmp_path: Path) -> None:
    """Twelve clusters: CR2, CR3 and the bootstrap stand as diagnostics with the numbers they give on their own."""
    study = study_of(tmp_path, "models:\n  - {id: M, outcome: CP, treatment: [AI], controls: [POP]}\n")
    run = model_of(run_study(study, FramePanel(small_panel())), "M")
    shown = {d.test: d for d in run.diagnostics if d.test in ("cr2", "cr3", "wild_bootstrap")}
    assert [d.term for d in shown.values()] == ["AI"] * 3
    for kind in ("cr2", "cr3"):
        own = fit(small_panel(), {"type": kind, "by": ["city"]})
        assert shown[kind].statistic == pytest.approx(own.statistic[0], rel=1e-12)
        assert shown[kind].p_value == pytest.approx(own.p_value[0], rel=1e-10)
        assert shown[kind].critical["std_error"] == pytest.approx(own.error("AI"), rel=1e-12)
        assert shown[kind].critical["ci_low"] == pytest.approx(own.ci_low[0], rel=1e-12)
    wild = fit(small_panel(), {"type": "wild", "by": ["city"]})
    assert shown["wild_bootstrap"].p_value == wild.p_value[0]
    assert shown["wild_bootstrap"].critical["ci_high"] == pytest.approx(wild.ci_high[0], rel=1e-10)
    assert "null imposed" in shown["wild_bootstrap"].note


def test_nothing_beside_many_clusters() -> None:
    many = fit(small_panel(n_cities=45), {"type": "cluster", "by": ["city"]}, beside=["AI"])
    assert not [d for d in many.diagnostics if d.test in ("cr2", "cr3", "wild_bootstrap")]
    assert not many.messages


def test_few_treated_among_many_clusters() -> None:
    """Forty-five clusters of which four are treated count as few; ten or more do not."""
    frame = small_panel(n_cities=45)
    number = frame.city.str[1:].astype(int)
    for treated in (4, 10, 41):
        marked = frame.assign(D=((number < treated) & (frame.year > 2004)) * 1.0)
        result = fit(marked, {"type": "cluster", "by": ["city"]}, regressors=["D", "POP"], beside=["D"])
        assert bool([d for d in result.diagnostics if d.test == "cr2"]) is (treated < 10), treated
        assert any("is one in only" in m for m in result.messages) is (treated < 10)
    untreated = frame.assign(D=((number < 41) * 1.0))
    result = fit(untreated, {"type": "cluster", "by": ["city"]}, regressors=["D"], fixed_effects=["year"], beside=["D"])
    assert any("'D' is zero in only 4 clusters of 'city'" in m for m in result.messages)


def test_two_cluster_variables_get_the_bootstrap_alone() -> None:
    result = fit(small_panel(n_cities=45), {"type": "cluster", "by": ["city", "year"]}, beside=["AI"])
    assert [d.test for d in result.diagnostics if d.term == "AI"] == ["wild_bootstrap"]
    assert "boot_by year" in next(d.note for d in result.diagnostics if d.test == "wild_bootstrap")


def test_how_the_draws_were_made_is_recorded() -> None:
    named = dict(fit(small_panel(n_cities=30), {"type": "wild", "by": ["city"]}).small_sample)
    assert (named["distribution"], named["draws"], named["seed"]) == ("rademacher", 9_999, DEFAULT_SEED)
    few = dict(fit(small_panel(n_cities=WEBB_UNDER - 1), {"type": "wild", "by": ["city"]}).small_sample)
    assert few["distribution"] == "webb"
    every = fit(small_panel(), {"type": "wild", "by": ["city"], "distribution": "rademacher"})
    named = dict(every.small_sample)
    assert (named["enumerated"], named["draws"]) == (True, 2**12)
    assert "seed" not in named
    assert float(every.p_value[0]) * 2**12 == pytest.approx(round(float(every.p_value[0]) * 2**12), abs=1e-9)


def test_kernels_and_lags_are_recorded() -> None:
    frame = small_panel().assign(lon=lambda d: 100 + d.index % 12, lat=30.0)
    assert dict(fit(frame, "driscoll_kraay").small_sample)["lag"] == 2
    conley = dict(fit(frame, {"type": "conley", "lon": "lon", "lat": "lat", "cutoff_km": 150}).small_sample)
    assert (conley["kernel"], conley["cutoff_km"]) == ("uniform", 150.0)


@pytest.mark.parametrize("convention", ["xtreg", "reghdfe", "plain"])
@pytest.mark.parametrize("kind", ["cr2", "cr3", "wild"])
def test_careful_errors_need_no_warning(kind: str, convention: str) -> None:
    """Effects nested in the clusters are no loss, nor is the constant that holds them; few clusters are no reproach."""
    frame = small_panel(n_cities=30)
    assert fit(frame, {"type": kind, "by": ["city"]}, convention=convention).messages == ()


def test_another_seed_moves_little() -> None:
    frame = small_panel(n_cities=30)
    made = [fit(frame, {"type": "wild", "by": ["city"], "seed": s, "draws": 4_999}) for s in (1, 1, 2)]
    np.testing.assert_array_equal(made[0].p_value, made[1].p_value)
    assert not np.array_equal(made[0].ci_low, made[2].ci_low)
    np.testing.assert_allclose(made[0].ci_low, made[2].ci_low, atol=0.15 * float(made[0].std_error.max()))


def test_side_by_side(tmp_path: Path) -> None:
    """``conventions`` names the new covariances; clusters are the model's, else the unit."""
    study = study_of(
        tmp_path,
        """\
        models:
          - id: M
            outcome: CP
            treatment: [AI]
            covariance: {type: cluster, by: [province]}
            conventions: [clustered, cr2, cr3, wild, hc3, driscoll_kraay]
        """,
    )
    runs = run_study(study, FramePanel(small_panel(n_cities=30))).models
    assert [r.covariance for r in runs] == [
        "cluster(city)",
        "CR2(province)",
        "CR3(province)",
        "wild(province)",
        "HC3",
        "driscoll_kraay",
    ]
    assert [r.id for r in runs][:2] == ["M", "M:cr2"]
    assert len({r.coefficients[0].estimate for r in runs}) == 1
    assert len({r.coefficients[0].p_value for r in runs}) == 6
    cr2 = next(r for r in runs if r.variant == "cr2")
    degrees = [c.df for c in cr2.coefficients]
    assert all(d is not None and 1 < d < 9.01 for d in degrees)
    assert len(set(degrees)) == len(degrees)


@pytest.mark.parametrize("covariance", [{"type": "cr2"}, {"type": "wild"}, "cr3"])
def test_units_are_the_clusters_by_default(covariance: Any, tmp_path: Path) -> None:
    kind = covariance if isinstance(covariance, str) else covariance["type"]
    study = study_of(tmp_path, f"models:\n  - {{id: M, outcome: CP, treatment: [AI], covariance: {kind}}}\n")
    assert study.models[0].covariance.by == ("city",)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"type": "cr2"}, "needs the columns that make the clusters"),
        ({"type": "cr2", "by": ["a", "b"]}, "one cluster variable"),
        ({"type": "cr2", "by": ["a"], "df": "kenward"}, "satterthwaite"),
        ({"type": "cr3", "by": ["a"], "scale": "jackknif"}, "jackknife"),
        ({"type": "wild", "by": ["a"], "draws": 9.5}, "whole number"),
        ({"type": "wild", "by": ["a"], "seed": -1}, "at least 0"),
        ({"type": "wild", "by": ["a"], "reps": 999}, "no option 'reps'"),
    ],
)
def test_options_that_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(CarbonpanelError, match="CP-EST-COVARIANCE") as caught:
        CovarianceSpec.parse(given)
    assert words in f"{caught.value.what} {caught.value.remedy}"


def test_too_many_levels_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the projection would be too large the named covariance is refused, and what stands beside is left out."""
    from analysis_py.estimators import projection

    monkeypatch.setattr(projection, "MAX_BASIS_CELLS", 10)
    with pytest.raises(CarbonpanelError, match="too many levels"):
        fit(small_panel(), {"type": "cr2", "by": ["city"]})
    result = fit(small_panel(), {"type": "cluster", "by": ["city"]}, beside=["AI"])
    assert any("cannot stand beside" in m for m in result.messages)
