"""Hansen (1999), investment and financing constraints: his program's printed output and xthreg's, digit by digit.

Sources: B. E. Hansen, thresh.out of his program (GAUSS/thresh.out beside https://www.ssc.wisc.edu/~bhansen/progs/
joe_99.html); Wang (2015), Stata Journal 15:121-134, page 130; the exact search over all values without dropping a year
is our own earlier computation in the case's expected.json.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis_py.estimators.threshold import fit_threshold
from analysis_py.estimators.threshold_result import ThresholdResult
from tests.conftest import run_cli
from tests.reference.fe_cases import agree, agree_as_printed, shared_case, shared_frame

CONTROLS = ["q1", "q2", "q3", "d1", "qd1"]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return shared_frame("econometrics", "hansen_invest", "hansen1999.csv")


@pytest.fixture(scope="module")
def wanted() -> dict[str, Any]:
    path = shared_case("econometrics", "hansen_invest", "expected.json")
    return json.loads(path.read_text(encoding="utf-8"))


def fit(frame: pd.DataFrame, convention: str, covariance: str = "iid", **options: Any) -> ThresholdResult:
    threshold = {"variable": "d1", "bootstrap": 0, **options}
    return fit_threshold(
        frame,
        outcome="i",
        regime_terms=["c1"],
        regressors=CONTROLS,
        fixed_effects=["id"],
        covariance=covariance,
        convention=convention,
        threshold=threshold,
        unit="id",
        time="year",
    )


def coefficient(result: ThresholdResult, term: str, regime: int | None = None) -> tuple[float, float]:
    """Estimate and standard error; regimes counted from the lowest."""
    label = None if regime is None else result.regimes[regime]
    at = result.term_regimes.index((term, label))
    return float(result.regression.estimate[at]), float(result.regression.std_error[at])


#: thresh.out: thresholds, interval, sum of squares and F in the order of estimation.
PROGRAM = [
    ("0.015700000", "0.013920000", "0.018060000", "16.517795", 32.649894),
    ("0.53616000", "0.53049000", "0.56287000", "16.459979", 25.799434),
    ("0.33134000", "0.039020000", "1.0059300", "16.450614", 4.1814091),
]


def test_hansens_program_three_thresholds(frame: pd.DataFrame) -> None:
    result = fit(frame, "hansen", count=3, trim=[0.01, 0.01, 0.05])
    agree(result.tests[0].ssr_null, 16.591220, 1e-6)
    assert result.degrees == 7345 and result.n_candidates == 393
    for (value, low, high, ssr, f), found, test in zip(PROGRAM, result.thresholds, result.tests, strict=True):
        for number, printed in ((found.value, value), (found.ci_low, low), (found.ci_high, high)):
            agree_as_printed(number, printed)
        agree(test.ssr, float(ssr), 1e-6)
        # F magnifies the rounding of the printed data by ssr / (ssr0 - ssr1)
        agree(test.f, f, 2e-6)


#: Estimate, conventional and White errors as printed, powers of Q in their own units.
PROGRAM_SINGLE = {
    "q1": (0.010477561, 0.00094180433, 0.0019209862, 1.0),
    "q2": (-0.00019973418, 2.6384549e-005, 6.5267054e-005, 100.0),
    "q3": (1.0546255e-006, 1.9897620e-007, 4.5695562e-007, 1000.0),
    "d1": (-0.025445695, 0.0047622210, 0.0067847950, 1.0),
    "qd1": (0.0014242179, 0.0014748465, 0.0019797733, 1.0),
}
PROGRAM_REGIMES = [(0.058868434, 0.0056143147, 0.013802960), (0.090423494, 0.0054944182, 0.011593318)]


def test_hansens_program_coefficients(frame: pd.DataFrame) -> None:
    """The data file holds five decimals where the program read its own binary file: all but the last digits agree."""
    iid, white = fit(frame, "hansen", "iid"), fit(frame, "hansen", "hc1")
    assert white.regression.covariance == "HC0"
    for term, (b, se, robust, unit) in PROGRAM_SINGLE.items():
        agree(coefficient(iid, term)[0] / unit, b, 2e-5)
        agree(coefficient(iid, term)[1] / unit, se, 2e-5)
        agree(coefficient(white, term)[1] / unit, robust, 2e-5)
    for regime, (b, se, robust) in enumerate(PROGRAM_REGIMES):
        agree(coefficient(iid, "c1", regime)[0], b, 1e-6)
        agree(coefficient(iid, "c1", regime)[1], se, 1e-6)
        agree(coefficient(white, "c1", regime)[1], robust, 1e-6)


@pytest.mark.parametrize(
    ("count", "regimes"),
    [
        (2, [(0.063153741, 0.0056733464), (0.097725900, 0.0056858777), (0.039209296, 0.011847125)]),
        (
            3,
            [
                (0.061957491, 0.0057047824),
                (0.095087507, 0.0058413602),
                (0.11114170, 0.0088886616),
                (0.044084479, 0.012102114),
            ],
        ),
    ],
)
def test_hansens_program_slopes_of_more_regimes(
    frame: pd.DataFrame, count: int, regimes: list[tuple[float, float]]
) -> None:
    result = fit(frame, "hansen", count=count, trim=[0.01, 0.01, 0.05][:count])
    for regime, (b, se) in enumerate(regimes):
        agree(coefficient(result, "c1", regime)[0], b, 1e-6)
        agree(coefficient(result, "c1", regime)[1], se, 1e-6)


def test_hansens_bootstrap(frame: pd.DataFrame, wanted: dict[str, Any]) -> None:
    """p and critical values of 2,000 draws, within the simulation error of both."""
    result = fit(frame, "hansen", count=2, trim=[0.01, 0.01], bootstrap=2000, seed=7)
    single, double = result.tests
    own = wanted["bootstrap_own_hansen_convention"]
    assert single.p_value is not None and 0.001 <= single.p_value <= 0.012
    for level, value, slack in zip(("10%", "5%"), own["crit"]["null_resid"][:2], (1.2, 1.5), strict=True):
        assert abs(single.critical[level] - value) < slack
    # thresh.out, 300 draws: p 0.0167, critical values 11.8 and 13.9
    assert double.p_value is not None and 0.003 <= double.p_value <= 0.04
    assert abs(double.critical["10%"] - 11.767044) < 2.0
    assert abs(double.critical["5%"] - 13.914505) < 2.5


def test_xthreg_single(frame: pd.DataFrame, wanted: dict[str, Any]) -> None:
    printed = wanted["expected"]["wang2015_single"]
    result = fit(frame, "xthreg")
    (found,), (test,) = result.thresholds, result.tests
    agree_as_printed(found.value, "0.0154")
    agree_as_printed(test.f, "35.20")
    agree_as_printed(test.ssr, "17.7818")
    agree_as_printed(test.ssr / result.degrees, "0.0023")
    assert result.degrees == 14 * 564
    # the printed interval (.0141, .0167) does not follow from these sums of squares
    assert (found.ci_low, found.ci_high) == (0.01447, 0.01791)
    for name, digits in (("r2_within", "0.0951"), ("r2_between", "0.0692"), ("r2_overall", "0.0660"), ("f", "110.21")):
        agree_as_printed(getattr(result.regression, name), digits)
    assert (result.regression.n_obs, result.regression.n_units) == (printed["N"], printed["groups"])
    assert result.regression.df_resid == 7338


XTHREG = {
    "q1": ("0.0105555", "0.0008917"),
    "q2": ("-0.0202872", "0.0025602"),
    "q3": ("0.0010785", "0.0001952"),
    "d1": ("-0.0229482", "0.0042381"),
    "qd1": ("0.0007392", "0.0014278"),
    "_cons": ("0.0628165", "0.0016957"),
}


def test_xthreg_coefficients_at_its_threshold(frame: pd.DataFrame) -> None:
    """The printed coefficients belong to .01538: the profile is flat from .01536 to .01570 and grids differ."""
    result = fit(frame, "xthreg", given=0.01538)
    agree_as_printed(coefficient(result, "c1", 0)[0], "0.0552454")
    agree_as_printed(coefficient(result, "c1", 0)[1], "0.0053343")
    agree_as_printed(coefficient(result, "c1", 1)[0], "0.0862498")
    agree_as_printed(coefficient(result, "c1", 1)[1], "0.0052022")
    for term, (b, se) in XTHREG.items():
        agree_as_printed(coefficient(result, term)[0], b)
        agree_as_printed(coefficient(result, term)[1], se)


def test_xthreg_bootstrap(frame: pd.DataFrame, wanted: dict[str, Any]) -> None:
    printed = wanted["expected"]["wang2015_single"]
    (test,) = fit(frame, "xthreg", bootstrap=10_000, seed=7).tests
    assert test.p_value is not None and abs(test.p_value - printed["p"]) <= 0.01
    assert abs(test.critical["5%"] - printed["crit"][1]) <= 2.5
    assert abs(test.critical["10%"] - printed["crit"][0]) <= 2.5


def test_other_grids(frame: pd.DataFrame, wanted: dict[str, Any]) -> None:
    exact = wanted["expected"]["textbook_exact_nodrop"]
    (textbook,) = fit(frame, "plain", grid="all").tests
    agree(textbook.ssr_null, exact["S0"], 1e-8)
    agree(textbook.ssr, exact["S1"], 1e-8)
    agree(textbook.f, exact["F1_nTm1"], 1e-6)
    (scaled,) = fit(frame, "xthreg", grid="all").tests
    agree(scaled.f, exact["F1_xthreg_dof"], 1e-6)
    assert textbook.value == scaled.value == exact["threshold"]
    (observations,) = fit(frame, "xthreg", points="observations").tests
    agree_as_printed(observations.f, "34.008")


def test_command_line(tmp_path: Path, wanted: dict[str, Any]) -> None:
    """Both conventions through ``estimate --data --json``."""
    study = {
        "study": "hansen",
        "unit": "id",
        "time": "year",
        "defaults": {
            "estimator": "threshold",
            "outcome": "i",
            "treatment": ["c1"],
            "controls": CONTROLS,
            "fixed_effects": ["id"],
            "covariance": "iid",
        },
        "models": [
            {"id": "X", "convention": "xthreg", "threshold": {"variable": "d1", "grid": 400, "trim": [0.01]}},
            {
                "id": "H",
                "convention": "hansen",
                "threshold": {"variable": "d1", "count": 2, "trim": [0.01, 0.01], "bootstrap": [300, 300]},
            },
        ],
    }
    path, out = tmp_path / "study.yml", tmp_path / "out.json"
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    data = shared_case("econometrics", "hansen_invest", "hansen1999.dta")
    done = run_cli("estimate", str(path), "--data", str(data), "--json", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    models = {m["id"]: m for m in json.loads(out.read_text(encoding="utf-8"))["models"]}
    printed, program = wanted["expected"]["wang2015_single"], wanted["expected"]["hansen_gauss_single"]
    (row,) = models["X"]["thresholds"]
    assert row["order"] == 1 and row["variable"] == "d1"
    assert row["value"] == pytest.approx(printed["threshold"], abs=1e-4)
    assert row["f"] == pytest.approx(printed["F"], abs=0.02)
    assert row["p_value"] == pytest.approx(printed["p"], abs=0.01)
    assert row["critical"]["5%"] == pytest.approx(printed["crit"][1], abs=2.5)
    assert set(row["critical"]) == {"10%", "5%", "1%"}
    slopes = [c for c in models["X"]["coefficients"] if c["term"] == "c1"]
    assert [c["regime"] for c in slopes] == ["<= 0.01542", "> 0.01542"]
    assert [c["estimate"] for c in slopes] == pytest.approx(
        [printed["coef"]["c1_low"], printed["coef"]["c1_high"]], abs=2e-6
    )
    first, second = models["H"]["thresholds"]
    assert (first["value"], first["ci_low"], first["ci_high"]) == pytest.approx(
        (program["threshold"], *program["ci95"]), abs=1e-9
    )
    assert first["f"] == pytest.approx(program["F1"], abs=1e-4)
    assert second["value"] == pytest.approx(0.53616, abs=1e-7)
    assert [c["regime"] for c in models["H"]["coefficients"][:3]] == [
        "<= 0.01552",
        "(0.01552, 0.53606]",
        "> 0.53606",
    ]
    curves = {c["curve"] for c in models["H"]["curves"]}
    assert curves == {"threshold_lr_1", "threshold_lr_2", "regime_share"}
    shares = [c for c in models["X"]["curves"] if c["curve"] == "regime_share"]
    by_year = {y: sum(c["y"] for c in shares if c["x"] == y) for y in range(1974, 1988)}
    np.testing.assert_allclose(list(by_year.values()), 1.0)
