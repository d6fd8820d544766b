"""Ctrl-C during a long estimate: exit code 130, one line, and what was there before is unchanged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.test_same_estimates import draw_panel
from tests.conftest import ROOT

STUDY = """\
study: long
unit: city
time: year
defaults: {{outcome: y, treatment: [x], controls: [z], covariance: {{type: cluster, by: [city]}}}}
models:
  - {model}
"""

#: Each takes minutes when it is left alone.
LONG = {
    "wild": "{id: M, covariance: {type: wild, by: [city], draws: 3000000}}",
    "threshold": "{id: M, estimator: threshold, threshold: {variable: q, grid: all, bootstrap: 300000}}",
    "permutation": "{id: M, estimator: heterogeneity, split: {by: flag, tests: [permutation], draws: 1000000}}",
    "rows": "{id: M, estimator: heterogeneity,"
    " split: {by: q, at: median, permute: rows, tests: [permutation], draws: 1000000}}",
    "mechanism": "{id: M, estimator: mechanism, mechanism: {mediators: [m1], methods: [indirect], draws: 1000000}}",
}


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is POSIX")
@pytest.mark.parametrize("model", LONG)
def test_interrupt_leaves_what_there_was(model: str, tmp_path: Path) -> None:
    draw_panel().to_csv(tmp_path / "panel.csv", index=False)
    (tmp_path / "long.yml").write_text(STUDY.format(model=LONG[model]), encoding="utf-8")
    out = tmp_path / "out.json"
    out.write_text("what was there before", encoding="utf-8")
    before = sorted(path.name for path in tmp_path.iterdir())
    env = {k: v for k, v in os.environ.items() if not k.startswith("CARBONPANEL_")}
    env |= {"CARBONPANEL_DATABASE": str(tmp_path / "no.duckdb"), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "estimate", "long.yml", "--data", "panel.csv", "--json", str(out)],
        env=env,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "estimating 1 model" in process.stderr.readline()
    time.sleep(2.5)
    assert process.poll() is None, "it was over before it could be interrupted"
    process.send_signal(signal.SIGINT)
    said, err = process.communicate(timeout=20)
    assert process.returncode == 130, said + err
    assert err.splitlines()[-1] == "interrupted: what was there before is unchanged"
    assert "Traceback" not in err
    assert out.read_text(encoding="utf-8") == "what was there before"
    assert sorted(path.name for path in tmp_path.iterdir()) == before
