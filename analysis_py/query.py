"""A person's SQL on the curated panels: read-only, limited output, errors that say what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis_py.errors import CarbonpanelError
from analysis_py.warehouse import open_read, simulated


@dataclass(frozen=True)
class QueryResult:
    """Columns, their DuckDB types, the rows fetched, and whether more were left."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[Sequence[object], ...]
    truncated: bool
    simulated: bool


def run_query(sql: str, *, limit: int = 0, database: Path | None = None) -> QueryResult:
    """Run one read-only statement; at most ``limit`` rows are fetched (0 = all).

    Raises ``CP-SQL`` with DuckDB's own explanation, ``CP-SQL-EMPTY`` for an empty text.
    """
    import duckdb

    if not sql.strip().strip(";").strip():
        raise CarbonpanelError("CP-SQL-EMPTY", "the query is empty", remedy="try: carbonpanel sql 'show all tables'")
    with open_read(database) as con:
        try:
            # a query sees the warehouse and nothing else: no files, no network, no way back
            con.execute("set enable_external_access = false")
            con.execute("set lock_configuration = true")
            statements = con.extract_statements(sql)
            if len(statements) != 1:
                raise CarbonpanelError(
                    "CP-SQL-SEVERAL", f"there are {len(statements)} statements", remedy="run them one at a time"
                )
            cursor = con.execute(statements[0])
            description = cursor.description or []
            rows = cursor.fetchmany(limit + 1) if limit else cursor.fetchall()
        except duckdb.Error as error:
            message = str(error).strip()
            where = None
            if "LINE 1:" in message:
                message, _, where = message.partition("\n\nLINE")
                where = "line" + where.rstrip()
            if isinstance(error, duckdb.PermissionException):
                remedy = "carbonpanel sql sees the warehouse only; write its output to a file with > or --format csv"
            elif "read-only" in message:
                remedy = "carbonpanel sql only reads; open the file with DuckDB yourself to change it"
            else:
                remedy = "carbonpanel describe lists tables; carbonpanel describe TABLE lists its columns"
            raise CarbonpanelError("CP-SQL", message.replace("\n", " "), where=where, remedy=remedy) from None
        return QueryResult(
            columns=tuple(str(d[0]) for d in description),
            types=tuple(str(d[1]) for d in description),
            rows=tuple(rows[:limit] if limit else rows),
            truncated=bool(limit) and len(rows) > limit,
            simulated=simulated(con),
        )
