"""Expectations the marts have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from expectations import custom
from expectations.marts.frames import Mart, Marts
from expectations.parameters import FILL_CODES, Tolerances
from expectations.suites import STOP, WARN, Bounds, Checked, expect_columns, expect_in_set, expect_ranges, words

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

#: A mart that breaks its own definition is a fault of a model, not of the data.
MODEL_FAULT = "a fault of the model, not of your data; please report it"
#: Ends of a column's name that bound what it can be: (end, least, most).
SUFFIX_RANGES: tuple[tuple[str, float | None, float | None], ...] = (
    ("_share", 0.0, 1.0),
    ("_growth_pct", -100.0, None),
    ("_pct", 0.0, 100.0),
    ("_per_100", 0.0, None),
    ("_per_person", 0.0, 5.0),
    ("_ratio", 0.0, None),
    ("_count", 0.0, None),
    ("_mt", 0.0, None),
    ("_yi_yuan", 0.0, None),
    ("_per_10k_t", 0.0, None),
)


def check_schema(mart: Mart, kinds: dict[str, str]) -> Checked:
    """The mart has its columns, of their types."""
    checked = Checked(f"marts.{mart.name}", mart.schema, f"{mart.name}.schema")
    checked.add(*expect_columns(kinds, MODEL_FAULT))
    return checked


def has_columns(mart: Mart, columns: Iterable[str]) -> bool:
    """Whether the mart can be looked at row by row; where not, its schema suite says what is missing."""
    return all(column in mart.rows for column in columns)


def expect_complete(columns: Sequence[str], noun: str) -> Expectation:
    """Every row has a value in each of the columns (flags, names, classes)."""
    return custom.ExpectColumnsToBeFilled(
        columns=list(columns),
        least=1.0,
        noun=noun,
        severity=STOP,
        meta=words(advice=MODEL_FAULT, expected="never empty"),
    )


def check_fills(mart: Mart, measures: Sequence[str]) -> Checked:
    """Fill codes are known, and agree with the value and the reported value."""
    columns = ["where", *(f"{m}{end}" for m in measures for end in ("", "_reported", "_fill"))]
    checked = Checked(f"marts.{mart.name}", mart.rows[columns], f"{mart.name}.fills")
    if measures:
        checked.add(
            custom.ExpectFillToBeConsistent(
                columns=list(measures),
                codes=list(FILL_CODES),
                severity=STOP,
                meta=words(advice=MODEL_FAULT, expected="reported exactly where observed"),
            )
        )
    return checked


def expect_some_values(columns: Sequence[str]) -> Expectation:
    """No measure is wholly empty; where one is, no file brought its inputs."""
    return custom.ExpectColumnsToHaveValues(
        columns=list(columns),
        severity=WARN,
        meta=words(
            advice="no file brought what they are made from; analyses that need them are not run",
            expected="values in every column",
        ),
    )


def expect_simulated_flag(marts: Marts) -> Expectation:
    """The flag says what the build says."""
    return expect_in_set(
        "is_simulated",
        [marts.is_simulated],
        noun="rows",
        phrase=f"where is_simulated is not {str(marts.is_simulated).lower()}, as the build recorded",
        advice=MODEL_FAULT,
    )


def expect_suffix_ranges(columns: Sequence[str], noun: str) -> list[Expectation]:
    """Columns lie in the range that the end of their name allows; none where no name says one."""
    bounds = {}
    for column in columns:
        end = next((e for e in SUFFIX_RANGES if column.endswith(e[0])), None)
        if end is not None:
            bounds[column] = Bounds(end[1], end[2])
    advice = "look at the parts it is made from"
    return expect_ranges(bounds, noun=noun, advice=advice, expected="what the ends of the names allow")


def expect_no_jumps(
    columns: Sequence[str], noun: str, *, floor: float = 0.0, has_unit: bool = True
) -> custom.ExpectColumnsNotToJump:
    """Series of cities that the warehouse computes do not jump."""
    factor = Tolerances().jump
    return custom.ExpectColumnsNotToJump(
        columns=list(columns),
        series="city_code",
        factor=factor,
        floor=floor,
        has_unit=has_unit,
        noun=noun,
        severity=WARN,
        meta=words(
            advice="trace the city-year back to its raw cells with 'carbonpanel trace'",
            expected=f"1/{factor:g} to {factor:g} times",
        ),
    )
