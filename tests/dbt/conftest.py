"""Warehouses built by plain dbt, once for all tests of this folder: the demo world, and a user's few files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from analysis_py.locks import FileLock
from analysis_py.settings import project_root
from analysis_py.warehouse import open_read
from tests.dbt.user_files import write_user_files, write_user_variables

ROOT = project_root()
USER_INPUTS = {
    "city_yearbook": "user",
    "city_emissions": "user",
    "city_energy": "none",
    "city_firms": "none",
    "city_patents": "none",
    "province_yearbook": "none",
}


def run_dbt(folder: Path, *args: str, threads: int = 2, data: Path | None = None) -> subprocess.CompletedProcess[str]:
    """``dbt ARGS`` in the project's root with database, cache and logs inside ``folder``."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("CARBONPANEL_")}
    env.update(
        CARBONPANEL_DATABASE=str(folder / "warehouse" / "carbonpanel.duckdb"),
        CARBONPANEL_DATA=str(data or folder / "data"),
        CARBONPANEL_THREADS=str(threads),
        DBT_TARGET_PATH=str(folder / "target"),
        DBT_LOG_PATH=str(folder / "logs"),
        DO_NOT_TRACK="1",
    )
    return subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", *args],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=1500,
        check=False,
    )


def _built(base: Path, name: str, *args: str, threads: int = 2, data: Path | None = None) -> Path:
    """The database of ``dbt build ARGS``, built by whichever worker comes first."""
    folder = base / name
    with FileLock(base / f"{name}.lock", purpose="building a test warehouse", wait_seconds=1800):
        if not (folder / "done").exists():
            result = run_dbt(folder, "build", *args, threads=threads, data=data)
            assert result.returncode == 0, result.stdout[-4000:]
            (folder / "done").write_text(result.stdout, encoding="utf-8")
    return folder / "warehouse" / "carbonpanel.duckdb"


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def demo_database(base_folder: Path) -> Path:
    """The demo world with every data test and unit test, two threads; the folder above it did not exist before."""
    return _built(base_folder, "dbt_demo")


@pytest.fixture(scope="session")
def demo_database_one_thread(base_folder: Path) -> Path:
    """The demo world once more, with one thread and without tests."""
    return _built(
        base_folder,
        "dbt_demo_one_thread",
        "--exclude-resource-type", "test",
        "--exclude-resource-type", "unit_test",
        threads=1,
    )  # fmt: skip


@pytest.fixture(scope="session")
def user_database(base_folder: Path) -> Path:
    """Two files and three variables of a user and nothing else, with every data test."""
    data = base_folder / "dbt_user_data"
    write_user_files(data)
    write_user_variables(data)
    variables = json.dumps({"inputs": USER_INPUTS, "co2_source": "ceads"})
    return _built(base_folder, "dbt_user", "--vars", variables, "--exclude-resource-type", "unit_test", data=data)


@pytest.fixture
def demo(demo_database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_read(demo_database) as con:
        yield con


@pytest.fixture
def user(user_database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_read(user_database) as con:
        yield con
