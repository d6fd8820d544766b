"""Locks between processes, the writer transaction, and renaming databases into place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.locks import FileLock
from analysis_py.settings import project_root
from analysis_py.warehouse import (
    attach_read_only,
    make_room,
    open_memory,
    open_private,
    open_read,
    open_write,
    replace_database,
    settle,
    simulated,
)


def test_a_second_holder_is_refused_and_told_who(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path\n"
        "from analysis_py.locks import FileLock\n"
        "with FileLock(Path(sys.argv[1]), purpose='testing'):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path), str(project_root())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(CarbonpanelError, match=rf"testing \(PID {holder.pid}") as caught, FileLock(path, purpose="me"):
        pass
    assert caught.value.code == "CP-DB-BUSY"
    holder.kill()  # a killed holder frees the lock
    holder.wait()
    with FileLock(path, purpose="me"):
        pass


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "d.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema results; create table results.t (x integer); insert into results.t values (1)")
    return path


def count(path: Path) -> int:
    with open_read(path) as con:
        return con.execute("select count(*) from t").fetchone()[0]  # found along the search path


def test_a_failed_transaction_leaves_the_old_rows(database: Path) -> None:
    with pytest.raises(ValueError, match="half way"), open_write(database) as con:
        con.execute("insert into t values (2)")
        raise ValueError("half way")
    assert count(database) == 1
    with open_write(database) as con:
        con.execute("insert into t values (2)")
    assert count(database) == 2


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(CarbonpanelError) as caught, open_read(tmp_path / "no.duckdb"):
        pass
    assert caught.value.code == "CP-DB-MISSING"
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"nonsense" * 4096)
    with pytest.raises(CarbonpanelError) as caught, open_read(broken):
        pass
    assert caught.value.code == "CP-DB-UNREADABLE"
    with open_private(tmp_path / "new.duckdb") as con:
        assert attach_read_only(con, broken, "old") is False


def test_reading_cannot_write(database: Path) -> None:
    with open_read(database) as con, pytest.raises(duckdb.InvalidInputException):
        con.execute("delete from t")


def test_private_sql_cannot_reach_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n", encoding="utf-8")
    with open_memory() as con, pytest.raises(duckdb.PermissionException):
        con.execute(f"select * from read_csv('{secret}')")


def test_a_leftover_log_is_folded_in_before_the_rename(database: Path, tmp_path: Path) -> None:
    code = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); c.execute('insert into results.t values (2)'); "
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(database)], check=False)
    wal = database.with_name(database.name + ".wal")
    assert wal.exists()
    settle(database)
    assert not wal.exists()
    assert count(database) == 2
    fresh = tmp_path / "fresh.duckdb"
    with duckdb.connect(str(fresh)) as con:
        con.execute("create schema results; create table results.t as select 7 as x")
    replace_database(fresh, database)
    assert count(database) == 1
    assert not fresh.exists()


def test_what_cannot_be_known_counts_as_simulated(database: Path) -> None:
    with open_read(database) as con:
        assert simulated(con) is True
    with open_write(database) as con:
        con.execute("create schema meta; create table meta.build as select false as is_simulated")
    with open_read(database) as con:
        assert simulated(con) is False


def test_only_a_warehouse_of_ours_is_read_or_replaced(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARBONPANEL_DATABASE", str(database))
    for attempt in (lambda: open_read().__enter__(), lambda: make_room(database)):
        with pytest.raises(CarbonpanelError) as caught:
            attempt()
        assert caught.value.code == "CP-DB-FOREIGN"
    with open_write(database) as con:
        con.execute("create schema meta; create table meta.build as select true as is_simulated")
    assert make_room(database) is None
    assert count(database) == 1
    table = tmp_path / "numbers.csv"
    table.write_text("a,b\n1,2\n", encoding="utf-8")
    note = make_room(table)
    assert note is not None
    assert not table.exists()
    (aside,) = tmp_path.glob("numbers.csv.damaged-*")
    assert aside.read_text(encoding="utf-8") == "a,b\n1,2\n"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="rights do not bind this user")
def test_a_folder_without_rights_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CarbonpanelError) as caught, FileLock(tmp_path / "x.lock", purpose="me"):
        pass
    assert caught.value.code == "CP-FILE-UNWRITABLE"


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(CarbonpanelError) as caught, FileLock(tmp_path / "file" / "x.lock", purpose="me"):
        pass
    assert caught.value.code == "CP-FILE-UNWRITABLE"
