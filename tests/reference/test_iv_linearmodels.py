"""Wages of married women (Mroz 1987): errors and tests of exogeneity and of instruments against linearmodels.

linearmodels 7.1, ``IV2SLS`` and ``IVLIML`` on its own copy of the data (428 women who work), run beside ours. Clusters
of linearmodels have no small-sample factor, its F statistics are chi-squared where errors are robust. Driscoll-Kraay:
Stata's ``ivreg2 lwage exper expersq married union (hours = educ black), dkraay(3)`` on the wage panel of Vella &
Verbeek (1998), fixtures ``wp_dk_*`` of github restatr/ivreg2r; the panel is linearmodels' copy, of nine digits.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.estimators.iv import IvResult, fit_iv
from tests.reference.fe_cases import agree, cluster
from tests.reference.iv_cases import statistic

ONE: dict[str, Any] = {
    "endogenous": ["educ"],
    "instruments": ["motheduc", "fatheduc", "huseduc"],
    "exogenous": ["exper", "expersq"],
}
TWO: dict[str, Any] = {
    "endogenous": ["educ", "exper"],
    "instruments": ["motheduc", "fatheduc", "huseduc", "age", "kidslt6"],
    "exogenous": ["nwifeinc"],
}


def women() -> pd.DataFrame:
    frame = import_module("linearmodels.datasets.mroz").load()
    frame = frame[frame["inlf"] == 1].copy()
    frame["one"] = 1.0
    frame["w"] = 0.5 + (frame["age"] % 7) / 4
    return frame


def theirs(frame: pd.DataFrame, model: dict[str, Any], kind: str, weights: str | None, **options: Any) -> Any:
    iv = import_module("linearmodels.iv")
    return getattr(iv, kind)(
        frame["lwage"],
        frame[["one", *model["exogenous"]]],
        frame[model["endogenous"]],
        frame[model["instruments"]],
        weights=None if weights is None else frame[weights],
    ).fit(**options)


def ours(frame: pd.DataFrame, model: dict[str, Any], covariance: Any, weights: str | None, **options: Any) -> IvResult:
    return fit_iv(
        frame,
        outcome="lwage",
        covariance=covariance,
        convention="ivregress",
        weights=weights,
        **model,
        **options,
    )


def agree_in_coefficients(found: IvResult, wanted: Any) -> None:
    for term in found.main.terms:
        name = "one" if term == "_cons" else term
        agree(found.main.coefficient(term), float(wanted.params[name]))
        agree(found.main.error(term), float(wanted.std_errors[name]))


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("model", [ONE, TWO], ids=["one", "two"])
def test_iid_errors_and_their_tests(model: dict[str, Any], weights: str | None) -> None:
    frame = women()
    found = ours(frame, model, "iid", weights)
    wanted = theirs(frame, model, "IV2SLS", weights, cov_type="unadjusted")
    agree_in_coefficients(found, wanted)
    agree(statistic(found, "sargan"), wanted.sargan.stat)
    agree(statistic(found, "basmann"), wanted.basmann.stat)
    agree(statistic(found, "endogeneity"), wanted.durbin().stat)
    agree(statistic(found, "wu_hausman"), wanted.wu_hausman().stat)
    # the variance of the first stage is divided by N there
    factors = {"first_stage_f": len(frame) / found.counts.df_first, "partial_r2": 1.0}
    for row in (d for d in found.main.diagnostics if d.test in factors):
        name = "f.stat" if row.test == "first_stage_f" else "partial.rsquared"
        agree(row.statistic * factors[row.test], float(wanted.first_stage.diagnostics.loc[row.term, name]))


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("model", [ONE, TWO], ids=["one", "two"])
def test_robust_errors_and_their_tests(model: dict[str, Any], weights: str | None) -> None:
    frame = women()
    found = ours(frame, model, "hc1", weights)
    wanted = theirs(frame, model, "IV2SLS", weights, cov_type="robust")
    agree_in_coefficients(found, wanted)
    agree(statistic(found, "endogeneity_score"), wanted.wooldridge_score.stat)
    agree(statistic(found, "overid_score"), wanted.wooldridge_overid.stat)
    # a chi-squared there, an F with small-sample errors here
    k1, df2 = len(model["endogenous"]), found.tests.wu_hausman.df2
    agree(statistic(found, "wu_hausman") * k1 * len(frame) / df2, wanted.wooldridge_regression.stat)
    l1, df2 = found.counts.l1, found.counts.df_first
    for row in (d for d in found.main.diagnostics if d.test == "first_stage_f"):
        agree(row.statistic * l1 * len(frame) / df2, float(wanted.first_stage.diagnostics.loc[row.term, "f.stat"]))


def test_clusters() -> None:
    frame = women()
    wanted = theirs(frame, ONE, "IV2SLS", None, cov_type="clustered", clusters=frame["age"])
    agree_in_coefficients(ours(frame, ONE, cluster("age"), None), wanted)
    both = frame[["age", "kidsge6"]].to_numpy()
    two_way = theirs(frame, ONE, "IV2SLS", None, cov_type="clustered", clusters=both)
    assert np.isfinite(two_way.std_errors).all()
    agree_in_coefficients(ours(frame, ONE, cluster("age", "kidsge6"), None), two_way)


def test_liml() -> None:
    frame = women()
    wanted = theirs(frame, ONE, "IVLIML", None, cov_type="unadjusted")
    found = ours(frame, ONE, "iid", None, method="liml")
    agree_in_coefficients(found, wanted)
    agree(statistic(found, "k"), wanted.kappa)
    agree(statistic(found, "anderson_rubin_overid"), wanted.anderson_rubin.stat)
    agree(statistic(found, "anderson_rubin_overid_linear"), len(frame) * (wanted.kappa - 1))
    fuller = theirs_fuller(frame)
    agree_in_coefficients(ours(frame, ONE, "iid", None, method="fuller", fuller=4.0), fuller)


def theirs_fuller(frame: pd.DataFrame) -> Any:
    iv = import_module("linearmodels.iv")
    columns = (frame["lwage"], frame[["one", *ONE["exogenous"]]], frame[ONE["endogenous"]], frame[ONE["instruments"]])
    return iv.IVLIML(*columns, fuller=4.0).fit(cov_type="unadjusted")


#: ivreg2's coefficients and errors, and J, the rank tests and F: instruments, small.
DKRAAY = {
    (("educ", "black"), False): {
        "hours": (0.0062189077078444, 0.0011989646581948),
        "union": (0.693165452653031, 0.1967829889199455),
        "_cons": (-9.197149299097925, 2.053510189535652),
    },
    (("educ", "black"), True): {
        "hours": (0.0062189077078444, 0.0012824828826055),
        "union": (0.693165452653031, 0.2104906205140023),
        "_cons": (-9.197149299097925, 2.196554877022576),
    },
    (("educ",), False): {
        "hours": (0.006271392976634, 0.0011874663725474),
        "union": (0.697654987571074, 0.1987950414981384),
        "_cons": (-9.284202997767171, 2.035971419072888),
    },
}


@pytest.mark.parametrize(("instruments", "small"), list(DKRAAY))
def test_driscoll_kraay_of_ivreg2(instruments: tuple[str, ...], small: bool) -> None:
    found = fit_iv(
        import_module("linearmodels.datasets.wage_panel").load(),
        outcome="lwage",
        endogenous=["hours"],
        instruments=instruments,
        exogenous=["exper", "expersq", "married", "union"],
        # ivreg2 counts the bandwidth: one more than the last lag
        covariance={"type": "driscoll_kraay", "lag": 2},
        convention="ivreg2",
        unit="nr",
        time="year",
        small=small,
    )
    for term, (estimate, error) in DKRAAY[instruments, small].items():
        agree(found.main.coefficient(term), estimate)
        agree(found.main.error(term), error)
    if len(instruments) > 1:
        agree(statistic(found, "hansen_j"), 0.9449966512853384)
        agree(statistic(found, "kleibergen_paap_rk_lm"), 2.863159266817376)
        agree(statistic(found, "cragg_donald_f"), 4.627808806870178)
        agree(statistic(found, "kleibergen_paap_rk_wald_f"), 15.95860746669251)
        agree(found.main.f, 12.62057973110197)
        assert dict(found.main.small_sample)["lag"] == 2
