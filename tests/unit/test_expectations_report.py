"""The report: counts, words, and its place in the warehouse."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest

from analysis_py.errors import CarbonpanelError
from expectations.report import ExpectationOutcome, ValidationReport, read_reports, render_report, write_report
from tests.unit.expectations_case import create_quality_tables


def outcome(
    position: int, *, severity: str = "warn", success: bool = True, message: str = "as expected"
) -> ExpectationOutcome:
    return ExpectationOutcome(
        stage="raw",
        suite="city_energy.series",
        table_name="raw_city_energy",
        position=position,
        expectation="expect_column_not_to_jump",
        column_name="energy_coke",
        severity=severity,
        success=success,
        element_count=120,
        unexpected_count=None if success else 3,
        observed="3 up",
        expected="1/5 to 5 times",
        message=message,
    )


def make_report(*results: ExpectationOutcome, stage: str = "raw", day: int = 1) -> ValidationReport:
    started = dt.datetime(2025, 11, day, 8, 0, tzinfo=dt.UTC)
    return ValidationReport(
        validation_id=f"{stage}-{day}",
        stage=stage,
        started_at=started,
        finished_at=started + dt.timedelta(seconds=2),
        inputs={"city_energy": "demo", "city_firms": "none"},
        results=results,
    )


MIXED = make_report(
    outcome(0),
    outcome(1, success=False, message="coke jumps"),
    outcome(2, severity="stop", success=False, message="keys are double"),
    outcome(3, severity="stop"),
)


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect(":memory:")
    made.execute("create schema quality")
    create_quality_tables(made)
    return made


def test_counts_and_success() -> None:
    assert (MIXED.n_stop, MIXED.n_warn, MIXED.success) == (1, 1, False)
    assert make_report(outcome(0, success=False)).success, "warnings do not stop"


def test_failed_come_first_stops_before_warnings() -> None:
    text = render_report(MIXED)
    lines = text.splitlines()
    assert lines[0] == "Validation of the raw inputs: 2 of 4 expectations hold."
    assert lines[1].startswith("SIMULATED")
    assert text.index("STOP  keys are double") < text.index("WARN  coke jumps") < text.index("city_energy.series")
    assert "No file brought: city_firms." in text


def test_written_and_read_back(con: duckdb.DuckDBPyConnection) -> None:
    write_report(con, MIXED)
    newer = make_report(outcome(0), stage="mart", day=2)
    write_report(con, newer)
    assert read_reports(con) == [MIXED, newer]
    row = con.execute(
        "select success, n_stop, n_warn, inputs from quality.validation_run where stage = 'raw'"
    ).fetchone()
    assert row == (False, 1, 1, '{"city_energy": "demo", "city_firms": "none"}')


def test_only_the_latest_of_a_stage_is_read(con: duckdb.DuckDBPyConnection) -> None:
    for day in (3, 1, 2):
        write_report(con, make_report(outcome(0), day=day))
    assert [r.validation_id for r in read_reports(con)] == ["raw-3"]


def test_many_outcomes_keep_their_order(con: duckdb.DuckDBPyConnection) -> None:
    report = make_report(*(outcome(k) for k in range(257)))
    write_report(con, report)
    assert read_reports(con)[0].results == report.results


def test_a_write_joins_the_callers_transaction(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("begin transaction")
    write_report(con, MIXED)
    con.execute("rollback")
    assert read_reports(con) == []


def test_a_failed_write_leaves_nothing(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("alter table quality.expectation_result drop column message")
    with pytest.raises(duckdb.Error):
        write_report(con, MIXED)
    assert con.execute("select count(*) from quality.validation_run").fetchone() == (0,)


def test_missing_tables_are_a_readable_error() -> None:
    with duckdb.connect(":memory:") as bare:
        with pytest.raises(CarbonpanelError, match="CP-QUALITY-TABLES"):
            write_report(bare, MIXED)
        with pytest.raises(CarbonpanelError, match="CP-QUALITY-TABLES"):
            read_reports(bare)
