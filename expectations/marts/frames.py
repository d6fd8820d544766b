"""Marts as dataframes, with their types and with what the build said of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.warehouse import has_table

if TYPE_CHECKING:
    import duckdb

#: Marts with suites of their own, with the key their rows are ordered by.
MARTS: dict[str, tuple[str, ...]] = {
    "dim_city": ("city_code",),
    "fct_city_year": ("city_code", "year"),
    "panel_carbon_productivity": ("city_code", "year"),
}
_KINDS = {
    "VARCHAR": "text",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "SMALLINT": "integer",
    "DOUBLE": "number",
    "BOOLEAN": "boolean",
    "DATE": "date",
}


@dataclass(frozen=True)
class Mart:
    """One mart: ``schema`` has one row naming each column's type, ``rows`` the contents with ``where`` added.

    ``key`` are the columns that name a row.
    """

    name: str
    key: tuple[str, ...]
    schema: pd.DataFrame
    rows: pd.DataFrame

    def columns_of(self, kind: str) -> list[str]:
        """Columns of a kind (text, integer, number, boolean, date), in the order of the table."""
        return [str(c) for c in self.schema.columns if c != "where" and self.schema[c].iloc[0] == kind]

    @property
    def measures(self) -> list[str]:
        """Measures kept as ``x``, ``x_reported`` and ``x_fill``, in the order of the table."""
        return [str(c) for c in self.rows.columns if f"{c}_reported" in self.rows and f"{c}_fill" in self.rows]

    def without_fills(self) -> pd.DataFrame:
        """The rows without reported values and fill codes: expectations filter whole frames, narrow ones faster."""
        return self.rows[[c for c in self.rows.columns if not str(c).endswith(("_reported", "_fill"))]]


@dataclass(frozen=True)
class Range:
    """Plausible range of a measure of ``fct_city_year``, in its column's unit."""

    minimum: float | None
    maximum: float | None
    unit: str


@dataclass(frozen=True)
class Marts:
    """What the suites of the marts are held against.

    Attributes
    ----------
    inputs : source -> demo | user | none, as the build recorded them.
    is_simulated, co2_source : as the build recorded them.
    sample_years : first and last year of the panel's sample.
    first_year, last_year : years of the fact table.
    ranges : column of ``fct_city_year`` -> plausible range of the indicator in it.
    province_sums : ``where``, ``cities``, ``province``, ``cities_over_province``, one row per province and year.
    """

    tables: Mapping[str, Mart]
    inputs: Mapping[str, str]
    is_simulated: bool
    co2_source: str
    sample_years: tuple[int, int]
    ranges: Mapping[str, Range]
    province_sums: pd.DataFrame


def read_marts(con: duckdb.DuckDBPyConnection) -> Marts:
    """Read the marts and the build's own record of itself.

    Raises
    ------
    CarbonpanelError ``CP-MART-MISSING`` naming what has not been built.
    """
    import duckdb

    try:
        build = con.execute("select inputs, is_simulated, co2_source from meta.build").fetchone()
        years = con.execute(
            "select min(first_year), max(last_year) from intermediate.int_carbon_productivity_sample"
        ).fetchone()
        tables = {name: _read_mart(con, name, key) for name, key in (MARTS | _other_marts(con)).items()}
        ranges = _read_ranges(con, tables["fct_city_year"])
        sums = con.execute(_PROVINCE_SUMS).df()
    except duckdb.CatalogException as error:
        raise CarbonpanelError(
            "CP-MART-MISSING",
            f"the warehouse has not been built: {str(error).splitlines()[0]}",
            remedy="run 'carbonpanel refresh'",
        ) from None
    if build is None or years is None or years[0] is None:
        raise CarbonpanelError(
            "CP-MART-MISSING",
            "the warehouse has no record of its build",
            where="meta.build, intermediate.int_carbon_productivity_sample",
            remedy="run 'carbonpanel refresh'",
        )
    sums["cities_over_province"] = sums["cities"] / sums["province"]
    return Marts(
        tables=tables,
        inputs=json.loads(build[0]),
        is_simulated=bool(build[1]),
        co2_source=str(build[2]),
        sample_years=(int(years[0]), int(years[1])),
        ranges=ranges,
        province_sums=sums,
    )


def _read_mart(con: duckdb.DuckDBPyConnection, name: str, key: tuple[str, ...]) -> Mart:
    """The mart without the columns a user defined: what they hold is the user's to judge."""
    own = {
        str(row[0])
        for row in con.execute(
            "select column_name from meta.column_dictionary "
            "where schema_name = 'marts' and model_name = ? and source = 'variables.yml'",
            [name],
        ).fetchall()
    }
    described = [row for row in con.execute(f"describe marts.{name}").fetchall() if row[0] not in own]
    schema = pd.DataFrame(
        [{"where": f"marts.{name}", **{row[0]: _KINDS.get(row[1], str(row[1]).lower()) for row in described}}]
    )
    wanted = ", ".join(f'"{row[0]}"' for row in described)
    rows = con.execute(f"select {wanted} from marts.{name} order by {', '.join(key)}").df()
    # few distinct values: comparing and filtering categories is many times faster than text
    rows = rows.astype({c: "category" for c in rows.columns if str(c).endswith("_fill")})
    rows["where"] = _labels(rows, key)
    return Mart(name, key, schema, rows)


def _labels(rows: pd.DataFrame, key: tuple[str, ...]) -> pd.Series:
    """What tells a person which row is meant: the Chinese name of a city or a province where there is one."""
    if key[:1] == ("city_code",):
        label = rows["city_name_zh"].fillna(rows["city_code"]).astype("str")
        return label + " " + rows["year"].astype("str") if "year" in rows else label
    named = {"province_code": "province_name_zh", "firm_code": "firm_name"}
    parts = [
        (rows[named[c]].fillna(rows[c]) if named.get(c) in rows else rows[c]).astype("str")
        for c in key
        if c != "city_code" or len(key) == 1
    ]
    label = pd.Series("", index=rows.index) if not parts else parts[0]
    for part in parts[1:]:
        label = label + " " + part
    return label


#: Keys of marts that state none in the database, tried in this order.
_LIKELY_KEYS = (
    ("study", "measure", "unit_code", "year"),
    ("study", "index_name", "component"),
    ("firm_code", "year"),
    ("city_code", "year"),
    ("province_code", "year"),
    ("province_code",),
)


def _other_marts(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, ...]]:
    """Every further table of the marts with its key: the primary key, else the first likely one it has."""
    stated = {
        str(name): tuple(str(c) for c in columns)
        for name, columns in con.execute(
            "select table_name, constraint_column_names from duckdb_constraints() "
            "where schema_name = 'marts' and constraint_type = 'PRIMARY KEY' order by table_name"
        ).fetchall()
    }
    found: dict[str, tuple[str, ...]] = {}
    for name, columns in con.execute(
        "select table_name, list(column_name order by column_index) from duckdb_columns() "
        "where schema_name = 'marts' and database_name = current_database() group by table_name order by table_name"
    ).fetchall():
        if name in MARTS:
            continue
        likely = next((key for key in _LIKELY_KEYS if set(key) <= set(columns)), ())
        key = stated.get(str(name)) or likely
        if key:
            found[str(name)] = key
    return found


_PROVINCE_SUMS = """
select
    provinces.province_name_zh || ' ' || facts.year as "where",
    list_reduce(
        list(facts.gdp_yi_yuan order by facts.city_code) filter (where facts.gdp_yi_yuan is not null), (a, b) -> a + b
    ) as cities,
    any_value(books.gdp_yi_yuan) as province
from marts.fct_city_year as facts
inner join intermediate.int_province_year_pivot as books
    on facts.province_code = books.province_code and facts.year = books.year
inner join marts.dim_province as provinces on facts.province_code = provinces.province_code
where books.gdp_yi_yuan > 0
group by facts.province_code, provinces.province_name_zh, facts.year
having count(facts.gdp_yi_yuan) > 0
order by facts.province_code, facts.year
"""


def _read_ranges(con: duckdb.DuckDBPyConnection, fact: Mart) -> dict[str, Range]:
    """Ranges of ``seed_indicator`` by the fact's column: the indicator's name and its unit's suffix.

    A range is wider where the user accepted a cell outside it (``corrections.yml``).
    """
    accepted = _read_accepted(con)
    seeds = con.execute(
        "select i.indicator, u.column_suffix, i.unit, i.min_value, i.max_value "
        "from reference.seed_indicator as i inner join reference.seed_unit as u on i.unit = u.unit "
        "where i.level = 'city' order by i.source, i.indicator"
    ).fetchall()
    found: dict[str, Range] = {}
    for indicator, suffix, unit, low, high in seeds:
        # growth indices name their base before the word index: gdp_index_prev100 is gdp_prev100_index
        for column in (f"{indicator}{suffix}", str(indicator).replace("index_prev100", "prev100_index")):
            if column in fact.rows:
                least, most = accepted.get(str(indicator), (None, None))
                bottom, top = _number(low), _number(high)
                if bottom is not None and least is not None:
                    bottom = min(bottom, least)
                if top is not None and most is not None:
                    top = max(top, most)
                found[column] = Range(bottom, top, str(unit))
    return {column: found[column] for column in fact.rows.columns if column in found}


def _read_accepted(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[float, float]]:
    """Least and largest value per indicator, in its canonical unit, of the cells a user accepted."""
    if not has_table(con, "staging", "stg_quarantine__cells"):
        return {}
    place = ("source", "dataset", "source_file", "source_sheet", "source_row", "source_column")
    same = " and ".join(f"cells.{name} is not distinct from decided.{name}" for name in place)
    rows = con.execute(
        "select cells.indicator, min(cells.value), max(cells.value) from staging.stg_quarantine__cells as decided "
        f"inner join intermediate.int_city_cells_resolve as cells on {same} "
        "where decided.decision = 'accepted' group by cells.indicator order by cells.indicator"
    ).fetchall()
    return {str(name): (float(least), float(most)) for name, least, most in rows}


def _number(value: object) -> float | None:
    return None if value is None or value == "" else float(str(value))
