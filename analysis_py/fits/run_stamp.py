"""Who made a run: program versions, the commit of the code, and a run id that sorts by time."""

from __future__ import annotations

import datetime as dt
import platform
import re
import secrets
from functools import cache
from importlib import metadata
from pathlib import Path

#: Packages whose version can change a number.
PACKAGES = ("carbonpanel", "duckdb", "numpy", "pandas", "pyfixest", "scipy")

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that compute, by name; a package that is not installed is left out."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_commit(root: Path) -> str | None:
    """The commit checked out in ``root``, read from ``.git`` without calling git; None where there is none."""
    place = root / ".git"
    try:
        if place.is_file():
            # a linked worktree: .git names the real place
            place = (root / place.read_text(encoding="utf-8").removeprefix("gitdir:").strip()).resolve()
        head = (place / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref:"):
            return head if _COMMIT.fullmatch(head) else None
        name = head.removeprefix("ref:").strip()
        shared = place / "commondir"
        homes = [place]
        if shared.exists():
            homes.append((place / shared.read_text(encoding="utf-8").strip()).resolve())
        for home in homes:
            if (home / name).is_file():
                commit = (home / name).read_text(encoding="utf-8").strip()
                return commit if _COMMIT.fullmatch(commit) else None
        for home in homes:
            if (home / "packed-refs").is_file():
                for line in (home / "packed-refs").read_text(encoding="utf-8").splitlines():
                    commit, _, ref = line.partition(" ")
                    if ref.strip() == name and _COMMIT.fullmatch(commit):
                        return commit
    except (OSError, UnicodeDecodeError):
        return None
    return None


def new_run_id(now: dt.datetime) -> str:
    """A unique id that sorts by time, e.g. ``20251122T091500.123456Z-9f3c2a1b``."""
    return f"{now:%Y%m%dT%H%M%S.%f}Z-{secrets.token_hex(4)}"


def utc_now() -> dt.datetime:
    """The time in UTC, without zone, as the results tables keep it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
