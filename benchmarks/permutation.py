"""A thousand permutations of whole units: small cross products beside a loop of pyfixest fits.

The loop is sampled: a few permutations are fitted by ``feols``, two groups each, and their time is scaled to the
thousand; the note says so. Both give the same differences.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

from analysis_py.estimators.factors import encode
from analysis_py.inference.entity_grams import Columns
from analysis_py.inference.permutation import permute_groups
from benchmarks.measurement import Comparison, time_together

SLOPES = [f"x{i}" for i in range(1, 7)]
DRAWS = 1_000
#: Permutations of the peer that are fitted; the rest is scaled.
SAMPLED = 5
SEED = 20251122


def draw_panel(units: int, times: int, rows: int) -> pd.DataFrame:
    """A panel of ``rows`` rows, cells lost at random, with six regressors, both effects and two groups of units."""
    rng = np.random.default_rng(SEED)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(units), times), "time": np.tile(np.arange(times), units)})
    for name in SLOPES:
        frame[name] = rng.normal(size=len(frame)) + rng.normal(size=units)[frame["unit"]]
    frame["y"] = frame[SLOPES].sum(axis=1) * 0.1 + rng.normal(size=units)[frame["unit"]] + frame["time"] * 0.05
    frame["y"] += rng.normal(size=len(frame))
    frame["group"] = frame["unit"] % 3 == 0
    kept = np.sort(rng.permutation(len(frame))[:rows])
    return frame.iloc[kept].reset_index(drop=True)


def measure() -> list[Comparison]:
    """The panel of the city studies (5,149 rows), ten times and a hundred times as many rows, ten times the draws."""
    found = [_compare(271, 20, 5_149, DRAWS)]
    found.append(_alone(271, 20, 5_149, 10 * DRAWS))
    found.append(_alone(2_710, 20, 51_490, DRAWS))
    found.append(_alone(27_100, 20, 514_900, DRAWS))
    return found


def _ours(frame: pd.DataFrame, draws: int, kept: dict[str, np.ndarray]) -> Callable[[], None]:
    units = encode(frame, "unit")
    columns = Columns(
        frame[[*SLOPES, "y"]].to_numpy(), np.ones(len(frame)), (units, encode(frame, "time"))
    )  # fmt: skip
    groups = frame["group"].to_numpy(dtype=np.int64)

    def run() -> None:
        kept["ours"] = permute_groups(columns, groups, units, draws=draws, seed=SEED).draws

    return run


def _compare(units: int, times: int, rows: int, draws: int) -> Comparison:
    import pyfixest

    frame = draw_panel(units, times, rows)
    kept: dict[str, np.ndarray] = {}
    seconds = time_together({f"ours ({draws} permutations)": _ours(frame, draws, kept)})
    factor = encode(frame, "unit")
    labels = np.zeros(factor.levels, dtype=np.int64)
    labels[factor.codes] = frame["group"]
    dealt = np.random.default_rng(SEED).permuted(np.tile(labels, (draws, 1)), axis=1)
    formula = f"y ~ {' + '.join(SLOPES)} | unit + time"
    apart = 0.0
    spent = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyfixest.feols(formula, frame, vcov="iid")
        for draw in range(SAMPLED):
            own = dealt[draw][factor.codes]
            start = time.perf_counter()
            fits = [pyfixest.feols(formula, frame[own == g], vcov="iid").coef()[SLOPES].to_numpy() for g in (0, 1)]
            spent += time.perf_counter() - start
            apart = max(apart, float(np.abs(fits[0] - fits[1] - kept["ours"][draw, 0]).max()))
    seconds["pyfixest feols loop (scaled)"] = spent / SAMPLED * draws
    return Comparison(
        f"{draws} permutations of {units} units, {len(frame)} rows, two-way fits in two groups",
        seconds,
        f"the loop: {SAMPLED} permutations timed, scaled to {draws}; differences agree to {apart:.0e}",
    )


def _alone(units: int, times: int, rows: int, draws: int) -> Comparison:
    frame = draw_panel(units, times, rows)
    seconds = time_together({f"ours ({draws} permutations)": _ours(frame, draws, {})}, repeats=3)
    return Comparison(f"{draws} permutations of {units} units, {len(frame)} rows", seconds, "growth; no peer")
