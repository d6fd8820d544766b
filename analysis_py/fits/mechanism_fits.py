"""A mechanism model, fitted: equations of the mediators, the decomposition, indirect effects, the three-step table.

All equations use the same rows: those complete in outcome, treatments, controls and every mediator. Each is a group of
the results: ``total`` (outcome without mediators), ``mediator:M``, ``direct`` (outcome with all mediators),
``three_step:M`` (outcome with that one; ``direct`` where it is the only one), and ``gelbach`` and ``indirect``, whose
terms are the mediators (regime: the treatment, where there are several) and their sum, ``_sum``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.absorption import rank
from analysis_py.estimators.conventions import find_convention
from analysis_py.estimators.factors import Factor, encode
from analysis_py.estimators.gelbach import Decomposition, decompose
from analysis_py.estimators.mediation import bootstrap_indirect
from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.sample import Sample, draw_sample
from analysis_py.fits.group_tests import cluster_columns
from analysis_py.fits.model_fits import (
    coefficient_rows,
    count_distinct,
    dropped_labels,
    fit_frame,
    group_fit,
    panel_log_notes,
    warnings_of,
)
from analysis_py.fits.run_record import CoefficientRow, DiagnosticRow, GroupFit, ModelRun
from analysis_py.inference.covariance import VcovMaker
from analysis_py.inference.entity_grams import Columns
from analysis_py.inference.small_sample import FEW_CLUSTERS
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.frame import EstimationFrame, Where, build_frame
from analysis_py.settings import DEFAULT_SEED
from analysis_py.study import Model

METHODS = ("two_step", "gelbach", "indirect")
DRAWS = 1000
LEVEL = 0.95

#: Name of the sum over the mediators.
SUM = "_sum"

THREE_STEP_WARNING = (
    "three_step: the three-step table does not identify a mechanism: with anything unobserved that moves both mediator"
    " and outcome its last step is biased in every coefficient, and its tests have little power; show that the"
    " treatment moves the mediator, and argue the mediator's effect from elsewhere (Jiang Ting 2022, China"
    " Industrial Economics 2022(5):100-120)"
)
ASSUMPTION = (
    "indirect effects and decompositions are causal only if, given controls and fixed effects, nothing unobserved moves"
    " mediator and outcome together"
)


@dataclass(frozen=True)
class _Setting:
    """What the parts share: the frame on the common rows, names, the sample of the full equation."""

    model: Model
    data: EstimationFrame
    frame: pd.DataFrame
    sample: Sample
    treatments: tuple[str, ...]
    mediators: tuple[str, ...]
    controls: tuple[str, ...]
    level: float

    def regime(self, treatment: str) -> str | None:
        return treatment if len(self.treatments) > 1 else None


def fit_mechanism(blank: ModelRun, model: Model, panel: CalendarPanel, where: Where) -> ModelRun:
    """Fit every equation and every method that the study names."""
    options: dict[str, Any] = dict(model.options["mechanism"])
    methods = options.get("methods") or METHODS
    setting, dropped = _prepare(model, panel, where, options)
    fits: dict[str, tuple[str, RegressionResult]] = {}
    base, mediators = [*setting.treatments, *setting.controls], setting.mediators
    outcome = setting.data.outcome
    fits["total"] = (outcome, _fit(setting, outcome, base))
    for mediator in mediators:
        fits[f"mediator:{mediator}"] = (mediator, _fit(setting, mediator, base))
    if {"gelbach", "indirect"} & set(methods) or ("three_step" in methods and len(mediators) == 1):
        fits["direct"] = (outcome, _fit(setting, outcome, [*setting.treatments, *mediators, *setting.controls]))
    if "three_step" in methods and len(mediators) > 1:
        for mediator in mediators:
            design = [*setting.treatments, mediator, *setting.controls]
            fits[f"three_step:{mediator}"] = (outcome, _fit(setting, outcome, design))
    rows = [replace(row, group=group) for group, (_, fit) in fits.items() for row in coefficient_rows(fit)]
    groups = [group_fit(group, fit) for group, (_, fit) in fits.items()]
    diagnostics: list[DiagnosticRow] = []
    messages = list(setting.data.messages)
    for group, (_, fit) in fits.items():
        messages += [f"{group}: {m}" for m in warnings_of(fit)]
    if {"gelbach", "indirect", "three_step"} & set(methods):
        parts = _decompose(setting)
        if "gelbach" in methods:
            rows += _gelbach_rows(setting, parts, fits["direct"][1])
            groups.append(_like(groups[0], "gelbach"))
            diagnostics += _gelbach_checks(setting, parts)
        if "three_step" in methods:
            diagnostics += _sobel(setting, fits)
        if "indirect" in methods:
            found, notes = _indirect(setting, options)
            rows += found
            groups.append(_like(groups[0], "indirect"))
            messages += notes
    if "three_step" in methods:
        messages.append(THREE_STEP_WARNING)
    total = fits["total"][1]
    used = setting.sample.used_rows
    return replace(
        blank,
        status="warned" if messages else "ok",
        message="; ".join(dict.fromkeys(messages)) or None,
        notes=(
            *blank.notes,
            *setting.data.notes,
            f"all equations on the same {len(used)} rows: complete in {', '.join([outcome, *base, *mediators])}",
            *([ASSUMPTION] if {"gelbach", "indirect"} & set(methods) else []),
            *panel_log_notes(model, panel, setting.data, used),
        ),
        convention=total.convention,
        covariance=total.covariance,
        small_sample=dict(total.small_sample),
        n_obs=total.n_obs,
        n_units=count_distinct(setting.data.frame, model.unit, used),
        n_times=count_distinct(setting.data.frame, model.time, used),
        n_clusters=total.n_clusters,
        n_singletons_dropped=setting.sample.singletons_dropped,
        n_filled_cells=setting.data.n_filled(used),
        df_resid=total.df_resid,
        df_model=total.df_model,
        r2=total.r2,
        r2_within=total.r2_within,
        r2_adjusted=total.r2_adjusted,
        f=total.f,
        f_p_value=total.f_p_value,
        rmse=total.rmse,
        dropped_terms=tuple(dict.fromkeys(t for _, fit in fits.values() for t in fit.dropped_terms)),
        coefficients=tuple(rows),
        diagnostics=tuple(diagnostics),
        groups=tuple(groups),
        dropped=dropped_labels(panel, setting.data.rows, dropped),
    )


def _prepare(
    model: Model, panel: CalendarPanel, where: Where, options: dict[str, Any]
) -> tuple[_Setting, tuple[tuple[int, str], ...]]:
    mediators = tuple(options["mediators"])
    count = len(model.controls)

    def place(key: str, item: int | None) -> str:
        return (
            where("mechanism", None) if key == "controls" and item is not None and item >= count else where(key, item)
        )

    wide = replace(model, controls=(*model.controls, *mediators))
    data = build_frame(panel, wide, place, observed=model.fill == "observed")
    missing = [m for m in mediators if m not in data.frame]
    if missing:
        raise CarbonpanelError(
            "CP-EST-MECHANISM",
            f"a mediator must be one column, not dummies: {', '.join(missing)}",
            where=where("mechanism", None),
        )
    sample = draw_sample(
        data.frame,
        outcome=data.outcome,
        regressors=data.regressors,
        fixed_effects=list(model.fixed_effects),
        spec=model.covariance,
        convention=find_convention(model.convention),
        unit=model.unit,
        time=model.time,
        weights=model.weights,
    )
    plain = [r for r in data.regressors if r not in mediators]
    treatments = tuple(r for r in plain if _belongs(r, model.treatment))
    setting = _Setting(
        model=model,
        data=data,
        frame=data.frame.iloc[sample.used_rows].reset_index(drop=True),
        sample=sample,
        treatments=treatments,
        mediators=mediators,
        controls=tuple(r for r in plain if r not in treatments),
        level=options.get("level") or LEVEL,
    )
    for mediator in mediators:
        values = sample.x[:, sample.regressors.index(mediator)]
        if float(np.ptp(values)) == 0.0:
            raise CarbonpanelError(
                "CP-EST-CONSTANT",
                f"the mediator '{mediator}' is constant in the sample",
                where=where("mechanism", None),
                remedy="leave it out, or choose a wider sample",
            )
    return setting, sample.dropped_rows


def _belongs(label: str, terms: Sequence[str]) -> bool:
    """Whether a column is one of the terms, or a dummy that one of them stands for."""
    return any(label == term or label.startswith(f"{term}=") for term in terms)


def _fit(setting: _Setting, outcome: str, regressors: Sequence[str]) -> RegressionResult:
    return fit_frame(setting.model, setting.frame, outcome, regressors, setting.model.fixed_effects)


def _like(group: GroupFit, name: str) -> GroupFit:
    return replace(group, group=name, r2=None, r2_within=None, f=None)


def _column(sample: Sample, names: Sequence[str]) -> np.ndarray:
    return sample.x[:, [sample.regressors.index(n) for n in names]]


# --- decomposition ---------------------------------------------------------------------------------------------------


def _decompose(setting: _Setting) -> Decomposition:
    sample = setting.sample
    return decompose(
        sample.y,
        _column(sample, setting.treatments),
        _column(sample, setting.controls),
        _column(sample, setting.mediators),
        fixed_effects=sample.fixed_effects,
        weights=sample.weights,
        absorbed=rank(sample.fixed_effects)[0],
        names=[*setting.treatments, *setting.mediators],
    )


def _gelbach_rows(setting: _Setting, parts: Decomposition, full: RegressionResult) -> list[CoefficientRow]:
    m = len(setting.mediators)
    vcov = _parts_covariance(setting, parts, full)
    found = []
    for j, treatment in enumerate(setting.treatments):
        block = vcov[j * m : (j + 1) * m, j * m : (j + 1) * m]
        loads = np.vstack([np.eye(m), np.ones((1, m))])
        estimate = loads @ parts.parts[j]
        error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", loads, block, loads), 0.0))
        wide = float(stats.t.ppf(0.5 + LEVEL / 2, full.df_t))
        for name, value, spread in zip([*setting.mediators, SUM], estimate, error, strict=True):
            statistic = value / spread if spread > 0 else float("nan")
            found.append(
                CoefficientRow(
                    term=name,
                    estimate=float(value),
                    std_error=float(spread),
                    statistic=float(statistic),
                    statistic_kind="t",
                    p_value=float(2 * stats.t.sf(abs(statistic), full.df_t)),
                    ci_low=float(value - wide * spread),
                    ci_high=float(value + wide * spread),
                    df=float(full.df_t),
                    regime=setting.regime(treatment),
                    group="gelbach",
                )
            )
    return found


def _parts_covariance(setting: _Setting, parts: Decomposition, full: RegressionResult) -> np.ndarray:
    """Covariance of the parts under the model's covariance; the small-sample factor is the full equation's.

    What needs the leverages of one equation has none in common to several: HC1 stands in for HC2 and HC3, the plain
    clustered covariance for its corrections and for the wild bootstrap.
    """
    spec = setting.model.covariance
    if spec.type == "iid":
        return parts.iid
    factor = dict(full.small_sample).get("factor")
    n = len(setting.sample.y)
    if spec.type in ("hc2", "hc3"):
        spec, factor = replace(spec, type="hc1"), n / full.df_resid
    elif spec.by and spec.type != "cluster":
        groups = min(c.levels for c in setting.sample.clusters)
        spec, factor = replace(spec, type="cluster", options=()), factor or groups / max(groups - 1, 1)
    maker = VcovMaker(
        spec,
        weights=np.ones(n),
        residuals=np.ones(n),
        sigma2=1.0,
        factor=float(factor) if isinstance(factor, int | float) else 1.0,
        clusters=setting.sample.clusters,
        periods=setting.sample.periods,
        coordinates=setting.sample.coordinates,
    )
    return maker.make(parts.scores, slopes=parts.scores.shape[1])[0]


def _gelbach_checks(setting: _Setting, parts: Decomposition) -> list[DiagnosticRow]:
    found = []
    for j, treatment in enumerate(setting.treatments):
        gap = float(parts.base[j] - parts.full[j] - parts.parts[j].sum())
        note = "total less direct less the sum of the parts: zero but for rounding"
        found.append(DiagnosticRow("gelbach_gap", gap, note=note, term=treatment))
        for k, mediator in enumerate(setting.mediators):
            if parts.base[j] != 0:
                share = float(parts.parts[j, k] / parts.base[j])
                note = f"share of the total coefficient that moves through {mediator}; may exceed one or be negative"
                found.append(DiagnosticRow("share_mediated", share, note=note, term=f"{treatment}:{mediator}"))
    return found


def _sobel(setting: _Setting, fits: dict[str, tuple[str, RegressionResult]]) -> list[DiagnosticRow]:
    """Sobel's z of each path from the three-step table: ab / sqrt(a^2 s_b^2 + b^2 s_a^2)."""
    found = []
    for mediator in setting.mediators:
        alone = f"three_step:{mediator}" if f"three_step:{mediator}" in fits else "direct"
        first, last = fits[f"mediator:{mediator}"][1], fits[alone][1]
        for treatment in setting.treatments:
            if treatment not in first.terms or mediator not in last.terms:
                continue
            a, sa = first.coefficient(treatment), first.error(treatment)
            b, sb = last.coefficient(mediator), last.error(mediator)
            spread = float(np.sqrt(a**2 * sb**2 + b**2 * sa**2))
            if spread > 0:
                z = a * b / spread
                note = f"indirect effect {a * b:.6g}; normal approximation of a skewed product: prefer the bootstrap"
                found.append(
                    DiagnosticRow(
                        "sobel", z, p_value=float(2 * stats.norm.sf(abs(z))), note=note, term=f"{treatment}:{mediator}"
                    )
                )
    return found


# --- indirect effects ------------------------------------------------------------------------------------------------


def _indirect(setting: _Setting, options: dict[str, Any]) -> tuple[list[CoefficientRow], list[str]]:
    sample = setting.sample
    by = cluster_columns(setting.model)[:1]
    clusters = encode(setting.frame, by[0]) if by else Factor("row", np.arange(len(sample.y)), len(sample.y))
    if (clusters.codes < 0).any():
        raise CarbonpanelError("CP-EST-CLUSTERS", f"rows without a value of '{clusters.name}' cannot be drawn")
    kept = _independent(setting)
    columns = [*kept, *setting.treatments, *setting.mediators]
    seed = options.get("seed")
    test = bootstrap_indirect(
        Columns(np.column_stack([_column(sample, columns), sample.y]), sample.weights, sample.fixed_effects),
        clusters,
        controls=len(kept),
        treatments=len(setting.treatments),
        draws=options.get("draws") or DRAWS,
        seed=DEFAULT_SEED if seed is None else seed,
        level=setting.level,
    )
    rows = []
    for j, treatment in enumerate(setting.treatments):
        values = [*test.estimate[j], test.total[j]]
        for k, (name, value) in enumerate(zip([*setting.mediators, SUM], values, strict=True)):
            error = float(test.std_error[j, k])
            rows.append(
                CoefficientRow(
                    term=name,
                    estimate=float(value),
                    std_error=error,
                    statistic=float(value) / error if error > 0 else float("nan"),
                    statistic_kind="z",
                    p_value=float(test.p_value[j, k]),
                    ci_low=float(test.low[j, k]),
                    ci_high=float(test.high[j, k]),
                    df=None,
                    regime=setting.regime(treatment),
                    group="indirect",
                )
            )
    messages = []
    if test.n_clusters < FEW_CLUSTERS:
        messages.append(f"indirect: only {test.n_clusters} clusters in '{clusters.name}' to draw from")
    if test.n_used < len(test.draws):
        messages.append(f"indirect: {len(test.draws) - test.n_used} of {len(test.draws)} draws could not be fitted")
    return rows, messages


def _independent(setting: _Setting) -> list[str]:
    """Controls that the full equation keeps; a dropped one would make every draw singular."""
    full = _fit(setting, setting.data.outcome, [*setting.treatments, *setting.mediators, *setting.controls])
    return [c for c in setting.controls if c in full.terms]
