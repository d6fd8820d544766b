"""Makes the folder of the database file, so that plain ``dbt build`` works on a fresh clone.

DuckDB creates a missing file but not a missing folder, and ``warehouse/`` is not tracked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin


class Plugin(BasePlugin):
    """A dbt-duckdb plugin; dbt-duckdb calls it just before the connection is opened."""

    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, Any]) -> None:
        if creds.path != ":memory:" and "://" not in creds.path:
            Path(creds.path).expanduser().parent.mkdir(parents=True, exist_ok=True)
