"""The number of threads changes nothing: equal ordered exports of every table, and equal hashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis_py.warehouse import open_read


def _exports(database: Path) -> dict[str, tuple[object, ...]]:
    """Of every table that data flow through: rows, and a checksum of their texts that no order can change."""
    with open_read(database) as con:
        tables = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where schema_name in ('raw', 'staging', 'intermediate', 'marts') order by 1"
        ).fetchall()
        return {
            name: con.execute(
                f"select count(*), sum(cast(hash(cast(t as varchar)) as hugeint)) from {name} as t"
            ).fetchone()
            for (name,) in tables
        }


def _hashes(database: Path) -> list[tuple[object, ...]]:
    with open_read(database) as con:
        return con.execute("from meta.mart_hash order by all").fetchall()


@pytest.mark.nightly
def test_one_thread_and_two_give_the_same(demo_database: Path, demo_database_one_thread: Path) -> None:
    # the marts and results are compared across threads and hash seeds by tests/cli/test_same_bytes.py in every run
    two, one = _exports(demo_database), _exports(demo_database_one_thread)
    assert len(two) > 25
    assert {name for name in two if two[name] != one.get(name)} == set()
    assert _hashes(demo_database) == _hashes(demo_database_one_thread)


def test_mart_hashes_cover_every_mart(demo_database: Path) -> None:
    hashes = _hashes(demo_database)
    with open_read(demo_database) as con:
        marts = con.execute("select table_name from duckdb_tables() where schema_name = 'marts' order by 1").fetchall()
    assert [(name,) for _, name, _, _ in hashes] == marts
    assert ("panel_yellow_river",) in marts
