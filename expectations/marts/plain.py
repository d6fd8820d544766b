"""Marts without a suite of their own: key, fill codes, simulated flag, ranges by the ends of names, empty columns."""

from __future__ import annotations

from expectations.marts.common import (
    MODEL_FAULT,
    check_fills,
    check_schema,
    expect_simulated_flag,
    expect_some_values,
    expect_suffix_ranges,
    has_columns,
)
from expectations.marts.frames import Mart, Marts
from expectations.suites import WARN, Checked, expect_key, expect_rows


def build_checks(mart: Mart, marts: Marts) -> list[Checked]:
    """Suites of the mart with the frames they are held against."""
    measures = mart.measures
    kinds = {column: str(mart.schema[column].iloc[0]) for column in mart.key if column in mart.schema}
    for measure in measures:
        kinds |= {f"{measure}_reported": "number", measure: "number", f"{measure}_fill": "text"}
    if not has_columns(mart, kinds):
        return [check_schema(mart, kinds)]
    rows = mart.without_fills()
    checked = Checked(f"marts.{mart.name}", rows, f"{mart.name}.rows")
    noun = "rows"
    if rows.empty:
        checked.add(expect_rows(1, "the table has no rows", "no file brought what it is made from", severity=WARN))
        return [check_schema(mart, kinds), checked]
    checked.add(*expect_key(list(mart.key), noun, MODEL_FAULT))
    if "is_simulated" in rows:
        checked.add(expect_simulated_flag(marts))
    numbers = [c for c in mart.columns_of("number") if c in rows]
    if numbers:
        checked.add(expect_some_values(numbers))
    checked.add(*expect_suffix_ranges(numbers, noun))
    return [check_schema(mart, kinds), *([check_fills(mart, measures)] if measures else []), checked]
