"""Lines of a do-file beyond single commands: Hansen's rows, joint tests, the threshold search, descriptives."""

from __future__ import annotations

from dataclasses import replace

from analysis_py.estimators.threshold_grid import ThresholdSpec
from analysis_py.export.equation import Equation, Export, JointTest, ThresholdSearch
from analysis_py.export.preparation import GROUP
from analysis_py.export.scales import scale_under
from analysis_py.export.stata_commands import Command, Words, kept_rows
from analysis_py.export.wording import number


def hansen_command(export: Export, equation: Equation) -> Command:
    """Demeaned by unit, the last row of each unit left out, no constant: Hansen's program by hand."""
    words, model = Words(export, equation), export.model
    unit = words.name(str(model.unit))
    time = words.name(str(model.time)) if model.time else "_n"
    later = [e for e in equation.effects if e != model.unit]
    columns = [words.name(equation.outcome), *(words.name(t) for t in equation.regressors)]
    lines = ["* as Hansen's program: demeaned by unit, then the last row of each unit is left out", "preserve"]
    stubs = [export.names.give(f"dummies of {e}", f"is_{words.effect(e)}"[:24]) for e in later]
    lines += [f"quietly tabulate {words.effect(e)}, generate({s}_)" for e, s in zip(later, stubs, strict=True)]
    rest = " ".join(f"{stub}_*" for stub in stubs)
    lines += [
        "tempvar average",
        f"foreach x of varlist {' '.join(columns)} {rest} {{".replace("  ", " "),
        f"    quietly egen double `average' = mean(`x'), by({unit})",
        "    quietly replace `x' = `x' - `average'",
        "    drop `average'",
        "}",
        f"bysort {unit} ({time}): drop if _n == _N",
    ]
    kind = equation.covariance.type
    how = {"iid": "", "hc1": " vce(robust)", "cluster": f" vce(cluster {words.clusters})"}[kind]
    if kind == "cluster" and len(equation.covariance.by) > 1:
        how = f" vce(cluster {words.effect(equation.covariance.by[0])})"
    lines.append(f"regress {' '.join(columns)} {rest}, noconstant{how}".replace(" ,", ","))
    n, k = (float(str(equation.small[name])) for name in ("N", "K"))
    ratio: float | None = {"iid": equation.scale * (n - k), "hc1": (n - k) / n}.get(kind, 1.0)
    if kind == "cluster" and len(equation.covariance.by) > 1:
        ratio = None
        lines.insert(0, "* regress clusters one way: the errors below are another covariance and are not asserted")
    return Command(lines, ratio, after=["restore"], counts_rows=False)


def joint_test_lines(export: Export, test: JointTest) -> tuple[list[str], tuple[str, ...]]:
    """The F that slopes are equal, from one regression in which they have a value a group."""
    first = export.equations[0]
    words = Words(export, replace(first, group=None))
    own = export.names[GROUP]
    spec = first.covariance
    kind = "cluster" if spec.type == "wild" else spec.type
    title = f"* {test.name}: {len(test.terms)} slope(s) equal in {len(export.group_names)} groups"
    if kind not in ("iid", "hc1", "cluster") or (test.constants and not first.effects):
        return [f"{title}; F = {number(test.statistic)} (not redone: see suest and test)"], ()
    slopes = [f"ibn.{own}#c.{words.name(t)}" if t in test.by_group else words.name(t) for t in test.regressors]
    crossed = [f"{e}^{GROUP}" if is_crossed else e for e, is_crossed in test.effects]
    absorb = " ".join(f"{words.effect(e)}#{own}" if is_crossed else words.effect(e) for e, is_crossed in test.effects)
    how = {"iid": "unadjusted", "hc1": "robust", "cluster": f"cluster {words.clusters}"}[kind]
    drops = first.convention == "reghdfe"
    rows = export.table.iloc[kept_rows(export, crossed)] if drops else export.table
    if test.constants:
        slopes.insert(0, f"i.{own}")
    count = len(test.regressors) + (len(test.by_group) + test.constants) * (len(export.group_names) - 1)
    wanted = replace(spec, type=kind, options=()) if spec.type == "wild" else spec
    theirs = scale_under("reghdfe", rows, crossed, wanted, count, None)
    lines = [title]
    right = f"{words.name(first.outcome)} {' '.join(slopes)}{words.weights()}"
    keep = "" if drops else " keepsingletons"
    lines.append(f"reghdfe {right}, absorb({absorb}) vce({how}){keep}")
    pairs = [
        f"(1.{own}#c.{words.name(t)} = {g}.{own}#c.{words.name(t)})"
        for t in test.terms
        for g in range(2, len(export.group_names) + 1)
    ]
    lines.append(f"test {' '.join(pairs)}")
    if theirs is None:
        lines.append(f"* carbonpanel: F = {number(test.statistic)}")
    else:
        ratio = theirs / test.scale
        factor = "" if abs(ratio - 1.0) < 1e-12 else f" * {number(ratio)}"
        lines.append(f"assert reldif(r(F){factor}, {number(test.statistic)}) < 1e-6")
    lines.append(
        "* with suest: regress each group on data demeaned by its effects, then suest, vce(cluster ...) and test"
    )
    return lines, ("reghdfe", "ftools")


def search_lines(export: Export, search: ThresholdSearch) -> tuple[list[str], tuple[str, ...]]:
    """xthreg for the search: it is tried, and nothing of it is asserted."""
    if search.options.get("given"):
        return ["* the thresholds were given: there is no search to redo"], ()
    first = export.equations[0]
    words = Words(export, first)
    spec = ThresholdSpec.parse(
        {k: v for k, v in {**search.options, "variable": search.variable}.items() if k not in ("regime_terms", "given")}
    )
    later = [e for e in first.effects if e != export.model.unit]
    others = " ".join([*(words.name(t) for t in search.others), *(f"i.{words.effect(e)}" for e in later)])
    trims = " ".join(f"{spec.trim_of(o):g}" for o in range(spec.count))
    draws = " ".join(str(spec.draws_of(o)) for o in range(spec.count))
    found = ", ".join(number(v) for v in search.values)
    lines = [
        "* The search. xthreg wants a balanced panel; its thresholds and F are to be compared by eye with",
        f"*   threshold(s) {found}; F {', '.join('none' if f is None else number(f) for f in search.f)},"
        f" scaled by {search.scale_name}",
        "* Bootstrap draws differ from program to program, and so do its p-values a little.",
    ]
    if search.is_strict or search.points != "unique":
        lines.append("* This convention searches another grid than xthreg does: expect a neighbouring value.")
    split = " ".join(words.name(t) for t in search.split)
    grid = "" if spec.grid_of(0) == "all" else f" grid({spec.grid_of(0)})"
    lines.append(
        f"capture noisily xthreg {words.name(first.outcome)} {others}, rx({split}) qx({words.name(search.variable)})"
        f" thnum({spec.count}){grid} trim({trims}) bs({draws})"
    )
    return lines, ("xthreg",)


def descriptive_lines(export: Export) -> list[str]:
    """summarize, detail of every column."""
    lines = []
    for row in export.run.descriptives:
        name = export.names[row.variable]
        lines += [f"summarize {name}, detail", f"assert r(N) == {row.n}"]
        stored = {"mean": row.mean, "sd": row.sd, "min": row.min, "max": row.max}
        percentiles = {"p25": row.p25, "p50": row.median, "p75": row.p75}
        percentiles |= {k: v for k, v in row.extra.items() if k.startswith("p")}
        stored |= {k: percentiles[k] for k in sorted(percentiles, key=lambda k: int(k[1:]))}
        for key, value in stored.items():
            if value is not None:
                unit = number(max(abs(value), row.sd or 0.0))
                lines.append(f"assert abs(r({key}) - ({number(value)})) <= 1e-6 * {unit}")
    return lines
