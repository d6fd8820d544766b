"""Scoring estimates against truths: which errors judge, what a verdict means, and no claim beyond what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.settings import SIMULATED_NOTICE, paths
from analysis_py.simulate.recover import (
    BIASED,
    RECOVERED,
    UNEXPECTED,
    UNIDENTIFIED,
    count_verdicts,
    recover,
    render_recovery,
)
from analysis_py.study import load_studies

STUDY = "carbon_productivity"

#: Hash of the shipped study file of each model.
SHIPPED = {m.id: s.file_hash for s in load_studies(paths().studies, [STUDY]) for m in s.models}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse with the tables that recovery reads."""
    connection = duckdb.connect()
    connection.execute("create schema truth; create schema results")
    connection.execute(
        "create table truth.truth_parameter (study varchar, analysis_id varchar, term varchar, parameter varchar,"
        " value double, exact_for varchar, expectation varchar, description varchar)"
    )
    connection.execute(
        "create table results.latest_model (run_id varchar, study varchar, analysis_id varchar, id varchar,"
        " variant varchar, variant_of varchar, covariance varchar, n_clusters varchar, status varchar,"
        " is_simulated boolean)"
    )
    connection.execute("create table results.run (run_id varchar, inputs varchar, study_hash varchar)")
    connection.execute(
        "create table results.coefficient (run_id varchar, study varchar, id varchar, position integer, term varchar,"
        ' regime varchar, "group" varchar, estimate double, std_error double)'
    )
    yield connection
    connection.close()


def add_truth(
    con: duckdb.DuckDBPyConnection,
    structural: float | None,
    target: float,
    expectation: str,
    reference: float = 0.01,
    term: str = "AI",
    description: str = "biased: a shock moves both (-0.03); more",
) -> None:
    values = (("structural", structural), ("target", target), ("reference_std_error", reference))
    for parameter, value in values:
        con.execute(
            "insert into truth.truth_parameter values (?, 'T3c1', ?, ?, ?, 'twfe', ?, ?)",
            [STUDY, term, parameter, value, expectation, description],
        )


def add_model(
    con: duckdb.DuckDBPyConnection,
    estimate: float,
    error: float,
    model: str = "T3c1",
    variant: str = "main",
    covariance: str = "iid",
    clusters: str | None = None,
    simulated: bool = True,
    status: str = "ok",
    term: str = "AI",
    group: str | None = None,
    inputs: str = "demo",
    study_hash: str | None = None,
    analysis_id: str = "T3c1",
) -> None:
    of = None if variant == "main" else analysis_id
    run = f"run of {model} {term}"
    con.execute(
        "insert into results.latest_model values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [run, STUDY, analysis_id, model, variant, of, covariance, clusters, status, simulated],
    )
    con.execute("insert into results.run values (?, ?, ?)", [run, inputs, study_hash or SHIPPED[analysis_id]])
    con.execute(
        "insert into results.coefficient values (?, ?, ?, 1, ?, null, ?, ?, ?)",
        [run, STUDY, model, term, group, estimate, error],
    )


def only(con: duckdb.DuckDBPyConnection):
    (row,) = recover(con)
    return row


@pytest.mark.parametrize(
    ("expectation", "truth", "target", "estimate", "verdict"),
    [
        ("recovers", 0.10, 0.101, 0.12, RECOVERED),
        ("recovers", 0.10, 0.101, 0.16, UNEXPECTED),
        ("biased", 0.10, 0.02, 0.03, BIASED),
        ("biased", 0.10, 0.02, 0.10, UNEXPECTED),
        ("biased", 0.10, 0.02, -0.20, UNEXPECTED),
        ("biased", 0.10, 0.08, 0.09, BIASED),
        ("not_identified", None, 0.0, 3.0, UNIDENTIFIED),
    ],
)
def test_verdicts(con, expectation: str, truth: float | None, target: float, estimate: float, verdict: str) -> None:
    add_truth(con, truth, target, expectation)
    add_model(con, estimate, 0.001)
    row = only(con)
    assert row.verdict == verdict
    assert (row.truth, row.target, row.estimate) == (truth, target, estimate)
    if truth is not None:
        assert row.distance_from_truth == pytest.approx((estimate - truth) / 0.01)


def test_text_admits_when_noise_hides_the_bias(con) -> None:
    add_truth(con, 0.10, 0.08, "biased")
    add_model(con, 0.09, 0.001)
    assert only(con).is_truth_within_noise and "the truth is within the noise too" in only(con).text
    assert "In 1 of the biased ones the truth is within the noise too." in render_recovery(recover(con))


def test_tables_and_columns_come_in_the_order_of_their_numbers(con) -> None:
    for identifier in ("T10c1", "T4c4", "T3c2"):
        con.execute(
            "insert into truth.truth_parameter values (?, ?, 'AI', 'structural', 0.1, '', 'recovers', '')",
            [STUDY, identifier],
        )
        add_model(con, 0.1, 0.01, model=identifier, analysis_id=identifier)
    assert [row.analysis_id for row in recover(con)] == ["T3c2", "T4c4", "T10c1"]


@pytest.mark.parametrize("inputs", ["mixed", "user", "file"])
def test_inputs_that_are_not_the_demo_world_alone_are_not_scored(con, inputs: str) -> None:
    add_truth(con, 0.10, 0.10, "recovers")
    add_model(con, 0.10, 0.01, inputs=inputs)
    with pytest.raises(CarbonpanelError, match="CP-RECOVER-NOTHING") as caught:
        recover(con)
    assert f"({inputs}): T3c1" in caught.value.remedy and "--inputs demo" in caught.value.remedy


def test_an_edited_study_is_named_and_not_scored(con) -> None:
    add_truth(con, 0.10, 0.10, "recovers")
    con.execute(
        "insert into truth.truth_parameter values (?, 'T3c2', 'AI', 'structural', 0.1, '', 'recovers', '')", [STUDY]
    )
    edited: dict[str, Any] = {"study_hash": SHIPPED["T3c1"][::-1], "covariance": "cluster(city_code)"}
    add_model(con, 0.90, 0.01, **edited)
    add_model(con, 0.90, 0.01, model="T3c1:clustered", variant="clustered", **edited)
    with pytest.raises(CarbonpanelError, match="CP-RECOVER-NOTHING") as caught:
        recover(con)
    assert "from an edited study: T3c1" in caught.value.remedy and "T3c1:clustered" not in caught.value.remedy
    add_model(con, 0.10, 0.01, model="T3c2", analysis_id="T3c2")
    rows = recover(con)
    assert [r.id for r in rows] == ["T3c2"]
    assert rows.notes == ("not scored, from an edited study: T3c1",)
    assert render_recovery(rows).endswith("\nNot scored, from an edited study: T3c1.")


def test_text_gives_the_reason(con) -> None:
    add_truth(con, 0.10, 0.02, "biased")
    add_model(con, 0.02, 0.001)
    text = only(con).text
    assert "8.0 standard errors from the truth" in text and "a shock moves both (-0.03)" in text and "more" not in text


def test_clustered_twin_judges_before_reference_and_conventional_errors(con) -> None:
    add_truth(con, 0.10, 0.10, "recovers", reference=0.01)
    add_model(con, 0.14, 0.001)
    assert only(con).error_kind == "clustered, from the truth table"
    assert only(con).verdict == UNEXPECTED
    add_model(
        con, 0.14, 0.02, model="T3c1:clustered", variant="clustered", covariance="cluster(city_code)", clusters="270"
    )
    row = only(con)
    assert (row.id, row.error_kind, row.std_error, row.verdict) == ("T3c1", "cluster(city_code)", 0.02, RECOVERED)


def test_few_clusters_allow_a_wider_distance(con) -> None:
    add_truth(con, 0.10, 0.10, "recovers")
    add_model(con, 0.20, 0.02, covariance="cluster(city_code)", clusters="270")
    assert only(con).verdict == UNEXPECTED
    con.execute("update results.latest_model set n_clusters = '7'")
    assert only(con).verdict == RECOVERED


@pytest.mark.parametrize("option", [{"simulated": False}, {"status": "failed"}, {"group": "is_west=true"}])
def test_only_simulated_finished_ungrouped_results_are_scored(con, option: dict[str, object]) -> None:
    add_truth(con, 0.10, 0.10, "recovers")
    add_model(con, 0.10, 0.01, **option)
    with pytest.raises(CarbonpanelError, match="CP-RECOVER-NOTHING"):
        recover(con)


def test_other_variants_are_not_scored_twice(con) -> None:
    add_truth(con, 0.10, 0.10, "recovers")
    add_model(con, 0.10, 0.01)
    add_model(con, 0.50, 0.01, model="T3c1:observed", variant="observed")
    assert only(con).estimate == 0.10


def test_without_truth_tables() -> None:
    with duckdb.connect() as empty, pytest.raises(CarbonpanelError, match="CP-RECOVER-TRUTH") as caught:
        recover(empty)
    assert "carbonpanel refresh" in caught.value.remedy


def test_without_results_tables(con) -> None:
    add_truth(con, 0.10, 0.10, "recovers")
    con.execute("drop table results.latest_model")
    with pytest.raises(CarbonpanelError, match="CP-RECOVER-NOTHING"):
        recover(con)


def test_rendered_table_says_simulated_and_counts(con) -> None:
    add_truth(con, 0.10, 0.02, "biased")
    add_truth(con, None, 0.0, "not_identified", term="_cons")
    add_model(con, 0.02, 0.001)
    add_model(con, 1.0, 0.001, term="_cons")
    rows = recover(con)
    assert count_verdicts(rows) == {RECOVERED: 0, BIASED: 1, UNEXPECTED: 0, UNIDENTIFIED: 1}
    text = render_recovery(rows)
    assert text.startswith(SIMULATED_NOTICE)
    assert "1 biased as expected; 1 not identified." in text and "_cons" not in text


def test_shipped_world_is_scored(warehouse: Path) -> None:
    """The whole way: dbt, studies, scores. Expected failures fail as expected, and nearly nothing is unexpected."""
    with duckdb.connect(str(warehouse), read_only=True) as shipped:
        rows = recover(shipped)
    counts = count_verdicts(rows)
    assert {r.analysis_id for r in rows} >= {"T3c1", "T3c6", "T4c4", "T6c1", "T6c2", "T7c1", "T10c1", "T11c4", "T12c5"}
    assert counts[RECOVERED] > 50 and counts[BIASED] > 30
    assert counts[UNEXPECTED] <= 3, [r for r in rows if r.verdict == UNEXPECTED]
    by_key = {(r.analysis_id, r.term): r for r in rows}
    assert by_key["T6c1", "AI"].verdict == RECOVERED
    for biased in (("T3c6", "AI"), ("T6c2", "AI")):
        row = by_key[biased]
        assert row.verdict == BIASED and abs(row.distance_from_truth or 0.0) > 3
        assert row.error_kind.startswith("cluster(")
