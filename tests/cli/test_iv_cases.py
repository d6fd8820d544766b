"""The reference cases of instrumental variables through ``estimate STUDY.yml --data FILE --json OUT``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.cli.test_reference_cases import CASES, COMPUTED, case, estimate, number

pytestmark = pytest.mark.skipif(
    not CASES.exists(), reason="the reference cases are not beside the project (../shared/reference_cases)"
)

IVREG2 = {
    "cdf": "cragg_donald_f",
    "widstat": "kleibergen_paap_rk_wald_f",
    "arf": "anderson_rubin",
    "archi2": "anderson_rubin_chi2",
    "estat": "endogeneity",
}


def value_of(model: dict[str, Any], test: str) -> float:
    return next(d["statistic"] for d in model["diagnostics"] if d["test"] == test)


def check(model: dict[str, Any], wanted: dict[str, Any], key: str) -> None:
    assert model["convention"] == "ivreg2" and model["status"] in ("ok", "warned")
    for term, (value, error) in wanted["coef"].items():
        assert number(model, term, "estimate") == pytest.approx(value, rel=COMPUTED)
        assert number(model, term, "std_error") == pytest.approx(error, rel=COMPUTED)
    tests = wanted["diagnostics"]
    iid = key.startswith("iid")
    names = {
        **IVREG2,
        "idstat": "anderson_lm" if iid else "kleibergen_paap_rk_lm",
        "j": "sargan" if iid else "hansen_j",
    }
    for name, test in names.items():
        if tests[name] is not None:
            assert value_of(model, test) == pytest.approx(tests[name], rel=COMPUTED, abs=1e-12), (key, test)
    assert value_of(model, "first_stage_f") == pytest.approx(
        next(next(v for k, v in r.items() if k != "statistic") for r in wanted["firststage"] if r["statistic"] == "F"),
        rel=COMPUTED,
    )
    for name in ("r2", "rmse"):
        assert model[name] == pytest.approx(tests[name], rel=COMPUTED)
    assert model["f"] == pytest.approx(tests["F_stat"], rel=COMPUTED)


@pytest.mark.parametrize(
    ("name", "data", "model", "cluster"),
    [
        (
            "iv_card_justid",
            "card_data.csv",
            {"outcome": "lwage", "endogenous": ["educ"], "instruments": ["nearc4"]},
            "smsa66",
        ),
        (
            "iv_card_overid",
            "card_data.csv",
            {"outcome": "lwage", "endogenous": ["educ"], "instruments": ["nearc2", "nearc4"]},
            "smsa66",
        ),
        (
            "iv_sim_cluster",
            "sim_cluster_data.csv",
            {"outcome": "y", "endogenous": ["endo1"], "instruments": ["z1", "z2"], "controls": ["x1"]},
            "cluster_id",
        ),
    ],
    ids=["card_justid", "card_overid", "sim_cluster"],
)
def test_ivreg2(tmp_path: Path, name: str, data: str, model: dict[str, Any], cluster: str) -> None:
    wanted = case(name)
    kinds = {"iid": "iid", "hc1": "hc1", "cl": {"type": "cluster", "by": [cluster]}}
    defaults = {"controls": ["exper", "expersq", "black", "south"], **model}
    models = [
        {"id": key, "covariance": kinds[key.removesuffix("_small")], "iv": {"small": key.endswith("_small")}}
        for key in wanted
    ]
    study = {
        "study": name,
        "defaults": {"estimator": "iv", "fixed_effects": [], "convention": "ivreg2", **defaults},
        "models": models,
    }
    found = estimate(tmp_path, CASES / name / data, study)
    for key, row in wanted.items():
        check(found[key], row, key)
    first = next(iter(found.values()))
    groups = {c["group"] for c in first["coefficients"]}
    assert {None, f"first_stage:{model['endogenous'][0]}", "reduced_form", "anderson_rubin"} <= groups


def test_griliches(tmp_path: Path) -> None:
    wanted = case("iv_griliches")
    study = {
        "study": "griliches",
        "defaults": {
            "estimator": "iv",
            "outcome": "lw",
            "endogenous": ["iq"],
            "instruments": ["med", "kww", "age", "mrt"],
            "controls": ["s", "expr", "tenure", "rns", "smsa", "i.year"],
            "fixed_effects": [],
            "convention": "ivreg2",
        },
        "models": [
            {"id": "own_iid", "covariance": "iid"},
            {"id": "own_robust", "covariance": "hc1"},
            {"id": "absorbed", "covariance": "iid", "controls": ["s", "expr", "tenure", "rns", "smsa"]}
            | {"fixed_effects": ["year"]},
        ],
    }
    found = estimate(tmp_path, CASES / "iv_griliches" / "griliches76.csv", study)
    for key in ("own_iid", "own_robust"):
        model, expected = found[key], wanted[key]
        shown = [c for c in model["coefficients"] if c["group"] is None]
        terms = ["iq", "s", "expr", "tenure", "rns", "smsa"]
        assert [c["term"] for c in shown][:6] == terms and shown[-1]["term"] == "_cons"
        for i, row in enumerate(shown):
            # the file holds the shortest decimals of single-precision data: the tiny coefficient of iq feels it
            assert row["estimate"] == pytest.approx(expected["b"][i], rel=COMPUTED, abs=2e-9)
            assert row["std_error"] == pytest.approx(expected["se"][i], rel=COMPUTED)
        assert value_of(model, "cragg_donald_f") == pytest.approx(expected["CD_F"], rel=COMPUTED)
        assert value_of(model, "anderson_lm") == pytest.approx(expected["anderson_LM"], rel=COMPUTED)
    robust = found["own_robust"]
    for test, name in (("kleibergen_paap_rk_lm", "KP_LM"), ("kleibergen_paap_rk_wald_f", "KP_F"), ("hansen_j", "J")):
        assert value_of(robust, test) == pytest.approx(wanted["own_robust"][name], rel=COMPUTED)
    assert value_of(found["own_iid"], "sargan") == pytest.approx(wanted["own_iid"]["sargan"], rel=COMPUTED)
    critical = next(d["critical"] for d in robust["diagnostics"] if d["test"] == "cragg_donald_f")
    for level, value in wanted["published_BSS"]["stock_yogo_size"].items():
        assert critical[level] == value
    for level, value in wanted["published_BSS"]["stock_yogo_bias"].items():
        assert critical[f"bias {level}"] == value
    # year dummies absorbed are year dummies named
    assert number(found["absorbed"], "iq", "std_error") == pytest.approx(
        number(found["own_iid"], "iq", "std_error"), rel=1e-9
    )
    assert value_of(found["absorbed"], "cragg_donald_f") == pytest.approx(
        value_of(found["own_iid"], "cragg_donald_f"), rel=1e-9
    )


def test_bartik(tmp_path: Path) -> None:
    wanted = case("bartik_adh")
    controls = ["t2", "l_shind_manuf_cbp", "l_sh_popedu_c", "l_sh_popfborn", "l_sh_empl_f", "l_sh_routine33"]
    study = {
        "study": "adh",
        "defaults": {
            "estimator": "iv",
            "outcome": "d_sh_empl_mfg",
            "endogenous": ["shock"],
            "instruments": ["IV"],
            "fixed_effects": [],
            "convention": "ivregress",
            "covariance": {"type": "cluster", "by": ["statefip"]},
        },
        "models": [
            {"id": "full", "controls": [*controls, "l_task_outsource", "i.division"]},
            {"id": "only_t2", "controls": ["t2"]},
        ],
    }
    found = estimate(tmp_path, CASES / "bartik_adh" / "adh_reg.csv", study)
    for key, (value, error) in (("full", wanted["full"]), ("only_t2", wanted["only_t2"]["iv"])):
        assert found[key]["convention"] == "ivregress"
        assert number(found[key], "shock", "estimate") == pytest.approx(value, abs=5e-8)
        assert number(found[key], "shock", "std_error") == pytest.approx(error, abs=5e-8)
    for key, value in (("full", wanted["first_stage"][0]), ("only_t2", wanted["only_t2"]["fs"][0])):
        row = next(c for c in found[key]["coefficients"] if c["group"] == "first_stage:shock" and c["term"] == "IV")
        assert row["estimate"] == pytest.approx(value, abs=5e-8)


def test_two_way_clusters_and_a_lag(tmp_path: Path) -> None:
    """ivreg2 lsales lrndi (lrprice = lrpimin l.lrprice), cluster(state year): as in tests/reference/test_iv_cluster."""
    frame = pd.read_csv(CASES / "fe_cigar" / "Cigar.csv").rename(columns=str.lower)
    for new, old in (("lrprice", "price"), ("lrndi", "ndi"), ("lrpimin", "pimin")):
        frame[new] = np.log(frame[old] / frame["cpi"])
    frame["lsales"] = np.log(frame["sales"])
    frame.to_csv(tmp_path / "cigar.csv", index=False)
    study = {
        "study": "cigar",
        "unit": "state",
        "time": "year",
        "models": [
            {
                "id": "two",
                "estimator": "iv",
                "outcome": "lsales",
                "endogenous": ["lrprice"],
                "instruments": ["lrpimin", "L.lrprice"],
                "controls": ["lrndi"],
                "fixed_effects": [],
                "convention": "ivreg2",
                "covariance": {"type": "cluster", "by": ["state", "year"]},
            }
        ],
    }
    model = estimate(tmp_path, tmp_path / "cigar.csv", study)["two"]
    assert model["n_obs"] == 1334 and model["n_clusters"] == [46, 29]
    assert number(model, "lrprice", "std_error") == pytest.approx(0.1144238345632984, rel=COMPUTED)
    assert value_of(model, "kleibergen_paap_rk_wald_f") == pytest.approx(275.6340237108707, rel=COMPUTED)
    assert value_of(model, "hansen_j") == pytest.approx(0.939014601228718, rel=COMPUTED)
    assert model["status"] == "warned" and "'L.lrprice' is a lag" in model["message"]
