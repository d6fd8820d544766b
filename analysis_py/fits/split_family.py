"""One correction for multiple testing over all split tests of a study's file.

Every pair of groups of every heterogeneity model, for every treatment, is one hypothesis: that the coefficient is the
same in both. The clustered influence of each difference, put on common units, gives their joint distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.result import CovarianceSpec
from analysis_py.fits.group_tests import score_group
from analysis_py.fits.heterogeneity import NUMERICAL, assign_groups
from analysis_py.fits.run_record import DiagnosticRow, ModelRun
from analysis_py.inference.multiple_testing import correct_family
from analysis_py.inference.small_sample import FEW_CLUSTERS
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.frame import build_frame
from analysis_py.settings import DEFAULT_SEED
from analysis_py.specification.model_spec import is_convention_variant
from analysis_py.specification.terms import level_label
from analysis_py.study import Model, Study

#: Sign draws of Romano-Wolf.
DRAWS = 9_999


@dataclass(frozen=True)
class _Hypothesis:
    """One difference: model, treatment, groups, estimate, the influence of each unit on it, (units,), times the root
    of its fit's small-sample factor, and how many units the smaller group has."""

    model: str
    term: str
    about: str
    estimate: float
    influence: np.ndarray
    fewest: int


def correct_splits(study: Study, runs: Sequence[ModelRun], panel: CalendarPanel) -> list[ModelRun]:
    """The runs with adjusted p-values added to the split models, where there are two hypotheses or more.

    Filled and observed twins are families of their own; other errors do not change a family, whose errors are always
    clustered by unit (robust without one).
    """
    by_id = {m.id: m for m in study.models if m.split is not None and m.split.multiple_testing}
    found = list(runs)
    for fill in ("filled", "observed"):
        owners: dict[str, list[int]] = {}
        for i, run in enumerate(runs):
            own = run.id
            if is_convention_variant(run.id, run.variant, run.variant_of):
                own = str(run.variant_of)
            if run.fill == fill and run.status in ("ok", "warned") and own in by_id:
                owners.setdefault(own, []).append(i)
        family = [h for own in owners for h in _hypotheses(study, replace(by_id[own], fill=fill), panel)]
        if len(family) < 2:
            continue
        for own, rows in _rows(family, [by_id[own] for own in owners]).items():
            for i in owners[own]:
                found[i] = replace(found[i], diagnostics=(*found[i].diagnostics, *rows))
    return found


def _hypotheses(study: Study, model: Model, panel: CalendarPanel) -> list[_Hypothesis]:
    """The differences of one model; none where a group cannot be fitted, which its own run says."""
    if model.split is None:
        return []

    def where(key: str, item: int | None) -> str:
        return study.where(model, key, item)

    robust = CovarianceSpec("hc1") if model.unit is None else CovarianceSpec("cluster", (model.unit,))
    by_unit = replace(model, covariance=robust)
    try:
        with np.errstate(all="ignore"):
            data = build_frame(
                panel, by_unit, where, observed=model.fill == "observed", extra={model.split.by: "split"}
            )
            groups = assign_groups(data.frame, model.split, model.unit, model.time)
            rows = [np.flatnonzero(groups.labels == group) for group in groups.order]
            fits = [score_group(data, by_unit, own, factored=True) for own in rows]
    except (CarbonpanelError, *NUMERICAL):
        return []
    codes, count = _unit_codes(panel, model.unit)
    found = []
    for a, b in combinations(range(len(fits)), 2):
        for term in model.treatment:
            if term not in fits[a].terms or term not in fits[b].terms:
                continue
            influence = np.zeros(count)
            for sign, fit in ((1.0, fits[a]), (-1.0, fits[b])):
                own = np.sqrt(fit.factor) * fit.scores[:, fit.terms.index(term)]
                influence += sign * np.bincount(codes[data.rows[fit.rows]], own, count)
            fewest = min(len(np.unique(codes[data.rows[fits[g].rows]])) for g in (a, b))
            difference = fits[a].estimate[fits[a].terms.index(term)] - fits[b].estimate[fits[b].terms.index(term)]
            about = f"{groups.order[a]} less {groups.order[b]}"
            found.append(_Hypothesis(model.id, term, about, float(difference), influence, fewest))
    return found


def _unit_codes(panel: CalendarPanel, unit: str | None) -> tuple[np.ndarray, int]:
    """A number for the unit of each row of the panel (missing units are one of their own)."""
    if unit is None:
        return np.arange(len(panel)), len(panel)
    labels = panel.frame[unit].map(level_label, na_action="ignore")
    codes, uniques = pd.factorize(labels, sort=True, use_na_sentinel=True)
    return np.where(codes < 0, len(uniques), codes), len(uniques) + 1


def _caution(one: _Hypothesis) -> str:
    if one.fewest >= FEW_CLUSTERS:
        return ""
    return f"; only {one.fewest} units in a group: too small a p-value, trust the permutation"


def _rows(family: Sequence[_Hypothesis], models: Sequence[Model]) -> dict[str, list[DiagnosticRow]]:
    seeds = [m.split.seed for m in models if m.split is not None and m.split.seed is not None]
    together = np.column_stack([h.influence for h in family])
    together = together[(together != 0).any(axis=1)]
    test = correct_family(
        np.array([h.estimate for h in family]), together, draws=DRAWS, seed=seeds[0] if seeds else DEFAULT_SEED
    )
    size = f"family of {len(family)} differences in {len({h.model for h in family})} model(s)"
    adjusted = {"romano_wolf": test.romano_wolf, "benjamini_hochberg": test.benjamini_hochberg}
    words = {
        "romano_wolf": f"{size}; step-down, {test.draws} sign draws of {test.n_clusters} clusters",
        "benjamini_hochberg": f"{size}; false discovery rate of p-values by t, clustered by unit",
    }
    asked = {m.id: m.split.multiple_testing for m in models if m.split is not None}
    rows: dict[str, list[DiagnosticRow]] = {h.model: [] for h in family}
    for name, values in adjusted.items():
        for position, one in enumerate(family):
            if name in asked[one.model] and np.isfinite(values[position]):
                rows[one.model].append(
                    DiagnosticRow(
                        name,
                        float(test.statistic[position]),
                        None,
                        None,
                        float(values[position]),
                        term=one.term,
                        note=f"{one.about}; {words[name]}{_caution(one)}",
                    )
                )
    return rows
