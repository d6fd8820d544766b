"""Writes docs/monte-carlo.md when CARBONPANEL_MONTE_CARLO names it (``make montecarlo``)."""

from __future__ import annotations

import os
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from tests.monte_carlo.page import render_page
from tests.monte_carlo.study import Line, keep_line, lines


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A worker of xdist hands over what it found; the main process writes the page when every trial held."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["monte_carlo"] = [list(astuple(line)) for line in lines()]
        return
    target = os.environ.get("CARBONPANEL_MONTE_CARLO")
    if target and exitstatus == 0 and lines():
        Path(target).write_text(render_page(lines()), encoding="utf-8")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object | None) -> None:
    """What a worker found, in the main process."""
    for values in getattr(node, "workeroutput", {}).get("monte_carlo", []):
        keep_line(Line(*values))
