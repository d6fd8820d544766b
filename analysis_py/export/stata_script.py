"""The do-file of a model: the field's own commands, and an assertion for each of our numbers."""

from __future__ import annotations

from collections.abc import Sequence

from analysis_py.export.equation import CONSTANT, Equation, Export
from analysis_py.export.preparation import ENTERED
from analysis_py.export.stata_commands import (
    Command,
    Words,
    crossed_effects,
    least_squares_command,
    poisson_command,
)
from analysis_py.export.stata_iv import iv_command
from analysis_py.export.stata_more import descriptive_lines, hansen_command, joint_test_lines, search_lines
from analysis_py.export.wording import header, number

#: Longest line before it is continued.
WIDEST = 110


def write_do(export: Export, data_name: str) -> str:
    """The whole do-file."""
    said = header(export, "Stata", data_name, [])
    for effect in crossed_effects(export):
        export.names.add(effect)
    commands = [_command(export, e) for e in export.equations]
    body: list[str] = []
    for position, (equation, command) in enumerate(zip(export.equations, commands, strict=True)):
        body += ["", *_equation(export, equation, command)]
        for combination in export.combinations:
            if combination.equation == position:
                words = Words(export, equation)
                total = " + ".join(f"({number(w)})*{words.term(t)}" for t, w in combination.weights)
                body += ["", f"* {_plain(combination.title)}", f"lincom {total}"]
                body += _assertions("r(estimate)", "r(se)", combination.estimate, combination.std_error, command.ratio)
        body += _remember(export, equation, position)
    body += _products(export)
    packages = list(dict.fromkeys(p for c in commands for p in c.packages))
    for test in export.joint_tests:
        lines, more = joint_test_lines(export, test)
        body += ["", *lines]
        packages += [p for p in more if p not in packages]
    if export.search is not None:
        lines, more = search_lines(export, export.search)
        body += ["", *lines]
        packages += [p for p in more if p not in packages]
    if export.model.covariance.type == "wild" and "boottest" not in packages:
        packages.append("boottest")
    if export.model.estimator == "descriptive":
        body += ["", *descriptive_lines(export)]
    top = [f"* {line}".rstrip() for line in said]
    top += ["*", "* Run it in this folder: cd to it, then do the file."]
    if packages:
        top.append(f"* Packages: {'; '.join(f'ssc install {p}' for p in packages)}")
    lines = [*top, "", *_reading(export, data_name), *body]
    lines += ["", 'display as result "every number agrees with carbonpanel"', ""]
    return "\n".join(wrapped for line in lines for wrapped in _wrap(line))


def _reading(export: Export, data_name: str) -> list[str]:
    model, names = export.model, export.names
    lines = ["version 14", "clear all", "set more off", "set varabbrev off", "capture set maxvar 10000"]
    lines.append("capture set matsize 5000")
    lines += [f'use "{data_name}", clear', f"assert _N == {len(export.table)}"]
    unit = model.unit if model.unit in export.table.columns else None
    time = model.time if model.time in export.table.columns else None
    if unit and unit in export.identifiers:
        both = time if time and time in export.identifiers else None
        lines.append(f"xtset {names[unit]}{f' {names[both]}' if both else ''}")
    if ENTERED in export.table.columns:
        lines.append("* observations that a combination of regressors separates have no finite fit")
        lines.append(f"keep if {names[ENTERED]} == 1")
    for effect in crossed_effects(export):
        parts = " ".join(names[p.strip()] for p in effect.split("^"))
        lines.append(f"egen long {names[effect]} = group({parts})")
    if export.parts:
        lines += ["", "* slopes by regime; a bound lies half way between the two values that the threshold parts"]
    for part in export.parts:
        q = names[part.variable]
        bounds = [f"{q} > {number(part.low)}"] if part.low is not None else []
        bounds += [f"{q} < {number(part.high)}"] if part.high is not None else []
        lines.append(f"generate double {names[part.label]} = {names[part.term]} * ({' & '.join(bounds)})")
    return lines


def _command(export: Export, equation: Equation) -> Command:
    if equation.estimator == "poisson":
        return poisson_command(export, equation)
    if equation.estimator == "iv":
        return iv_command(export, equation)
    if equation.estimator == "hansen":
        return hansen_command(export, equation)
    return least_squares_command(export, equation)


def _equation(export: Export, equation: Equation, command: Command) -> list[str]:
    words = Words(export, equation)
    lines = [f"* {_plain(equation.title or 'the model')}", *command.lines]
    if command.counts_rows:
        lines.append(f"assert e(N) == {equation.n_obs}")
    for e in equation.expected:
        name = e.term if e.term == CONSTANT else words.term(e.term)
        if e.term == CONSTANT and command.constant == "none":
            lines.append("* the constant of this command is another one and is not compared")
            continue
        errors = command.ratio if e.term != CONSTANT or command.constant == "both" else None
        lines += _assertions(f"_b[{name}]", f"_se[{name}]", e.estimate, e.std_error, errors)
    lines += command.after
    if equation.covariance.type == "wild":
        lines += _boottest(words)
    return lines


def _boottest(words: Words) -> list[str]:
    """The bootstrap, for its p-values: draws differ from program to program, so nothing is asserted of them."""
    spec, model = words.equation.covariance, words.export.model
    options = dict(spec.options)
    draws, seed = options.get("draws", 9999), options.get("seed")
    kind = " weighttype(webb)" if options.get("distribution") == "webb" else ""
    boot = f" bootcluster({words.effect(str(options['boot_by']))})" if options.get("boot_by") else ""
    lines = ["* p-values and intervals of the wild cluster bootstrap; draws differ, so they are shown and not asserted"]
    return lines + [
        f"boottest {words.term(t)}, cluster({words.clusters}){boot} reps({draws}){kind}"
        + (f" seed({seed})" if seed is not None else "")
        + " nograph"
        for t in words.equation.regressors
        if t in model.treatment
    ]


def _assertions(b: str, se: str, estimate: float, error: float, ratio: float | None) -> list[str]:
    """Lines that show both numbers and stop where they differ; without a ratio the error is only shown."""
    factor = "" if ratio in (1.0, None) else f" * sqrt({number(float(ratio or 1.0))})"
    lines = [f'display "{_quiet(b)}: here " %18.0g {b} "  carbonpanel {number(estimate)}"']
    lines.append(_assert(b, estimate, abs(error)))
    if ratio is None:
        lines.append(f'display "{_quiet(se)}: here " %18.0g {se} "  carbonpanel {number(error)} (not asserted)"')
    else:
        lines.append(_assert(f"{se}{factor}", error, 0.0))
    return lines


def _assert(what: str, value: float, unit: float) -> str:
    """An assertion to six digits. reldif adds one to what it divides by, so small numbers are divided out first."""
    if abs(value) >= 0.01:
        return f"assert reldif({what}, {number(value)}) < 1e-6"
    if abs(value) >= 0.01 * unit and value != 0.0:
        return f"assert reldif(({what})/{_bracketed(value)}, 1) < 5e-7"
    return f"assert abs({what} - {_bracketed(value)}) <= 1e-6 * {number(unit or 1.0)}"


def _bracketed(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)


def _quiet(text: str) -> str:
    return text.replace('"', "")


def _remember(export: Export, equation: Equation, position: int) -> list[str]:
    """Scalars for the coefficients that products need later."""
    words = Words(export, equation)
    wanted = {pair for p in export.indirect for pair in (p.first, p.second) if pair[0] == position}
    return [f"scalar path_{position + 1}_{words.name(t)[:20]} = _b[{words.name(t)}]" for _, t in sorted(wanted)]


def _products(export: Export) -> list[str]:
    if not export.indirect:
        return []
    lines = [
        "",
        "* indirect effects are products of two coefficients; their errors come from a bootstrap of whole clusters",
        "* (indirect) or from stacked scores (gelbach, see b1x2 of Gelbach) and are not redone here",
    ]
    for product in export.indirect:
        names = [f"scalar(path_{i + 1}_{export.names[t][:20]})" for i, t in (product.first, product.second)]
        lines.append(f"* {_plain(product.title)}")
        lines.append(_assert(f"{names[0]} * {names[1]}", product.estimate, 0.0))
    return lines


def _plain(text: str) -> str:
    return " ".join(text.split())


def _wrap(line: str) -> Sequence[str]:
    """Long commands continued by ///; comments and short lines as they are."""
    if len(line) <= WIDEST or line.lstrip().startswith("*"):
        return [line]
    lines, current = [], ""
    for word in line.split(" "):
        if current and len(current) + len(word) > WIDEST - 5 and current.count('"') % 2 == 0:
            lines.append(f"{current} ///")
            current = f"    {word}"
        else:
            current = f"{current} {word}" if current else word
    return [*lines, current]
