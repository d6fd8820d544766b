"""What tables print under a column with thresholds: where they lie, and the test of each."""

from __future__ import annotations

from collections.abc import Sequence

from analysis_py.fits.run_record import ModelRun, ThresholdRow
from analysis_py.report.numbers import number, stars


def threshold_rows(models: Sequence[ModelRun]) -> list[list[str]]:
    """For each threshold its variable, value, interval, F with stars by the bootstrap, p and critical values."""
    rows: list[list[str]] = []
    for order in sorted({row.order for m in models for row in m.thresholds}):
        found = [next((t for t in m.thresholds if t.order == order), None) for m in models]
        name = f"Threshold {order}"
        rows += [
            [name, *("" if t is None else f"{t.variable}: {t.value:.6g}" for t in found)],
            [f"{name} 95% interval", *(_interval(t) for t in found)],
            [f"{name} F", *("" if t is None else number(t.f) + stars(t.p_value) for t in found)],
            [f"{name} bootstrap p", *("" if t is None or t.p_value is None else f"{t.p_value:.3f}" for t in found)],
            [f"{name} critical 10/5/1%", *(_critical(t) for t in found)],
        ]
    return [row for row in rows if any(row[1:])]


def _interval(found: ThresholdRow | None) -> str:
    if found is None or found.ci_low is None or found.ci_high is None:
        return ""
    return f"[{found.ci_low:.6g}, {found.ci_high:.6g}]"


def _critical(found: ThresholdRow | None) -> str:
    return "" if found is None else " / ".join(f"{value:.2f}" for value in found.critical.values())
