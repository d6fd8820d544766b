"""The panel threshold model with fixed effects: one to three thresholds, tested, with intervals and regime slopes.

y_it = (fixed effects) + x_it'b + sum over regimes j of z_it'd_j 1(q_it in regime j) + e_it. Thresholds are found by
:mod:`analysis_py.estimators.threshold_search`, tested by :mod:`analysis_py.estimators.threshold_bootstrap`, and the
coefficients estimated at them by :func:`analysis_py.estimators.twfe.fit_twfe` under any of its covariances.

Source: Hansen, B. E. (1999), Threshold effects in non-dynamic panels, Journal of Econometrics 93:345-368.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.blas import single_threaded_blas
from analysis_py.estimators.conventions import CONVENTIONS
from analysis_py.estimators.factors import Factor
from analysis_py.estimators.result import CovarianceSpec, RegressionResult
from analysis_py.estimators.sample import Sample, draw_sample
from analysis_py.estimators.threshold_bootstrap import Blocks, bootstrap_test, make_blocks
from analysis_py.estimators.threshold_conventions import ThresholdConvention, find_threshold_convention
from analysis_py.estimators.threshold_design import ThresholdDesign, build_design
from analysis_py.estimators.threshold_grid import Grid, ThresholdSpec, build_grid
from analysis_py.estimators.threshold_hansen import fit_hansen
from analysis_py.estimators.threshold_regimes import (
    count_regimes,
    describe_search,
    label_regimes,
    regime_messages,
    warn_of_own_threshold,
)
from analysis_py.estimators.threshold_result import (
    LikelihoodCurve,
    ThresholdEstimate,
    ThresholdResult,
    ThresholdTest,
)
from analysis_py.estimators.threshold_search import Curve, Search, search_thresholds
from analysis_py.estimators.twfe import fit_twfe


def fit_threshold(
    frame: pd.DataFrame,
    *,
    outcome: str,
    regime_terms: Sequence[str],
    regressors: Sequence[str],
    fixed_effects: Sequence[str],
    covariance: CovarianceSpec | str | Mapping[str, object],
    convention: str,
    threshold: ThresholdSpec | Mapping[str, object],
    unit: str | None = None,
    time: str | None = None,
    weights: str | None = None,
) -> ThresholdResult:
    """Fit a threshold model.

    Parameters
    ----------
    frame : the panel, any order, incomplete rows included: they are dropped here and listed with their reason.
    outcome : column; regime_terms : columns whose slope depends on the regime; regressors : those with one slope.
    fixed_effects : columns or interactions, as :func:`analysis_py.estimators.twfe.fit_twfe`; covariance likewise.
    convention : a name of :data:`analysis_py.estimators.threshold_conventions.THRESHOLD_CONVENTIONS`.
    threshold : what is searched for; its ``variable`` is a column and may be among the regressors.
    unit, time : panel columns: residuals are redrawn by unit, shares counted by time.
    weights : column of analytic weights.

    Returns
    -------
    ThresholdResult
        ``regression.terms`` are called ``x [<= 7.75]``; ``term_regimes`` takes them apart.

    Raises
    ------
    CarbonpanelError
        ``CP-EST-THRESHOLD`` for a threshold variable without enough values, trimming that leaves nothing, options
        that contradict each other; the errors of :func:`analysis_py.estimators.twfe.fit_twfe`.
    """
    rules = find_threshold_convention(convention)
    wanted = threshold if isinstance(threshold, ThresholdSpec) else ThresholdSpec.parse(threshold)
    spec = CovarianceSpec.parse(covariance)
    _check_terms(outcome, regime_terms, regressors, wanted, rules, fixed_effects, unit, weights)
    effects = list(fixed_effects)
    if rules.regression in ("xtreg", "areg") and unit in effects:
        effects = [str(unit), *(e for e in effects if e != unit)]
    drawn = draw_sample(
        frame,
        outcome=outcome,
        regressors=list(dict.fromkeys([*regime_terms, *regressors, wanted.variable])),
        fixed_effects=effects,
        spec=spec,
        convention=CONVENTIONS["plain" if rules.regression == "hansen" else rules.regression],
        unit=unit,
        time=time,
        weights=weights,
    )
    sample, order = _in_canonical_order(drawn)
    blocks = _blocks(sample)
    columns = {name: sample.x[:, j] for j, name in enumerate(sample.regressors)}
    q = columns[wanted.variable]
    z = np.column_stack([columns[name] for name in regime_terms])
    x = np.column_stack([columns[name] for name in regressors]) if regressors else np.empty((len(q), 0))
    scale, scale_name = _degrees(rules, sample)
    messages = [warn_of_own_threshold(wanted.variable)] if wanted.variable in regime_terms else []
    notes: list[str] = []
    kept = blocks.place < blocks.counts[blocks.unit] - 1 if rules.drops_last else None
    with single_threaded_blas():
        if wanted.given:
            thresholds = _given(q, wanted, rules)
            tests: tuple[ThresholdTest, ...] = ()
            curves: tuple[LikelihoodCurve, ...] = ()
            candidates = 0
            notes.append("thresholds taken as given: nothing was searched or tested")
        else:
            grid = build_grid(q, rules, wanted)
            design = build_design(
                sample.y,
                x,
                z,
                grid.bins(q),
                len(grid.values),
                fixed_effects=sample.fixed_effects,
                weights=sample.weights if sample.is_weighted else None,
                kept=kept,
                unit=_unit_effect(sample, unit),
            )
            search = search_thresholds(design, grid, wanted.count, scale)
            tests = _run_tests(design, grid, blocks, search, wanted)
            thresholds = tuple(_estimate(grid, curve) for curve in search.curves)
            curves = tuple(
                LikelihoodCurve(c.order + 1, grid.values[c.positions], c.likelihood_ratio) for c in search.curves
            )
            candidates = len(grid.values)
            told = describe_search(grid, thresholds, tests, wanted, rules, blocks.n_units)
            messages, notes = [*messages, *told.messages], [*notes, *told.notes]
        labels = label_regimes(thresholds)
        cuts = np.sort([t.cut for t in thresholds])
        regime = np.searchsorted(cuts, q, side="left")
        times = None if time is None else frame[time].to_numpy()[sample.used_rows]
        shares = count_regimes(regime, len(labels), sample.unit, sample.time, times)
        messages += regime_messages(labels, shares, len(q))
    back = np.argsort(order)
    regression, term_regimes = _fit_regimes(
        frame,
        drawn,
        z[back],
        regime[back],
        labels,
        regime_terms,
        regressors,
        spec,
        rules,
        unit,
        time,
        weights,
        None if kept is None else kept[back],
    )
    return ThresholdResult(
        spec=wanted,
        convention=rules.name,
        thresholds=thresholds,
        tests=tests,
        curves=curves,
        regimes=labels,
        regime=regime[back],
        regression=regression,
        term_regimes=term_regimes,
        shares=shares,
        degrees=scale,
        degrees_name=scale_name,
        n_candidates=candidates,
        messages=tuple(dict.fromkeys([*messages, *regression.messages])),
        notes=tuple(notes),
    )


def _check_terms(
    outcome: str,
    regime_terms: Sequence[str],
    regressors: Sequence[str],
    wanted: ThresholdSpec,
    rules: ThresholdConvention,
    fixed_effects: Sequence[str],
    unit: str | None,
    weights: str | None,
) -> None:
    if not regime_terms:
        raise CarbonpanelError(
            "CP-EST-THRESHOLD", "no regressor is named whose slope depends on the regime", remedy="add regime_terms"
        )
    both = [t for t in regime_terms if t in regressors]
    if both:
        raise CarbonpanelError(
            "CP-EST-THRESHOLD",
            f"'{both[0]}' is both split by regime and a regressor with one slope",
            remedy="name it once: the regimes' slopes already add up to it",
        )
    if wanted.variable == outcome:
        raise CarbonpanelError(
            "CP-EST-THRESHOLD",
            f"the threshold variable '{outcome}' is the outcome itself",
            remedy="choose another variable, or its lag",
        )
    if rules.drops_last and (unit is None or unit not in fixed_effects):
        raise CarbonpanelError(
            "CP-EST-THRESHOLD",
            f"convention '{rules.name}' demeans by unit, and the unit is not among the fixed effects",
            remedy="add the unit to the fixed effects, or use convention: xthreg",
        )
    if rules.drops_last and weights is not None:
        raise CarbonpanelError(
            "CP-EST-WEIGHTS",
            f"convention '{rules.name}' knows no weights",
            remedy="use convention: xthreg, or leave the weights out",
        )


def _in_canonical_order(sample: Sample) -> tuple[Sample, np.ndarray]:
    """The sample by (place within the unit, unit), and the positions that put it so: no result depends on row order."""
    n = len(sample.y)
    unit = sample.unit or Factor("", np.arange(n), n)
    time = np.zeros(n, dtype=np.int64) if sample.time is None else sample.time.codes
    by_unit = np.lexsort((np.arange(n), time, unit.codes))
    starts = np.concatenate([[0], np.cumsum(np.bincount(unit.codes, minlength=unit.levels))[:-1]])
    place = np.empty(n, dtype=np.int64)
    place[by_unit] = np.arange(n) - np.repeat(starts, np.bincount(unit.codes, minlength=unit.levels))
    order = np.lexsort((unit.codes, place))

    def turn(factor: Factor) -> Factor:
        return Factor(factor.name, factor.codes[order], factor.levels)

    return (
        replace(
            sample,
            used_rows=sample.used_rows[order],
            y=sample.y[order],
            x=sample.x[order],
            weights=sample.weights[order],
            fixed_effects=tuple(turn(f) for f in sample.fixed_effects),
            clusters=tuple(turn(f) for f in sample.clusters),
            unit=turn(unit),
            time=None if sample.time is None else turn(sample.time),
        ),
        order,
    )


def _blocks(sample: Sample) -> Blocks:
    """Rows of each unit, of a sample in canonical order."""
    unit = sample.unit or Factor("", np.arange(len(sample.y)), len(sample.y))
    counts = np.bincount(unit.codes, minlength=unit.levels)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    by_unit = np.argsort(unit.codes, kind="stable")
    place = np.empty(len(unit.codes), dtype=np.int64)
    place[by_unit] = np.arange(len(unit.codes)) - np.repeat(starts, counts)
    is_balanced = bool((counts == counts[0]).all())
    if is_balanced and sample.time is not None:
        times = sample.time.codes.reshape(-1, unit.levels)
        is_balanced = bool((times == times[:, :1]).all())
    return make_blocks(unit.codes, place, is_balanced=is_balanced)


def _unit_effect(sample: Sample, unit: str | None) -> Factor | None:
    return next((f for f in sample.fixed_effects if f.name == unit), None)


def _degrees(rules: ThresholdConvention, sample: Sample) -> tuple[float, str]:
    """What F and LR are scaled by, and its formula; without unit effects the observations."""
    n = len(sample.y)
    unit = None if sample.unit is None else _unit_effect(sample, sample.unit.name)
    return (float(n), "N") if unit is None else (rules.scale(n, unit.levels), rules.degrees_name)


def _given(q: np.ndarray, wanted: ThresholdSpec, rules: ThresholdConvention) -> tuple[ThresholdEstimate, ...]:
    found: list[ThresholdEstimate] = []
    values = np.unique(q)
    for order, value in enumerate(wanted.given):
        below = int(np.searchsorted(values, value, side="left" if rules.is_strict else "right"))
        if not 0 < below < len(values):
            raise CarbonpanelError(
                "CP-EST-THRESHOLD",
                f"the given threshold {value:g} leaves one regime empty: '{wanted.variable}' runs from {values[0]:g} "
                f"to {values[-1]:g} in the sample",
                remedy="give a value inside",
            )
        cut = float(values[below - 1])
        if found and found[-1].cut == cut:
            raise CarbonpanelError(
                "CP-EST-THRESHOLD",
                f"no observation of '{wanted.variable}' lies between the given thresholds {found[-1].value:g} and "
                f"{value:g}",
                remedy="give values further apart",
            )
        found.append(ThresholdEstimate(order + 1, float(value), cut, None, None, True, False))
    return tuple(found)


def _estimate(grid: Grid, curve: Curve) -> ThresholdEstimate:
    inside = np.flatnonzero(curve.inside)
    low, high = curve.positions[inside[0]], curve.positions[inside[-1]]
    return ThresholdEstimate(
        order=curve.order + 1,
        value=float(grid.values[curve.position]),
        cut=float(grid.cuts[curve.position]),
        ci_low=float(grid.values[low]),
        ci_high=float(grid.values[high]),
        is_connected=bool(len(inside) == inside[-1] - inside[0] + 1),
        reaches_edge=bool(low == curve.positions[0] or high == curve.positions[-1]),
    )


def _run_tests(
    design: ThresholdDesign, grid: Grid, blocks: Blocks, search: Search, wanted: ThresholdSpec
) -> tuple[ThresholdTest, ...]:
    resample = wanted.resample or ("donors" if blocks.is_balanced else "multipliers")
    found = []
    for test in search.tests:
        draws = wanted.draws_of(test.order - 1)
        p_value, critical = None, {}
        if draws:
            drawn = bootstrap_test(
                design, grid, blocks, test, draws=draws, seed=wanted.seed, resample=resample, scale=search.scale
            )
            p_value, critical = drawn.p_value, drawn.critical
        found.append(
            ThresholdTest(
                order=test.order,
                under_null=tuple(float(grid.values[at]) for at in test.under_null),
                value=float(grid.values[test.added]),
                ssr_null=test.ssr_null,
                ssr=test.ssr,
                f=test.f,
                p_value=p_value,
                critical=critical,
                draws=draws,
                resample=resample if draws else None,
            )
        )
    return tuple(found)


def _fit_regimes(
    frame: pd.DataFrame,
    drawn: Sample,
    z: np.ndarray,
    regime: np.ndarray,
    labels: Sequence[str],
    regime_terms: Sequence[str],
    regressors: Sequence[str],
    spec: CovarianceSpec,
    rules: ThresholdConvention,
    unit: str | None,
    time: str | None,
    weights: str | None,
    kept: np.ndarray | None,
) -> tuple[RegressionResult, tuple[tuple[str, str | None], ...]]:
    """Coefficients at the thresholds: the regressors split by regime in one regression, in the order of ``drawn``."""
    split = {
        f"{term} [{label}]": ((term, label), np.where(regime == code, z[:, j], 0.0))
        for j, term in enumerate(regime_terms)
        for code, label in enumerate(labels)
    }
    names: dict[str, tuple[str, str | None]] = {name: pair for name, (pair, _) in split.items()}
    if kept is not None:
        positions = [drawn.regressors.index(name) for name in regressors]
        x = np.column_stack([*(values for _, values in split.values()), drawn.x[:, positions]])
        by_unit = _unit_effect(drawn, unit)
        if by_unit is None:
            raise ValueError("the unit is not among the fixed effects")
        found = fit_hansen(drawn, x, (*split, *regressors), kept, by_unit, spec)
    else:
        used = frame.iloc[drawn.used_rows].reset_index(drop=True)
        used = used.assign(**{name: values for name, (_, values) in split.items()})
        found = fit_twfe(
            used,
            outcome=drawn.outcome,
            regressors=[*split, *regressors],
            fixed_effects=[f.name for f in drawn.fixed_effects],
            covariance=spec,
            convention=rules.regression,
            unit=unit,
            time=time,
            weights=weights,
        )
        found = replace(
            found,
            estimator="threshold",
            n_singletons_dropped=drawn.singletons_dropped,
            dropped_rows=drawn.dropped_rows,
            used_rows=drawn.used_rows[found.used_rows],
            messages=tuple(dict.fromkeys([*drawn.messages, *found.messages])),
        )
    return found, tuple(names.get(term, (term, None)) for term in found.terms)
