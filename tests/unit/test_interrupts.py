"""An interrupt that a finaliser swallowed is still heard."""

from __future__ import annotations

import subprocess
import sys

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
