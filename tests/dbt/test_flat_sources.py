"""The plain tables in their three modes: a user's files, none at all, and the demo world (test_firm_world.py)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from analysis_py.warehouse import open_read
from tests.dbt.conftest import run_dbt
from tests.dbt.flat_files import write_flat_files

FLAT = ("industry_robots", "industry_employment", "listed_firms", "listed_firm_assets", "listed_firm_links")
MODELS = (
    *("fct_exposure_share", "fct_exposure_shock", "int_robot_exposure"),
    *("fct_firm_year", "int_firm_city_year", "int_firm_rows_resolve", "int_firm_assets_sum"),
)


def build(folder: Path, mode: str) -> None:
    """Build the models of industries and firms and what they need, every other source absent."""
    inputs = json.dumps({"inputs": dict.fromkeys(FLAT, mode)})
    chosen = [f"+{model}" for model in MODELS]
    result = run_dbt(
        folder, "build", "--vars", inputs, "--select", *chosen,
        "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test", data=folder / "data",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-3000:]


@pytest.fixture(scope="module")
def user_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flat_user")
    write_flat_files(folder / "data")
    build(folder, "user")
    return folder


@pytest.fixture
def own(user_folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_read(user_folder / "warehouse" / "carbonpanel.duckdb") as con:
        yield con


def test_exposure_of_a_users_tables(own: duckdb.DuckDBPyConnection) -> None:
    """Beijing: 1/4 of the workers build cars (60 robots per 200 of the nation), 3/4 electronics (40 per 400)."""
    rows = own.execute(
        "select province_code, year, exposure_cn_stock_per_worker, exposure_us_flow_per_worker, industries_count "
        "from intermediate.int_robot_exposure order by all"
    ).fetchall()
    beijing = (0.25 * 60 / 200 + 0.75 * 40 / 400, 0.25 * 20 / 80 + 0.75 * 10 / 50)
    hebei = (0.5 * 60 / 200 + 0.5 * 40 / 400, 0.5 * 20 / 80 + 0.5 * 10 / 50)
    assert [row[:2] for row in rows] == [("110000", 2012), ("110000", 2013), ("130000", 2012), ("130000", 2013)]
    assert [row[2:4] for row in rows] == [pytest.approx(v) for v in (beijing, beijing, hebei, hebei)]
    assert {row[4] for row in rows} == {2}


def test_a_users_firms(own: duckdb.DuckDBPyConnection) -> None:
    rows = own.execute(
        "select firm_code, year, city_code, industry_type, is_large_firm, digital_assets_yi_yuan, digital_asset_share, "
        "partners_count, partner_ai_patents_count, is_smart_manufacturing_pilot, is_simulated "
        "from marts.fct_firm_year order by firm_code, year"
    ).fetchall()
    assert rows == [
        ("000001", 2012, "130100", "clean_production", True, None, None, None, None, None, False),
        ("000001", 2013, "130100", "clean_production", True, 1.0, 0.25, 0, 0.0, None, False),
        ("000002", 2013, "130100", "polluting", False, None, None, 0, 0.0, None, False),
        ("000003", 2013, "110100", "other", True, 0.2, 1.0, 2, 3.0, None, False),
    ]


def test_a_users_firms_by_city(own: duckdb.DuckDBPyConnection) -> None:
    rows = own.execute(
        "select city_code, year, all_firm_assets_yi_yuan, green_firm_assets_yi_yuan, firm_robots_count, "
        "digital_assets_yi_yuan, smart_manufacturing_pilot_firms_count from intermediate.int_firm_city_year "
        "where city_code in ('110100', '130100', '140100') order by all"
    ).fetchall()
    assert rows == [
        ("110100", 2012, 0.0, 0.0, 0.0, None, None),
        ("110100", 2013, 5.0, 5.0, 0.0, 0.2, None),
        ("130100", 2012, 8.0, 8.0, 30.0, None, None),
        ("130100", 2013, 29.0, 9.0, 40.0, 1.0, None),
        ("140100", 2012, 0.0, 0.0, 0.0, None, None),
        ("140100", 2013, 0.0, 0.0, 0.0, 0.0, None),
    ]


def test_rows_of_a_users_file_keep_their_place(own: duckdb.DuckDBPyConnection) -> None:
    row = own.execute(
        "select dataset, source_file, source_sheet, source_row, is_simulated from staging.stg_listed_firms__accounts "
        "where firm_code = '000003'"
    ).fetchone()
    assert row == ("mine", "mine.xlsx", "Sheet1", 5, False)


def test_nothing_is_drawn_for_a_users_files(user_folder: Path) -> None:
    assert not (user_folder / "warehouse" / "demo").exists()


def test_without_any_table_the_models_are_empty(tmp_path: Path) -> None:
    build(tmp_path, "none")
    with open_read(tmp_path / "warehouse" / "carbonpanel.duckdb") as con:
        for model in MODELS:
            schema = "marts" if model.startswith("fct") else "intermediate"
            assert con.execute(f"select count(*) from {schema}.{model}").fetchone() == (0,)
        kinds = con.execute(
            "select data_type from duckdb_columns() where table_name = 'int_robot_exposure' and column_name like 'exp%'"
        ).fetchall()
    assert kinds == [("DOUBLE",)] * 4
    assert not (tmp_path / "warehouse" / "demo").exists()
