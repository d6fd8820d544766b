"""Columns of a file, a mart or a data frame as a panel; what is wrong is named by its file, row, column and unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_py.efficiency.panel_scores import EfficiencyPanel, make_panel
from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.panels.cell_places import explain_text_column
from analysis_py.panels.panel import FramePanel, PanelData
from analysis_py.specification.terms import level_label

#: Bad cells a message names.
_MOST_SHOWN = 5


@dataclass(frozen=True)
class Columns:
    """Names of the columns: keys (either may be None), inputs, good and bad outputs."""

    unit: str | None
    period: str | None
    inputs: tuple[str, ...]
    goods: tuple[str, ...]
    bads: tuple[str, ...] = ()

    @property
    def quantities(self) -> tuple[str, ...]:
        """Inputs, good outputs, bad outputs, in the order of every slack, target and direction."""
        return (*self.inputs, *self.goods, *self.bads)

    def kind(self, name: str) -> str:
        """``input``, ``good output`` or ``bad output``."""
        return "input" if name in self.inputs else "good output" if name in self.goods else "bad output"


def frame_data(frame: pd.DataFrame, name: str = "frame") -> PanelData:
    """A data frame in memory as the panel data the readers of files and marts give."""
    return FramePanel(frame, name=name).read(None, {}, "")


def build_panel(data: PanelData, columns: Columns, *, zero: str = "refuse") -> EfficiencyPanel:
    """The panel of ``columns``, rows in the order of the data.

    Parameters
    ----------
    data : as :mod:`analysis_py.panels.panel` reads it.
    zero : ``drop_term`` lets zeros of good outputs pass (the model leaves their terms out); ``refuse`` does not.

    Raises
    ------
    CarbonpanelError
        ``CP-COLUMN`` (not there, with the nearest), ``CP-EFFICIENCY-COLUMN`` (named twice, or none),
        ``CP-COLUMN-TEXT``, ``CP-EFFICIENCY-VALUE`` (missing, zero, negative or infinite, naming file, row, column and
        unit), ``CP-PANEL-DUPLICATE``, ``CP-PANEL-EMPTY``.
    """
    _check_names(data, columns)
    if data.frame.empty:
        raise CarbonpanelError("CP-PANEL-EMPTY", f"'{data.name}' has no rows", where=data.data_file or data.name)
    units = _labels(data, columns.unit) if columns.unit else [_row_of(data, r) for r in range(len(data.frame))]
    periods = _labels(data, columns.period) if columns.period else None
    _refuse_duplicates(data, columns, units, periods)
    names = [level_label(u) for u in units]
    if periods is not None:
        names = [f"{u}, {level_label(p)}" for u, p in zip(names, periods, strict=True)]
    arrays = []
    for group in (columns.inputs, columns.goods, columns.bads):
        values = [_numbers(data, columns, column, names, zero) for column in group]
        arrays.append(np.column_stack(values) if values else np.empty((len(names), 0)))
    return make_panel(units, periods, *arrays)


def _check_names(data: PanelData, columns: Columns) -> None:
    known = [str(c) for c in data.frame.columns]
    keys = [c for c in (columns.unit, columns.period) if c is not None]
    for name in (*keys, *columns.quantities):
        if name not in known:
            raise CarbonpanelError(
                "CP-COLUMN",
                f"there is no column '{name}'",
                where=data.data_file or data.name,
                remedy=did_you_mean(name, known),
            )
    for part, option in ((columns.inputs, "--inputs"), (columns.goods, "--good")):
        if not part:
            raise CarbonpanelError(
                "CP-EFFICIENCY-COLUMN", f"no column is named with {option}", where=option, remedy=f"write {option} a,b"
            )
    listed = [*keys, *columns.quantities]
    for name in listed:
        if listed.count(name) > 1:
            raise CarbonpanelError(
                "CP-EFFICIENCY-COLUMN",
                f"column '{name}' is named twice",
                where=data.data_file or data.name,
                remedy="a column is a unit, a period, an input, a good output or a bad output",
            )


def _row_of(data: PanelData, row: int) -> int:
    """Number of a row as its file shows it; counting from 1 where there is no file."""
    return int(data.file_row[row]) if data.file_row is not None else row + 1


def _place(data: PanelData, row: int | None, column: str) -> Place:
    return Place(file=data.data_file or data.name, row=None if row is None else _row_of(data, row), column=column)


def _labels(data: PanelData, column: str) -> list[object]:
    series = data.frame[column]
    missing = np.flatnonzero(series.isna().to_numpy())
    if len(missing):
        raise CarbonpanelError(
            "CP-EFFICIENCY-VALUE",
            f"column '{column}' is empty in {len(missing)} row(s)",
            where=_place(data, int(missing[0]), column),
            remedy="every row needs its unit and period",
        )
    return [_plain_label(v) for v in series.tolist()]


def _plain_label(value: object) -> object:
    """Whole numbers as int, dates as text, everything else as it is."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat() if value == value.normalize() else value.isoformat(sep=" ")
    return value if isinstance(value, int | float | str) and not isinstance(value, bool) else level_label(value)


def _refuse_duplicates(
    data: PanelData, columns: Columns, units: Sequence[object], periods: Sequence[object] | None
) -> None:
    rows: dict[tuple[object, object], list[int]] = {}
    for row, unit in enumerate(units):
        rows.setdefault((unit, periods[row] if periods is not None else None), []).append(row)
    repeated = {key: found for key, found in rows.items() if len(found) > 1}
    if not repeated:
        return
    shown = []
    for (unit, period), found in list(repeated.items())[:_MOST_SHOWN]:
        label = level_label(unit) + (f", {level_label(period)}" if periods is not None else "")
        shown.append(f"{label} (rows {', '.join(str(_row_of(data, r)) for r in found[:3])})")
    more = f" and {len(repeated) - _MOST_SHOWN} more" if len(repeated) > _MOST_SHOWN else ""
    keys = ", ".join(c for c in (columns.unit, columns.period) if c)
    raise CarbonpanelError(
        "CP-PANEL-DUPLICATE",
        f"{keys} must name each row once; repeated: {'; '.join(shown)}{more}",
        where=_place(data, next(iter(repeated.values()))[1], keys),
        remedy="keep one row for each unit and period"
        + ("" if columns.period else ", or name the column of the periods with --period"),
    )


def _numbers(data: PanelData, columns: Columns, column: str, names: Sequence[str], zero: str) -> np.ndarray:
    """A column as float64, every cell positive (or, for a good output whose zero terms are dropped, zero)."""
    values = _as_floats(data, column)
    may_be_zero = zero == "drop_term" and column in columns.goods
    wrong = ~np.isfinite(values) | (values < 0) | ((values == 0) & (not may_be_zero))
    if wrong.any():
        rows = np.flatnonzero(wrong)
        shown = "; ".join(f"{names[r]} is {_fault(values[r])}" for r in rows[:_MOST_SHOWN].tolist())
        more = f" and {len(rows) - _MOST_SHOWN} more" if len(rows) > _MOST_SHOWN else ""
        raise CarbonpanelError(
            "CP-EFFICIENCY-VALUE",
            f"{columns.kind(column)} '{column}' must be positive: {shown}{more}",
            where=_place(data, int(rows[0]), column),
            remedy=_remedy(values[rows], column, column in columns.goods, zero),
        )
    return values


def _as_floats(data: PanelData, column: str) -> np.ndarray:
    """A column as float64, missing as NaN; refuses text and dates."""
    series = data.frame[column]
    if not pd.api.types.is_numeric_dtype(series):
        raise CarbonpanelError(
            "CP-COLUMN-TEXT",
            f"column '{column}' is not numeric",
            where=_place(data, None, column),
            remedy=explain_text_column(data, column) or "name a column of numbers",
        )
    return series.to_numpy(dtype=float, na_value=np.nan)


def _fault(value: float) -> str:
    if np.isnan(value):
        return "missing"
    return "zero" if value == 0 else f"{value:.10g}"


def _remedy(values: np.ndarray, column: str, is_good: bool, zero: str) -> str:
    leave = f"leave the rows out (--sample '\"{column}\" > 0')"
    if is_good and zero == "refuse" and bool((values == 0).all()):
        return f"{leave}, or let the model drop a zero output's term with --zero drop_term; nothing is shifted"
    return f"{leave} or bring the numbers; nothing is filled in or shifted"


def read_explanatory(data: PanelData, names: Sequence[str]) -> np.ndarray:
    """(n, k) numbers of the columns that explain the scores; any sign, none missing."""
    known = [str(c) for c in data.frame.columns]
    values = []
    for name in names:
        if name not in known:
            raise CarbonpanelError(
                "CP-COLUMN",
                f"there is no column '{name}'",
                where=data.data_file or data.name,
                remedy=did_you_mean(name, known),
            )
        column = _as_floats(data, name)
        missing = np.flatnonzero(~np.isfinite(column))
        if len(missing):
            raise CarbonpanelError(
                "CP-EFFICIENCY-VALUE",
                f"column '{name}' is missing in {len(missing)} row(s)",
                where=_place(data, int(missing[0]), name),
                remedy="leave the rows out or bring the numbers",
            )
        values.append(column)
    return np.column_stack(values) if values else np.empty((len(data.frame), 0))
