"""What tables print under a column of instrumental variables."""

from __future__ import annotations

from collections.abc import Sequence

from analysis_py.fits.run_record import DiagnosticRow, ModelRun
from analysis_py.report.numbers import number

#: Rows in their order: heading, the tests of which the first that was computed is shown, whether its p-value is too.
_ROWS = (
    ("First-stage F", ("first_stage_f",), False),
    ("Cragg-Donald F", ("cragg_donald_f",), False),
    ("Kleibergen-Paap F", ("kleibergen_paap_rk_wald_f",), False),
    ("Effective F", ("effective_f",), False),
    ("Underidentification LM p", ("kleibergen_paap_rk_lm", "anderson_lm"), True),
    ("Overidentification p", ("hansen_j", "sargan"), True),
    ("Endogeneity p", ("endogeneity",), True),
)


def iv_rows(models: Sequence[ModelRun]) -> list[list[str]]:
    """One row a test that any of the columns has, then the ends of the Anderson-Rubin set; none without iv columns."""
    if not any(m.estimator == "iv" for m in models):
        return []
    rows = [[heading, *(_shown(m, tests, p) for m in models)] for heading, tests, p in _ROWS]
    rows.append(["Anderson-Rubin 95% set", *(_set(m) for m in models)])
    return [row for row in rows if any(row[1:])]


def _shown(model: ModelRun, tests: Sequence[str], p_value: bool) -> str:
    if model.estimator != "iv":
        return ""
    for test in tests:
        found = [d for d in model.diagnostics if d.test == test and _is_number(d)]
        if found:
            return "; ".join(number(d.p_value if p_value else d.statistic) for d in found)
    return ""


def _is_number(row: DiagnosticRow) -> bool:
    return row.statistic is not None and row.statistic == row.statistic


def _set(model: ModelRun) -> str:
    for row in model.diagnostics:
        if row.test == "anderson_rubin_set" and model.estimator == "iv" and _is_number(row):
            if "(empty)" in row.note:
                return "empty"
            low, high = row.critical["ci_low"], row.critical["ci_high"]
            shown = "unbounded" if abs(low) == float("inf") and abs(high) == float("inf") else ""
            return shown or f"[{number(low)}, {number(high)}]"
    return ""
