"""Known truths with few clusters: bias, coverage, size and power of clustered errors, CR2, CR3 and the wild bootstrap.

Shares are held to the binomial band that a right share leaves with probability 0.1%. The small version runs with every
test run, 1,000 panels a world at night.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis_py.estimators.poisson import fit_poisson
from analysis_py.estimators.twfe import fit_twfe

METHODS = ("cluster", "cr2", "cr3", "wild")
#: Power is checked at the true slope against this null.
ALTERNATIVE = 0.6


@dataclass(frozen=True)
class World:
    """Provinces with their cities over seven years: regressor and errors both have a part common to a province-year."""

    slope: float
    provinces: int
    is_unequal: bool = False


WORLDS = {
    "many": World(0.3, 50),
    "none, few": World(0.0, 12),
    "few, unequal": World(0.3, 14, is_unequal=True),
}


def draw(world: World, rng: np.random.Generator) -> pd.DataFrame:
    cities = 2 + 4 * (np.arange(world.provinces) % 3 == 0) if world.is_unequal else np.full(world.provinces, 3)
    province = np.repeat(np.arange(world.provinces), cities)
    frame = pd.DataFrame({"city": np.repeat(np.arange(len(province)), 7), "year": np.tile(np.arange(7), len(province))})
    frame["province"] = province[frame.city]
    cell, n = (frame.province * 7 + frame.year).to_numpy(), len(frame)
    common = world.provinces * 7
    frame["x"] = rng.normal(size=common)[cell] + 0.7 * rng.normal(size=n)
    drift = rng.normal(size=common).reshape(-1, 7)
    for t in range(1, 7):
        drift[:, t] = 0.5 * drift[:, t - 1] + np.sqrt(0.75) * drift[:, t]
    error = drift.ravel()[cell] + rng.normal(size=n)
    frame["y"] = world.slope * frame.x + rng.normal(size=len(province))[frame.city] + 0.1 * frame.year + error
    return frame


@dataclass(frozen=True)
class Summary:
    """Estimates (panels,), and by method whether the interval holds the truth and whether it holds the alternative."""

    estimates: np.ndarray
    covered: dict[str, np.ndarray]
    held: dict[str, np.ndarray]


def summarise(name: str, panels: int, seed: int = 20251122) -> Summary:
    world = WORLDS[name]
    estimates = np.empty(panels)
    covered, held = ({m: np.empty(panels, dtype=bool) for m in METHODS} for _ in range(2))
    for number in range(panels):
        frame = draw(world, np.random.default_rng([seed, sorted(WORLDS).index(name), number]))
        for method in METHODS:
            options = {"draws": 499, "seed": number} if method == "wild" else {}
            result = fit_twfe(
                frame,
                outcome="y",
                regressors=["x"],
                fixed_effects=["city", "year"],
                covariance={"type": method, "by": ["province"], **options},
                convention="reghdfe",
            )
            estimates[number] = result.coefficient("x")
            low, high = float(result.ci_low[0]), float(result.ci_high[0])
            covered[method][number] = low <= world.slope <= high
            held[method][number] = low <= world.slope + ALTERNATIVE <= high
    return Summary(estimates, covered, held)


def band(share: float, panels: int) -> tuple[float, float]:
    """Shares that a binomial of ``share`` leaves with probability 0.1%."""
    low, high = stats.binom.ppf([0.0005, 0.9995], panels, share)
    return float(low) / panels, float(high) / panels


def check(name: str, panels: int) -> None:
    found = summarise(name, panels)
    apart = found.estimates.mean() - WORLDS[name].slope
    assert abs(apart) <= 3.3 * found.estimates.std(ddof=1) / np.sqrt(panels), "bias"
    low, high = band(0.95, panels)
    for method in ("cr2", "wild"):
        assert low <= found.covered[method].mean() <= high, f"coverage of {method}: {found.covered[method].mean()}"
    # the jackknife errs to the safe side; ordinary clustered intervals lie within those of CR3 and lose coverage
    assert found.covered["cr3"].mean() >= low
    assert found.covered["cluster"].mean() <= found.covered["cr3"].mean()
    for method in METHODS:
        assert 1.0 - found.held[method].mean() >= 0.8, f"power of {method}"


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_few_clusters(name: str) -> None:
    check(name, 60)


@pytest.mark.nightly
@pytest.mark.parametrize("name", sorted(WORLDS))
def test_few_clusters_at_length(name: str) -> None:
    check(name, 1_000)


def count_shares(panels: int, seed: int = 20251122) -> tuple[np.ndarray, np.ndarray]:
    """Poisson slopes on panels of counts with city and year effects, and whether clustered intervals hold the truth."""
    estimates, covered = np.empty(panels), np.empty(panels, dtype=bool)
    for number in range(panels):
        rng = np.random.default_rng([seed, 77, number])
        frame = pd.DataFrame({"city": np.repeat(np.arange(60), 7), "year": np.tile(np.arange(7), 60)})
        frame["x"] = rng.normal(size=420)
        mean = np.exp(0.4 * frame.x + 0.5 * rng.normal(size=60)[frame.city] + 0.1 * frame.year)
        # twice the variance of a Poisson: the mean is right, the likelihood is not
        frame["n"] = rng.negative_binomial(mean, 0.5)
        result = fit_poisson(
            frame,
            outcome="n",
            regressors=["x"],
            fixed_effects=["city", "year"],
            covariance={"type": "cluster", "by": ["city"]},
            convention="reghdfe",
        )
        estimates[number] = result.coefficient("x")
        covered[number] = result.ci_low[0] <= 0.4 <= result.ci_high[0]
    return estimates, covered


def check_counts(panels: int) -> None:
    estimates, covered = count_shares(panels)
    assert abs(estimates.mean() - 0.4) <= 3.3 * estimates.std(ddof=1) / np.sqrt(panels)
    # 60 clusters and normal quantiles: a little under 95 percent
    assert band(0.93, panels)[0] <= covered.mean() <= band(0.95, panels)[1]


def test_poisson() -> None:
    check_counts(40)


@pytest.mark.nightly
def test_poisson_at_length() -> None:
    check_counts(1_000)
