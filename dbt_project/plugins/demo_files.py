"""Gives dbt's SQL one function, ``draw_demo_files(folder)``, that draws the Parquet sources of the demo world.

The macro of the same name calls it before any model, and only when one of those sources is read from the demo world.
Files that are there and current are left alone, so that a build loses milliseconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin


def draw_demo_files(folder: str) -> bool:
    """Whether files were drawn into ``folder``; an error ends dbt's run with its message."""
    from analysis_py.simulate.drawn_files import ensure_drawn_files

    return ensure_drawn_files(Path(folder).expanduser())


class Plugin(BasePlugin):
    """A dbt-duckdb plugin; dbt-duckdb calls it once the connection is open."""

    def configure_connection(self, conn: Any) -> None:
        conn.create_function(
            "draw_demo_files",
            draw_demo_files,
            [duckdb.sqltypes.VARCHAR],
            duckdb.sqltypes.BOOLEAN,
            side_effects=True,
        )
