"""nlswork, one-way effects: xtreg, areg, reghdfe and fixest on 28,000 unbalanced rows.

Sources: Stata [XT] xtreg, example 2 (printed digits), its recomputation in full precision, and R fixest.
"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.twfe import fit_twfe
from tests.reference.fe_cases import agree, agree_as_printed, cluster, shared_case

SLOPES = ["age", "age2", "ttl_exp", "ttl2", "tenure", "ten2", "not_smsa", "south"]
SAMPLES = {"own_numpy_grade_sample": True, "own_numpy_28093": False}


@pytest.fixture(scope="module")
def wanted() -> dict[str, Any]:
    return json.loads(shared_case("econometrics", "fe_nlswork", "expected.json").read_text(encoding="utf-8"))[
        "expected"
    ]


@pytest.fixture(scope="module")
def nlswork() -> pd.DataFrame:
    return pd.read_csv(shared_case("econometrics", "fe_nlswork", "nlswork.csv"))


def fit(frame: pd.DataFrame, covariance: Any, convention: str) -> RegressionResult:
    return fit_twfe(
        frame,
        outcome="ln_wage",
        regressors=SLOPES,
        fixed_effects=["idcode"],
        covariance=covariance,
        convention=convention,
        unit="idcode",
        time="year",
    )


@pytest.mark.parametrize("sample", SAMPLES)
def test_conventional(nlswork: pd.DataFrame, wanted: dict[str, Any], sample: str) -> None:
    frame = nlswork[nlswork.grade.notna()] if SAMPLES[sample] else nlswork
    case = wanted[sample]
    result = fit(frame, "iid", "xtreg")
    assert (result.n_obs, result.n_units, result.n_singletons_dropped) == (case["N"], case["groups"], 0)
    assert result.terms == (*SLOPES, "_cons")
    for term, value in case["b"].items():
        agree(result.coefficient(term), value)
        agree(result.error(term), case["se"][term])
    agree(result.r2_within, case["r2_w"])
    agree(result.r2, case["r2_w"])
    agree(result.r2_overall, case["r2_o"])
    agree(result.r2_between, case["r2_b"])
    agree(result.f, case["F"][0])
    assert (result.df_model, result.df_t) == (case["F"][1], case["F"][2])
    for test, key in (("sigma_u", "sigma_u"), ("sigma_e", "sigma_e"), ("rho", "rho"), ("corr_u_xb", "corr")):
        found = result.diagnostic(test)
        assert found is not None
        agree(found.statistic, case[key])
    agree(result.rmse, case["sigma_e"])
    unit_effects = result.diagnostic("f_u")
    assert unit_effects is not None
    agree(unit_effects.statistic, case["F_u"][0])
    assert [unit_effects.df1, unit_effects.df2] == case["F_u"][1:]
    total = fit(frame, "iid", "areg")
    agree(total.r2, case["r2_lsdv"])
    agree(total.r2_adjusted, case["r2_a_areg"])


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize(
    ("key", "covariance", "convention"),
    [
        ("se_xtreg_cluster", cluster("idcode"), "xtreg"),
        ("se_areg_cluster", cluster("idcode"), "areg"),
        ("se_areg_robust", "hc1", "areg"),
    ],
)
def test_robust(
    nlswork: pd.DataFrame, wanted: dict[str, Any], sample: str, key: str, covariance: Any, convention: str
) -> None:
    frame = nlswork[nlswork.grade.notna()] if SAMPLES[sample] else nlswork
    result = fit(frame, covariance, convention)
    for term, value in wanted[sample][key].items():
        agree(result.error(term), value)
    if key == "se_xtreg_cluster":
        agree(result.f, wanted[sample]["F_cluster"][0])
        assert [result.df_model, result.df_t] == wanted[sample]["F_cluster"][1:]


@pytest.mark.parametrize(
    ("key", "convention", "dropped"),
    [("fixest_no_singleton_drop", "fixest", 0), ("fixest_reghdfe_style_singletons_dropped", "reghdfe", 552)],
)
@pytest.mark.parametrize(
    ("errors", "covariance"), [("iid", "iid"), ("hetero", "hc1"), ("cl_id", cluster("idcode"))], ids=lambda v: str(v)
)
def test_fixest_and_reghdfe(
    nlswork: pd.DataFrame,
    wanted: dict[str, Any],
    key: str,
    convention: str,
    dropped: int,
    errors: str,
    covariance: Any,
) -> None:
    case = wanted[key]
    result = fit(nlswork, covariance, convention)
    assert (result.n_obs, result.n_singletons_dropped) == (case["N"], dropped)
    assert sum(reason == "singleton idcode" for _, reason in result.dropped_rows) == dropped
    for term in SLOPES:
        agree(result.coefficient(term), case[errors]["b"][term])
        agree(result.error(term), case[errors]["se"][term])
    agree(result.r2, case["r2"])
    agree(result.r2_within, case["wr2"])
    agree(result.r2_adjusted, case["ar2"])


def test_stata_manual(nlswork: pd.DataFrame, wanted: dict[str, Any]) -> None:
    """[XT] xtreg example 2: grade and race are absorbed; the numbers as the manual prints them."""
    manual = wanted["stata_manual"]
    frame = nlswork[nlswork.grade.notna()].assign(is_race_2=lambda d: (d.race == 2).astype(float))
    result = fit_twfe(
        frame,
        outcome="ln_wage",
        regressors=["grade", *SLOPES, "is_race_2"],
        fixed_effects=["idcode"],
        covariance="iid",
        convention="xtreg",
        unit="idcode",
    )
    assert result.dropped_terms == ("grade", "is_race_2")
    assert any("'grade' dropped: absorbed by the fixed effects" in m for m in result.messages)
    robust = fit(frame, cluster("idcode"), "xtreg")
    for term, value in manual["b"].items():
        # seven decimals are printed, five of the constant
        assert abs(result.coefficient(term) - value) < (5.01e-6 if abs(value) > 1 else 5.01e-8)
        assert abs(result.error(term) - manual["se"][term]) < 5.01e-8
        assert abs(robust.error(term) - manual["se_vce_robust"][term]) < 5.01e-8
    agree_as_printed(result.r2_within, "0.1727")
    agree_as_printed(result.r2_between, "0.3505")
    agree_as_printed(result.r2_overall, "0.2625")
    agree_as_printed(result.f, "610.12")
    for test, printed in (("sigma_u", ".35562203"), ("sigma_e", ".29068923"), ("rho", ".59946283")):
        found = result.diagnostic(test)
        assert found is not None
        agree_as_printed(found.statistic, printed)
