"""How a suite is put together: severities, the words that go with each expectation, and the common builders.

Each expectation carries ``meta``: what went wrong in words (``phrase``, read after the count of its ``noun``, or a
whole ``sentence``), what a person can do (``advice``) and what was ``expected``.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    found: list[Expectation] = [
        gxe.ExpectColumnValuesToNotBeNull(
            column=column,
            severity=STOP,
            meta=words(phrase=f"without {column}", noun=noun, advice=advice, expected="never empty"),
        )
        for column in (columns if complete is None else complete)
    ]
    key = ", ".join(columns)
    meta = words(
        phrase="that share their key with another", noun=noun, advice=advice, expected=f"one {key}", column=key
    )
    if len(columns) == 1:
        found.append(gxe.ExpectColumnValuesToBeUnique(column=columns[0], severity=STOP, meta=meta))
    else:
        found.append(
            gxe.ExpectCompoundColumnsToBeUnique(
                column_list=list(columns), ignore_row_if="never", severity=STOP, meta=meta
            )
        )
    return found


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
    return gxe.ExpectColumnValuesToBeInSet(
        column=column,
        value_set=list(allowed),
        severity=severity,
        meta=words(
            phrase=phrase or f"with another {column} than {list_values(allowed)}",
            noun=noun,
            advice=advice,
            expected=list_values(allowed),
        ),
    )


def expect_true(column: str, phrase: str, *, noun: str, severity: FailureSeverity, advice: str = "") -> Expectation:
    """A helper column of booleans is true everywhere; ``phrase`` says what false means."""
    return gxe.ExpectColumnValuesToBeInSet(
        column=column,
        value_set=[True],
        severity=severity,
        meta=words(phrase=phrase, noun=noun, advice=advice, expected="none"),
    )


def expect_between(
    column: str,
    low: float | None,
    high: float | None,
    *,
    noun: str,
    severity: FailureSeverity = WARN,
    unit: str = "",
    advice: str = "",
    mostly: float = 1.0,
) -> Expectation:
    """Values of ``column`` lie in [low, high]; ``mostly`` is the least share that must."""
    low_text, high_text = (
        "" if end is None else f"{end:.0f}" if column == "year" else show_number(end) for end in (low, high)
    )
    span = (
        f"at most {high_text}"
        if low is None
        else f"at least {low_text}"
        if high is None
        else f"{low_text} to {high_text}"
    )
    span = f"{span} {unit}".strip()
    return gxe.ExpectColumnValuesToBeBetween(
        column=column,
        min_value=low,
        max_value=high,
        mostly=mostly,
        severity=severity,
        meta=words(phrase=f"outside {span}", noun=noun, advice=advice, expected=span),
    )


def expect_not_larger(
    part: str, whole: str, *, noun: str, advice: str, severity: FailureSeverity = WARN
) -> Expectation:
    """``part`` is at most ``whole`` where both are there."""
    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A=whole,
        column_B=part,
        or_equal=True,
        ignore_row_if="either_value_is_missing",
        severity=severity,
        meta=words(
            phrase=f"where {part} is larger than {whole}",
            noun=noun,
            advice=advice,
            expected=f"{part} <= {whole}",
            column=f"{part}, {whole}",
        ),
    )


def expect_rows(least: int, sentence: str, advice: str, *, severity: FailureSeverity = STOP) -> Expectation:
    """The table has at least ``least`` rows."""
    return gxe.ExpectTableRowCountToBeBetween(
        min_value=least,
        severity=severity,
        meta=words(sentence=sentence, advice=advice, expected=f"at least {least} rows"),
    )
