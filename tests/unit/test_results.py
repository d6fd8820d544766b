"""A run in the results tables and as JSON: every field arrives, all or nothing, and nothing that JSON cannot say."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import duckdb
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.fits.run_record import CurvePoint, DiagnosticRow, StudyRun, ThresholdRow
from analysis_py.results import TABLES, to_json, write_run
from analysis_py.runner import FramePanel, run_study
from analysis_py.settings import SIMULATED_NOTICE
from tests.unit.results_case import results_database
from tests.unit.study_case import model_of, study_of
from tests.unit.test_runner_frames import filled_panel

BODY = """\
table: "3"
title: {en: Trial, zh: 试验}
defaults: {outcome: CP, treatment: [AI], controls: [POP], convention: xtreg, covariance: iid}
models:
  - {id: M, analysis_id: T3c1, conventions: [published, clustered]}
  - {id: H, estimator: heterogeneity, split: {by: is_resource}}
  - {id: D, estimator: descriptive, columns: [CP, AI]}
  - {id: X, sample: year > 3000}
  - {id: I, estimator: spatial, spatial: {model: sdm, weights: contiguity}}
"""


@pytest.fixture
def run(tmp_path: Path) -> StudyRun:
    return run_study(study_of(tmp_path, BODY), FramePanel(filled_panel(), is_simulated=True))


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, object]]:
    cursor = con.execute(sql)
    names = [d[0] for d in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_a_run_comes_back_from_the_tables(run: StudyRun) -> None:
    con = results_database()
    write_run(con, run)
    stored = rows(con, "from results.run")
    assert len(stored) == 1
    for name in ("run_id", "study", "status", "inputs", "is_simulated", "panel", "panel_hash", "study_hash", "seed"):
        assert stored[0][name] == getattr(run, name)
    assert stored[0]["started_at"] == run.started_at
    assert json.loads(str(stored[0]["versions"]))["duckdb"] == duckdb.__version__
    models = {str(m["id"]): m for m in rows(con, "from results.model order by rowid")}
    ids = ["M", "M:clustered", "M:observed", "H", "H:observed", "D", "D:observed", "X", "I"]
    assert list(models) == [m.id for m in run.models] == ids
    main = model_of(run, "M")
    for name in ("n_obs", "n_units", "n_times", "n_filled_cells", "df_resid", "r2", "r2_within", "f", "rmse", "status"):
        assert models["M"][name] == getattr(main, name)
    assert models["M"]["table_no"] == "3" and models["M"]["analysis_id"] == "T3c1"
    assert models["M:clustered"]["variant_of"] == "M" and models["M:clustered"]["n_clusters"] == "12"
    spec = json.loads(str(models["M"]["spec"]))
    assert spec["covariance"] == {"by": [], "type": "iid"} and spec["controls"] == ["POP"]
    assert models["X"]["status"] == "failed" and models["I"]["status"] == "not_run"
    coefficients = rows(con, "from results.coefficient where id = 'M' order by position")
    assert [c["term"] for c in coefficients] == ["AI", "POP", "_cons"]
    assert [c["estimate"] for c in coefficients] == [c.estimate for c in main.coefficients]
    assert [c["df"] for c in coefficients] == [main.df_resid] * 3
    grouped = rows(con, "select distinct \"group\" from results.coefficient where id = 'H' order by 1")
    assert [g["group"] for g in grouped] == ["is_resource=false", "is_resource=true"]
    sizes = json.loads(str(models["H"]["small_sample"]))["groups"]
    assert [g["n_obs"] for g in sizes] == [48, 48] and "small_sample" in sizes[0]
    tests = rows(con, "from results.diagnostic where id = 'H'")
    assert [t["test"] for t in tests] == ["interaction_wald"]
    described = rows(con, "from results.descriptive where id = 'D' order by position")
    assert [(d["variable"], d["n"], d["n_filled"]) for d in described] == [("CP", 96, 0), ("AI", 96, 3)]
    dropped = rows(con, "from results.dropped_observation where id = 'M:observed' order by unit, time")
    assert [(d["unit"], d["time"], d["reason"]) for d in dropped] == [
        ("c00", "2003", "missing AI"),
        ("c00", "2004", "missing AI"),
        ("c01", "2001", "missing AI"),
        ("c02", "2005", "missing POP"),
    ]


def test_running_again_adds_a_run(run: StudyRun) -> None:
    con = results_database()
    write_run(con, run)
    write_run(con, dataclasses.replace(run, run_id="later"))
    assert con.execute("select count(*), count(distinct run_id) from results.model").fetchone() == (18, 2)


def test_thresholds_curves_and_critical_values_are_kept(run: StudyRun) -> None:
    model = dataclasses.replace(
        run.models[0],
        thresholds=(ThresholdRow(1, "AI", 7.75, 7.7, 7.8, 511.9, 0.0, {"5%": 45.1}),),
        curves=(
            CurvePoint("lr", 1.0, 2.0),
            CurvePoint("margins", 1.0, 3.0, 2.0, 4.0, "low"),
            CurvePoint("lr", 2.0, 5.0),
        ),
        diagnostics=(DiagnosticRow("cragg_donald_f", 98.2, 1, 4584, None, {"10%": 16.38}),),
    )
    con = results_database()
    write_run(con, dataclasses.replace(run, models=(model,)))
    assert con.execute('select "order", value, critical from results.threshold').fetchall() == [
        (1, 7.75, '{"5%":45.1}')
    ]
    assert con.execute("select curve, position, x, y from results.curve order by curve, position").fetchall() == [
        ("lr", 1, 1.0, 2.0),
        ("lr", 2, 2.0, 5.0),
        ("margins", 1, 1.0, 3.0),
    ]
    assert con.execute("select critical from results.diagnostic").fetchall() == [('{"10%":16.38}',)]
    written = to_json(dataclasses.replace(run, models=(model,)))["models"][0]
    assert written["thresholds"][0]["critical"] == {"5%": 45.1}
    assert written["diagnostics"][0]["critical"] == {"10%": 16.38}


def test_all_or_nothing(run: StudyRun) -> None:
    con = results_database()
    con.execute("drop table results.dropped_observation")
    with pytest.raises(CarbonpanelError, match="CP-RESULTS-MISSING"):
        write_run(con, run)
    assert con.execute("select count(*) from results.run").fetchone() == (0,)
    write_run_fails_again = con.execute("select count(*) from results.model").fetchone()
    assert write_run_fails_again == (0,)


def test_it_joins_an_open_transaction(run: StudyRun) -> None:
    con = results_database()
    con.execute("begin transaction")
    write_run(con, run)
    con.execute("rollback")
    assert con.execute("select count(*) from results.run").fetchone() == (0,)
    con.execute("begin transaction")
    write_run(con, run)
    con.execute("commit")
    assert con.execute("select count(*) from results.run").fetchone() == (1,)


def test_every_results_table_is_known() -> None:
    con = results_database()
    there = con.execute("select table_name from information_schema.tables where table_schema = 'results'").fetchall()
    assert sorted(TABLES) == sorted(t[0] for t in there)


def test_the_json_keeps_the_contract(run: StudyRun) -> None:
    written = to_json(run)
    text = json.dumps(written, allow_nan=False, ensure_ascii=False)
    assert json.loads(text) == written
    assert set(written) == {"run", "models"}
    assert {"inputs", "versions", "hashes"} <= set(written["run"])
    assert set(written["run"]["hashes"]) == {"study", "panel", "lock", "seeds"}
    assert written["run"]["notice"] == SIMULATED_NOTICE
    needed = {
        "id",
        "estimator",
        "status",
        "message",
        "convention",
        "covariance",
        "n_obs",
        "n_units",
        "n_singletons_dropped",
        "n_filled_cells",
        "df_resid",
        "r2",
        "r2_within",
        "f",
        "groups",
        "coefficients",
        "diagnostics",
        "thresholds",
        "curves",
    }
    coefficient = {"term", "regime", "group", "estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high"}
    keys = {tuple(m) for m in written["models"]}
    assert len(keys) == 1, "every model has the same keys in the same order"
    for model in written["models"]:
        assert needed <= set(model)
        assert model["status"] in ("ok", "warned", "failed", "not_run")
        assert model["status"] == "ok" or model["message"]
        for row in model["coefficients"]:
            assert coefficient <= set(row)
        for row in model["diagnostics"]:
            assert {"test", "statistic", "df1", "df2", "p_value", "critical"} <= set(row)
        for row in model["groups"]:
            assert {"group", "n_obs", "n_units", "r2_within"} <= set(row)
    ids = [m["id"] for m in written["models"]]
    assert len(set(ids)) == len(ids)
    main = written["models"][0]
    assert main["coefficients"][0]["estimate"] == run.models[0].coefficients[0].estimate
    assert main["coefficients"][0]["group"] is None


def test_what_is_not_a_number_becomes_null(run: StudyRun) -> None:
    first = run.models[0]
    bad = dataclasses.replace(first.coefficients[0], std_error=math.nan, ci_high=math.inf, p_value=math.nan)
    model = dataclasses.replace(first, coefficients=(bad,), f=math.inf, r2=math.nan, small_sample={"K": math.nan})
    changed = dataclasses.replace(run, models=(model,))
    written = to_json(changed)["models"][0]
    assert written["coefficients"][0]["std_error"] is None and written["coefficients"][0]["ci_high"] is None
    assert written["f"] is None and written["small_sample"] == {"K": None}
    con = results_database()
    write_run(con, changed)
    assert con.execute("select std_error, ci_high from results.coefficient").fetchall() == [(None, None)]
    assert con.execute("select f, r2 from results.model").fetchall() == [(None, None)]


def test_a_run_on_a_file_of_the_user_has_no_notice(tmp_path: Path) -> None:
    done = run_study(study_of(tmp_path, BODY), FramePanel(filled_panel()))
    assert to_json(done)["run"]["notice"] is None and to_json(done)["run"]["is_simulated"] is False
