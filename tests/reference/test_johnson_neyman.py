"""Johnson-Neyman regions against the R package interactions (its vignette; data state.x77, see ``data/jn_states``)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis_py.estimators.johnson_neyman import discovery_critical, marginal_effects, significance_region
from analysis_py.estimators.twfe import fit_twfe
from tests.conftest import run_cli
from tests.reference.fe_cases import DATA, agree, agree_as_printed, expected

WANTED = expected("jn_states")
FILE = DATA / "jn_states" / "state_x77.csv"


def line(covariance: str) -> tuple[tuple[float, float], np.ndarray, float]:
    frame = pd.read_csv(FILE)
    frame["product"] = frame["Illiteracy"] * frame["Murder"]
    names = ["Illiteracy", "Murder", "product"]
    fit = fit_twfe(
        frame, outcome="Income", regressors=names, fixed_effects=[], covariance=covariance, convention="plain"
    )
    return (fit.estimate[0], fit.estimate[2]), fit.vcov[np.ix_([0, 2], [0, 2])], fit.df_t


@pytest.mark.parametrize(("covariance", "key"), [("iid", "interval"), ("hc3", "HC3")])
def test_region(covariance: str, key: str) -> None:
    estimate, vcov, df = line(covariance)
    assert df == 46
    region = significance_region(estimate, vcov, df=df)
    assert region.kind == "outside"
    for found, digits in zip((region.low, region.high), WANTED[f"{key}_digits"], strict=True):
        agree(found, digits)


@pytest.mark.parametrize("covariance", ["iid", "hc3"])
def test_slopes(covariance: str) -> None:
    estimate, vcov, df = line(covariance)
    at = np.array([float(m) for m in WANTED["slopes"]])
    margins = marginal_effects(estimate, vcov, at, df=df)
    for i, (slope, error) in enumerate(WANTED["slopes"].values()):
        agree_as_printed(float(margins.slope[i]), f"{slope:.2f}")
        wanted = error if covariance == "iid" else WANTED["slopes_HC3_se"][i]
        agree_as_printed(float(margins.std_error[i]), f"{wanted:.2f}")


def test_the_false_discovery_rate_asks_for_more() -> None:
    # by the steps of interactions::johnson_neyman(control.fdr = TRUE): p-values at 1,001 values, from the largest down
    from scipy import stats

    estimate, vcov, df = line("iid")
    at = np.linspace(WANTED["range"][0], WANTED["range"][1], 1001)
    p_values = np.sort(marginal_effects(estimate, vcov, at, df=df).p_value)
    i = len(at)
    while i > 1 and not (p_values[:i] <= i / len(at) * 0.05).all():
        i -= 1
    critical = discovery_critical(estimate, vcov, tuple(WANTED["range"]), df=df)
    assert critical == pytest.approx(abs(stats.t.ppf(i / len(at) * 0.05 / 2, df)), rel=1e-12)
    assert critical > stats.t.ppf(0.975, df)


def test_through_the_command_line(tmp_path: Path) -> None:
    study = {
        "study": "states",
        "defaults": {
            "estimator": "moderation",
            "outcome": "Income",
            "treatment": ["Illiteracy"],
            "moderator": ["Murder"],
            "fixed_effects": [],
            "margins": {"at": [float(m) for m in WANTED["slopes"]]},
        },
        "models": [
            {"id": "iid", "covariance": "iid"},
            {"id": "HC3", "covariance": "hc3"},
            {"id": "centred", "covariance": "iid", "centre": "mean"},
        ],
    }
    path, out = tmp_path / "study.yml", tmp_path / "out.json"
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    done = run_cli("estimate", str(path), "--data", str(FILE), "--json", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    found = {m["id"]: m for m in json.loads(out.read_text(encoding="utf-8"))["models"]}
    for name, key in (("iid", "interval"), ("HC3", "HC3"), ("centred", "interval")):
        region = next(d for d in found[name]["diagnostics"] if d["test"] == "johnson_neyman")
        bounds = [region["critical"]["low"], region["critical"]["high"]]
        assert bounds == pytest.approx(WANTED[f"{key}_digits"], abs=5e-3)
        margins = [c for c in found[name]["coefficients"] if c["group"] == "margins"]
        assert [c["estimate"] for c in margins] == pytest.approx([b for b, _ in WANTED["slopes"].values()], abs=5e-3)
        assert len([c for c in found[name]["curves"] if c["curve"] == "margins:Illiteracy*Murder"]) == 41
    errors = [c["std_error"] for c in found["HC3"]["coefficients"] if c["group"] == "margins"]
    assert errors == pytest.approx(WANTED["slopes_HC3_se"], abs=5e-3)
