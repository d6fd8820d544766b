"""How degrees of freedom taken off by hand enter: ``ivreg2``'s options ``dofminus`` and ``sdofminus``.

They are what ``xtivreg2`` (dofminus: the units) and ``ivreghdfe`` (sdofminus: what is absorbed) pass on, so that these
numbers of Stata hold their formulas. Source: fixtures ``mroz_dofminus_*`` (``ivreg2 lwage exper expersq (educ = age
kidslt6 kidsge6), dofminus(1) sdofminus(1) first endog(educ)``) and ``cigar_*_cl2_dof`` (two-way clusters, dofminus(2)
sdofminus(1)) of github restatr/ivreg2r; Mroz's data are linearmodels' copy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analysis_py.estimators import iv
from analysis_py.estimators.iv_conventions import IvCounts
from tests.reference.fe_cases import agree
from tests.reference.iv_cases import statistic
from tests.reference.test_iv_cluster import cigarettes
from tests.reference.test_iv_linearmodels import women


def take_off(monkeypatch: pytest.MonkeyPatch, dofminus: int, sdofminus: int) -> None:
    """Count as if these had been given to ivreg2."""
    plain = iv.count

    def counted(*args: Any, **options: Any) -> IvCounts:
        return replace(plain(*args, **options), dofminus=dofminus, sdofminus=sdofminus)

    monkeypatch.setattr(iv, "count", counted)


MROZ: dict[str, dict[str, Any]] = {
    "iid": {
        "errors": (0.0815230553286689, 0.0138993041428208, 1.012734954192878),
        "f": 7.458552067893235,
        "tests": {
            "sargan": 0.6998733839708102,
            "anderson_lm": 12.78587959491035,
            "cragg_donald_f": 4.321492327535472,
            "anderson_rubin": 0.6089899964787056,
            "anderson_rubin_chi2": 1.857419489260052,
            "endogeneity": 0.0191024008896072,
            "stock_wright_s": 1.849374840847088,
            "first_stage_f": 4.321492327535434,
        },
    },
    "hc1": {
        "errors": (0.0865637781862044, 0.0166779521768209, 1.061173418313367),
        "f": 5.988768292050721,
        "tests": {
            "hansen_j": 0.5126481912945736,
            "kleibergen_paap_rk_lm": 11.20431922138149,
            "cragg_donald_f": 4.321492327535472,
            "kleibergen_paap_rk_wald_f": 4.997422001157912,
            "anderson_rubin": 0.5768156892845933,
            "anderson_rubin_chi2": 1.75928785231801,
            "endogeneity": 0.0012967551861014,
            "stock_wright_s": 1.658073871541859,
            "first_stage_f": 4.997422001157875,
        },
    },
}


@pytest.mark.parametrize("covariance", list(MROZ))
def test_one_each(monkeypatch: pytest.MonkeyPatch, covariance: str) -> None:
    take_off(monkeypatch, 1, 1)
    found = iv.fit_iv(
        women(),
        outcome="lwage",
        endogenous=["educ"],
        instruments=["age", "kidslt6", "kidsge6"],
        exogenous=["exper", "expersq"],
        covariance=covariance,
    )
    wanted = MROZ[covariance]
    agree(found.main.coefficient("educ"), 0.0964002390345153)
    for term, error in zip(("educ", "exper", "_cons"), wanted["errors"], strict=True):
        agree(found.main.error(term), error)
    for test, value in wanted["tests"].items():
        agree(statistic(found, test), value)
    agree(found.main.f, wanted["f"])
    agree(found.main.rmse, 0.6645560880261882)
    agree(found.main.r2_adjusted, 0.1455936420055508)
    agree(found.tests.first_stages[0].rmse, 2.263985768926156)
    assert (found.counts.df_resid, found.counts.df_first) == (422, 420)


def test_two_way_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    take_off(monkeypatch, 2, 1)
    frame, model = cigarettes()
    found = iv.fit_iv(frame, **model)
    # without `small` the errors are those of ivreg2 without the options
    agree(found.main.error("lrprice"), 0.1144238345632984)
    for test, value in (
        ("hansen_j", 0.939014601228718),
        ("kleibergen_paap_rk_lm", 12.14402532415005),
        ("cragg_donald_f", 4755.799318029391),
        ("kleibergen_paap_rk_wald_f", 275.4267800840204),
        ("anderson_rubin", 27.08003423384682),
        ("anderson_rubin_chi2", 56.2631884003986),
        ("stock_wright_s", 12.42929672994151),
        ("endogeneity", 0.0904487776264217),
    ):
        agree(statistic(found, test), value)
    agree(found.main.f, 27.64329572387764)
    agree(found.main.rmse, 0.1840888544078897)
    agree(found.main.r2_adjusted, 0.3245728741122591)
