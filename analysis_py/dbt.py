"""Runs dbt as a subprocess: an in-process runner keeps database locks and pollutes the interpreter."""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis_py.errors import CarbonpanelError
from analysis_py.interrupts import stop_if_interrupted
from analysis_py.progress import ProgressCallback
from analysis_py.settings import paths, project_root

_STEP = re.compile(r"(?P<done>\d+) of (?P<total>\d+) (?P<what>[A-Z]+ .*?)(?: \.{2,}.*)?$")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class DbtOutcome:
    """What a dbt run did: counts of nodes by status, and the log it left."""

    succeeded: int
    warned: int
    log: Path


def run_build(
    *,
    database: Path,
    variables: dict[str, object],
    work_dir: Path,
    threads: int = 2,
    keep_open: Sequence[int] = (),
    progress: ProgressCallback | None = None,
) -> DbtOutcome:
    """Run ``dbt build`` of the whole project into ``database``, with every test of the data.

    Parameters
    ----------
    database : the file dbt creates or updates.
    variables : dbt vars that override those of dbt_project.yml.
    work_dir : where dbt keeps its parse cache, artefacts and log.
    threads : dbt and DuckDB threads.
    keep_open : file descriptors (locks) the child holds on to while it lives.

    Raises
    ------
    CarbonpanelError ``CP-DBT-FAILED`` naming the first failed nodes and the log.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    log = work_dir / "dbt_build.log"
    root = project_root()
    env = dict(os.environ)
    env.update(
        CARBONPANEL_DATABASE=str(database),
        CARBONPANEL_DATA=str(paths().data),  # absolute: dbt runs in the project's folder, not in the user's
        CARBONPANEL_DEMO=str(paths().demo),
        CARBONPANEL_CACHE=str(paths().cache),
        CARBONPANEL_THREADS=str(threads),
        DBT_PROJECT_DIR=str(root),
        DBT_PROFILES_DIR=str(root),
        DBT_TARGET_PATH=str(work_dir / "target"),
        DBT_LOG_PATH=str(work_dir / "logs"),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        DO_NOT_TRACK="1",
        PYTHONUNBUFFERED="1",
    )
    command = [
        str(Path(sys.executable).with_name("dbt")),
        "--no-use-colors",
        "build",
        "--vars",
        json.dumps(variables, sort_keys=True),
        # unit tests hold the SQL against fixed rows, whatever the data: plain `dbt build` and `make test` run them
        "--exclude-resource-type",
        "unit_test",
        # likewise the tests of the project's own lists: no data of a user touches them
        "--exclude",
        *(f"path:seeds/{folder},resource_type:test" for folder in ("reference", "published", "truth")),
    ]
    if not Path(command[0]).exists():
        raise CarbonpanelError(
            "CP-DBT-MISSING",
            "dbt is not installed beside this Python",
            where=str(Path(sys.executable).parent),
            remedy="run 'make setup' in the project's folder",
        )
    cache = work_dir / "target" / "partial_parse.msgpack"
    (work_dir / "target" / "run_results.json").unlink(missing_ok=True)
    code, failures = _run(command, env, log, keep_open, progress)
    if code != 0 and not _results(work_dir) and cache.exists():
        cache.unlink()  # a parse cache that a killed run left behind may not fit: parse anew, once
        code, failures = _run(command, env, log, keep_open, progress)
    if code != 0:
        raise _failure(work_dir, log, failures)
    counts = _count_statuses(work_dir)
    return DbtOutcome(
        succeeded=sum(counts.get(s, 0) for s in ("success", "pass")), warned=counts.get("warn", 0), log=log
    )


def _run(
    command: Sequence[str],
    env: dict[str, str],
    log: Path,
    keep_open: Sequence[int],
    progress: ProgressCallback | None,
) -> tuple[int, list[str]]:
    """Run dbt to its end, logging what it says: the exit code and the nodes it reported as failed."""
    failures: list[str] = []
    with log.open("w", encoding="utf-8") as sink:
        child = subprocess.Popen(
            command,
            cwd=project_root(),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            pass_fds=tuple(keep_open),
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        try:
            assert child.stdout is not None
            for line in child.stdout:
                stop_if_interrupted()
                sink.write(line)
                plain = _COLOUR.sub("", line).rstrip()
                hit = _STEP.search(plain)
                if hit and progress is not None and not hit["what"].startswith("START"):
                    progress(int(hit["done"]), int(hit["total"]), hit["what"])
                if hit and hit["what"].startswith(("ERROR", "FAIL")):
                    failures.append(hit["what"])
            code = child.wait()
        except BaseException:
            child.terminate()
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            raise
    return code, failures


def _die_with_parent() -> None:
    """Ask Linux to end dbt when carbonpanel is killed, so that no orphan goes on writing."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _results(work_dir: Path) -> list[dict[str, object]]:
    path = work_dir / "target" / "run_results.json"
    if not path.exists():
        return []
    return list(json.loads(path.read_text(encoding="utf-8")).get("results", []))


def _count_statuses(work_dir: Path) -> dict[str, int]:
    counts: dict[str, int] = {}
    for result in _results(work_dir):
        status = str(result.get("status"))
        counts[status] = counts.get(status, 0) + 1
    return counts


def _failure(work_dir: Path, log: Path, failures: Sequence[str]) -> CarbonpanelError:
    bad = [r for r in _results(work_dir) if r.get("status") in {"error", "fail"}]
    if failures and bad:
        first = bad[0]
        # a generic test ends in a hash after its name
        name = str(first.get("unique_id", "..?")).split(".")[2]
        message = " ".join(str(first.get("message") or "").split())[:300]
        what = f"the build of the warehouse failed at '{name}': {message}"
        if len(bad) > 1:
            what += f" (and {len(bad) - 1} more)"
    else:
        tail = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()][-3:]
        what = "the build of the warehouse failed: " + " ".join(" ".join(tail).split())[:300]
    return CarbonpanelError(
        "CP-DBT-FAILED",
        what,
        where=str(log),
        remedy="read the log named above; the database of before is untouched",
    )
