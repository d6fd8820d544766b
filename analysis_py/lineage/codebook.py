"""The codebook: tables, their columns, and single variables, from ``meta.column_dictionary`` and the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_py.errors import CarbonpanelError, did_you_mean

if TYPE_CHECKING:
    import duckdb

#: Order in which schemas are listed, from what people use most.
SCHEMA_ORDER = (
    "marts", "results", "quality", "published", "reference", "truth", "raw", "staging", "intermediate", "meta"
)  # fmt: skip


@dataclass(frozen=True)
class Description:
    """A titled table: ``columns`` are its headings, ``rows`` plain values in their order."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


def describe(con: duckdb.DuckDBPyConnection, name: str | None = None) -> Description:
    """Tables (no name), the columns of a table, or one variable.

    Parameters
    ----------
    name : ``TABLE`` or ``SCHEMA.TABLE``; ``COLUMN`` or ``TABLE.COLUMN``. Case does not count.

    Returns
    -------
    Description. Tables: schema, table, rows, description. A table: column, type, unit, description, fill rule, source,
    published variable, share of NULL, share filled. A variable: the same of every table it stands in, with its formula,
    inputs and range.

    Raises
    ------
    CarbonpanelError ``CP-NAME-UNKNOWN`` naming the nearest table or column.
    """
    tables = _tables(con)
    if name is None:
        rows = tuple((s, t, _count(con, s, t), d) for s, t, d in tables)
        return Description("", ("schema", "table", "rows", "description"), rows)
    schema, table, column = _place(con, tables, name)
    if column is None:
        return _describe_table(con, str(schema), str(table), tables)
    return _describe_variable(con, column, schema, table)


def _tables(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    rows = con.execute(
        "select schema_name, table_name, coalesce(comment, '') from duckdb_tables() where not internal "
        "union all select schema_name, view_name, coalesce(comment, '') from duckdb_views() where not internal"
    ).fetchall()
    known = [(str(s), str(t), " ".join(str(d).split())) for s, t, d in rows if s in SCHEMA_ORDER]
    return sorted(known, key=lambda r: (SCHEMA_ORDER.index(r[0]), r[1]))


def _count(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> int:
    row = con.execute(f'select count(*) from "{schema}"."{table}"').fetchone()
    return int(row[0]) if row else 0


def _columns(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    rows = con.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where not internal"
    ).fetchall()
    known = [(str(s), str(t), str(c)) for s, t, c in rows if s in SCHEMA_ORDER]
    return sorted(known, key=lambda r: (SCHEMA_ORDER.index(r[0]), r[1]))


def _place(
    con: duckdb.DuckDBPyConnection, tables: Sequence[tuple[str, str, str]], name: str
) -> tuple[str | None, str | None, str | None]:
    """(schema, table, None) of a table, or (schema or None, table or None, column)."""
    wanted = name.strip().lower()
    for s, t, _ in tables:
        if wanted in {t.lower(), f"{s}.{t}".lower()}:
            return s, t, None
    columns = _columns(con)
    exact = [c for c in columns if c[2] == name.strip()] or [c for c in columns if c[2].lower() == wanted]
    if exact:
        return None, None, exact[0][2]
    for s, t, c in columns:
        if wanted in {f"{t}.{c}".lower(), f"{s}.{t}.{c}".lower()}:
            return s, t, c
    head, _, tail = wanted.rpartition(".")
    inside = [c for s, t, c in columns if head in {t.lower(), f"{s}.{t}".lower()}]
    candidates = inside if inside else [t for _, t, _ in tables] + [c for _, _, c in columns]
    raise CarbonpanelError(
        "CP-NAME-UNKNOWN",
        f"there is no table or column '{name}'",
        remedy=did_you_mean(tail if inside else name, candidates),
    )


def _dictionary(
    con: duckdb.DuckDBPyConnection, schema: str, table: str
) -> list[tuple[str, str, str, str, str, str, str, str, str]]:
    """(column, type, unit, description, formula, inputs, fill rule, source, published variable), in column order."""
    rows = con.execute(
        "select c.column_name, c.data_type, d.unit, coalesce(d.description, c.comment), d.formula, d.inputs, "
        "d.fill_rule, d.source, d.variable "
        "from duckdb_columns() as c left join meta.column_dictionary as d "
        "on d.schema_name = c.schema_name and d.model_name = c.table_name and d.column_name = c.column_name "
        "where c.database_name = current_database() and c.schema_name = ? and c.table_name = ? order by c.column_index",
        [schema, table],
    ).fetchall()
    return [tuple("" if v is None else str(v) for v in row) for row in rows]  # type: ignore[misc]


def _shares(
    con: duckdb.DuckDBPyConnection, schema: str, table: str, columns: Sequence[str], present: Sequence[str]
) -> list[tuple[float | None, float | None]]:
    """Share of NULL, and share of filled values where the table has a fill code, of each of ``columns``."""
    terms = []
    for column in columns:
        terms.append(f'avg(case when "{column}" is null then 1.0 else 0.0 end)')
        code = f"{column}_fill"
        terms.append(
            f"avg(case when \"{code}\" in ('linear', 'carried', 'ratio') then 1.0 else 0.0 end)"
            if code in present
            else "null"
        )
    row = con.execute(f'select {", ".join(terms)} from "{schema}"."{table}"').fetchone() or ()
    return [(row[i], row[i + 1]) for i in range(0, len(row), 2)]


def _describe_table(
    con: duckdb.DuckDBPyConnection, schema: str, table: str, tables: Sequence[tuple[str, str, str]]
) -> Description:
    known = _dictionary(con, schema, table)
    names = [row[0] for row in known]
    shares = _shares(con, schema, table, names, names)
    rows = tuple(
        (column, kind, unit, text, rule, source, variable, missing, filled)
        for (column, kind, unit, text, _, _, rule, source, variable), (missing, filled) in zip(
            known, shares, strict=True
        )
    )
    text = next(d for s, t, d in tables if (s, t) == (schema, table))
    title = f"{schema}.{table}: {_count(con, schema, table)} rows. {text}".strip()
    headings = (
        "column", "type", "unit", "description", "fill rule", "source", "published variable", "share NULL",
        "share filled",
    )  # fmt: skip
    return Description(title, headings, rows)


def _describe_variable(
    con: duckdb.DuckDBPyConnection, column: str, schema: str | None, table: str | None
) -> Description:
    rows = []
    for s, t, c in _columns(con):
        if c != column or (table is not None and (s, t) != (schema, table)):
            continue
        known = {row[0]: row for row in _dictionary(con, s, t)}
        _, kind, unit, text, formula, inputs, rule, source, variable = known[c]
        (missing, filled), *_ = _shares(con, s, t, [c], list(known))
        low, high = con.execute(f'select min("{c}"), max("{c}") from "{s}"."{t}"').fetchone() or (None, None)
        told = (f"{s}.{t}", kind, unit, text, formula, inputs, rule, source, variable)
        rows.append((*told, missing, filled, low, high))
    headings = (
        "table", "type", "unit", "description", "formula", "inputs", "fill rule", "source", "published variable",
        "share NULL", "share filled", "min", "max",
    )  # fmt: skip
    return Description(column, headings, tuple(rows))


def describe_coverage(con: duckdb.DuckDBPyConnection, name: str | None = None) -> Description:
    """Coverage by year: of every variable of a mart, or of one variable by how its values came about.

    Parameters
    ----------
    name : a mart (default fct_city_year), a variable, or ``MART.VARIABLE``. A mart without fill codes (firms,
        efficiency scores) gives the share of its rows with a value.

    Returns
    -------
    Description with the years as columns. A mart: share (0-1) of units with a value, one row a variable. A variable:
    share observed, linear, carried, ratio and missing, five rows a mart it stands in.

    Raises
    ------
    CarbonpanelError ``CP-NAME-UNKNOWN`` naming the nearest mart or variable that has coverage by year.
    """
    known = [
        (str(t), str(v))
        for t, v in con.execute("select distinct table_name, variable from quality.coverage order by all").fetchall()
    ]
    tables = list(dict.fromkeys(t for t, _ in known))
    wanted = (name or "fct_city_year").strip().removeprefix("marts.")
    for table in tables:
        if wanted.lower() == table.lower():
            return _coverage_of_table(con, table)
    plain = [t for t in _marts_by_year(con) if t not in tables]
    for table in plain:
        if wanted.lower() == table.lower():
            return _coverage_of_rows(con, table)
    head, _, tail = wanted.rpartition(".")
    inside = [(t, v) for t, v in known if not head or t.lower() == head.lower()]
    found = [(t, v) for t, v in inside if v == tail] or [(t, v) for t, v in inside if v.lower() == tail.lower()]
    if not found:
        candidates = [v for _, v in inside] if head and inside else tables + plain + [v for _, v in known]
        raise CarbonpanelError(
            "CP-NAME-UNKNOWN",
            f"no mart or variable with fill codes is called '{name}'",
            remedy=did_you_mean(tail if head and inside else wanted, candidates),
        )
    return _coverage_of_variable(con, found)


def _coverage_of_table(con: duckdb.DuckDBPyConnection, table: str) -> Description:
    rows = con.execute(
        "select variable, year, 1 - missing_share from quality.coverage where table_name = ? order by variable, year",
        [table],
    ).fetchall()
    years = sorted({int(y) for _, y, _ in rows})
    by_variable: dict[str, dict[int, float]] = {}
    for variable, year, share in rows:
        by_variable.setdefault(str(variable), {})[int(year)] = float(share)
    order = [c for c in _order(con, table) if c in by_variable]
    body = tuple((v, *(by_variable[v].get(y) for y in years)) for v in order)
    title = f"marts.{table}: share of units with a value (reported or filled), by year"
    return Description(title, ("variable", *(str(y) for y in years)), body)


def _marts_by_year(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [t for s, t, c in _columns(con) if (s, c) == ("marts", "year")]


def _coverage_of_rows(con: duckdb.DuckDBPyConnection, table: str) -> Description:
    """Share of the rows with a value, from the table itself: it has no fill codes."""
    columns = [c for c in _order(con, table) if c not in {"year", "is_simulated"}]
    shares = ", ".join(f'count("{c}") / count(*)' for c in columns)
    rows = con.execute(f'select year, {shares} from marts."{table}" group by year order by year').fetchall()
    body = tuple((column, *(row[i] for row in rows)) for i, column in enumerate(columns, start=1))
    title = f"marts.{table}: share of rows with a value, by year"
    return Description(title, ("variable", *(str(row[0]) for row in rows)), body)


def _coverage_of_variable(con: duckdb.DuckDBPyConnection, found: Sequence[tuple[str, str]]) -> Description:
    kinds = ("observed", "linear", "carried", "ratio", "missing")
    shares: dict[tuple[str, str, str], dict[int, float]] = {}
    for table, variable in found:
        for year, units, *counts in con.execute(
            "select year, units_count, observed_count, linear_count, carried_count, ratio_count, missing_count "
            "from quality.coverage where table_name = ? and variable = ? order by year",
            [table, variable],
        ).fetchall():
            for kind, count in zip(kinds, counts, strict=True):
                shares.setdefault((table, variable, kind), {})[int(year)] = count / units
    years = sorted({y for by_year in shares.values() for y in by_year})
    body = tuple((f"{t}.{v}", kind, *(by.get(y) for y in years)) for (t, v, kind), by in shares.items())
    return Description("share of units, by year", ("variable", "value is", *(str(y) for y in years)), body)


def _order(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    rows = con.execute(
        "select column_name from duckdb_columns() where schema_name = 'marts' and table_name = ? "
        "and database_name = current_database() order by column_index",
        [table],
    ).fetchall()
    return [str(row[0]) for row in rows]
