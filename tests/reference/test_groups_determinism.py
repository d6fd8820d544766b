"""Splits, margins and mechanisms give the same bytes under every hash seed and number of threads."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from analysis_py.settings import project_root

SCRIPT = """
import hashlib, json
from analysis_py.panels.panel import FramePanel
from analysis_py.results import to_json
from analysis_py.runner import run_study
from tests.monte_carlo.shapes import river_cities
from tests.monte_carlo.study import draw_frames
from tests.monte_carlo.test_groups import SPLIT, study_of
from tests.monte_carlo.test_mechanisms import MECHANISM
from tests.monte_carlo.worlds import GroupWorld, MediatorWorld

digest = hashlib.sha256()
worlds = GroupWorld(river_cities()), MediatorWorld(river_cities(), (0.5, -0.3), (0.4, 0.0))
for text, world in zip((SPLIT.format(covariance="iid"), MECHANISM.replace(", three_step", "")), worlds):
    run = run_study(study_of(text), FramePanel(next(draw_frames(world, "hash seeds", 1))))
    found = to_json(run)["models"]
    assert all(m["status"] == "ok" for m in found), [m["message"] for m in found]
    digest.update(json.dumps(found).encode())
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
    return done.stdout.strip()


def test_two_seeds() -> None:
    assert len({digest(0, 1), digest(3, 2)}) == 1


@pytest.mark.nightly
def test_five_seeds() -> None:
    assert len({digest(seed, threads) for seed in range(5) for threads in (1, 2)}) == 1
