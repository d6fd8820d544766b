"""The frame of an instrumental-variables model: which columns are endogenous, instruments and controls, and the
controls an option adds (initial conditions by time)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.frame import EstimationFrame, ModelColumns, Where, build_frame, term_columns, unknown_column
from analysis_py.specification.terms import level_label
from analysis_py.study import Model


@dataclass(frozen=True)
class IvFrame:
    """What the estimator is given. ``silent`` are columns of ``data.frame`` that are controlled for, not reported;
    ``terms`` maps each instrument's column to its spelling in the study."""

    data: EstimationFrame
    endogenous: tuple[str, ...]
    instruments: tuple[str, ...]
    exogenous: tuple[str, ...]
    silent: tuple[str, ...]
    terms: dict[str, str]
    notes: tuple[str, ...]


def build_iv_frame(panel: CalendarPanel, model: Model, where: Where, *, observed: bool) -> IvFrame:
    """Columns of a model on its sample, dummies expanded.

    ``treatment`` terms that are not endogenous count as exogenous regressors before the controls.

    Raises the errors of :func:`analysis_py.panels.frame.build_frame`.
    """
    named = {key: tuple(model.options.get(key, ())) for key in ("endogenous", "instruments")}
    extra = tuple(t for t in model.treatment if t not in named["endogenous"])
    terms = (*named["endogenous"], *named["instruments"], *extra)
    keys = [("endogenous", i) for i in range(len(named["endogenous"]))]
    keys += [("instruments", i) for i in range(len(named["instruments"]))]
    keys += [("treatment", model.treatment.index(t)) for t in extra]

    def place(key: str, item: int | None) -> str:
        return where(*keys[item]) if key == "treatment" and item is not None else where(key, item)

    once = tuple(dict.fromkeys(terms))
    keys = [keys[terms.index(t)] for t in once]
    stated = replace(model, treatment=once)
    match = ((model.options.get("iv") or {}).get("shift_share") or {}).get("unit")
    data = build_frame(panel, stated, place, observed=observed, extra={match: "iv"} if match else None)
    # a second reading tells which columns each term became
    columns = ModelColumns(panel, stated, place, observed=observed)
    labels = {text: [r.label for r in term_columns(_only(columns, stated, text), "treatment")] for text in once}
    controls = data.regressors[sum(len(labels[t]) for t in once) :]
    silent, notes = _initial_conditions(panel, model, data, where, columns)
    if silent:
        table = pd.concat([data.frame, pd.DataFrame(silent, index=data.frame.index)], axis=1)
        data = replace(data, frame=table)
    return IvFrame(
        data=data,
        endogenous=_flat(labels, named["endogenous"]),
        instruments=_flat(labels, named["instruments"]),
        exogenous=tuple(dict.fromkeys((*_flat(labels, extra), *controls))),
        silent=tuple(silent),
        terms={label: text for text in named["instruments"] for label in labels[text]},
        notes=tuple(notes),
    )


def _flat(labels: dict[str, list[str]], texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(label for text in texts for label in labels[text])


def _only(columns: ModelColumns, model: Model, text: str) -> ModelColumns:
    """The same columns for a model that names one term."""
    columns.model = replace(model, treatment=(text,))
    return columns


def _initial_conditions(
    panel: CalendarPanel, model: Model, data: EstimationFrame, where: Where, columns: ModelColumns
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Columns of the option ``initial_conditions``: a unit's first value in the sample times each later time."""
    names = tuple((model.options.get("iv") or {}).get("initial_conditions", ()))
    if not names:
        return {}, []
    if not model.unit or not model.time:
        raise CarbonpanelError(
            "CP-STUDY-INCOMPLETE",
            "initial conditions need the unit and the time of the study",
            where=where("iv", None),
            remedy="add unit: and time:",
        )
    units = data.frame[model.unit].to_numpy()
    times = data.frame[model.time].to_numpy()
    found: dict[str, np.ndarray] = {}
    for name in names:
        if name not in columns.names:
            raise unknown_column(name, columns.names, where("iv", None))
        values = columns.numbers(name)[data.rows]
        # rows stand in the order of unit and time, so the first value of a unit is its earliest
        first = pd.Series(values).groupby(units, sort=False).transform("first").to_numpy(dtype=float)
        for time in sorted(set(times))[1:]:
            label = f"initial {name} x {model.time}={level_label(time)}"
            found[label] = np.where(np.isnan(first), np.nan, first * (times == time))
    return found, [
        f"controlled for, not reported: the first value of {', '.join(names)} of each {model.unit} in the sample times "
        f"each {model.time}"
    ]
