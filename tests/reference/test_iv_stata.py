"""Stata's ``ivregress 2sls`` and ``liml`` on simulated data and on house values, in every covariance and weighting.

Source: Stata 13's logs in the tests of linearmodels 7.1 (``stata-iv-simulated-results.txt``: 600 observations made for
the purpose, one or two endogenous variables and instruments; ``stata-iv-housing-results.txt``: ``ivregress`` of rent on
house values instrumented by income and regions, 50 states). One observation a period makes Driscoll-Kraay the errors
of Newey & West.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.estimators.iv import IvResult, fit_iv
from tests.reference.estout_logs import LOGGED, Logged, folder, read_log, read_stata
from tests.reference.fe_cases import agree, cluster
from tests.reference.iv_cases import statistic

_HEADING = re.compile(
    r"(?P<method>2sls|liml)-num_endog_(?P<endogenous>\d)-num_exog_(?P<exogenous>\d)-num_instr_(?P<instruments>\d)"
    r"-weighted_(?P<weighted>\w+)-vce\((?P<vce>[^)]*)\)-(?P<small>small)?$"
)
_CASES: dict[str, tuple[str, Any]] = {
    "unadjusted": ("y_unadjusted", "iid"),
    "robust": ("y_robust", "hc1"),
    "cluster cluster_id": ("y_clustered", cluster("cluster_id")),
    "hac bartlett 12": ("y_kernel", {"type": "driscoll_kraay", "lag": 12}),
}


def agree_with_ivregress(result: IvResult, wanted: Logged, small: bool) -> None:
    main = result.main
    for term in (t for t in wanted.estimate if t in main.terms):
        agree(main.coefficient(term), wanted.estimate[term], LOGGED)
        agree(main.error(term), wanted.std_error[term], LOGGED)
    for name, found in (("r2", main.r2), ("r2_a", main.r2_adjusted), ("rmse", main.rmse)):
        agree(found, wanted.statistics[name], LOGGED)
    if small:
        agree(main.f, wanted.statistics["F"], LOGGED)
    else:
        agree(statistic(result, "wald_chi2"), wanted.statistics["chi2"], LOGGED)
    assert main.statistic_kind == ("t" if small else "z")


@pytest.mark.parametrize("vce", list(_CASES))
def test_ivregress_on_simulated_data(vce: str) -> None:
    frame = read_stata("iv", "simulated-data.dta")
    outcome, covariance = _CASES[vce]
    logged = read_log("iv", "stata-iv-simulated-results.txt")
    done = 0
    for heading, wanted in logged.items():
        case = _HEADING.match(heading)
        if case is None or case["vce"] != vce:
            continue
        result = fit_iv(
            frame,
            outcome=outcome,
            endogenous=["x1", "x2"][: int(case["endogenous"])],
            instruments=["z1", "z2"][: int(case["instruments"])],
            exogenous=["x3", "x4", "x5"][: int(case["exogenous"])],
            covariance=covariance,
            convention="ivregress",
            method=case["method"],
            weights="weights" if case["weighted"] == "True" else None,
            time="time",
            small=case["small"] is not None,
        )
        agree_with_ivregress(result, wanted, case["small"] is not None)
        if case["method"] == "liml":
            agree(statistic(result, "k"), wanted.statistics["kappa"])
        done += 1
    # two methods, three sets of endogenous variables and instruments, with and without controls, weights and small
    assert done == 48


@pytest.mark.parametrize("small", ["small", "asymptotic"])
@pytest.mark.parametrize("vce", ["unadjusted", "robust", "cluster"])
@pytest.mark.parametrize("method", ["2sls", "liml"])
def test_ivregress_on_house_values(method: str, vce: str, small: str) -> None:
    frame = pd.read_csv(folder("iv") / "housing.csv")
    regions = sorted(frame["region"].unique())[1:]
    for region in regions:
        frame[region] = (frame["region"] == region).astype(float)
    covariance: Any = {"unadjusted": "iid", "robust": "hc1"}.get(vce, cluster("division"))
    result = fit_iv(
        frame,
        outcome="rent",
        endogenous=["hsngval"],
        instruments=["faminc", *regions],
        exogenous=["pcturban"],
        covariance=covariance,
        convention="ivregress",
        method=method,
        small=small == "small",
    )
    wanted = read_log("iv", "stata-iv-housing-results.txt")[f"{method}-{vce}-{small}"]
    for term in ("hsngval", "pcturban", "_cons"):
        agree(result.main.coefficient(term), wanted.estimate[term], LOGGED)
        agree(result.main.error(term), wanted.std_error[term], LOGGED)
    agree(result.main.r2, wanted.statistics["r2"], LOGGED)
    agree(result.main.rmse, wanted.statistics["rmse"], LOGGED)


def test_terms_of_the_log_are_those_of_the_model() -> None:
    """The comparison above skips terms of another name: none but the constant's is left out."""
    wanted = read_log("iv", "stata-iv-simulated-results.txt")
    one = wanted["2sls-num_endog_2-num_exog_3-num_instr_2-weighted_True-vce(robust)-small"]
    assert list(one.estimate) == ["x1", "x2", "x3", "x4", "x5", "_cons"]
    assert np.isfinite(list(one.std_error.values())).all()
