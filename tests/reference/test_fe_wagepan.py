"""wagepan (Vella & Verbeek 1998; Wooldridge's data), 545 men and 8 years: xtreg with year dummies.

The printed numbers are Stata's output of ``xtreg lwage union married d81-d87, fe`` and its clustered version in
J. Wooldridge's lecture notes on linear panel data models. linearmodels serves as a second implementation.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.twfe import fit_twfe
from tests.reference.fe_cases import agree, agree_as_printed, cluster, shared_frame


@pytest.fixture(scope="module")
def wagepan() -> pd.DataFrame:
    return shared_frame("other_data", "fe_wagepan__wagepan_data.csv")


def fit(
    frame: pd.DataFrame, covariance: Any, convention: str, regressors: tuple[str, ...] = ("union", "married")
) -> RegressionResult:
    return fit_twfe(
        frame,
        outcome="lwage",
        regressors=regressors,
        fixed_effects=["nr", "year"],
        covariance=covariance,
        convention=convention,
        unit="nr",
        time="year",
    )


STATA: dict[str, dict[str, Any]] = {
    "iid": {
        "union": (".0833697", ".0194393"),
        "married": (".0583372", ".0183688"),
        "_cons": ("1.361709", ".0162395"),
        "f": "85.95",
        "df": (9, 3806),
    },
    "cluster": {
        "union": (".0833697", ".0230603"),
        "married": (".0583372", ".0213374"),
        "_cons": ("1.361709", ".0203774"),
        "f": "48.86",
        "df": (9, 544),
    },
}


@pytest.mark.parametrize("errors", STATA)
def test_xtreg_with_year_dummies(wagepan: pd.DataFrame, errors: str) -> None:
    result = fit(wagepan, "iid" if errors == "iid" else cluster("nr"), "xtreg")
    for term in ("union", "married", "_cons"):
        agree_as_printed(result.coefficient(term), STATA[errors][term][0])
        agree_as_printed(result.error(term), STATA[errors][term][1])
    agree_as_printed(result.f, STATA[errors]["f"])
    assert (result.df_model, result.df_t) == STATA[errors]["df"]
    agree_as_printed(result.r2_within, "0.1689")
    agree_as_printed(result.r2_between, "0.0789")
    agree_as_printed(result.r2_overall, "0.1026")
    for test, printed in (
        ("corr_u_xb", "0.0455"),
        ("sigma_u", ".38216008"),
        ("sigma_e", ".35343397"),
        ("rho", ".5389921"),  # the last printed digit is lost: the file keeps five decimals of lwage
        ("f_u", "9.14"),
    ):
        found = result.diagnostic(test)
        assert found is not None
        agree_as_printed(found.statistic, printed)
    agree_as_printed(float(result.ci_low[0]), {"iid": ".0452572", "cluster": ".0380715"}[errors])
    agree_as_printed(float(result.ci_high[1]), {"iid": ".0943509", "cluster": ".100251"}[errors])


def test_order_of_effects_does_not_matter_where_the_unit_is_known(wagepan: pd.DataFrame) -> None:
    swapped = fit_twfe(
        wagepan,
        outcome="lwage",
        regressors=["union", "married"],
        fixed_effects=["year", "nr"],
        covariance=cluster("nr"),
        convention="xtreg",
        unit="nr",
    )
    usual = fit(wagepan, cluster("nr"), "xtreg")
    np.testing.assert_allclose(swapped.estimate, usual.estimate, rtol=1e-12)
    np.testing.assert_allclose(swapped.std_error, usual.std_error, rtol=1e-12)
    assert swapped.f == pytest.approx(usual.f, rel=1e-12)


def test_experience_is_collinear_with_both_effects(wagepan: pd.DataFrame) -> None:
    """exper rises by one a year for everyone: person and year span it (Wooldridge, example 14.4)."""
    result = fit(wagepan, "iid", "xtreg", ("union", "exper", "educ", "married"))
    assert result.dropped_terms == ("exper", "educ")
    usual = fit(wagepan, "iid", "xtreg")
    np.testing.assert_allclose(result.estimate, usual.estimate, rtol=1e-10)


def test_linearmodels(wagepan: pd.DataFrame) -> None:
    panel = import_module("linearmodels.panel")
    slopes = ["union", "married", "expersq", "hours"]
    indexed = wagepan.set_index(["nr", "year"])
    model = panel.PanelOLS(indexed["lwage"], indexed[slopes], entity_effects=True, time_effects=True)
    plain = model.fit(cov_type="unadjusted", debiased=True)
    ours = fit(wagepan, "iid", "plain", tuple(slopes))
    np.testing.assert_allclose(ours.estimate, plain.params.to_numpy(), rtol=1e-9)
    np.testing.assert_allclose(ours.std_error, plain.std_errors.to_numpy(), rtol=1e-9)
    np.testing.assert_allclose(ours.vcov, plain.cov.to_numpy(), rtol=1e-8, atol=1e-18)
    agree(ours.r2, plain.rsquared_inclusive, 1e-9)
    # linearmodels' "rsquared" is within both effects
    agree(ours.r2_within, plain.rsquared, 1e-9)

    for by in ({"cluster_entity": True}, {"cluster_time": True}, {"cluster_entity": True, "cluster_time": True}):
        theirs = model.fit(
            cov_type="clustered", debiased=False, group_debias=False, auto_df=False, count_effects=False, **by
        )
        names = [name for name, key in (("nr", "cluster_entity"), ("year", "cluster_time")) if key in by]
        for convention in ("plain", "fixest", "reghdfe", "areg", "xtreg"):
            mine = fit(wagepan, cluster(*names), convention, tuple(slopes))
            factor = float(dict(mine.small_sample)["factor"])  # type: ignore[arg-type]
            np.testing.assert_allclose(mine.vcov[:4, :4] / factor, theirs.cov.to_numpy(), rtol=1e-7, atol=1e-16)
    robust = model.fit(cov_type="robust", debiased=False, auto_df=False, count_effects=False)
    mine = fit(wagepan, "hc1", "plain", tuple(slopes))
    factor = float(dict(mine.small_sample)["factor"])  # type: ignore[arg-type]
    np.testing.assert_allclose(mine.vcov / factor, robust.cov.to_numpy(), rtol=1e-7, atol=1e-16)


def test_linearmodels_weighted(wagepan: pd.DataFrame) -> None:
    panel = import_module("linearmodels.panel")
    slopes = ["union", "married", "hours"]
    unbalanced = wagepan[(wagepan.nr * 7 + wagepan.year) % 5 != 0].assign(w=lambda d: 0.5 + (d.nr % 13) / 10)
    indexed = unbalanced.set_index(["nr", "year"])
    theirs = panel.PanelOLS(
        indexed["lwage"], indexed[slopes], entity_effects=True, time_effects=True, weights=indexed["w"]
    ).fit(cov_type="unadjusted", debiased=True)
    ours = fit_twfe(
        unbalanced,
        outcome="lwage",
        regressors=slopes,
        fixed_effects=["nr", "year"],
        covariance="iid",
        convention="plain",
        weights="w",
    )
    np.testing.assert_allclose(ours.estimate, theirs.params.to_numpy(), rtol=1e-8)
    np.testing.assert_allclose(ours.std_error, theirs.std_errors.to_numpy(), rtol=1e-8)
