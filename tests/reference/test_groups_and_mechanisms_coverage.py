"""Known truths: size and power of tests between groups, coverage of margins, decompositions and indirect effects.

Panels of our shape made with a known answer, through study files. Shares are held to binomial bands at 0.1 percent: a
small trial in every run, a thousand panels nightly.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis_py.fits.run_record import ModelRun
from analysis_py.panels.panel import FramePanel
from analysis_py.runner import run_study
from analysis_py.study import Study, load_study

SMALL, LARGE = 60, 1000
UNITS, TIMES = 90, 6

SPLIT = """\
study: trial
unit: city
time: year
defaults: {outcome: y, treatment: [x], controls: [z], convention: xtreg, covariance: iid}
models:
  - id: A
    estimator: heterogeneity
    split: {by: a, tests: [permutation, interaction, chow, suest], draws: 199, seed: 1}
  - {id: B, estimator: heterogeneity, split: {by: b, tests: []}}
"""

MECHANISM = """\
study: trial
unit: city
time: year
defaults: {outcome: y, treatment: [x], controls: [z], convention: xtreg, covariance: {type: cluster, by: [city]}}
models:
  - {id: M, estimator: mechanism, mechanism: {mediators: [m1, m2], methods: [gelbach, indirect], draws: 299, seed: 1}}
  - {id: I, estimator: mechanism, covariance: iid, mechanism: {mediators: [m1, m2], methods: [gelbach]}}
  - {id: D, estimator: moderation, covariance: iid, moderator: z, controls: [], margins: {at: [1]}}
"""


def draw_panel(seed: int, *, difference: float = 0.0, moderation: float = 0.0) -> pd.DataFrame:
    """A panel whose slope of x is 1, plus ``difference`` in group a, plus ``moderation`` times z."""
    rng = np.random.default_rng([seed, 77])
    city, year = (v.ravel() for v in np.meshgrid(np.arange(UNITS), np.arange(TIMES), indexing="ij"))
    n = len(city)
    a, b = rng.permutation(np.arange(UNITS) % 2)[city], rng.permutation(np.arange(UNITS) % 3 == 0)[city]
    x, z = rng.normal(size=n) + rng.normal(size=UNITS)[city], rng.normal(size=n)
    m1 = 0.5 * x + rng.normal(size=n)
    m2 = -0.3 * x + rng.normal(size=n)
    y = (1 + difference * a + moderation * z) * x + 0.5 * z + 0.4 * m1 + rng.normal(size=UNITS)[city] + 0.1 * year
    return pd.DataFrame(
        {"city": city, "year": year, "a": a, "b": b, "x": x, "z": z, "m1": m1, "m2": m2, "y": y + rng.normal(size=n)}
    )


def study_of(folder: Path, text: str) -> Study:
    path = folder / "trial.yml"
    path.write_text(text, encoding="utf-8")
    return load_study(path)


def hold(count: int, trials: int, share: float) -> None:
    low, high = stats.binom.ppf([0.0005, 0.9995], trials, share)
    assert low <= count <= high, f"{count} of {trials}, expected {share:.1%} ({low:.0f} to {high:.0f})"


def count(
    study: Study, trials: int, hit: Callable[[dict[str, ModelRun]], dict[str, bool]], **truth: float
) -> dict[str, int]:
    found: dict[str, int] = {}
    for seed in range(trials):
        run = run_study(study, FramePanel(draw_panel(seed, **truth)))
        for name, yes in hit({m.id: m for m in run.models}).items():
            found[name] = found.get(name, 0) + yes
    return found


def rejections(models: dict[str, ModelRun]) -> dict[str, bool]:
    tests = {d.test: d for d in models["A"].diagnostics if d.term in (None, "x")}
    found = {
        name: tests[name].p_value <= 0.05 for name in ("permutation_two_sided", "interaction_wald", "chow", "suest")
    }
    adjusted = [d.p_value for m in models.values() for d in m.diagnostics if d.test == "romano_wolf"]
    assert len(adjusted) == 2
    return found | {"family": min(adjusted) <= 0.05}


def coverage(models: dict[str, ModelRun]) -> dict[str, bool]:
    truth = {"m1": 0.2, "m2": 0.0, "_sum": 0.2}
    found = {}
    for name, group in (("M", "gelbach"), ("M", "indirect"), ("I", "gelbach")):
        for row in models[name].coefficients:
            if row.group == group:
                found[f"{name} {group} {row.term}"] = row.ci_low <= truth[row.term] <= row.ci_high
    margin = next(c for c in models["D"].coefficients if c.group == "margins")
    found["margin"] = margin.ci_low <= 1.2 + 0.3 <= margin.ci_high
    return found


def size(folder: Path, trials: int) -> None:
    for name, hits in count(study_of(folder, SPLIT), trials, rejections).items():
        assert name
        hold(hits, trials, 0.05)


def covered(folder: Path, trials: int) -> None:
    for name, hits in count(study_of(folder, MECHANISM), trials, coverage, moderation=0.3).items():
        if name in ("M indirect m2", "M gelbach m2", "I gelbach m2"):
            # a product of a path and of nothing: its interval covers zero more often than it says, never less
            assert hits >= stats.binom.ppf(0.0005, trials, 0.95), name
        else:
            hold(hits, trials, 0.95)


def test_size(tmp_path: Path) -> None:
    size(tmp_path, SMALL)


def test_power(tmp_path: Path) -> None:
    found = count(study_of(tmp_path, SPLIT), 25, rejections, difference=0.4)
    assert all(hits >= 18 for name, hits in found.items() if name != "family"), found


def test_coverage(tmp_path: Path) -> None:
    covered(tmp_path, SMALL)


@pytest.mark.nightly
def test_size_of_a_thousand(tmp_path: Path) -> None:
    size(tmp_path, LARGE)


@pytest.mark.nightly
def test_coverage_of_a_thousand(tmp_path: Path) -> None:
    covered(tmp_path, LARGE)
