"""Splits, margins and mechanisms give the same bytes under every hash seed and number of threads."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from analysis_py.settings import project_root

SCRIPT = """
import hashlib, json, pathlib, sys, tempfile
from analysis_py.panels.panel import FramePanel
from analysis_py.results import to_json
from analysis_py.runner import run_study
from tests.reference.test_groups_and_mechanisms_coverage import MECHANISM, SPLIT, draw_panel, study_of

digest = hashlib.sha256()
for text in (SPLIT, MECHANISM):
    with tempfile.TemporaryDirectory() as folder:
        run = run_study(study_of(pathlib.Path(folder), text), FramePanel(draw_panel(3)))
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
