"""How columns, effects and covariances of an equation are spelled in R."""

from __future__ import annotations

import json

from analysis_py.export.equation import Equation, Export
from analysis_py.export.wording import number


def r_text(text: str) -> str:
    """A string of R in ASCII, whatever the language of the text."""
    return json.dumps("".join(c if ord(c) < 0x10000 else "?" for c in text), ensure_ascii=True)


def r_vector(names: list[str]) -> str:
    return f"c({', '.join(r_text(n) for n in names)})"


def effect_columns(export: Export, effect: str) -> list[str]:
    """The columns of an effect or cluster, by name: one, or those of an interaction."""
    if effect in export.table.columns:
        return [export.names[effect]]
    return [export.names[part.strip()] for part in effect.split("^")]


def singletons_go(equation: Equation) -> str:
    """The effects whose singletons the convention drops, as an expression of R; empty where none is."""
    if equation.convention in ("reghdfe", "ivreghdfe"):
        return "effects"
    return "effects[1]" if equation.convention == "xtivreg2" else ""


def matrix(export: Export, labels: tuple[str, ...]) -> str:
    """Columns of ``d`` as a matrix, in R."""
    if not labels:
        return "matrix(0, nrow(d), 0)"
    return f"as.matrix(d[, {r_vector([export.names[t] for t in labels])}, drop = FALSE])"


def covariance_call(export: Export, equation: Equation, scale: str = "scale") -> str:
    """The call that makes V of ``fit``."""
    spec = equation.covariance
    kind = "cluster" if spec.type == "wild" else spec.type
    parts = ["fit", f'"{kind}"', scale]
    if equation.estimator == "poisson" and kind == "iid":
        parts[1] = '"information"'
    rows = "d[fit$rows, ]" if equation.estimator == "hansen" else "d"
    if spec.by:
        groups = ", ".join(f"levels_of({rows}, {r_vector(effect_columns(export, c))})" for c in spec.by)
        parts.append(f"groups = list({groups})")
    if kind in ("hc2", "hc3", "cr2", "cr3"):
        parts.append("X = X, effects = FE")
    if kind == "driscoll_kraay":
        lag = equation.small.get("lag", spec.option("lag"))
        parts.append(f'period = levels_of(d, "{export.names[str(export.model.time)]}"), lag = {lag}')
    if kind == "conley":
        lon, lat = (export.names[str(spec.option(o))] for o in ("lon", "lat"))
        parts.append(f"lon = d${lon}, lat = d${lat}, cutoff = {number(float(str(spec.option('cutoff_km'))))}")
        parts.append(f'kernel = "{spec.option("kernel", "uniform")}"')
    if equation.estimator == "iv":
        parts.append("repair = FALSE")
    return f"V <- covariance({', '.join(parts)})"
