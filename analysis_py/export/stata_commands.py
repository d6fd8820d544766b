"""Stata's command for one equation: what to type, what it gives, and what it has to be multiplied by to be ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analysis_py.estimators.factors import encode, find_singletons
from analysis_py.estimators.result import CovarianceSpec
from analysis_py.export.equation import Equation, Export
from analysis_py.export.preparation import GROUP
from analysis_py.export.scales import SAME, scale_under


@dataclass(frozen=True)
class Command:
    """Lines that fit an equation.

    ``ratio`` is our variance over the command's, None where the command has no such covariance (then only the
    estimates are asserted); ``constant`` says whether its constant is ours ("both", "estimate" or "none");
    ``packages`` what has to be installed; ``after`` what is worth typing next; ``counts_rows`` whether e(N) is ours.
    """

    lines: list[str]
    ratio: float | None = 1.0
    constant: str = "none"
    packages: tuple[str, ...] = ()
    after: list[str] = field(default_factory=list)
    counts_rows: bool = True


class Words:
    """Spells columns, effects and conditions of one equation for Stata."""

    def __init__(self, export: Export, equation: Equation) -> None:
        self.export = export
        self.equation = equation

    def name(self, label: str) -> str:
        return self.export.names[label]

    def term(self, label: str) -> str:
        """A regressor: products of a moderation are written c.a#c.b."""
        for first, second, product in self.export.products:
            if product == label:
                return f"c.{self.name(first)}#c.{self.name(second)}"
        return self.name(label)

    def terms(self, labels: Sequence[str]) -> str:
        return " ".join(self.term(t) for t in labels)

    def effect(self, effect: str) -> str:
        """The variable of an effect or cluster; an interaction has one of its own (see :func:`crossed_effects`)."""
        return self.name(effect)

    def dummies(self, effects: Sequence[str]) -> str:
        return " ".join(f"i.{self.effect(e)}" for e in effects)

    @property
    def condition(self) -> str:
        return "" if self.equation.group is None else f" if {self.name(GROUP)} == {self.equation.group}"

    def weights(self, kind: str = "aw") -> str:
        weights = self.export.model.weights
        return f" [{kind}={self.name(weights)}]" if weights else ""

    @property
    def clusters(self) -> str:
        return " ".join(self.effect(c) for c in self.equation.covariance.by)


def crossed_effects(export: Export) -> list[str]:
    """Effects and clusters that are interactions, each of which the script gives a variable."""
    every = [e for equation in export.equations for e in (*equation.effects, *equation.covariance.by)]
    return [e for e in dict.fromkeys(every) if e not in export.table.columns]


def least_squares_command(export: Export, equation: Equation) -> Command:
    """xtreg, areg, reghdfe or regress, whichever gives the covariance."""
    words = Words(export, equation)
    kind = _kind(equation)
    if kind in ("cr2", "cr3", "conley", "driscoll_kraay"):
        return _without_its_errors(export, equation)
    if kind in ("hc2", "hc3"):
        return _with_all_dummies(words, kind)
    if not equation.effects:
        if kind == "cluster" and len(equation.covariance.by) > 1:
            return _reghdfe(words, keep=True)
        how = {"iid": "", "hc1": ", vce(robust)", "cluster": f", vce(cluster {words.clusters})"}[kind]
        return Command([f"regress {_right(words)}{how}"], constant="both")
    if equation.convention == "reghdfe":
        return _reghdfe(words, keep=False)
    if equation.convention == "fixest" or len(equation.covariance.by) > 1:
        return _reghdfe(words, keep=True)
    return _absorbing(words, kind)


def _kind(equation: Equation) -> str:
    return "cluster" if equation.covariance.type == "wild" else equation.covariance.type


def _right(words: Words, dummies: Sequence[str] = ()) -> str:
    equation = words.equation
    parts = [words.name(equation.outcome), words.terms(equation.regressors), words.dummies(dummies)]
    return " ".join(p for p in parts if p) + words.condition + words.weights()


def _absorbing(words: Words, kind: str) -> Command:
    """xtreg where it has the covariance, else areg, which counts every effect."""
    equation = words.equation
    first, later = equation.effects[0], equation.effects[1:]
    nested = str(equation.small.get("nested", "")).split(", ")
    xtreg = equation.convention == "xtreg" and (kind == "iid" or (kind == "cluster" and first in nested))
    right = _right(words, later)
    how = {"iid": "", "hc1": " vce(robust)", "cluster": f" vce(cluster {words.clusters})"}[kind]
    constant = "both" if equation.constant_holds else "none"
    if xtreg and not _weights_vary(words.export, equation):
        unit = words.effect(first)
        panel = [] if first == words.export.model.unit else [f"xtset {unit}"]
        return Command([*panel, f"xtreg {right}, fe{how}"], constant=constant)
    lines = []
    if equation.convention == "xtreg":
        why = {
            "iid": "xtreg refuses weights that vary within units: areg gives the same errors",
            "hc1": "xtreg, fe vce(robust) would cluster by unit: these are areg's robust errors",
            "cluster": "xtreg refuses clusters that units are not nested in: areg counts the units' effects, as here",
        }[kind]
        lines.append(f"* {why}")
    return Command([*lines, f"areg {right}, absorb({words.effect(first)}){how}"], constant=constant)


def _weights_vary(export: Export, equation: Equation) -> bool:
    weights = export.model.weights
    if not weights:
        return False
    rows = export.table.iloc[equation.used]
    level = encode(rows, equation.effects[0]).codes
    values = rows[weights].to_numpy(dtype=float)
    first = np.empty(level.max() + 1)
    first[level] = values
    return not np.allclose(first[level], values, rtol=1e-12, atol=0.0)


def _reghdfe(words: Words, *, keep: bool) -> Command:
    equation, export = words.equation, words.export
    kind = _kind(equation)
    how = {"iid": "unadjusted", "hc1": "robust", "cluster": f"cluster {words.clusters}"}[kind]
    absorb = f"absorb({' '.join(words.effect(e) for e in equation.effects)})" if equation.effects else "noabsorb"
    spec = CovarianceSpec("cluster", equation.covariance.by) if kind == "cluster" else equation.covariance
    rows = export.table.iloc[equation.used]
    theirs = scale_under("reghdfe", rows, equation.effects, spec, len(equation.slopes), None)
    ratio = None if theirs is None else equation.scale / theirs
    lines = [f"reghdfe {_right(words)}, {absorb} vce({how}){' keepsingletons' if keep and equation.effects else ''}"]
    if ratio is not None and abs(ratio - 1.0) > SAME:
        lines.insert(0, f"* reghdfe counts degrees of freedom in another way than {equation.convention}: its errors")
        lines.insert(1, "* are multiplied by the root of the ratio of the two factors before they are compared")
    else:
        ratio = 1.0 if ratio is not None else None
    constant = "estimate" if equation.convention == "reghdfe" and equation.effects else "none"
    return Command(lines, ratio, constant, ("reghdfe", "ftools"))


def _with_all_dummies(words: Words, kind: str) -> Command:
    """HC2 and HC3 need the leverages of the regression with all its dummies."""
    equation = words.equation
    right = _right(words, equation.effects)
    if equation.convention == "reghdfe" and equation.effects and words.export.run.n_singletons_dropped:
        absorb = " ".join(words.effect(e) for e in equation.effects)
        sample = right.replace(" if ", " if e(sample) & ") if " if " in right else _insert_condition(words, right)
        return Command(
            [f"quietly reghdfe {_right(words)}, absorb({absorb})", f"regress {sample}, vce({kind})"],
            packages=("reghdfe", "ftools"),
        )
    return Command([f"regress {right}, vce({kind})"], constant="none" if equation.effects else "both")


def _insert_condition(words: Words, right: str) -> str:
    weights = words.weights()
    return right.removesuffix(weights) + " if e(sample)" + weights


def _without_its_errors(export: Export, equation: Equation) -> Command:
    """Covariances that no command of Stata gives: the estimates by a command that has them, the nearest in words."""
    words, spec = Words(export, equation), equation.covariance
    by = spec.by if spec.type in ("cr2", "cr3") else ()
    plain = replace(equation, covariance=CovarianceSpec("cluster", by) if by else CovarianceSpec("hc1"))
    found = least_squares_command(export, plain)
    first = words.effect(equation.effects[0]) if equation.effects else ""
    right = _right(words, equation.effects[1:])
    dummies = _right(words, equation.effects)
    near = {
        "cr2": [f"regress {dummies}, vce(hc2 {words.clusters})     // Stata 18: CR2 by its own rule for dummies"],
        "cr3": [
            f"jackknife, cluster({words.clusters}) mse: "
            + (f"areg {right}, absorb({first})" if first else f"regress {right}")
        ],
        "conley": [f"acreg {_acreg(words) if spec.type == 'conley' else ''}"],
        "driscoll_kraay": [f"xi: xtscc {right}, fe lag({equation.small.get('lag', spec.option('lag'))})"],
    }[spec.type]
    said = {
        "cr2": "No command of older Statas gives CR2 errors, and that of Stata 18 was not checked",
        "cr3": "CR3 errors are a jackknife over clusters, one fit a cluster",
        "conley": "No command of Stata gives Conley's errors with this convention's factor",
        "driscoll_kraay": "No command of Stata gives Driscoll and Kraay's errors with this convention's factor",
    }[spec.type]
    lines = [
        f"* {said}: the estimates",
        "* alone are asserted. The nearest, for comparison:",
        *(f"*   {line}" for line in near),
    ]
    packages = {"conley": ("acreg",), "driscoll_kraay": ("xtscc",)}.get(spec.type, ())
    constant = "estimate" if found.constant != "none" else "none"
    return Command([*lines, *found.lines], None, constant, (*found.packages, *packages))


def _acreg(words: Words) -> str:
    spec, model = words.equation.covariance, words.export.model
    lon, lat = (words.name(str(spec.option(o))) for o in ("lon", "lat"))
    bartlett = " bartlett" if spec.option("kernel") == "bartlett" else ""
    effects = " ".join(f"pfe{i}({words.effect(e)})" for i, e in enumerate(words.equation.effects, start=1))
    keys = f"id({words.name(model.unit)}) time({words.name(model.time)}) " if model.unit and model.time else ""
    return (
        f"{_right(words)}, {keys}spatial latitude({lat}) longitude({lon}) dist({spec.option('cutoff_km')})"
        f"{bartlett} {effects}"
    ).rstrip()


def poisson_command(export: Export, equation: Equation) -> Command:
    """ppmlhdfe, or xtpoisson and poisson for the likelihood's own errors."""
    words, kind = Words(export, equation), _kind(equation)
    effects = equation.effects
    weights, plain = words.weights("pw"), _right(words).removesuffix(words.weights())
    if kind == "iid":
        dummies = f"poisson {_right(words, effects).removesuffix(words.weights())}{words.weights('iw')}, vce(oim)"
        if effects and effects[0] == export.model.unit and not export.model.weights:
            dummies = f"xtpoisson {_right(words, effects[1:])}, fe"
        ratio = equation.scale
        note = ["* fixest scales these by (N-1)/(N-K)"] if ratio != 1.0 else []
        return Command([*note, dummies], ratio, counts_rows=False)
    absorb = f"absorb({' '.join(words.effect(e) for e in effects)})" if effects else "noabsorb"
    keep = "" if equation.convention == "reghdfe" else " keepsingletons"
    command = f"ppmlhdfe {plain}{weights}, {absorb} vce(%s) tolerance(1e-10){keep if effects else ''}"
    packages = ("ppmlhdfe", "reghdfe", "ftools")
    if kind in ("conley", "driscoll_kraay"):
        lines = ["* No command of Stata gives these errors for Poisson: the estimates alone are asserted."]
        return Command([*lines, command % "robust"], None, packages=packages)
    how = "robust" if kind == "hc1" else f"cluster {words.clusters}"
    n, groups = equation.n_obs, equation.small.get("G")
    rows = export.table.iloc[equation.used]
    smallest = min((encode(rows, c).levels for c in equation.covariance.by), default=groups)
    theirs = n / (n - 1) if kind == "hc1" else float(str(smallest)) / (float(str(smallest)) - 1)
    ratio = equation.factor / theirs
    lines = ["* ppmlhdfe's factors, N/(N-1) and G/(G-1), were taken from its documentation, not from its output"]
    if abs(ratio - 1.0) > SAME:
        lines.append(
            f"* its errors are multiplied by the root of the ratio of the factors of {equation.convention} and its own"
        )
    return Command([*lines, command % how], ratio if abs(ratio - 1.0) > SAME else 1.0, packages=packages)


def kept_rows(export: Export, effects: Sequence[str]) -> np.ndarray:
    """Rows of the table that are left after singletons of these effects go."""
    singles = {row for row, _ in find_singletons([encode(export.table, e) for e in effects])}
    return np.array([row for row in range(len(export.table)) if row not in singles], dtype=np.int64)
