"""The fixed-effects and winsorising reference cases through the command line, each convention by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import SHARED, run_cli

CASES = SHARED / "reference_cases" / "econometrics"
pytestmark = pytest.mark.skipif(
    not CASES.exists(), reason="the reference cases are not beside the project (../shared/reference_cases)"
)

COMPUTED = 1e-6


def case(name: str) -> dict[str, Any]:
    return json.loads((CASES / name / "expected.json").read_text(encoding="utf-8"))["expected"]


def estimate(folder: Path, data: Path, study: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Models by id, as the JSON of ``estimate --data`` has them."""
    path, out = folder / "study.yml", folder / "out.json"
    path.write_text(yaml.safe_dump(study, allow_unicode=True), encoding="utf-8")
    result = run_cli("estimate", str(path), "--data", str(data), "--json", str(out))
    assert result.returncode == 0, result.stdout + result.stderr
    return {m["id"]: m for m in json.loads(out.read_text(encoding="utf-8"))["models"]}


def number(model: dict[str, Any], term: str, field: str) -> float:
    return next(c[field] for c in model["coefficients"] if c["term"] == term)


def check(model: dict[str, Any], field: str, wanted: dict[str, float]) -> None:
    for term, value in wanted.items():
        assert number(model, term, field) == pytest.approx(value, rel=COMPUTED), (model["id"], field, term)


def model(name: str, convention: str, covariance: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": name, "convention": convention, "covariance": covariance, **more}


def test_nlswork(tmp_path: Path) -> None:
    wanted = case("fe_nlswork")
    iid, hc1, cluster = {"type": "iid"}, {"type": "hc1"}, {"type": "cluster", "by": ["idcode"]}
    study = {
        "study": "nlswork",
        "unit": "idcode",
        "time": "year",
        "defaults": {
            "outcome": "ln_wage",
            "treatment": [],
            "controls": ["age", "age2", "ttl_exp", "ttl2", "tenure", "ten2", "not_smsa", "south"],
            "fixed_effects": ["idcode"],
        },
        "models": [
            model("xtreg", "xtreg", iid, sample="grade is not null"),
            model("xtreg_cluster", "xtreg", cluster, sample="grade is not null"),
            model("areg_hc1", "areg", hc1),
            model("areg_cluster", "areg", cluster),
            model("fixest", "fixest", cluster),
            model("reghdfe_iid", "reghdfe", iid),
            model("reghdfe_hc1", "reghdfe", hc1),
            model("reghdfe", "reghdfe", cluster),
        ],
    }
    found = estimate(tmp_path, CASES / "fe_nlswork" / "nlswork.csv", study)
    grade, whole = wanted["own_numpy_grade_sample"], wanted["own_numpy_28093"]
    check(found["xtreg"], "estimate", grade["b"])
    check(found["xtreg"], "std_error", grade["se"])
    assert found["xtreg"]["r2_within"] == pytest.approx(grade["r2_w"], rel=COMPUTED)
    assert found["xtreg"]["f"] == pytest.approx(grade["F"][0], rel=COMPUTED)
    assert found["xtreg"]["df_resid"] == grade["F"][2]
    assert (found["xtreg"]["n_obs"], found["xtreg"]["n_units"]) == (grade["N"], grade["groups"])
    check(found["xtreg_cluster"], "std_error", grade["se_xtreg_cluster"])
    assert found["xtreg_cluster"]["f"] == pytest.approx(grade["F_cluster"][0], rel=COMPUTED)
    check(found["areg_hc1"], "std_error", whole["se_areg_robust"])
    check(found["areg_cluster"], "std_error", whole["se_areg_cluster"])
    check(found["fixest"], "std_error", wanted["fixest_no_singleton_drop"]["cl_id"]["se"])
    dropped = wanted["fixest_reghdfe_style_singletons_dropped"]
    assert found["reghdfe"]["n_obs"] == dropped["N"]
    assert found["reghdfe"]["n_singletons_dropped"] == 28093 - dropped["N"]
    for name, key in (("reghdfe_iid", "iid"), ("reghdfe_hc1", "hetero"), ("reghdfe", "cl_id")):
        check(found[name], "estimate", dropped[key]["b"])
        check(found[name], "std_error", dropped[key]["se"])
    assert found["reghdfe"]["r2"] == pytest.approx(dropped["r2"], rel=COMPUTED)


def test_grunfeld(tmp_path: Path) -> None:
    wanted = case("fe_grunfeld")
    both = ["firm", "year"]
    covariances = {
        "iid": {"type": "iid"},
        "hetero": {"type": "hc1"},
        "cl_firm": {"type": "cluster", "by": ["firm"]},
        "cl_2": {"type": "cluster", "by": both},
    }
    study = {
        "study": "grunfeld",
        "unit": "firm",
        "time": "year",
        "defaults": {"outcome": "inv", "treatment": ["value"], "controls": ["capital"], "fixed_effects": both},
        "models": [
            *(model(f"two_{k}", "fixest", v) for k, v in covariances.items()),
            *(model(f"one_{k}", "fixest", v, fixed_effects=["firm"]) for k, v in covariances.items()),
            model("xtreg", "xtreg", covariances["iid"], fixed_effects=["firm"]),
            model("xtreg_cluster", "xtreg", covariances["cl_firm"], fixed_effects=["firm"]),
            model("areg_hc1", "areg", covariances["hetero"], fixed_effects=["firm"]),
            model("areg_cluster", "areg", covariances["cl_firm"], fixed_effects=["firm"]),
        ],
    }
    found = estimate(tmp_path, CASES / "fe_grunfeld" / "grunfeld.csv", study)
    for name in covariances:
        for prefix, key in (("two", "twoway_fixest"), ("one", "oneway_fixest")):
            check(found[f"{prefix}_{name}"], "estimate", wanted[key][name]["b"])
            check(found[f"{prefix}_{name}"], "std_error", wanted[key][name]["se"])
    one = wanted["oneway_numpy_xtreg"]
    check(found["xtreg"], "estimate", one["b"])
    check(found["xtreg"], "std_error", one["se"])
    check(found["xtreg_cluster"], "std_error", one["se_xtreg_cluster"])
    check(found["areg_hc1"], "std_error", one["se_areg_robust"])
    check(found["areg_cluster"], "std_error", one["se_areg_cluster"])
    assert found["xtreg"]["r2_within"] == pytest.approx(one["r2_w"], rel=COMPUTED)


def test_cigar(tmp_path: Path) -> None:
    wanted = case("fe_cigar")
    state, two = {"type": "cluster", "by": ["State"]}, {"type": "cluster", "by": ["State", "Year"]}
    year = {"type": "cluster", "by": ["Year"]}
    study = {
        "study": "cigar",
        "unit": "State",
        "time": "Year",
        "defaults": {"outcome": "Sales", "treatment": ["Price"], "fixed_effects": ["State", "Year"]},
        "models": [
            model("iid", "fixest", {"type": "iid"}),
            model("hc1", "fixest", {"type": "hc1"}),
            model("state", "fixest", state),
            model("two", "fixest", two),
            model("two_reghdfe", "reghdfe", two),
            model("fe_iid", "areg", {"type": "iid"}, fixed_effects=["State"]),
            model("fe_hc1", "areg", {"type": "hc1"}, fixed_effects=["State"]),
            model("fe_year", "areg", year, fixed_effects=["State"]),
            model("fe_state", "reghdfe", state, fixed_effects=["State"]),
            model("fe_two", "reghdfe", two, fixed_effects=["State"]),
            model("pooled", "plain", {"type": "iid"}, fixed_effects=[]),
            model("pooled_two", "plain", two, fixed_effects=[]),
        ],
    }
    found = estimate(tmp_path, CASES / "fe_cigar" / "Cigar.csv", study)
    fixest = wanted["fixest"]
    for name, key in (("iid", "twfe_iid"), ("hc1", "twfe_hetero"), ("state", "twfe_cl_state"), ("two", "twfe_cl2")):
        assert number(found[name], "Price", "std_error") == pytest.approx(fixest[key], rel=COMPUTED)
    assert number(found["two_reghdfe"], "Price", "std_error") == pytest.approx(fixest["twfe_cl2"], abs=5e-6)
    assert number(found["iid"], "Price", "estimate") == pytest.approx(wanted["b_twfe"], abs=5e-6)
    se = wanted["se"]
    for name, key in (
        ("fe_iid", "iid_areg"),
        ("fe_hc1", "robust_areg"),
        ("fe_year", "cluster_Year_areg_reghdfe"),
        ("fe_state", "cluster_State_reghdfe"),
        ("fe_two", "cluster_State_Year_reghdfe"),
    ):
        assert number(found[name], "Price", "std_error") == pytest.approx(se[key], abs=5e-8)
    pooled = wanted["pooled_se"]
    for name, key in (("pooled", "iid"), ("pooled_two", "two_way")):
        assert number(found[name], "_cons", "std_error") == pytest.approx(pooled[key][0], abs=5e-7)
        assert number(found[name], "Price", "std_error") == pytest.approx(pooled[key][1], abs=5e-8)


def test_winsor(tmp_path: Path) -> None:
    wanted = case("winsor_nlsw88")
    data, out = CASES / "winsor_nlsw88" / "nlsw88.csv", tmp_path / "out.json"
    for limits, keys in ((("--winsor", "1,99"), ("mean", "sd")), ((), ("raw_mean", "raw_sd"))):
        result = run_cli("describe-data", str(data), "--columns", "wage", *limits, "--json", str(out))
        assert result.returncode == 0, result.stderr
        (row,) = json.loads(out.read_text(encoding="utf-8"))["variables"]
        assert row["n"] == wanted["n"]
        assert row["mean"] == pytest.approx(wanted[keys[0]], rel=COMPUTED)
        assert row["sd"] == pytest.approx(wanted[keys[1]], rel=COMPUTED)
        assert row["p1"] == pytest.approx(wanted["p1"], rel=COMPUTED)
        assert row["p99"] == pytest.approx(wanted["p99"], rel=COMPUTED)
