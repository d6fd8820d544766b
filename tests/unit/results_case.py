"""A database with the results tables as dbt makes them, for tests of what is written to them."""

from __future__ import annotations

from pathlib import Path

import duckdb

from analysis_py.settings import project_root


def result_tables_sql() -> str:
    """The statements of the macro ``create_result_tables``, without its Jinja."""
    text = (project_root() / "dbt_project" / "macros" / "create_result_tables.sql").read_text("utf-8")
    start, end = text.index("create schema"), text.index("{% endmacro %}")
    return text[start:end]


def results_database(path: Path | None = None) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(str(path) if path else ":memory:")
    con.execute(result_tables_sql())
    return con
