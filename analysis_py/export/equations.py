"""The equations of each estimator: one function an estimator, from a run to what its scripts redo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis_py.export.equation import Combination, Equation, Export, Product
from analysis_py.export.group_equations import heterogeneity
from analysis_py.export.instrument_equations import instrumented
from analysis_py.export.preparation import (
    ENTERED,
    Setting,
    Table,
    complete_rows,
    export_of,
    least_squares,
    rows_of_group,
)
from analysis_py.export.threshold_equations import thresholds
from analysis_py.panels.frame import EstimationFrame, ModelColumns, build_frame
from analysis_py.specification.terms import evaluate, parse_term
from analysis_py.study import Model


def prepare(setting: Setting) -> Export:
    """What the scripts of a model redo."""
    makers: dict[str, Callable[[Setting], Export]] = {
        "descriptive": described,
        "heterogeneity": heterogeneity,
        "iv": instrumented,
        "mechanism": mechanism,
        "moderation": moderated,
        "poisson": regression,
        "threshold": thresholds,
    }
    return makers.get(setting.model.estimator, regression)(setting)


def regression(setting: Setting) -> Export:
    """A fixed-effects or Poisson model: one equation."""
    data = build_frame(setting.panel, setting.model, setting.where, observed=setting.observed)
    table = complete_rows(setting, data, data.frame, data.regressors)
    equation = _only(setting, data, table)
    frame, notes = table.frame, []
    if equation.estimator == "poisson" and any("combination" in reason for _, _, reason in setting.run.dropped):
        frame = frame.assign(**{ENTERED: table.used.astype(float)})
        notes = [f"{ENTERED} is 0 for observations that a combination of regressors separates"]
    return export_of(setting, frame, (), [equation], notes=tuple(notes))


def _only(setting: Setting, data: EstimationFrame, table: Table) -> Equation:
    run = setting.run
    return least_squares(
        setting,
        table,
        rows_of_group(run, None),
        outcome=data.outcome,
        small=run.small_sample,
        n_obs=int(run.n_obs or 0),
        estimator="poisson" if setting.model.estimator == "poisson" else "ols",
    )


def moderated(setting: Setting) -> Export:
    """A moderation model: the equation with its products, marginal effects as sums of coefficients."""
    data = build_frame(setting.panel, setting.model, setting.where, observed=setting.observed)
    table = complete_rows(setting, data, data.frame, data.regressors)
    equation = _only(setting, data, table)
    used = table.frame.iloc[equation.used]
    margins = iter(rows_of_group(setting.run, "margins"))
    found: list[Combination] = []
    for treatment, moderator, product in data.products:
        if not {treatment, product} <= set(equation.regressors):
            continue
        centre = data.centres.get(moderator, 0.0)
        others = tuple(
            (label, float(used[other].mean()))
            for own, other, label in data.products
            if own == treatment and label != product and label in equation.regressors
        )
        for value in _values_at(setting.model, used[moderator].to_numpy(dtype=float) + centre):
            row = next(margins)
            found.append(
                Combination(
                    f"slope of {treatment} at {moderator} = {value:.6g}",
                    0,
                    ((treatment, 1.0), (product, float(value) - centre), *others),
                    row.estimate,
                    row.std_error,
                )
            )
    products = tuple(p for p in data.products if p[2] in equation.regressors)
    return export_of(setting, table.frame, (), [equation], products=products, combinations=tuple(found))


def _values_at(model: Model, values: np.ndarray) -> np.ndarray:
    """Where margins are reported, by the rule of the moderation model."""
    given = (model.options.get("margins") or {}).get("at")
    if given:
        return np.array(sorted(given), dtype=float)
    distinct = np.unique(values)
    if len(distinct) <= 2:
        return distinct
    mean, spread = float(values.mean()), float(values.std(ddof=1))
    return np.array([mean - spread, mean, mean + spread])


def mechanism(setting: Setting) -> Export:
    """A mechanism model: every equation on the same rows, indirect effects as products of two coefficients."""
    model, run = setting.model, setting.run
    mediators = tuple(model.options["mechanism"]["mediators"])
    count = len(model.controls)

    def place(key: str, item: int | None) -> str:
        added = key == "controls" and item is not None and item >= count
        return setting.where("mechanism", None) if added else setting.where(key, item)

    wide = _with_controls(model, mediators)
    data = build_frame(setting.panel, wide, place, observed=setting.observed)
    table = complete_rows(setting, data, data.frame, data.regressors)
    equations: list[Equation] = []
    position: dict[str, int] = {}
    for part in run.groups:
        if part.group in ("gelbach", "indirect"):
            continue
        position[part.group] = len(equations)
        kind, _, mediator = part.group.partition(":")
        equations.append(
            least_squares(
                setting,
                table,
                rows_of_group(run, part.group),
                outcome=mediator if kind == "mediator" else data.outcome,
                small=part.small_sample,
                n_obs=part.n_obs,
                title=part.group,
            )
        )
    products = _indirect(setting, equations, position, mediators)
    return export_of(setting, table.frame, (), equations, indirect=tuple(products))


def _with_controls(model: Model, more: Sequence[str]) -> Model:
    return replace(model, controls=(*model.controls, *more))


def _indirect(
    setting: Setting, equations: Sequence[Equation], position: dict[str, int], mediators: Sequence[str]
) -> list[Product]:
    """Each indirect effect and each part of Gelbach's decomposition: the same product, with different errors."""
    if "direct" not in position:
        return []
    direct = position["direct"]
    treatments = [t for t in equations[position["total"]].regressors if t not in setting.model.controls]
    found = []
    for method in ("gelbach", "indirect"):
        for row in rows_of_group(setting.run, method):
            if row.term not in mediators:
                continue
            treatment = row.regime or treatments[0]
            first = position[f"mediator:{row.term}"]
            if treatment in equations[first].regressors and row.term in equations[direct].regressors:
                title = f"{method}: {treatment} through {row.term}"
                found.append(Product(title, (first, treatment), (direct, row.term), row.estimate))
    return found


def described(setting: Setting) -> Export:
    """A descriptive model: its columns on the rows of the sample, cells without a value left empty."""
    model, panel = setting.model, setting.panel
    columns = ModelColumns(panel, model, setting.where, observed=setting.observed)
    rows = np.flatnonzero(columns.mask(model.sample, "sample"))
    table: dict[str, object] = {}
    keys = [k for k in (model.unit, model.time) if k]
    for key in keys:
        table[key] = panel.frame[key].iloc[rows].reset_index(drop=True)
    for text in model.columns:
        term = parse_term(text, columns.names, setting.where("columns", None))
        for label, values in evaluate(term, text, columns, setting.where("columns", None)):
            found = values[rows]
            table[label] = np.where(np.isfinite(found), found, np.nan)
    return export_of(setting, pd.DataFrame(table), keys, [])
