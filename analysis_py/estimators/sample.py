"""From a frame to the arrays of one regression: complete cases, numbers checked, levels coded, singletons dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.conventions import Convention
from analysis_py.estimators.factors import Factor, column, encode, find_singletons
from analysis_py.estimators.result import CovarianceSpec

#: The largest value a regression takes, one over it the smallest: the powers that variances and bootstrap statistics
#: need stay numbers even where an outcome that large meets a regressor that small.
_LARGEST = 1e40


@dataclass(frozen=True)
class Sample:
    """The rows that enter and what is known of them.

    Attributes
    ----------
    used_rows : (n,) positions in the frame, ascending.
    y, x : (n,) outcome and (n, k) regressors in their own units, columns as ``regressors``.
    weights : (n,) analytic weights scaled to mean one; ones where there are none.
    fixed_effects, clusters : factors on the sample.
    unit, time : factors of the panel, or None; only counted.
    periods : the time factor of Driscoll-Kraay, or None.
    coordinates : (n, 2) longitude and latitude for Conley, or None.
    dropped_rows : (position in the frame, reason), by position.
    """

    outcome: str
    regressors: tuple[str, ...]
    used_rows: np.ndarray
    y: np.ndarray
    x: np.ndarray
    weights: np.ndarray
    is_weighted: bool
    fixed_effects: tuple[Factor, ...]
    clusters: tuple[Factor, ...]
    unit: Factor | None
    time: Factor | None
    periods: Factor | None
    coordinates: np.ndarray | None
    dropped_rows: tuple[tuple[int, str], ...]
    singletons_dropped: int
    repeated_terms: tuple[str, ...]
    messages: tuple[str, ...]


def read_numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    """A column as float64, missing as NaN; ``CP-EST-NOT-NUMERIC`` with the first offending value otherwise."""
    values = column(frame, name)
    if pd.api.types.is_datetime64_any_dtype(values.dtype) or pd.api.types.is_timedelta64_dtype(values.dtype):
        raise CarbonpanelError(
            "CP-EST-NOT-NUMERIC",
            f"column '{name}' is a date, not a number",
            remedy="use it as a fixed effect, or turn it into a year first",
        )
    if pd.api.types.is_complex_dtype(values.dtype):
        raise CarbonpanelError(
            "CP-EST-NOT-NUMERIC", f"column '{name}' holds complex numbers", remedy="use real numbers"
        )
    if isinstance(values.dtype, pd.CategoricalDtype) or not pd.api.types.is_numeric_dtype(values.dtype):
        # text, categories, Decimal objects: numbers if every value reads as one
        plain = values.astype(object)
        numbers = pd.to_numeric(plain, errors="coerce")
        wrong = np.flatnonzero(numbers.isna().to_numpy() & plain.notna().to_numpy())
        if wrong.size:
            raise CarbonpanelError(
                "CP-EST-NOT-NUMERIC",
                f"column '{name}' is not numeric: observation {wrong[0] + 1} is {plain.iloc[wrong[0]]!r}",
                remedy="make it a number, or use it as a fixed effect",
            )
        values = numbers
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def draw_sample(
    frame: pd.DataFrame,
    *,
    outcome: str,
    regressors: Sequence[str],
    fixed_effects: Sequence[str],
    spec: CovarianceSpec,
    convention: Convention,
    unit: str | None,
    time: str | None,
    weights: str | None,
) -> Sample:
    """Cut the estimation sample.

    A row goes when the outcome, a regressor, a fixed effect, a cluster, a coordinate or the weight is missing or not
    finite, when its weight is zero, and, where the convention says so, when it is a singleton. Panel columns that are
    used for nothing else do not cost rows.

    Raises
    ------
    CarbonpanelError
        ``CP-EST-EMPTY``, ``CP-EST-COLUMN``, ``CP-EST-NOT-NUMERIC``, ``CP-EST-SCALE``, ``CP-EST-WEIGHTS``,
        ``CP-EST-SPEC``.
    """
    if len(frame) == 0:
        raise CarbonpanelError("CP-EST-EMPTY", "the sample has no rows", remedy="loosen the sample condition")
    if outcome in regressors:
        raise CarbonpanelError(
            "CP-EST-SPEC", f"'{outcome}' is both outcome and regressor", remedy="take it out of the regressors"
        )
    terms = tuple(dict.fromkeys(regressors))
    repeated = tuple(t for t in terms if list(regressors).count(t) > 1)
    effects = tuple(dict.fromkeys(fixed_effects))

    numbers: dict[str, np.ndarray] = {name: read_numbers(frame, name) for name in (outcome, *terms)}
    for name, values in numbers.items():
        _check_size(name, values)
    factors: dict[str, Factor] = {name: encode(frame, name) for name in (*effects, *spec.by)}
    weight = _read_weights(frame, weights)
    coordinates = _read_coordinates(frame, spec)
    if spec.type == "driscoll_kraay":
        if time is None:
            raise CarbonpanelError(
                "CP-EST-SPEC", "driscoll_kraay needs the time column of the panel", remedy="add `time: year`"
            )
        factors.setdefault(time, encode(frame, time))

    reasons: list[tuple[np.ndarray, str]] = []
    for name, values in numbers.items():
        reasons.append((np.isnan(values), f"missing {name}"))
        reasons.append((np.isinf(values), f"infinite {name}"))
    reasons += [(factor.codes < 0, f"missing {name}") for name, factor in factors.items()]
    if weights is not None:
        reasons += [(np.isnan(weight), f"missing {weights}"), (weight == 0, f"zero {weights}")]
    if coordinates is not None:
        reasons.append((~np.isfinite(coordinates).all(axis=1), f"missing {spec.option('lon')} or {spec.option('lat')}"))
    complete = np.ones(len(frame), dtype=bool)
    for is_bad, _ in reasons:
        complete &= ~is_bad
    dropped = {
        int(row): "; ".join(text for is_bad, text in reasons if is_bad[row]) for row in np.flatnonzero(~complete)
    }
    rows = np.flatnonzero(complete)
    if rows.size == 0:
        raise CarbonpanelError(
            "CP-EST-EMPTY",
            f"no row is complete: {_most_frequent(reasons)}",
            remedy="check the columns, the sample condition and the lags",
        )

    on_sample = {name: factor.take(rows) for name, factor in factors.items()}
    singles = find_singletons([on_sample[name] for name in effects])
    messages: list[str] = []
    if singles and convention.drops_singletons:
        dropped |= {int(rows[row]): f"singleton {effects[position]}" for row, position in singles}
        rows = np.delete(rows, [row for row, _ in singles])
        on_sample = {name: factor.take(rows) for name, factor in factors.items()}
        if rows.size == 0:
            raise CarbonpanelError(
                "CP-EST-EMPTY",
                "every row is a singleton of the fixed effects",
                remedy="use fewer fixed effects, or a convention that keeps singletons",
            )
        messages.append(f"singletons of the fixed effects dropped: {len(singles)}")
    elif singles:
        messages.append(f"singletons of the fixed effects kept: {len(singles)} (they count in N but tell nothing)")
    messages += [f"'{name}' is named twice among the regressors" for name in repeated]

    w = weight[rows]
    if weights is not None and effects and convention.name == "xtreg" and _varies_within(on_sample[effects[0]], w):
        messages.append(f"'{weights}' varies within '{effects[0]}': Stata's xtreg would refuse such weights")
    return Sample(
        outcome=outcome,
        regressors=terms,
        used_rows=rows,
        y=numbers[outcome][rows],
        x=np.column_stack([numbers[t][rows] for t in terms]) if terms else np.empty((len(rows), 0)),
        weights=w / w.mean(),
        is_weighted=weights is not None,
        fixed_effects=tuple(on_sample[name] for name in effects),
        clusters=tuple(on_sample[name] for name in spec.by),
        unit=_panel_factor(frame, unit, on_sample, rows),
        time=_panel_factor(frame, time, on_sample, rows),
        periods=on_sample[time] if spec.type == "driscoll_kraay" and time is not None else None,
        coordinates=None if coordinates is None else coordinates[rows],
        dropped_rows=tuple(sorted(dropped.items())),
        singletons_dropped=len(singles) if convention.drops_singletons else 0,
        repeated_terms=repeated,
        messages=tuple(messages),
    )


def _check_size(name: str, values: np.ndarray) -> None:
    """Refuse a column whose powers leave the range of numbers: its errors would be zero or none, without a word."""
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    if largest > _LARGEST or 0.0 < largest < 1.0 / _LARGEST:
        raise CarbonpanelError(
            "CP-EST-SCALE",
            f"the largest value of '{name}' is {largest:g}: its powers leave the range of numbers a computer holds",
            remedy="bring the column in other units, or correct the value",
        )


def _read_weights(frame: pd.DataFrame, name: str | None) -> np.ndarray:
    if name is None:
        return np.ones(len(frame))
    weight = read_numbers(frame, name)
    negative = np.flatnonzero((weight < 0) | np.isinf(weight))
    if negative.size:
        raise CarbonpanelError(
            "CP-EST-WEIGHTS",
            f"weight '{name}' is {weight[negative[0]]:g} in observation {negative[0] + 1}",
            remedy="analytic weights are finite and not negative",
        )
    return weight


def _read_coordinates(frame: pd.DataFrame, spec: CovarianceSpec) -> np.ndarray | None:
    if spec.type != "conley":
        return None
    lon, lat = read_numbers(frame, str(spec.option("lon"))), read_numbers(frame, str(spec.option("lat")))
    outside = np.flatnonzero((np.abs(lon) > 360) | (np.abs(lat) > 90))
    if outside.size:
        raise CarbonpanelError(
            "CP-EST-COVARIANCE",
            f"observation {outside[0] + 1} lies at longitude {lon[outside[0]]:g}, latitude {lat[outside[0]]:g}",
            remedy="coordinates are degrees: longitude, then latitude between -90 and 90",
        )
    return np.column_stack([lon, lat])


def _panel_factor(
    frame: pd.DataFrame, name: str | None, on_sample: dict[str, Factor], rows: np.ndarray
) -> Factor | None:
    if name is None:
        return None
    return on_sample[name] if name in on_sample else encode(frame, name).take(rows)


def _varies_within(factor: Factor, values: np.ndarray) -> bool:
    first = np.empty(factor.levels)
    first[factor.codes] = values
    return not np.allclose(first[factor.codes], values, rtol=1e-12, atol=0.0)


def _most_frequent(reasons: Sequence[tuple[np.ndarray, str]]) -> str:
    count, text = max(((int(is_bad.sum()), text) for is_bad, text in reasons), key=lambda pair: pair[0])
    return f"{text} in {count} of {len(reasons[0][0])} rows"
