"""One threshold model, fitted: from its study entry to the record of its run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.threshold import fit_threshold
from analysis_py.estimators.threshold_grid import ThresholdSpec
from analysis_py.estimators.threshold_regimes import warn_of_own_threshold
from analysis_py.estimators.threshold_result import LikelihoodCurve, ThresholdResult
from analysis_py.estimators.threshold_search import CRITICAL_LR
from analysis_py.fits.model_fits import coefficient_rows, record_regression
from analysis_py.fits.run_record import CoefficientRow, CurvePoint, DiagnosticRow, ModelRun, ThresholdRow
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.frame import EstimationFrame, ModelColumns, Where, build_frame, term_columns
from analysis_py.specification.terms import leaves, parse_term
from analysis_py.study import Model

#: Points of a likelihood-ratio curve that are kept; longer ones are thinned away from the estimate.
MOST_POINTS = 2_000
#: Draws below which a bootstrap's p-value cannot tell 5% from nothing.
FEWEST_DRAWS = 20


def fit_thresholds(blank: ModelRun, model: Model, panel: CalendarPanel, where: Where) -> ModelRun:
    """Thresholds with tests and intervals, regime slopes, likelihood-ratio curves, shares of the regimes by time.

    The regressors split by regime are ``threshold.regime_terms``, else the treatment; treatment terms that are not
    split count as controls.
    """
    options: Mapping[str, Any] = model.options["threshold"]
    split = tuple(options.get("regime_terms") or model.treatment)
    if not split:
        raise CarbonpanelError(
            "CP-STUDY-INCOMPLETE",
            "a threshold model needs a regressor whose slope depends on the regime",
            where=where("threshold", None),
            remedy="add regime_terms: [..] under threshold:, or treatment:",
        )
    data, split_columns, other_columns, variable = _build(panel, model, where, split, str(options["variable"]))
    spec = ThresholdSpec.parse({**options, "variable": variable})
    result = fit_threshold(
        data.frame,
        outcome=data.outcome,
        regime_terms=split_columns,
        regressors=other_columns,
        fixed_effects=model.fixed_effects,
        covariance=model.covariance,
        convention=model.convention,
        threshold=spec,
        unit=model.unit,
        time=model.time,
        weights=model.weights,
    )
    named = _own_threshold_notes(model, options, panel, where)
    few = [test.draws for test in result.tests if 0 < test.draws < FEWEST_DRAWS]
    drawn = [f"a p-value of {few[0]} bootstrap draw(s) moves in steps of {1 / few[0]:.2g}: draw more"] if few else []
    kept = replace(result.regression, messages=tuple(dict.fromkeys([*named[0], *result.messages, *drawn])))
    run = record_regression(blank, model, panel, data, kept)
    degrees = {"threshold_f": f"scaled by {result.degrees_name}", result.degrees_name: result.degrees}
    return replace(
        run,
        convention=result.convention,
        small_sample={**run.small_sample, **degrees},
        notes=(*run.notes, *named[1], *result.notes),
        coefficients=_coefficients(result),
        diagnostics=(*_tests(result), *_sizes(result), *run.diagnostics),
        thresholds=_thresholds(result, str(options["variable"])),
        curves=(*_likelihood(result, str(options["variable"])), *_shares(result)),
    )


def _build(
    panel: CalendarPanel, model: Model, where: Where, split: tuple[str, ...], variable: str
) -> tuple[EstimationFrame, list[str], list[str], str]:
    """The frame, the columns that are split, those that are not, and the column of the threshold variable."""
    others = tuple(t for t in (*model.treatment, *model.controls) if t not in split)
    carried = (variable,) if variable not in (*split, *others) else ()
    places = {text: ("treatment", i) for i, text in enumerate(model.treatment)}
    places |= {text: ("controls", i) for i, text in enumerate(model.controls)}

    def place(key: str, item: int | None) -> str:
        if key == "treatment" and item is not None:
            named = (*split, *others, *carried)[item]
            return where(*places[named]) if named in places else where("threshold", None)
        return where(key, item)

    observed = model.fill == "observed"
    stated = replace(model, treatment=(*split, *others, *carried), controls=())
    data = build_frame(panel, stated, place, observed=observed)
    labels: dict[str, list[str]] = {}
    columns = ModelColumns(panel, stated, place, observed=observed)
    for text in stated.treatment:
        columns.model = replace(stated, treatment=(text,))
        labels[text] = [r.label for r in term_columns(columns, "treatment")]
    if len(labels[variable]) != 1:
        raise CarbonpanelError(
            "CP-STUDY-TERM",
            f"the threshold variable '{variable}' must be one column, not dummies",
            where=where("threshold", None),
            remedy="name a numeric column",
        )
    return (
        data,
        [label for text in split for label in labels[text]],
        [label for text in others for label in labels[text]],
        labels[variable][0],
    )


def _own_threshold_notes(
    model: Model, options: Mapping[str, Any], panel: CalendarPanel, where: Where
) -> tuple[list[str], list[str]]:
    """Warnings and notes where the threshold variable is made of the treatment."""
    names = ModelColumns(panel, model, where, observed=model.fill == "observed").names
    variable = str(options["variable"])
    parts = tuple(leaves(parse_term(variable, names)))
    under_study = (*model.treatment, *options.get("regime_terms", ()))
    treated = {cell for text in under_study for cell in leaves(parse_term(text, names))}
    if any(cell in treated for cell in parts):
        return [warn_of_own_threshold(variable)], []
    if any(name in {n for n, _ in treated} for name, _ in parts):
        return [], [
            f"'{variable}' is the treatment at another time: predetermined at best, while fixed effects ask for a "
            "strictly exogenous threshold variable"
        ]
    return [], []


def _coefficients(result: ThresholdResult) -> tuple[CoefficientRow, ...]:
    return tuple(
        replace(row, term=term, regime=regime)
        for row, (term, regime) in zip(coefficient_rows(result.regression), result.term_regimes, strict=True)
    )


def _thresholds(result: ThresholdResult, variable: str) -> tuple[ThresholdRow, ...]:
    tests = {test.order: test for test in result.tests}
    rows = []
    for found in result.thresholds:
        test = tests.get(found.order)
        rows.append(
            ThresholdRow(
                order=found.order,
                variable=variable,
                value=found.value,
                ci_low=found.ci_low,
                ci_high=found.ci_high,
                f=None if test is None else test.f,
                p_value=None if test is None else test.p_value,
                critical={} if test is None else dict(test.critical),
            )
        )
    return tuple(rows)


def _tests(result: ThresholdResult) -> Iterator[DiagnosticRow]:
    for test in result.tests:
        held = f" ({', '.join(f'{v:.6g}' for v in test.under_null)})" if test.under_null else ""
        drawn = f"{test.draws} draws, {test.resample}" if test.draws else "no draws"
        yield DiagnosticRow(
            "threshold_f",
            test.f,
            df2=result.degrees,
            p_value=test.p_value,
            critical=dict(test.critical),
            note=f"{test.order} threshold(s) against {test.order - 1}{held}: RSS {test.ssr_null:.10g} to "
            f"{test.ssr:.10g} at {test.value:.6g}; {drawn}",
        )


def _sizes(result: ThresholdResult) -> Iterator[DiagnosticRow]:
    shares = result.shares
    total = int(shares.n_obs.sum())
    for label, n_obs in zip(result.regimes, shares.n_obs, strict=True):
        yield DiagnosticRow(
            "regime_observations", float(n_obs) / total, note=f"regime {label}: {n_obs} of {total} observations"
        )
    for label, n_units in zip(result.regimes, shares.n_units, strict=True):
        yield DiagnosticRow(
            "regime_units",
            float(n_units) / shares.n_all_units,
            note=f"regime {label}: {n_units} of {shares.n_all_units} units are in it at some time; "
            f"{shares.n_switching} change regime",
        )


def _likelihood(result: ThresholdResult, variable: str) -> Iterator[CurvePoint]:
    for curve in result.curves:
        for at in _points_kept(curve):
            yield CurvePoint(f"threshold_lr_{curve.order}", float(curve.x[at]), float(curve.y[at]), label=variable)


def _points_kept(curve: LikelihoodCurve) -> np.ndarray:
    """All points of a curve of ordinary length; of a longer one those near the estimate and every few of the rest."""
    size = len(curve.x)
    if size <= MOST_POINTS:
        return np.arange(size)
    near = np.flatnonzero(curve.y <= 3.0 * CRITICAL_LR)
    near = near[:: -(-len(near) // (MOST_POINTS // 2))]
    rest = np.arange(0, size, -(-size // (MOST_POINTS // 2)))
    return np.unique(np.concatenate([near, rest, [int(np.argmin(curve.y)), size - 1]]))


def _shares(result: ThresholdResult) -> Iterator[CurvePoint]:
    """Share of each time's observations in each regime; the panel has one observation a unit and time."""
    shares = result.shares
    for code, label in enumerate(result.regimes):
        for position, (time, share) in enumerate(zip(shares.times, shares.share[:, code], strict=True)):
            moment = float(time) if isinstance(time, int | float | np.number) else float(position)
            yield CurvePoint("regime_share", moment, float(share), label=label)
