"""The panel threshold model: one to three thresholds with their bootstrap, beside a loop of fits and pyxthreg.

The loop of fits is sampled: the time of some forty plain least-squares fits is multiplied by the fits that the same
searches and draws would need, which the note says.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis_py.estimators.threshold import fit_threshold
from analysis_py.estimators.threshold_result import ThresholdResult
from benchmarks.measurement import Comparison, time_together

CONTROLS = [f"x{i}" for i in range(1, 6)]
GRID = 400
DRAWS = 500
#: Fits of the naive loop that are timed.
SAMPLED_FITS = 40


def draw_panel(units: int, times: int, seed: int = 20251122) -> pd.DataFrame:
    """A balanced panel with five controls and two thresholds in q."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(units), times), "time": np.tile(np.arange(times), units)})
    unit, n = frame["unit"].to_numpy(), units * times
    for name in (*CONTROLS, "z"):
        frame[name] = rng.normal(size=n) + rng.normal(size=units)[unit]
    frame["q"] = rng.normal(size=n) + rng.normal(size=units)[unit]
    slope = np.array([0.2, 0.35, 0.3])[np.searchsorted([-0.5, 0.8], frame["q"])]
    frame["y"] = slope * frame["z"] + frame[CONTROLS].sum(axis=1) * 0.1 + rng.normal(size=units)[unit]
    frame["y"] += 0.05 * frame["time"] + rng.normal(size=n)
    return frame


def measure() -> list[Comparison]:
    """The panel of the city studies beside its peers; then growth in rows, draws and grid."""
    cities = draw_panel(271, 19)
    found = [_beside_peers(cities)]
    base = fit_seconds(cities, "5,149 rows, 500 draws, grid 400", count=1)
    grown: list[tuple[str, pd.DataFrame, dict[str, Any]]] = [
        ("50,008 rows", draw_panel(2_632, 19), {}),
        ("500,004 rows", draw_panel(26_316, 19), {}),
        ("10,000 draws", cities, {"bootstrap": 10_000}),
        ("every value of 5,149", cities, {"grid": "all"}),
        ("every value of 20,007, no draws", draw_panel(1_053, 19), {"grid": "all", "bootstrap": 0}),
        ("every value of 20,007, 500 draws", draw_panel(1_053, 19), {"grid": "all"}),
        ("every value of 500,004, no draws", draw_panel(26_316, 19), {"grid": "all", "bootstrap": 0}),
        ("three thresholds, every value of 5,149", cities, {"grid": "all", "count": 3}),
    ]
    seconds = dict(base)
    for label, frame, options in grown:
        seconds |= fit_seconds(frame, label, **options)
    found.append(Comparison("one threshold, growth", seconds, "each with all its tests, intervals and slopes"))
    return found


def fit_seconds(frame: pd.DataFrame, label: str, **options: Any) -> dict[str, float]:
    repeats = 5 if len(frame) < 100_000 else 1
    return time_together({label: lambda: estimate(frame, **options)}, repeats)


def estimate(frame: pd.DataFrame, **options: Any) -> ThresholdResult:
    """Ours: from the frame to thresholds, tests, intervals and slopes with clustered errors."""
    return fit_threshold(
        frame,
        outcome="y",
        regime_terms=["z"],
        regressors=CONTROLS,
        fixed_effects=["unit", "time"],
        covariance={"type": "cluster", "by": ["unit"]},
        convention="xthreg",
        threshold={"variable": "q", "grid": GRID, "trim": 0.01, "gap": 0.05, "bootstrap": DRAWS} | options,
        unit="unit",
        time="time",
    )


def _beside_peers(frame: pd.DataFrame) -> Comparison:
    kept: dict[str, Any] = {}

    def ours() -> None:
        kept["ours"] = estimate(frame, count=3)

    tasks: dict[str, Callable[[], None]] = {"ours": ours}
    peer = importlib.util.find_spec("pyxthreg") is not None
    seconds = time_together(tasks, repeats=9)
    per_fit, apart = _plain_fit(frame, kept["ours"])
    # on the data four searches, on each draw one, two and three
    fits = 4 * GRID + DRAWS * (1 + 2 + 3) * GRID
    seconds["naive loop of fits (scaled)"] = per_fit * fits
    note = (
        f"{len(frame)} rows; {fits} fits of {1000 * per_fit:.2f} ms each, {SAMPLED_FITS} timed; SSR apart {apart:.0e}"
    )
    if peer:
        seconds |= _pyxthreg(frame, kept)
        note += f"; pyxthreg's thresholds {', '.join(f'{t:.3f}' for t in kept['pyxthreg'])}"
    else:
        note += "; pyxthreg is not installed, so not timed"
    note += f"; ours {', '.join(f'{t.value:.3f}' for t in kept['ours'].thresholds)}"
    return Comparison("single + double + triple, grid 400, 500 draws each", seconds, note)


def _plain_fit(frame: pd.DataFrame, result: ThresholdResult) -> tuple[float, float]:
    """Seconds of one least-squares fit of the two-way demeaned regimes, and how far its SSR is from ours."""
    units, times = frame["unit"].nunique(), frame["time"].nunique()

    def demean(columns: np.ndarray) -> np.ndarray:
        cube = columns.reshape(units, times, -1)
        cube = cube - cube.mean(axis=1, keepdims=True)
        return (cube - cube.mean(axis=0, keepdims=True)).reshape(units * times, -1)

    y = demean(frame[["y"]].to_numpy())[:, 0]
    controls = demean(frame[CONTROLS].to_numpy())
    z, q = frame["z"].to_numpy(), frame["q"].to_numpy()

    def fit(value: float) -> float:
        columns = np.column_stack([controls, demean(np.column_stack([z * (q <= value), z * (q > value)]))])
        beta = np.linalg.solve(columns.T @ columns, columns.T @ y)
        return float(np.sum((y - columns @ beta) ** 2))

    first = result.tests[0]
    apart = abs(fit(first.value) / first.ssr - 1.0)
    values = np.linspace(-1.0, 1.0, SAMPLED_FITS)
    start = time.perf_counter()
    for value in values:
        fit(value)
    return (time.perf_counter() - start) / SAMPLED_FITS, apart


def _pyxthreg(frame: pd.DataFrame, kept: dict[str, Any]) -> Mapping[str, float]:
    """pyxthreg on one thread: thresholds held on its draws, not searched again, so it does less than ours."""
    from pyxthreg import ThresholdPanel

    def run() -> None:
        model = ThresholdPanel(frame, dep="y", rx="z", qx="q", indep=CONTROLS, entity_col="unit", time_col="time")
        model.fit(thnum=3, trim=0.01, grid=GRID, bs=DRAWS, time_fe=True, n_jobs=1, nobslog=True)
        kept["pyxthreg"] = model.results["thresholds"]

    return time_together({"pyxthreg": run}, repeats=3)
