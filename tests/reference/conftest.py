"""Writes docs/parity.md when CARBONPANEL_PARITY names it (``make parity``)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.reference.parity import render_page, tallies


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    target = os.environ.get("CARBONPANEL_PARITY")
    if target and exitstatus == 0:
        Path(target).write_text(render_page(tallies()), encoding="utf-8")
