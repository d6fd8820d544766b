"""Province yearbooks: keys, ranges, jumps, balance, and GDP against its own growth index."""

from __future__ import annotations

from expectations import custom
from expectations.parameters import Parameters
from expectations.raw.common import check_cells, check_schema, check_series, check_values
from expectations.raw.frames import RawSource
from expectations.suites import WARN, Checked, words

SMOOTH = ("gdp",)


def build_checks(raw: RawSource, parameters: Parameters) -> list[Checked]:
    """Suites of the source with the frames they are held against."""
    checks = [check_schema(raw)]
    if raw.cells is None or raw.values is None:
        return checks
    series = check_series(raw, parameters, smooth=SMOOTH)
    if {"gdp", "gdp_index_prev100"} <= set(raw.values.columns):
        low, high = parameters.tolerances.deflator
        series.add(
            custom.ExpectGrowthToAgreeWithIndex(
                level="gdp",
                index="gdp_index_prev100",
                low=low,
                high=high,
                noun="province-years",
                severity=WARN,
                meta=words(
                    advice="compare both with the source: the implied price change is not believable",
                    expected=f"implied price change {low:g} to {high:g}",
                    column="gdp",
                ),
            )
        )
    return [*checks, check_cells(raw, parameters), check_values(raw, parameters), series]
