"""Clusters: 50 simulated ones, and states and years of the cigarette panel two-way, with and without weights.

Sources: Stata ivreg2's output in the fixtures of github restatr/ivreg2r (``iv_sim_cluster`` beside the project;
``cigar_*_cl2*``: ``ivreg2 lsales lrndi (lrprice = lrpimin l.lrprice), cluster(state year) endog(lrprice)``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.estimators.iv import fit_iv
from tests.reference.fe_cases import DATA, agree, agree_as_printed, shared_frame
from tests.reference.iv_cases import agree_with_first_stage, agree_with_ivreg2, fit_key, iv_case, statistic


@pytest.mark.parametrize("key", ["iid", "iid_small", "hc1", "hc1_small", "cl", "cl_small"])
def test_simulated_clusters(key: str) -> None:
    wanted, frame = iv_case("iv_sim_cluster", "sim_cluster_data.csv")
    row = wanted["expected"][key]
    result = fit_key(
        frame, key, ("cluster_id",), outcome="y", endogenous=["endo1"], instruments=["z1", "z2"], exogenous=["x1"]
    )
    for term, (estimate, error) in row["coef"].items():
        agree(result.main.coefficient(term), estimate)
        agree(result.main.error(term), error)
    agree_with_ivreg2(result, row["diagnostics"], is_iid=key.startswith("iid"))
    agree_with_first_stage(result, row["firststage"])


def cigarettes() -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = shared_frame("econometrics", "fe_cigar", "Cigar.csv").rename(columns=str.lower)
    frame = frame.sort_values(["state", "year"])
    frame["lsales"] = np.log(frame["sales"])
    for new, old in (("lrprice", "price"), ("lrndi", "ndi"), ("lrpimin", "pimin")):
        frame[new] = np.log(frame[old] / frame["cpi"])
    frame["l.lrprice"] = frame.groupby("state")["lrprice"].shift(1)
    frame["weight"] = frame["state"] % 4 + 1
    return frame, {
        "outcome": "lsales",
        "endogenous": ["lrprice"],
        "instruments": ["lrpimin", "l.lrprice"],
        "exogenous": ["lrndi"],
        "covariance": {"type": "cluster", "by": ["state", "year"]},
    }


def test_two_way_clusters() -> None:
    frame, model = cigarettes()
    result = fit_iv(frame, **model)
    agree(result.main.coefficient("lrprice"), -0.8488642506039128)
    for term, error in (("lrprice", 0.1144238345632984), ("lrndi", 0.0753453262593752), ("_cons", 0.3445950632820039)):
        agree(result.main.error(term), error)
    agree(result.main.f, 27.66408015672536)
    agree(result.main.r2_adjusted, 0.3260952493020886)
    for test, value in (
        ("hansen_j", 0.939014601228718),
        ("kleibergen_paap_rk_lm", 12.14402532415005),
        ("cragg_donald_f", 4766.550936683564),
        ("kleibergen_paap_rk_wald_f", 275.6340237108707),
        ("anderson_rubin", 27.10041048232977),
        ("anderson_rubin_chi2", 56.2631884003986),
        ("endogeneity", 0.0904487776264217),
        ("first_stage_f", 275.6340237108714),
        ("stock_wright_s", 12.42929672994151),
    ):
        agree(statistic(result, test), value)
    assert result.main.n_clusters == (46, 29)
    small = fit_iv(frame, **model, small=True)
    for term, error in (("lrprice", 0.1165366495712189), ("lrndi", 0.0767365638166991), ("_cons", 0.3509579475895979)):
        agree(small.main.error(term), error)
    assert small.main.df_t == 28


def test_two_way_clusters_weighted() -> None:
    frame, model = cigarettes()
    result = fit_iv(frame, **model, weights="weight")
    agree(result.main.coefficient("lrprice"), -0.857381515251641)
    agree(result.main.error("lrprice"), 0.1152231144153938)
    for test, value in (
        ("hansen_j", 0.8547731376338443),
        ("kleibergen_paap_rk_lm", 11.48873575807454),
        ("kleibergen_paap_rk_wald_f", 301.9582161610252),
        ("anderson_rubin", 28.03042200372738),
        ("endogeneity", 0.2932883858542403),
        ("stock_wright_s", 12.44841554878736),
    ):
        agree(statistic(result, test), value)


@pytest.mark.parametrize(
    ("exogenous", "effects", "printed"),
    [
        ([], [], "23160.0635"),
        ([], ["State"], "37662.8281"),
        (["CPI"], [], "2093.4661"),
    ],
)
def test_kleibergen_paap_of_ivreg2_as_printed(exogenous: list[str], effects: list[str], printed: str) -> None:
    """Test-suite of FixedEffectModels.jl, "exactly same with ivreg2": robust; with state effects in any convention."""
    frame = shared_frame("econometrics", "fe_cigar", "Cigar.csv")
    for convention in ("ivreg2", "xtivreg2", "ivreghdfe"):
        result = fit_iv(
            frame,
            outcome="Sales",
            endogenous=["Price"],
            instruments=["Pimin"],
            exogenous=exogenous,
            fixed_effects=effects,
            covariance="hc1",
            convention=convention,
            unit="State",
        )
        agree_as_printed(statistic(result, "kleibergen_paap_rk_wald_f"), printed)


def test_model_f_of_xtivreg2_as_printed() -> None:
    frame = pd.read_csv(DATA / "fe_cigar" / "cigar.csv")
    model: dict[str, Any] = {"outcome": "Sales", "endogenous": ["Price"], "instruments": ["Pimin"]}
    for convention in ("xtivreg2", "ivreghdfe"):
        result = fit_iv(frame, **model, fixed_effects=["State"], convention=convention, unit="State")
        agree_as_printed(result.main.f, "422.46444")
    # large-sample F of ivreg2 is the small-sample one
    agree_as_printed(fit_iv(frame, **model).main.f, "117.17329")
    clustered = fit_iv(frame, **model, covariance={"type": "cluster", "by": ["State"]})
    agree_as_printed(clustered.main.f, "39.67227")
