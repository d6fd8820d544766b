"""Productivity indices against other programs: DataEnvelopmentAnalysis.jl, DEAPack, deaR, gtfpch (Stata), R lpSolve.

Sources, specifications and tolerances stand in each case's ``expected.json``. The smallest, ``jl_malmluen``, is
rewritten here from test/malmluen.jl of DataEnvelopmentAnalysis.jl (MIT).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.efficiency.frames import EfficiencyRun, run_efficiency
from analysis_py.efficiency.panel_columns import Columns
from analysis_py.efficiency.specification import ModelSpec
from tests.reference.fe_cases import shared_case
from tests.reference.parity import record

#: test/malmluen.jl: five units in three periods; one input, one good, one bad.
MALMLUEN = pd.DataFrame(
    {
        "dmu": [0, 1, 2, 3, 4] * 3,
        "t": [0] * 5 + [1] * 5 + [2] * 5,
        "x": [1.0] * 15,
        "y": [7, 5, 1, 3, 4, 8, 5.5, 2, 2, 4, 8, 5.5, 2, 2, 4],
        "b": [2, 5, 3, 3, 2, 1, 3, 2, 4, 1, 0.5, 2, 0.5, 3, 0.5],
    }
)


def case(name: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    folder = shared_case("efficiency", name)
    return pd.read_csv(folder / "data.csv"), json.loads((folder / "expected.json").read_text())["quantities"]


def run(
    frame: pd.DataFrame, keys: str, inputs: str, goods: str, bads: str, spec: ModelSpec, **more: Any
) -> EfficiencyRun:
    unit, period = keys.split()
    columns = Columns(unit, period, tuple(inputs.split()), tuple(goods.split()), tuple(bads.split()))
    return run_efficiency(frame, columns, spec, **more)


def by_unit_and_step(result: EfficiencyRun, quantity: str) -> np.ndarray:
    """(units in the order of their labels, transitions) of index | efficiency_change | technical_change."""
    productivity = result.productivity
    assert productivity is not None
    panel = productivity.panel
    table = np.full((panel.n_units, panel.n_periods - 1), np.nan)
    for t in productivity.transitions:
        table[panel.unit_codes[t.end], panel.period_codes[t.end] - 1] = getattr(t, quantity)
    return table


def agree(found: np.ndarray, wanted: np.ndarray, atol: float) -> None:
    assert found.shape == wanted.shape
    for a, b in zip(found.ravel(), wanted.ravel(), strict=True):
        if np.isfinite(b):
            record(float(a), float(b))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=atol, equal_nan=True)


def test_jl_malmluen() -> None:
    found = run(MALMLUEN, "dmu t", "x", "y", "b", ModelSpec("ddf", disposability="strong"), index="ml")
    index, change, technical = (by_unit_and_step(found, q) for q in ("index", "efficiency_change", "technical_change"))
    # the Julia program lets bads have slack, which is strong disposability here
    agree(index[:, 0], np.array([1.3702375781, 1.1, 1.125977836, 0.91624569458, 1.2792042981]), 1e-9)
    agree(change[:, 0], np.array([1.0, 0.9625, 1.027173913, 0.8263888888888888, 0.9545454545454546]), 1e-9)
    agree(technical[:, 0], np.array([1.3702375781, 1.1428571429, 1.0961900625, 1.1087342859, 1.3401187885]), 1e-9)
    agree(index[:, 1], np.array([1.22474, 1.0, 1.25245, 1.01484, 1.26491]), 1e-5)
    agree(change[:, 1], np.array([1.0, 1.0, 1.11111, 0.980392, 1.0]), 1e-5)
    agree(technical[:, 1], np.array([1.22474, 1.0, 1.1272, 1.03514, 1.26491]), 1e-5)


def test_jl_malmluen_is_the_shared_case() -> None:
    frame, _ = case("jl_malmluen")
    pd.testing.assert_frame_equal(frame, MALMLUEN, check_dtype=False)


def test_deapack_ml() -> None:
    frame, quantities = case("deapack_ml_120x3")
    order = pd.read_csv(shared_case("efficiency", "deapack_ml_120x3", "order.csv"))
    found = run(frame, "dmu t", "K L E", "Y", "C", ModelSpec("ddf", returns="crs", disposability="weak"), index="ml")
    productivity = found.productivity
    assert productivity is not None
    panel = productivity.panel
    ends = {(panel.units[t.end], panel.periods[t.end]): t for t in productivity.transitions}
    listed = [ends[key] for key in order.itertuples(index=False, name=None)]
    wanted = np.array(quantities["ML"]["expected"], dtype=float)
    agree(np.array([t.index for t in listed]), wanted, quantities["ML"]["abs_tol"])
    # every lost transition says why, none is filled
    assert productivity.n_lost == productivity.n_undefined == 27 == int(np.isnan(wanted).sum())
    assert all((t.status == "infeasible" and "frontier of" in t.reason) for t in listed if not t.is_defined)


@pytest.mark.parametrize("orientation", ["input", "output"])
@pytest.mark.parametrize("choice", [{"index": "malmquist", "reference": "global"}, {"index": "gml"}])
def test_dear_global_malmquist(orientation: str, choice: dict[str, str]) -> None:
    frame, quantities = case("dear_economy_gmi")
    found = run(frame, "DMUs Period", "Capital Labor", "GIOV", "", ModelSpec("ccr", orientation=orientation), **choice)
    productivity = found.productivity
    assert productivity is not None
    panel = productivity.panel
    order = list(dict.fromkeys(panel.units))
    ends = {(panel.units[t.end], panel.period_codes[t.end]): t.index for t in productivity.transitions}
    table = np.array([[ends[unit, step] for unit in order] for step in range(1, panel.n_periods)])
    agree(table, np.array(quantities["GMI"]["expected"]), quantities["GMI"]["abs_tol"])


def test_gtfpch_gml() -> None:
    # the direction g = (0, 0, Y, -CO2) has two zeros for inputs: K and L, the energy column stays out
    frame, quantities = case("gtfpch_ex3_gml")
    found = run(frame, "Province year", "K L", "Y", "CO2", ModelSpec("ddf", disposability="weak"), index="gml")
    for name, quantity in (("GML", "index"), ("EC", "efficiency_change"), ("BPC", "technical_change")):
        agree(by_unit_and_step(found, quantity), np.array(quantities[name]["expected"]), quantities[name]["abs_tol"])


@pytest.mark.parametrize("returns", ["crs", "vrs"])
def test_sbm_ddf_gml(returns: str) -> None:
    frame, quantities = case("syn30x10_sbmddf_gml")
    spec = ModelSpec("sbm-ddf", returns=returns, weights="halves")
    found = run(frame, "dmu t", "K L E", "Y", "C", spec, index="gml")
    wanted = {name: np.array(quantities[f"{name}_{returns}"]["expected"]) for name in ("DG", "Dt", "GML", "EC", "BPC")}
    agree(found.scores.score, wanted["DG"], 1e-8)
    own = run(frame, "dmu t", "K L E", "Y", "C", spec, reference="contemporaneous")
    agree(own.scores.score, wanted["Dt"], 1e-8)
    for name, quantity in (("GML", "index"), ("EC", "efficiency_change"), ("BPC", "technical_change")):
        agree(by_unit_and_step(found, quantity), wanted[name], 1e-7)
    assert found.productivity is not None
    panel = found.panel
    cumulative = np.full((panel.n_units, panel.n_periods), np.nan)
    cumulative[panel.unit_codes, panel.period_codes] = found.productivity.cumulative
    agree(cumulative, np.array(quantities[f"GTFP_cum_{returns}"]["expected"]), 1e-7)
    assert (cumulative[:, 0] == 1.0).all()
