"""Scores against published tables and other programs.

Small cases stand in ``data/efficiency_small/cases.json`` with their sources; larger ones are read beside the project.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.efficiency.scores import evaluate
from analysis_py.efficiency.specification import ModelSpec
from tests.reference.fe_cases import DATA, shared_case, shared_frame
from tests.reference.parity import record

SMALL = json.loads((DATA / "efficiency_small" / "cases.json").read_text(encoding="utf-8"))
STRONG: dict[str, Any] = {"model": "ddf", "disposability": "strong"}


def scores(frame: pd.DataFrame, columns: list[list[str]], **choices: Any) -> np.ndarray:
    """Scores of all rows against all rows."""
    x, y, b = (frame[names].to_numpy(dtype=float) for names in columns)
    found = evaluate(x, y, b, x, y, b, ModelSpec(**choices))
    assert np.all(found.status == "ok")
    assert found.residual.max() <= 1e-9
    return found.score


def scores_by_period(frame: pd.DataFrame, period: str, columns: list[list[str]], **choices: Any) -> np.ndarray:
    """Scores of each row against the rows of its period."""
    found = pd.Series(np.nan, index=frame.index)
    for _, rows in frame.groupby(period):
        found[rows.index] = scores(rows, columns, **choices)
    return found.to_numpy()


def agree(found: np.ndarray, wanted: Any, tolerance: float) -> None:
    expected = np.asarray(wanted, dtype=float)
    for ours, theirs in zip(np.ravel(found), np.ravel(expected), strict=True):
        record(float(ours), float(theirs))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


DEALERS = [["Employees", "Capital"], ["Vehicles", "Orders"], []]
TONE = [["Input1", "Input2"], ["Output1", "Output2"], []]
PLANTS = [["X1", "X2", "X3", "X4"], ["Y1", "Y2"], []]
WITH_BAD = [["x"], ["y"], ["b"]]


@pytest.mark.parametrize(
    ("case", "quantity", "columns", "choices"),
    [
        ("coll_blasco_2006", "ccr_io", DEALERS, {"model": "ccr"}),
        ("coll_blasco_2006", "bcc_io", DEALERS, {"model": "bcc"}),
        ("coll_blasco_2006", "bcc_oo", DEALERS, {"model": "bcc", "orientation": "output"}),
        ("coll_blasco_2006", "sbm_crs", DEALERS, {"model": "sbm"}),
        ("tone2001", "sbm_crs", TONE, {"model": "sbm"}),
        ("tone2001", "ccr_io", TONE, {"model": "ccr"}),
        ("tone2002_powerplants", "super_sbm_io_crs", PLANTS, {"model": "super-sbm", "orientation": "input"}),
        ("tone2002_powerplants", "super_sbm_no_crs", PLANTS, {"model": "super-sbm"}),
        ("tone2003_undesirable", "sbm_vrs", [["x"], ["yg"], ["yb"]], {"model": "sbm", "returns": "vrs"}),
        ("jl_erg_sbm", "sbm_crs", [["x"], ["y"], []], {"model": "sbm"}),
        ("jl_erg_sbm", "sbm_vrs", [["x"], ["y"], []], {"model": "sbm", "returns": "vrs"}),
        ("jl_fls_radial", "ccr_io", [["x1", "x2"], ["y"], []], {"model": "ccr"}),
        ("jl_fls_radial", "ccr_oo", [["x1", "x2"], ["y"], []], {"model": "ccr", "orientation": "output"}),
        # Julia's deaenv lets the bad output's slack be positive: strong disposability
        ("jl_env_ddf", "g_0yb", WITH_BAD, STRONG),
        ("jl_env_ddf", "g_xyb", WITH_BAD, {**STRONG, "direction_inputs": True}),
        ("jl_env_ddf", "g_ones", WITH_BAD, {**STRONG, "direction_inputs": True, "direction": "ones"}),
        ("jl_env_ddf", "g_mean", WITH_BAD, {**STRONG, "direction_inputs": True, "direction": "mean"}),
    ],
)
def test_small_cases(case: str, quantity: str, columns: list[list[str]], choices: dict[str, Any]) -> None:
    wanted = SMALL[case]["expected"][quantity]
    found = scores(pd.DataFrame(SMALL[case]["columns"]), columns, **choices)
    agree(found, wanted["values"], wanted["abs_tol"])


def test_every_small_quantity_is_compared() -> None:
    marks = [mark for mark in test_small_cases.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    compared = {(case, quantity) for case, quantity, *_ in marks[0].args[1]}
    assert compared == {(case, quantity) for case, found in SMALL.items() for quantity in found["expected"]}


def _large(case: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = shared_frame("efficiency", case, "data.csv")
    return frame, json.loads(shared_case("efficiency", case, "expected.json").read_text(encoding="utf-8"))["quantities"]


OECD = [["K", "L", "E"], ["Y"], ["CO2"]]


def _by_country(case: str, frame: pd.DataFrame, found: np.ndarray) -> np.ndarray:
    order = shared_frame("efficiency", case, "order.csv").iloc[:, 0].tolist()
    wide = frame.assign(score=found).pivot(index=frame.columns[1], columns="year", values="score")
    return wide.loc[order].to_numpy()


def test_deabook_directional_distance() -> None:
    case = "deabook_ch6_ddf_crs"
    frame, wanted = _large(case)
    found = 1 - scores(frame, OECD, model="ddf")
    agree(_by_country(case, frame, found), wanted["EB"]["expected"], wanted["EB"]["abs_tol"])


def test_deabook_input_oriented_sbm() -> None:
    case = "deabook_ch8_input_sbm_crs"
    frame, wanted = _large(case)
    found = scores(frame, OECD, model="sbm", orientation="input")
    agree(_by_country(case, frame, found), wanted["rho"]["expected"], wanted["rho"]["abs_tol"])


def test_deabook_bad_oriented_sbm_and_sbm_of_energy_and_bad() -> None:
    """deabook's tables 8.2 and 8.6 (github.com/advancehs/deabook, example/chap8): Denmark, Israel, Korea 2016-2019."""
    frame, _ = _large("deabook_ch8_input_sbm_crs")
    for choices, printed in (
        (
            {"orientation": "bad"},
            [
                [0.630148, 0.646186, 0.650721, 0.682434],
                [0.679291, 0.698162, 0.697001, 0.699788],
                [0.545418, 0.545698, 0.545935, 0.548837],
            ],
        ),
        (
            {"weights": (0, 0, 1, 0, 1)},
            [
                [0.395162, 0.423292, 0.442677, 0.50061],
                [0.336621, 0.354037, 0.383294, 0.409901],
                [0.130315, 0.133871, 0.136918, 0.141145],
            ],
        ),
    ):
        found = frame.assign(score=scores(frame, OECD, model="sbm", **choices))
        wide = found.pivot(index=frame.columns[1], columns="year", values="score")
        agree(wide.loc[["丹麦", "以色列", "韩国"]].to_numpy(), printed, 5.1e-7)


def test_gtfpch_directional_distance() -> None:
    """Rows of the expected numbers are in alphabetical order of the province; energy is left out."""
    frame, wanted = _large("gtfpch_ex1_ddf")
    columns = [["K", "L"], ["Y"], ["CO2"]]
    frame["score"] = scores_by_period(frame, "year", columns, model="ddf", direction_inputs=True)
    found = frame.sort_values(["Province", "year"])["score"].to_numpy()
    agree(found, wanted["Dv"]["expected"], wanted["Dv"]["abs_tol"])


@pytest.mark.parametrize("returns", ["crs", "vrs"])
def test_synthetic_sbm_ddf(returns: str) -> None:
    """Global and own-period distances; numbers by lpSolve."""
    frame, wanted = _large("syn30x10_sbmddf_gml")
    columns = [["K", "L", "E"], ["Y"], ["C"]]
    for quantity, found in (
        (f"DG_{returns}", scores(frame, columns, model="sbm-ddf", returns=returns)),
        (f"Dt_{returns}", scores_by_period(frame, "t", columns, model="sbm-ddf", returns=returns)),
    ):
        agree(found, wanted[quantity]["expected"], wanted[quantity]["abs_tol"])
