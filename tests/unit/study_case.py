"""A small panel and the writing of study files, shared by the tests of studies."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pandas as pd

from analysis_py.fits.run_record import ModelRun, StudyRun
from analysis_py.study import Study, load_study

HEAD = """\
study: trial
unit: city
time: year
"""


def write_study(folder: Path, body: str, name: str = "trial.yml") -> Path:
    """Write a study file: the common head, then ``body``; line 4 is the first line of ``body``."""
    path = folder / name
    path.write_text(HEAD + textwrap.dedent(body), encoding="utf-8")
    return path


def study_of(folder: Path, body: str) -> Study:
    return load_study(write_study(folder, body))


def small_panel(n_cities: int = 12, n_years: int = 8, seed: int = 7) -> pd.DataFrame:
    """A balanced panel with an outcome, a treatment, a control, a moderator and group columns; no meaning at all."""
    rng = np.random.default_rng(seed)
    city, year = np.meshgrid(np.arange(n_cities), np.arange(2001, 2001 + n_years), indexing="ij")
    city, year = city.ravel(), year.ravel()
    n = len(city)
    ai = rng.gamma(2.0, 2.0, n)
    control = rng.normal(size=n)
    moderator = rng.normal(3.0, 1.0, n)
    outcome = 0.5 * ai - 0.2 * control + 0.1 * ai * moderator + 0.3 * city + 0.05 * year + rng.normal(size=n)
    return pd.DataFrame(
        {
            "city": [f"c{c:02d}" for c in city],
            "year": year,
            "CP": outcome,
            "AI": ai,
            "POP": control,
            "ER": moderator,
            "province": [f"p{c // 3}" for c in city],
            "is_resource": city % 2 == 0,
        }
    )


def model_of(run: StudyRun, name: str) -> ModelRun:
    return next(m for m in run.models if m.id == name)


def estimate_of(run: StudyRun, name: str, term: str, group: str | None = None) -> float:
    return next(c.estimate for c in model_of(run, name).coefficients if c.term == term and c.group == group)
