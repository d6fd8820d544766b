"""Efficiency: our solver beside one scipy linear programme a unit, DEAPack where it is installed, and growth.

The peers would take minutes: they are timed on a sample of units, and the time is scaled to all of them. The notes say
so, and how far the scores of the sample agree.
"""

from __future__ import annotations

import gc
import importlib.util
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import linprog

from analysis_py.efficiency.frontier import Frontier, make_frontier
from analysis_py.efficiency.scores import Scores, evaluate_frontiers
from analysis_py.efficiency.specification import ModelSpec
from benchmarks.measurement import Comparison

_SIZES = (3, 1, 1)
_REPEATS = 5
#: Units of each frontier that a peer solves.
_SAMPLE_OWN, _SAMPLE_GLOBAL = 4, 12
_GROWTH = (1_000, 5_000, 20_000, 50_000)


def draw_panel(units: int, times: int, n_goods: int = 1, seed: int = 20251122) -> list[np.ndarray]:
    """One (units, 4 + n_goods) array a period: capital, labour, energy; goods; a bad."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(size=units))
    periods = []
    for period in range(times):
        noise = np.exp(rng.normal(size=(units, 3)) * 0.3)
        growth = np.array([1.05, 1.0, 1.02]) ** period
        inputs = size[:, None] * noise * np.array([50.0, 30.0, 100.0]) * growth
        level = np.exp(-np.abs(rng.normal(size=units)) * 0.3) * 1.02**period
        frontier = (level * np.prod(inputs ** np.array([0.4, 0.4, 0.2]), axis=1))[:, None]
        goods = frontier * np.exp(rng.normal(size=(units, n_goods)) * 0.1)
        bad = inputs[:, 2:] * np.exp(rng.normal(size=(units, 1)) * 0.3) * 2.0
        periods.append(np.hstack([inputs, goods, bad]))
    return periods


def measure() -> list[Comparison]:
    """The study's panel with one and two goods, own and global frontiers; SBM against a global frontier; growth."""
    found = []
    for n_goods in (1, 2):
        periods = draw_panel(286, 19, n_goods)
        everything = np.vstack(periods)
        frontiers = [_frontier(p, p) for p in periods] + [_frontier(everything, everything)]
        task = f"SBM-DDF GML, 286 units x 19, {n_goods} good(s), own and global: {2 * len(everything)} programmes"
        found.append(_compare(task, frontiers, ModelSpec("sbm-ddf"), _scipy_sbm_ddf))
    found.append(_compare("SBM VRS global, 286 x 19", [_frontier(everything, everything)], _SBM, _scipy_sbm))
    found.append(_compare("radial DDF global, 286 x 19, without slacks", frontiers[-1:], ModelSpec("ddf"), None))
    for units in _GROWTH:
        values = draw_panel(units, 1)[0]
        found.append(_compare(f"SBM VRS, {units} units", [_frontier(values, values)], _SBM, None))
    return found


_SBM = ModelSpec("sbm", returns="vrs")


def _frontier(values: np.ndarray, reference: np.ndarray) -> Frontier:
    return make_frontier(
        values[:, :3], values[:, 3:-1], values[:, -1:], reference[:, :3], reference[:, 3:-1], reference[:, -1:]
    )


def _compare(
    task: str, frontiers: Sequence[Frontier], spec: ModelSpec, peer: Callable[[Frontier, int], float] | None
) -> Comparison:
    scores: list[Scores] = []

    def ours() -> None:
        scores[:] = evaluate_frontiers(frontiers, spec, with_slacks=False)

    seconds = {"carbonpanel": _median(ours)}
    worst = max(float(s.residual.max()) for s in scores)
    note = f"largest residual {worst:.0e}, {scores[0].n_fallback} programmes solved again in full"
    if peer is not None:
        peer_seconds, sampled, difference = _time_sample(frontiers, scores, peer)
        total = sum(len(f) for f in frontiers)
        seconds["scipy, one programme a unit"] = peer_seconds
        note += f"; scipy: {sampled} of {total} units timed and scaled up, scores agree to {difference:.0e}"
        if importlib.util.find_spec("DEAPack") is None and importlib.util.find_spec("deapack") is None:
            note += "; DEAPack is not installed: skipped"
    return Comparison(task, seconds, note)


def _median(task: Callable[[], None]) -> float:
    task()
    samples = []
    for _ in range(_REPEATS):
        gc.collect()
        start = time.perf_counter()
        task()
        samples.append(time.perf_counter() - start)
    return statistics.median(samples)


def _time_sample(
    frontiers: Sequence[Frontier], scores: Sequence[Scores], peer: Callable[[Frontier, int], float]
) -> tuple[float, int, float]:
    """Seconds of the peer for all units from a spread sample, how many were timed, and the largest difference."""
    seconds, sampled, difference = 0.0, 0, 0.0
    for frontier, found in zip(frontiers, scores, strict=True):
        count = min(len(frontier), _SAMPLE_GLOBAL if len(frontier) > 1_000 else _SAMPLE_OWN)
        rows = np.linspace(0, len(frontier) - 1, count).astype(int)
        start = time.perf_counter()
        theirs = [peer(frontier, int(row)) for row in rows]
        seconds += (time.perf_counter() - start) * len(frontier) / count
        sampled += count
        difference = max(difference, float(np.abs(np.array(theirs) - found.score[rows]).max()))
    return seconds, sampled, difference


def _scipy_sbm_ddf(frontier: Frontier, row: int) -> float:
    """The SBM-DDF of one unit as one would write it down: scaled rows, slacks and intensities, CRS."""
    own, m = frontier.values[row], frontier.n_inputs
    k, r = len(own), len(frontier.reference)
    sign = np.where((np.arange(k) >= m) & (np.arange(k) < m + frontier.n_goods), -1.0, 1.0)
    matrix = np.hstack([(frontier.reference / own).T, np.diag(sign)])
    weights = np.concatenate([np.full(m, 0.5 / m), np.full(k - m, 0.5 / (k - m))])
    cost = np.concatenate([np.zeros(r), -weights])
    return -float(linprog(cost, A_eq=matrix, b_eq=np.ones(k), method="highs").fun)


def _scipy_sbm(frontier: Frontier, row: int) -> float:
    """SBM with bads under VRS by Charnes and Cooper, scaled rows."""
    own, m = frontier.values[row], frontier.n_inputs
    k, r = len(own), len(frontier.reference)
    sign = np.where((np.arange(k) >= m) & (np.arange(k) < m + frontier.n_goods), -1.0, 1.0)
    data = np.hstack([(frontier.reference / own).T, np.diag(sign), -np.ones((k, 1))])
    balance = np.concatenate([np.zeros(r + m), np.full(k - m, 1 / (k - m)), [1.0]])
    convex = np.concatenate([np.ones(r), np.zeros(k), [-1.0]])
    cost = np.concatenate([np.zeros(r), np.full(m, -1 / m), np.zeros(k - m), [1.0]])
    right = np.concatenate([np.zeros(k), [1.0, 0.0]])
    return float(linprog(cost, A_eq=np.vstack([data, balance, convex]), b_eq=right, method="highs").fun)
