"""Groups: do their coefficients differ? Size and power of every test, alone and as a family, through study files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest

from analysis_py.fits.run_record import ModelRun
from analysis_py.panels.panel import FramePanel
from analysis_py.runner import run_study
from analysis_py.study import Study, load_study
from tests.monte_carlo.shapes import provinces, river_cities, unbalanced_cities
from tests.monte_carlo.study import (
    LEVEL,
    NIGHTLY,
    Claim,
    Reading,
    Trial,
    by_name,
    judge,
    oversized,
    powerful,
    read_p,
    sized,
)
from tests.monte_carlo.worlds import GroupWorld, Noise

#: A with every test; B and D for the family of three differences; R permutes rows.
SPLIT = """\
study: trial
unit: city
time: year
defaults: {{outcome: y, treatment: [x], controls: [z], convention: xtreg, covariance: {covariance}}}
models:
  - id: A
    estimator: heterogeneity
    split: {{by: a, tests: [permutation, interaction, chow, suest], draws: 199, seed: 1}}
  - {{id: B, estimator: heterogeneity, split: {{by: b, tests: []}}}}
  - {{id: D, estimator: heterogeneity, split: {{by: d, tests: []}}}}
"""
SINGLE = """\
study: trial
unit: city
time: year
defaults: {{outcome: y, treatment: [x], controls: [z], convention: xtreg, covariance: {covariance}}}
models:
  - {{id: A, estimator: heterogeneity, split: {{by: a, tests: [interaction, chow, suest], multiple_testing: []}}}}
"""
ROWS = """\
study: trial
unit: city
time: year
defaults: {outcome: y, treatment: [x], controls: [z], convention: xtreg, covariance: iid}
models:
  - id: A
    estimator: heterogeneity
    split: {by: a, tests: [permutation], permute: rows, draws: 99, seed: 1}
  - id: U
    estimator: heterogeneity
    split: {by: a, tests: [permutation], draws: 99, seed: 1}
"""
CITY = "{type: cluster, by: [city]}"
FAMILY = "groups of 25 to 53 clusters: a little large"
FALSE_SHARE = "share of false ones among the differences found, by Benjamini-Hochberg"


@cache
def study_of(text: str) -> Study:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "trial.yml"
        path.write_text(text, encoding="utf-8")
        return load_study(path)


def reader(covariance: str, gap: float, text: str) -> Callable[[pd.DataFrame, int], dict[str, Reading]]:
    study = study_of(text.format(covariance=covariance))

    def read(frame: pd.DataFrame, _: int) -> dict[str, Reading]:
        models = {m.id: m for m in run_study(study, FramePanel(frame)).models}
        tests = {d.test: d.p_value for d in models["A"].diagnostics if d.term in (None, "x")}
        found = {
            "interaction Wald": read_p(tests["interaction_wald"]),
            "Chow": read_p(tests["chow"]),
            "SUEST": read_p(tests["suest"]),
        }
        if text == SINGLE:
            return found
        found["permutation of units"] = read_p(tests["permutation_two_sided"])
        for name, test in (("Romano-Wolf", "romano_wolf"), ("Benjamini-Hochberg", "benjamini_hochberg")):
            adjusted = {m: _adjusted(models[m], test) <= LEVEL for m in ("A", "B", "D")}
            wrongly = [m for m, is_found in adjusted.items() if is_found and (m != "A" or gap == 0)]
            found[f"{name}, any false difference"] = Reading(rejected=bool(wrongly))
            found[f"{name}, false share"] = Reading(rejected=len(wrongly) / max(sum(adjusted.values()), 1))
            found[f"{name}, the true difference"] = Reading(rejected=adjusted["A"])
        return found

    return read


def _adjusted(run: ModelRun, test: str) -> float:
    (found,) = [d.p_value for d in run.diagnostics if d.test == test]
    assert found is not None
    return found


def read_rows(frame: pd.DataFrame, _: int) -> dict[str, Reading]:
    models = {m.id: m for m in run_study(study_of(ROWS), FramePanel(frame)).models}
    return {
        name: read_p(
            next(d.p_value for d in models[key].diagnostics if d.test == "permutation_two_sided" and d.term == "x")
        )
        for name, key in (("permutation of units", "U"), ("permutation of rows", "A"))
    }


def trial(
    about: str,
    world: GroupWorld,
    covariance: str,
    claims: Mapping[str, Claim],
    small: int = 30,
    text: str = SPLIT,
) -> Trial:
    return Trial("groups", about, world, reader(covariance, world.gap, text), claims, small)


def equal() -> Trial:
    """Equal slopes and independent errors: every test has its size."""
    names = ("permutation of units", "interaction Wald", "Chow", "SUEST")
    claims = {name: sized(truth="no difference") for name in names} | {
        "SUEST": sized((0.05, 0.07), truth="no difference", why="78 clusters, chi-squared"),
        "Romano-Wolf, any false difference": sized((0.05, 0.09), truth="no difference", why=FAMILY),
        "Benjamini-Hochberg, any false difference": sized((0.05, 0.09), truth="no difference", why=FAMILY),
    }
    return trial("equal slopes, independent errors", GroupWorld(river_cities()), "iid", claims)


DEPENDENT = "slopes differ from city to city, errors correlated in time"
#: Slopes that differ from city to city, and noise that lasts: what iid errors and permuted rows do not see.
LASTING = Noise(serial=0.7)


def uneven() -> Trial:
    claims = {
        "permutation of units": sized(truth="no difference on average"),
        "interaction Wald": sized((0.05, 0.07), truth="no difference on average", why="39 clusters a group"),
        "Chow": sized((0.05, 0.09), truth="no difference on average", why="39 clusters a group, two restrictions"),
        "SUEST": sized((0.05, 0.08), truth="no difference on average", why="39 clusters a group, chi-squared"),
        "Romano-Wolf, any false difference": sized((0.04, 0.07), truth="no difference on average", why="78 clusters"),
        "Benjamini-Hochberg, any false difference": sized(
            (0.04, 0.08), truth="no difference on average", why="78 clusters"
        ),
    }
    return trial(DEPENDENT, _uneven_world(), CITY, claims)


def _uneven_world(gap: float = 0.0) -> GroupWorld:
    return GroupWorld(river_cities(), gap, uneven=0.4, error=LASTING, regressor=LASTING)


def uneven_iid() -> Trial:
    claims = {
        "interaction Wald": oversized("iid errors beside dependent rows", truth="no difference on average"),
        "Chow": oversized("iid errors beside dependent rows", truth="no difference on average"),
    }
    return trial(f"{DEPENDENT}; iid errors", _uneven_world(), "iid", claims, 30, SINGLE)


def rows() -> Trial:
    claims = {
        "permutation of units": sized((0.03, 0.05), truth="no difference on average", why="99 draws: 5 of 100 ranks"),
        "permutation of rows": oversized("rows of a city hang together", truth="no difference on average"),
    }
    world = GroupWorld(provinces(), uneven=1.0, error=LASTING, regressor=LASTING)
    return Trial("groups", DEPENDENT, world, read_rows, claims, 40)


def different() -> Trial:
    claims = {
        name: powerful(0.8, truth="difference 0.4") for name in ("permutation of units", "interaction Wald", "SUEST")
    } | {
        "Romano-Wolf, the true difference": powerful(0.65, truth="difference 0.4", why="one of a family of three"),
        "Benjamini-Hochberg, the true difference": powerful(
            0.65, truth="difference 0.4", why="one of a family of three"
        ),
        "Chow": powerful(0.6, truth="difference 0.4"),
        "Romano-Wolf, any false difference": sized((0.02, 0.06), truth="difference 0.4", why="two true nulls of three"),
        "Benjamini-Hochberg, false share": sized((0.01, 0.06), truth="difference 0.4", why=FALSE_SHARE),
    }
    return trial(DEPENDENT, _uneven_world(0.4), CITY, claims)


def different_cities() -> Trial:
    claims = {name: powerful(0.8, truth="difference 0.12") for name in ("interaction Wald", "Chow", "SUEST")}
    world = GroupWorld(unbalanced_cities(), 0.12, error=Noise(serial=0.5, uneven=0.3))
    return trial("errors correlated in time, unequal", world, CITY, claims, 20, SINGLE)


TRIALS = by_name((equal(), uneven(), uneven_iid(), rows(), different(), different_cities()))


@pytest.mark.parametrize("name", TRIALS)
def test_small(name: str) -> None:
    judge(TRIALS[name], TRIALS[name].small)


@pytest.mark.nightly
@pytest.mark.parametrize("name", TRIALS)
def test_thousand(name: str) -> None:
    judge(TRIALS[name], NIGHTLY)
