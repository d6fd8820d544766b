"""Least squares on an unbalanced cigarette panel against R: every covariance, with and without effects and weights.

Source: R 4.2.2 with sandwich 3.0.2 (``vcovHC``, ``vcovCL`` type HC0 without ``cadjust``), clubSandwich 0.5.8
(``vcovCR`` CR2 and CR3 with the working variance 1/weight, Satterthwaite degrees of freedom), plm 2.6.2 (``vcovSCC``
type HC0) and ``glm`` on explicit dummies, by ``data/fe_r/oracle.R``. The small-sample factors are ours and divided out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.estimators.poisson import fit_poisson
from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.twfe import fit_twfe
from analysis_py.panels.panel import FramePanel
from analysis_py.runner import run_study
from analysis_py.study import load_study
from tests.reference.fe_cases import DATA, agree

SLOPES = ("lprice", "wave", "lpimin")
EFFECTS = {"two_way": ["state", "year"], "unit": ["state"], "time": ["year"], "none": []}
CLUSTERS = {
    "state": ["state"],
    "year": ["year"],
    "region": ["region"],
    "two": ["state", "year"],
    "other": ["region", "year"],
}
#: clubSandwich inverts I - P_gg of CR3, which is singular where clusters nest an effect of the model.
NESTED = {"two_way": ("state", "year", "region"), "unit": ("state", "region"), "time": ("year",), "none": ()}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    found = pd.read_csv(DATA / "fe_cigar" / "cigar.csv").rename(columns=str.lower)
    cut = (found.state <= 16) & (found.year <= 78) & ((found.state * 3 + found.year) % 7 != 0)
    found = found[cut].copy()
    for name in ("sales", "price", "pimin"):
        found[f"l{name}"] = np.log(found[name])
    found["wave"] = (found.state * 7 + found.year * 11) % 17
    found["region"] = found.state % 6
    found["w"] = 0.5 + (found.state + found.year) % 5 / 2
    found["v"] = 0.5 + found.region / 3
    found["count"] = found.sales.round()
    return found


@pytest.fixture(scope="module")
def wanted() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "fe_r" / "expected.json").read_text(encoding="utf-8"))
    return found


def fit(frame: pd.DataFrame, effects: str, covariance: Any, weights: str | None) -> RegressionResult:
    return fit_twfe(
        frame,
        outcome="lsales",
        regressors=SLOPES,
        fixed_effects=EFFECTS[effects],
        covariance=covariance,
        convention="plain",
        unit="state",
        time="year",
        weights=weights,
    )


def agree_in_errors(found: RegressionResult, errors: list[float | str]) -> None:
    """Each standard error, the factor divided out; R's NaN (a negative two-way variance) is passed over."""
    factor = float(dict(found.small_sample).get("factor", 1.0))  # type: ignore[arg-type]
    compared = 0
    for error, value in zip(found.std_error, errors, strict=True):
        if isinstance(value, float | int):
            agree(float(error) / np.sqrt(factor), value)
            compared += 1
    assert compared


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("effects", list(EFFECTS))
def test_heteroskedasticity(frame: pd.DataFrame, wanted: dict[str, Any], effects: str, weighted: bool) -> None:
    case = wanted[f"{effects}_weighted" if weighted else effects]
    for kind in ("iid", "hc1", "hc2", "hc3"):
        found = fit(frame, effects, kind, "w" if weighted else None)
        for estimate, value in zip(found.estimate, case["estimate"], strict=True):
            agree(float(estimate), value)
        for error, value in zip(found.std_error, case[kind], strict=True):
            agree(float(error), value)
        agree(found.r2, case["r2"])
        assert (found.n_obs, found.df_resid) == (wanted["n"], case["df"])


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("effects", list(EFFECTS))
def test_clusters(frame: pd.DataFrame, wanted: dict[str, Any], effects: str, weighted: bool) -> None:
    case = wanted[f"{effects}_weighted" if weighted else effects]
    for name, by in CLUSTERS.items():
        found = fit(frame, effects, {"type": "cluster", "by": by}, "w" if weighted else None)
        if any("positive semi-definite" in message for message in found.messages):
            continue  # repaired here, as reghdfe and fixest do; R leaves it
        agree_in_errors(found, case[f"cluster_{name}"])


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("effects", list(EFFECTS))
@pytest.mark.parametrize("kind", ["cr2", "cr3"])
def test_bias_reduced(frame: pd.DataFrame, wanted: dict[str, Any], kind: str, effects: str, weighted: bool) -> None:
    case = wanted[f"{effects}_weighted" if weighted else effects]
    for by in ("state", "year", "region"):
        if kind == "cr3" and by in NESTED[effects]:
            continue
        if kind == "cr2" and weighted and by == "year":
            continue  # weights vary within years: the roots are of different matrices
        # R's CR3 is the plain one, without the jackknife's (G-1)/G
        scale = {"scale": "none"} if kind == "cr3" else {}
        options = {"type": kind, "by": [by], "df": "satterthwaite", **scale}
        found = fit(frame, effects, options, "v" if weighted else None)
        assert found.df_terms is not None
        for j, (error, degrees) in enumerate(zip(case[f"{kind}_{by}"], case[f"{kind}_df_{by}"], strict=True)):
            agree(float(found.std_error[j]), error)
            if kind == "cr2":
                agree(float(found.df_terms[j]), degrees)


@pytest.mark.parametrize("lag", [0, 1, 2, 3])
@pytest.mark.parametrize("effect", ["twoways", "individual"])
def test_driscoll_kraay(frame: pd.DataFrame, wanted: dict[str, Any], effect: str, lag: int) -> None:
    effects = {"twoways": "two_way", "individual": "unit"}[effect]
    found = fit(frame, effects, {"type": "driscoll_kraay", "lag": lag}, None)
    agree_in_errors(found, wanted["scc"][f"{effect}_{lag}"])


def test_poisson(frame: pd.DataFrame, wanted: dict[str, Any]) -> None:
    case = wanted["poisson"]
    for kind, covariance in (
        ("iid", "iid"),
        ("hc0", "hc1"),
        ("state", {"type": "cluster", "by": ["state"]}),
        ("two", {"type": "cluster", "by": ["state", "year"]}),
    ):
        found = fit_poisson(
            frame,
            outcome="count",
            regressors=SLOPES,
            fixed_effects=["state", "year"],
            covariance=covariance,
            convention="plain",
            unit="state",
            time="year",
        )
        for estimate, value in zip(found.estimate, case["estimate"], strict=True):
            agree(float(estimate), value)
        if not any("positive semi-definite" in message for message in found.messages):
            agree_in_errors(found, case[kind])
    for test in ("log_likelihood", "deviance"):
        diagnostic = found.diagnostic(test)
        assert diagnostic is not None
        agree(diagnostic.statistic, case[test])


def test_weighted_poisson(frame: pd.DataFrame, wanted: dict[str, Any]) -> None:
    """R takes weights as they are, and ``fixest`` follows but for its (N-1)/(N-K): doubling them shrinks iid errors."""
    case = wanted["poisson_weighted"]
    model: dict[str, Any] = {"outcome": "count", "regressors": SLOPES, "fixed_effects": ["state", "year"]}
    found = fit_poisson(frame, **model, covariance="iid", convention="fixest", weights="w")
    named = dict(found.small_sample)
    agree(float(named["mean weight"]), float(frame["w"].mean()))  # type: ignore[arg-type]
    for j, (estimate, error) in enumerate(zip(case["estimate"], case["iid"], strict=True)):
        agree(float(found.estimate[j]), estimate)
        agree(float(found.std_error[j]) / np.sqrt(float(named["factor"])), error)  # type: ignore[arg-type]
    twice = fit_poisson(frame.assign(w=2 * frame.w), **model, covariance="iid", convention="fixest", weights="w")
    np.testing.assert_allclose(twice.std_error, found.std_error / np.sqrt(2), rtol=1e-9)
    robust = [
        fit_poisson(data, **model, covariance="hc1", convention="fixest", weights="w").std_error
        for data in (frame, frame.assign(w=2 * frame.w))
    ]
    np.testing.assert_allclose(robust[0], robust[1], rtol=1e-9)


STUDY = """\
study: groups
unit: state
time: year
defaults:
  estimator: heterogeneity
  outcome: lsales
  treatment: [lprice]
  controls: [wave, lpimin]
  convention: plain
models:
  - {id: iid, covariance: iid, split: {by: low, tests: [chow, interaction]}}
  - {id: state, covariance: {type: cluster, by: [state]}, split: {by: low, tests: [interaction, suest]}}
  - {id: year, covariance: {type: cluster, by: [year]}, split: {by: low, tests: [suest]}}
"""


def test_groups(frame: pd.DataFrame, wanted: dict[str, Any], tmp_path: Path) -> None:
    """Chow by R's anova; interaction and stacked estimates by vcovCL on the regression with everything by group."""
    case = wanted["groups"]
    path = tmp_path / "groups.yml"
    path.write_text(STUDY, encoding="utf-8")
    panel = FramePanel(frame.assign(low=(frame.state <= 8).astype(int)))
    done = run_study(load_study(path), panel)
    found = {(m.id, d.test): d for m in done.models for d in m.diagnostics}
    chow = found["iid", "chow"]
    assert [chow.df1, chow.df2] == case["chow_df"]
    agree(chow.statistic, case["chow"])
    agree(chow.p_value, case["chow_p"], 1e-5)
    agree(found["iid", "interaction_wald"].statistic, case["interaction_iid"])
    agree(found["state", "interaction_wald"].statistic, case["interaction_state"])
    agree(found["state", "suest"].statistic, case["suest_state"])
    agree(found["year", "suest"].statistic, case["suest_year"])
