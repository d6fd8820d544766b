"""Runs the validation on the present inputs and database, or reads back what the last refresh stored."""

from __future__ import annotations

import json
from dataclasses import dataclass

from analysis_py.progress import Progress
from analysis_py.settings import paths
from analysis_py.warehouse import open_read, open_write, simulated

_COLUMNS = ("stage", "suite", "severity", "result", "expectation", "column", "unexpected", "message")


@dataclass(frozen=True)
class QualityOutcome:
    """Every expectation looked at, in order: (stage, suite, severity, success, expectation, column, count, message)."""

    outcomes: tuple[tuple[str, str, str, bool, str, str, int | None, str], ...]
    simulated: bool
    stored: bool

    @property
    def success(self) -> bool:
        """Whether no stopping expectation failed."""
        return all(o[3] or o[2] != "stop" for o in self.outcomes)

    def rows(self, *, failed_only: bool) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Columns and rows to show, stopping failures first."""
        kept = [o for o in self.outcomes if not (failed_only and o[3])]
        kept.sort(key=lambda o: (o[3], o[2] != "stop"))
        return _COLUMNS, [(a, b, c, "passed" if d else "failed", e, f, g, h) for a, b, c, d, e, f, g, h in kept]


def check_now() -> QualityOutcome:
    """Validate the raw inputs and the marts of the present database and store the results in schema ``quality``."""
    from expectations.validation import validate_marts, validate_raw, write_report

    place = paths()
    with open_read() as con:
        row = con.execute("select variables from meta.refresh").fetchone() if _has_refresh(con) else None
        is_simulated = simulated(con)
    if row is not None:
        inputs = dict(json.loads(str(row[0]))["inputs"])
    else:
        from analysis_py.ingest.inputs import current_inputs

        inputs = dict.fromkeys(sorted(current_inputs(place.data)), "demo" if is_simulated else "user")
    with Progress("1/2 validating the raw inputs") as bar:
        raw = validate_raw(inputs, seeds_dir=place.seeds, user_raw_dir=place.user_raw, progress=bar)
    with Progress("2/2 validating the marts") as bar, open_read() as con:
        marts = validate_marts(con, progress=bar)
    with open_write() as con:
        for report in (raw, marts):
            write_report(con, report)
    outcomes = tuple(
        (r.stage, r.suite, r.severity, r.success, r.expectation, r.column_name or "", r.unexpected_count, r.message)
        for report in (raw, marts)
        for r in report.results
    )
    return QualityOutcome(outcomes, is_simulated, stored=False)


def last_results() -> QualityOutcome:
    """The newest stored validation of each stage."""
    with open_read() as con:
        rows = con.execute(
            "with newest as (select validation_id, stage, row_number() over "
            "(partition by stage order by started_at desc, validation_id) as place from quality.validation_run) "
            "select e.stage, e.suite, e.severity, e.success, e.expectation, coalesce(e.column_name, ''), "
            "e.unexpected_count, e.message from quality.expectation_result as e join newest as n "
            "on n.validation_id = e.validation_id and n.stage = e.stage and n.place = 1 "
            "order by e.stage desc, e.suite, e.position"
        ).fetchall()
        return QualityOutcome(tuple(tuple(r) for r in rows), simulated(con), stored=True)


def summarise(outcome: QualityOutcome) -> str:
    """One sentence: how many expectations, how many failed, of which kind."""
    total = len(outcome.outcomes)
    if total == 0:
        return "no validation has been stored yet: run 'carbonpanel validate'"
    stops = sum(1 for o in outcome.outcomes if not o[3] and o[2] == "stop")
    warns = sum(1 for o in outcome.outcomes if not o[3] and o[2] != "stop")
    when = "in the stored validation" if outcome.stored else "now"
    return f"{total} expectations {when}: {total - stops - warns} passed, {warns} warned, {stops} stopping"


def _has_refresh(con: object) -> bool:
    row = con.execute(  # type: ignore[attr-defined]
        "select count(*) from information_schema.tables where table_schema = 'meta' and table_name = 'refresh'"
    ).fetchone()
    return bool(row[0])
