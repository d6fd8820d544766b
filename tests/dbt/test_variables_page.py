"""docs/reference/variables.md: every published variable with column, unit, formula, tests and coverage; never stale."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.lineage.column_tests import ColumnTest, read_column_tests
from analysis_py.lineage.variable_page import Variable, read_variables, render_page
from analysis_py.settings import project_root
from analysis_py.warehouse import simulated

ROOT = project_root()


@pytest.fixture(scope="module")
def variables(demo_database: Path) -> list[Variable]:
    with duckdb.connect(str(demo_database), read_only=True) as con:
        return read_variables(con, ROOT / "models")


def test_all_128_are_columns(variables: list[Variable]) -> None:
    assert len({(v.study, v.symbol) for v in variables}) == 128
    assert [f"{v.study}: {v.symbol}" for v in variables if not v.column] == []


def test_each_has_what_the_page_promises(variables: list[Variable]) -> None:
    assert [v.symbol for v in variables if not v.formula] == []
    assert [v.symbol for v in variables if not v.tests] == []
    assert [v.symbol for v in variables if v.with_value is None or not 0 < v.with_value <= 1] == []
    measured = [v for v in variables if v.filled is not None]
    assert len(measured) > 80
    assert all(v.unit for v in measured)


def test_the_page_is_what_the_warehouse_says(demo: duckdb.DuckDBPyConnection, variables: list[Variable]) -> None:
    page = (ROOT / "docs" / "reference" / "variables.md").read_text(encoding="utf-8")
    assert page == render_page(variables, simulated(demo)), "run: python -m analysis_py.lineage.variable_page"
    assert "SIMULATED" in page


def test_a_claim_of_what_no_study_has_is_refused(demo_database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(demo_database.read_bytes())
    with duckdb.connect(str(copy)) as con:
        con.execute(
            "update meta.column_dictionary set variable = 'yellow_river: CTPF' "
            "where model_name = 'panel_yellow_river' and column_name = 'CTFP'"
        )
        with pytest.raises(CarbonpanelError, match="CTPF"):
            read_variables(con, ROOT / "models")


YAML = """
models:
  - name: panel
    data_tests:
      - is_within:
          arguments: {column: x, low: 0, high: 1}
    constraints:
      - {type: primary_key, columns: [unit, year]}
    columns:
      - {name: y, data_tests: [not_null, {accepted_values: {arguments: {values: [a]}}}]}
unit_tests:
  - name: adds
    model: panel
    given: []
    expect:
      rows:
        - {x: 1, z: 2}
"""


def test_tests_are_read_from_the_yaml_beside_the_models(tmp_path: Path) -> None:
    (tmp_path / "panel.yml").write_text(YAML, encoding="utf-8")
    assert read_column_tests(tmp_path) == [
        ColumnTest("panel", "x", "is_within", "data test"),
        ColumnTest("panel", "unit", "primary_key", "constraint"),
        ColumnTest("panel", "year", "primary_key", "constraint"),
        ColumnTest("panel", "y", "not_null", "data test"),
        ColumnTest("panel", "y", "accepted_values", "data test"),
        ColumnTest("panel", "x", "adds", "unit test"),
        ColumnTest("panel", "z", "adds", "unit test"),
    ]
