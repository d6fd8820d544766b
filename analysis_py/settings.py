"""Where things are, and the quiet environment every part runs in.

Environment variables move the untracked parts: ``CARBONPANEL_DATABASE`` (the DuckDB file), ``CARBONPANEL_DATA`` (the
folder of users' ingested files), ``CARBONPANEL_DEMO`` (drawn sources of the demo world) and ``CARBONPANEL_CACHE`` (what
a build keeps for the next). The first two default to places inside the project, the others to places beside the
database.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

#: Said wherever a number drawn by ``analysis_py.simulate`` is shown.
SIMULATED_NOTICE = "SIMULATED - not evidence about China"

#: Seed of every random draw a user did not choose a seed for; recorded with the results it made.
DEFAULT_SEED = 20251122

_QUIET = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
}
_SINGLE_THREADED_BLAS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def quiet_environment() -> None:
    """Switch telemetry off and pin BLAS to one thread; call before numpy, dbt or Great Expectations load."""
    for key, value in (_QUIET | _SINGLE_THREADED_BLAS).items():
        os.environ.setdefault(key, value)


@dataclass(frozen=True)
class Paths:
    """Absolute places of one project."""

    root: Path
    database: Path
    data: Path

    @property
    def seeds(self) -> Path:
        return self.root / "seeds"

    @property
    def demo(self) -> Path:
        """Sources of the demo world that are drawn as Parquet when a warehouse is built."""
        return Path(os.environ.get("CARBONPANEL_DEMO") or self.database.parent / "demo").expanduser().absolute()

    @property
    def cache(self) -> Path:
        """What a build keeps for the next one; losing it costs time and nothing else."""
        return Path(os.environ.get("CARBONPANEL_CACHE") or self.database.parent / "cache").expanduser().absolute()

    @property
    def studies(self) -> Path:
        return self.root / "analysis_py" / "studies"

    @property
    def user_raw(self) -> Path:
        """Parquet files that ``ingest`` wrote: ``<data>/raw/<source>/<dataset>.parquet``."""
        return self.data / "raw"


def project_root() -> Path:
    return Path(__file__).resolve().parent.parent


def paths() -> Paths:
    """Places as the environment says now (read anew at each call, so that tests may move them)."""
    root = project_root()
    database = Path(os.environ.get("CARBONPANEL_DATABASE") or root / "warehouse" / "carbonpanel.duckdb")
    data = Path(os.environ.get("CARBONPANEL_DATA") or root / "data")
    return Paths(root=root, database=database.expanduser().absolute(), data=data.expanduser().absolute())
