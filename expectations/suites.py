"""How a suite is put together: severities, the words that go with each expectation, and the common builders.

Each expectation carries ``meta``: what went wrong in words (``phrase``, read after the count of its ``noun``, or a
whole ``sentence``), what a person can do (``advice``) and what was ``expected``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd
from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe
from great_expectations.expectations.metadata_types import FailureSeverity

from expectations import custom
from expectations.wording import list_values, show_number

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

#: Great Expectations' own severities under our names: a failed ``stop`` keeps the old database in place.
STOP, WARN = FailureSeverity.CRITICAL, FailureSeverity.WARNING
SEVERITY = {"critical": "stop", "warning": "warn"}


@dataclass
class Checked:
    """One dataframe and the suite it must meet."""

    table: str
    frame: pd.DataFrame
    name: str
    expectations: list[Expectation] = field(default_factory=list)

    def add(self, *expectations: Expectation) -> None:
        """Append expectations; their order is the order of the report."""
        self.expectations.extend(expectations)

    def suite(self) -> ExpectationSuite:
        """The suite as Great Expectations knows it; each expectation's place in it stands in its ``meta``."""
        for position, expectation in enumerate(self.expectations):
            expectation.meta = {**(expectation.meta or {}), "position": position}
        return ExpectationSuite(name=self.name, expectations=self.expectations)


def words(
    *, phrase: str = "", sentence: str = "", noun: str = "rows", advice: str = "", expected: str = "", column: str = ""
) -> dict[str, str]:
    """``meta`` of an expectation; ``column`` names the columns of an expectation that has several."""
    meta = {
        "phrase": phrase,
        "sentence": sentence,
        "noun": noun,
        "advice": advice,
        "expected": expected,
        "column": column,
    }
    return {key: text for key, text in meta.items() if text}


def expect_columns(kinds: dict[str, str], advice: str) -> list[Expectation]:
    """For a schema frame (one row a file, cells name types): the columns are there, and each is of its kind."""
    return [
        gxe.ExpectTableColumnsToMatchSet(
            column_set=list(kinds),
            exact_match=False,
            severity=STOP,
            meta=words(sentence="without the column", advice=advice, expected=f"{len(kinds)} columns"),
        ),
        custom.ExpectColumnsToHaveKinds(
            kinds=kinds,
            severity=STOP,
            meta=words(advice=advice, expected=list_values([f"{c} {k}" for c, k in kinds.items()])),
        ),
    ]


def expect_key(
    columns: Sequence[str], noun: str, advice: str, *, complete: Sequence[str] | None = None
) -> list[Expectation]:
    """The key is unique, and its columns (or those of ``complete``, where others cannot be empty) are never empty."""
    key = ", ".join(columns)
    return [
        custom.ExpectKeyColumnsToBeFilled(
            columns=list(columns if complete is None else complete),
            noun=noun,
            severity=STOP,
            meta=words(advice=advice, expected="never empty"),
        ),
        custom.ExpectKeyToBeUnique(
            columns=list(columns),
            noun=noun,
            severity=STOP,
            meta=words(advice=advice, expected=f"one {key}", column=key),
        ),
    ]


def expect_in_set(
    column: str,
    allowed: Sequence[object],
    *,
    noun: str,
    severity: FailureSeverity = STOP,
    advice: str = "",
    phrase: str = "",
) -> Expectation:
    """Values of ``column`` are among ``allowed``."""
    return custom.ExpectColumnToBeAmong(
        column=column,
        allowed=list(allowed),
        phrase=phrase or f"with another {column} than {list_values(allowed)}",
        noun=noun,
        severity=severity,
        meta=words(advice=advice, expected=list_values(allowed)),
    )


def expect_true(column: str, phrase: str, *, noun: str, severity: FailureSeverity, advice: str = "") -> Expectation:
    """A helper column of booleans is true everywhere; ``phrase`` says what false means."""
    return custom.ExpectColumnToBeAmong(
        column=column,
        allowed=[True],
        phrase=phrase,
        noun=noun,
        severity=severity,
        meta=words(advice=advice, expected="none"),
    )


@dataclass(frozen=True)
class Bounds:
    """What a column's values may be: [low, high] (None leaves an end open) in ``unit``."""

    low: float | None
    high: float | None
    unit: str = ""

    def span(self, column: str) -> str:
        """The range in words: ``0 to 500,000 yi_yuan``."""
        low, high = (
            "" if end is None else f"{end:.0f}" if is_year(column) else show_number(end)
            for end in (self.low, self.high)
        )
        span = f"at most {high}" if self.low is None else f"at least {low}" if self.high is None else f"{low} to {high}"
        return f"{span} {self.unit}".strip()


def is_year(column: str) -> bool:
    """Whether a column holds calendar years, which are written without separators."""
    return column == "year" or column.endswith("_year")


def expect_ranges(
    bounds: Mapping[str, Bounds], *, noun: str, severity: FailureSeverity = WARN, advice: str = "", expected: str = ""
) -> list[Expectation]:
    """Values of each column lie in its bounds: one expectation for all; none where no column is bounded."""
    bounded = {c: b for c, b in bounds.items() if b.low is not None or b.high is not None}
    if not bounded:
        return []
    spans = {column: bound.span(column) for column, bound in bounded.items()}
    return [
        custom.ExpectColumnsToBeInRange(
            ranges={column: [bound.low, bound.high] for column, bound in bounded.items()},
            spans=spans,
            noun=noun,
            severity=severity,
            meta=words(advice=advice, expected=expected or list_values([f"{c} {s}" for c, s in spans.items()], most=4)),
        )
    ]


def expect_between(
    column: str,
    low: float | None,
    high: float | None,
    *,
    noun: str,
    severity: FailureSeverity = WARN,
    unit: str = "",
    advice: str = "",
) -> Expectation:
    """Values of one column lie in [low, high]; None leaves an end open."""
    bound = Bounds(low, high, unit)
    (found,) = expect_ranges({column: bound}, noun=noun, severity=severity, advice=advice, expected=bound.span(column))
    return found


def expect_not_larger(
    pairs: Sequence[tuple[str, str]], *, noun: str, advice: str, severity: FailureSeverity = WARN
) -> list[Expectation]:
    """The first of each pair is at most the second where both are there; none where there are no pairs."""
    if not pairs:
        return []
    return [
        custom.ExpectColumnsNotToExceed(
            pairs=[list(pair) for pair in pairs],
            noun=noun,
            severity=severity,
            meta=words(advice=advice, expected=list_values([f"{part} <= {whole}" for part, whole in pairs], most=4)),
        )
    ]


def expect_rows(least: int, sentence: str, advice: str, *, severity: FailureSeverity = STOP) -> Expectation:
    """The table has at least ``least`` rows."""
    return gxe.ExpectTableRowCountToBeBetween(
        min_value=least,
        severity=severity,
        meta=words(sentence=sentence, advice=advice, expected=f"at least {least} rows"),
    )
