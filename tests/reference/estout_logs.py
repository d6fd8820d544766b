"""Stata's own estimates as the package linearmodels keeps them beside its tests: logs of ``estout``, and their data.

Written by Stata 13 (``ivregress``, ``xtreg``, ``regress``) with 11 significant digits or so; the commands stand in the
scripts ``execute-stata*.py`` beside each log. The files come with the installed package.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pandas as pd

#: The logs hold about eleven digits; a variance is the square of an error.
LOGGED = 2e-6

_DIVIDER = "********* Variance"


@dataclass(frozen=True)
class Logged:
    """One estimate: coefficients and errors by term, further statistics by Stata's name (empty ones left out)."""

    estimate: dict[str, float]
    std_error: dict[str, float]
    p_value: dict[str, float]
    statistics: dict[str, float]


def folder(part: str) -> Path:
    """Where linearmodels keeps the results of a part of its tests (``iv`` or ``panel``)."""
    return Path(str(import_module(f"linearmodels.tests.{part}").__file__)).parent / "results"


def read_log(part: str, name: str) -> dict[str, Logged]:
    """Every estimate of a log by its heading, such as ``2sls-robust-small``."""
    text = (folder(part) / name).read_text(encoding="utf-8")
    found = {}
    for block in re.split(r"^#{6,}\s*!", text, flags=re.MULTILINE)[1:]:
        heading, _, rest = block.partition("!")
        table, _, variance = rest.partition(_DIVIDER)
        found[heading] = _read(table, variance.partition("*********")[2].partition("*********")[0])
    return found


def _read(table: str, variance: str) -> Logged:
    cells: dict[str, list[float]] = {}
    name = ""
    for line in table.splitlines():
        label, tab, value = line.partition("\t")
        if not tab or value.strip() in ("", "."):
            continue
        name = label or name
        if name.startswith("b/"):
            continue
        try:
            number = float(value)
        except ValueError:
            continue
        cells.setdefault(name, []).append(number)
    errors: dict[str, float] = {}
    for line in variance.splitlines():
        label, *values = line.split("\t")
        if label and values:
            errors[label] = float(values[len(errors)]) ** 0.5
    return Logged(
        estimate={t: v[0] for t, v in cells.items() if t in errors},
        std_error=errors,
        p_value={t: v[2] for t, v in cells.items() if t in errors and len(v) > 2},
        statistics={t: v[0] for t, v in cells.items() if t not in errors},
    )


def read_stata(part: str, name: str) -> pd.DataFrame:
    """A data set of the tests."""
    return pd.read_stata(folder(part) / name)
