"""Instrumental variables: the same bytes whatever PYTHONHASHSEED and the number of threads."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from analysis_py.settings import project_root

SCRIPT = """
import hashlib
import numpy as np
from analysis_py.estimators.iv import fit_iv
from tests.reference.test_iv_dense import panel

frame, digest = panel(), hashlib.sha256()
for convention in ("ivreg2", "xtivreg2", "ivreghdfe", "ivregress"):
    for method in ("2sls", "liml"):
        for endogenous in (["d1"], ["d1", "d2"]):
            for covariance in (
                "iid", "hc1",
                {"type": "cluster", "by": ["city"]},
                {"type": "cluster", "by": ["region", "year"]},
                {"type": "conley", "lon": "lon", "lat": "lat", "cutoff_km": 200},
            ):
                r = fit_iv(frame, outcome="y", endogenous=endogenous, instruments=["z1", "z2", "z3"],
                           exogenous=["x1", "x2"], fixed_effects=["city", "year"], covariance=covariance,
                           convention=convention, method=method, unit="city", time="year", weights="w",
                           plausible={"z1": (-0.1, 0.1)})
                for part in (r.main, *r.first_stages, r.reduced_form):
                    for array in (part.estimate, part.std_error, part.p_value, part.vcov, part.residuals):
                        digest.update(np.ascontiguousarray(array).tobytes())
                digest.update(repr((r.main.messages, r.main.diagnostics, r.tests.anderson_rubin_set)).encode())
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
    assert len(done.stdout.strip()) == 64
    return done.stdout.strip()


def test_two_seeds_and_threads() -> None:
    assert len({digest(0, 1), digest(1, 2)}) == 1


@pytest.mark.nightly
def test_five_seeds() -> None:
    assert len({digest(seed, threads) for seed in range(5) for threads in (1, 2)}) == 1
