"""Sources of places and years: what each one is held against beyond what all have in common.

One table of settings instead of one module a source: smooth series, parts within wholes, parts that add up, ratios
that must stay within bounds, and GDP against its own growth index. A relation is looked at where its columns are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from expectations import custom
from expectations.parameters import Parameters
from expectations.raw.common import (
    check_cells,
    check_schema,
    check_series,
    check_values,
    expect_whole_numbers,
    years_noun,
)
from expectations.raw.frames import RawSource
from expectations.suites import WARN, Checked, expect_not_larger, words

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

#: Published city inventories differ by their scope and method, rarely by more than this factor.
INVENTORY_FACTOR = 10.0


@dataclass(frozen=True)
class Ratio:
    """``numerator / denominator`` lies in [low, high]; ``advice`` is what a person can do where it does not."""

    numerator: str
    denominator: str
    low: float
    high: float
    advice: str


@dataclass(frozen=True)
class Settings:
    """What a source is held against.

    Attributes
    ----------
    smooth : series in which a single year that stands out is suspicious.
    constant : series in which the same number year after year is not.
    parts : (part, whole): the part cannot exceed the whole.
    sums : (parts, whole): the parts add up to the whole within the tolerance ``identity``.
    growth : (level at current prices, volume index): their quotient is a believable deflator.
    stocks : (added, removed): what was removed so far is no more than what was added.
    """

    smooth: tuple[str, ...] = ()
    constant: tuple[str, ...] = ()
    parts: tuple[tuple[str, str], ...] = ()
    sums: tuple[tuple[tuple[str, ...], str], ...] = ()
    ratios: tuple[Ratio, ...] = ()
    growth: tuple[tuple[str, str], ...] = ()
    stocks: tuple[tuple[str, str], ...] = field(default=())


_SECTORS = ("gdp_primary", "gdp_secondary", "gdp_tertiary")
_WORKERS = ("employment_primary", "employment_secondary", "employment_tertiary")

SETTINGS: dict[str, Settings] = {
    # electricity is metered everywhere and grows steadily; the fuels of a single place do not
    "city_energy": Settings(smooth=("energy_electricity", "energy_total")),
    "city_firms": Settings(stocks=(("ai_firms_registered", "ai_firms_deregistered"),)),
    "city_patents": Settings(
        parts=(
            ("green_patent_upstream", "green_patent_applications"),
            ("green_patent_end_of_pipe", "green_patent_applications"),
            ("ai_invention_applications_single", "ai_invention_applications"),
            ("ai_utility_model_applications_single", "ai_utility_model_applications"),
            ("ai_design_applications_single", "ai_design_applications"),
        )
    ),
    "city_emissions": Settings(
        ratios=(
            Ratio(
                "co2_ceads",
                "co2_edgar",
                1 / INVENTORY_FACTOR,
                INVENTORY_FACTOR,
                "one of the two inventories may be in another unit",
            ),
        )
    ),
    "city_construction": Settings(smooth=("green_coverage",)),
    "city_digital": Settings(smooth=("mobile_subscribers", "digital_finance_index")),
    "city_green_finance": Settings(),
    "city_reports": Settings(parts=(("environmental_words", "report_words"),)),
    "city_history": Settings(),
    "province_yearbook": Settings(
        smooth=("gdp", "gdp_tertiary", "population_resident", "loans", "fiscal_expenditure", "employment"),
        constant=("land_area",),
        parts=(
            ("population_urban", "population_resident"),
            ("industrial_value_added", "gdp_secondary"),
            ("pollution_control_investment", "fixed_asset_investment"),
            ("information_investment", "fixed_asset_investment"),
        ),
        sums=((_SECTORS, "gdp"), (_WORKERS, "employment")),
        growth=(("gdp", "gdp_index_prev100"),),
    ),
    "province_energy": Settings(
        smooth=("energy_electricity", "energy_total"), parts=(("electricity_purchased", "energy_electricity"),)
    ),
    "province_sectors": Settings(),
    # the total moves slowly; a single fuel may come and go
    "province_emissions": Settings(smooth=("co2_ceads",), parts=(("co2_ceads_process", "co2_ceads"),)),
    "national_yearbook": Settings(smooth=("energy_electricity",)),
}


def build_checks(raw: RawSource, parameters: Parameters) -> list[Checked]:
    """Suites of the source with the frames they are held against."""
    checks = [check_schema(raw)]
    if raw.cells is None or raw.values is None:
        return checks
    settings, noun = SETTINGS[raw.source], years_noun(raw, parameters)
    values = check_values(raw, parameters)
    values.add(*expect_whole_numbers(raw, parameters))
    series = check_series(raw, parameters, smooth=settings.smooth, constant=settings.constant)
    series.add(*expect_relations(settings, set(raw.values.columns), parameters, noun))
    return [*checks, check_cells(raw, parameters), values, series]


def expect_relations(settings: Settings, columns: set[str], parameters: Parameters, noun: str) -> list[Expectation]:
    """What the columns of one record must be to each other; relations of absent columns are left out."""
    tolerances = parameters.tolerances
    found: list[Expectation] = expect_not_larger(
        [pair for pair in settings.parts if set(pair) <= columns],
        noun=noun,
        advice="one of the two has a wrong unit, scope or definition",
    )
    for parts, whole in settings.sums:
        if {*parts, whole} <= columns:
            found.append(
                custom.ExpectPartsToAddUp(
                    parts=list(parts),
                    whole=whole,
                    tolerance=tolerances.identity,
                    noun=noun,
                    severity=WARN,
                    meta=words(
                        advice="one of the parts or the whole has a wrong unit, or is of another revision",
                        expected=f"equal within {tolerances.identity:.0%}",
                        column=whole,
                    ),
                )
            )
    for ratio in settings.ratios:
        if {ratio.numerator, ratio.denominator} <= columns:
            found.append(
                custom.ExpectRatioToBeBetween(
                    numerator=ratio.numerator,
                    denominators=[ratio.denominator],
                    low=ratio.low,
                    high=ratio.high,
                    noun=noun,
                    severity=WARN,
                    meta=words(
                        advice=ratio.advice, expected=f"{ratio.low:g} to {ratio.high:g}", column=ratio.numerator
                    ),
                )
            )
    low, high = tolerances.deflator
    found.extend(
        custom.ExpectGrowthToAgreeWithIndex(
            level=level,
            index=index,
            low=low,
            high=high,
            noun=noun,
            severity=WARN,
            meta=words(
                advice="compare both with the source: the implied price change is not believable",
                expected=f"implied price change {low:g} to {high:g}",
                column=level,
            ),
        )
        for level, index in settings.growth
        if {level, index} <= columns
    )
    found.extend(
        custom.ExpectStockNotToBeNegative(
            added=added,
            removed=removed,
            noun=noun,
            severity=WARN,
            meta=words(
                advice="the stock counts from the first year of the file; additions are missing",
                expected=f"sum of {added} >= sum of {removed}",
                column=removed,
            ),
        )
        for added, removed in settings.stocks
        if {added, removed} <= columns
    )
    return found
