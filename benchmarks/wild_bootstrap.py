"""Wild cluster bootstrap and leverage-corrected errors beside wildboottest and a plain loop, on panels of our shape."""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from analysis_py.estimators.absorption import demean
from analysis_py.estimators.factors import encode
from analysis_py.estimators.twfe import fit_twfe
from benchmarks.measurement import Comparison, time_together

SLOPES = [f"x{i}" for i in range(1, 7)]
#: Draws of the plain loop that are timed; the whole is this many times longer as there are more.
SAMPLED = 40
#: Cells of a matrix with all dummies above which the peer, which absorbs nothing, is not run.
MAX_PEER_CELLS = 20_000_000


def draw_panel(units: int, times: int, seed: int = 20251122) -> pd.DataFrame:
    """A balanced panel with six regressors, errors correlated within units."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(units), times), "time": np.tile(np.arange(times), units)})
    n = len(frame)
    for name in SLOPES:
        frame[name] = rng.normal(size=n) + rng.normal(size=units)[frame["unit"]]
    frame["y"] = 0.02 * frame["x1"] + rng.normal(size=n) + 0.5 * rng.normal(size=units)[frame["unit"]] * frame["x2"]
    return frame


def measure() -> list[Comparison]:
    """5,149 rows with 500, 9,999 and 99,999 draws, one and six slopes; growth in rows; the other careful errors."""
    panel = draw_panel(271, 19)
    return [
        _compare(panel, 9_999, SLOPES[:1]),
        _compare(panel, 9_999, SLOPES),
        _compare(panel, 500, SLOPES[:1]),
        _compare(panel, 99_999, SLOPES[:1]),
        _compare(draw_panel(2_632, 19), 9_999, SLOPES[:1]),
        _compare(draw_panel(26_316, 19), 9_999, SLOPES[:1]),
        _beside(panel),
        _beside(draw_panel(2_632, 19)),
        _beside(draw_panel(26_316, 19)),
    ]


def _fit(frame: pd.DataFrame, covariance: dict[str, Any], slopes: list[str]) -> Any:
    return fit_twfe(
        frame,
        outcome="y",
        regressors=slopes,
        fixed_effects=["unit", "time"],
        covariance=covariance,
        convention="reghdfe",
        unit="unit",
        time="time",
    )


def _compare(frame: pd.DataFrame, draws: int, slopes: list[str]) -> Comparison:
    wild = {"type": "wild", "by": ["unit"], "draws": draws}
    found: dict[str, Any] = {}

    def ours() -> None:
        found["ours"] = _fit(frame, wild, slopes)

    def plain_fit() -> None:
        _fit(frame, {"type": "cluster", "by": ["unit"]}, slopes)

    seconds = time_together(
        {"ours (fit, p-values and intervals)": ours, "our fit alone": plain_fit}, _repeats(frame, draws)
    )
    loop, p_value = _time_loop(frame, draws, slopes)
    seconds[f"plain loop, one slope, {SAMPLED} draws timed"] = loop
    note = f"{len(frame)} rows, p {found['ours'].p_value[0]:.3f} and {p_value:.3f} (loop, {SAMPLED} draws)"
    if importlib.util.find_spec("wildboottest") is None:
        note += "; wildboottest is not installed, so not timed"
    elif len(frame) * (frame["unit"].nunique() + frame["time"].nunique()) > MAX_PEER_CELLS:
        note += "; wildboottest would need all dummies, which do not fit in memory"
    elif draws > 10_000:
        note += "; wildboottest was not run with so many draws"
    else:
        seconds["wildboottest"] = _time_peer(frame, draws, slopes)
    task = f"wild bootstrap, {draws} draws, {len(slopes)} slope(s) by {frame.unit.nunique()} units"
    return Comparison(task, seconds, note)


def _repeats(frame: pd.DataFrame, draws: int) -> int:
    return 11 if len(frame) * draws < 100_000_000 else 1


def _time_loop(frame: pd.DataFrame, draws: int, slopes: list[str]) -> tuple[float, float]:
    """Seconds for all draws of one refit each (the effects taken out of each bootstrap outcome), and the p-value."""
    effects, w = [encode(frame, "unit"), encode(frame, "time")], np.ones(len(frame))
    codes, n = effects[0].codes, effects[0].levels
    rng = np.random.default_rng(1)
    x = demean(frame[slopes].to_numpy(), effects, w)
    bread = np.linalg.inv(x.T @ x)

    def squared_t(y: np.ndarray) -> float:
        b = bread @ (x.T @ y)
        scores = (x @ bread[:, 0]) * (y - x @ b)
        return float(b[0] ** 2 / np.sum(np.bincount(codes, scores, n) ** 2))

    y = demean(frame[["y"]].to_numpy(), effects, w)[:, 0]
    others = x[:, 1:]
    restricted = y - others @ np.linalg.lstsq(others, y, rcond=None)[0] if others.size else y
    sample, reached = squared_t(y), 0
    start = time.perf_counter()
    for _ in range(SAMPLED):
        drawn = (y - restricted) + restricted * rng.choice([-1.0, 1.0], n)[codes]
        reached += squared_t(demean(drawn[:, None], effects, w)[:, 0]) >= sample
    return (time.perf_counter() - start) * draws / SAMPLED, reached / SAMPLED


def _time_peer(frame: pd.DataFrame, draws: int, slopes: list[str]) -> float:
    """wildboottest through statsmodels, with dummies for both effects (it absorbs none)."""
    import statsmodels.formula.api as smf
    from wildboottest.wildboottest import wildboottest

    model = smf.ols(f"y ~ {' + '.join(slopes)} + C(unit) + C(time)", frame)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wildboottest(model, show=False, param=slopes[0], cluster=frame["unit"], B=draws)
    return time.perf_counter() - start


def _beside(frame: pd.DataFrame) -> Comparison:
    def run(covariance: dict[str, Any]) -> Callable[[], None]:
        return lambda: _fit(frame, covariance, SLOPES) and None

    tasks = {
        "clustered by unit": run({"type": "cluster", "by": ["unit"]}),
        "HC3": run({"type": "hc3"}),
        "CR2 by unit": run({"type": "cr2", "by": ["unit"]}),
        "CR3 by unit": run({"type": "cr3", "by": ["unit"]}),
        "CR2 by time": run({"type": "cr2", "by": ["time"]}),
        "wild by unit and time, 9,999 draws": run({"type": "wild", "by": ["unit", "time"]}),
    }
    seconds = time_together(tasks, 5 if len(frame) < 10_000 else 1)
    return Comparison(f"errors of one fit, six slopes, {len(frame):,} rows", seconds, "each with the fit; no peer")
