"""Runs the validation on the present inputs and database, or reads back what the last refresh stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_py.progress import Progress
from analysis_py.settings import paths
from analysis_py.warehouse import has_table, open_read, open_write, simulated

if TYPE_CHECKING:
    from expectations.report import ValidationReport

_COLUMNS = ("stage", "suite", "severity", "result", "expectation", "column", "unexpected", "message")


@dataclass(frozen=True)
class QualityOutcome:
    """The reports of the raw and the mart stage, and whether they were stored before or made now."""

    reports: tuple[ValidationReport, ...]
    simulated: bool
    stored: bool

    @property
    def success(self) -> bool:
        """Whether no stopping expectation failed."""
        return all(report.success for report in self.reports)

    def text(self) -> str:
        """The reports for people: failures first, with examples and what to do."""
        from expectations.validation import render_report

        return "\n\n".join(render_report(report) for report in self.reports)

    def rows(self, *, failed_only: bool) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Columns and one row an expectation, stopping failures first."""
        kept = [r for report in self.reports for r in report.results if not (failed_only and r.success)]
        kept.sort(key=lambda r: (r.success, r.severity != "stop"))
        return _COLUMNS, [
            (
                *(r.stage, r.suite, r.severity, "passed" if r.success else "failed"),
                *(r.expectation, r.column_name or "", r.unexpected_count, r.message),
            )
            for r in kept
        ]


def check_now() -> QualityOutcome:
    """Validate the raw inputs and the marts of the present database and store the results in schema ``quality``."""
    from expectations.validation import validate_marts, validate_raw, write_report

    place = paths()
    with open_read() as con:
        row = (
            con.execute("select variables from meta.refresh").fetchone() if has_table(con, "meta", "refresh") else None
        )
        is_simulated = simulated(con)
    if row is not None:
        inputs = dict(json.loads(str(row[0]))["inputs"])
    else:
        from analysis_py.ingest.inputs import current_inputs

        inputs = current_inputs(place.data)
    with Progress("1/2 validating the raw inputs") as bar:
        raw = validate_raw(inputs, seeds_dir=place.seeds, user_raw_dir=place.user_raw, progress=bar)
    with Progress("2/2 validating the marts") as bar, open_read() as con:
        marts = validate_marts(con, progress=bar)
    with open_write() as con:
        for report in (raw, marts):
            write_report(con, report)
    return QualityOutcome((raw, marts), is_simulated, stored=False)


def last_results() -> QualityOutcome:
    """The newest stored validation of each stage."""
    from expectations.validation import read_reports

    with open_read() as con:
        return QualityOutcome(tuple(read_reports(con)), simulated(con), stored=True)


def summarise(outcome: QualityOutcome) -> str:
    """One sentence: how many expectations, how many failed, of which kind."""
    results = [r for report in outcome.reports for r in report.results]
    if not results:
        return "no validation has been stored yet: run 'carbonpanel validate'"
    stops = sum(1 for r in results if not r.success and r.severity == "stop")
    warns = sum(1 for r in results if not r.success and r.severity != "stop")
    when = "in the stored validation" if outcome.stored else "now"
    return f"{len(results)} expectations {when}: {len(results) - stops - warns} hold, {warns} warn, {stops} stop"
