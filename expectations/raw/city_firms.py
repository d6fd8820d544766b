"""Counts of AI firms: whole numbers, and no more deregistrations than there were registrations."""

from __future__ import annotations

from expectations import custom
from expectations.parameters import Parameters
from expectations.raw.common import check_cells, check_schema, check_series, check_values, expect_whole_numbers
from expectations.raw.frames import RawSource
from expectations.suites import WARN, Checked, words


def build_checks(raw: RawSource, parameters: Parameters) -> list[Checked]:
    """Suites of the source with the frames they are held against."""
    checks = [check_schema(raw)]
    if raw.cells is None or raw.values is None:
        return checks
    values = check_values(raw, parameters)
    values.add(*expect_whole_numbers(raw, parameters))
    if {"ai_firms_registered", "ai_firms_deregistered"} <= set(raw.values.columns):
        values.add(
            custom.ExpectStockNotToBeNegative(
                added="ai_firms_registered",
                removed="ai_firms_deregistered",
                severity=WARN,
                meta=words(
                    advice="the stock of AI firms counts from the first year of the file; registrations are missing",
                    expected="stock of firms >= 0",
                    column="ai_firms_deregistered",
                ),
            )
        )
    return [*checks, check_cells(raw, parameters), values, check_series(raw, parameters)]
