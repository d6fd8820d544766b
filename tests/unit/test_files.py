"""Whole or not at all, for small files; hashes of what results depend on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.files import read_text, refuse_same_file, write_json, write_text
from analysis_py.fingerprint import hash_bytes, hash_files, warehouse_hash
from analysis_py.settings import project_root


def test_json_is_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out.json"
    write_json(target, {"城市": [1, None]})
    assert target.read_text(encoding="utf-8") == '{\n "城市": [\n  1,\n  null\n ]\n}\n'
    with pytest.raises(ValueError, match="Out of range"):
        write_json(target, {"x": float("nan")})
    assert "城市" in target.read_text(encoding="utf-8")
    assert [p.name for p in target.parent.iterdir()] == ["out.json"]


@pytest.mark.skipif(os.name != "posix", reason="devices, pipes and links as on POSIX")
def test_streams_are_written_to_and_never_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("-", "/dev/stdout"):
        write_text(Path(name), "to the screen")
    assert capsys.readouterr().out == "to the screen" * 2
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert pipe.is_fifo()
    write_text(Path(os.devnull), "gone")
    assert Path(os.devnull).is_char_device()
    link = tmp_path / "link.json"
    (tmp_path / "kept.json").write_text("old", encoding="utf-8")
    link.symlink_to(tmp_path / "kept.json")
    write_text(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "kept.json").read_text(encoding="utf-8") == "new"


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="there is no /dev/full here")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n2\n", encoding="utf-8")
    command = [sys.executable, str(project_root() / "cli.py"), "describe-data", str(tmp_path / "a.csv")]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "error CP-DISK-FULL" in done.stderr
    assert "Traceback" not in done.stderr
    with pytest.raises(CarbonpanelError, match="cannot be written"):
        write_text(Path("/dev/full"), "x" * 10)


def test_unwritable_and_unreadable_places_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(CarbonpanelError) as caught:
        write_text(tmp_path / "file" / "below", "y")
    assert caught.value.code == "CP-FILE-UNWRITABLE"
    for path, code in ((tmp_path, "CP-FILE-FOLDER"), (tmp_path / "none", "CP-FILE-MISSING")):
        with pytest.raises(CarbonpanelError) as caught:
            read_text(path)
        assert caught.value.code == code
    (tmp_path / "latin").write_bytes(b"\xff\xfea")
    with pytest.raises(CarbonpanelError) as caught:
        read_text(tmp_path / "latin")
    assert caught.value.code == "CP-FILE-ENCODING"


def test_hashes_see_names_contents_and_boundaries(tmp_path: Path) -> None:
    assert hash_bytes(b"ab", b"c") != hash_bytes(b"a", b"bc")
    (tmp_path / "a").write_text("1", encoding="utf-8")
    (tmp_path / "b").write_text("2", encoding="utf-8")
    files = [tmp_path / "a", tmp_path / "b"]
    before = hash_files(files, relative_to=tmp_path)
    assert before == hash_files(reversed(files), relative_to=tmp_path)
    (tmp_path / "b").write_text("3", encoding="utf-8")
    assert before != hash_files(files, relative_to=tmp_path)


def test_a_users_file_changes_what_the_warehouse_is_built_from(tmp_path: Path) -> None:
    before = warehouse_hash(project_root(), tmp_path, "{}")
    assert before == warehouse_hash(project_root(), tmp_path / "absent", "{}")
    assert before != warehouse_hash(project_root(), tmp_path, '{"co2_source": "ceads"}')
    (tmp_path / "city_yearbook").mkdir()
    (tmp_path / "city_yearbook" / "mine.parquet").write_bytes(b"PAR1")
    assert before != warehouse_hash(project_root(), tmp_path, "{}")


def test_errors_say_where_and_what_to_do() -> None:
    error = CarbonpanelError(
        "CP-X",
        "text in a number",
        where=Place("f.csv", "Sheet1", 12, "gdp"),
        remedy=did_you_mean("gpd", ["gdp", "year"]),
    )
    assert str(error) == (
        "error CP-X: text in a number\n  where:  f.csv, sheet 'Sheet1', row 12, column 'gdp'\n"
        "  remedy: did you mean 'gdp'?"
    )
    assert did_you_mean("zzzz", ["b", "a"]) == "known names: a, b"


def test_an_output_never_replaces_its_input(tmp_path: Path) -> None:
    source = tmp_path / "data.csv"
    source.write_text("a\n1\n", encoding="utf-8")
    (tmp_path / "link.json").symlink_to(source)
    for target in (source, tmp_path / "link.json"):
        with pytest.raises(CarbonpanelError) as caught:
            refuse_same_file(target, [None, source])
        assert caught.value.code == "CP-FILE-SAME"
    refuse_same_file(tmp_path / "out.json", [source])
    refuse_same_file(None, [source])
