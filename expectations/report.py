"""What a validation found: outcomes, the report, its place in the warehouse, its words. No Great Expectations here."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from analysis_py.errors import CarbonpanelError
from analysis_py.settings import SIMULATED_NOTICE
from expectations.wording import BETWEEN_COLUMNS

if TYPE_CHECKING:
    import duckdb

_RUN_COLUMNS = ("validation_id", "stage", "started_at", "finished_at", "inputs", "success", "n_stop", "n_warn")


@dataclass(frozen=True)
class ExpectationOutcome:
    """One expectation held against one table.

    Attributes
    ----------
    stage : ``raw`` or ``mart``.
    suite, position : the suite and the expectation's place in it (from 0).
    severity : ``stop`` or ``warn``.
    element_count, unexpected_count : how many things were looked at and how many are not as expected; None where
        the expectation is about the table as a whole.
    observed, expected : short texts.
    message : one line for a person; for an expectation that holds, what held.
    """

    stage: str
    suite: str
    table_name: str
    position: int
    expectation: str
    column_name: str
    severity: str
    success: bool
    element_count: int | None
    unexpected_count: int | None
    observed: str
    expected: str
    message: str


_OUTCOME_COLUMNS = tuple(f.name for f in fields(ExpectationOutcome))


@dataclass(frozen=True)
class ValidationReport:
    """All outcomes of one stage, in the order of the suites. Times are UTC."""

    validation_id: str
    stage: str
    started_at: dt.datetime
    finished_at: dt.datetime
    inputs: Mapping[str, str]
    results: tuple[ExpectationOutcome, ...]

    @property
    def success(self) -> bool:
        """Whether no stopping expectation failed."""
        return self.n_stop == 0

    @property
    def n_stop(self) -> int:
        """Stopping expectations that failed."""
        return sum(1 for r in self.results if not r.success and r.severity == "stop")

    @property
    def n_warn(self) -> int:
        """Warning expectations that failed."""
        return sum(1 for r in self.results if not r.success and r.severity == "warn")


def write_report(con: duckdb.DuckDBPyConnection, report: ValidationReport) -> None:
    """Add the report to ``quality.validation_run`` and ``quality.expectation_result`` in one transaction.

    Inside a transaction the caller has already begun, the rows join that one. dbt makes the tables.

    Raises
    ------
    CarbonpanelError ``CP-QUALITY-TABLES`` where the tables are not there; nothing is written then.
    """
    import duckdb

    ours = not _is_in_transaction(con)
    if ours:
        con.execute("begin transaction")
    try:
        con.execute(
            f"insert into quality.validation_run ({', '.join(_RUN_COLUMNS)}) values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                report.validation_id,
                report.stage,
                _naive(report.started_at),
                _naive(report.finished_at),
                json.dumps(dict(sorted(report.inputs.items())), ensure_ascii=False),
                report.success,
                report.n_stop,
                report.n_warn,
            ],
        )
        columns = ("validation_id", *_OUTCOME_COLUMNS)
        rows = [[report.validation_id, *(getattr(r, name) for name in _OUTCOME_COLUMNS)] for r in report.results]
        _insert_rows(con, "quality.expectation_result", columns, rows)
    except BaseException as error:
        if ours:
            con.execute("rollback")
        if isinstance(error, duckdb.CatalogException):
            raise CarbonpanelError(
                "CP-QUALITY-TABLES",
                "the warehouse has no tables for validation results",
                where="schema quality",
                remedy="run 'carbonpanel refresh'; the build makes them",
            ) from None
        raise
    if ours:
        con.execute("commit")


def _is_in_transaction(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the caller has begun a transaction: then two statements share one. Asking by ``begin`` would abort it."""
    first, second = (con.execute("select txid_current()").fetchone() for _ in range(2))
    return first == second


def _insert_rows(
    con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Insert rows in few statements: one prepared statement a row is many times slower in DuckDB."""
    batch = 100
    line = f"({', '.join('?' * len(columns))})"
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        con.execute(
            f"insert into {table} ({', '.join(columns)}) values {', '.join([line] * len(part))}",
            [value for row in part for value in row],
        )


def read_reports(con: duckdb.DuckDBPyConnection) -> list[ValidationReport]:
    """The latest report of each stage as written to the warehouse, raw before mart; empty when there is none.

    Raises
    ------
    CarbonpanelError ``CP-QUALITY-TABLES`` where the tables are not there.
    """
    import duckdb

    try:
        runs = con.execute(
            "select validation_id, stage, started_at, finished_at, inputs from quality.validation_run "
            "qualify row_number() over (partition by stage order by started_at desc, validation_id desc) = 1 "
            "order by stage desc"
        ).fetchall()
    except duckdb.CatalogException:
        raise CarbonpanelError(
            "CP-QUALITY-TABLES",
            "the warehouse has no validation results",
            where="schema quality",
            remedy="run 'carbonpanel refresh' first",
        ) from None
    reports = []
    for validation_id, stage, started, finished, inputs in runs:
        rows = con.execute(
            f"select {', '.join(_OUTCOME_COLUMNS)} from quality.expectation_result "
            "where validation_id = ? order by rowid",
            [validation_id],
        ).fetchall()
        results = tuple(ExpectationOutcome(*row) for row in rows)
        reports.append(
            ValidationReport(
                validation_id,
                stage,
                started.replace(tzinfo=dt.UTC),
                finished.replace(tzinfo=dt.UTC),
                json.loads(inputs),
                results,
            )
        )
    return reports


def render_report(report: ValidationReport) -> str:
    """The report as text: what failed first (stopping before warning), then how much of each suite holds."""
    noun = {"raw": "raw inputs", "mart": "marts"}.get(report.stage, report.stage)
    held = sum(1 for r in report.results if r.success)
    lines = [f"Validation of the {noun}: {held} of {len(report.results)} expectations hold."]
    if "demo" in report.inputs.values():
        lines.append(SIMULATED_NOTICE)
    for severity, title in (
        ("stop", "{n} stopping failure(s): the data are not loaded"),
        ("warn", "{n} warning(s): the data are loaded; look at these"),
    ):
        failed = [r for r in report.results if not r.success and r.severity == severity]
        if not failed:
            continue
        lines += ["", title.format(n=len(failed)) + ":"]
        table = ""
        for outcome in sorted(failed, key=lambda r: _first_of(report, r.table_name)):
            if outcome.table_name != table:
                table = outcome.table_name
                lines.append(f"  {table}")
            lines.append(f"    {severity.upper()}  " + outcome.message.replace(BETWEEN_COLUMNS, "\n          "))
    lines += ["", "Expectations that hold, by suite:"]
    for suite in dict.fromkeys(r.suite for r in report.results):
        of_suite = [r for r in report.results if r.suite == suite]
        lines.append(f"  {suite:<34} {sum(r.success for r in of_suite):>4} of {len(of_suite)}")
    absent = [source for source, kind in sorted(report.inputs.items()) if kind == "none"]
    if absent:
        lines += ["", f"No file brought: {', '.join(absent)}."]
    return "\n".join(lines)


def _first_of(report: ValidationReport, table: str) -> int:
    return next(i for i, r in enumerate(report.results) if r.table_name == table)


def _naive(moment: dt.datetime) -> dt.datetime:
    """UTC without a zone, as the warehouse keeps times."""
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment
