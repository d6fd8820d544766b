"""Published beside ours: the design always, estimates only where the inputs are real."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.report.comparison import ComparisonRow, compare, compare_published
from analysis_py.results import write_run
from analysis_py.runner import FramePanel, run_study
from analysis_py.settings import paths, project_root
from analysis_py.study import load_studies, load_study
from tests.unit.results_case import results_database
from tests.unit.study_case import small_panel

BODY = """\
study: carbon_productivity
table: "3"
unit: city_code
time: year
defaults:
  outcome: CP
  treatment: [AI]
  published: {convention: xtreg, covariance: iid}
  conventions: [published, clustered]
models:
  - {id: T3c1, controls: []}
  - {id: T3c2, controls: [POP]}
  - {id: T3c3, controls: [POP, ER]}
  - {id: T4c1, controls: [POP], sample: year > 2001}
  - {id: T4c2, controls: [POP]}
  - {id: T4c4, controls: [POP], winsor: {columns: [CP], limits: [1, 99]}}
"""


def published_database(path: Path, *, simulated: bool) -> duckdb.DuckDBPyConnection:
    """Results of a study on a small panel, beside the published seeds of the project."""
    con = results_database(path)
    con.execute("create schema published; create schema meta")
    for seed in sorted((project_root() / "seeds" / "published").glob("seed_*.csv")):
        con.execute(f"create table published.{seed.stem} as from read_csv('{seed}', all_varchar = true)")
    con.execute("create table meta.build as select ? as is_simulated", [simulated])
    con.execute("create table meta.mart_hash as select 'marts' as schema_name, 'frame' as table_name, 'other' as hash")
    folder = path.parent / "study"
    folder.mkdir()
    (folder / "trial.yml").write_text(BODY, "utf-8")
    study = load_study(folder / "trial.yml")
    data = small_panel().rename(columns={"city": "city_code"})
    write_run(con, run_study(study, FramePanel(data, is_simulated=simulated)))
    return con


def first(rows: list[ComparisonRow], analysis_id: str) -> ComparisonRow:
    return next(r for r in rows if r.analysis_id == analysis_id)


def test_the_design_is_compared_and_nothing_else_when_simulated(tmp_path: Path) -> None:
    con = published_database(tmp_path / "w.duckdb", simulated=True)
    rows = compare(con, "carbon_productivity")
    assert (
        len(rows)
        == con.execute(
            "select count(*) from published.seed_published_model where study = 'carbon_productivity'"
        ).fetchone()[0]
    )
    assert [r.analysis_id for r in rows[:7]] == ["T3c1", "T3c2", "T3c3", "T3c4", "T3c5", "T3c6", "T4c1"]
    same = first(rows, "T3c2")
    assert (same.controls_published, same.controls, same.outcome) == ("POP", "POP", "CP")
    assert (same.n_published, same.n, same.cities_published, same.cities) == (5149, 96, 271, 12)
    assert (same.convention, same.errors, same.errors_published) == ("xtreg", "iid", "not stated")
    assert same.differs_in == "N, cities"
    assert first(rows, "T3c3").differs_in == "controls, N, cities"
    assert first(rows, "T4c4").sample == "whole panel; CP winsorised at 1 and 99 percent"
    gone = first(rows, "T9c1")
    assert (gone.status, gone.id) == ("not_run", None) and gone.message
    assert all(r.estimate is None and r.estimate_published is None and r.statistic is None for r in rows)
    assert all(r.r2 is None and r.r2_published is None for r in rows)


def test_estimates_stand_side_by_side_on_real_inputs(tmp_path: Path) -> None:
    con = published_database(tmp_path / "w.duckdb", simulated=False)
    rows = [r for r in compare(con, "carbon_productivity", "3") if r.analysis_id == "T3c2"]
    assert [r.term for r in rows] == ["AI", "POP", "_cons"]
    assert (rows[0].estimate_published, rows[0].statistic_published) == ("0.096***", "5.077")
    ours = con.execute("select estimate from results.coefficient where id = 'T3c2' and term = 'AI'").fetchone()
    assert rows[0].estimate == ours[0]
    assert rows[0].r2_published == 0.377


def test_the_latest_run_is_shown(tmp_path: Path) -> None:
    con = published_database(tmp_path / "w.duckdb", simulated=True)
    con.execute(
        "insert into results.run select * replace ('later' as run_id, started_at + interval 1 hour as started_at)"
        " from results.run"
    )
    con.execute(
        "insert into results.model select * replace ('later' as run_id, 7 as n_obs) from results.model"
        " where id = 'T3c1'"
    )
    rows = compare(con, "carbon_productivity", "3")
    assert first(rows, "T3c1").n == 7 and first(rows, "T3c2").n == 96


@pytest.mark.parametrize("simulated", [True, False])
def test_what_the_command_line_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, simulated: bool) -> None:
    path = tmp_path / "w.duckdb"
    published_database(path, simulated=simulated).close()
    monkeypatch.setenv("CARBONPANEL_DATABASE", str(path))
    shown = compare_published("carbon_productivity", "3")
    assert shown.simulated is simulated
    assert ("estimate" in shown.columns) is not simulated
    assert all(len(row) == len(shown.columns) for row in shown.rows)
    assert any("only the design" in note for note in shown.notes) is simulated
    assert any("earlier build" in note for note in shown.notes)


def test_a_part_of_the_panel_is_not_the_whole(tmp_path: Path) -> None:
    con = published_database(tmp_path / "w.duckdb", simulated=True)
    con.execute("update results.model set sample = 'year > 2001' where id = 'T3c1'")
    rows = compare(con, "carbon_productivity")
    assert "sample" in first(rows, "T3c1").differs_in.split(", ")
    for same in ("T3c2", "T4c1", "T4c4"):
        assert "sample" not in first(rows, same).differs_in.split(", ")
    whole = first(rows, "T4c2")
    assert whole.sample == "whole panel" and whole.sample_published.startswith("excluding")
    assert "sample" in whole.differs_in.split(", ")


def test_models_from_an_edited_study_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.duckdb"
    con = published_database(path, simulated=True)
    shipped = next(s for s in load_studies(paths().studies, ["carbon_productivity"]) if s.table == "3")
    monkeypatch.setenv("CARBONPANEL_DATABASE", str(path))
    con.close()
    notes = compare_published("carbon_productivity", "3").notes
    assert "from an edited study, not the shipped one: T3c1, T3c2, T3c3" in notes
    with duckdb.connect(str(path)) as con:
        con.execute("update results.run set study_hash = ?", [shipped.file_hash])
    assert not any("edited" in note for note in compare_published("carbon_productivity", "3").notes)
    assert (
        "from an edited study, not the shipped one: T4c1, T4c2, T4c4" in compare_published("carbon_productivity").notes
    )


def test_unknown_studies_and_tables_are_named(tmp_path: Path) -> None:
    con = published_database(tmp_path / "w.duckdb", simulated=True)
    with pytest.raises(CarbonpanelError) as caught:
        compare(con, "carbon_productivty")
    assert caught.value.code == "CP-COMPARE-STUDY" and "'carbon_productivity'" in caught.value.remedy
    with pytest.raises(CarbonpanelError) as caught:
        compare(con, "carbon_productivity", "33")
    assert caught.value.code == "CP-COMPARE-TABLE" and "3, 4" in caught.value.remedy
