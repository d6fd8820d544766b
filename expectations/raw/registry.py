"""Which module holds the suites of which raw source."""

from __future__ import annotations

from collections.abc import Callable

from expectations.parameters import Parameters
from expectations.raw import city_yearbook, place_year
from expectations.raw.frames import RawSource
from expectations.suites import Checked

SUITES: dict[str, Callable[[RawSource, Parameters], list[Checked]]] = {
    "city_yearbook": city_yearbook.build_checks,
    **dict.fromkeys(place_year.SETTINGS, place_year.build_checks),
}
