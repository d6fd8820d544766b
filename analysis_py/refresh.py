"""``refresh``: validate the raw inputs and build a new database beside the old one, validate it, rename it into place.

A kill at any moment leaves the old database or the new one, never half of either. Results of earlier runs are
carried over; they count as stale where the mart they were made from has changed.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis_py.dbt import run_build
from analysis_py.errors import CarbonpanelError
from analysis_py.fingerprint import warehouse_hash
from analysis_py.interrupts import stop_if_interrupted
from analysis_py.locks import FileLock
from analysis_py.progress import Progress
from analysis_py.settings import SIMULATED_NOTICE, Paths, paths
from analysis_py.warehouse import (
    attach_read_only,
    make_room,
    open_private,
    open_read,
    replace_database,
    settle,
    writer_lock,
)

if TYPE_CHECKING:
    import duckdb

    from expectations.validation import ValidationReport

INPUT_CHOICES = ("auto", "demo", "user", "mixed")
CO2_SOURCES = ("ipcc2006", "china_provincial_2011", "ceads", "edgar")
_CARRIED_SCHEMAS = ("results", "quality")


@dataclass(frozen=True)
class RefreshReport:
    """What a refresh did."""

    changed: bool
    inputs: dict[str, str]
    co2_source: str
    validations: tuple[ValidationReport, ...]
    nodes_built: int
    stale_runs: int
    seconds: float
    notes: tuple[str, ...]


def refresh(
    *,
    inputs: str = "auto",
    co2_source: str | None = None,
    threads: int = 2,
    force: bool = False,
    quiet: bool = False,
    say: Callable[[str], None] | None = None,
) -> RefreshReport:
    """Build and validate the warehouse, whole or not at all.

    Parameters
    ----------
    inputs : ``auto`` (users' files when there are any, else the demo world), ``demo``, ``user``, or ``mixed`` (users'
        files, and the demo world for what they do not bring: everything then counts as simulated).
    co2_source : what panel CP divides by; None chooses ``ipcc2006``, or ``ceads`` when a user brought an
        emission inventory and no fuels.
    threads : dbt and DuckDB threads; results do not depend on it.
    force : build even when nothing has changed.

    Raises
    ------
    CarbonpanelError ``CP-VALIDATION-STOP``, ``CP-DBT-FAILED``, ``CP-DB-BUSY``; the old database stays as it was.
    """
    place = paths()
    started = dt.datetime.now(dt.UTC)
    say = say or (lambda text: print(text, file=sys.stderr, flush=True))
    folder = place.database.parent
    if set(place.database.name) & set("'\"`\\"):
        raise CarbonpanelError(
            "CP-DB-NAME",
            "the name of the database holds a quotation mark",
            where=str(place.database),
            remedy="rename it",
        )
    with FileLock(folder / (place.database.name + ".refresh.lock"), purpose="refresh", wait_seconds=0.5) as lock:
        chosen, notes = choose_inputs(inputs, place)
        moved = make_room(place.database)
        if moved:
            notes.append(moved)
        if "user" in chosen.values():
            from analysis_py.ingest.decisions import settle_decisions

            notes += settle_decisions(place.data)
        from analysis_py.specification.user_variables import describe_user_variables, settle_user_variables

        added = settle_user_variables(place.data)
        if added:
            notes.append(describe_user_variables(added))
        source = choose_co2_source(co2_source, chosen)
        provinces = choose_province_co2_source(chosen)
        variables: dict[str, object] = {"inputs": chosen, "co2_source": source, "province_co2_source": provinces}
        if provinces != "ipcc2006":
            notes.append(f"CO2 of the provinces is that of the '{provinces}' inventories: no file brought their fuels")
        if source != (co2_source or "ipcc2006"):
            notes.append(f"carbon productivity divides by the '{source}' inventory: no file brought city fuels")
        wanted = warehouse_hash(place.root, place.user_raw, json.dumps(variables, sort_keys=True))
        if not force and current_fingerprint(place.database) == wanted:
            return RefreshReport(False, chosen, source, (), 0, 0, _since(started), tuple(notes))

        from expectations.validation import validate_marts, validate_raw, write_report

        build = folder / (place.database.stem + ".build")
        fresh = build / place.database.name
        _clear(build, fresh)
        # the raw inputs are held against their suites while dbt, a process of its own, builds from them
        with (
            ThreadPoolExecutor(max_workers=1) as checker,
            Progress("1/2 validating the raw inputs, building the warehouse with dbt", quiet=quiet) as bar,
        ):
            gone = threading.Event()

            def go_on(done: int, total: int, label: str) -> None:
                if gone.is_set():
                    raise InterruptedError

            validating = checker.submit(
                validate_raw, chosen, seeds_dir=place.seeds, user_raw_dir=place.user_raw, progress=go_on
            )

            def watch(done: int, total: int, label: str) -> None:
                if validating.done():
                    _stop_unless_valid(validating.result(), place)
                bar(done, total, label)

            try:
                outcome = run_build(
                    database=fresh,
                    variables=variables,
                    work_dir=build,
                    threads=threads,
                    keep_open=(lock.fileno(),),
                    progress=watch,
                )
            except CarbonpanelError:
                # where the inputs are to blame as well, they are what a person can mend
                _stop_unless_valid(validating.result(), place)
                raise
            except BaseException:
                gone.set()
                raise
            raw = validating.result()
        _stop_unless_valid(raw, place)
        stop_if_interrupted()
        with Progress("2/2 validating the marts", quiet=quiet) as bar:
            with open_read(fresh) as con:
                marts = validate_marts(con, progress=bar)
            _stop_unless_valid(marts, place)
            with open_private(fresh) as con:
                for report in (raw, marts):
                    write_report(con, report)
                _write_fingerprint(con, wanted, started, variables)
        stop_if_interrupted()
        with writer_lock(place.database):
            settle(place.database)
            with open_private(fresh) as con:
                stale = _carry_over(con, place.database)
                con.execute("checkpoint")
            replace_database(fresh, place.database)
        (folder / "refused_validation.txt").unlink(missing_ok=True)
        return RefreshReport(
            True, chosen, source, (raw, marts), outcome.succeeded, stale, _since(started), tuple(notes)
        )


def choose_inputs(inputs: str, place: Paths) -> tuple[dict[str, str], list[str]]:
    """Per raw source ``demo``, ``user`` or ``none``, and notes on the choice. Nothing is mixed unless asked for."""
    from analysis_py.ingest.inputs import current_inputs, has_demo

    if inputs not in INPUT_CHOICES:
        from analysis_py.errors import did_you_mean

        raise CarbonpanelError("CP-OPTION", f"unknown inputs '{inputs}'", remedy=did_you_mean(inputs, INPUT_CHOICES))
    found = current_inputs(place.data)
    demo = {source: "demo" if has_demo(source) else "none" for source in sorted(found)}
    if inputs == "demo":
        return demo, []
    brought = sorted(source for source, kind in found.items() if kind == "user")
    if inputs in ("user", "mixed") and not brought:
        raise CarbonpanelError(
            "CP-INPUTS-NONE",
            "no file of yours has been ingested yet",
            where=str(place.user_raw),
            remedy="run 'carbonpanel ingest FILE --as SOURCE' first, or refresh with --inputs demo",
        )
    notes = []
    if inputs == "mixed":
        mixed = {source: "user" if source in brought else kind for source, kind in demo.items()}
        drawn = ", ".join(source for source, kind in mixed.items() if kind == "demo")
        notes.append(f"your files are used for: {', '.join(brought)}")
        notes.append(f"{SIMULATED_NOTICE}: the demo world stands in for {drawn}; no result is a finding")
        return mixed, notes
    if brought:
        absent = sorted(source for source, kind in found.items() if kind != "user")
        notes.append(f"your files are used for: {', '.join(brought)}")
        if absent:
            notes.append(f"no file brought: {', '.join(absent)}; their variables are empty, not simulated")
    return {source: found[source] for source in sorted(found)}, notes


def choose_co2_source(wanted: str | None, inputs: dict[str, str]) -> str:
    if wanted is not None:
        if wanted not in CO2_SOURCES:
            from analysis_py.errors import did_you_mean

            raise CarbonpanelError(
                "CP-OPTION", f"unknown CO2 source '{wanted}'", remedy=did_you_mean(wanted, CO2_SOURCES)
            )
        return wanted
    if inputs.get("city_emissions") == "user" and inputs.get("city_energy") != "user":
        return "ceads"
    return "ipcc2006"


def choose_province_co2_source(inputs: dict[str, str]) -> str:
    """``ceads`` where a user brought provincial inventories and no fuels, else ``ipcc2006``."""
    if inputs.get("province_emissions") == "user" and inputs.get("province_energy") != "user":
        return "ceads"
    return "ipcc2006"


def current_fingerprint(database: Path) -> str | None:
    """The fingerprint of what the present database was built from, or None when unknown."""
    if not database.exists():
        return None
    try:
        with open_read(database, wait_seconds=2) as con:
            row = con.execute("select fingerprint from meta.refresh").fetchone()
    except Exception as error:
        import duckdb

        if isinstance(error, (duckdb.Error, CarbonpanelError)):
            return None
        raise
    return str(row[0]) if row else None


def _write_fingerprint(
    con: duckdb.DuckDBPyConnection, fingerprint: str, started: dt.datetime, variables: dict[str, object]
) -> None:
    con.execute("create schema if not exists meta")
    con.execute(
        "create or replace table meta.refresh (fingerprint varchar, started_at timestamp, finished_at timestamp, "
        "variables varchar)"
    )
    finished = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    con.execute(
        "insert into meta.refresh values (?, ?, ?, ?)",
        [fingerprint, started.replace(tzinfo=None), finished, json.dumps(variables, sort_keys=True)],
    )


def _carry_over(con: duckdb.DuckDBPyConnection, old: Path) -> int:
    """Copy the rows of earlier runs from ``old`` into the new database; the number of runs that are now stale."""
    if not old.exists() or not attach_read_only(con, old, "old_warehouse"):
        return 0
    try:
        columns = con.execute(
            "select database_name, schema_name, table_name, list(column_name order by column_index) "
            "from duckdb_columns() join duckdb_tables() using (database_name, schema_name, table_name) "
            "where list_contains(?, schema_name) group by all order by schema_name, table_name",
            [list(_CARRIED_SCHEMAS)],
        ).fetchall()
        here = {(s, t): c for d, s, t, c in columns if d != "old_warehouse"}
        there = {(s, t): c for d, s, t, c in columns if d == "old_warehouse"}
        con.execute("begin transaction")
        for key in sorted(set(here) & set(there)):
            shared = ", ".join(f'"{c}"' for c in here[key] if c in there[key])
            table = f'"{key[0]}"."{key[1]}"'
            con.execute(f"insert into {table} ({shared}) select {shared} from old_warehouse.{table}")
        con.execute("commit")
        row = con.execute(
            "select count(*) from results.run as r join meta.mart_hash as m "
            "on r.panel = m.table_name or r.panel = m.schema_name || '.' || m.table_name "
            "where r.panel_hash is distinct from m.hash"
        ).fetchone()
        return int(row[0]) if row else 0
    finally:
        con.execute("detach old_warehouse")


def _stop_unless_valid(report: ValidationReport, place: Paths) -> None:
    if report.success:
        return
    from expectations.validation import render_report

    refused = place.database.parent / "refused_validation.txt"
    refused.write_text(render_report(report) + "\n", encoding="utf-8")
    failed = [r for r in report.results if not r.success and r.severity == "stop"]
    raise CarbonpanelError(
        "CP-VALIDATION-STOP",
        f"{len(failed)} stopping expectation(s) failed on the {report.stage} data; first: {failed[0].message}",
        where=str(refused),
        remedy="mend the file named there and ingest it again; the database of before is untouched",
    )


def _clear(build: Path, fresh: Path) -> None:
    """Remove a database a killed refresh left half built; dbt's parse cache stays, it only saves time."""
    build.mkdir(parents=True, exist_ok=True)
    for leftover in (fresh, fresh.with_name(fresh.name + ".wal")):
        leftover.unlink(missing_ok=True)
    shutil.rmtree(build / (fresh.name + ".tmp"), ignore_errors=True)


def _since(started: dt.datetime) -> float:
    return (dt.datetime.now(dt.UTC) - started).total_seconds()
