"""A moderation model, fitted: the interaction, marginal effects over the moderator, the region of significance.

The margins of treatment x over moderator m, other moderators of x at their means, are coefficients of group
``margins`` (term x, regime ``m=value``) at chosen values and the curve ``margins:x*m`` over the moderator's range. The
moderator is always in its own units, also where the model was centred.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis_py.estimators.absorption import demean
from analysis_py.estimators.blas import single_threaded_blas
from analysis_py.estimators.common_support import Support, find_support
from analysis_py.estimators.factors import encode
from analysis_py.estimators.johnson_neyman import (
    Margins,
    Region,
    discovery_critical,
    marginal_effects,
    significance_region,
)
from analysis_py.estimators.result import RegressionResult
from analysis_py.fits.model_fits import fit_frame, record_regression
from analysis_py.fits.run_record import CoefficientRow, CurvePoint, DiagnosticRow, ModelRun
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.frame import EstimationFrame, Where, build_frame
from analysis_py.study import Model

#: Points of a margins curve where the study does not say.
POINTS = 41
LEVEL = 0.95


@dataclass(frozen=True)
class _Slope:
    """The slope of one treatment as a line in one moderator: intercept and slope, their covariance."""

    treatment: str
    moderator: str
    estimate: tuple[float, float]
    vcov: np.ndarray
    values: np.ndarray

    @property
    def name(self) -> str:
        return f"{self.treatment}*{self.moderator}"


def fit_moderation(blank: ModelRun, model: Model, panel: CalendarPanel, where: Where) -> ModelRun:
    """Fit the interaction and add margins, regions and warnings about the moderator's support."""
    data = build_frame(panel, model, where, observed=model.fill == "observed")
    shown = [*dict.fromkeys(name for own, _, product in data.products for name in (own, product))]
    result = fit_frame(model, data.frame, data.outcome, data.regressors, model.fixed_effects, beside=shown)
    run = record_regression(blank, model, panel, data, result)
    options: Mapping[str, Any] = model.options.get("margins") or {}
    level = options.get("level") or LEVEL
    df = result.df_t if result.statistic_kind == "t" else np.inf
    coefficients: list[CoefficientRow] = []
    diagnostics: list[DiagnosticRow] = []
    curves: list[CurvePoint] = []
    messages: list[str] = []
    for treatment, moderator, product in data.products:
        if not {treatment, product} <= set(result.terms):
            messages.append(f"no margins of {treatment} over {moderator}: '{product}' is not identified")
            continue
        slope = _slope_over(data, result, treatment, moderator, product)
        support = find_support(_free_of_effects(data, model, result, treatment), slope.values)
        chosen = _values_at(slope, options.get("at"))
        coefficients += _margin_rows(
            slope, marginal_effects(slope.estimate, slope.vcov, chosen, df=df, level=level), df
        )
        is_binary = len(np.unique(slope.values)) <= 2
        grid = chosen if is_binary else np.linspace(support.low, support.high, options.get("points") or POINTS)
        curves += _curve(slope, marginal_effects(slope.estimate, slope.vcov, grid, df=df, level=level), support)
        if is_binary:
            continue
        messages += support.warnings(treatment, moderator)
        regions = {"johnson_neyman": significance_region(slope.estimate, slope.vcov, df=df, alpha=1 - level)}
        critical = discovery_critical(slope.estimate, slope.vcov, (support.low, support.high), df=df, alpha=1 - level)
        regions["johnson_neyman_fdr"] = significance_region(slope.estimate, slope.vcov, df=df, critical=critical)
        diagnostics += [_region_row(name, slope, region, support) for name, region in regions.items()]
    said = [m for m in (run.message, *messages) if m]
    return replace(
        run,
        status="warned" if said else "ok",
        message="; ".join(said) or None,
        coefficients=(*run.coefficients, *coefficients),
        diagnostics=(*run.diagnostics, *diagnostics),
        curves=(*run.curves, *curves),
    )


def _slope_over(
    data: EstimationFrame, result: RegressionResult, treatment: str, moderator: str, product: str
) -> _Slope:
    """The line b1 + b3 m in the moderator's own units, from coefficients on what may be centred variables."""
    used = data.frame.iloc[result.used_rows]
    lines = np.zeros((2, len(result.terms)))
    lines[0, result.terms.index(treatment)] = 1.0
    for own, other, label in data.products:
        if own != treatment or label not in result.terms:
            continue
        at = result.terms.index(label)
        if label == product:
            lines[0, at] = -data.centres.get(moderator, 0.0)
            lines[1, at] = 1.0
        else:
            lines[0, at] = float(used[other].mean())
    estimate = lines @ result.estimate
    vcov = lines @ result.vcov @ lines.T
    values = used[moderator].to_numpy(dtype=float) + data.centres.get(moderator, 0.0)
    return _Slope(treatment, moderator, (float(estimate[0]), float(estimate[1])), vcov, values)


def _free_of_effects(data: EstimationFrame, model: Model, result: RegressionResult, treatment: str) -> np.ndarray:
    used = data.frame.iloc[result.used_rows]
    values = used[treatment].to_numpy(dtype=float)
    spread = float(values.std())
    standard = (values - values.mean()) / (spread or 1.0)
    with single_threaded_blas():
        factors = [encode(used, effect) for effect in model.fixed_effects]
        return demean(standard[:, None], factors, np.ones(len(values)))[:, 0]


def _values_at(slope: _Slope, given: Sequence[float] | None) -> np.ndarray:
    """As the study says; else both values of a dummy, or the mean and one standard deviation to either side."""
    if given:
        return np.array(sorted(given), dtype=float)
    distinct = np.unique(slope.values)
    if len(distinct) <= 2:
        return distinct
    mean, spread = float(slope.values.mean()), float(slope.values.std(ddof=1))
    return np.array([mean - spread, mean, mean + spread])


def _margin_rows(slope: _Slope, margins: Margins, df: float) -> list[CoefficientRow]:
    return [
        CoefficientRow(
            term=slope.treatment,
            estimate=float(margins.slope[i]),
            std_error=float(margins.std_error[i]),
            statistic=float(margins.statistic[i]),
            statistic_kind="t" if np.isfinite(df) else "z",
            p_value=float(margins.p_value[i]),
            ci_low=float(margins.low[i]),
            ci_high=float(margins.high[i]),
            df=float(df) if np.isfinite(df) else None,
            regime=f"{slope.moderator}={margins.at[i]:.6g}",
            group="margins",
        )
        for i in range(len(margins.at))
    ]


def _curve(slope: _Slope, margins: Margins, support: Support) -> list[CurvePoint]:
    return [
        CurvePoint(
            curve=f"margins:{slope.name}",
            x=float(margins.at[i]),
            y=float(margins.slope[i]),
            y_low=float(margins.low[i]),
            y_high=float(margins.high[i]),
            label=None
            if support.inner_low <= margins.at[i] <= support.inner_high
            else "beyond the 1st to 99th percentile",
        )
        for i in range(len(margins.at))
    ]


def _region_row(name: str, slope: _Slope, region: Region, support: Support) -> DiagnosticRow:
    """Bounds under ``critical``; ``statistic`` is the share of rows whose slope is significant."""
    bounds = {k: v for k, v in (("low", region.low), ("high", region.high)) if v is not None}
    inside = [v for v in bounds.values() if support.low <= v <= support.high]
    share = float(region.holds(slope.values).mean())
    note = f"{region.describe(slope.moderator)}; {share:.1%} of the rows; |t| > {region.critical:.6g}"
    if len(inside) < len(bounds):
        note += f"; {slope.moderator} is observed from {support.low:.6g} to {support.high:.6g}"
    return DiagnosticRow(name, share, critical=bounds | {"t": region.critical}, note=note, term=slope.name)
