"""Grunfeld, 10 firms and 20 years: one and two effects under every convention.

Sources: Baltagi, *Econometric Analysis of Panel Data*, and Stata's xtreg (printed), R plm (printed), R fixest and a
recomputation in full precision; see ``data/fe_grunfeld/expected.json``.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.twfe import fit_twfe
from tests.reference.fe_cases import DATA, agree, agree_as_printed, cluster, expected

SLOPES = ["value", "capital"]
WANTED = expected("fe_grunfeld")


@pytest.fixture(scope="module")
def grunfeld() -> pd.DataFrame:
    return pd.read_csv(DATA / "fe_grunfeld" / "grunfeld.csv")


def fit(frame: pd.DataFrame, effects: list[str], covariance: Any, convention: str) -> RegressionResult:
    return fit_twfe(
        frame,
        outcome="inv",
        regressors=SLOPES,
        fixed_effects=effects,
        covariance=covariance,
        convention=convention,
        unit="firm",
        time="year",
    )


def test_xtreg_one_way(grunfeld: pd.DataFrame) -> None:
    case = WANTED["oneway_numpy_xtreg"]
    result = fit(grunfeld, ["firm"], "iid", "xtreg")
    for term, value in case["b"].items():
        agree(result.coefficient(term), value)
        agree(result.error(term), case["se"][term])
    agree(result.r2_within, case["r2_w"])
    agree(result.r2_overall, case["r2_o"])
    agree(result.r2_between, case["r2_b"])
    agree(result.f, case["F"][0])
    assert (result.df_model, result.df_t) == (case["F"][1], case["F"][2])
    for test in ("sigma_u", "sigma_e", "rho"):
        found = result.diagnostic(test)
        assert found is not None
        agree(found.statistic, case[test])
    correlation, unit_effects = result.diagnostic("corr_u_xb"), result.diagnostic("f_u")
    assert correlation is not None
    assert unit_effects is not None
    agree(correlation.statistic, case["corr"])
    agree(unit_effects.statistic, case["F_u"][0])
    # as printed in the textbooks
    agree_as_printed(result.coefficient("_cons"), "-58.74")
    agree_as_printed(result.error("_cons"), "12.45")
    agree_as_printed(unit_effects.statistic, "49.18")
    areg = fit(grunfeld, ["firm"], "iid", "areg")
    agree(areg.r2, case["r2_lsdv"])
    agree(areg.r2_adjusted, case["r2_a_areg"])
    agree(areg.coefficient("_cons"), case["b"]["_cons"])


@pytest.mark.parametrize(
    ("key", "covariance", "convention"),
    [
        ("se_xtreg_cluster", cluster("firm"), "xtreg"),
        ("se_areg_cluster", cluster("firm"), "areg"),
        ("se_areg_robust", "hc1", "areg"),
    ],
)
def test_robust_one_way(grunfeld: pd.DataFrame, key: str, covariance: Any, convention: str) -> None:
    result = fit(grunfeld, ["firm"], covariance, convention)
    for term, value in WANTED["oneway_numpy_xtreg"][key].items():
        agree(result.error(term), value)
    if convention == "xtreg":
        agree(result.f, WANTED["oneway_numpy_xtreg"]["F_cluster"][0])
        assert [result.df_model, result.df_t] == WANTED["oneway_numpy_xtreg"]["F_cluster"][1:]


@pytest.mark.parametrize(("key", "effects"), [("oneway_fixest", ["firm"]), ("twoway_fixest", ["firm", "year"])])
@pytest.mark.parametrize(
    ("errors", "covariance"),
    [("iid", "iid"), ("hetero", "hc1"), ("cl_firm", cluster("firm")), ("cl_2", cluster("firm", "year"))],
    ids=["iid", "hetero", "cl_firm", "cl_2"],
)
@pytest.mark.parametrize("convention", ["fixest", "reghdfe"])
def test_fixest(
    grunfeld: pd.DataFrame, key: str, effects: list[str], errors: str, covariance: Any, convention: str
) -> None:
    """A balanced panel without singletons: fixest and reghdfe agree in everything."""
    case = WANTED[key]
    result = fit(grunfeld, effects, covariance, convention)
    for term in SLOPES:
        agree(result.coefficient(term), case[errors]["b"][term])
        agree(result.error(term), case[errors]["se"][term])
    agree(result.r2, case["r2"])
    agree(result.r2_within, case["wr2"])
    if not (convention == "reghdfe" and errors == "cl_2"):  # reghdfe charges two nested effects one constant too many
        agree(result.r2_adjusted, case["ar2"])
    assert ("_cons" in result.terms) == (convention == "reghdfe")


def test_plm_printed(grunfeld: pd.DataFrame) -> None:
    one = fit(grunfeld, ["firm"], "iid", "xtreg")
    printed = WANTED["plm_printed"]["oneway"]
    agree(one.coefficient("value"), printed["value"][0], 1e-5)
    agree(one.error("capital"), printed["capital"][1], 1e-4)
    agree_as_printed(one.r2_adjusted, "0.75311")
    agree_as_printed(one.f, "309.014")
    two = fit(grunfeld, ["firm", "year"], "iid", "xtreg")
    printed = WANTED["plm_printed"]["twoway"]
    agree(two.coefficient("value"), printed["value"][0], 1e-5)
    agree(two.error("capital"), printed["capital"][1], 1e-4)
    # plm's F and R2 are free of both effects; under xtreg the year dummies are regressors
    slopes = two.diagnostic("slopes_f")
    assert slopes is not None
    agree_as_printed(slopes.statistic, "217.442")
    assert (slopes.df1, slopes.df2) == (2, 169)
    assert (two.df_model, two.df_t) == (21, 169)
    agree_as_printed(fit(grunfeld, ["firm", "year"], "iid", "fixest").r2_within, "0.72015")
