"""``doctor``: what is missing or out of order on this machine and in this project, each with its remedy."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis_py.errors import CarbonpanelError
from analysis_py.settings import Paths, paths

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its name, ``ok | warn | fail``, what was seen, what to do about it."""

    name: str
    status: str
    seen: str
    remedy: str = ""


def examine(place: Paths | None = None) -> list[Finding]:
    """Look at Python, packages, folders, the database, its age, inputs and results, in that order."""
    place = place or paths()
    looks: list[Callable[[Paths], Iterator[Finding]]] = [
        _python,
        _packages,
        _files,
        _database,
        _inputs,
        _space,
    ]
    findings: list[Finding] = []
    for look in looks:
        findings.extend(look(place))
    return findings


def _python(place: Paths) -> Iterator[Finding]:
    yield Finding("python", OK, f"{platform.python_version()} at {sys.executable}")


def _locked_versions(lock: Path) -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        hit = re.match(r"^([A-Za-z0-9_.\-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", line)
        if hit:
            versions.setdefault(hit[1].lower(), set()).add(hit[2])
    return versions


def _packages(place: Paths) -> Iterator[Finding]:
    lock = place.root / "requirements.lock"
    if not lock.exists():
        yield Finding("packages", WARN, "requirements.lock is absent", "restore it from the repository")
        return
    wanted = _locked_versions(lock)
    main = ["duckdb", "dbt-core", "dbt-duckdb", "great-expectations", "pandas", "numpy", "pyfixest", "typer", "pyarrow"]
    wrong = []
    for name in main:
        try:
            have = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{name} is not installed")
            continue
        if have not in wanted.get(name, {have}):
            wrong.append(f"{name} {have} (locked: {', '.join(sorted(wanted[name]))})")
    if wrong:
        yield Finding("packages", FAIL, "; ".join(wrong), "run 'make clean setup'")
    else:
        yield Finding("packages", OK, f"{len(main)} main packages as locked")


def _files(place: Paths) -> Iterator[Finding]:
    missing = [
        name
        for name in ("dbt_project.yml", "profiles.yml", "seeds/raw", "seeds/reference", "models", "expectations")
        if not (place.root / name).exists()
    ]
    if missing:
        yield Finding("project files", FAIL, f"missing: {', '.join(missing)}", "restore them from the repository")
    else:
        yield Finding("project files", OK, "complete")
    folder = place.database.parent
    writable = os.access(folder if folder.exists() else folder.parent, os.W_OK)
    if not writable:
        yield Finding(
            "database folder", FAIL, f"{folder} cannot be written", "change its rights or CARBONPANEL_DATABASE"
        )


def _database(place: Paths) -> Iterator[Finding]:
    from analysis_py.query import run_query

    if not place.database.exists():
        yield Finding("database", WARN, f"{place.database} does not exist yet", "run 'carbonpanel refresh'")
        return
    try:
        refreshed = run_query("select finished_at, fingerprint, variables from meta.refresh").rows
        stale = run_query("select study from results.latest_model where is_stale group by 1 order by 1").rows
    except CarbonpanelError as error:
        remedy = error.remedy if error.code == "CP-DB-BUSY" else "run 'carbonpanel refresh --force'"
        yield Finding("database", FAIL if error.code != "CP-DB-BUSY" else WARN, error.what, remedy)
        return
    if not refreshed:
        yield Finding("database", WARN, "built by plain dbt, not validated", "run 'carbonpanel refresh'")
    else:
        from analysis_py.fingerprint import warehouse_hash

        finished, fingerprint, variables = refreshed[0]
        now = warehouse_hash(place.root, place.user_raw, json.dumps(json.loads(str(variables)), sort_keys=True))
        when = f"refreshed {finished:%Y-%m-%d %H:%M}"
        if now == fingerprint:
            yield Finding("database", OK, f"{when}, nothing has changed since")
        else:
            yield Finding("database", WARN, f"{when}; inputs or models changed", "run 'carbonpanel refresh'")
    if stale:
        names = ", ".join(str(row[0]) for row in stale)
        yield Finding("results", WARN, f"stale: {names}", "run 'carbonpanel estimate'")
    refused = place.database.parent / "refused_validation.txt"
    if refused.exists():
        yield Finding("validation", WARN, "the last refresh was refused by a validation", f"read {refused}")


def _inputs(place: Paths) -> Iterator[Finding]:
    from analysis_py.ingest.inputs import current_inputs
    from analysis_py.query import run_query

    found = current_inputs(place.data)
    user = sorted(source for source, kind in found.items() if kind == "user")
    if user:
        yield Finding("inputs", OK, f"your files: {', '.join(user)}")
    else:
        yield Finding(
            "inputs",
            WARN,
            "only the demo world: every number is simulated",
            "bring your files with 'carbonpanel ingest FILE --as SOURCE'",
        )
    if user and place.database.exists():
        try:
            built = run_query("select world from meta.build").rows
        except CarbonpanelError:
            return  # said under "database"
        if built and built[0][0] != "user":
            yield Finding(
                "present build",
                WARN,
                f"made from the {built[0][0]} world: its numbers are simulated",
                "run 'carbonpanel refresh' to build from your files alone",
            )


def _space(place: Paths) -> Iterator[Finding]:
    folder = place.database.parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < 500_000_000:
        yield Finding("disk", WARN, f"{free / 1e6:.0f} MB free", "free some space: a refresh needs about 200 MB")
    else:
        yield Finding("disk", OK, f"{free / 1e9:.1f} GB free")
