"""A panel put in order: unique unit-times, sorted, with lags by calendar time."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.panels.panel import PanelData
from analysis_py.specification.terms import level_label

#: What ``x_fill`` may say of a cell.
FILL_CODES = ("observed", "linear", "log_linear", "carried", "ratio", "missing")


class CalendarPanel:
    """A panel sorted by unit and time, each unit-time once.

    Parameters
    ----------
    data : the panel as read.
    unit, time : its key columns, or None (a cross-section has neither).

    Raises
    ------
    CarbonpanelError
        ``CP-PANEL-EMPTY`` without rows; ``CP-PANEL-DUPLICATE`` naming the rows of repeated unit-times;
        ``CP-PANEL-BLANKS`` where units differ by blanks around their name alone.
    """

    def __init__(self, data: PanelData, unit: str | None, time: str | None) -> None:
        self.data = data
        self.unit = unit
        self.time = time
        if data.frame.empty:
            raise CarbonpanelError(
                "CP-PANEL-EMPTY", f"the panel '{data.name}' has no rows", where=data.data_file or data.name
            )
        frame = data.frame.set_axis([str(c) for c in data.frame.columns], axis=1)
        self._units = _codes(frame[unit]) if unit else np.zeros(len(frame), dtype=np.int64)
        self._times = _codes(frame[time]) if time else np.zeros(len(frame), dtype=np.int64)
        if unit:
            self._refuse_blanks(frame[unit])
        if unit and time:
            self._refuse_duplicates(frame)
        order = np.lexsort((np.arange(len(frame)), self._times, self._units)) if unit or time else np.arange(len(frame))
        self._units, self._times = self._units[order], self._times[order]
        self.frame = frame.iloc[order].reset_index(drop=True)
        self._shift_rows: dict[int, np.ndarray] = {}
        #: Rows of conditions already evaluated, by condition and the derived columns it may name.
        self.condition_rows: dict[tuple[object, ...], np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def columns(self) -> list[str]:
        """Names of the panel's columns."""
        return list(self.frame.columns)

    @cached_property
    def filled_columns(self) -> frozenset[str]:
        """Columns that carry their reported cells (``x_reported``) and fill codes (``x_fill``) beside them."""
        found = []
        for name in self.columns:
            if f"{name}_fill" in self.frame and f"{name}_reported" in self.frame:
                codes = self.frame[f"{name}_fill"].dropna()
                if codes.isin(FILL_CODES).all():
                    found.append(name)
        return frozenset(found)

    def labels(self, row: int) -> tuple[str, str]:
        """Unit and time of a row as text; without both the unit is the row's number in its file, or counted from 1."""
        if not self.unit and not self.time:
            number = row + 1 if self.data.file_row is None else int(self.data.file_row[row])
            return f"row {number}", ""
        units, times = self._key_texts
        return units[row], times[row]

    def shift_rows(self, periods: int) -> np.ndarray:
        """For each row the row of the same unit ``periods`` times earlier, or -1 where it is not there.

        Raises ``CP-PANEL-TIME`` when the panel has no whole-number time to count with.
        """
        if periods not in self._shift_rows:
            calendar = self._calendar
            known = (self._units >= 0) & (calendar != _NO_TIME)
            first = int(calendar[known].min()) if known.any() else 0
            span = (int(calendar[known].max()) - first + 1 if known.any() else 1) + abs(periods)
            # lags that fall before the first or after the last time land in the gap of `span` and match nothing
            keys = np.where(known, self._units * 2 * span + (calendar - first) + abs(periods), -1)
            rows = np.flatnonzero(known)
            order = rows[np.argsort(keys[rows], kind="stable")]
            wanted = keys[rows] - periods
            at = np.minimum(np.searchsorted(keys[order], wanted), len(order) - 1) if len(order) else rows
            found = np.full(len(self.frame), -1)
            hit = keys[order][at] == wanted if len(order) else np.zeros(0, dtype=bool)
            found[rows[hit]] = order[at[hit]]
            self._shift_rows[periods] = found
        return self._shift_rows[periods]

    def shifted(self, values: np.ndarray, periods: int) -> np.ndarray:
        """``values`` (one a row) of ``periods`` times earlier, NaN (False for booleans) where that is not there."""
        if periods == 0:
            return values
        rows = self.shift_rows(periods)
        if values.dtype == bool:
            return np.where(rows >= 0, values[rows], False)
        return np.where(rows >= 0, values[rows].astype(float), np.nan)

    @cached_property
    def _key_texts(self) -> tuple[list[str], list[str]]:
        texts = [
            [level_label(v) for v in self.frame[c].tolist()] if c else [""] * len(self) for c in (self.unit, self.time)
        ]
        return texts[0], texts[1]

    @cached_property
    def _calendar(self) -> np.ndarray:
        if not self.unit or not self.time:
            raise CarbonpanelError(
                "CP-PANEL-TIME",
                "lags need a unit and a time",
                where=self.data.data_file or self.data.name,
                remedy="add unit: and time: to the study",
            )
        raw = self.frame[self.time]
        if pd.api.types.is_datetime64_any_dtype(raw) or pd.api.types.is_bool_dtype(raw):
            raise self._bad_time("it holds dates, not whole numbers")
        numbers = pd.to_numeric(raw, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        whole = np.isnan(numbers) | (numbers == np.floor(numbers))
        bad = np.flatnonzero((np.isnan(numbers) & raw.notna().to_numpy()) | ~whole)
        if len(bad):
            raise self._bad_time(f"it holds '{level_label(raw.iloc[bad[0]])}'")
        return np.where(np.isnan(numbers), float(_NO_TIME), numbers).astype(np.int64)

    def _bad_time(self, why: str) -> CarbonpanelError:
        return CarbonpanelError(
            "CP-PANEL-TIME",
            f"lags need a time that counts in whole numbers; column '{self.time}' does not: {why}",
            where=self.data.data_file or self.data.name,
            remedy="give a column of whole years (or periods counted 1, 2, 3 ...) as time:",
        )

    def _refuse_blanks(self, units: pd.Series) -> None:
        """Two spellings of one unit, 'x' and 'x ', would be two units: other effects, clusters and lags, unseen."""
        names = [name for name in units.unique() if isinstance(name, str)]
        plain: dict[str, str] = {}
        for name in names:
            other = plain.setdefault(name.strip(), name)
            if other != name:
                rows = [int(np.flatnonzero((units == spelled).to_numpy())[0]) for spelled in (other, name)]
                at = self.data.file_row
                raise CarbonpanelError(
                    "CP-PANEL-BLANKS",
                    f"'{other}' and '{name}' differ by blanks alone and would be two units",
                    where=Place(
                        file=self.data.data_file or self.data.name,
                        row=None if at is None else int(at[max(rows)]),
                        column=str(self.unit),
                    ),
                    remedy="take the blanks out of the column",
                )

    def _refuse_duplicates(self, frame: pd.DataFrame) -> None:
        known = (self._units >= 0) & (self._times >= 0)
        keys = pd.Series(self._units * (int(self._times.max()) + 2) + self._times)
        repeated = keys.duplicated(keep=False).to_numpy() & known
        if not repeated.any():
            return
        groups: dict[int, list[int]] = {}
        for row in np.flatnonzero(repeated):
            groups.setdefault(int(keys.iloc[row]), []).append(int(row))
        shown = []
        for rows in list(groups.values())[:_MOST_SHOWN]:
            label = f"{level_label(frame[self.unit].iloc[rows[0]])}, {level_label(frame[self.time].iloc[rows[0]])}"
            numbers = [str(self.data.file_row[r]) for r in rows[:2]] if self.data.file_row is not None else []
            others = f" and {len(rows) - 2} more" if len(rows) > 2 else ""
            shown.append(f"{label} (rows {', '.join(numbers)}{others})" if numbers else f"{label} ({len(rows)} times)")
        more = f" and {len(groups) - _MOST_SHOWN} more" if len(groups) > _MOST_SHOWN else ""
        first = next(iter(groups.values()))
        raise CarbonpanelError(
            "CP-PANEL-DUPLICATE",
            f"{self.unit} and {self.time} must name each row once; repeated: {'; '.join(shown)}{more}",
            where=Place(
                file=self.data.data_file or self.data.name,
                row=int(self.data.file_row[first[1]]) if self.data.file_row is not None else None,
                column=f"{self.unit}, {self.time}",
            ),
            remedy="keep one row for each unit and time, or name the right unit: and time:",
        )


#: Repeated unit-times a message names; each with its first two rows.
_MOST_SHOWN = 5

_NO_TIME = np.iinfo(np.int32).min


def _codes(column: pd.Series) -> np.ndarray:
    """Whole numbers in the order of the values (numbers by size, anything else by text), -1 where missing."""
    missing = column.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        codes, _ = pd.factorize(column, sort=True, use_na_sentinel=True)
    else:
        codes, _ = pd.factorize(column.where(~column.isna(), None).map(level_label, na_action="ignore"), sort=True)
    return np.where(missing, -1, codes).astype(np.int64)
