"""The shares and shocks behind a shift-share instrument, from files or marts to arrays on an estimation frame.

``iv: {shift_share: {shares: shares.csv, shocks: shocks.csv}}`` names long tables: shares with the unit's column (and
the time's, where they vary), a sector and a share; shocks with a sector, a time (where they vary) and a shock. A name
with a file ending is a file beside the study, any other a mart of the warehouse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.estimators.shift_share import Exposure
from analysis_py.panels.frame import Where
from analysis_py.specification.terms import level_label
from analysis_py.study import Model

#: Column names looked for where the study does not say them.
_DEFAULTS = {"sector": "sector", "share": "share", "shock": "shock"}
_FILES = (".csv", ".tsv", ".txt", ".gz", ".xlsx", ".xls", ".dta", ".parquet")


@dataclass(frozen=True)
class ShiftShare:
    """Exposure of every frame row, the instrument it belongs to, and what was noticed about it."""

    exposure: Exposure
    instrument: str
    control_totals: bool
    messages: tuple[str, ...]
    notes: tuple[str, ...]


def read_shift_share(model: Model, frame: pd.DataFrame, instruments: tuple[str, ...], where: Where) -> ShiftShare:
    """Shares of the frame's rows in the shocks.

    Raises ``CP-IV-SHARES`` where a table lacks a column, a unit has no shares, keys repeat, or the instrument is not
    said among several.
    """
    given: Mapping[str, Any] = model.options["iv"]["shift_share"]
    place = where("iv", None)
    name = given.get("instrument") or (instruments[0] if len(instruments) == 1 else "")
    if name not in instruments:
        raise _problem(
            f"'{name}' is no instrument" if name else "which of the instruments is the shift-share is not said",
            place,
            did_you_mean(name, instruments) if name else f"add instrument: {instruments[0]}",
        )
    unit_column = given.get("unit") or model.unit
    time_column = given.get("time") or model.time
    if unit_column is None or unit_column not in frame:
        raise _problem(
            f"the panel has no column '{unit_column}' to match shares by",
            place,
            "name a fixed effect, cluster or the unit under unit:",
        )
    sector, share, shock = (str(given.get(k) or d) for k, d in _DEFAULTS.items())
    shares = _read(str(given["shares"]), given.get("where") or {}, place)
    _need(shares, (unit_column, sector, share), str(given["shares"]), place)
    by_time = time_column is not None and time_column in shares.columns
    shocks = None
    if given.get("shocks"):
        shocks = _read(str(given["shocks"]), given.get("where") or {}, place)
        _need(shocks, (sector, shock), str(given["shocks"]), place)
    shock_by_time = shocks is not None and time_column is not None and time_column in shocks.columns
    units = _texts(frame[unit_column])
    times = _texts(frame[time_column]) if time_column in frame else None
    table = _wide(shares, unit_column, time_column if by_time else None, sector, share, place)
    keys = pd.MultiIndex.from_arrays([units, times]) if by_time and times is not None else pd.Index(units)
    at = table.index.get_indexer(keys)
    if (at < 0).any():
        lost = keys[int(np.flatnonzero(at < 0)[0])]
        raise _problem(f"there are no shares of {lost} in '{given['shares']}'", place, "bring the shares of every unit")
    values = table.to_numpy(dtype=float)[at]
    sectors = [str(c) for c in table.columns]
    if shock_by_time and times is not None:
        exposure = _by_period(values, sectors, times, shocks, str(time_column), sector, shock, place)
        clusters = np.unique(exposure.sectors, return_inverse=True)[1]
    else:
        one = None if shocks is None else _one_per_sector(shocks, sectors, sector, shock, place)
        exposure, clusters = Exposure(values, tuple(sectors), one), None
    clusters = _clusters(given.get("cluster"), clusters, exposure, shares, shocks, sector, place)
    exposure = _without_empty(Exposure(exposure.shares, exposure.sectors, exposure.shocks, clusters))
    messages, notes = _notice(exposure, frame[name].to_numpy(dtype=float), name, bool(given.get("control_totals")))
    return ShiftShare(exposure, name, bool(given.get("control_totals")), tuple(messages), tuple(notes))


def total_columns(found: ShiftShare, frame: pd.DataFrame, model: Model) -> dict[str, np.ndarray]:
    """Controls of incomplete shares: the sum of shares, times each later time where the study has one."""
    totals = found.exposure.totals
    if model.time is None:
        return {"sum of shares": totals}
    times = frame[model.time].to_numpy()
    later = {f"sum of shares x {model.time}={level_label(t)}": totals * (times == t) for t in sorted(set(times))[1:]}
    return {"sum of shares": totals, **later}


def _notice(exposure: Exposure, values: np.ndarray, name: str, controlled: bool) -> tuple[list[str], list[str]]:
    messages: list[str] = []
    notes = [f"{exposure.effective_shocks:.1f} effective shocks behind '{name}' (inverse Herfindahl of the shares)"]
    if not exposure.is_complete and not controlled:
        low, high = float(exposure.totals.min()), float(exposure.totals.max())
        messages.append(
            f"the shares of '{name}' sum to between {low:.3g} and {high:.3g}, not to one: control for their sum by "
            "time (iv: {shift_share: {control_totals: true}}; Borusyak, Hull & Jaravel 2022)"
        )
    if exposure.shocks is not None:
        made = exposure.shares @ exposure.shocks
        known = ~np.isnan(values) & ~np.isnan(made)
        if known.sum() > 2 and np.ptp(made[known]) > 0 and np.ptp(values[known]) > 0:
            correlation = float(np.corrcoef(made[known], values[known])[0, 1])
            if correlation < 1.0 - 1e-6:
                messages.append(
                    f"'{name}' is not the sum of shares times shocks: its correlation with that sum is "
                    f"{correlation:.4f}"
                )
    return messages, notes


def _read(name: str, where_: Mapping[str, str], place: str) -> pd.DataFrame:
    if Path(name).suffix.lower() in _FILES:
        from analysis_py.ingest.readers import read_table

        folder = Path(place.rpartition(", line ")[0] or ".").parent
        path = next((p for p in (folder / name, Path(name)) if p.exists()), folder / name)
        table = read_table(path).reset_index(drop=True)
    else:
        table = _read_mart(name, place)
    for column, value in where_.items():
        if column in table.columns:
            table = table[_texts(table[column]) == value]
    if table.empty:
        raise _problem(f"'{name}' has no rows with {dict(where_)}" if where_ else f"'{name}' has no rows", place, "")
    return table.reset_index(drop=True)


def _read_mart(name: str, place: str) -> pd.DataFrame:
    from analysis_py.warehouse import open_read

    schema, _, table = name.rpartition(".")
    with open_read() as con:
        known = con.execute(
            "select table_schema, table_name from information_schema.tables order by table_schema, table_name"
        ).fetchall()
        if (schema or "marts", table) not in known:
            marts = [t for s, t in known if s == (schema or "marts")]
            raise _problem(
                f"'{name}' is neither a file nor a mart",
                place,
                did_you_mean(table, marts) or "a file ends in .csv, .xlsx, .dta or .parquet",
            )
        quoted = table.replace('"', '""')
        return con.execute(f'select * from "{schema or "marts"}"."{quoted}" order by all').df()


def _wide(shares: pd.DataFrame, unit: str, time: str | None, sector: str, share: str, place: str) -> pd.DataFrame:
    keys = [unit, time] if time is not None else [unit]
    plain = pd.DataFrame({k: _texts(shares[k]) for k in (*keys, sector)})
    plain[share] = pd.to_numeric(shares[share], errors="coerce").to_numpy(dtype=float)
    if plain[share].isna().any():
        raise _problem(f"column '{share}' holds cells that are no numbers", place, "leave out rows without a share")
    repeated = plain.duplicated([*keys, sector])
    if repeated.any():
        row = plain.loc[repeated].iloc[0]
        raise _problem(
            f"the share of {', '.join(str(row[k]) for k in (*keys, sector))} stands there twice",
            place,
            "keep one of them",
        )
    return plain.pivot(index=keys if time is not None else unit, columns=sector, values=share).fillna(0.0).sort_index()


def _by_period(
    values: np.ndarray,
    sectors: list[str],
    times: np.ndarray,
    shocks: pd.DataFrame | None,
    time: str,
    sector: str,
    shock: str,
    place: str,
) -> Exposure:
    if shocks is None:
        raise ValueError("shocks by period need shocks")
    known = {
        (s, t): v for s, t, v in zip(_texts(shocks[sector]), _texts(shocks[time]), _numbers(shocks[shock]), strict=True)
    }
    if len(known) < len(shocks):
        raise _problem("a sector has two shocks at one time", place, "keep one of them")
    periods = sorted(set(times))
    columns, names, found = [], [], []
    for period in periods:
        inside = times == period
        for j, name in enumerate(sectors):
            if (name, period) not in known:
                if np.abs(values[inside, j]).max(initial=0.0) > 0:
                    raise _problem(f"there is no shock of sector {name} in {period}", place, "bring every shock")
                continue
            columns.append(np.where(inside, values[:, j], 0.0))
            names.append(name)
            found.append(known[name, period])
    return Exposure(np.column_stack(columns), tuple(names), np.array(found))


def _one_per_sector(shocks: pd.DataFrame, sectors: list[str], sector: str, shock: str, place: str) -> np.ndarray:
    known = dict(zip(_texts(shocks[sector]), _numbers(shocks[shock]), strict=True))
    if len(known) < len(shocks):
        raise _problem("a sector has two shocks", place, "keep one, or bring the column of the time")
    lost = [s for s in sectors if s not in known]
    if lost:
        raise _problem(f"there is no shock of sector {lost[0]}", place, "bring every shock")
    return np.array([known[s] for s in sectors])


def _clusters(
    column: str | None,
    default: np.ndarray | None,
    exposure: Exposure,
    shares: pd.DataFrame,
    shocks: pd.DataFrame | None,
    sector: str,
    place: str,
) -> np.ndarray | None:
    """Groups of shocks: a sector over time by default, none, or a column of the tables constant within sectors."""
    if column is None:
        return default
    if column == "none":
        return None
    if column == sector:
        return np.unique(exposure.sectors, return_inverse=True)[1]
    for table in (shocks, shares):
        if table is not None and column in table.columns:
            pairs = pd.DataFrame({"s": _texts(table[sector]), "c": _texts(table[column])}).drop_duplicates()
            if pairs["s"].duplicated().any():
                raise _problem(f"'{column}' is not the same for every row of a sector", place, "use a coarser sector")
            of = dict(zip(pairs["s"], pairs["c"], strict=True))
            return np.unique([of.get(s, s) for s in exposure.sectors], return_inverse=True)[1]
    known = [str(c) for t in (shocks, shares) if t is not None for c in t.columns]
    raise _problem(f"there is no column '{column}' to cluster shocks by", place, did_you_mean(column, known))


def _without_empty(exposure: Exposure) -> Exposure:
    keep = np.flatnonzero(np.abs(exposure.shares).max(axis=0) > 0)
    return Exposure(
        exposure.shares[:, keep],
        tuple(exposure.sectors[i] for i in keep),
        None if exposure.shocks is None else exposure.shocks[keep],
        None if exposure.cluster is None else np.unique(exposure.cluster[keep], return_inverse=True)[1],
    )


def _need(table: pd.DataFrame, columns: tuple[str, ...], name: str, place: str) -> None:
    for column in columns:
        if column not in table.columns:
            raise _problem(f"'{name}' has no column '{column}'", place, did_you_mean(column, map(str, table.columns)))


def _texts(column: pd.Series) -> np.ndarray:
    return np.array([level_label(v) for v in column.tolist()], dtype=object)


def _numbers(column: pd.Series) -> np.ndarray:
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)


def _problem(what: str, place: str, remedy: str) -> CarbonpanelError:
    return CarbonpanelError("CP-IV-SHARES", what, where=place, remedy=remedy)
