"""``kill -9`` at random moments of ``refresh`` and ``estimate``: the old state or the new one, never half."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT, places, run_cli

SEED = 20251122


def start_cli(folder: Path, *args: str) -> subprocess.Popen[bytes]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("CARBONPANEL_")} | places(folder)
    return subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), *args],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_after(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kill the process after ``seconds``; whether it was still alive then."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def state(folder: Path) -> dict[str, object]:
    """What a reader sees: marts by hash, whole runs, stored validations; fails when anything is half."""
    with duckdb.connect(str(folder / "warehouse" / "carbonpanel.duckdb"), read_only=True) as con:
        hashes = con.execute("select table_name, n_rows, hash from meta.mart_hash order by 1").fetchall()
        assert hashes
        for table, rows, _ in hashes:
            assert con.execute(f'select count(*) from marts."{table}"').fetchone()[0] == rows
        runs = con.execute("select run_id, status from results.run order by 1").fetchall()
        broken = con.execute(
            "select m.run_id, m.id from results.model m anti join results.run r using (run_id) union all "
            "select r.run_id, null from results.run r anti join results.model m using (run_id) union all "
            "select c.run_id, c.id from results.coefficient c anti join results.model m using (run_id, id) union all "
            "select m.run_id, m.id from results.model m anti join results.coefficient c using (run_id, id) "
            "where m.status in ('ok', 'warned') and m.estimator <> 'descriptive'"
        ).fetchall()
        assert broken == []
        assert con.execute("select count(*) from meta.refresh").fetchone()[0] == 1
        return {"hashes": hashes, "runs": runs}


def duration(folder: Path, *args: str) -> float:
    started = time.monotonic()
    result = run_cli(*args, env=places(folder))
    assert result.returncode == 0, result.stdout + result.stderr
    return time.monotonic() - started


def trial(folder: Path, rng: random.Random, seconds: float, *args: str) -> None:
    before = state(folder)
    kill_after(start_cli(folder, *args), rng.uniform(0.05, seconds * 1.05))
    after = state(folder)
    assert after["hashes"] == before["hashes"]  # nothing that the marts are made from has changed
    lost = [run for run in before["runs"] if run not in after["runs"]]
    assert lost == []
    new = len(after["runs"]) - len(before["runs"])
    if args[0] == "refresh":
        assert new == 0
    else:
        assert new in (0, STUDY_TABLES)


STUDY_TABLES = len(list((ROOT / "analysis_py" / "studies" / "carbon_productivity").glob("*.yml")))
REFRESH = ("refresh", "--force")
ESTIMATE = ("estimate", "carbon_productivity")


def run_trials(folder: Path, refreshes: int, estimates: int) -> None:
    rng = random.Random(SEED)
    # what the world's first run took is longer than a refresh: some kills come after its end, which must hold as well
    first = float((folder / "seconds").read_text(encoding="utf-8"))
    seconds = {REFRESH: first, ESTIMATE: duration(folder, *ESTIMATE)}
    for command, count in ((REFRESH, refreshes), (ESTIMATE, estimates)):
        for _ in range(count):
            trial(folder, rng, seconds[command], *command)
    # the next run works, and nothing of the killed ones is left in its way
    for command in (REFRESH, ESTIMATE):
        duration(folder, *command)
    state(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_kill_leaves_old_or_new(world: Path) -> None:
    run_trials(world, refreshes=1, estimates=3)


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_many_kills_leave_old_or_new(world: Path) -> None:
    run_trials(world, refreshes=25, estimates=25)


def test_interrupt_says_one_line_and_changes_nothing(world: Path) -> None:
    before = state(world)
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "refresh", "--force"],
        env={k: v for k, v in os.environ.items() if not k.startswith("CARBONPANEL_")} | places(world),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "Traceback" not in out + err
    assert "interrupted" in err
    assert state(world) == before


def test_second_writer_gets_one_clear_line(world: Path) -> None:
    process = start_cli(world, "refresh", "--force")
    try:
        time.sleep(2.5)
        assert process.poll() is None
        second = run_cli("refresh", "--force", env=places(world))
    finally:
        process.kill()
        process.wait()
    assert second.returncode == 1
    assert second.stderr.count("error CP-DB-BUSY") == 1
    assert f"PID {process.pid}" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_database_held_by_a_foreign_writer_is_named(world: Path) -> None:
    database = places(world)["CARBONPANEL_DATABASE"]
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb, time; c = duckdb.connect({database!r}); print('open', flush=True); time.sleep(120)",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        result = run_cli("sql", "select 1", env=places(world), timeout=60)
    finally:
        holder.kill()
        holder.wait()
    assert result.returncode == 1
    assert f"PID {holder.pid}" in result.stderr
    assert "error CP-DB-BUSY" in result.stderr
