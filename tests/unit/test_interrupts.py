"""An interrupt that a finaliser swallowed is still heard."""

from __future__ import annotations

import subprocess
import sys

from analysis_py.progress import report_step, watch_steps
from analysis_py.settings import project_root

SWALLOWED = """
import os, signal
from analysis_py.interrupts import listen, stop_if_interrupted

class Thing:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

listen()
stop_if_interrupted()
thing = Thing()
del thing
print("went on")
try:
    stop_if_interrupted()
except KeyboardInterrupt:
    print("heard")
"""


def test_swallowed_interrupt_is_heard() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SWALLOWED], capture_output=True, text=True, cwd=project_root(), check=True
    )
    assert done.stdout.splitlines() == ["went on", "heard"]


def test_steps_are_told_to_whoever_watches_and_to_nobody_else() -> None:
    heard: list[tuple[int, int, str]] = []
    report_step(1, 9, "before")
    with watch_steps(lambda *step: heard.append(step)):
        report_step(2, 9, "draws")
        with watch_steps(lambda *step: None):
            report_step(3, 9, "inside")
    report_step(4, 9, "after")
    assert heard == [(2, 9, "draws")]


def test_a_step_hears_a_lost_interrupt() -> None:
    script = SWALLOWED.replace("    stop_if_interrupted()\nexcept", "    report_step(1, 2, 'draws')\nexcept")
    script = "from analysis_py.progress import report_step\n" + script
    assert "report_step(1" in script
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=project_root(), check=True
    )
    assert done.stdout.splitlines() == ["went on", "heard"]
