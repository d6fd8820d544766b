"""What both scripts say of a model: its header, its conventions in words, its small-sample factors as formulas."""

from __future__ import annotations

import math
import re
import textwrap

from analysis_py.estimators.conventions import CONVENTIONS
from analysis_py.estimators.iv_conventions import IV_CONVENTIONS
from analysis_py.estimators.result import CovarianceSpec
from analysis_py.estimators.threshold_conventions import THRESHOLD_CONVENTIONS
from analysis_py.export.equation import Equation, Export
from analysis_py.settings import SIMULATED_NOTICE

_COVARIANCES = {
    "iid": "conventional errors",
    "hc1": "heteroskedasticity-robust errors",
    "hc2": "HC2 errors (squared residuals over 1 - leverage)",
    "hc3": "HC3 errors (squared residuals over (1 - leverage) squared)",
    "cluster": "errors clustered by {by}",
    "cr2": "CR2 errors clustered by {by} (Bell & McCaffrey 2002)",
    "cr3": "CR3 errors clustered by {by} (jackknife that leaves one cluster out)",
    "wild": "errors clustered by {by}; p-values and intervals by a wild cluster bootstrap",
    "conley": "spatial errors (Conley 1999) within {cutoff_km} km, {kernel} kernel",
    "driscoll_kraay": "Driscoll-Kraay errors, lag {lag}",
}


def number(value: float) -> str:
    """A number in full precision."""
    return repr(float(value))


def one_line(text: str) -> str:
    """Text without line breaks or other control characters, fit for a comment."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else " " for c in text).split())


def describe_covariance(spec: CovarianceSpec, equation: Equation | None) -> str:
    """The covariance in words."""
    lag = spec.option("lag") if equation is None else equation.small.get("lag", spec.option("lag"))
    return _COVARIANCES[spec.type].format(
        by=" and ".join(spec.by),
        cutoff_km=spec.option("cutoff_km"),
        kernel=spec.option("kernel", "uniform"),
        lag=lag,
    )


def describe_convention(export: Export) -> str:
    """The convention in one sentence."""
    name = str(export.run.convention)
    if export.model.estimator == "iv" and name in IV_CONVENTIONS:
        return f"{name} ({IV_CONVENTIONS[name].imitates}). {IV_CONVENTIONS[name].description}"
    if export.model.estimator == "threshold":
        return f"{name}. {THRESHOLD_CONVENTIONS[name].description}"
    if export.model.estimator == "poisson":
        return f"{name}. Poisson pseudo-maximum likelihood: see the factor below."
    return f"{name} ({CONVENTIONS[name].imitates}). {CONVENTIONS[name].description}"


def scale_formula(equation: Equation) -> tuple[str, list[tuple[str, str]]]:
    """The multiplier of the covariance as a formula of counts, and the counts: (formula, [(name, value)]).

    A number where no formula of N, K, G, d and s gives it.
    """
    small = equation.small
    stated = str(small.get(equation.covariance.type, "")).split(",")[0]
    groups = small.get("G")
    values = {
        "N": small.get("N"),
        "K": small.get("K"),
        "G": min(groups) if isinstance(groups, tuple) else groups,
        "d": small.get("d (dofminus)"),
        "s": small.get("s (sdofminus)"),
        "units": small.get("units"),
    }
    known = {k: v for k, v in values.items() if isinstance(v, int | float)}
    formula = stated.removesuffix(" (large sample)").replace("RSS/", "1/").replace("N-units-K", "N-units-K")
    if equation.covariance.type == "cr3" and "(G-1)/G" in str(small.get("cr3")):
        formula = "(G-1)/G"
    elif equation.covariance.type == "wild":
        formula = "G/(G-1)*(N-1)/(N-K)"
    elif equation.covariance.type in ("hc2", "hc3", "cr2", "cr3"):
        formula = "1"
    allowed = re.fullmatch(r"(?:units|[NKGds()+\-*/1 ])+", formula)
    names = re.findall(r"units|[NKGds]", formula)
    if allowed is None or any(n not in known for n in names):
        return number(equation.scale), []
    value = _evaluate(formula, {n: float(known[n]) for n in names})
    if not math.isclose(value, equation.scale, rel_tol=1e-12):
        return number(equation.scale), []
    return formula, [(n, str(int(known[n]))) for n in dict.fromkeys(names)]


def _evaluate(formula: str, values: dict[str, float]) -> float:
    """A formula of counts; only names, digits, brackets and the four operations are in it."""
    tokens = re.findall(r"units|[NKGds]|\d+|[()+\-*/]", formula)
    position = 0

    def peek() -> str:
        return tokens[position] if position < len(tokens) else ""

    def take() -> str:
        nonlocal position
        position += 1
        return tokens[position - 1]

    def factor() -> float:
        token = take()
        if token == "(":
            found = total()
            take()
            return found
        return values[token] if token in values else float(token)

    def product() -> float:
        found = factor()
        while peek() in ("*", "/"):
            found = found * factor() if take() == "*" else found / factor()
        return found

    def total() -> float:
        found = product()
        while peek() in ("+", "-"):
            found = found + product() if take() == "+" else found - product()
        return found

    return total()


def header(export: Export, program: str, data_name: str, packages: list[str]) -> list[str]:
    """The lines a script begins with, without their comment signs."""
    model, run = export.model, export.run
    titles = run.title or {}
    lines = [f"{run.id} of the study {model.study}" + (f", Table {model.table}" if model.table else "")]
    lines += [one_line(t) for t in titles.values()]
    if export.study.is_simulated:
        lines += ["", SIMULATED_NOTICE]
    lines += [
        "",
        f"Redoes in {program} the numbers that carbonpanel gives, from {data_name}, and stops where they differ.",
    ]
    if run.sample:
        rows = f"Rows: {one_line(run.sample)}, complete in every variable{_singletons(export)}"
        lines += textwrap.wrap(rows, 110, subsequent_indent="  ")
    elif model.estimator != "descriptive":
        lines.append("Rows: complete in every variable" + _singletons(export))
    if model.estimator != "descriptive":
        first = export.equations[0]
        lines += textwrap.wrap(f"Convention: {describe_convention(export)}", 110, subsequent_indent="  ")
        lines.append(f"Errors: {describe_covariance(model.covariance, first)}.")
        formula, counts = scale_formula(first)
        shown = ", ".join(f"{n} = {v}" for n, v in counts)
        what = "Residual sum of squares times" if first.divisor is not None else "Small-sample factor"
        lines.append(f"{what}: {formula}" + (f" with {shown}." if shown else "."))
    if packages:
        lines += ["", *packages]
    lines += ["", "What carbonpanel gives:"]
    for equation in export.equations:
        if equation.title:
            lines.append(f"  {one_line(equation.title)}")
        lines += [
            f"  {e.term:<24} {e.estimate:>16.9g}   standard error {e.std_error:<14.9g}" for e in equation.expected
        ]
        lines.append(f"  N = {equation.n_obs}")
    names = [f"  {name:<{_width(export)}}  {one_line(label)}" for label, name in _renamed(export)]
    if names:
        lines += ["", "Names that had to change:", *names]
    if export.group_names:
        lines += ["", "Groups:", *(f"  {i}  {one_line(g)}" for i, g in enumerate(export.group_names, start=1))]
    for note in (*export.notes, *([run.message] if run.message else [])):
        lines += ["", *textwrap.wrap(f"Note: {one_line(note)}", 110)]
    return lines


def _singletons(export: Export) -> str:
    dropped = export.run.n_singletons_dropped
    return f"; {dropped} of them are singletons that are in the data and are dropped here" if dropped else ""


def _renamed(export: Export) -> list[tuple[str, str]]:
    shown = {*export.table.columns, *(part.label for part in export.parts)}
    return [(label, name) for label, name in export.names.mapping.items() if label != name and label in shown]


def _width(export: Export) -> int:
    return max((len(name) for _, name in _renamed(export)), default=0)
