"""A user's own variables: what is read, what becomes of the names and types, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.specification.user_variables import (
    load_user_variables,
    settle_user_variables,
    settled_path,
    variables_path,
)

ENTRY = """\
- name: {name}
  table: {table}
  expression: {expression}
  unit: ratio
  description: Something of my own
"""


def write(folder: Path, **changes: str) -> Path:
    given = {"name": "own_ratio", "table": "fct_city_year", "expression": "loans_yi_yuan / gdp_yi_yuan"} | changes
    path = variables_path(folder)
    path.write_text(ENTRY.format(**given), encoding="utf-8")
    return folder


def test_no_file_is_no_variable(tmp_path: Path) -> None:
    assert load_user_variables(tmp_path) == []
    assert settle_user_variables(tmp_path) == []
    assert not settled_path(tmp_path).exists()


def test_a_number_takes_the_fill_codes_of_its_ingredients(tmp_path: Path) -> None:
    (variable,) = load_user_variables(write(tmp_path))
    assert (variable.table, variable.name, variable.data_type) == ("fct_city_year", "own_ratio", "double")
    assert variable.inputs == ("loans_yi_yuan", "gdp_yi_yuan")
    assert variable.fill_columns == ("loans_yi_yuan_fill", "gdp_yi_yuan_fill")
    assert variable.key == ("city_code", "year")


def test_a_panel_takes_what_it_lacks_from_the_facts(tmp_path: Path) -> None:
    (variable,) = load_user_variables(write(tmp_path, table="panel_carbon_productivity", expression="CP * gdp_yi_yuan"))
    assert variable.fact_table == "fct_city_year"
    assert variable.fact_columns == ("gdp_yi_yuan", "gdp_yi_yuan_fill")
    assert variable.inputs == ("CP", "fct_city_year.gdp_yi_yuan")


def test_a_class_has_no_fill_code(tmp_path: Path) -> None:
    (variable,) = load_user_variables(write(tmp_path, name="is_large", expression="gdp_yi_yuan > 1000"))
    assert (variable.data_type, variable.fill_columns) == ("boolean", ())


def test_one_entry_may_name_several_tables_and_later_ones_use_it(tmp_path: Path) -> None:
    write(tmp_path, table="[fct_city_year, panel_carbon_productivity]")
    with variables_path(tmp_path).open("a", encoding="utf-8") as file:
        file.write(ENTRY.format(name="ln_own", table="panel_carbon_productivity", expression="ln(own_ratio)"))
    variables = settle_user_variables(tmp_path)
    assert [(v.table, v.name) for v in variables] == [
        ("fct_city_year", "own_ratio"),
        ("panel_carbon_productivity", "own_ratio"),
        ("panel_carbon_productivity", "ln_own"),
    ]
    assert variables[2].fill_columns == ("own_ratio_fill",)
    settled = pq.read_table(settled_path(tmp_path)).to_pylist()
    assert [row["position"] for row in settled] == [0, 1, 2]


def test_the_settled_file_goes_with_the_variables(tmp_path: Path) -> None:
    settle_user_variables(write(tmp_path))
    assert settled_path(tmp_path).exists()
    variables_path(tmp_path).unlink()
    settle_user_variables(tmp_path)
    assert not settled_path(tmp_path).exists()


@pytest.mark.parametrize(
    ("changes", "code", "line", "said"),
    [
        ({"table": "fct_city_yaer"}, "CP-VARIABLES", 2, "fct_city_year"),
        ({"name": "gdp_yi_yuan"}, "CP-VARIABLES", 1, "already"),
        ({"name": "Own Ratio"}, "CP-VARIABLES", 1, "small letters"),
        ({"name": "own_fill"}, "CP-VARIABLES", 1, "_fill"),
        ({"expression": "loans_yi_yuan / gdp_yi_yaun"}, "CP-STUDY-COLUMN", 3, "gdp_yi_yuan"),
        ({"expression": "loans_yi_yuan /"}, "CP-STUDY-SQL", 3, ""),
        ({"expression": "(select 1)"}, "CP-STUDY-SQL", 3, "subquery"),
        ({"expression": "city_name_zh * 2 + gdp_yi_yuan_fill"}, "CP-VARIABLES", 3, "cannot be computed"),
        ({"expression": "list_value(gdp_yi_yuan)"}, "CP-VARIABLES", 3, "not a number"),
        ({"expression": "random()"}, "CP-STUDY-SQL", 3, "random"),
    ],
)
def test_mistakes_are_refused_where_they_stand(
    tmp_path: Path, changes: dict[str, str], code: str, line: int, said: str
) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        load_user_variables(write(tmp_path, **changes))
    assert caught.value.code == code
    assert f"row {line}" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\n", "list of variables"),
        ("- just a text\n", "key: value"),
        ("- {name: x, table: fct_city_year}\n", "needs 'expression'"),
        ("- {nmae: x}\n", "'name'"),
        ("- name: [x\n", "valid YAML"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str, said: str) -> None:
    variables_path(tmp_path).write_text(text, encoding="utf-8")
    with pytest.raises(CarbonpanelError) as caught:
        settle_user_variables(tmp_path)
    assert caught.value.code == "CP-VARIABLES"
    assert said in str(caught.value)
    assert not settled_path(tmp_path).exists()
