"""Groups of a heterogeneity model: how they are cut, and one fit each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.descriptive import stata_percentile
from analysis_py.estimators.result import RegressionResult
from analysis_py.panels.frame import EstimationFrame
from analysis_py.specification.terms import level_label
from analysis_py.study import Model, Split

#: Fits a frame with these regressors and fixed effects under the model's convention and covariance.
Fit = Callable[[pd.DataFrame, Sequence[str], Sequence[str]], RegressionResult]

#: What arithmetic on bad numbers raises; anything else is a fault of this program and is not caught.
NUMERICAL = (ArithmeticError, np.linalg.LinAlgError, ValueError)

#: More distinct values than this are not groups.
MOST_GROUPS = 20


@dataclass(frozen=True)
class Groups:
    """Group of each frame row (None where it has none, for the reason ``why_none``) and the groups in order.

    ``notes`` are worth knowing in any case; ``warnings`` say that rows were lost.
    """

    labels: np.ndarray
    order: tuple[str, ...]
    notes: tuple[str, ...]
    why_none: str
    warnings: tuple[str, ...] = ()


def assign_groups(frame: pd.DataFrame, split: Split, unit: str | None, time: str | None) -> Groups:
    """Cut a frame by the split's rule; medians and quantiles are taken on the frame's rows (the model's sample).

    A value at the cut goes to the lower group. Raises ``CP-STUDY-SPLIT`` for fewer than two groups, too many values,
    text cut at a number, or a rule that needs a unit or time the study does not name.
    """
    column = frame[split.by]
    missing = column.isna().to_numpy()
    if split.at is None:
        labels = np.array([None if m else f"{split.by}={level_label(v)}" for v, m in zip(column, missing, strict=True)])
        levels = sorted({v for v, m in zip(column, missing, strict=True) if not m}, key=_sort_key)
        order = [f"{split.by}={level_label(v)}" for v in levels]
        if len(order) > MOST_GROUPS:
            raise _bad_split(
                f"'{split.by}' has {len(order)} values, too many to be groups", "add at: median, or a value"
            )
    else:
        if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
            raise _bad_split(f"'{split.by}' is not numeric and cannot be cut", "remove at: to split by its values")
        labels, order = _cut(frame, column.to_numpy(dtype=float, na_value=np.nan), split, unit, time)
    labels = labels.astype(object)
    order = [g for g in order if (labels == g).any()]
    if len(order) < 2:
        raise _bad_split(f"'{split.by}' gives {len(order)} group(s) in the sample", "choose another split, or sample")
    why_none, notes, warnings = f"missing {split.by}", [], []
    if split.at == "median_base_year":
        base = level_label(frame[time].min())
        why_none = f"no {split.by} in the base year {base}"
        lost = np.array([label is None for label in labels])
        if lost.any():
            units = frame.loc[lost, unit].nunique()
            warnings.append(f"{units} unit(s), {int(lost.sum())} row(s), in no group: {why_none}")
    elif split.at is not None:
        notes.append(
            f"groups cut by values of {split.by} over the whole period: if the treatment moves {split.by} the split is"
            " post-treatment (compare at: median_base_year)"
        )
    return Groups(labels, tuple(order), tuple(notes), why_none, tuple(warnings))


def _cut(
    frame: pd.DataFrame, values: np.ndarray, split: Split, unit: str | None, time: str | None
) -> tuple[np.ndarray, list[str]]:
    name = split.by
    known = ~np.isnan(values)
    if isinstance(split.at, tuple) or split.at == "median" or isinstance(split.at, int | float):
        if isinstance(split.at, tuple):
            cuts = [stata_percentile(values[known], 100 * q) for q in split.at]
        elif split.at == "median":
            cuts = [stata_percentile(values[known], 50)]
        else:
            cuts = [float(split.at)]
        if sorted(set(cuts)) != cuts:
            raise _bad_split(f"quantiles of '{name}' coincide: many equal values", "choose fewer quantiles")
        place = np.searchsorted(cuts, values, side="left")
        shown = [f"{c:.6g}" for c in cuts]
        between = [f"{name} in ({a}, {b}]" for a, b in pairwise(shown)]
        order = [f"{name}<={shown[0]}", *between, f"{name}>{shown[-1]}"]
        return np.array([order[p] if k else None for p, k in zip(place, known, strict=True)], dtype=object), order
    if unit is None or time is None:
        raise _bad_split(f"at: {split.at} needs the study's unit and time", "add unit: and time:")
    times = frame[time].to_numpy()
    order = [f"{name}<={split.at}", f"{name}>{split.at}"]
    labels = np.full(len(frame), None, dtype=object)
    if split.at == "median_by_year":
        for moment in pd.unique(frame[time].dropna()):
            rows = (times == moment) & known
            if rows.any():
                labels[rows] = np.where(values[rows] <= stata_percentile(values[rows], 50), order[0], order[1])
        return labels, order
    base = (times == frame[time].min()) & known
    first = dict(zip(frame[unit].to_numpy()[base], values[base], strict=True))
    if not first:
        raise _bad_split(f"'{name}' has no value in the first time of the sample", "choose another rule for at:")
    median = stata_percentile(np.array(list(first.values())), 50)
    for row, owner in enumerate(frame[unit].to_numpy()):
        if owner in first:
            labels[row] = order[0] if first[owner] <= median else order[1]
    return labels, order


def fit_groups(
    data: EstimationFrame, model: Model, groups: Groups, fit: Fit
) -> tuple[list[tuple[str, RegressionResult]], list[tuple[str, str]]]:
    """One fit a group, in order, and the groups that cannot be fitted with their reason.

    Rows of the results count in the whole frame. Raises the error of the first group when no group can be fitted.
    """
    found = []
    failed: list[tuple[str, str]] = []
    first: CarbonpanelError | None = None
    for group in groups.order:
        rows = np.flatnonzero(groups.labels == group)
        try:
            result = fit(data.frame.iloc[rows].reset_index(drop=True), data.regressors, model.fixed_effects)
        except CarbonpanelError as error:
            failed.append((group, error.what))
            first = first or CarbonpanelError(
                error.code, f"group {group}: {error.what}", where=error.where or None, remedy=error.remedy
            )
            continue
        except NUMERICAL as error:
            failed.append((group, f"numerical trouble: {error}"))
            continue
        found.append(
            (
                group,
                replace(
                    result,
                    used_rows=rows[result.used_rows],
                    dropped_rows=tuple((int(rows[r]), why) for r, why in result.dropped_rows),
                ),
            )
        )
    if not found:
        raise first or CarbonpanelError("CP-STUDY-SPLIT", f"no group can be fitted; group {': '.join(failed[0])}")
    return found, failed


def _sort_key(value: object) -> tuple[bool, object]:
    return isinstance(value, str), value


def _bad_split(what: str, remedy: str) -> CarbonpanelError:
    return CarbonpanelError("CP-STUDY-SPLIT", what, remedy=remedy)
