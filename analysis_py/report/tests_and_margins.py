"""What tables say of tests between groups, of mechanisms and of margins."""

from __future__ import annotations

from collections.abc import Sequence

from analysis_py.fits.run_record import CoefficientRow, DiagnosticRow, ModelRun
from analysis_py.report.numbers import number, stars

#: What the tests of a difference are called in print.
_NAMES = {
    "permutation": "permutation p (one-sided, as bdiff)",
    "permutation_two_sided": "permutation p (two-sided)",
    "romano_wolf": "Romano-Wolf p",
    "benjamini_hochberg": "Benjamini-Hochberg p",
}
_REGIONS = ("johnson_neyman", "johnson_neyman_fdr")


def outcome_of(model: ModelRun, group: str | None) -> str:
    """The left-hand side of a column: that of the model, or the mediator of its equation."""
    if model.estimator == "mechanism" and group is not None and group.startswith("mediator:"):
        return group.removeprefix("mediator:")
    return model.outcome or ""


def margin_rows(columns: Sequence[tuple[ModelRun, str | None]]) -> list[list[str]]:
    """Marginal effects of moderation models, the estimate and under it its error; one pair of rows a value."""
    found = [{(c.term, c.regime): c for c in model.coefficients if c.group == "margins"} for model, _ in columns]
    keys: dict[tuple[str, str | None], None] = {}
    for column in found:
        keys |= dict.fromkeys(column)
    rows: list[list[str]] = []
    for term, regime in keys:
        cells: list[CoefficientRow | None] = [column.get((term, regime)) for column in found]
        rows.append([f"{term} at {regime}", *(number(c.estimate) + stars(c.p_value) if c else "" for c in cells)])
        rows.append(["", *(f"({number(c.std_error)})" if c else "" for c in cells)])
    return rows


def test_lines(model: ModelRun) -> list[str]:
    """One line a difference with all its p-values, one a joint test, one a region of significance."""
    if model.estimator == "moderation":
        return [f"{d.term}, {_region_name(d.test)}: {d.note}" for d in model.diagnostics if d.test in _REGIONS]
    if not model.groups:
        return []
    lines: list[str] = []
    differences: dict[tuple[str, str], list[DiagnosticRow]] = {}
    for test in model.diagnostics:
        if test.test in _NAMES and test.term is not None:
            # the differences of controls are in the JSON
            if test.term in model.treatment:
                differences.setdefault((test.term, test.note.partition(";")[0]), []).append(test)
            continue
        if test.test == "gelbach_gap":
            continue
        about = f" of {test.term}" if test.term else ""
        lines.append(f"{test.test}{about}: {_value(test)}")
    for (term, about), tests in differences.items():
        size = next((number(t.statistic) for t in tests if t.test == "permutation"), "")
        shown = "; ".join(f"{_NAMES[t.test]} = {number(t.p_value)}" for t in tests if t.p_value is not None)
        lines.append(f"{term}, {about}{': ' + size if size else ''}: {shown or 'not run'}")
    return lines


def _region_name(test: str) -> str:
    return "Johnson-Neyman region" if test == "johnson_neyman" else "region at a false discovery rate"


def _value(test: DiagnosticRow) -> str:
    if test.statistic is None:
        return test.note or "not run"
    p_value = "" if test.p_value is None else f" (p = {number(test.p_value)})"
    return f"{number(test.statistic)}{p_value}"
