"""Columns as numbers, and in words where they are none: which cell makes a column text, what values a column holds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.panels.panel import PanelData
from analysis_py.specification.terms import level_label

#: Values or columns a message names.
_MOST_SHOWN = 5


def as_numbers(series: pd.Series, name: str, where: str, data: PanelData) -> np.ndarray:
    """A column as float64, booleans as 0/1, missing as NaN.

    Raises ``CP-STUDY-TEXT`` for text and dates, naming the first odd cell of the panel's ``data`` where it is known.
    """
    if pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series):
        return series.to_numpy(dtype=float, na_value=np.nan)
    if series.dtype == object:
        present = series.dropna()
        if all(isinstance(v, bool | int | float | np.number) for v in present):
            return np.array([np.nan if m else float(v) for v, m in zip(series, series.isna(), strict=True)])
    odd_cell = explain_text_column(data, name)
    raise CarbonpanelError(
        "CP-STUDY-TEXT",
        f"column '{name}' holds text or dates, not numbers" + (f": {odd_cell}" if odd_cell else ""),
        where=where,
        remedy=f"write i.{name} for dummies, put it into fixed_effects, or clean the column",
    )


def explain_text_column(data: PanelData, column: str) -> str:
    """The first cell of a column that is no number: its file, row, column and text; '' where nothing is known."""
    place = f"{data.data_file or data.name}, column '{column}'"
    if column in data.odd_cells:
        return f"{place}, {data.odd_cells[column]}"
    if column not in data.frame:
        return ""
    values = data.frame[column]
    if not pd.api.types.is_object_dtype(values.dtype) and not pd.api.types.is_string_dtype(values.dtype):
        return place
    odd = pd.to_numeric(values, errors="coerce").isna().to_numpy() & values.notna().to_numpy()
    at = int(odd.argmax()) if odd.any() else int(values.notna().to_numpy().argmax())
    text = f"holds '{level_label(values.iloc[at])}'"
    return f"{place}, row {data.file_row[at]} {text}" if data.file_row is not None else f"{place} {text}"


def describe_values(frame: pd.DataFrame, columns: tuple[str, ...]) -> str:
    """What columns hold, in few words: ``year runs from 2001 to 2008; province: p0, p1, ...``."""
    found = []
    for name in columns[:_MOST_SHOWN]:
        values = frame[name].dropna()
        if values.empty:
            found.append(f"{name} has no value")
        elif pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
            found.append(f"{name} runs from {values.min():.10g} to {values.max():.10g}")
        else:
            levels = sorted({level_label(v) for v in values})
            more = ", ..." if len(levels) > _MOST_SHOWN else ""
            found.append(f"{name}: {', '.join(levels[:_MOST_SHOWN])}{more}")
    return "; ".join(found)
