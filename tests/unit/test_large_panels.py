"""50,000 rows: no estimator or covariance ever holds a matrix of rows by units, rows by rows or pairs of places."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.estimators.iv import fit_iv
from analysis_py.estimators.poisson import fit_poisson
from analysis_py.estimators.threshold import fit_threshold
from analysis_py.estimators.twfe import fit_twfe

UNITS, TIMES = 2_500, 20
#: A fifth of a matrix of rows by units in double precision; one of rows by periods is 8 MB.
MOST_BYTES = UNITS * TIMES * UNITS * 8 // 5


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    unit, time = np.repeat(np.arange(UNITS), TIMES), np.tile(np.arange(TIMES), UNITS)
    n = len(unit)
    frame = pd.DataFrame({"unit": unit, "time": time})
    for name in ("x", "z", "v1", "v2"):
        frame[name] = rng.normal(size=n) + rng.normal(size=UNITS)[unit]
    frame["x"] += frame["v1"] + frame["v2"]
    frame["y"] = 0.1 * frame["x"] + rng.normal(size=n) + rng.normal(size=UNITS)[unit]
    frame["n"] = rng.poisson(np.exp(0.1 * frame["z"])).astype(float)
    frame["q"] = np.round(rng.normal(size=n), 2)
    frame["lon"], frame["lat"] = rng.uniform(75, 130, n), rng.uniform(20, 50, n)
    return frame[rng.random(n) < 0.97].reset_index(drop=True)


def peak(run: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


KEYS: dict[str, Any] = {"fixed_effects": ["unit", "time"], "unit": "unit", "time": "time"}
BY_UNIT = {"type": "cluster", "by": ["unit"]}


@pytest.mark.parametrize(
    "covariance",
    [
        "iid", "hc1", "hc2", "hc3", BY_UNIT,
        {"type": "cluster", "by": ["unit", "time"]},
        {"type": "cr2", "by": ["unit"]},
        {"type": "cr3", "by": ["unit"]},
        {"type": "cr2", "by": ["time"]},
        {"type": "wild", "by": ["unit"], "draws": 999},
        {"type": "wild", "by": ["time"], "draws": 999},
        {"type": "wild", "by": ["unit", "time"], "draws": 999},
        {"type": "driscoll_kraay"},
        {"type": "conley", "lon": "lon", "lat": "lat", "cutoff_km": 30},
    ],
    ids=str,
)  # fmt: skip
def test_least_squares(panel: pd.DataFrame, covariance: Any) -> None:
    def run() -> None:
        result = fit_twfe(
            panel, outcome="y", regressors=["x", "z"], covariance=covariance, convention="reghdfe", **KEYS
        )
        assert np.isfinite(result.std_error[:2]).all() and (result.std_error[:2] > 0).all()

    assert peak(run) < MOST_BYTES


def test_other_estimators(panel: pd.DataFrame) -> None:
    def instruments() -> None:
        fit_iv(
            panel, outcome="y", endogenous=["x"], instruments=["v1", "v2"], exogenous=["z"], covariance=BY_UNIT,
            convention="ivreghdfe", **KEYS,
        )  # fmt: skip

    def counts() -> None:
        fit_poisson(
            panel, outcome="n", regressors=["x", "z"], fixed_effects=["unit", "time"], covariance=BY_UNIT,
            convention="reghdfe",
        )  # fmt: skip

    def threshold() -> None:
        fit_threshold(
            panel, outcome="y", regime_terms=["x"], regressors=["z"], covariance=BY_UNIT, convention="xthreg",
            threshold={"variable": "q", "grid": 400, "bootstrap": 64}, **KEYS,
        )  # fmt: skip

    for run in (instruments, counts, threshold):
        assert peak(run) < MOST_BYTES, run.__name__


def test_peak_sees_a_matrix_of_rows_by_units(panel: pd.DataFrame) -> None:
    assert peak(lambda: np.zeros((len(panel), UNITS))) > MOST_BYTES
