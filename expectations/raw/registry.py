"""Which module holds the suites of which raw source."""

from __future__ import annotations

from collections.abc import Callable

from expectations.parameters import Parameters
from expectations.raw import (
    city_emissions,
    city_energy,
    city_firms,
    city_patents,
    city_yearbook,
    province_emissions,
    province_energy,
    province_yearbook,
)
from expectations.raw.frames import RawSource
from expectations.suites import Checked

SUITES: dict[str, Callable[[RawSource, Parameters], list[Checked]]] = {
    "city_yearbook": city_yearbook.build_checks,
    "city_energy": city_energy.build_checks,
    "city_firms": city_firms.build_checks,
    "city_patents": city_patents.build_checks,
    "city_emissions": city_emissions.build_checks,
    "province_yearbook": province_yearbook.build_checks,
    "province_energy": province_energy.build_checks,
    "province_emissions": province_emissions.build_checks,
}
