"""City CO2 inventories (CEADs, EDGAR): ranges, jumps, balance over the years, and the two against each other."""

from __future__ import annotations

from expectations import custom
from expectations.parameters import Parameters
from expectations.raw.common import check_cells, check_schema, check_series, check_values
from expectations.raw.frames import RawSource
from expectations.suites import WARN, Checked, words

#: Published city inventories differ by their scope and method, rarely by more than this factor.
INVENTORY_FACTOR = 10.0


def build_checks(raw: RawSource, parameters: Parameters) -> list[Checked]:
    """Suites of the source with the frames they are held against."""
    checks = [check_schema(raw)]
    if raw.cells is None or raw.values is None:
        return checks
    series = check_series(raw, parameters)
    if {"co2_ceads", "co2_edgar"} <= set(raw.values.columns):
        series.add(
            custom.ExpectRatioToBeBetween(
                numerator="co2_ceads",
                denominators=["co2_edgar"],
                low=1 / INVENTORY_FACTOR,
                high=INVENTORY_FACTOR,
                severity=WARN,
                meta=words(
                    advice="one of the two inventories may be in another unit",
                    expected=f"within {INVENTORY_FACTOR:g} times of each other",
                    column="co2_ceads",
                ),
            )
        )
    return [*checks, check_cells(raw, parameters), check_values(raw, parameters), series]
