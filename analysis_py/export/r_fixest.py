"""The lines of an R script that fit a model by fixest, and the formula they use."""

from __future__ import annotations

import json

from analysis_py.export.equation import CONSTANT, Equation, Export
from analysis_py.export.scales import fixest_choice
from analysis_py.export.wording import number

#: fixest called the same rule by two names.
COUNTING = [
    "# Which fixed effects fixest counts as parameters: those not nested in clusters, or all.",
    "counting <- function(rule) {",
    '  if (utils::packageVersion("fixest") >= "0.13.0") return(fixest::ssc(K.fixef = rule))',
    '  fixest::ssc(fixef.K = c(nonnested = "nested", full = "full")[[rule]])',
    "}",
]

_KINDS = {"iid": '"iid"', "hc1": '"hetero"'}


def fixest_formula(export: Export, equation: Equation) -> str:
    """``y ~ x | a + b``, with ``| endogenous ~ instruments`` at the end for instrumental variables."""
    names = export.names
    right = " + ".join(names[t] for t in (*equation.regressors, *equation.silent)) or "1"
    parts = [f"{names[equation.outcome]} ~ {right}"]
    if equation.effects:
        parts.append(" + ".join(_effect(export, e) for e in equation.effects))
    if equation.estimator == "iv":
        endogenous = " + ".join(names[t] for t in equation.endogenous)
        parts.append(f"{endogenous} ~ {' + '.join(names[z] for z in equation.instruments)}")
    return " | ".join(parts)


def fixest_covariance(export: Export, equation: Equation) -> str | None:
    """``vcov`` of fixest, in R; None where fixest has none like ours."""
    spec = equation.covariance
    if spec.type in _KINDS:
        return _KINDS[spec.type]
    if spec.type in ("cluster", "wild"):
        return "~" + " + ".join(_effect(export, c) for c in spec.by)
    return None


def fixest_lines(export: Export, equation: Equation, prefix: str) -> list[str]:
    """The block for one equation; empty where fixest has no such estimator."""
    if equation.estimator == "hansen" or (equation.estimator == "iv" and equation.method != "2sls"):
        return []
    function = "fepois" if equation.estimator == "poisson" else "feols"
    weights = ", weights = ~weight_of_row" if export.model.weights else ""
    lines = ['if (requireNamespace("fixest", quietly = TRUE)) {']
    if weights:
        lines.append("  d$weight_of_row <- w")
    exact = ", glm.tol = 1e-12" if function == "fepois" else ""
    if equation.effects:
        exact += ', fixef.rm = "none", fixef.tol = 1e-11' if function == "feols" else ", fixef.tol = 1e-11"
    lines += [
        f"  est <- fixest::{function}({fixest_formula(export, equation)},",
        f"                       data = d{weights}{exact}, notes = FALSE)",
    ]
    kind = fixest_covariance(export, equation)
    choice = fixest_choice(export.table, equation)
    if kind is None or choice is None:
        lines.append("  # fixest has no covariance like this one: the coefficients alone are compared")
    else:
        rule, ratio = choice
        lines.append(f'  V <- vcov(est, vcov = {kind}, ssc = counting("{rule}"))')
        if ratio != 1.0:
            lines.append("  # the convention counts degrees of freedom in another way than fixest")
            lines.append(f"  V <- V * {number(ratio)}")
    for e in equation.expected:
        if e.term == CONSTANT and equation.effects:
            continue
        name = "(Intercept)" if e.term == CONSTANT else export.names[e.term]
        shown = f"fit_{name}" if e.term in equation.endogenous else name
        title = json.dumps(f"{prefix}fixest, {name}", ensure_ascii=True)
        found = json.dumps(shown)
        lines.append(f"  check({title}, coef(est)[{found}], {number(e.estimate)}, {number(e.std_error)})")
        if kind is not None and choice is not None:
            lines.append(f"  check({title}, sqrt(V[{found}, {found}]), {number(e.std_error)})")
    return [*lines, "}"]


def _effect(export: Export, effect: str) -> str:
    if effect in export.table.columns:
        return export.names[effect]
    return "^".join(export.names[part.strip()] for part in effect.split("^"))
