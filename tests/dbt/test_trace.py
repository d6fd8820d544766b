"""`trace` leads to the very cell of the file, says how it was filled and converted, and what was not chosen."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import duckdb
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.provenance import TraceStep, render_trace, trace
from analysis_py.settings import project_root


def steps(tree: TraceStep) -> Iterator[TraceStep]:
    yield tree
    for child in tree.children:
        yield from steps(child)


def of_kind(tree: TraceStep, kind: str) -> list[TraceStep]:
    return [step for step in steps(tree) if step.kind == kind]


@pytest.fixture(scope="module")
def lines() -> dict[str, list[list[str]]]:
    """Rows of the demo files by their path; index 0 is line 1."""
    found = {}
    for path in sorted((project_root() / "seeds" / "raw").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as handle:
            found[f"seeds/raw/{path.name}"] = list(csv.reader(handle))
    return found


def test_rows_and_texts_are_those_of_the_files(
    demo: duckdb.DuckDBPyConnection, lines: dict[str, list[list[str]]]
) -> None:
    """Every cell of every source: the text in the file at that row and column, under that place and year."""
    wrong, total = [], 0
    for table in ("city_yearbook", "city_energy", "city_firms", "city_patents", "city_emissions", "province_yearbook"):
        rows = demo.execute(
            "select source_file, source_row, source_column, value_text, place_code_raw, year "
            f"from staging.stg_{table}__cells where hash(source_row, source_column) % 7 = 0"
        ).fetchall()
        for file, row, column, text, code, year in rows:
            header, line = lines[file][0], lines[file][row - 1]
            cell = dict(zip(header, line, strict=True))
            place = cell.get("city_code") or cell.get("province_code")
            if (cell[column], place, cell["year"]) != (text, code, str(year)):
                wrong.append((file, row, column, text, cell[column]))
        total += len(rows)
    assert total > 20000
    assert wrong == []


def test_the_chain_of_carbon_productivity_ends_in_cells(demo: duckdb.DuckDBPyConnection) -> None:
    tree = trace(demo, "Beijing", 2012, "CP")
    value = demo.execute(
        "select CP from marts.panel_carbon_productivity where city_code = '110100' and year = 2012"
    ).fetchone()
    assert (tree.value,) == value
    (chain,) = of_kind(tree, "series")
    assert [step.label[-4:] for step in chain.children] == [str(year) for year in range(2004, 2013)]
    files = {step.cell.file for step in of_kind(tree, "cell") if step.cell}
    assert files == {"seeds/raw/raw_city_yearbook.csv", "seeds/raw/raw_city_energy.csv"}
    fuels = [step for step in steps(tree) if "int_city_co2_fuel.co2_mt" in step.label]
    assert len(fuels) == 9
    total = next(step for step in steps(tree) if step.label == "marts.fct_city_year.co2_ipcc2006_mt")
    assert sum(float(str(step.value)) for step in fuels) == pytest.approx(float(str(total.value)), rel=1e-12)
    grid = [step for step in steps(tree) if "seed_grid_emission_factor" in step.label]
    assert [step.value for step in grid] == [0.8843]


@pytest.mark.parametrize("name", ["110100", "110000", "北京", "北京市", "Beijing", "beijing"])
def test_a_city_goes_by_all_its_names(demo: duckdb.DuckDBPyConnection, name: str) -> None:
    tree = trace(demo, name, 2010, "gdp_yi_yuan")
    expected = demo.execute(
        "select gdp_yi_yuan from marts.fct_city_year where city_code = '110100' and year = 2010"
    ).fetchone()
    assert (tree.value,) == expected


def test_unit_and_former_code_are_said(demo: duckdb.DuckDBPyConnection) -> None:
    tree = trace(demo, "毕节", 2008, "gdp_yi_yuan")
    (cell,) = [step.cell for step in of_kind(tree, "cell")]
    assert cell is not None
    assert cell.unit_printed == "10k_yuan"
    assert float(cell.text) * 1e4 / 1e8 == pytest.approx(float(str(tree.value)), rel=1e-15)
    said = " ".join(cell.notes)
    assert "* 10000 / 1e+08" in said
    assert "522400 毕节地区: 520500 毕节市 (by former code)" in said


def test_cells_not_chosen_are_shown_with_the_reason(demo: duckdb.DuckDBPyConnection) -> None:
    code, year = demo.execute(
        "select city_code, year from intermediate.int_city_cells_resolve where indicator = 'gdp' and reason is null "
        "group by city_code, year having count(distinct vintage) = 2 and count(distinct area_scope) = 2 "
        "order by all limit 1"
    ).fetchone()
    tree = trace(demo, code, year, "gdp_yi_yuan")
    (chosen,) = [step.cell for step in of_kind(tree, "cell")]
    assert chosen is not None and (chosen.vintage, chosen.area_scope) == ("revised", "whole_city")
    reasons = " ".join(note for step in of_kind(tree, "rejected") for note in step.notes)
    assert "urban districts" in reasons
    assert "vintage 'first'" in reasons


def test_a_linear_value_shows_its_neighbours(demo: duckdb.DuckDBPyConnection) -> None:
    code, year, indicator, value, a, va, b, vb = demo.execute(
        "select city_code, year, indicator, value, before_year, before_value, after_year, after_value "
        "from intermediate.int_city_year_fill where fill = 'linear' and indicator = 'population_resident' "
        "order by all limit 1"
    ).fetchone()
    tree = trace(demo, code, year, "population_resident_10k")
    (here, before, after) = of_kind(tree, "indicator")
    assert here.fill == "linear" and indicator in here.label
    assert (before.value, after.value) == (va, vb)
    assert len(of_kind(tree, "cell")) == 2
    assert float(str(tree.value)) == pytest.approx(va + (vb - va) * (year - a) / (b - a))
    assert value == tree.value
    assert f"interpolated between {a} and {b}" in render_trace(tree)


def test_a_part_from_its_share_and_a_province_index_are_shown(demo: duckdb.DuckDBPyConnection) -> None:
    code, year = demo.execute(
        "select city_code, year from marts.panel_carbon_productivity where UIS_fill = 'ratio' order by all limit 1"
    ).fetchone()
    text = render_trace(trace(demo, code, year, "UIS"))
    assert "not reported: gdp times the printed gdp_tertiary_share" in text
    code, year = demo.execute(
        "select city_code, max(year) from intermediate.int_city_real_gdp where index_source = 'province' "
        "and year between 2004 and 2021 and gdp_base_price_yi_yuan is not null group by city_code order by all limit 1"
    ).fetchone()
    text = render_trace(trace(demo, code, year, "gdp_2003_price_yi_yuan", panel="fct_city_year"))
    assert "raw_province_yearbook.csv" in text
    assert "(carried)" in text


def test_a_quarantined_cell_is_shown_where_it_is_missed(demo: duckdb.DuckDBPyConnection) -> None:
    code, year, text = demo.execute(
        "select city_code, year, value_text from intermediate.int_city_cells_unresolved "
        "where indicator = 'students_higher_education' order by all limit 1"
    ).fetchone()
    tree = trace(demo, code, year, "students_higher_education_persons")
    assert text in [step.value for step in of_kind(tree, "rejected")]
    assert of_kind(tree, "cell") == [] or tree.fill == "linear"
    assert "outside the plausible range" in render_trace(tree)


def test_every_column_of_the_panel_can_be_traced(demo: duckdb.DuckDBPyConnection) -> None:
    columns = [
        row[0]
        for row in demo.execute(
            "select column_name from duckdb_columns() where table_name = 'panel_carbon_productivity' "
            "order by column_index"
        ).fetchall()
    ]
    row = demo.execute(
        "select * from marts.panel_carbon_productivity where city_code = '320500' and year = 2012"
    ).fetchone()
    for column, value in zip(columns, row, strict=True):
        tree = trace(demo, "Suzhou (Jiangsu)", 2012, column)
        assert tree.value == value, column
        assert "not in this warehouse" not in render_trace(tree), column
        assert "not a column" not in render_trace(tree), column


def test_every_measure_of_the_facts_ends_in_a_file(demo: duckdb.DuckDBPyConnection) -> None:
    """Each measure that has a value leads to a cell of a raw file or to a reference table."""
    columns = demo.execute(
        "select column_name from meta.column_dictionary where model_name = 'fct_city_year' and fill_rule is not null "
        "and column_name not like 'carbon_productivity%' order by ordinal"
    ).fetchall()
    assert len(columns) > 40
    for (column,) in columns:
        tree = trace(demo, "320500", 2012, column, panel="fct_city_year")
        if tree.value is not None:
            assert of_kind(tree, "cell") or "(ratio)" in render_trace(tree), column


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (("Bejing", 2010, "CP"), "CP-CITY-UNKNOWN", "'Beijing'"),
        (("北金市", 2010, "CP"), "CP-CITY-UNKNOWN", "北"),
        (("Suzhou", 2010, "CP"), "CP-CITY-AMBIGUOUS", "Suzhou (Anhui)"),
        (("Beijing", 2010, "CPP"), "CP-VARIABLE-UNKNOWN", "'CP'"),
        (("Beijing", 1950, "CP"), "CP-TRACE-NO-ROW", "2003-2021"),
        (("Lhasa", 2010, "CP"), "CP-TRACE-NO-ROW", "tibet"),
    ],
)
def test_mistakes_are_answered_with_the_nearest(
    demo: duckdb.DuckDBPyConnection, arguments: tuple[str, int, str], code: str, named: str
) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        trace(demo, *arguments)
    assert caught.value.code == code
    assert named in str(caught.value)


def test_an_unknown_panel_is_answered_with_the_nearest(demo: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(CarbonpanelError, match="panel_carbon_productivity"):
        trace(demo, "Beijing", 2010, "CP", panel="panel_carbon_produtivity")
