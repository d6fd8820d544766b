"""The only module that opens DuckDB.

A DuckDB file has one writer or many readers. Readers here open read-only and close soon; writers hold a lock
file for the short time they write, so that ``refresh`` (which replaces the whole file) and ``estimate``
(which adds rows) never lose each other's work.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from analysis_py.errors import CarbonpanelError
from analysis_py.locks import FileLock
from analysis_py.settings import paths

if TYPE_CHECKING:
    import duckdb

#: Schemas a person's SQL finds without a prefix, in this order.
SEARCH_PATH = "marts,results,quality,reference,published,truth,meta,intermediate,staging,raw,main"
#: Seconds to wait for a busy database before saying who holds it.
DEFAULT_WAIT_SECONDS = 15.0

_CONFLICT = re.compile(r"Conflicting lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")


def _explain(error: Exception, path: Path) -> CarbonpanelError:
    text = str(error)
    hit = _CONFLICT.search(text)
    if hit:
        return CarbonpanelError(
            "CP-DB-BUSY",
            f"the database is in use by another process (PID {hit['pid']}, {Path(hit['program']).name})",
            where=str(path),
            remedy="wait for it to finish, or close it, and run the command again",
        )
    return CarbonpanelError(
        "CP-DB-UNREADABLE",
        f"the database cannot be opened: {text.splitlines()[0]}",
        where=str(path),
        remedy="run 'carbonpanel refresh' to build it again; move the damaged file away first if it stays in the way",
    )


def _require(path: Path) -> None:
    if not path.exists():
        raise CarbonpanelError(
            "CP-DB-MISSING",
            "there is no database yet",
            where=str(path),
            remedy="run 'carbonpanel refresh' (or 'carbonpanel run') first",
        )


def _connect(path: Path, *, read_only: bool, wait_seconds: float) -> duckdb.DuckDBPyConnection:
    import duckdb

    deadline = time.monotonic() + wait_seconds
    told = False
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only)
        except (duckdb.IOException, duckdb.ConnectionException) as error:
            busy = _CONFLICT.search(str(error)) is not None
            if not busy or time.monotonic() > deadline:
                raise _explain(error, path) from None
            if not told and deadline - time.monotonic() < wait_seconds - 2:
                told = True
                print(f"waiting: {_explain(error, path).what}", file=sys.stderr, flush=True)
            time.sleep(0.1)
        except duckdb.Error as error:
            raise _explain(error, path) from None


@contextlib.contextmanager
def open_read(
    path: Path | None = None, *, wait_seconds: float = DEFAULT_WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse read-only; unqualified table names are looked up along :data:`SEARCH_PATH`.

    Raises ``CP-DB-MISSING``, ``CP-DB-BUSY`` (after ``wait_seconds``) or ``CP-DB-UNREADABLE``; without ``path``, the
    database of the settings, also ``CP-DB-FOREIGN`` where that is not a warehouse of ours.
    """
    must_be_ours = path is None
    path = path or paths().database
    _require(path)
    con = _connect(path, read_only=True, wait_seconds=wait_seconds)
    try:
        if must_be_ours and not has_table(con, "meta", "build"):
            raise foreign_database(path)
        _set_search_path(con)
        yield con
    finally:
        con.close()


@contextlib.contextmanager
def open_write(
    path: Path | None = None, *, wait_seconds: float = DEFAULT_WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an existing warehouse for one short transaction, holding the writer lock.

    The transaction is committed when the block ends and rolled back when it raises; a killed process leaves
    the old rows. Raises as :func:`open_read`, and ``CP-DB-BUSY`` when another carbonpanel writer holds the lock.
    """
    path = path or paths().database
    _require(path)
    with writer_lock(path, wait_seconds=wait_seconds):
        con = _connect(path, read_only=False, wait_seconds=wait_seconds)
        try:
            _set_search_path(con)
            con.execute("begin transaction")
            try:
                yield con
            except BaseException:
                con.execute("rollback")
                raise
            con.execute("commit")
        finally:
            con.close()


def writer_lock(path: Path, *, wait_seconds: float = DEFAULT_WAIT_SECONDS) -> FileLock:
    """The lock every carbonpanel writer of ``path`` takes; also held while a new file is renamed into place."""
    return FileLock(path.with_name(path.name + ".writer.lock"), purpose="writing results", wait_seconds=wait_seconds)


@contextlib.contextmanager
def open_memory(*, threads: int = 1) -> Iterator[duckdb.DuckDBPyConnection]:
    """A private in-memory database without access to files or network, for users' SQL expressions on a frame."""
    import duckdb

    con = duckdb.connect(
        ":memory:",
        config={"threads": threads, "enable_external_access": False, "autoinstall_known_extensions": False},
    )
    try:
        yield con
    finally:
        con.close()


@contextlib.contextmanager
def open_private(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file nobody else knows yet (a warehouse under construction) for writing, without a transaction."""
    con = _connect(path, read_only=False, wait_seconds=0)
    try:
        yield con
    finally:
        con.close()


def foreign_database(path: Path) -> CarbonpanelError:
    """The error for a DuckDB file that carbonpanel did not finish building."""
    return CarbonpanelError(
        "CP-DB-FOREIGN",
        "this DuckDB file was not built by carbonpanel, or its build did not finish",
        where=str(path),
        remedy="name another file with --database or CARBONPANEL_DATABASE; 'carbonpanel refresh' builds one",
    )


def make_room(path: Path) -> str | None:
    """Make sure that a refresh may put its database at ``path``: only a warehouse of ours is ever replaced.

    Another program's database is refused (``CP-DB-FOREIGN``). A file that is no readable database is moved aside; the
    note to show is returned then.
    """
    if not path.exists():
        return None
    try:
        con = _connect(path, read_only=True, wait_seconds=DEFAULT_WAIT_SECONDS)
    except CarbonpanelError as error:
        if error.code == "CP-DB-BUSY":
            raise
        aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        path.rename(aside)
        return f"the file {path.name} is no readable database; it was moved to {aside.name}"
    try:
        row = con.execute("select count(*) from duckdb_tables() where schema_name not in ('meta')").fetchone()
        if not has_table(con, "meta", "build") and row is not None and row[0]:
            raise foreign_database(path)
    finally:
        con.close()
    return None


def attach_read_only(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> bool:
    """Attach ``path`` to ``con`` as ``name``; False when it is damaged, ``CP-DB-BUSY`` when someone writes it."""
    import duckdb

    quoted = str(path).replace("'", "''")
    try:
        con.execute(f"attach '{quoted}' as {name} (read_only)")
    except duckdb.Error as error:
        explained = _explain(error, path)
        if explained.code == "CP-DB-BUSY":
            raise explained from None
        return False
    return True


def simulated(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the warehouse was built from the demo world (also when its metadata cannot be read)."""
    import duckdb

    try:
        row = con.execute("select bool_or(is_simulated) from meta.build").fetchone()
    except duckdb.Error:
        return True
    return row is None or row[0] is not False


def has_table(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether the warehouse has this table or view."""
    row = con.execute(
        "select count(*) from information_schema.tables where table_schema = ? and table_name = ?", [schema, table]
    ).fetchone()
    return bool(row and row[0])


def _set_search_path(con: duckdb.DuckDBPyConnection) -> None:
    known = {row[0] for row in con.execute("select schema_name from information_schema.schemata").fetchall()}
    wanted = [s for s in SEARCH_PATH.split(",") if s in known]
    con.execute(f"set search_path = '{','.join(wanted)}'")


def settle(path: Path) -> None:
    """Fold a leftover write-ahead log of a killed writer into ``path``, so that the file stands alone.

    Renaming a new database over one whose ``.wal`` stays behind would pair the new file with the old log.
    """
    wal = path.with_name(path.name + ".wal")
    if not wal.exists():
        return
    try:
        con = _connect(path, read_only=False, wait_seconds=DEFAULT_WAIT_SECONDS)
        try:
            con.execute("checkpoint")
        finally:
            con.close()
    except CarbonpanelError as error:
        if error.code == "CP-DB-BUSY":
            raise
    wal.unlink(missing_ok=True)


def replace_database(new: Path, target: Path) -> None:
    """Rename a finished database over the current one, durably: readers see the old file or the new one."""
    with new.open("rb") as handle:
        os.fsync(handle.fileno())
    new.replace(target)
    with contextlib.suppress(OSError):
        directory = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
