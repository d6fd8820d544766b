"""The tests of an instrumental-variables model as rows of a result, with the names of the study contract, and what the
reader must be told about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from analysis_py.estimators.iv_conventions import IvCounts
from analysis_py.estimators.iv_design import IvDesign
from analysis_py.estimators.kclass import KClass
from analysis_py.estimators.result import Diagnostic
from analysis_py.inference.anderson_rubin import ArTest, ConfidenceSet, ar_set, ar_test
from analysis_py.inference.identification import FirstStageTest, Identification, first_stage_tests, identify
from analysis_py.inference.moments import MomentCovariance
from analysis_py.inference.overidentification import (
    ChiSquared,
    FTest,
    endogeneity_test,
    overidentification_test,
    wu_hausman_test,
)
from analysis_py.inference.score_tests import ScoreTests, run_score_tests
from analysis_py.inference.weak_iv import STOCK_YOGO_SOURCE, EffectiveF, effective_f, stock_yogo

#: First-stage F below which instruments are called weak where no critical value is made for the case.
RULE_OF_THUMB = 10.0

_SINGULAR = "not computed: the covariance of the moments is singular (fewer clusters than moments, for example)"


@dataclass(frozen=True)
class IvTests:
    """Every test of one model."""

    identification: Identification
    first_stages: tuple[FirstStageTest, ...]
    overidentification: ChiSquared
    endogeneity: ChiSquared
    wu_hausman: FTest
    anderson_rubin: ArTest
    anderson_rubin_set: ConfidenceSet | None
    effective_f: EffectiveF | None
    scores: ScoreTests


def run_tests(
    design: IvDesign, solved: KClass, two_stage: KClass, counts: IvCounts, moments: MomentCovariance
) -> IvTests:
    """Compute the tests; ``two_stage`` is the 2SLS solution whatever the estimator."""
    over = overidentification_test(design, counts, moments, solved.residuals)
    return IvTests(
        identification=identify(design, counts, moments),
        first_stages=first_stage_tests(design, counts, moments, two_stage.bread),
        overidentification=over,
        endogeneity=endogeneity_test(design, counts, moments),
        wu_hausman=wu_hausman_test(design, counts, moments),
        anderson_rubin=ar_test(design, counts, moments),
        anderson_rubin_set=ar_set(design, counts, moments),
        effective_f=effective_f(design, counts, moments),
        scores=run_score_tests(design, counts, moments, solved, over.statistic if moments.is_iid else None),
    )


def diagnostics_of(tests: IvTests, counts: IvCounts, solved: KClass, is_iid: bool) -> tuple[Diagnostic, ...]:
    """Rows in a fixed order: identification, first stages, overidentification, endogeneity, Anderson-Rubin, k."""
    rows = [*_identification_rows(tests, counts, solved, is_iid), *_first_stage_rows(tests)]
    over = tests.overidentification
    name = "sargan" if is_iid else "hansen_j"
    if over.df == 0:
        rows.append(Diagnostic(name, 0.0, 0.0, note="exactly identified: nothing to test"))
    else:
        rows.append(_chi2(name, over, "the instruments are valid, given that as many as needed are"))
    rows.append(_chi2("endogeneity", tests.endogeneity, "C statistic: the endogenous variables are exogenous"))
    wu = tests.wu_hausman
    rows.append(_f("wu_hausman", wu.statistic, wu.df1, wu.df2, wu.p_value, "first-stage residuals have no effect"))
    ar = tests.anderson_rubin
    null = "the endogenous variables have no effect; valid with weak instruments"
    rows.append(_f("anderson_rubin", ar.f, ar.df1, ar.df2, ar.p_value, null))
    rows.append(_chi2("anderson_rubin_chi2", ChiSquared(ar.chi2, ar.df1), null))
    rows += _score_rows(tests.scores, null)
    rows += _ar_set_rows(tests.anderson_rubin_set, counts)
    if solved.eigenvalue is not None:
        rows.append(Diagnostic("liml_eigenvalue", solved.eigenvalue, note="lambda of LIML"))
    if solved.method != "2sls":
        rows.append(Diagnostic("k", solved.k, note="k of the k-class estimator"))
    return tuple(rows)


def _identification_rows(tests: IvTests, counts: IvCounts, solved: KClass, is_iid: bool) -> list[Diagnostic]:
    found = tests.identification
    estimator = "liml" if solved.method == "liml" else "2sls"
    critical = stock_yogo(counts.k1, counts.l1, estimator=estimator) if solved.method in ("2sls", "liml") else {}
    note = f"critical values: {STOCK_YOGO_SOURCE}" if critical else "no critical values are published for this case"
    rows = [
        _chi2("anderson_lm", found.anderson_lm, "underidentification; holds for iid errors only"),
        Diagnostic(
            "cragg_donald_f",
            found.cragg_donald_f,
            float(found.df1),
            float(found.df2_cragg_donald),
            critical=critical,
            note=note,
        ),
        _chi2("kleibergen_paap_rk_lm", found.kleibergen_paap_lm, "underidentification"),
        _f(
            "kleibergen_paap_rk_wald_f",
            found.kleibergen_paap_f,
            found.df1,
            found.df2,
            None,
            "Cragg-Donald under iid errors" if is_iid else "the Stock-Yogo values are not made for it",
        ),
    ]
    effective = tests.effective_f
    if effective is not None:
        rows.append(
            Diagnostic(
                "effective_f",
                effective.statistic,
                float(effective.degrees["10%"]),
                critical=effective.critical,
                note="Montiel Olea & Pflueger (2013); 5% critical values for a Nagar bias of at most the level of the "
                f"worst case, bound B = {effective.bias_bound:.4g}; df1 is the effective degrees of freedom at 10%",
            )
        )
    return rows


def _first_stage_rows(tests: IvTests) -> list[Diagnostic]:
    """One block an endogenous variable, named in ``term``."""
    rows = []
    several = len(tests.first_stages) > 1
    for test in tests.first_stages:
        name = test.endogenous
        null = f"excluded instruments in the first stage of {name}"
        found = [_f("first_stage_f", test.f, test.df1, test.df2, test.f_p_value, null)]
        if several:
            given = f"{name} given the other endogenous variables"
            for kind, value in (
                ("sanderson_windmeijer_f", test.sanderson_windmeijer_f),
                ("angrist_pischke_f", test.angrist_pischke_f),
            ):
                found.append(_f(kind, value, test.conditional_df1, test.df2, None, given))
        found.append(Diagnostic("partial_r2", test.partial_r2, note="of the excluded instruments"))
        if several:
            found.append(Diagnostic("shea_partial_r2", test.shea_r2, note="Shea (1997)"))
        rows += [replace(row, term=name) for row in found]
    return rows


def _score_rows(scores: ScoreTests, null: str) -> list[Diagnostic]:
    valid = "the instruments are valid, given that as many as needed are"
    rows = [_chi2("stock_wright_s", scores.stock_wright, f"score form of Anderson-Rubin: {null}")]
    for name, test, note in (
        ("basmann", scores.basmann, f"Basmann (1960): {valid}"),
        ("anderson_rubin_overid", scores.liml_ratio, f"N ln(lambda) of LIML: {valid}"),
        ("anderson_rubin_overid_linear", scores.liml_linear, f"N (lambda - 1) of LIML: {valid}"),
        ("endogeneity_score", scores.endogeneity, "Wooldridge (1995): the endogenous variables are exogenous"),
        ("overid_score", scores.overidentification, f"Wooldridge (1995): {valid}"),
    ):
        if test is not None:
            rows.append(_chi2(name, test, note))
    return rows


def _ar_set_rows(found: ConfidenceSet | None, counts: IvCounts) -> list[Diagnostic]:
    if found is None:
        why = "one endogenous variable only" if counts.k1 > 1 else _SINGULAR
        return [Diagnostic("anderson_rubin_set", float("nan"), note=f"no Anderson-Rubin set: {why}")]
    low, high = found.hull
    ends: Mapping[str, float] = {"ci_low": low, "ci_high": high}
    return [
        Diagnostic(
            "anderson_rubin_set",
            float(len(found.intervals)),
            critical=ends,
            note=f"{found.level:.0%} Anderson-Rubin set ({found.kind}): {found}; the statistic counts its intervals",
        )
    ]


def weakness_messages(tests: IvTests, counts: IvCounts, is_iid: bool) -> list[str]:
    """Sentences on weak or failing instruments; none where they are strong."""
    found: list[str] = []
    identification, effective = tests.identification, tests.effective_f
    advice = "rely on the Anderson-Rubin set" if counts.k1 == 1 else "the t statistics say little"
    lm = identification.anderson_lm if is_iid else identification.kleibergen_paap_lm
    if lm.p_value is not None and lm.p_value > 0.05:
        name = "Anderson" if is_iid else "Kleibergen-Paap rk"
        found.append(f"the model may be underidentified: {name} LM {lm.statistic:.4g}, p = {lm.p_value:.3f}; {advice}")
    if effective is not None:
        if effective.statistic < effective.critical["simplified 10%"]:
            found.append(
                f"weak instruments: effective F {effective.statistic:.4g} below its 5% critical value "
                f"{effective.critical['simplified 10%']:.4g} for a bias of 10% (Montiel Olea & Pflueger 2013); {advice}"
            )
    else:
        f = identification.cragg_donald_f if is_iid else identification.kleibergen_paap_f
        published = stock_yogo(counts.k1, counts.l1).get("10%") if is_iid else None
        bar = published or RULE_OF_THUMB
        if f is not None and f < bar:
            kind = "the Stock-Yogo value for 10% size" if published else "the rule of thumb of 10"
            found.append(f"weak instruments: F {f:.4g} below {kind}{f' ({bar:.4g})' if published else ''}; {advice}")
    ar = tests.anderson_rubin_set
    if ar is not None and ar.kind == "empty":
        found.append(
            "the Anderson-Rubin set is empty: no effect agrees with all instruments, so one of them is not valid"
        )
    elif ar is not None and ar.kind in ("unbounded", "whole line"):
        found.append(f"the Anderson-Rubin set is not bounded ({ar}): the data do not pin the effect down")
    if tests.overidentification.p_value is not None and tests.overidentification.p_value < 0.05:
        name = "Sargan" if is_iid else "Hansen J"
        over = tests.overidentification
        found.append(
            f"the instruments disagree: {name} {over.statistic:.4g}, p = {over.p_value:.3g}; not all of them are valid"
        )
    return found


def _chi2(name: str, test: ChiSquared, null: str) -> Diagnostic:
    if test.statistic is None:
        return Diagnostic(name, float("nan"), float(test.df), note=_SINGULAR)
    return Diagnostic(name, test.statistic, float(test.df), p_value=test.p_value, note=null)


def _f(name: str, value: float | None, df1: int, df2: int, p_value: float | None, null: str) -> Diagnostic:
    if value is None:
        return Diagnostic(name, float("nan"), float(df1), float(df2), note=_SINGULAR)
    return Diagnostic(name, value, float(df1), float(df2), p_value, note=null)
