"""A heterogeneity model, fitted: one fit a group of its split, and the tests that compare them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.result import RegressionResult
from analysis_py.fits.group_tests import compare_groups
from analysis_py.fits.heterogeneity import assign_groups, fit_groups
from analysis_py.fits.model_fits import (
    coefficient_rows,
    count_distinct,
    dropped_labels,
    fit_frame,
    group_fit,
    panel_log_notes,
    remarks_of,
    warnings_of,
)
from analysis_py.fits.run_record import ModelRun
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.frame import Where, build_frame
from analysis_py.study import Model


def fit_heterogeneity(blank: ModelRun, model: Model, panel: CalendarPanel, where: Where) -> ModelRun:
    """One fit a group of the split, and the tests that compare them."""
    if model.split is None:
        raise CarbonpanelError("CP-STUDY-INCOMPLETE", "a heterogeneity model needs a split", where=where("id", None))
    data = build_frame(panel, model, where, observed=model.fill == "observed", extra={model.split.by: "split"})
    groups = assign_groups(data.frame, model.split, model.unit, model.time)

    def fit(frame: pd.DataFrame, regressors: Sequence[str], effects: Sequence[str]) -> RegressionResult:
        return fit_frame(model, frame, data.outcome, regressors, effects)

    fits, failed = fit_groups(data, model, groups, fit)
    tests, untested = compare_groups(data, model, groups, fit, [group for group, _ in failed])
    messages = [*data.messages, *groups.warnings, *untested]
    messages += [f"group {group} could not be fitted and is left out: {why}" for group, why in failed]
    for group, result in fits:
        messages += [f"{group}: {m}" for m in warnings_of(result)]
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
            *(f"{group}: {remark}" for group, result in fits for remark in remarks_of(result)),
            *panel_log_notes(model, panel, data, used),
        ),
        convention=fits[0][1].convention,
        covariance=fits[0][1].covariance,
        n_obs=sum(r.n_obs for _, r in fits),
        n_units=count_distinct(data.frame, model.unit, used),
        n_times=count_distinct(data.frame, model.time, used),
        n_singletons_dropped=sum(r.n_singletons_dropped for _, r in fits),
        n_filled_cells=data.n_filled(used),
        dropped_terms=tuple(dict.fromkeys(t for _, r in fits for t in r.dropped_terms)),
        coefficients=tuple(replace(row, group=group) for group, r in fits for row in coefficient_rows(r)),
        diagnostics=tests,
        groups=tuple(group_fit(group, r) for group, r in fits),
        dropped=dropped_labels(panel, data.rows, sorted(dropped)),
    )
