"""One model, fitted: from its frame through an estimator to the record of its run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.descriptive import DescriptiveRow, describe_columns
from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.twfe import fit_twfe
from analysis_py.fits.heterogeneity import assign_groups, compare_groups, fit_groups
from analysis_py.fits.model_checks import explain_absent
from analysis_py.fits.run_record import CoefficientRow, DiagnosticRow, GroupFit, ModelRun, VariableRow
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.frame import EstimationFrame, ModelColumns, Where, build_frame, empty_sample, zeros_warning
from analysis_py.specification.terms import evaluate, leaves, parse_term
from analysis_py.study import Model


def fit_regression(blank: ModelRun, model: Model, panel: CalendarPanel, where: Where) -> ModelRun:
    """A two-way fixed-effects or moderation model."""
    observed = model.fill == "observed"
    data = build_frame(panel, model, where, observed=observed)
    result = _fit(model, data.frame, data.outcome, data.regressors, model.fixed_effects)
    messages = [*data.messages, *_messages(result)]
    return replace(
        blank,
        status="warned" if messages else "ok",
        message="; ".join(messages) or None,
        notes=(
            *blank.notes,
            *data.notes,
            *_remarks(result),
            *_panel_log_notes(model, panel, data, result.used_rows),
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
        diagnostics=_diagnostic_rows(result),
        dropped=_dropped(panel, data, result.dropped_rows),
    )


def fit_heterogeneity(blank: ModelRun, model: Model, panel: CalendarPanel, where: Where) -> ModelRun:
    """One fit a group of the split, and the tests that compare them."""
    if model.split is None:
        raise CarbonpanelError("CP-STUDY-INCOMPLETE", "a heterogeneity model needs a split", where=where("id", None))
    data = build_frame(panel, model, where, observed=model.fill == "observed", extra={model.split.by: "split"})
    groups = assign_groups(data.frame, model.split, model.unit, model.time)

    def fit(frame: pd.DataFrame, regressors: Sequence[str], effects: Sequence[str]) -> RegressionResult:
        return _fit(model, frame, data.outcome, regressors, effects)

    fits, failed = fit_groups(data, model, groups, fit)
    messages = [*data.messages, *groups.warnings]
    messages += [f"group {group} could not be fitted and is left out: {why}" for group, why in failed]
    for group, result in fits:
        messages += [f"{group}: {m}" for m in _messages(result)]
    lost = {group: f"group {group} could not be fitted" for group, _ in failed} | {None: groups.why_none}
    ungrouped = [(int(r), lost[g]) for r, g in enumerate(groups.labels) if g in lost]
    dropped = [*ungrouped, *(d for _, result in fits for d in result.dropped_rows)]
    used = np.concatenate([result.used_rows for _, result in fits])
    return replace(
        blank,
        status="warned" if messages else "ok",
        message="; ".join(messages) or None,
        notes=(
            *blank.notes,
            *data.notes,
            *groups.notes,
            *(f"{group}: {remark}" for group, result in fits for remark in _remarks(result)),
            *_panel_log_notes(model, panel, data, used),
        ),
        convention=fits[0][1].convention,
        covariance=fits[0][1].covariance,
        n_obs=sum(r.n_obs for _, r in fits),
        n_units=_distinct(data.frame, model.unit, used),
        n_times=_distinct(data.frame, model.time, used),
        n_singletons_dropped=sum(r.n_singletons_dropped for _, r in fits),
        n_filled_cells=data.n_filled(used),
        dropped_terms=tuple(dict.fromkeys(t for _, r in fits for t in r.dropped_terms)),
        coefficients=tuple(replace(row, group=group) for group, r in fits for row in coefficient_rows(r)),
        diagnostics=tuple(compare_groups(data, model, groups, fit, [group for group, _ in failed])),
        groups=tuple(_group_fit(group, r) for group, r in fits),
        dropped=_dropped(panel, data, sorted(dropped)),
    )


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
        n_units=_distinct(panel.frame, model.unit, rows),
        n_times=_distinct(panel.frame, model.time, rows),
        n_filled_cells=sum(filled.values()),
        descriptives=tuple(_variable_row(row, filled[row.variable]) for row in described),
    )


def _fit(
    model: Model, frame: pd.DataFrame, outcome: str, regressors: Sequence[str], effects: Sequence[str]
) -> RegressionResult:
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
    )


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
            df=float(result.df_t) if result.statistic_kind == "t" else None,
        )
        for i, term in enumerate(result.terms)
    )


def _diagnostic_rows(result: RegressionResult) -> tuple[DiagnosticRow, ...]:
    return tuple(
        DiagnosticRow(d.test, float(d.statistic), d.df1, d.df2, d.p_value, dict(d.critical), d.note)
        for d in result.diagnostics
    )


def _is_remark(message: str) -> bool:
    """Whether a message of the estimator is for the notes: singletons are counted in a field of their own."""
    return "singletons of the fixed effects" in message


def _remarks(result: RegressionResult) -> list[str]:
    return [m for m in result.messages if _is_remark(m)]


def _messages(result: RegressionResult) -> list[str]:
    return [m for m in result.messages if not _is_remark(m)]


def _panel_log_notes(model: Model, panel: CalendarPanel, data: EstimationFrame, used: np.ndarray) -> list[str]:
    """The warning on logs of zeros for columns that the panel itself made as ln(1 + count)."""
    notes = []
    named = [model.outcome, *model.treatment, *model.moderator, *model.controls]
    for name in dict.fromkeys(n for n in named if n):
        formula = panel.data.formulas.get(name, "")
        if "ln(1 +" not in formula.replace("ln(1+", "ln(1 +") or name not in data.frame:
            continue
        if (data.frame[name].to_numpy()[used] == 0).any():
            notes.append(zeros_warning(f"{name} = {formula}"))
    return notes


def _group_fit(group: str, result: RegressionResult) -> GroupFit:
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


def _distinct(frame: pd.DataFrame, column: str | None, rows: np.ndarray) -> int | None:
    return None if column is None else int(frame[column].iloc[rows].nunique())


def _dropped(
    panel: CalendarPanel, data: EstimationFrame, dropped: Sequence[tuple[int, str]]
) -> tuple[tuple[str, str, str], ...]:
    return tuple((*panel.labels(int(data.rows[row])), reason) for row, reason in dropped)


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
