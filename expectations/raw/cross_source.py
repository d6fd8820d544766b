"""Sources against each other: the GDP of a province's cities sums to about the province's."""

from __future__ import annotations

from collections.abc import Mapping

from expectations.parameters import Parameters
from expectations.raw.frames import RawSource, sum_cities
from expectations.suites import WARN, Checked, expect_between


def build_checks(sources: Mapping[str, RawSource], parameters: Parameters) -> list[Checked]:
    """The suite of cross-source sums; none where one of the sources is absent."""
    sums = sum_cities(sources, parameters)
    if sums is None:
        return []
    tolerance = parameters.tolerances.cross_source
    checked = Checked("city_yearbook, province_yearbook", sums, "cross_source.gdp")
    checked.add(
        expect_between(
            "cities_over_province",
            None,
            1 + tolerance,
            noun="province-years",
            severity=WARN,
            advice="a city of the province is too large: look for a unit mix-up or a city counted twice",
        ),
        expect_between(
            "cities_over_province_complete",
            1 - tolerance,
            None,
            noun="province-years",
            severity=WARN,
            advice="a city of the province is missing or too small, or urban districts stand for whole cities",
        ),
    )
    return [checked]
