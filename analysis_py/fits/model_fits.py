"""One model, fitted: from its frame through an estimator to the record of its run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis_py.estimators.descriptive import DescriptiveRow, describe_columns
from analysis_py.estimators.poisson import fit_poisson
from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.twfe import fit_twfe
from analysis_py.fits.model_checks import explain_absent
from analysis_py.fits.run_record import CoefficientRow, DiagnosticRow, GroupFit, ModelRun, VariableRow
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.frame import EstimationFrame, ModelColumns, Where, build_frame, empty_sample
from analysis_py.panels.transforms import zeros_warning
from analysis_py.specification.terms import evaluate, leaves, parse_term
from analysis_py.study import Model

#: Why a row that the sample's condition leaves out did not enter.
OUTSIDE_SAMPLE = "outside the sample"


def fit_regression(blank: ModelRun, model: Model, panel: CalendarPanel, where: Where) -> ModelRun:
    """A two-way fixed-effects model."""
    data = build_frame(panel, model, where, observed=model.fill == "observed")
    treatments = [r for r in data.regressors if r in model.treatment or r.split("=")[0] in model.treatment]
    result = fit_frame(model, data.frame, data.outcome, data.regressors, model.fixed_effects, beside=treatments)
    return record_regression(blank, model, panel, data, result)


def fit_counts(blank: ModelRun, model: Model, panel: CalendarPanel, where: Where) -> ModelRun:
    """A Poisson model with fixed effects."""
    data = build_frame(panel, model, where, observed=model.fill == "observed")
    result = fit_poisson(
        data.frame,
        outcome=data.outcome,
        regressors=data.regressors,
        fixed_effects=model.fixed_effects,
        covariance=model.covariance,
        convention=model.convention,
        unit=model.unit,
        time=model.time,
        weights=model.weights,
    )
    return record_regression(blank, model, panel, data, result)


def record_regression(
    blank: ModelRun, model: Model, panel: CalendarPanel, data: EstimationFrame, result: RegressionResult
) -> ModelRun:
    """The record of one fit: its numbers, what should be known of it, the rows that did not enter."""
    messages = [*data.messages, *warnings_of(result), *_lagged_outcome_warning(model, panel, result)]
    return replace(
        blank,
        status="warned" if messages else "ok",
        message="; ".join(messages) or None,
        notes=(
            *blank.notes,
            *data.notes,
            *remarks_of(result),
            *panel_log_notes(model, panel, data, result.used_rows),
        ),
        convention=result.convention,
        covariance=result.covariance,
        small_sample=dict(result.small_sample),
        n_obs=result.n_obs,
        n_units=result.n_units,
        n_times=result.n_times,
        n_clusters=result.n_clusters,
        n_singletons_dropped=result.n_singletons_dropped,
        n_filled_cells=data.n_filled(result.used_rows),
        df_resid=result.df_resid,
        df_model=result.df_model,
        r2=result.r2,
        r2_within=result.r2_within,
        r2_between=result.r2_between,
        r2_overall=result.r2_overall,
        r2_adjusted=result.r2_adjusted,
        f=result.f,
        f_p_value=result.f_p_value,
        rmse=result.rmse,
        dropped_terms=result.dropped_terms,
        coefficients=coefficient_rows(result),
        diagnostics=diagnostic_rows(result),
        dropped=dropped_labels(panel, data.rows, result.dropped_rows),
    )


def _lagged_outcome_warning(model: Model, panel: CalendarPanel, result: RegressionResult) -> list[str]:
    """The bias of order 1/T of a lagged outcome beside unit effects (Nickell 1981, Econometrica 49:1417-1426)."""
    if model.unit not in model.fixed_effects or not model.outcome or not result.n_units:
        return []
    names = [*panel.columns, *(name for name, _ in model.transforms)]
    explained = {name for name, _ in leaves(parse_term(model.outcome, names, ""))}
    lagged = [
        text
        for text in (*model.treatment, *model.controls)
        if any(name in explained and lag > 0 for name, lag in leaves(parse_term(text, names, "")))
    ]
    if not lagged:
        return []
    return [
        f"{', '.join(lagged)}: a lag of the outcome beside unit effects biases every coefficient by the order of 1/T"
        f" (Nickell 1981, Econometrica 49:1417-1426); a unit has {result.n_obs / result.n_units:.3g} observations"
    ]


def describe_model(blank: ModelRun, model: Model, panel: CalendarPanel, where: Where) -> ModelRun:
    """Descriptive statistics of the model's columns on its sample, each on its own non-missing rows."""
    columns = ModelColumns(panel, model, where, observed=model.fill == "observed")
    rows = np.flatnonzero(columns.mask(model.sample, "sample"))
    if len(rows) == 0:
        raise empty_sample(columns)
    table: dict[str, np.ndarray] = {}
    filled: dict[str, int] = {}
    for item, text in enumerate(model.columns):
        term = parse_term(text, columns.names, where("columns", item))
        columns.warn_of_term(term)
        for label, values in evaluate(term, text, columns, where("columns", item)):
            table[label] = values[rows]
            mask = np.zeros(len(panel), dtype=bool)
            for name, lag in leaves(term):
                mask |= panel.shifted(columns.fill_mask(name), lag)
            filled[label] = int((mask[rows] & ~np.isnan(table[label])).sum())
    frame = pd.DataFrame(table)
    empty = [c for c in frame.columns if not frame[c].notna().any()]
    described = describe_columns(frame, [c for c in frame.columns if c not in empty])
    messages = [*columns.messages]
    if empty:
        messages.append("no value of " + "; ".join(explain_absent(name, model, panel) for name in empty))
    return replace(
        blank,
        status="warned" if messages else "ok",
        message="; ".join(messages) or None,
        n_obs=len(rows),
        n_units=count_distinct(panel.frame, model.unit, rows),
        n_times=count_distinct(panel.frame, model.time, rows),
        n_filled_cells=sum(filled.values()),
        descriptives=tuple(_variable_row(row, filled[row.variable]) for row in described),
    )


def fit_frame(
    model: Model,
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    effects: Sequence[str],
    *,
    beside: Sequence[str] = (),
) -> RegressionResult:
    """A fixed-effects fit of a frame under the model's convention, covariance and weights.

    ``beside`` names regressors that careful errors stand beside where clusters are few.
    """
    return fit_twfe(
        frame,
        outcome=outcome,
        regressors=list(regressors),
        fixed_effects=list(effects),
        covariance=model.covariance,
        convention=model.convention,
        unit=model.unit,
        time=model.time,
        weights=model.weights,
        beside=beside,
    )


def _degrees(result: RegressionResult, position: int) -> float | None:
    """Degrees of freedom of one coefficient, None where its statistic is a z."""
    if result.statistic_kind != "t":
        return None
    return float(result.df_t if result.df_terms is None else result.df_terms[position])


def coefficient_rows(result: RegressionResult) -> tuple[CoefficientRow, ...]:
    """The coefficients of a result in its order."""
    return tuple(
        CoefficientRow(
            term=term,
            estimate=float(result.estimate[i]),
            std_error=float(result.std_error[i]),
            statistic=float(result.statistic[i]),
            statistic_kind=result.statistic_kind,
            p_value=float(result.p_value[i]),
            ci_low=float(result.ci_low[i]),
            ci_high=float(result.ci_high[i]),
            df=_degrees(result, i),
        )
        for i, term in enumerate(result.terms)
    )


def diagnostic_rows(result: RegressionResult) -> tuple[DiagnosticRow, ...]:
    """The diagnostics of a result in its order."""
    return tuple(
        DiagnosticRow(d.test, float(d.statistic), d.df1, d.df2, d.p_value, dict(d.critical), d.note, d.term)
        for d in result.diagnostics
    )


def _is_remark(message: str) -> bool:
    """Whether a message of the estimator is for the notes: singletons are counted in a field of their own."""
    return "singletons of the fixed effects" in message


def remarks_of(result: RegressionResult) -> list[str]:
    """Messages of a result that belong into the notes."""
    return [m for m in result.messages if _is_remark(m)]


def warnings_of(result: RegressionResult) -> list[str]:
    """Messages of a result that make its model a warned one."""
    return [m for m in result.messages if not _is_remark(m)]


def panel_log_notes(model: Model, panel: CalendarPanel, data: EstimationFrame, used: np.ndarray) -> list[str]:
    """The warning on logs of zeros for columns that the panel itself made as ln(1 + count)."""
    notes = []
    mediators = (model.options.get("mechanism") or {}).get("mediators", ())
    named = [model.outcome, *model.treatment, *model.moderator, *mediators, *model.controls]
    for name in dict.fromkeys(n for n in named if n):
        formula = panel.data.formulas.get(name, "")
        if "ln(1 +" not in formula.replace("ln(1+", "ln(1 +") or name not in data.frame:
            continue
        if (data.frame[name].to_numpy()[used] == 0).any():
            notes.append(zeros_warning(f"{name} = {formula}"))
    return notes


def group_fit(group: str, result: RegressionResult) -> GroupFit:
    """Size and fit of one group (or equation) of a model."""
    return GroupFit(
        group=group,
        n_obs=result.n_obs,
        n_units=result.n_units,
        n_clusters=result.n_clusters,
        n_singletons_dropped=result.n_singletons_dropped,
        df_resid=result.df_resid,
        r2=result.r2,
        r2_within=result.r2_within,
        f=result.f,
        small_sample=dict(result.small_sample),
    )


def count_distinct(frame: pd.DataFrame, column: str | None, rows: np.ndarray) -> int | None:
    """Distinct values of a column among some rows; None without a column."""
    return None if column is None else int(frame[column].iloc[rows].nunique())


def dropped_labels(
    panel: CalendarPanel, rows: np.ndarray, dropped: Sequence[tuple[int, str]]
) -> tuple[tuple[str, str, str], ...]:
    """(unit, time, reason) of every row of the panel that did not enter, in the panel's order.

    ``rows`` are the positions of the frame in the panel, ``dropped`` what the estimator left out of it; all
    other rows are outside the sample.
    """
    reasons = dict.fromkeys(np.setdiff1d(np.arange(len(panel)), rows).tolist(), OUTSIDE_SAMPLE)
    reasons |= {int(rows[row]): reason for row, reason in dropped}
    return tuple((*panel.labels(row), reason) for row, reason in sorted(reasons.items()))


def _variable_row(row: DescriptiveRow, n_filled: int) -> VariableRow:
    return VariableRow(
        variable=row.variable,
        n=row.n,
        mean=row.mean,
        sd=row.sd,
        min=row.min,
        p25=row.p25,
        median=row.p50,
        p75=row.p75,
        max=row.max,
        n_filled=n_filled,
        extra={name: getattr(row, name) for name in ("p1", "p5", "p10", "p90", "p95", "p99", "n_missing")},
    )
