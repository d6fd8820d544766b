"""Cigarette sales, 46 states and 30 years: one-way, two-way and pooled errors.

Sources: the test-suite of FixedEffectModels.jl ("matches areg/reghdfe"; printed digits) and R fixest; see
``data/fe_cigar/expected.json``.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.twfe import fit_twfe
from tests.reference.fe_cases import DATA, agree, agree_as_printed, cluster, expected

WANTED = expected("fe_cigar")


@pytest.fixture(scope="module")
def cigar() -> pd.DataFrame:
    return pd.read_csv(DATA / "fe_cigar" / "cigar.csv")


def fit(frame: pd.DataFrame, effects: list[str], covariance: Any, convention: str) -> RegressionResult:
    return fit_twfe(
        frame,
        outcome="Sales",
        regressors=["Price"],
        fixed_effects=effects,
        covariance=covariance,
        convention=convention,
        unit="State",
        time="Year",
    )


@pytest.mark.parametrize(
    ("covariance", "conventions", "printed"),
    [
        ("iid", ("areg", "reghdfe", "fixest", "plain", "xtreg"), "0.0098003"),
        ("hc1", ("areg", "reghdfe", "fixest", "plain", "xtreg"), "0.0110005"),
        (cluster("Year"), ("areg", "reghdfe", "fixest", "plain"), "0.0220563"),
        (cluster("State"), ("reghdfe", "fixest", "xtreg"), "0.0357498"),
        (cluster("State", "Year"), ("reghdfe", "fixest", "xtreg"), "0.0405335"),
    ],
    ids=["iid", "robust", "cluster Year", "cluster State", "two-way"],
)
def test_one_way_effects(cigar: pd.DataFrame, covariance: Any, conventions: tuple[str, ...], printed: str) -> None:
    for convention in conventions:
        result = fit(cigar, ["State"], covariance, convention)
        agree_as_printed(result.coefficient("Price"), "-0.20984")
        agree_as_printed(result.error("Price"), printed)


@pytest.mark.parametrize("convention", ["xtreg", "areg", "reghdfe", "fixest", "plain"])
def test_pooled(cigar: pd.DataFrame, convention: str) -> None:
    """Without fixed effects every convention is Stata's regress."""
    pooled = WANTED["pooled_se"]
    for covariance, wanted in (("iid", pooled["iid"]), ("hc1", pooled["robust"])):
        result = fit(cigar, [], covariance, convention)
        assert result.terms == ("Price", "_cons")
        agree(result.error("_cons"), wanted[0])
        agree(result.error("Price"), wanted[1], 2e-6)
    both = fit(cigar, [], cluster("State", "Year"), convention)
    agree(both.error("_cons"), pooled["two_way"][0])
    agree(both.error("Price"), pooled["two_way"][1], 2e-6)
    agree_as_printed(fit(cigar, [], cluster("State"), convention).error("Price"), "0.0379228")


def test_fit_statistics(cigar: pd.DataFrame) -> None:
    agree_as_printed(fit(cigar, ["State"], "iid", "areg").f, "458.45825")
    wide = fit_twfe(
        cigar,
        outcome="Sales",
        regressors=["Price", "Pimin"],
        fixed_effects=["State"],
        covariance="iid",
        convention="areg",
    )
    agree_as_printed(wide.r2, "0.77472")
    agree_as_printed(wide.r2_adjusted, "0.766768")


@pytest.mark.parametrize("convention", ["fixest", "reghdfe"])
def test_two_way_effects(cigar: pd.DataFrame, convention: str) -> None:
    case = WANTED["fixest"]
    effects = ["State", "Year"]
    plain = fit(cigar, effects, "iid", convention)
    agree_as_printed(plain.coefficient("Price"), "-1.08471")
    agree(plain.error("Price"), case["twfe_iid"])
    agree(plain.r2_within, case["wr2"])
    agree_as_printed(plain.r2, "0.828038")
    agree_as_printed(plain.r2_adjusted, "0.818148")
    agree(fit(cigar, effects, "hc1", convention).error("Price"), case["twfe_hetero"])
    agree(fit(cigar, effects, cluster("State"), convention).error("Price"), case["twfe_cl_state"])
    # both effects are nested in a cluster variable: K = k + 1, and 30 / 29 on the whole sum
    both = fit(cigar, effects, cluster("State", "Year"), convention)
    agree(both.error("Price"), case["twfe_cl2"])
    assert dict(both.small_sample)["K"] == 2
    assert both.df_t == 29
