"""Instrumental variables: 2SLS, LIML, Fuller and k-class, with fixed effects, as several programs do it.

y = X1 b1 + X2 b2 + (fixed effects) + e, X1 endogenous, instruments Z1 excluded and X2 included. Fixed effects are
removed from every column, then the exogenous regressors from the others (Frisch-Waugh); all tests follow from the
small cross products that are left. Conventions: :mod:`analysis_py.estimators.iv_conventions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.blas import single_threaded_blas
from analysis_py.estimators.iv_conventions import COVARIANCES, IvConvention, IvCounts, count, find_iv_convention
from analysis_py.estimators.iv_design import Columns, IvDesign, draw_design
from analysis_py.estimators.iv_diagnostics import IvTests, diagnostics_of, run_tests, weakness_messages
from analysis_py.estimators.iv_equations import Equation, projection_equation, structural_equation
from analysis_py.estimators.kclass import KClass, solve_kclass
from analysis_py.estimators.least_squares import free_of
from analysis_py.estimators.result import CovarianceSpec, Diagnostic, RegressionResult, infer
from analysis_py.inference.covariance import wald_f
from analysis_py.inference.moments import MomentCovariance
from analysis_py.inference.plausibly_exogenous import PlausibleBounds, plausible_bounds
from analysis_py.inference.weak_iv import TF_ENOUGH, TfInference, tf_inference


@dataclass(frozen=True)
class IvResult:
    """A fitted model.

    ``main`` is the structural equation with every diagnostic; ``first_stages`` one regression an endogenous variable
    and ``reduced_form`` that of the outcome, each on instruments and exogenous regressors. ``tests`` holds the tests as
    numbers, ``tf`` is None unless exactly one instrument stands for one endogenous variable, ``plausible`` None unless
    asked for. ``design``, ``solved`` and ``moments`` allow further tests without fitting again.
    """

    main: RegressionResult
    first_stages: tuple[RegressionResult, ...]
    reduced_form: RegressionResult
    tests: IvTests
    tf: TfInference | None
    plausible: PlausibleBounds | None
    design: IvDesign
    counts: IvCounts
    solved: KClass
    moments: MomentCovariance


def fit_iv(
    frame: pd.DataFrame,
    *,
    outcome: str,
    endogenous: Sequence[str],
    instruments: Sequence[str],
    exogenous: Sequence[str] = (),
    fixed_effects: Sequence[str] = (),
    covariance: CovarianceSpec | str | Mapping[str, object] = "iid",
    convention: str = "ivreg2",
    unit: str | None = None,
    time: str | None = None,
    weights: str | None = None,
    method: str = "2sls",
    k: float | None = None,
    fuller: float = 1.0,
    small: bool | None = None,
    silent: Sequence[str] = (),
    plausible: Mapping[str, tuple[float, float]] | None = None,
) -> IvResult:
    """Fit one model.

    Parameters
    ----------
    frame : any index, incomplete rows included: they are dropped here and listed with their reason.
    outcome, endogenous, instruments, exogenous : columns of the frame; instruments are the excluded ones.
    fixed_effects : columns or interactions ``a^b``; empty for a constant.
    covariance : ``iid``, ``hc1``, ``cluster`` (one or more columns), ``conley`` or ``driscoll_kraay``.
    convention : a name of :data:`analysis_py.estimators.iv_conventions.IV_CONVENTIONS`.
    unit, time : panel columns, for counting, Driscoll-Kraay and the effect that ``xtivreg2`` absorbs.
    weights : column of analytic weights.
    method, k, fuller : the estimator, see :mod:`analysis_py.estimators.kclass`.
    small : small-sample factors and t statistics; None leaves it to the convention.
    silent : exogenous columns that are controlled for and not reported.
    plausible : (low, high) of the direct effect of instruments that are only nearly excluded.

    Raises
    ------
    CarbonpanelError
        ``CP-EST-...``, see :func:`analysis_py.estimators.iv_design.draw_design`.
    """
    rules = find_iv_convention(convention)
    spec = CovarianceSpec.parse(covariance)
    if spec.type not in COVARIANCES:
        raise CarbonpanelError(
            "CP-EST-COVARIANCE",
            f"covariance '{spec.type}' is not defined for instrumental variables here: it rests on the leverage or the "
            "residuals of a projection, and the second stage is none",
            remedy=f"use one of: {', '.join(COVARIANCES)}; the Anderson-Rubin set holds with weak instruments",
        )
    with single_threaded_blas():
        design = draw_design(
            frame,
            outcome=outcome,
            endogenous=endogenous,
            instruments=instruments,
            exogenous=exogenous,
            silent=silent,
            fixed_effects=fixed_effects,
            spec=spec,
            rules=rules,
            unit=unit,
            time=time,
            weights=weights,
        )
        sample = design.sample
        clusters = (sample.periods,) if sample.periods is not None else sample.clusters
        counts = count(
            rules,
            spec,
            n=len(sample.y),
            exogenous=len(design.exogenous),
            k1=len(design.endogenous),
            l1=len(design.instruments),
            fixed_effects=sample.fixed_effects,
            clusters=clusters,
            small=small,
        )
        moments = MomentCovariance(spec, sample.clusters, sample.periods, sample.coordinates)
        two_stage = solve_kclass(design)
        solved = (
            two_stage if method == "2sls" else solve_kclass(design, method, k=k, fuller=fuller, l_total=counts.l_total)
        )
        return _assemble(design, counts, moments, rules, spec, solved, two_stage, plausible or {})


def _assemble(
    design: IvDesign,
    counts: IvCounts,
    moments: MomentCovariance,
    rules: IvConvention,
    spec: CovarianceSpec,
    solved: KClass,
    two_stage: KClass,
    plausible: Mapping[str, tuple[float, float]],
) -> IvResult:
    has_constant = not design.sample.fixed_effects
    tests = run_tests(design, solved, two_stage, counts, moments)
    equation = structural_equation(design, solved, counts, moments, constant=has_constant)
    messages = [*design.messages, *counts.messages, *weakness_messages(tests, counts, moments.is_iid)]
    if equation.rss <= 1e-22 * design.tss:
        messages.append("the regression fits exactly: its standard errors say nothing")
    if solved.k < 0:
        messages.append(
            f"k = {solved.k:.4g} lies beyond least squares (k = 0), away from the instruments: the estimate and its"
            " errors say little"
        )
    diagnostics = [*diagnostics_of(tests, counts, solved, moments.is_iid)]
    kind = "t" if counts.small else "z"

    tf = _tf(equation, counts, tests)
    if tf is not None:
        f = tests.first_stages[0].f
        said = "as usual" if f is not None and f >= TF_ENOUGH else f"instead of 1.96, first-stage F = {f:.4g}"
        diagnostics.append(
            Diagnostic(
                "tf",
                tf.critical_value,
                critical={"std_error": tf.std_error, "ci_low": tf.ci_low, "ci_high": tf.ci_high},
                note=f"tF critical value of |t| at 5% {said} (Lee, McCrary, Moreira & Porter 2022); adjusted error "
                "and interval beside it",
            )
        )
    bounds = None
    if plausible:
        bounds = _plausible(design, counts, moments, solved, plausible)
        diagnostics += _plausible_rows(bounds, design)
    main = _result(
        design,
        equation,
        counts,
        rules,
        spec,
        kind=kind,
        df=float(counts.df_t),
        messages=messages,
        moments=moments,
        diagnostics=diagnostics,
        estimator=solved.method if solved.method != "2sls" else "iv",
    )
    main = _with_fit(main, design, equation, counts, rules)
    projections = [
        _result(
            design,
            projection_equation(design, position, counts, moments, constant=has_constant),
            counts,
            rules,
            spec,
            kind="t",
            df=float(counts.df_denominator),
            messages=(),
            moments=moments,
            estimator="first_stage" if position is not None else "reduced_form",
        )
        for position in (*range(counts.k1), None)
    ]
    return IvResult(
        main=main,
        first_stages=tuple(projections[:-1]),
        reduced_form=projections[-1],
        tests=tests,
        tf=tf,
        plausible=bounds,
        design=design,
        counts=counts,
        solved=solved,
        moments=moments,
    )


def _result(
    design: IvDesign,
    equation: Equation,
    counts: IvCounts,
    rules: IvConvention,
    spec: CovarianceSpec,
    *,
    kind: str,
    df: float,
    messages: Sequence[str],
    moments: MomentCovariance,
    estimator: str,
    diagnostics: Sequence[Diagnostic] = (),
) -> RegressionResult:
    shown = [i for i, term in enumerate(equation.terms) if term not in design.silent]
    estimate, vcov = equation.estimate[shown], equation.vcov[np.ix_(shown, shown)]
    inference = infer(estimate, vcov, df, kind=kind)
    sample = design.sample
    said = list(dict.fromkeys(messages))
    if (np.diag(vcov) < 0).any():
        said.append("a variance is negative: two-way clustering can do that in small samples, and nothing is repaired")
    named = counts.named
    named = (*named, *moments.options.named)
    return RegressionResult(
        estimator=estimator,
        convention=rules.name,
        covariance=spec.label,
        terms=tuple(equation.terms[i] for i in shown),
        estimate=estimate,
        std_error=inference.std_error,
        statistic=inference.statistic,
        p_value=inference.p_value,
        ci_low=inference.ci_low,
        ci_high=inference.ci_high,
        vcov=vcov,
        statistic_kind=kind,
        df_t=df,
        n_obs=counts.n,
        n_units=_levels(design),
        n_times=None if sample.time is None else sample.time.levels,
        n_clusters=tuple(c.levels for c in ((sample.periods,) if sample.periods else sample.clusters)),
        n_singletons_dropped=sample.singletons_dropped,
        dropped_rows=sample.dropped_rows,
        df_resid=float(counts.df_resid),
        df_model=float(equation.slopes),
        r2=None,
        r2_within=None,
        r2_between=None,
        r2_overall=None,
        r2_adjusted=None,
        rmse=None,
        f=None,
        f_p_value=None,
        diagnostics=tuple(diagnostics),
        small_sample=named,
        dropped_terms=tuple(term for term, _ in design.dropped),
        messages=tuple(said),
        residuals=equation.residuals,
        used_rows=sample.used_rows,
    )


def _levels(design: IvDesign) -> int | None:
    sample = design.sample
    if sample.unit is not None:
        return sample.unit.levels
    return sample.fixed_effects[0].levels if sample.fixed_effects else None


def _with_fit(
    main: RegressionResult, design: IvDesign, equation: Equation, counts: IvCounts, rules: IvConvention
) -> RegressionResult:
    """R2s, F of the named slopes and rmse, as the convention defines them.

    With a constant r2 = 1 - RSS/TSS; xtivreg2 and ivreghdfe report the R2 of the data free of the effects they absorb,
    and nothing is subtracted from N in its adjusted form. R2 of instrumental variables may be negative.
    """
    sample, n = design.sample, counts.n
    within = total = 1.0 - equation.rss / design.tss
    adjusting = n - 1
    if sample.fixed_effects:
        variation = n * float(design.outcome.scale[0]) ** 2
        within = 1.0 - equation.rss / variation
        if rules.effects == "first_absorbed":
            centred = (sample.y - design.outcome.mean[0])[:, None]
            variation = float(sample.weights @ free_of(sample.fixed_effects[0], sample.weights, centred)[:, 0] ** 2)
        if rules.effects != "dummies":
            total, adjusting = 1.0 - equation.rss / variation, n
    slopes = equation.slopes
    f = wald_f(equation.estimate[:slopes], equation.vcov[:slopes, :slopes])
    diagnostics = main.diagnostics
    if f is not None and not counts.small:
        wald = f * slopes
        diagnostics = (
            *diagnostics,
            Diagnostic(
                "wald_chi2",
                wald,
                float(slopes),
                p_value=float(stats.chi2.sf(wald, slopes)),
                note="all slopes are zero, large sample: what ivregress prints in place of F",
            ),
        )
        if counts.groups is not None:
            g = counts.groups
            f *= (g - 1) / g * (n - counts.k - counts.sdofminus) / (n - 1)
        else:
            f *= counts.df_resid / counts.large_n
    return replace(
        main,
        r2=total,
        r2_within=within if sample.fixed_effects else None,
        r2_adjusted=1.0 - (1.0 - total) * adjusting / counts.df_resid,
        rmse=float(np.sqrt(equation.rss / counts.sigma2_divisor())),
        f=f,
        f_p_value=None if f is None else float(stats.f.sf(f, slopes, counts.df_t)),
        diagnostics=diagnostics,
    )


def _tf(equation: Equation, counts: IvCounts, tests: IvTests) -> TfInference | None:
    f = tests.first_stages[0].f
    if counts.k1 != 1 or counts.l1 != 1 or f is None or not equation.vcov[0, 0] > 0:
        return None
    return tf_inference(float(equation.estimate[0]), float(np.sqrt(equation.vcov[0, 0])), f)


def _plausible(
    design: IvDesign,
    counts: IvCounts,
    moments: MomentCovariance,
    solved: KClass,
    ranges: Mapping[str, tuple[float, float]],
) -> PlausibleBounds:
    outcome, instruments, k1 = design.outcome, design.instruments, counts.k1

    def refit(effects: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
        values = outcome.values.copy()
        for name, effect in effects.items():
            j = instruments.names.index(name)
            values[:, 0] -= effect * instruments.scale[j] / outcome.scale[0] * instruments.values[:, j]
        moved = replace(design, outcome=Columns(outcome.names, values, outcome.scale, outcome.mean))
        # k is kept: the bounds are those of one estimator
        again = solve_kclass(moved, "kclass", k=solved.k)
        equation = structural_equation(moved, again, counts, moments, constant=False)
        variance = np.diag(equation.vcov)[:k1]
        return equation.estimate[:k1], np.sqrt(np.where(variance > 0, variance, np.nan))

    quantile = float(stats.t.ppf(0.975, counts.df_t) if counts.small else stats.norm.ppf(0.975))
    return plausible_bounds(ranges, instruments.names, refit, quantile)


def _plausible_rows(bounds: PlausibleBounds, design: IvDesign) -> list[Diagnostic]:
    given = ", ".join(f"{name} in [{low:g}, {high:g}]" for name, (low, high) in bounds.ranges.items())
    return [
        Diagnostic(
            "plausibly_exogenous",
            float("nan"),
            critical={"ci_low": float(bounds.low[j]), "ci_high": float(bounds.high[j])},
            note=f"union of 95% intervals of {name} over direct effects {given} (Conley, Hansen & Rossi 2012)",
            term=name,
        )
        for j, name in enumerate(design.endogenous.names)
    ]
