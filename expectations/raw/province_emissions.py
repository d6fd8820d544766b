"""Provincial emission inventories: keys, ranges, jumps and balance of the total and its parts."""

from __future__ import annotations

from expectations.parameters import Parameters
from expectations.raw.common import check_cells, check_schema, check_series, check_values
from expectations.raw.frames import RawSource
from expectations.suites import Checked

#: The total moves slowly; a single fuel may come and go.
SMOOTH = ("co2_ceads",)


def build_checks(raw: RawSource, parameters: Parameters) -> list[Checked]:
    """Suites of the source with the frames they are held against."""
    checks = [check_schema(raw)]
    if raw.cells is None or raw.values is None:
        return checks
    return [
        *checks,
        check_cells(raw, parameters),
        check_values(raw, parameters),
        check_series(raw, parameters, smooth=SMOOTH),
    ]
