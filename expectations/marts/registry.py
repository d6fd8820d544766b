"""Which module holds the suites of which mart."""

from __future__ import annotations

from collections.abc import Callable

from expectations.marts import dim_city, fct_city_year, panel_carbon_productivity, plain
from expectations.marts.frames import Mart, Marts
from expectations.suites import Checked

SUITES: dict[str, Callable[[Mart, Marts], list[Checked]]] = {
    "dim_city": dim_city.build_checks,
    "fct_city_year": fct_city_year.build_checks,
    "panel_carbon_productivity": panel_carbon_productivity.build_checks,
}


def build_checks(mart: Mart, marts: Marts) -> list[Checked]:
    """Suites of a mart: its own, or those that every mart can meet."""
    return SUITES.get(mart.name, plain.build_checks)(mart, marts)
