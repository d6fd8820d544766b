"""Locks between processes: a file that names its holder, freed by the operating system when the holder dies."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from types import TracebackType

from analysis_py.errors import CarbonpanelError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt


class FileLock:
    """An exclusive lock on ``path``, used as a context manager.

    Parameters
    ----------
    path : the lock file; made when absent and never removed (removing it would let two holders in).
    purpose : what the holder does, said to whoever has to wait.
    wait_seconds : how long to try; then ``CP-DB-BUSY`` names the holder.
    """

    def __init__(self, path: Path, *, purpose: str, wait_seconds: float = 0.0) -> None:
        self.path = path
        self.purpose = purpose
        self.wait_seconds = wait_seconds
        self._fd: int | None = None

    def fileno(self) -> int:
        """The open descriptor, for a child process that must keep the lock while it lives."""
        if self._fd is None:
            raise ValueError("the lock is not held")
        return self._fd

    def __enter__(self) -> FileLock:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise CarbonpanelError(
                "CP-FILE-UNWRITABLE",
                f"the folder of the database cannot be written: {error.strerror}",
                where=str(self.path.parent),
                remedy="change its rights, or name another place with --database or CARBONPANEL_DATABASE",
            ) from None
        deadline = time.monotonic() + self.wait_seconds
        while not _try_lock(fd):
            if time.monotonic() > deadline:
                holder = os.pread(fd, 200, 0).decode(errors="replace").strip() if hasattr(os, "pread") else ""
                os.close(fd)
                raise CarbonpanelError(
                    "CP-DB-BUSY",
                    f"another carbonpanel is at work: {holder or 'holder unknown'}",
                    where=str(self.path),
                    remedy="wait for it to finish and run the command again; nothing was changed",
                )
            time.sleep(0.05)
        os.ftruncate(fd, 0)
        started = time.strftime("%Y-%m-%d %H:%M:%S")
        os.write(fd, f"{self.purpose} (PID {os.getpid()}, since {started})\n".encode())
        self._fd = fd
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fd is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, 0)
            os.close(self._fd)  # closing the last descriptor frees the lock
            self._fd = None


def _try_lock(fd: int) -> bool:
    try:
        if fcntl is not None:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True
