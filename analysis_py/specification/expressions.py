"""SQL conditions and expressions of a study, evaluated on a panel by DuckDB, safely.

The text is parsed first and only an expression over the panel's columns is let through: no statement, no subquery, no
``*``, no function whose value changes from call to call. It runs in a private in-memory database without access to
files, on the columns it names and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.specification.foreign_spellings import advise_on_expression
from analysis_py.warehouse import open_memory

if TYPE_CHECKING:
    import duckdb

_REFUSED = {"SUBQUERY": "a subquery", "STAR": "*", "PARAMETER": "a parameter", "LAMBDA": "a lambda"}
#: Read in Stata's sense, ``year > 2010 | treated`` would be year > (2010 | treated): a wrong sample without a word.
_BITWISE = ("&", "|", "~", "xor")


@dataclass(frozen=True)
class Expression:
    """A parsed SQL expression: its text and the panel's columns it names, in order of first use."""

    text: str
    columns: tuple[str, ...]
    spellings: tuple[str, ...]


def parse_expression(text: str, columns: Collection[str], where: str = "") -> Expression:
    """Read one SQL expression, given the names that are columns (exact spelling first, then any case).

    Raises
    ------
    CarbonpanelError
        ``CP-STUDY-SQL`` (syntax, or something other than an expression) or ``CP-STUDY-COLUMN`` (with the nearest name).
    """
    spellings = _named_columns(text, frozenset(columns), where)
    return Expression(text, tuple(_match(s, columns, where, text) for s in spellings), spellings)


@lru_cache(maxsize=512)
def _named_columns(text: str, columns: frozenset[str], where: str) -> tuple[str, ...]:
    """The column names in an expression, as it spells them, after checking that it is nothing more."""
    import duckdb

    with open_memory() as con:
        try:
            row = con.execute("select json_serialize_sql(?::varchar)", [f"select (\n{text}\n) as value"]).fetchone()
            # "a) or (b" is an expression between brackets alone
            alone = con.execute("select json_serialize_sql(?::varchar)", [f"select {text}\n as value"]).fetchone()
            unstable = _first_column(
                con, "select distinct function_name from duckdb_functions() where stability <> 'CONSISTENT'"
            )
            aggregates = _first_column(
                con,
                "select function_name from duckdb_functions() group by function_name"
                " having bool_and(function_type = 'aggregate')",
            )
            keywords = _first_column(con, "select keyword_name from duckdb_keywords()")
            reserved = _first_column(
                con,
                "select keyword_name from duckdb_keywords() where keyword_category in ('reserved', 'type_function')",
            )
        except duckdb.Error as error:
            raise _refuse(text, str(error).splitlines()[0], where) from None
    tree = json.loads(row[0]) if row else {"error": True}
    if tree.get("error"):
        why = str(tree.get("error_message", "it does not parse"))
        raise _refuse(
            text, why, where, advise_on_expression(text) or _remedy_for_keyword(text, why, columns, keywords, reserved)
        )
    node = tree["statements"][0]["node"]
    if (
        len(tree["statements"]) != 1
        or node.get("type") != "SELECT_NODE"
        or len(node["select_list"]) != 1
        or node["from_table"]["type"] != "EMPTY"
        or node.get("where_clause")
        or node.get("group_expressions")
        or node.get("having")
        or node.get("modifiers")
    ):
        raise _refuse(text, "it is more than one expression", where)
    bare = json.loads(alone[0]) if alone else {}
    if bare.get("error"):
        raise _refuse(text, str(bare.get("error_message", "it does not parse")), where)
    spellings: list[str] = []
    for part in _walk(node["select_list"][0]):
        kind = part.get("class")
        if kind in _REFUSED:
            raise _refuse(text, f"{_REFUSED[str(kind)]} is not allowed in a study", where)
        function = str(part.get("function_name") or "").lower()
        if function == "log":
            raise _refuse(text, "log() is base 10 in SQL and natural in a term; write ln() or log10()", where)
        if part.get("type") in ("WINDOW_LAG", "WINDOW_LEAD"):
            remedy = "lags by calendar time are terms: L.x or F.x in the model, or transforms: {x: lag(1)}"
            raise _refuse(text, f"{function}() counts rows, not calendar time, and jumps over gaps", where, remedy)
        if kind == "FUNCTION" and function in aggregates:
            shown = _shown_call(function, part)
            remedy = f"write {shown} over () for the whole panel, or {shown} over (partition by ...) for groups of it"
            raise _refuse(text, f"{function}() takes many rows together and has no value of its own row", where, remedy)
        if kind == "FUNCTION" and function in _BITWISE:
            raise _refuse(text, f"{function} works on the bits of whole numbers and binds before =, < and >", where)
        if function in unstable:
            raise _refuse(text, f"the value of {function}() changes from call to call", where)
        if kind == "COLUMN_REF":
            name = _column_name(part["column_names"], columns, where)
            if name not in spellings:
                spellings.append(name)
    return tuple(spellings)


def evaluate_condition(expression: Expression, frame: pd.DataFrame, where: str = "") -> np.ndarray:
    """Boolean rows of ``frame`` on which a condition holds; missing counts as not."""
    value = _evaluate(expression, frame, f"coalesce(cast((\n{expression.text}\n) as boolean), false)", where)
    return value.to_numpy(zero_copy_only=False).astype(bool)


def evaluate_expression(expression: Expression, frame: pd.DataFrame, where: str = "") -> pd.Series:
    """Values of an expression, one a row of ``frame``: numbers and booleans as float64 (NaN missing), else objects."""
    value = _evaluate(expression, frame, f"(\n{expression.text}\n)", where)
    kind = value.type
    if pa.types.is_boolean(kind):
        value = value.cast(pa.int8())
        kind = value.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pd.Series(value.cast(pa.float64()).to_numpy(zero_copy_only=False), index=frame.index)
    if pa.types.is_null(kind):
        return pd.Series(np.nan, index=frame.index)
    return pd.Series(value.to_pylist(), index=frame.index, dtype=object)


def _evaluate(expression: Expression, frame: pd.DataFrame, select: str, where: str) -> pa.Array:
    import duckdb

    table = {"__row": pa.array(np.arange(len(frame)), type=pa.int64())}
    for column, spelling in zip(expression.columns, expression.spellings, strict=True):
        if spelling.lower() in {c.lower() for c in table}:
            raise CarbonpanelError(
                "CP-STUDY-SQL",
                f"'{expression.text}' names two columns that differ only in upper and lower case",
                where=where,
                remedy="SQL does not tell them apart; rename one in your file",
            )
        table[spelling] = _arrow(frame[column])
    with open_memory() as con:
        try:
            con.register("panel", pa.table(table))
            result = con.execute(f"select __row, {select} as value from panel order by __row").to_arrow_table()
        except duckdb.Error as error:
            why = str(error).splitlines()[0]
            undefined = (
                "ln() of zero or less is an error in SQL; as a term, ln(x), and in transforms: {x: ln}, it is missing"
            )
            raise _refuse(expression.text, why, where, undefined if "logarithm" in why else "") from None
    if result.num_rows != len(frame):
        raise _refuse(expression.text, f"it gives {result.num_rows} values for {len(frame)} rows", where)
    return result.column("value").combine_chunks()


def _arrow(column: pd.Series) -> pa.Array:
    if column.dtype == object:
        return pa.array([None if pd.isna(v) else v for v in column])
    return pa.Array.from_pandas(column)


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for key in sorted(node):
            yield from _walk(node[key])
    elif isinstance(node, list):
        for item in node:
            yield from _walk(item)


def _column_name(parts: list[str], columns: Collection[str], where: str) -> str:
    if len(parts) == 1 or parts[0].lower() == "panel":
        return parts[-1]
    name = ".".join(parts)
    raise CarbonpanelError(
        "CP-STUDY-SQL",
        f"'{name}' is not a column",
        where=where,
        remedy=f'lags are terms of a model, not SQL; a column with a dot in its name is written "{name}"'
        if name not in columns
        else f'write it in double quotes: "{name}"',
    )


def _match(name: str, columns: Collection[str], where: str, text: str) -> str:
    if name in columns:
        return name
    hits = [c for c in columns if c.lower() == name.lower()]
    if len(hits) == 1:
        return hits[0]
    raise CarbonpanelError(
        "CP-STUDY-COLUMN",
        f"there is no column '{name}'",
        where=where,
        remedy=f"a text stands in single quotes: '{name}'"
        if f'"{name}"' in text
        else advise_on_expression(text) or did_you_mean(name, columns),
    )


def _first_column(con: duckdb.DuckDBPyConnection, query: str) -> frozenset[str]:
    return frozenset(str(row[0]) for row in con.execute(query).fetchall())


def _remedy_for_keyword(
    text: str, why: str, columns: Collection[str], keywords: Collection[str], reserved: Collection[str]
) -> str:
    """What to write when the expression does not parse because a column is called like a word of SQL; '' otherwise."""
    at = re.search(r'at or near "(\w+)"', why)
    # without its quoted parts, in which such a word does no harm
    bare = re.findall(r"\w+", re.sub(r"'[^']*'|\"[^\"]*\"", " ", text))
    suspects = [
        *([at[1]] if at and at[1].lower() in keywords else []),
        *(word for word in bare if word.lower() in reserved),
    ]
    for word in suspects:
        hits = [c for c in columns if c == word] or [c for c in sorted(columns) if c.lower() == word.lower()]
        if hits:
            return f"'{hits[0]}' is a word of SQL too; write the column in double quotes: \"{hits[0]}\""
    return ""


def _shown_call(function: str, part: dict[str, Any]) -> str:
    inner = ", ".join(
        ".".join(child["column_names"]) if child.get("class") == "COLUMN_REF" else "..." for child in part["children"]
    )
    return "count(*)" if function == "count_star" else f"{function}({inner})"


def _refuse(text: str, why: str, where: str, remedy: str = "") -> CarbonpanelError:
    return CarbonpanelError(
        "CP-STUDY-SQL",
        f"'{text}' is not a usable SQL expression: {why}",
        where=where,
        remedy=remedy
        or advise_on_expression(text)
        or "write one expression over the panel's columns, for example: year >= 2006 and not is_municipality",
    )
