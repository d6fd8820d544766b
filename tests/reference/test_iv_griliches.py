"""Griliches (1976) wages: one endogenous variable against the printed table, two against Stata's ivreg2.

Sources: Baum, Schaffer & Stillman (2007, Stata Journal 7:465-506) as printed; ``iv_griliches`` beside the project;
Stata's ``ivreg2 lw expr tenure rns smsa dyear* (s iq=med kww age mrt)`` with and without ``robust`` and ``small`` as
kept in the tests of statsmodels (``results_ivreg2_griliches``), and its ``ivendog``. Stata holds the data in single
precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.estimators.iv import IvResult, fit_iv
from tests.reference.fe_cases import agree, agree_as_printed
from tests.reference.iv_cases import iv_case, statistic

YEARS = (67, 68, 69, 70, 71, 73)
CONTROLS = ["expr", "tenure", "rns", "smsa", *(f"year{y}" for y in YEARS)]
INSTRUMENTS = ["med", "kww", "age", "mrt"]


def griliches() -> tuple[dict[str, Any], pd.DataFrame]:
    wanted, frame = iv_case("iv_griliches", "griliches76.csv")
    # the numbers to agree with were made from single-precision data, of which the file holds the shortest decimals
    frame = frame.astype(np.float32).astype(float)
    for year in YEARS:
        frame[f"year{year}"] = (frame["year"] == year).astype(float)
    return wanted["expected"], frame


def one(frame: pd.DataFrame, **more: Any) -> IvResult:
    return fit_iv(frame, outcome="lw", endogenous=["iq"], instruments=INSTRUMENTS, exogenous=["s", *CONTROLS], **more)


@pytest.mark.parametrize(("key", "covariance"), [("own_iid", "iid"), ("own_robust", "hc1")])
def test_one_endogenous_variable(key: str, covariance: str) -> None:
    wanted, frame = griliches()
    case = wanted[key]
    for small, errors in ((False, case["se"]), (True, case["se_small"])):
        result = one(frame, covariance=covariance, small=small)
        for i, term in enumerate(result.main.terms):
            agree(result.main.coefficient(term), case["b"][i])
            agree(result.main.error(term), errors[i])
    for test, name in (
        ("sargan", "sargan"),
        ("hansen_j", "J"),
        ("anderson_lm", "anderson_LM"),
        ("cragg_donald_f", "CD_F"),
        ("kleibergen_paap_rk_lm", "KP_LM"),
        ("kleibergen_paap_rk_wald_f", "KP_F"),
    ):
        if name in case:
            agree(statistic(result, test), case[name])
    if covariance == "hc1":
        found = result.tests.identification.kleibergen_paap_wald.statistic
        agree(found, case["KP_chi2"])


def test_as_printed() -> None:
    _, frame = griliches()
    plain, robust = one(frame), one(frame, covariance="hc1")
    agree_as_printed(statistic(plain, "anderson_lm"), "52.436")
    agree_as_printed(statistic(plain, "cragg_donald_f"), "13.786")
    agree_as_printed(statistic(plain, "sargan"), "87.655")
    agree_as_printed(statistic(robust, "kleibergen_paap_rk_lm"), "41.537")
    agree_as_printed(statistic(robust, "kleibergen_paap_rk_wald_f"), "12.167")
    agree_as_printed(statistic(robust, "hansen_j"), "74.165")
    found = plain.main.diagnostic("cragg_donald_f")
    assert found is not None
    printed = {"bias 5%": 16.85, "bias 10%": 10.27, "bias 20%": 6.71, "bias 30%": 5.34}
    printed |= {"10%": 24.58, "15%": 13.96, "20%": 10.26, "25%": 8.31}
    assert dict(found.critical) == printed
    assert "Stock & Yogo (2005)" in found.note


#: By covariance and small: weak and underidentification statistic, J, F, rmse, standard errors of s and iq.
_IID = (12.55161416131593, 47.97804382236573, 13.26833137393004, 37.63903370585436)
_ROBUST = (11.46142788662503, 40.92698219921901, 11.60148136780177, 40.08955571761713)
TWO = {
    ("iid", False): (*_IID, 0.3766456260250817, 0.02073807855911, 0.00470440157185),
    ("iid", True): (*_IID, 0.3799175840045295, 0.02091823230823, 0.00474526917577),
    ("hc1", False): (*_ROBUST, 0.3766456260250817, 0.02073946970741, 0.00488623921475),
    ("hc1", True): (*_ROBUST, 0.3799175840045295, 0.02091963554158, 0.00492868646034),
}


def two(frame: pd.DataFrame, covariance: str, small: bool) -> IvResult:
    return fit_iv(
        frame,
        outcome="lw",
        endogenous=["s", "iq"],
        instruments=INSTRUMENTS,
        exogenous=CONTROLS,
        covariance=covariance,
        small=small,
    )


@pytest.mark.parametrize(("covariance", "small"), list(TWO))
def test_two_endogenous_variables(covariance: str, small: bool) -> None:
    _, frame = griliches()
    result = two(frame, covariance, small)
    weak, under, j, f, rmse, *errors = TWO[covariance, small]
    agree(result.main.coefficient("s"), 0.17242531190423)
    agree(result.main.coefficient("iq"), -0.00909883103476)
    for term, error in zip(("s", "iq"), errors, strict=True):
        agree(result.main.error(term), error)
    agree(statistic(result, "cragg_donald_f"), 12.55161416131593)
    agree(statistic(result, "kleibergen_paap_rk_wald_f"), weak)
    agree(statistic(result, "kleibergen_paap_rk_lm"), under)
    agree(statistic(result, "sargan" if covariance == "iid" else "hansen_j"), j)
    agree(result.main.f, f)
    agree(result.main.rmse, rmse)
    agree(result.main.r2, 0.2279825291623523)
    agree(result.main.r2_adjusted, 0.2155473484240278)


def test_durbin_wu_hausman() -> None:
    _, frame = griliches()
    result = two(frame, "iid", True)
    agree(statistic(result, "wu_hausman"), 38.30408858936179)
    agree(statistic(result, "endogeneity"), 70.84970589405181)
    found = result.main.diagnostic("wu_hausman")
    assert found is not None and (found.df1, found.df2) == (2, 743)


def test_hayashi_as_printed() -> None:
    """Hayashi (2000), table 3.3, line 4."""
    _, frame = griliches()
    main = two(frame, "iid", True).main
    for term, estimate, error in (("s", "0.172", "0.021"), ("iq", "-0.009", "0.0047")):
        agree_as_printed(main.coefficient(term), estimate)
        agree_as_printed(main.error(term), error)
