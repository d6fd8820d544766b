"""Descriptive statistics of any file, by Stata's percentile rule."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.settings import SIMULATED_NOTICE


@dataclass(frozen=True)
class FileDescription:
    """One row a variable, in the order asked for."""

    file: str
    winsor: tuple[float, float] | None
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    left_out: tuple[str, ...] = ()
    is_simulated: bool = False

    def json(self) -> dict[str, Any]:
        records = [
            {
                name: None if isinstance(value, float) and not math.isfinite(value) else value
                for name, value in zip(self.columns, row, strict=True)
            }
            for row in self.rows
        ]
        return {
            "file": Path(self.file).name,
            "percentile_rule": "Stata _pctile",
            "is_simulated": self.is_simulated,
            "notice": SIMULATED_NOTICE if self.is_simulated else None,
            "winsor": list(self.winsor) if self.winsor else None,
            "variables": records,
            "left_out": list(self.left_out),
        }


def parse_limits(text: str | None) -> tuple[float, float] | None:
    """``'1,99'`` as (1.0, 99.0); None stays None. Raises ``CP-OPTION`` for anything else."""
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
        valid = 0 <= low < high <= 100
    except ValueError:
        valid = False
    if not valid:
        raise CarbonpanelError(
            "CP-OPTION", f"'{text}' is not a pair of percentiles", remedy="write two numbers such as --winsor 1,99"
        )
    return low, high


def describe_file(
    file: Path, *, columns: str | None = None, winsor: str | None = None, sheet: str | None = None
) -> FileDescription:
    """n, mean, sd (n-1), min, p1 ... p99, max of the named columns of a file (all numeric ones when none is named).

    ``winsor`` replaces values beyond the two percentiles by these first (Stata's winsor2). Raises ``CP-COLUMN`` for
    a name that is not there and ``CP-COLUMN-TEXT`` for a column of text.
    """
    import numpy as np
    import pandas as pd

    from analysis_py.estimators.descriptive import describe_columns
    from analysis_py.ingest.readers import explain_text, read_table
    from analysis_py.panels.panel import is_marked_simulated

    limits = parse_limits(winsor)
    left_out: list[str] = []
    frame = read_table(file, sheet=sheet)
    if columns is None:
        numeric = [c for c in frame.columns if pd.api.types.is_numeric_dtype(frame[c]) and frame[c].dtype != bool]
        if not numeric:
            raise CarbonpanelError("CP-COLUMN", "the file has no numeric column", where=str(file))
        names = numeric
        odd = {c: explain_text(frame, c) for c in frame.columns if c not in numeric}
        left_out = [f"column '{c}' is text: {why}" for c, why in odd.items() if why]
    else:
        names = [name.strip() for name in columns.split(",") if name.strip()]
        for name in names:
            if name not in frame.columns:
                raise CarbonpanelError(
                    "CP-COLUMN",
                    f"there is no column '{name}'",
                    where=str(file),
                    remedy=did_you_mean(name, frame.columns),
                )
            if not pd.api.types.is_numeric_dtype(frame[name]):
                raise CarbonpanelError(
                    "CP-COLUMN-TEXT",
                    f"column '{name}' is not numeric",
                    where=str(file),
                    remedy=explain_text(frame, name),
                )
    infinite = {c: int(np.isinf(frame[c].to_numpy(dtype=float, na_value=np.nan)).sum()) for c in names}
    left_out += [f"{count} infinite value(s) of {c} count as missing" for c, count in infinite.items() if count]
    described = describe_columns(frame, names, winsor=limits)
    records = [dataclasses.asdict(row) for row in described]
    keys = tuple(records[0])
    rows = tuple(tuple(r[k] for k in keys) for r in records)
    return FileDescription(str(file), limits, keys, rows, tuple(left_out), is_marked_simulated(frame))
