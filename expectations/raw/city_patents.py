"""Counts of green patent applications: whole numbers, ranges, jumps, balance."""

from __future__ import annotations

from expectations.parameters import Parameters
from expectations.raw.common import check_cells, check_schema, check_series, check_values, expect_whole_numbers
from expectations.raw.frames import RawSource
from expectations.suites import Checked


def build_checks(raw: RawSource, parameters: Parameters) -> list[Checked]:
    """Suites of the source with the frames they are held against."""
    checks = [check_schema(raw)]
    if raw.cells is None or raw.values is None:
        return checks
    values = check_values(raw, parameters)
    values.add(*expect_whole_numbers(raw, parameters))
    return [*checks, check_cells(raw, parameters), values, check_series(raw, parameters)]
