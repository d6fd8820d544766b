"""Differences between groups against Lian's bdiff (nlsw88; case ``bdiff_nlsw88``, Lian 2017)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis_py.estimators.factors import Factor
from analysis_py.inference.entity_grams import Columns
from analysis_py.inference.permutation import PermutationTest, permute_groups
from tests.conftest import run_cli
from tests.reference.fe_cases import agree_as_printed, shared_case

NAMES = ["ttl_exp", "married", "south", "hours", "tenure", "age", "agesq"]


def wanted() -> dict[str, Any]:
    path = shared_case("econometrics", "bdiff_nlsw88", "expected.json")
    return json.loads(path.read_text(encoding="utf-8"))["expected"]


def data() -> pd.DataFrame:
    frame = pd.read_csv(shared_case("econometrics", "bdiff_nlsw88", "nlsw88.csv"))
    frame["agesq"] = frame["age"].astype(float) ** 2
    frame = frame[frame["race"] != 3]
    return frame.dropna(subset=[*NAMES, "wage"]).reset_index(drop=True)


def permute(draws: int, seed: int) -> PermutationTest:
    frame = data()
    return permute_groups(
        Columns(frame[[*NAMES, "wage"]].to_numpy(float), np.ones(len(frame)), ()),
        (frame["race"] == 2).to_numpy(int),
        Factor("row", np.arange(len(frame)), len(frame)),
        draws=draws,
        seed=seed,
        constant=True,
    )


def test_observed_differences() -> None:
    printed = wanted()["permutation_1000"]
    test = permute(20, 1)
    assert test.n_entities == printed["N"]
    for j, name in enumerate([*NAMES, "_cons"]):
        agree_as_printed(float(test.observed[0, j]), f"{printed['b0_minus_b1'][name]:.3f}")


def test_p_values_within_the_error_of_the_draws() -> None:
    here = wanted()
    test = permute(5000, 7)
    assert test.n_plain == 0
    for j, name in enumerate([*NAMES, "_cons"]):
        assert test.p_one_sided[0, j] == pytest.approx(here["permutation_1000"]["p"][name], abs=0.04)
        share = test.freq[0, j] / test.n_used[0, j]
        assert share == pytest.approx(here["permutation_5000_here"]["freq_share"][name], abs=0.02)


def test_through_the_command_line(tmp_path: Path) -> None:
    here = wanted()
    study = {
        "study": "bdiff",
        "defaults": {
            "outcome": "wage",
            "treatment": ["ttl_exp"],
            "controls": NAMES[1:],
            "fixed_effects": [],
            "covariance": "iid",
            "transforms": {"agesq": "age * age", "black": "case race when 1 then 0 when 2 then 1 end"},
        },
        "models": [
            {
                "id": "split",
                "estimator": "heterogeneity",
                "split": {"by": "black", "tests": ["permutation", "suest"], "permute": "rows", "draws": 1000},
            },
            {
                "id": "industry",
                "treatment": ["black", "black*ttl_exp", "ttl_exp"],
                "controls": [*NAMES[1:], "i.industry"],
                "sample": "race <= 2",
            },
        ],
    }
    path, out = tmp_path / "study.yml", tmp_path / "out.json"
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    file = shared_case("econometrics", "bdiff_nlsw88", "nlsw88.csv")
    done = run_cli("estimate", str(path), "--data", str(file), "--json", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    found = {m["id"]: m for m in json.loads(out.read_text(encoding="utf-8"))["models"]}
    split = found["split"]
    assert split["n_obs"] == here["permutation_1000"]["N"]
    assert split["groups"][1]["n_obs"] == here["permutation_1000"]["n_black"]
    tests = {d["term"]: d for d in split["diagnostics"] if d["test"] == "permutation"}
    assert list(tests) == [*NAMES, "_cons"]
    for name, test in tests.items():
        assert test["statistic"] == pytest.approx(here["permutation_1000"]["b0_minus_b1"][name], abs=5e-4)
        assert test["p_value"] == pytest.approx(here["permutation_1000"]["p"][name], abs=0.04)
    printed = here["interaction_with_industry"]
    assert found["industry"]["n_obs"] == printed["N"]
    terms = {c["term"]: c for c in found["industry"]["coefficients"]}
    agree_as_printed(terms["black*ttl_exp"]["estimate"], "-0.01818")
    agree_as_printed(terms["black*ttl_exp"]["p_value"], "0.756")
    agree_as_printed(terms["ttl_exp"]["std_error"], "0.035")
