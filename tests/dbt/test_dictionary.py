"""The codebook is complete, and `describe` reads it."""

from __future__ import annotations

import duckdb
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.lineage.codebook import describe, describe_coverage


def test_every_column_is_described(demo: duckdb.DuckDBPyConnection) -> None:
    missing = demo.execute(
        "select c.schema_name, c.table_name, c.column_name from duckdb_columns() as c "
        "left join meta.column_dictionary as d on d.schema_name = c.schema_name and d.model_name = c.table_name "
        "and d.column_name = c.column_name where c.database_name = current_database() and not c.internal "
        "and coalesce(d.description, '') = '' order by all"
    ).fetchall()
    assert missing == []


def test_nothing_described_is_absent(demo: duckdb.DuckDBPyConnection) -> None:
    rows = demo.execute(
        "select count(*), count(distinct (schema_name, model_name, column_name)) from meta.column_dictionary"
    )
    total, distinct = rows.fetchone()
    assert total == distinct > 1000


def test_every_measure_of_a_mart_has_its_unit(demo: duckdb.DuckDBPyConnection) -> None:
    bare = demo.execute(
        "select model_name, column_name from meta.column_dictionary where schema_name = 'marts' "
        "and data_type in ('DOUBLE', 'INTEGER', 'BIGINT') and unit is null order by all"
    ).fetchall()
    assert bare == []


def test_filled_measures_say_how_they_are_filled(demo: duckdb.DuckDBPyConnection) -> None:
    silent = demo.execute(
        "select a.model_name, a.column_name from meta.column_dictionary as a "
        "inner join meta.column_dictionary as b on a.schema_name = b.schema_name and a.model_name = b.model_name "
        "and b.column_name = a.column_name || '_fill' "
        "where a.schema_name = 'marts' and (a.fill_rule is null or a.inputs is null) order by all"
    ).fetchall()
    assert silent == []


def test_describe_lists_tables(demo: duckdb.DuckDBPyConnection) -> None:
    found = describe(demo)
    tables = {(row[0], row[1]): row for row in found.rows}
    assert found.columns == ("schema", "table", "rows", "description")
    assert found.rows[0][0] == "marts"
    assert tables[("marts", "panel_carbon_productivity")][2] == 274 * 19
    assert tables[("results", "latest_model")][2] == 0
    assert all(row[3] for row in found.rows)


def test_describe_shows_the_columns_of_a_table(demo: duckdb.DuckDBPyConnection) -> None:
    found = describe(demo, "panel_carbon_productivity")
    rows = {row[0]: dict(zip(found.columns, row, strict=True)) for row in found.rows}
    assert found.title.startswith("marts.panel_carbon_productivity: 5206 rows.")
    assert rows["CP"]["unit"] == "yi_yuan_per_10k_t"
    assert rows["FI"]["share NULL"] > 0.15
    missing, filled = demo.execute(
        "select avg((CP is null)::int), avg((CP_fill in ('linear', 'carried', 'ratio'))::int) "
        "from marts.panel_carbon_productivity"
    ).fetchone()
    assert rows["CP"]["share NULL"] == pytest.approx(missing)
    assert rows["CP"]["share filled"] == pytest.approx(filled)
    assert rows["city_code"]["share filled"] is None


@pytest.mark.parametrize("name", ["CP", "cp", "panel_carbon_productivity.CP", "marts.panel_carbon_productivity.CP"])
def test_describe_shows_one_variable(demo: duckdb.DuckDBPyConnection, name: str) -> None:
    found = describe(demo, name)
    row = dict(zip(found.columns, found.rows[0], strict=True))
    assert row["formula"] == "gdp_2003_price_yi_yuan / (100 * co2_mt)"
    assert row["inputs"] == "gdp_2003_price_yi_yuan, co2_mt"
    assert 0 < row["min"] < row["max"]


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("panel_carbon_produktivity", "panel_carbon_productivity"),
        ("fct_city_year.gdp_yi_yaun", "gdp_yi_yuan"),
        ("tertiary_gdp_shar", "tertiary_gdp_share"),
    ],
)
def test_describe_names_the_nearest(demo: duckdb.DuckDBPyConnection, typo: str, meant: str) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        describe(demo, typo)
    assert caught.value.code == "CP-NAME-UNKNOWN"
    assert f"'{meant}'" in caught.value.remedy


def test_coverage_of_a_mart_without_fill_codes(demo: duckdb.DuckDBPyConnection) -> None:
    told = describe_coverage(demo, "fct_firm_year")
    years = [str(y) for (y,) in demo.execute("select distinct year from marts.fct_firm_year order by 1").fetchall()]
    assert told.columns == ("variable", *years)
    shares = {row[0]: row[1:] for row in told.rows}
    assert shares["firm_code"] == (1.0,) * len(years)
    expected = demo.execute("select count(co2_t) / count(*) from marts.fct_firm_year group by year order by year")
    assert shares["co2_t"] == tuple(share for (share,) in expected.fetchall())
    assert not {"year", "is_simulated"} & set(shares)


def test_coverage_of_an_unknown_mart_names_one_that_has_it(demo: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(CarbonpanelError, match="fct_firm_yaer") as caught:
        describe_coverage(demo, "fct_firm_yaer")
    assert "fct_firm_year" in str(caught.value.remedy)
