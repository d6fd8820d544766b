"""What tables print under a column with thresholds: where they lie, and the test of each."""

from __future__ import annotations

from collections.abc import Sequence

from analysis_py.fits.run_record import ModelRun, ThresholdRow
from analysis_py.report.numbers import number, stars


def threshold_rows(models: Sequence[ModelRun | None], kind: str = "") -> list[list[str]]:
    """For each threshold its variable, value, interval, F with stars by the bootstrap, p and critical values.

    ``kind`` is the convention the rows belong to where it is not the first; None is a column without it.
    """
    rows: list[list[str]] = []
    shown = [() if m is None else m.thresholds for m in models]
    for order in sorted({row.order for thresholds in shown for row in thresholds}):
        found = [next((t for t in thresholds if t.order == order), None) for thresholds in shown]
        name = f"Threshold {order} [{kind}]" if kind else f"Threshold {order}"
        rows += [
            [name, *("" if t is None else f"{t.variable}: {t.value:.6g}" for t in found)],
            [f"{name} 95% interval", *(_interval(t) for t in found)],
            [f"{name} F", *("" if t is None else number(t.f) + stars(t.p_value) for t in found)],
            [f"{name} bootstrap p", *("" if t is None or t.p_value is None else f"{t.p_value:.3f}" for t in found)],
            [f"{name} critical 10/5/1%", *(_critical(t) for t in found)],
        ]
    return [row for row in rows if any(row[1:])]


def other_thresholds(models: Sequence[ModelRun], beside: Sequence[Sequence[ModelRun]], kind: str) -> list[list[str]]:
    """Rows of a convention shown beside the first, for the columns in which its thresholds or tests are others."""
    others = [next((o for o in column if o.variant == kind), None) for column in beside]
    differing = [
        None if other is None or _key(other) == _key(model) else other
        for model, other in zip(models, others, strict=True)
    ]
    return threshold_rows(differing, kind)


def _key(model: ModelRun) -> list[tuple[object, ...]]:
    return [(t.order, t.value, t.ci_low, t.ci_high, t.f, t.p_value) for t in model.thresholds]


def _interval(found: ThresholdRow | None) -> str:
    if found is None or found.ci_low is None or found.ci_high is None:
        return ""
    return f"[{found.ci_low:.6g}, {found.ci_high:.6g}]"


def _critical(found: ThresholdRow | None) -> str:
    return "" if found is None else " / ".join(f"{value:.2f}" for value in found.critical.values())
