"""Why a column of a mart has no value: the raw indicators behind it that no file brought.

The column dictionary says of each column what it is made from; this follows it from a mart's column down to the columns
that a source brings, and looks which of those are empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

#: One input in a dictionary entry: a column of the same table or ``table.column``, with a row or filter after it.
_INPUT = re.compile(r"(?:(?P<table>\w+)\.)?(?P<column>\w+)")


@dataclass(frozen=True)
class _Entry:
    schema: str
    inputs: str
    source: str


def explain_empty(con: duckdb.DuckDBPyConnection, table: str, columns: Iterable[str]) -> dict[str, str]:
    """For each column of a mart without any value, why: ``no file brought trade_total (city_yearbook)``.

    Columns of which the dictionary knows no way down to a source are left out.
    """
    entries = _entries(con)
    found = {}
    for column in columns:
        leaves = _leaves(entries, (table, column))
        missing = [leaf for leaf in leaves if not _has_values(con, entries, leaf)]
        names = [f"{entries[leaf].inputs or leaf[1]} ({entries[leaf].source})" for leaf in missing or leaves]
        listed = ", ".join(dict.fromkeys(names))
        if missing:
            found[column] = f"no file brought {listed}"
        elif leaves:
            found[column] = f"made from {listed}, which meet in no row"
    return found


def _entries(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], _Entry]:
    rows = con.execute(
        "select model_name, column_name, schema_name, inputs, source from meta.column_dictionary"
        " where schema_name in ('marts', 'intermediate') order by schema_name desc, model_name, ordinal"
    ).fetchall()
    return {(r[0], r[1]): _Entry(*(str(v or "") for v in r[2:])) for r in rows}


def _leaves(entries: Mapping[tuple[str, str], _Entry], start: tuple[str, str]) -> list[tuple[str, str]]:
    """Columns with a source behind ``start``, in the order they are named."""
    leaves: list[tuple[str, str]] = []
    seen = {start}
    waiting = [start]
    while waiting:
        at = waiting.pop(0)
        entry = entries.get(at)
        if entry is None:
            continue
        if entry.source:
            leaves.append(at)
            continue
        inputs = [_INPUT.match(text.strip()) for text in entry.inputs.split(",")]
        steps = [(hit["table"] or at[0], hit["column"]) for hit in inputs if hit]
        known = [step for step in steps if step in entries and step not in seen]
        seen |= set(known)
        waiting += known
    return leaves


def _has_values(
    con: duckdb.DuckDBPyConnection, entries: Mapping[tuple[str, str], _Entry], leaf: tuple[str, str]
) -> bool:
    row = con.execute(f'select count("{leaf[1]}") from "{entries[leaf].schema}"."{leaf[0]}"').fetchone()
    return row is not None and int(row[0]) > 0
