"""The same bytes whatever PYTHONHASHSEED, and whatever the number of threads of BLAS and of the demeaner."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from analysis_py.settings import project_root

SCRIPT = """
import hashlib
import numpy as np
from analysis_py.estimators.poisson import fit_poisson
from analysis_py.estimators.twfe import fit_twfe
from tests.reference.dense_lsdv import unbalanced_panel

frame = unbalanced_panel(11, units=60, times=10, regions=9)
digest = hashlib.sha256()
for convention in ("xtreg", "areg", "reghdfe", "fixest", "plain"):
    for effects in (["city", "year"], ["city", "region^year"], ["city", "year", "region"]):
        for covariance in (
            "iid", "hc1", "hc3",
            {"type": "cluster", "by": ["city"]},
            {"type": "cluster", "by": ["region", "year"]},
            {"type": "driscoll_kraay", "lag": 2},
            {"type": "conley", "lon": "lon", "lat": "lat", "cutoff_km": 200},
            {"type": "cr2", "by": ["city"]},
            {"type": "cr3", "by": ["region"]},
            {"type": "wild", "by": ["city"], "draws": 199},
            {"type": "wild", "by": ["region", "year"], "draws": 199},
        ):
            r = fit_twfe(frame, outcome="y", regressors=["x1", "x2"], fixed_effects=effects, covariance=covariance,
                         convention=convention, unit="city", time="year", weights="w")
            for array in (r.estimate, r.std_error, r.p_value, r.ci_low, r.ci_high, r.vcov, r.residuals):
                digest.update(np.ascontiguousarray(array).tobytes())
            digest.update(repr((r.terms, r.r2, r.r2_within, r.f, r.small_sample, r.messages, r.diagnostics)).encode())
frame["n"] = np.floor(np.exp(0.3 * frame["x1"]) * (frame["year"] % 3)).astype(float)
for covariance in ("iid", {"type": "cluster", "by": ["city"]}):
    r = fit_poisson(frame, outcome="n", regressors=["x1", "x2"], fixed_effects=["city", "year"], covariance=covariance,
                    convention="reghdfe")
    for array in (r.estimate, r.vcov, r.residuals, r.used_rows):
        digest.update(np.ascontiguousarray(array).tobytes())
print(digest.hexdigest())
"""


def digest(seed: int, threads: int) -> str:
    env = dict(os.environ, PYTHONHASHSEED=str(seed), PYTHONPATH=str(project_root()))
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
        env[name] = str(threads)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=env, check=False, cwd=project_root()
    )
    assert done.returncode == 0, done.stderr
    found = done.stdout.strip()
    assert len(found) == hashlib.sha256().digest_size * 2
    return found


def test_three_seeds() -> None:
    assert len({digest(0, 1), digest(1, 2), digest(2, 1)}) == 1


@pytest.mark.nightly
def test_five_seeds() -> None:
    assert len({digest(seed, threads) for seed in range(5) for threads in (1, 2)}) == 1
