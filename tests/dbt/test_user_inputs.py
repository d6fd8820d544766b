"""A build from a user's files alone: their numbers arrive, the demo's do not, and what no file brought is NULL."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from analysis_py.provenance import render_trace, trace
from tests.dbt.conftest import run_dbt


def _value(con: duckdb.DuckDBPyConnection, column: str, code: str, year: int) -> tuple[object, object]:
    """Value and fill code of a measure of fct_city_year."""
    return con.execute(
        f"select {column}, {column}_fill from marts.fct_city_year where city_code = ? and year = ?", [code, year]
    ).fetchone()


def test_nothing_of_the_demo_world_is_left(user: duckdb.DuckDBPyConnection) -> None:
    assert user.execute("select world, is_simulated, co2_source from meta.build").fetchall() == [
        ("user", False, "ceads")
    ]
    assert user.execute("select bool_or(is_simulated) from marts.panel_carbon_productivity").fetchone() == (False,)
    cities = user.execute(
        "select distinct city_code from marts.fct_city_year where gdp_yi_yuan is not null order by 1"
    ).fetchall()
    assert cities == [("110100",), ("130100",)]
    comment = user.execute("select comment from duckdb_tables() where table_name = 'fct_city_year'").fetchone()
    assert "SIMULATED" not in comment[0]


@pytest.mark.parametrize("symbol", ["AI", "EnvrPat", "ER", "IP", "HC", "Fin", "POP", "Ope", "FI", "ST", "AI_lag1"])
def test_what_no_file_brought_is_null(user: duckdb.DuckDBPyConnection, symbol: str) -> None:
    assert user.execute(f"select count({symbol}) from marts.panel_carbon_productivity").fetchone() == (0,)
    if symbol != "AI_lag1":
        fills = user.execute(f"select distinct {symbol}_fill from marts.panel_carbon_productivity").fetchall()
        assert fills == [("missing",)]


def test_units_growth_and_shares_become_the_panel(user: duckdb.DuckDBPyConnection) -> None:
    assert _value(user, "gdp_yi_yuan", "110100", 2009) == (1900.0, "observed")
    assert _value(user, "gdp_yi_yuan", "110100", 2010) == (2000.0, "observed")
    assert _value(user, "gdp_prev100_index", "110100", 2010) == (110.0, "observed")
    real, fill = _value(user, "gdp_2003_price_yi_yuan", "110100", 2005)
    assert real == pytest.approx(1300 * 1.1**2, rel=1e-14)
    assert fill == "observed"
    assert _value(user, "gdp_tertiary_yi_yuan", "110100", 2010) == (800.0, "ratio")
    assert _value(user, "tertiary_gdp_share", "110100", 2010) == (0.4, "ratio")
    cp, source, reported = user.execute(
        "select CP, co2_source, CP_reported from marts.panel_carbon_productivity "
        "where city_code = '110100' and year = 2005"
    ).fetchone()
    assert cp == pytest.approx(1300 * 1.1**2 / 1000)
    assert (source, reported) == ("ceads", cp)


def test_a_missing_index_breaks_the_chain_where_no_province_stands_in(user: duckdb.DuckDBPyConnection) -> None:
    assert _value(user, "gdp_2003_price_yi_yuan", "130100", 2009)[1] == "observed"
    assert _value(user, "gdp_2003_price_yi_yuan", "130100", 2010) == (None, "missing")
    assert _value(user, "gdp_2003_price_yi_yuan", "130100", 2020) == (None, "missing")


def test_districts_stay_out_and_data_sets_have_an_order(user: duckdb.DuckDBPyConnection) -> None:
    """The gap of 2005-2006 is interpolated though the districts have a number; `book` goes before `zbook`."""
    assert _value(user, "fiscal_expenditure_yi_yuan", "110100", 2005) == (pytest.approx(150.0), "linear")
    assert _value(user, "fiscal_expenditure_yi_yuan", "110100", 2004) == (140.0, "observed")
    text = render_trace(trace(user, "Beijing", 2005, "fiscal_expenditure_yi_yuan"))
    assert "urban districts" in text
    assert "book.xlsx, sheet 'Sheet1', row 6" in text


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"inputs": {"city_yearbook": "dmeo"}}, "it must be demo, user or none"),
        ({"co2_source": "ceds"}, "it must be one of: ipcc2006, china_provincial_2011, ceads, edgar"),
    ],
)
def test_a_var_nothing_is_built_for_is_refused(tmp_path: Path, variables: dict[str, object], said: str) -> None:
    result = run_dbt(tmp_path, "build", "-s", "seed_unit", "--vars", json.dumps(variables))
    assert result.returncode != 0
    assert said in result.stdout


def test_variables_of_a_user_are_columns_with_fill_codes(user: duckdb.DuckDBPyConnection) -> None:
    assert _value(user, "fiscal_share", "110100", 2010) == (pytest.approx(0.1), "observed")
    assert _value(user, "fiscal_share", "110100", 2005) == (pytest.approx(0.1), "linear")
    reported = user.execute(
        "select fiscal_share_reported from marts.fct_city_year where city_code = '110100' and year = 2005"
    ).fetchone()
    assert reported == (None,)
    large = "select is_large from marts.fct_city_year where city_code = '110100' and year in (2005, 2015) order by year"
    assert user.execute(large).fetchall() == [(False,), (True,)]


def test_variables_of_a_user_reach_the_panels_and_build_on_each_other(user: duckdb.DuckDBPyConnection) -> None:
    rows = user.execute(
        "select fiscal_share, fiscal_share_gap, fiscal_share_gap_fill from marts.panel_carbon_productivity "
        "where city_code = '110100' and year = 2005"
    ).fetchone()
    assert rows == (pytest.approx(0.1), pytest.approx(0), "linear")


def test_variables_of_a_user_are_described_and_traced(user: duckdb.DuckDBPyConnection) -> None:
    told = user.execute(
        "select unit, formula, source from meta.column_dictionary "
        "where model_name = 'panel_carbon_productivity' and column_name = 'fiscal_share'"
    ).fetchone()
    assert told == ("share", "fiscal_expenditure_yi_yuan / gdp_yi_yuan", "variables.yml")
    text = render_trace(trace(user, "110100", 2010, "fiscal_share", panel="panel_carbon_productivity"))
    assert "book.xlsx, sheet 'Sheet1', row 12, column 'fiscal_expenditure'" in text
