"""Known truths of the threshold model: size and power of the test, location, intervals and slopes, on many panels.

Shares are held to the binomial band that a right share leaves with probability 0.1%. The small version runs with every
test run, 1,000 panels of the cities' shape at night.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis_py.estimators.threshold import fit_threshold

#: With 199 draws a test at 5% rejects where at most nine draws exceed F: size exactly 10/200 where draws are exact.
DRAWS = 199


@dataclass(frozen=True)
class World:
    """Slopes of the regimes and the thresholds between them; ``share`` of the rows are kept."""

    slopes: tuple[float, ...]
    thresholds: tuple[float, ...] = ()
    share: float = 1.0
    is_clustered: bool = False


WORLDS = {
    "none, balanced": World((0.3,)),
    "none, unbalanced, clustered errors": World((0.3,), share=0.85, is_clustered=True),
    "one": World((0.3, 0.65), (0.25,)),
    "one, reversed, unbalanced, clustered errors": World((0.4, 0.0), (-0.4,), share=0.85, is_clustered=True),
    "two": World((0.2, 0.6, 0.0), (-0.5, 0.6)),
}


def draw(world: World, units: int, times: int, rng: np.random.Generator) -> pd.DataFrame:
    frame = pd.DataFrame({"unit": np.repeat(np.arange(units), times), "time": np.tile(np.arange(times), units)})
    unit, n = frame["unit"].to_numpy(), units * times
    q = 0.8 * rng.normal(size=n) + 0.6 * rng.normal(size=units)[unit]
    z = rng.normal(size=n) + rng.normal(size=units)[unit]
    x = 0.5 * z + rng.normal(size=n)
    error = rng.normal(size=n)
    if world.is_clustered:
        error = error.reshape(units, times)
        for t in range(1, times):
            error[:, t] = 0.5 * error[:, t - 1] + np.sqrt(0.75) * error[:, t]
        error = (error * (0.6 + 0.8 * rng.random((units, 1)))).ravel()
    slope = np.asarray(world.slopes)[np.searchsorted(world.thresholds, q, side="left")]
    y = slope * z + 0.2 * x + rng.normal(size=units)[unit] + 0.05 * frame["time"] + error
    frame = frame.assign(q=q, z=z, x=x, y=y)
    return frame[rng.random(n) < world.share] if world.share < 1 else frame


@dataclass(frozen=True)
class Summary:
    """Of many panels: rejections (panels, tests), locations (panels, thresholds), whether intervals hold the truth,
    slopes and whether their intervals hold the truth (panels, regimes)."""

    rejected: np.ndarray
    located: np.ndarray
    held: np.ndarray
    slopes: np.ndarray
    covered: np.ndarray


def summarise(name: str, panels: int, units: int, times: int, seed: int = 20251122) -> Summary:
    world = WORLDS[name]
    count = max(len(world.thresholds), 1)
    rejected, located, held, slopes, covered = [], [], [], [], []
    for number in range(panels):
        rng = np.random.default_rng([seed, sorted(WORLDS).index(name), number])
        found = fit_threshold(
            draw(world, units, times, rng),
            outcome="y",
            regime_terms=["z"],
            regressors=["x"],
            fixed_effects=["unit", "time"],
            covariance={"type": "cluster", "by": ["unit"]},
            convention="plain",
            threshold={"variable": "q", "count": count, "grid": 200, "trim": 0.05, "bootstrap": DRAWS, "seed": number},
            unit="unit",
            time="time",
        )
        rejected.append([t.p_value <= 0.05 for t in found.tests])
        ordered = sorted(found.thresholds, key=lambda t: t.value)
        located.append([t.value for t in ordered])
        # the curve is searched at candidates only: an interval reaches to the next one on each side
        step = np.max(np.diff(found.curves[0].x)) if world.thresholds else 0.0
        held.append(
            [t.ci_low - step <= truth <= t.ci_high + step for t, truth in zip(ordered, world.thresholds, strict=False)]
        )
        regression, k = found.regression, len(found.regimes)
        slopes.append(regression.estimate[:k])
        if len(world.slopes) == k:
            truth = np.asarray(world.slopes)
            covered.append((regression.ci_low[:k] <= truth) & (truth <= regression.ci_high[:k]))
    return Summary(*(np.asarray(v) for v in (rejected, located, held, slopes, covered)))


def band(share: float, panels: int) -> tuple[float, float]:
    """Shares that a binomial of ``share`` leaves with probability 0.1%."""
    low, high = stats.binom.ppf([0.0005, 0.9995], panels, share)
    return float(low) / panels, float(high) / panels


def check(name: str, panels: int, units: int, times: int) -> None:
    world, found = WORLDS[name], summarise(name, panels, units, times)
    low, high = band(0.05, panels)
    if not world.thresholds:
        assert low <= found.rejected[:, 0].mean() <= high, "size"
        return
    assert found.rejected.mean(axis=0).min() >= 0.9, "power"
    truth = np.asarray(world.thresholds)
    error = found.located - truth
    spread = found.located.std(axis=0)
    # bias no larger than four standard errors of the mean and a hundredth of the spread of q
    assert np.all(np.abs(error.mean(axis=0)) <= 4 * spread / np.sqrt(panels) + 0.01), "location"
    assert np.median(np.abs(error)) < 0.08
    # the interval is conservative for a jump that does not shrink (Hansen 2000): no upper limit; errors correlated in
    # time are outside its theory
    if not world.is_clustered:
        assert np.all(found.held.mean(axis=0) >= band(0.95, panels)[0]), "interval"
    bias = found.slopes.mean(axis=0) - np.asarray(world.slopes)
    noise = found.slopes.std(axis=0) / np.sqrt(panels)
    # the search picks the larger jump: slopes lean outwards by a small fraction of their own error
    assert np.all(np.abs(bias) <= 4 * noise + 0.15 * found.slopes.std(axis=0)), "slopes"
    assert np.all(found.covered.mean(axis=0) >= band(0.95, panels)[0] - 0.02), "coverage"
    assert np.all(found.covered.mean(axis=0) <= band(0.95, panels)[1]), "coverage"


@pytest.mark.parametrize("name", WORLDS)
def test_small(name: str) -> None:
    check(name, 120, 100, 10)


@pytest.mark.nightly
@pytest.mark.parametrize("name", WORLDS)
def test_thousand(name: str) -> None:
    check(name, 1_000, 271, 19)
