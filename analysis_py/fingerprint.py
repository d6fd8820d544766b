"""Hashes that say whether anything a result depends on has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def hash_bytes(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def hash_files(files: Iterable[Path], *, relative_to: Path) -> str:
    """One SHA-256 over names and contents of ``files``, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(files):
        name = path.relative_to(relative_to).as_posix() if path.is_relative_to(relative_to) else path.name
        digest.update(f"{name}\0{hash_file(path)}\n".encode())
    return digest.hexdigest()


def seeds_hash(root: Path) -> str:
    """Hash of every seed CSV of the project."""
    return hash_files((root / "seeds").rglob("*.csv"), relative_to=root)


def lock_hash(root: Path) -> str | None:
    """Hash of the dependency lock, or None where it is absent."""
    path = root / "requirements.lock"
    return hash_file(path) if path.exists() else None


def warehouse_hash(root: Path, user_raw: Path, variables: str) -> str:
    """Hash of everything the marts are built and validated from: seeds, SQL, YAML, suites, users' files, vars."""
    code = [root / "dbt_project.yml", root / "profiles.yml", root / "requirements.lock"]
    for folder, patterns in {
        "models": ("*.sql", "*.yml", "*.py"),
        "seeds": ("*.csv", "*.yml"),
        "dbt_project": ("*.sql", "*.yml", "*.py"),
        "expectations": ("*.py",),
        # what draws the large demo sources, and what the Python models compute with
        "analysis_py/simulate": ("*.py",),
        "analysis_py/efficiency": ("*.py",),
    }.items():
        for pattern in patterns:
            code.extend((root / folder).rglob(pattern))
    users = sorted(user_raw.rglob("*.parquet")) if user_raw.exists() else []
    return hash_bytes(
        hash_files([p for p in code if p.is_file()], relative_to=root).encode(),
        hash_files(users, relative_to=user_raw).encode(),
        variables.encode(),
    )
