"""Instrumental variables and Poisson, both effects absorbed, beside pyfixest's feols and fepois; growth in n."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from analysis_py.estimators.iv import fit_iv
from analysis_py.estimators.poisson import fit_poisson
from benchmarks.measurement import Comparison, time_together

EXOGENOUS = ["x1", "x2", "x3", "x4"]
#: A city panel of 5,149 rows, then about ten and a hundred times as many: units, periods, rows.
SIZES = ((271, 20, 5_149), (2_710, 20, 51_490), (27_100, 20, 514_900))
CLUSTERED = {"type": "cluster", "by": ["unit"]}


def draw_panel(units: int, times: int, rows: int, seed: int = 20251122) -> pd.DataFrame:
    """A panel of ``rows`` rows, cells lost at random: d endogenous, two instruments, y and the counts n."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(units), times), "time": np.tile(np.arange(times), units)})
    size = len(frame)
    for name in (*EXOGENOUS, "v1", "v2"):
        frame[name] = rng.normal(size=size) + rng.normal(size=units)[frame["unit"]]
    shock, own = rng.normal(size=size), rng.normal(size=units)[frame["unit"]]
    frame["d"] = 0.5 * frame["v1"] + 0.3 * frame["v2"] + 0.5 * shock + rng.normal(size=size)
    frame["y"] = 0.4 * frame["d"] + 0.1 * frame[EXOGENOUS].sum(axis=1) + own + 0.5 * shock + rng.normal(size=size)
    frame["n"] = rng.poisson(np.exp(0.3 * own + 0.1 * frame["x1"])).astype(float)
    kept = np.sort(rng.permutation(size)[:rows])
    return frame.iloc[kept].reset_index(drop=True)


def measure() -> list[Comparison]:
    """Both estimators at three sizes, errors clustered by unit."""
    found = []
    for size in SIZES:
        frame = draw_panel(*size)
        found += [_compare_iv(frame), _compare_poisson(frame)]
    return found


def _quietly(run: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return run()


def _compare_iv(frame: pd.DataFrame) -> Comparison:
    import pyfixest

    kept: dict[str, np.ndarray] = {}

    def ours() -> None:
        result = fit_iv(
            frame, outcome="y", endogenous=["d"], instruments=["v1", "v2"], exogenous=EXOGENOUS,
            fixed_effects=["unit", "time"], covariance=CLUSTERED, convention="ivreghdfe", unit="unit", time="time",
        )  # fmt: skip
        kept["ours"] = result.main.estimate[:1]

    def peer() -> None:
        formula = f"y ~ {' + '.join(EXOGENOUS)} | unit + time | d ~ v1 + v2"
        kept["peer"] = _quietly(lambda: pyfixest.feols(formula, frame, vcov={"CRV1": "unit"})).coef()[["d"]].to_numpy()

    seconds = time_together(
        {"ours (with all tests of weak instruments)": ours, "pyfixest feols": peer}, _repeats(frame)
    )
    apart = float(np.abs(kept["ours"] - kept["peer"]).max())
    return Comparison(f"2SLS, {len(frame):,} rows", seconds, f"slopes agree to {apart:.0e}")


def _compare_poisson(frame: pd.DataFrame) -> Comparison:
    import pyfixest

    kept: dict[str, np.ndarray] = {}

    def ours() -> None:
        result = fit_poisson(
            frame, outcome="n", regressors=EXOGENOUS, fixed_effects=["unit", "time"], covariance=CLUSTERED,
            convention="fixest",
        )  # fmt: skip
        kept["ours"] = result.estimate[: len(EXOGENOUS)]

    def peer() -> None:
        formula = f"n ~ {' + '.join(EXOGENOUS)} | unit + time"
        kept["peer"] = _quietly(lambda: pyfixest.fepois(formula, frame, vcov={"CRV1": "unit"})).coef()[EXOGENOUS]

    seconds = time_together({"ours": ours, "pyfixest fepois": peer}, _repeats(frame))
    apart = float(np.abs(kept["ours"] - np.asarray(kept["peer"])).max())
    return Comparison(f"Poisson, {len(frame):,} rows", seconds, f"slopes agree to {apart:.0e}")


def _repeats(frame: pd.DataFrame) -> int:
    return 7 if len(frame) < 100_000 else 2
