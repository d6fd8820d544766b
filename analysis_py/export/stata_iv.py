"""Stata's commands for instrumental variables, and the tests they store."""

from __future__ import annotations

from analysis_py.export.equation import Equation, Export
from analysis_py.export.stata_commands import Command, Words
from analysis_py.export.wording import number

#: Where ivreg2 and its relatives keep a test, by its name among the diagnostics.
_STORED = {
    "cragg_donald_f": "e(cdf)",
    "kleibergen_paap_rk_wald_f": "e(widstat)",
    "sargan": "e(sargan)",
    "hansen_j": "e(j)",
}


def iv_command(export: Export, equation: Equation) -> Command:
    """ivreg2, xtivreg2, ivreghdfe or ivregress."""
    words, spec = Words(export, equation), equation.covariance
    convention = equation.convention if equation.effects else "ivreg2"
    if equation.convention == "ivregress":
        convention = "ivregress"
    kind = spec.type
    lines: list[str] = []
    if kind in ("conley", "driscoll_kraay"):
        lines.append("* No command of Stata gives these errors with this convention's factor: the estimates alone are")
        lines.append("* asserted, with robust errors beside them.")
        if kind == "driscoll_kraay":
            lag = int(str(equation.small.get("lag", 0)))
            lines.append(f"* The nearest: option dkraay({lag + 1}) of ivreg2 in the place of robust")
    if convention == "ivregress" and (len(spec.by) > 1 or equation.method in ("fuller", "kclass")):
        lines.append("* ivregress has no such option; ivreg2 counts as it does")
        convention = "ivreg2"
    small = bool(equation.small["small"])
    ratio: float | None = 1.0 if kind in ("iid", "hc1", "cluster") else None
    if convention == "ivreghdfe" and not small and ratio is not None:
        lines.append(
            "* ivreghdfe always takes small-sample factors, which this model does without: its errors are rescaled"
        )
        ratio = equation.scale / _small_scale(equation)
    command, packages = _command(words, convention, kind, small=small)
    constant = "both" if not equation.effects else "none"
    after = _tests(equation) if convention != "ivregress" and kind in ("iid", "hc1", "cluster") else []
    return Command([*lines, command], ratio, constant, packages, after)


def _command(words: Words, convention: str, kind: str, *, small: bool) -> tuple[str, tuple[str, ...]]:
    equation = words.equation
    exogenous = words.terms((*equation.regressors, *equation.silent))
    brackets = f"({words.terms(equation.endogenous)} = {words.terms(equation.instruments)})"
    errors = {"iid": "", "cluster": f"cluster({words.clusters})"}.get(kind, "robust")
    method = {
        "2sls": "",
        "liml": "liml",
        "fuller": f"fuller({number(equation.fuller)})",
        "kclass": f"kclass({number(equation.k if equation.k is not None else 1.0)})",
    }[equation.method]
    outcome, effects = words.name(equation.outcome), equation.effects
    dummies = {"ivreghdfe": (), "xtivreg2": effects[1:]}.get(convention, effects)
    right = " ".join(p for p in (outcome, exogenous, words.dummies(dummies), brackets) if p) + words.weights()
    if convention == "ivregress":
        vce = {"iid": "unadjusted", "cluster": f"cluster {words.clusters}"}.get(kind, "robust")
        parts = [f"vce({vce})", "small" if small else ""]
        return f"ivregress {equation.method} {right}, {' '.join(p for p in parts if p)}", ()
    if convention == "ivreghdfe":
        absorb = f"absorb({' '.join(words.effect(e) for e in effects)})"
        options = " ".join(p for p in (absorb, errors, method) if p)
        return f"ivreghdfe {right}, {options}", ("ivreghdfe", "ivreg2", "ranktest", "reghdfe", "ftools")
    options = " ".join(p for p in (errors, method, "small" if small else "", "ffirst") if p)
    if convention == "xtivreg2":
        # xtivreg2 takes no factor variables: xi makes the dummies
        return f"xi: xtivreg2 {right}, fe {options}", ("xtivreg2", "ivreg2", "ranktest")
    return f"ivreg2 {right}, {options}", ("ivreg2", "ranktest")


def _small_scale(equation: Equation) -> float:
    """The multiplier that the equation would have with small-sample factors."""
    n, k, d, s = (float(str(equation.small[name])) for name in ("N", "K", "d (dofminus)", "s (sdofminus)"))
    if equation.covariance.type == "iid":
        return 1.0 / (n - k - d - s)
    if equation.covariance.type == "hc1":
        return n / (n - k - d - s)
    groups = equation.small["G"]
    g = float(min(groups)) if isinstance(groups, tuple) else float(str(groups))
    return g / (g - 1) * (n - 1) / (n - k - s)


def _tests(equation: Equation) -> list[str]:
    """Assertions about the identification and overidentification tests, of two-stage least squares."""
    if equation.method != "2sls":
        return []
    stored = dict(_STORED)
    lm = "anderson_lm" if equation.covariance.type == "iid" else "kleibergen_paap_rk_lm"
    stored[lm] = "e(idstat)"
    lines = []
    for test in equation.diagnostics:
        place = stored.get(test.test)
        exact = test.df1 == 0.0
        if place is None or test.statistic is None or test.statistic != test.statistic or exact or test.term:
            continue
        lines.append(f"assert reldif({place}, {number(test.statistic)}) < 1e-6    // {test.test}")
    return lines
