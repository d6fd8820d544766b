"""The same numbers brought in different forms make the same marts, to the last bit; Ctrl-C leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.ingest_large import measure
from tests.conftest import ROOT, places, run_cli
from tests.unit.city_forms import FORMS, write_form


def mart_hashes(folder: Path, form: str) -> dict[str, tuple[int, str]]:
    """Bring the panel in one form under one name, refresh, and return rows and hash of each mart."""
    path = write_form(form, folder)
    brought = run_cli("ingest", str(path), "--as", "city_yearbook", "--dataset", "panel", env=places(folder))
    assert brought.returncode == 0, brought.stdout + brought.stderr
    refreshed = run_cli("refresh", env=places(folder), timeout=1500)
    assert refreshed.returncode == 0, refreshed.stdout + refreshed.stderr
    query = "select table_name, n_rows, hash from meta.mart_hash order by 1"
    result = run_cli("sql", query, "--format", "json", env=places(folder))
    assert result.returncode == 0, result.stderr
    found = {row["table_name"]: (row["n_rows"], row["hash"]) for row in json.loads(result.stdout)}
    assert {"fct_city_year", "panel_carbon_productivity"} <= set(found)
    return found


@pytest.mark.nightly
def test_marts_from_every_form_are_equal(tmp_path: Path) -> None:
    # that every form gives the same cells is asked in every run by tests/unit/test_ingest_layouts_forms.py
    first, *others = [mart_hashes(tmp_path, form) for form in FORMS]
    assert all(other == first for other in others)


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("existing", [False, True])
def test_interrupt_leaves_nothing_behind(tmp_path: Path, existing: bool) -> None:
    """SIGINT while a large file is read: exit code 130, one line, and the data folder as it was."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("CARBONPANEL_")} | places(tmp_path)
    path = tmp_path / "large.csv"
    if existing:
        path.write_text("city,year,gdp\n合肥市,2019,9409.4\n", encoding="utf-8")
        assert run_cli("ingest", str(path), "--as", "city_yearbook", env=places(tmp_path)).returncode == 0
    data = tmp_path / "data"
    before = {one: one.read_bytes() for one in sorted(data.rglob("*")) if one.is_file()}
    with path.open("w", encoding="utf-8") as handle:
        handle.write("city,year,gdp,note\n")
        for number in range(600_000):
            handle.write(f"某{number % 997}县,{1950 + number % 70},1234.5,a line of a large table\n")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "ingest", str(path), "--as", "city_yearbook"],
        env=env | {"NO_COLOR": "1", "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    # The first line says that reading has begun; the file takes seconds from there.
    line = process.stderr.readline()
    assert "reading large.csv" in line
    time.sleep(0.3)
    assert process.poll() is None, "the file was read before it could be interrupted"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "Traceback" not in err and "interrupted" in err
    assert {one: one.read_bytes() for one in sorted(data.rglob("*")) if one.is_file()} == before


def test_a_large_file_stays_small_in_memory_and_tells_its_progress() -> None:
    """The benchmark with a tenth of its file: it raises where memory or progress are not as they must be."""
    (comparison,) = measure(megabytes=20)
    assert "progress told" in comparison.note
