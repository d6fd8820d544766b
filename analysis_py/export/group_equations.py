"""The equations of a heterogeneity model: one a group, and the F tests that compare them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis_py.export.equation import Equation, Export, JointTest
from analysis_py.export.preparation import GROUP, Setting, complete_rows, export_of, least_squares, rows_of_group
from analysis_py.fits.heterogeneity import assign_groups
from analysis_py.fits.model_fits import fit_frame
from analysis_py.panels.frame import EstimationFrame, build_frame
from analysis_py.study import Split


def heterogeneity(setting: Setting) -> Export:
    """One equation a group; rows in no group are not exported."""
    model, run = setting.model, setting.run
    split = model.split
    if split is None:
        raise ValueError("a heterogeneity model without a split")
    data = build_frame(setting.panel, model, setting.where, observed=setting.observed, extra={split.by: "split"})
    groups = assign_groups(data.frame, split, model.unit, model.time)
    codes = {label: number for number, label in enumerate(groups.order, start=1)}
    coded = pd.Series([codes.get(label) for label in groups.labels], dtype="Float64").to_numpy(float, na_value=np.nan)
    # the split itself is not needed beside the groups that it makes
    needed = {data.outcome, *data.regressors, *_carried(setting)}
    frame = data.frame[[c for c in data.frame.columns if c in needed]].assign(**{GROUP: coded})
    inside = np.flatnonzero(~np.isnan(coded))
    frame = frame.iloc[inside].reset_index(drop=True)
    rows = data.rows[inside]
    table = complete_rows(setting, _at(data, rows), frame, data.regressors)
    table.frame[GROUP] = table.frame[GROUP].astype(np.int64)
    equations = [
        least_squares(
            setting,
            table,
            rows_of_group(run, part.group),
            outcome=data.outcome,
            small=part.small_sample,
            n_obs=part.n_obs,
            title=part.group,
            group=codes[part.group],
        )
        for part in run.groups
    ]
    tests = _joint_tests(setting, data, table.frame, len(groups.order), equations, split)
    return export_of(setting, table.frame, (GROUP,), equations, group_names=groups.order, joint_tests=tuple(tests))


def _at(data: EstimationFrame, rows: np.ndarray) -> EstimationFrame:
    return replace(data, rows=rows)


def _carried(setting: Setting) -> set[str]:
    model = setting.model
    parts = [p.strip() for e in (*model.fixed_effects, *model.covariance.by) for p in (e, *e.split("^"))]
    places = [str(model.covariance.option(o)) for o in ("lon", "lat") if model.covariance.option(o)]
    return {*parts, *places, *(k for k in (model.unit, model.time, model.weights) if k)}


def _joint_tests(
    setting: Setting,
    data: EstimationFrame,
    frame: pd.DataFrame,
    count: int,
    equations: Sequence[Equation],
    split: Split,
) -> list[JointTest]:
    """The interaction and Chow tests that gave a number, with the scale of their pooled covariance."""
    model = setting.model
    if len(equations) != count or any(e.regressors != equations[0].regressors for e in equations):
        return []
    found = []
    for row in setting.run.diagnostics:
        if row.test not in ("interaction_wald", "chow") or row.statistic is None or "not identified" in row.note:
            continue
        only_treatment = row.test == "interaction_wald" and split.interact == "treatment"
        treated = tuple(t for t in model.treatment if t in equations[0].regressors)
        terms = treated if row.test == "interaction_wald" else equations[0].regressors
        by_group = treated if only_treatment else equations[0].regressors
        effects = tuple((e, not only_treatment and not _is_nested(frame, e)) for e in equations[0].effects)
        constants = not model.fixed_effects or only_treatment
        if row.df1 != len(terms) * (count - 1):
            # a constant is tested as well (no fixed effects), or a difference is not identified
            continue
        pooled, regressors, crossed = interacted(frame, equations[0].regressors, by_group, effects, count, constants)
        result = fit_frame(model, pooled, data.outcome, regressors, crossed)
        small = dict(result.small_sample)
        scale = 1.0 / result.df_resid if model.covariance.type == "iid" else small.get("factor", 1.0)
        found.append(
            JointTest(
                name=row.test,
                terms=terms,
                by_group=by_group,
                effects=effects,
                constants=constants,
                statistic=row.statistic,
                df1=float(row.df1 or 0),
                df2=float(row.df2 or 0),
                regressors=equations[0].regressors,
                scale=float(scale) if isinstance(scale, int | float) else 1.0,
            )
        )
    return found


def interacted(
    frame: pd.DataFrame,
    regressors: Sequence[str],
    by_group: Sequence[str],
    effects: Sequence[tuple[str, bool]],
    count: int,
    constants: bool,
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """The pooled frame with a column for each slope that differs from the first group's: frame, regressors, effects."""
    pooled, named = frame.copy(), list(regressors)
    for code in range(2, count + 1):
        member = (frame[GROUP] == code).to_numpy(dtype=float)
        if constants:
            pooled[f"{GROUP}={code}"] = member
            named.append(f"{GROUP}={code}")
        for term in by_group:
            pooled[f"{GROUP}={code}*{term}"] = frame[term].to_numpy(dtype=float) * member
            named.append(f"{GROUP}={code}*{term}")
    return pooled, named, [f"{effect}^{GROUP}" if crossed else effect for effect, crossed in effects]


def _is_nested(frame: pd.DataFrame, effect: str) -> bool:
    if effect not in frame:
        return False
    return len(frame[[effect, GROUP]].drop_duplicates()) == frame[effect].nunique()
