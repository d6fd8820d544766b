"""Directions from a file: one row for all observations, or a row for each unit (and period)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from analysis_py.efficiency.panel_columns import Columns
from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.panels.panel import FilePanel, PanelData
from analysis_py.specification.terms import level_label


def read_direction(path: Path, data: PanelData, columns: Columns) -> np.ndarray:
    """Magnitudes of the direction, inputs first, then goods, then bads: (k,) for a file of one row, else (n, k).

    The file names the quantities as its columns; a quantity it does not name does not move. A file of several rows
    has the key column(s) of the data too, and a row for every observation (or for every unit).

    Raises
    ------
    CarbonpanelError : ``CP-EFFICIENCY-DIRECTION`` (no quantity named, a key without a row or with two, a number that is
        missing or negative), and the errors of reading a file.
    """
    source = FilePanel(path).read(None, {}, "")
    table = source.frame
    known = [str(c) for c in table.columns]
    used = [q for q in columns.quantities if q in known]
    if not used:
        raise CarbonpanelError(
            "CP-EFFICIENCY-DIRECTION",
            "the file has a column of none of the inputs and outputs",
            where=str(path),
            remedy=did_you_mean(columns.quantities[0], known),
        )
    keys = [k for k in (columns.unit, columns.period) if k is not None and k in known]
    strangers = [c for c in known if c not in (*columns.quantities, *keys)]
    if strangers:
        raise CarbonpanelError(
            "CP-EFFICIENCY-DIRECTION",
            f"column '{strangers[0]}' is neither an input or output nor a key",
            where=str(path),
            remedy=did_you_mean(strangers[0], columns.quantities),
        )
    values = np.zeros((len(table), len(columns.quantities)))
    for place, name in enumerate(columns.quantities):
        if name in used:
            values[:, place] = _magnitudes(source, name)
    if not keys:
        if len(table) != 1:
            raise CarbonpanelError(
                "CP-EFFICIENCY-DIRECTION",
                f"the file has {len(table)} rows and no key column",
                where=str(path),
                remedy=f"keep one row, or add the column '{columns.unit or 'unit'}'",
            )
        return np.asarray(values[0])
    return values[_match(source, data, keys)]


def _magnitudes(source: PanelData, name: str) -> np.ndarray:
    try:
        values = source.frame[name].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        values = np.full(len(source.frame), np.nan)
    wrong = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if len(wrong):
        row = int(wrong[0])
        raise CarbonpanelError(
            "CP-EFFICIENCY-DIRECTION",
            f"'{source.frame[name].iloc[row]}' is no magnitude of a direction",
            where=Place(source.data_file, row=_file_row(source, row), column=name),
            remedy="write numbers of at least zero; bad outputs move down by themselves",
        )
    return values


def _match(source: PanelData, data: PanelData, keys: list[str]) -> np.ndarray:
    """The direction's row of each row of the data."""
    place: dict[tuple[str, ...], int] = {}
    for row, key in enumerate(_keys(source, keys)):
        if key in place:
            raise CarbonpanelError(
                "CP-EFFICIENCY-DIRECTION",
                f"{', '.join(key)} has two directions",
                where=Place(source.data_file, row=_file_row(source, row), column=", ".join(keys)),
                remedy="keep one row for each key",
            )
        place[key] = row
    wanted = _keys(data, keys)
    lost = [key for key in wanted if key not in place]
    if lost:
        raise CarbonpanelError(
            "CP-EFFICIENCY-DIRECTION",
            f"{', '.join(lost[0])} has no direction" + (f", nor have {len(lost) - 1} more" if len(lost) > 1 else ""),
            where=source.data_file,
            remedy="add a row for every key of the data",
        )
    return np.array([place[key] for key in wanted], dtype=np.int64)


def _keys(data: PanelData, keys: list[str]) -> list[tuple[str, ...]]:
    texts = [[level_label(v) for v in data.frame[k].tolist()] for k in keys]
    return list(zip(*texts, strict=True))


def _file_row(source: PanelData, row: int) -> int:
    return int(source.file_row[row]) if source.file_row is not None else row + 1
