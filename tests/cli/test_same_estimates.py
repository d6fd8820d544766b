"""Every estimator through the command line: the same JSON, byte for byte, whatever PYTHONHASHSEED and thread count."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis_py.runner import UNAVAILABLE
from analysis_py.specification.study_keys import ESTIMATORS
from tests.conftest import run_cli

STUDY = """\
study: everything
unit: city
time: year
defaults:
  outcome: y
  treatment: [x]
  controls: [z, L.z]
  covariance: {type: cluster, by: [city]}
models:
  - {id: xtreg, convention: xtreg, covariance: iid, conventions: [published, clustered, areg, fixest, hc1, hc3]}
  - {id: weighted, weights: w, conventions: [hc2, driscoll_kraay]}
  - {id: plain, fixed_effects: [], controls: [i.region, x*z], covariance: hc3}
  - {id: one_way, fixed_effects: [city], winsor: {columns: [y], limits: [1, 99], scope: study}}
  - {id: region_year, fixed_effects: [city, region^year], sample: "year > 2002"}
  - {id: two_way_clusters, covariance: {type: cluster, by: [region, year]}}
  - {id: conley, covariance: {type: conley, lon: lon, lat: lat, cutoff_km: 300, kernel: bartlett}}
  - {id: cr2, covariance: {type: cr2, by: [region]}}
  - {id: cr3, covariance: {type: cr3, by: [city]}, weights: w}
  - {id: wild, covariance: {type: wild, by: [city], draws: 999}}
  - {id: wild_webb, covariance: {type: wild, by: [region], draws: 999, distribution: webb}}
  - {id: wild_two_way, covariance: {type: wild, by: [city, year], draws: 499}}
  - {id: described, estimator: descriptive, columns: [y, x, z, n], covariance: null}
  - {id: counts, estimator: poisson, outcome: n}
  - {id: counts_spatial, estimator: poisson, outcome: n, convention: fixest,
     covariance: {type: conley, lon: lon, lat: lat, cutoff_km: 300}}
  - {id: iv, estimator: iv, treatment: [], endogenous: [x], instruments: [v1, v2]}
  - {id: iv_robust, estimator: iv, treatment: [], endogenous: [x], instruments: [v1, v2], covariance: hc1,
     convention: xtivreg2, weights: w, conventions: [iid, ivreg2]}
  - {id: liml, estimator: iv, treatment: [], endogenous: [x, u], instruments: [v1, v2, v3], iv: {method: liml}}
  - {id: threshold, estimator: threshold, threshold: {variable: q, count: 3, grid: 60, bootstrap: 99}}
  - {id: threshold_all, estimator: threshold, weights: w,
     threshold: {variable: q, count: 2, grid: all, bootstrap: 50, resample: multipliers}}
  - {id: hansen, estimator: threshold, convention: hansen, controls: [z],
     threshold: {variable: q, count: 2, grid: 40, bootstrap: 49}}
  - {id: moderation, estimator: moderation, moderator: z, controls: [], centre: mean, margins: {at: [-1, 0, 1]}}
  - {id: groups, estimator: heterogeneity,
     split: {by: flag, tests: [permutation, interaction, chow, suest], draws: 199}}
  - {id: medians, estimator: heterogeneity,
     split: {by: q, at: median, permute: rows, tests: [permutation, suest], draws: 99}}
  - {id: regions, estimator: heterogeneity, split: {by: half, tests: [interaction], interact: treatment}}
  - {id: mechanism, estimator: mechanism,
     mechanism: {mediators: [m1, m2], methods: [two_step, gelbach, indirect, three_step], draws: 199}}
"""

#: What names a run, its time and the code it ran on (which may be committed in between), not a number.
MOMENTS = re.compile(r'"(run_id|started_at|finished_at|git_commit)": (?:"[^"]*"|null)')


def draw_panel(cities: int = 271, years: int = 19, seed: int = 20251122) -> pd.DataFrame:
    """An unbalanced panel with a singleton city, a few missing values, and a column for everything the study names.

    Large enough that products of matrices would be shared among threads.
    """
    rng = np.random.default_rng(seed)
    city, year = (v.ravel() for v in np.meshgrid(np.arange(cities), np.arange(2001, 2001 + years), indexing="ij"))
    n = len(city)
    own = rng.normal(size=(6, cities))
    v1, v2, v3, z, q = (rng.normal(size=n) + own[j, city] for j in range(5))
    shock = rng.normal(size=n)
    u = 0.5 * v3 + 0.4 * shock + rng.normal(size=n)
    x = 0.6 * v1 + 0.4 * v2 + 0.5 * shock + rng.normal(size=n)
    m1, m2 = 0.5 * x + rng.normal(size=n), -0.3 * x + rng.normal(size=n)
    y = (0.4 + 0.5 * (q > 0.2)) * x + 0.3 * z + 0.3 * m1 + own[5, city] + 0.05 * (year - 2001) + 0.4 * shock
    frame = pd.DataFrame({"city": [f"c{c:02d}" for c in city], "year": year})
    frame["region"] = [f"r{c % 13:02d}" for c in city]
    frame = frame.assign(y=y + rng.normal(size=n), x=x, z=z, q=q, u=u, v1=v1, v2=v2, v3=v3, m1=m1, m2=m2)
    frame["n"] = rng.poisson(np.exp(0.2 * x + 0.3 * own[5, city]))
    frame["w"] = rng.uniform(0.5, 2.0, n)
    frame["lon"], frame["lat"] = rng.uniform(100, 120, cities)[city], rng.uniform(22, 40, cities)[city]
    frame["flag"], frame["half"] = city % 3 == 0, np.where(city % 2, "odd", "even")
    frame.loc[rng.random(n) < 0.02, "z"] = np.nan
    kept = (rng.random(n) > 0.08) & ((city != 7) | (year == 2005))
    return frame[kept].sample(frac=1.0, random_state=3).reset_index(drop=True)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("same_estimates")
    draw_panel().to_csv(folder / "panel.csv", index=False)
    (folder / "everything.yml").write_text(STUDY, encoding="utf-8")
    return folder


def estimate(case: Path, hash_seed: int, threads: int) -> str:
    """The JSON of one run without the run's name and times."""
    env = {"PYTHONHASHSEED": str(hash_seed), "CARBONPANEL_DATABASE": str(case / "no.duckdb")}
    for name in ("OPENBLAS", "OMP", "MKL", "RAYON", "NUMEXPR", "VECLIB_MAXIMUM"):
        env[f"{name}_NUM_THREADS"] = str(threads)
    out = case / f"{hash_seed}_{threads}.json"
    done = run_cli(
        "estimate", str(case / "everything.yml"), "--data", str(case / "panel.csv"), "--json", str(out), env=env
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text, found = MOMENTS.subn(r'"\1": ""', out.read_text(encoding="utf-8"))
    assert found == 4
    return text


@pytest.fixture(scope="module")
def first(case: Path) -> str:
    return estimate(case, 0, 1)


def test_every_model_gives_numbers(first: str) -> None:
    models = json.loads(first)["models"]
    bad = {m["id"]: m["message"] for m in models if m["status"] not in ("ok", "warned")}
    assert not bad
    # spatial and did are read, and not in this version
    assert {m["estimator"] for m in models} == set(ESTIMATORS) - set(UNAVAILABLE)
    used = {str(m["covariance"]).split("(")[0].lower() for m in models}
    assert used >= {"iid", "hc1", "hc2", "hc3", "cluster", "conley", "driscoll_kraay", "cr2", "cr3", "wild"}, used


@pytest.mark.parametrize("hash_seed,threads", [(1, 2), (0, 2), (1, 1)])
def test_two_seeds_one_and_two_threads(case: Path, first: str, hash_seed: int, threads: int) -> None:
    assert estimate(case, hash_seed, threads) == first


@pytest.mark.nightly
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("hash_seed", range(5))
def test_five_seeds_one_and_two_threads(case: Path, first: str, hash_seed: int, threads: int) -> None:
    assert estimate(case, hash_seed, threads) == first
