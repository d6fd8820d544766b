"""Lines of an R script beyond single equations: joint tests, the search for thresholds, descriptive statistics."""

from __future__ import annotations

import json
from dataclasses import replace

from analysis_py.estimators.threshold_grid import ThresholdSpec
from analysis_py.export.equation import Export, JointTest, ThresholdSearch
from analysis_py.export.preparation import GROUP
from analysis_py.export.r_spelling import covariance_call, effect_columns, matrix, r_text, r_vector, singletons_go
from analysis_py.export.wording import number


def joint_test_lines(export: Export, test: JointTest) -> list[str]:
    """One regression of all groups in which slopes differ, and the F that they are equal."""
    names, first = export.names, export.equations[0]
    crossed = ", ".join(r_vector([*effect_columns(export, e), *([names[GROUP]] if x else [])]) for e, x in test.effects)
    whole = replace(first, group=None)
    weights = f"d${names[export.model.weights]}" if export.model.weights else ""
    by_group = r_vector([names[t] for t in test.by_group])
    tested = r_vector([names[t] for t in test.terms])
    lines = [
        f"# {test.name}: {len(test.terms)} slope(s) equal in {len(export.group_names)} groups, one regression of all",
        "d <- data",
        f"crossed_effects <- list({crossed})",
    ]
    if singletons_go(first) and first.effects:
        lines.append("d <- d[keep_repeated(d, crossed_effects), ]")
    lines += [
        f"w <- {weights} / mean({weights})" if weights else "w <- rep(1, nrow(d))",
        "FE <- lapply(crossed_effects, function(columns) levels_of(d, columns))",
        f"X <- {matrix(export, test.regressors)}",
        f"for (g in 2:{len(export.group_names)}) {{",
        f"  own <- X[, {by_group}, drop = FALSE] * (d${names[GROUP]} == g)",
        '  colnames(own) <- paste0(colnames(own), "__", g)',
        "  X <- cbind(X, own)",
    ]
    if test.constants:
        lines += [f"  X <- cbind(X, (d${names[GROUP]} == g) * 1)", '  colnames(X)[ncol(X)] <- paste0("group__", g)']
    lines += [
        "}",
        f"fit <- fit_ls(d${names[first.outcome]}, X, FE, w)",
        covariance_call(export, whole, number(test.scale)),
        f'at <- match(as.vector(outer({tested}, 2:{len(export.group_names)}, paste, sep = "__")), fit$names)',
        f"stopifnot(length(at) == {int(test.df1)}, !anyNA(at))",
        f"check({r_text(test.name + ': F')}, drop(fit$b[at] %*% solve(V[at, at], fit$b[at])) / length(at),"
        f" {number(test.statistic)})",
    ]
    return lines


def search_lines(export: Export, search: ThresholdSearch) -> list[str]:
    """The search repeated: its thresholds and the F of each against one fewer."""
    if search.options.get("given"):
        return ["# The thresholds were given: there is no search to redo."]
    first, names = export.equations[0], export.names
    options = {k: v for k, v in search.options.items() if k not in ("regime_terms", "given")}
    spec = ThresholdSpec.parse({**options, "variable": search.variable})
    orders = range(spec.count)
    grids = ", ".join(f'"{g}"' if g == "all" else str(g) for g in (spec.grid_of(o) for o in orders))
    weights = f"d${names[export.model.weights]}" if export.model.weights else ""
    lines = [
        "# The search for the thresholds; the bootstrap of their p-values is not redone, as draws differ.",
        "d <- data",
    ]
    if singletons_go(first) and first.effects:
        lines.append("d <- d[keep_repeated(d, effects), ]")
    lines += [
        f"w <- {weights} / mean({weights})" if weights else "w <- rep(1, nrow(d))",
        "FE <- lapply(effects, function(columns) levels_of(d, columns))",
    ]
    if search.drops_last:
        unit = r_vector(effect_columns(export, str(export.model.unit)))
        time = f"levels_of(d, {r_vector(effect_columns(export, str(export.model.time)))})"
        lines += [
            f"unit <- levels_of(d, {unit})",
            f"last <- ave({time if export.model.time else 'seq_len(nrow(d))'}, unit, FUN = max) == "
            f"{time if export.model.time else 'seq_len(nrow(d))'}",
            "D <- demean(do.call(cbind, c(list(matrix(0, nrow(d), 0)), lapply(FE, dummies))), list(unit), w)[!last, ]",
            "D <- qr(D[, independent(D, rep(1, nrow(D)), rep(1, ncol(D))), drop = FALSE], tol = 1e-10)",
            "free <- function(M) qr.resid(D, demean(M, list(unit), w)[!last, , drop = FALSE])",
        ]
    elif first.effects:
        lines.append("free <- function(M) sqrt(w) * demean(M, FE, w)")
    else:
        lines.append("free <- function(M) sqrt(w) * sweep(as.matrix(M), 2, means_of(as.matrix(M), w))")
    lines += [
        f"option <- list(grid = list({grids}), trim = c({', '.join(number(spec.trim_of(o)) for o in orders)}),",
        f"               gap = c({', '.join(number(spec.gap_of(o)) for o in orders)}),"
        f' points = "{search.points}", strict = {"TRUE" if search.is_strict else "FALSE"},',
        f"               scale = {number(search.scale)})  # {search.scale_name}",
        f"found <- search_all(d${names[first.outcome]}, {matrix(export, search.split)},",
        f"                    {matrix(export, search.others)}, d${names[search.variable]}, {spec.count}, free, option)",
    ]
    for position, value in enumerate(search.values, start=1):
        lines.append(f'check("threshold {position}", found$values[{position}], {number(value)}, tolerance = 1e-12)')
    for position, f in enumerate(search.f, start=1):
        if f is not None:
            lines.append(f'check("F of {position} against {position - 1}", found$f[{position}], {number(f)})')
    return lines


def descriptive_lines(export: Export) -> list[str]:
    """Mean, spread and percentiles (Stata's rule is R's type 2) of every column."""
    lines = []
    for row in export.run.descriptives:
        name = export.names[row.variable]
        lines += [f"x <- data${name}[!is.na(data${name})]", f"stopifnot(length(x) == {row.n})"]
        numbers = {
            "mean": ("mean(x)", row.mean),
            "sd": ("sd(x)", row.sd),
            "min": ("min(x)", row.min),
            "max": ("max(x)", row.max),
        }
        parts = {"p25": row.p25, "p50": row.median, "p75": row.p75}
        parts |= {k: v for k, v in row.extra.items() if k.startswith("p")}
        for key in sorted(parts, key=lambda k: int(k[1:])):
            numbers[key] = (f"quantile(x, {int(key[1:]) / 100:g}, type = 2, names = FALSE)", parts[key])
        for key, (call, value) in numbers.items():
            if value is not None:
                spread = number(row.sd) if row.sd is not None else "0"
                lines.append(f"check({json.dumps(f'{name}: {key}')}, {call}, {number(value)}, {spread})")
    return lines
