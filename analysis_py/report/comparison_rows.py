"""What a comparison with published columns holds: its rows, and the columns they are printed in."""

from __future__ import annotations

from dataclasses import dataclass, replace

#: Columns of the design, in their order.
DESIGN = (
    "table",
    "column",
    "analysis_id",
    "label",
    "id",
    "status",
    "outcome_published",
    "outcome",
    "controls_published",
    "controls",
    "fixed_effects_published",
    "fixed_effects",
    "sample_published",
    "sample",
    "n_published",
    "n",
    "cities_published",
    "cities",
    "errors_published",
    "convention",
    "errors",
    "estimator_published",
    "estimator",
    "differs_in",
    "message",
)
#: What fits a screen.
_BRIEF = frozenset(
    {
        *("table", "column", "id", "label", "status", "outcome_published", "n_published", "n", "cities_published"),
        *("cities", "convention", "errors", "differs_in", "term", "estimate_published", "statistic_published"),
        *("estimate", "statistic"),
    }
)
#: Columns that stand before the last two of the design where estimates are compared.
ESTIMATES = ("r2_published", "r2", "term", "estimate_published", "statistic_published", "estimate", "statistic")


@dataclass(frozen=True)
class ComparisonRow:
    """One published column beside our model of it; with estimates one row a published coefficient.

    ``differs_in`` names the parts of the design that are not the same; ``cities_published`` is N over the years of the
    published period where that is a whole number, else None.
    """

    table: str
    column: str
    analysis_id: str
    label: str
    id: str | None
    status: str
    outcome_published: str | None
    outcome: str | None
    controls_published: str | None
    controls: str | None
    fixed_effects_published: str | None
    fixed_effects: str | None
    sample_published: str | None
    sample: str | None
    n_published: int | None
    n: int | None
    cities_published: int | None
    cities: int | None
    errors_published: str | None
    convention: str | None
    errors: str | None
    estimator_published: str | None
    estimator: str | None
    differs_in: str
    message: str | None
    r2_published: float | None = None
    r2: float | None = None
    term: str | None = None
    estimate_published: str | None = None
    statistic_published: str | None = None
    estimate: float | None = None
    statistic: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Rows ready to print, the columns they have, and whether the numbers behind them are simulated."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    simulated: bool
    notes: tuple[str, ...]

    def brief(self) -> Comparison:
        """The same rows with the columns that fit a screen; the others are for files."""
        keep = [i for i, name in enumerate(self.columns) if name in _BRIEF]
        rows = tuple(tuple(row[i] for i in keep) for row in self.rows)
        return replace(self, columns=tuple(self.columns[i] for i in keep), rows=rows)
