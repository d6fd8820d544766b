"""The R script of a model: a route in base R, and one by fixest where that is installed; both check our numbers."""

from __future__ import annotations

import re
from pathlib import Path

from analysis_py.export.equation import CONSTANT, Equation, Export
from analysis_py.export.preparation import ENTERED, GROUP
from analysis_py.export.r_fixest import COUNTING, fixest_lines
from analysis_py.export.r_spelling import covariance_call, effect_columns, matrix, r_text, r_vector, singletons_go
from analysis_py.export.r_tests import descriptive_lines, joint_test_lines, search_lines
from analysis_py.export.wording import header, number, scale_formula

_PACKAGES = [
    "No package is needed. Where fixest is installed (install.packages('fixest')) the model is fitted by it as well.",
    "Run it in this folder, or as: Rscript FILE",
]


def write_r(export: Export, data_name: str) -> str:
    """The whole script."""
    lines = [f"# {line}".rstrip() for line in header(export, "R", data_name, _PACKAGES)]
    lines += ["", *_reading(export, data_name), "", *_library("base_r.R")]
    if export.search is not None and not export.search.options.get("given"):
        lines += ["", *_library("search_r.R")]
    lines += ["", "# --- the model " + "-" * 105]
    if any(fixest_lines(export, e, "") for e in export.equations):
        lines += ["", *COUNTING]
    lines += ["", *_effects(export)] if export.equations else []
    if export.parts:
        lines += ["", *_parts(export)]
    for position, equation in enumerate(export.equations):
        lines += ["", *_equation(export, equation, position)]
    for combination in export.combinations:
        at = r_vector([_name(export, t) for t, _ in combination.weights])
        lines += [
            "",
            f"fit <- fits[[{combination.equation + 1}]]",
            f"at <- match({at}, fit$names)",
            f"L <- c({', '.join(number(w) for _, w in combination.weights)})",
            f"check({r_text(combination.title)}, sum(L * fit$b[at]), {number(combination.estimate)},"
            f" {number(combination.std_error)})",
            f"check({r_text(combination.title + ': standard error')}, sqrt(drop(t(L) %*% fit$V[at, at] %*% L)),"
            f" {number(combination.std_error)})",
        ]
    if export.indirect:
        lines += [
            "",
            "# Indirect effects are products of two coefficients. Their errors come from a bootstrap of clusters",
        ]
        lines += ["# (indirect) or from stacked scores (gelbach) and are not redone: draws differ between programs."]
        lines += ["coefficient <- function(i, name) fits[[i]]$b[match(name, fits[[i]]$names)]"]
    for product in export.indirect:
        a, b = ((i + 1, r_text(_name(export, t))) for i, t in (product.first, product.second))
        lines.append(
            f"check({r_text(product.title)}, coefficient({a[0]}, {a[1]}) * coefficient({b[0]}, {b[1]}),"
            f" {number(product.estimate)})"
        )
    for test in export.joint_tests:
        lines += ["", *joint_test_lines(export, test)]
    if export.search is not None:
        lines += ["", *search_lines(export, export.search)]
    if export.model.estimator == "descriptive":
        lines += ["", *descriptive_lines(export)]
    lines += ["", 'cat(checked, "numbers agree with carbonpanel\\n")', "stopifnot(checked > 0)", ""]
    return "\n".join(lines)


def _library(name: str) -> list[str]:
    return (Path(__file__).parent / name).read_text(encoding="utf-8").rstrip().split("\n")


def _reading(export: Export, data_name: str) -> list[str]:
    texts = [f'{export.names[c]} = "character"' for c in export.table.columns if export.table[c].dtype.kind in "OSU"]
    classes = f", colClasses = c({', '.join(texts)})" if texts else ""
    return [
        'folder <- "."',
        f"if (!file.exists({r_text(data_name)})) {{",
        '  script <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))',
        '  if (length(script)) folder <- dirname(gsub("~+~", " ", script[1], fixed = TRUE))',
        "}",
        f'data <- read.csv(file.path(folder, {r_text(data_name)}), encoding = "UTF-8"{classes})',
        f"stopifnot(nrow(data) == {len(export.table)})",
    ]


def _name(export: Export, term: str) -> str:
    return term if term == CONSTANT else export.names[term]


def _effects(export: Export) -> list[str]:
    first = export.equations[0]
    shown = ", ".join(r_vector(effect_columns(export, e)) for e in first.effects)
    return ["fits <- list()", f"effects <- list({shown})"]


def _parts(export: Export) -> list[str]:
    lines = ["# Slopes by regime. A bound lies half way between the two values that the threshold parts."]
    for part in export.parts:
        q = f"data${export.names[part.variable]}"
        bounds = [f"{q} > {number(part.low)}"] if part.low is not None else []
        bounds += [f"{q} < {number(part.high)}"] if part.high is not None else []
        column = export.names[part.label]
        lines.append(f"data${column} <- ifelse({' & '.join(bounds)}, data${export.names[part.term]}, 0)")
    return lines


def _rows(export: Export, equation: Equation) -> list[str]:
    lines = ["d <- data"]
    if equation.group is not None:
        lines.append(f"d <- d[d${export.names[GROUP]} == {equation.group}, ]")
    if ENTERED in export.table.columns:
        lines.append(f"d <- d[d${export.names[ENTERED]} == 1, ]")
    elif equation.estimator == "poisson":
        drops = "TRUE" if equation.convention == "reghdfe" else "FALSE"
        outcome = r_text(export.names[equation.outcome])
        # separated rows and singletons make one another, so both go until neither is left
        if equation.convention == "reghdfe":
            lines.append("d <- d[keep_repeated(d, effects), ]")
        lines.append(f"d <- d[keep_not_separated(d, {outcome}, effects, {drops}), ]")
    elif singletons_go(equation) and equation.effects:
        lines.append(f"d <- d[keep_repeated(d, {singletons_go(equation)}), ]")
    weights = f"d${export.names[export.model.weights]}" if export.model.weights else ""
    return [
        *lines,
        f"stopifnot(nrow(d) == {equation.n_obs})",
        f"w <- {weights} / mean({weights})" if weights else "w <- rep(1, nrow(d))",
        "FE <- lapply(effects, function(columns) levels_of(d, columns))",
    ]


def _fit(export: Export, equation: Equation) -> list[str]:
    outcome = f"d${export.names[equation.outcome]}"
    if equation.estimator == "poisson":
        return [f"X <- {matrix(export, equation.regressors)}", f"fit <- fit_poisson({outcome}, X, FE, w)"]
    if equation.estimator == "hansen":
        names = export.names
        time = f'levels_of(d, "{names[str(export.model.time)]}")' if export.model.time else "seq_len(nrow(d))"
        unit = f'levels_of(d, "{names[str(export.model.unit)]}")'
        return [
            f"X <- {matrix(export, equation.regressors)}",
            f"fit <- fit_hansen({outcome}, X, FE, {unit}, {time})",
        ]
    if equation.estimator == "iv":
        options = ""
        if equation.method != "2sls":
            options = f', method = "{equation.method}"'
            options += f", k = {number(equation.k)}" if equation.k is not None else ""
            counted = equation.small.get("L", 0)
            options += (
                f", fuller = {number(equation.fuller)}, counted = {counted}" if equation.method == "fuller" else ""
            )
        return [
            f"fit <- fit_iv({outcome}, {matrix(export, equation.endogenous)},",
            f"              {matrix(export, (*equation.regressors, *equation.silent))},",
            f"              {matrix(export, equation.instruments)}, FE, w{options})",
        ]
    dummies = ", as_dummies = TRUE" if equation.convention in ("xtreg", "areg") else ""
    return [f"X <- {matrix(export, equation.regressors)}", f"fit <- fit_ls({outcome}, X, FE, w{dummies})"]


def _equation(export: Export, equation: Equation, position: int) -> list[str]:
    title = equation.title or "the model"
    lines = [f"# {_comment(title)}", *_rows(export, equation), *_fit(export, equation)]
    formula, counts = scale_formula(equation)
    # d is the data here
    formula = re.sub(r"\bd\b", "d_off", formula)
    counts = [("d_off" if name == "d" else name, value) for name, value in counts]
    if counts:
        lines.append("; ".join(f"{name} <- {value}" for name, value in counts))
    if any(name == "N" for name, _ in counts) and equation.estimator != "hansen":
        lines.append("stopifnot(N == nrow(d))")
    lines += [f"scale <- {formula}", covariance_call(export, equation)]
    prefix = f"{title}: " if equation.title else ""
    said = f", {r_text(prefix)}" if prefix else ""
    if equation.covariance.type == "wild":
        lines.append("# The errors are the clustered ones; the bootstrap's p-values are not redone, as draws differ.")
    for e in equation.expected:
        if e.term == CONSTANT and not equation.constant_holds:
            lines.append("# The constant depends on which of the redundant dummies is left out and is not redone.")
            continue
        term = r_text(_name(export, e.term))
        lines.append(f"check_term(fit, V, {term}, {number(e.estimate)}, {number(e.std_error)}{said})")
    lines.append(f'fits[[{position + 1}]] <- c(fit[c("b", "names")], list(V = V))')
    return [*lines, *fixest_lines(export, equation, prefix)]


def _comment(text: str) -> str:
    return " ".join(text.split())
