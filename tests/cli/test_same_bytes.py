"""Equal ordered exports of marts and results, whatever the thread count and PYTHONHASHSEED."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.conftest import places, run_cli

#: Columns that name a moment or a run, not a number.
MOMENTS = {"run_id", "started_at", "finished_at", "validation_id", "database_name"}


def export(database: Path) -> dict[str, str]:
    """A checksum of the rows of every table of marts, results, meta and quality, without ids and times.

    A double is written as the shortest text that reads back the same, so that its last bit counts.
    """
    hashes = {}
    with duckdb.connect(str(database), read_only=True) as con:
        tables = con.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema in ('marts', 'results', 'quality', 'meta', 'intermediate') order by all"
        ).fetchall()
        for schema, table in tables:
            if (schema, table) == ("meta", "refresh"):
                continue
            columns = [
                row[0]
                for row in con.execute(f'describe "{schema}"."{table}"').fetchall()
                if row[0] not in MOMENTS and not str(row[1]).startswith("TIMESTAMP")
            ]
            names = ", ".join(f'"{c}"' for c in columns)
            rows = f'select {names} from "{schema}"."{table}"'
            found = con.execute(
                f"select count(*), sum(cast(hash(cast(t as varchar)) as hugeint)) from ({rows}) as t"
            ).fetchone()
            hashes[f"{schema}.{table}"] = repr(found)
    return hashes


def build(folder: Path, threads: int, hash_seed: int, cache: Path) -> dict[str, str]:
    (folder / "warehouse").mkdir(parents=True)
    shutil.copytree(cache / "warehouse" / "carbonpanel.build", folder / "warehouse" / "carbonpanel.build")
    env = places(folder) | {"PYTHONHASHSEED": str(hash_seed)}
    result = run_cli("run", "--threads", str(threads), env=env, timeout=1500)
    assert result.returncode == 0, result.stdout + result.stderr
    return export(folder / "warehouse" / "carbonpanel.duckdb")


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    assert one.keys() == other.keys()
    return [name for name in one if one[name] != other[name]]


def test_export_sees_a_changed_number(world: Path) -> None:
    database = world / "warehouse" / "carbonpanel.duckdb"
    before = export(database)
    with duckdb.connect(str(database)) as con:
        con.execute("update results.coefficient set estimate = estimate + 1e-15 where position = 1")
    assert differences(before, export(database))


def test_threads_and_hash_seeds(tmp_path: Path, built_world: Path) -> None:
    # the shared warehouse was built with two threads and a random hash seed; the other combinations are run nightly
    first = export(built_world / "warehouse" / "carbonpanel.duckdb")
    assert differences(first, build(tmp_path / "a", 1, 3, built_world)) == []


@pytest.mark.nightly
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("hash_seed", range(5))
def test_all_threads_and_hash_seeds(tmp_path: Path, built_world: Path, threads: int, hash_seed: int) -> None:
    first = export(built_world / "warehouse" / "carbonpanel.duckdb")
    assert differences(first, build(tmp_path / "c", threads, hash_seed, built_world)) == []
