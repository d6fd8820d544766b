"""The exported data: a CSV for R, a .dta for Stata; the same content gives the same bytes."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Hashable

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.export.equation import Export
from analysis_py.export.preparation import GROUP
from analysis_py.export.wording import one_line

#: A .dta carries the time of its writing: here always the same.
WRITTEN = dt.datetime(2000, 1, 1)
#: The longest label Stata takes.
LONGEST_LABEL = 80
#: The largest whole number that serves as a code in Stata's factor variables.
LARGEST_CODE = 2_000_000_000


def csv_bytes(export: Export) -> bytes:
    """Every column under its plain name; numbers in the shortest form that gives them back exactly, text in quotes."""
    plain = pd.DataFrame(
        {export.names[c]: _plain(export.table[c], c in export.identifiers) for c in export.table.columns}
    )
    text = plain.to_csv(index=False, lineterminator="\n", quoting=2)
    return text.encode()


def dta_bytes(export: Export) -> bytes:
    """Format 118: numbers as doubles; text identifiers as codes from 1 with value labels, in the order of the text."""
    columns: dict[str, pd.Series] = {}
    labels: dict[Hashable, dict[float, str]] = {}
    for label in export.table.columns:
        name = export.names[label]
        values = _plain(export.table[label], label in export.identifiers)
        if label in export.identifiers:
            values, texts = code(values)
            if texts:
                labels[name] = texts
        columns[name] = values
    if export.group_names:
        labels[export.names[GROUP]] = dict(enumerate(export.group_names, start=1))
    variables = {export.names[c]: one_line(c)[:LONGEST_LABEL] for c in export.table.columns}
    out = io.BytesIO()
    try:
        pd.DataFrame(columns).to_stata(
            out,
            write_index=False,
            version=118,
            time_stamp=WRITTEN,
            data_label=f"{export.model.study} {export.run.id}"[:LONGEST_LABEL],
            variable_labels=variables,
            value_labels=labels,
        )
    except ValueError as problem:
        raise CarbonpanelError(
            "CP-EXPORT-DATA", f"the data cannot be written for Stata: {problem}", remedy="export --to R writes a CSV"
        ) from problem
    return out.getvalue()


def code(values: pd.Series) -> tuple[pd.Series, dict[float, str]]:
    """An identifier as Stata's factor variables want it: whole numbers from 0 stay, the rest is numbered from 1 in
    order with its spelling as value label."""
    if values.dtype.kind in "iuf":
        number = values.to_numpy(dtype=float)
        if ((number >= 0) & (number <= LARGEST_CODE) & (number == np.floor(number))).all():
            return pd.Series(number.astype(np.int32)), {}
        spelled = [f"{v:g}" if v != int(v) else str(int(v)) for v in np.unique(number)]
        return pd.Series(np.unique(number, return_inverse=True)[1].astype(np.int32) + 1), dict(enumerate(spelled, 1))
    texts = sorted(set(values))
    place = {text: number for number, text in enumerate(texts, start=1)}
    coded = pd.Series([place[v] for v in values], dtype=np.int32)
    return coded, {number: text or " " for text, number in place.items()}


def _plain(values: pd.Series, is_identifier: bool) -> pd.Series:
    """A column without missing marks of its own kind: doubles, whole numbers or text."""
    if not is_identifier:
        return pd.Series(values.to_numpy(dtype=float, na_value=np.nan))
    if pd.api.types.is_bool_dtype(values.dtype):
        return pd.Series(values.to_numpy(dtype=bool).astype(np.int64))
    if pd.api.types.is_integer_dtype(values.dtype):
        return pd.Series(values.to_numpy(dtype=np.int64))
    if pd.api.types.is_float_dtype(values.dtype):
        number = values.to_numpy(dtype=float)
        whole = (number == np.floor(number)).all() and np.abs(number).max(initial=0.0) < 2**53
        return pd.Series(number.astype(np.int64) if whole else number)
    return pd.Series([one_line(str(v)) for v in values], dtype=object)
