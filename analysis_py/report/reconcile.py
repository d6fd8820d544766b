"""A search for conventions as tables and JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from analysis_py.fits.reconciliation import Candidate, Reconciliation

_CHOICES = ("convention", "errors", "singletons", "logs", "winsor", "centring", "sample", "cells")


def headline(found: Reconciliation) -> str:
    """How many combinations were tried, how near the nearest comes, and how many come as near."""
    best = found.candidates[0]
    lines = [
        f"{found.study} {found.model} against {found.printed.label}: {found.tried} combinations tried"
        + (f", {found.failed} of them without an estimate" if found.failed else ""),
        f"nearest at distance {best.distance:.4g}"
        + (f"; {found.as_near} combinations come exactly as near" if found.as_near > 1 else "")
        + f"; equal as printed: {', '.join(best.agrees) or 'nothing'}",
    ]
    return "\n".join(lines)


def columns(found: Reconciliation) -> tuple[str, ...]:
    """Names of the columns of :func:`rows`."""
    shown = [part for term in found.terms for part in (f"b {term}", f"t {term}")]
    return ("distance", *_CHOICES, *shown, "N", "R2", "r2_kind", "equal_as_printed")


def rows(found: Reconciliation, limit: int = 0) -> list[tuple[object, ...]]:
    """The printed column first, then the combinations, nearest first."""
    by_term = {t.term: t for t in found.printed.terms}
    printed: list[object] = []
    for term in found.terms:
        entry = by_term[term]
        printed.append(entry.estimate.value)
        if entry.statistic is None:
            printed.append(None)
        elif entry.is_error:
            printed.append(entry.estimate.value / entry.statistic.value if entry.statistic.value else None)
        else:
            printed.append(entry.statistic.value)
    r2 = found.printed.r2
    top: tuple[object, ...] = (
        None,
        "printed",
        *[None] * (len(_CHOICES) - 1),
        *printed,
        found.printed.n_obs,
        None if r2 is None else r2.value,
        None,
        None,
    )
    chosen = found.candidates[:limit] if limit else found.candidates
    return [top, *(_row(c, found.terms) for c in chosen)]


def _row(candidate: Candidate, terms: tuple[str, ...]) -> tuple[object, ...]:
    numbers = {term: (b, t) for term, b, t in candidate.estimates}
    shown = [value for term in terms for value in numbers.get(term, (None, None))]
    choices = [getattr(candidate, name) for name in _CHOICES]
    return (
        candidate.distance,
        *choices,
        *shown,
        candidate.n_obs,
        candidate.r2,
        candidate.r2_kind,
        ", ".join(candidate.agrees),
    )


def to_json(found: Reconciliation) -> dict[str, Any]:
    """Everything as plain data, candidates nearest first."""
    return asdict(found)
