"""Shared by all tests: a warehouse built once for the whole run, and the command line as a user calls it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis_py.locks import FileLock
from analysis_py.settings import project_root, quiet_environment

quiet_environment()

ROOT = project_root()
SHARED = ROOT.parent / "shared"

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A module runs on one worker, so that what its tests share is made once; the folder ``dbt`` counts as a module."""
    from xdist.scheduler import LoadScopeScheduling

    class ModuleScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.split("::", 1)[0]
            return "tests/dbt" if module.startswith("tests/dbt/") else module

    return ModuleScheduling(config, log)


def run_cli(*args: str, env: dict[str, str] | None = None, timeout: float = 900, **options: object):
    """Run ``carbonpanel ARGS`` in a process of its own, without a terminal, and return what it said."""
    full = {k: v for k, v in os.environ.items() if not k.startswith("CARBONPANEL_")}
    full.update(NO_COLOR="1", PYTHONUNBUFFERED="1", **(env or {}))
    return subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        env=full,
        stdin=subprocess.DEVNULL,
        check=False,
        **options,
    )


def places(folder: Path) -> dict[str, str]:
    """Environment that keeps database and data inside ``folder``."""
    return {
        "CARBONPANEL_DATABASE": str(folder / "warehouse" / "carbonpanel.duckdb"),
        "CARBONPANEL_DATA": str(folder / "data"),
    }


@pytest.fixture(scope="session")
def built_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo warehouse, refreshed and estimated once by the command line; do not write to it."""
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    folder = base / "built_world"
    with FileLock(base / "built_world.lock", purpose="building the test warehouse", wait_seconds=1800):
        if not (folder / "done").exists():
            started = time.monotonic()
            result = run_cli("run", env=places(folder), timeout=1500)
            assert result.returncode == 0, result.stdout + result.stderr
            (folder / "seconds").write_text(str(time.monotonic() - started), encoding="utf-8")
            (folder / "done").write_text(result.stdout + result.stderr, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def warehouse(built_world: Path) -> Path:
    """The demo database (read only)."""
    return built_world / "warehouse" / "carbonpanel.duckdb"


@pytest.fixture
def world(built_world: Path, tmp_path: Path) -> Path:
    """A private copy of the demo warehouse that a test may change, with dbt's parse cache to refresh fast."""
    target = tmp_path / "world"
    shutil.copytree(built_world, target, ignore=shutil.ignore_patterns("*.lock", "done"))
    return target


@pytest.fixture
def cli(built_world: Path) -> Cli:
    """``cli("sql", "select 1")`` on the shared demo warehouse."""

    def call(*args: str, **options: object):
        return run_cli(*args, env=places(built_world) | dict(options.pop("env", {})), **options)

    return call


@pytest.fixture
def cli_in(tmp_path: Path) -> Cli:
    """The command line in an empty place: no database, no data."""

    def call(*args: str, **options: object):
        return run_cli(*args, env=places(tmp_path) | dict(options.pop("env", {})), **options)

    return call


def assert_readable_error(result: subprocess.CompletedProcess[str], code: str | None = None, *names: str) -> None:
    """The command failed with one readable message: a code, no traceback, and every one of ``names`` in it."""
    said = result.stdout + result.stderr
    assert result.returncode not in (0, 70), said
    assert "Traceback" not in said, said
    assert "CP-BUG" not in said, said
    if code is not None:
        assert f"error {code}:" in result.stderr, said
        assert result.stderr.count("error CP-") == 1, said
    for name in names:
        assert name in said, f"'{name}' is not in: {said}"
