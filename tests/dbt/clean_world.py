"""The demo world without defects as a dbt project of its own: this project with other raw tables and truths."""

from __future__ import annotations

import shutil
from pathlib import Path

from analysis_py.settings import DEFAULT_SEED, project_root
from analysis_py.simulate.writer import draw_tables, write_tables

ROOT = project_root()
#: What a dbt project of ours consists of besides its seeds.
SHARED = ("dbt_project.yml", "profiles.yml", "dbt_project", "models", "analysis_py")


def write_clean_project(folder: Path) -> Path:
    """A project folder whose ``seeds/raw`` and ``seeds/truth`` are the unspoilt world of the default seed."""
    folder.mkdir(parents=True)
    for name in SHARED:
        (folder / name).symlink_to(ROOT / name)
    seeds = folder / "seeds"
    # dbt does not walk into linked folders below a seed path
    shutil.copytree(ROOT / "seeds", seeds)
    for part, tables in draw_tables(DEFAULT_SEED, seeds / "reference", spoilt=False).items():
        write_tables(tables, seeds / part)
    return folder
