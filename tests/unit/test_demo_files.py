"""Parquet sources of the demo world: drawn when they must be, the same bytes always, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.inputs import current_inputs, has_demo
from analysis_py.settings import DEFAULT_SEED, paths, project_root
from analysis_py.simulate import DRAWN_SOURCES
from analysis_py.simulate.drawn_files import LOCK, STAMP, ensure_drawn_files
from analysis_py.simulate.firm_files import draw_files
from dbt_project.plugins.demo_files import Plugin

REFERENCE = paths().seeds / "reference"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo_files") / "demo"
    assert ensure_drawn_files(folder)
    return folder


def hashes(folder: Path) -> dict[str, str]:
    return {source: hashlib.sha256((folder / f"{source}.parquet").read_bytes()).hexdigest() for source in DRAWN_SOURCES}


def copy(drawn: Path, folder: Path) -> Path:
    folder.mkdir()
    for file in drawn.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def test_files_that_are_current_stay(drawn: Path) -> None:
    before = {f.name: f.stat().st_mtime_ns for f in drawn.iterdir()}
    assert not ensure_drawn_files(drawn)
    assert {f.name: f.stat().st_mtime_ns for f in drawn.iterdir()} == before
    assert sorted(before) == sorted([*(f"{s}.parquet" for s in DRAWN_SOURCES), STAMP, LOCK])


@pytest.mark.parametrize("environment", [{"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "2"}])
def test_bytes_are_the_same_in_every_process(drawn: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    code = (
        "import sys; from pathlib import Path; from analysis_py.simulate.drawn_files import ensure_drawn_files; "
        "ensure_drawn_files(Path(sys.argv[1]))"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "again")],
        env=os.environ | environment,
        cwd=project_root(),
        check=True,
    )
    assert hashes(tmp_path / "again") == hashes(drawn)


@pytest.mark.parametrize("source", DRAWN_SOURCES)
def test_an_absent_file_is_drawn_again(drawn: Path, tmp_path: Path, source: str) -> None:
    folder = copy(drawn, tmp_path / "demo")
    (folder / f"{source}.parquet").unlink()
    assert ensure_drawn_files(folder)
    assert hashes(folder) == hashes(drawn)


@pytest.mark.parametrize("stamp", ["", "{}", "[1]", '{"seed": 1}', "not json"])
def test_files_of_other_code_are_drawn_again(drawn: Path, tmp_path: Path, stamp: str) -> None:
    folder = copy(drawn, tmp_path / "demo")
    (folder / STAMP).write_text(stamp, encoding="utf-8")
    (folder / "listed_firms.parquet").write_bytes(b"of an older version")
    assert ensure_drawn_files(folder)
    assert hashes(folder) == hashes(drawn)


@pytest.mark.parametrize("source", DRAWN_SOURCES)
def test_a_damaged_file_is_drawn_again(drawn: Path, tmp_path: Path, source: str) -> None:
    folder = copy(drawn, tmp_path / "demo")
    file = folder / f"{source}.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    assert ensure_drawn_files(folder)
    assert hashes(folder) == hashes(drawn)


def test_looking_loads_no_heavy_library(drawn: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from analysis_py.simulate.drawn_files import ensure_drawn_files; "
        "print(ensure_drawn_files(Path(sys.argv[1])), sorted({'numpy', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(drawn)], cwd=project_root(), check=True, capture_output=True, text=True
    )
    assert said.stdout.strip() == "False []"


def test_another_seed_is_another_world(drawn: Path, tmp_path: Path) -> None:
    folder = copy(drawn, tmp_path / "demo")
    assert ensure_drawn_files(folder, seed=5)
    assert json.loads((folder / STAMP).read_text(encoding="utf-8"))["made_from"]["seed"] == 5
    assert all(hashes(folder)[source] != digest for source, digest in hashes(drawn).items())


def test_an_absent_reference_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        draw_files(DEFAULT_SEED, tmp_path / "nowhere")
    assert caught.value.code == "CP-FILE-MISSING"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(CarbonpanelError) as caught:
        ensure_drawn_files(tmp_path / "file" / "demo")
    assert caught.value.code == "CP-FILE-UNWRITABLE"
    assert "CARBONPANEL_DEMO" in str(caught.value)


def test_files_are_one_row_group_and_readable(drawn: Path) -> None:
    for source in DRAWN_SOURCES:
        footer = pq.ParquetFile(drawn / f"{source}.parquet")
        assert footer.num_row_groups == 1
        assert footer.metadata.num_rows > 10_000
    con = duckdb.connect()
    numbered = con.execute(
        f"select min(file_row_number), max(file_row_number) + 1 - count(*) "
        f"from read_parquet('{drawn}/listed_firms.parquet', file_row_number = true)"
    ).fetchone()
    assert numbered == (0, 0)


def test_dbt_gets_the_function(tmp_path: Path) -> None:
    con = duckdb.connect()
    Plugin("demo_files", {}).configure_connection(con)
    ask = "select draw_demo_files(?)"
    assert con.cursor().execute(ask, [str(tmp_path / "demo")]).fetchone() == (True,)
    assert con.cursor().execute(ask, [str(tmp_path / "demo")]).fetchone() == (False,)


def test_drawn_sources_are_of_the_demo_world(tmp_path: Path) -> None:
    assert all(has_demo(source) for source in (*DRAWN_SOURCES, "industry_robots", "industry_employment"))
    assert not has_demo("listed_cats")
    inputs = current_inputs(tmp_path)
    assert {inputs[source] for source in DRAWN_SOURCES} == {"demo"}


def test_demo_folder_goes_with_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARBONPANEL_DATABASE", str(tmp_path / "here" / "w.duckdb"))
    monkeypatch.delenv("CARBONPANEL_DEMO", raising=False)
    assert paths().demo == tmp_path / "here" / "demo"
    monkeypatch.setenv("CARBONPANEL_DEMO", str(tmp_path / "there"))
    assert paths().demo == tmp_path / "there"
