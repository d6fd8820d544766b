"""Expectations every raw source has in common: the file's columns, its cells, and the values they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis_py.ingest.contract import (
    AREA_SCOPES,
    PANEL_FIRST_YEAR,
    PANEL_LAST_YEAR,
    POPULATION_BASES,
    VINTAGES,
)
from expectations import custom
from expectations.parameters import EARLIEST_YEAR, LATEST_YEAR, Parameters
from expectations.raw.frames import RawSource
from expectations.suites import (
    STOP,
    WARN,
    Bounds,
    Checked,
    expect_between,
    expect_columns,
    expect_in_set,
    expect_key,
    expect_ranges,
    expect_true,
    words,
)

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

#: The unit of percents, canonical for every indicator that is one.
PERCENT = "pct"
#: What identifies a cell of a raw source.
CELL_KEY = ("dataset", "place_code", "year", "indicator", "area_scope", "population_basis", "vintage")
_AGAIN = "correct the original file or its mapping and ingest it again"
_RESTORE = "draw the demo world again with 'make simulate'"


def years_noun(raw: RawSource, parameters: Parameters) -> str:
    """``city-years`` or ``province-years``."""
    return f"{parameters.contract.level(raw.source)}-years"


def check_schema(raw: RawSource) -> Checked:
    """The file has the columns of the raw contract, of the right types."""
    checked = Checked(raw.table, raw.schema, f"{raw.source}.schema")
    checked.add(*expect_columns(dict(raw.required), _AGAIN if raw.kind == "user" else _RESTORE))
    return checked


def check_cells(raw: RawSource, parameters: Parameters) -> Checked:
    """Keys, places, indicators, units, scopes and text of the printed cells."""
    assert raw.cells is not None
    cells, tolerances = raw.cells, parameters.tolerances
    advice = _AGAIN if raw.kind == "user" else _RESTORE
    checked = Checked(raw.table, cells, f"{raw.source}.cells")
    checked.add(
        expect_between("year", EARLIEST_YEAR, LATEST_YEAR, noun="cells", severity=STOP, advice=advice),
        _expect_wanted_years(raw, parameters),
        expect_true(
            "is_placed",
            "of a place that no code or name resolves",
            noun="cells",
            severity=STOP,
            advice="add the name or code to seed_city_alias, or leave the place out",
        ),
        expect_true(
            "is_name_agreeing",
            "whose place name belongs to another place than its code",
            noun="cells",
            severity=WARN,
            advice="the code is used; look which of the two is right",
        ),
        expect_in_set("indicator", [i.name for i in parameters.of(raw.source)], noun="cells", advice=advice),
        expect_true(
            "is_unit_fitting",
            "whose unit is unknown or cannot be converted to the indicator's",
            noun="cells",
            severity=STOP,
            advice="name a unit of seed_unit that measures the same thing",
        ),
        expect_in_set("area_scope", AREA_SCOPES, noun="cells", advice=advice),
        expect_in_set("population_basis", [*POPULATION_BASES, ""], noun="cells", advice=advice),
        expect_in_set("vintage", VINTAGES, noun="cells", advice=advice),
        *expect_key(
            CELL_KEY,
            "cells",
            "keep one of the rows: two values for one cell cannot both be right",
            complete=("year",),
        ),
        custom.ExpectCellsToBeNumbers(
            share=tolerances.stop_share,
            severity=STOP,
            meta=words(advice="the column is not what the mapping says", expected="numbers", column="value"),
        ),
        custom.ExpectCellsToBeNumbers(
            severity=WARN,
            meta=words(advice="such cells count as missing", expected="numbers", column="value"),
        ),
        custom.ExpectDatasetsToAgree(
            tolerance=tolerances.identity,
            severity=WARN,
            meta=words(
                advice="remove the data set you trust less", expected="one value a cell", column="value", noun="cells"
            ),
        ),
    )
    return checked


def _expect_wanted_years(raw: RawSource, parameters: Parameters) -> Expectation:
    """Years of the panel; for a source of cross sections their base years alone."""
    bases = sorted({i.base_year for i in parameters.of(raw.source) if i.base_year is not None})
    if bases:
        advice = "only the base year of the cross section is used"
        return expect_in_set("year", bases, noun="cells", advice=advice, severity=WARN)
    advice = "years outside the panel are not used"
    return expect_between("year", PANEL_FIRST_YEAR, PANEL_LAST_YEAR, noun="cells", advice=advice)


def check_values(raw: RawSource, parameters: Parameters) -> Checked:
    """Ranges and emptiness of all values, in canonical units."""
    assert raw.values is not None
    tolerances, noun = parameters.tolerances, years_noun(raw, parameters)
    checked = Checked(raw.table, raw.values, f"{raw.source}.values")
    known = [i for i in parameters.of(raw.source) if i.name in raw.values]
    checked.add(
        *expect_ranges(
            {i.name: Bounds(i.min_value, i.max_value, i.unit) for i in known},
            noun=noun,
            advice="such cells count as missing; correct them in the original if you can",
            expected="the ranges of seed_indicator",
        ),
        custom.ExpectColumnsMostlyInRange(
            ranges={i.name: [i.min_value, i.max_value] for i in known},
            share=tolerances.stop_share,
            severity=STOP,
            meta=words(
                advice="too many to be slips: the unit or the column is probably the wrong one",
                expected=f"at most {tolerances.stop_share:.0%} outside the plausible range",
            ),
        ),
        custom.ExpectColumnsToBeFilled(
            columns=[i.name for i in known],
            least=tolerances.least_filled,
            only="is_main",
            noun=noun,
            severity=WARN,
            meta=words(
                advice="results that need them rest on few observations",
                expected=f"at least {tolerances.least_filled:.0%} filled",
            ),
        ),
    )
    return checked


def check_series(
    raw: RawSource, parameters: Parameters, *, smooth: Sequence[str] = (), constant: Sequence[str] = ()
) -> Checked:
    """Jumps, repeats, spikes and balance of what can enter the panel: whole cities (provinces), no urban districts.

    ``smooth`` names the indicators in which a single year that stands out is suspicious, ``constant`` those in which
    the same number year after year is not.
    """
    assert raw.values is not None
    tolerances, noun = parameters.tolerances, years_noun(raw, parameters)
    whole = raw.values[raw.values["area_scope"] == AREA_SCOPES[0]].reset_index(drop=True)
    checked = Checked(raw.table, whole, f"{raw.source}.series")
    known = [i for i in parameters.of(raw.source) if i.name in whole]
    amounts = [i.name for i in known if not parameters.is_ratio(i) and not parameters.is_count(i)]
    counts = [i.name for i in known if parameters.is_count(i)]
    for columns, factor, is_count in ((amounts, tolerances.jump, False), (counts, tolerances.jump_count, True)):
        if columns:
            checked.add(
                custom.ExpectColumnsNotToJump(
                    columns=columns,
                    factor=factor,
                    floor=tolerances.jump_floor_count if is_count else 0.0,
                    has_unit=not is_count,
                    noun=noun,
                    severity=WARN,
                    meta=words(advice="compare with the source", expected=f"1/{factor:g} to {factor:g} times"),
                )
            )
    moving = [column for column in amounts if column not in constant]
    if moving:
        checked.add(
            custom.ExpectColumnsNotToRepeat(
                columns=moving,
                noun=noun,
                severity=WARN,
                meta=words(
                    advice="probably carried over from the year before, not measured",
                    expected="another number each year",
                ),
            )
        )
    steady = [i.name for i in known if i.name in smooth]
    if steady:
        checked.add(
            custom.ExpectColumnsNotToSpike(
                columns=steady,
                factor=tolerances.spike,
                jump=tolerances.jump,
                noun=noun,
                severity=WARN,
                meta=words(
                    advice="compare with the source; urban districts printed for the whole city look like this",
                    expected=f"within {tolerances.spike:g} times of both neighbours",
                ),
            )
        )
    percents = [i.name for i in known if i.unit == PERCENT]
    if percents:
        checked.add(
            custom.ExpectPercentsNotToBeShares(
                columns=percents,
                factor=tolerances.share,
                noun=noun,
                severity=WARN,
                meta=words(
                    advice="probably printed as a share (0-1) where a percent belongs",
                    expected="not a hundredth of both neighbours",
                ),
            )
        )
    checked.add(
        custom.ExpectYearsToBeBalanced(
            tolerance=tolerances.balance,
            only="is_main",
            rows={"city": "cities", "province": "provinces", "national": "rows"}[parameters.contract.level(raw.source)],
            severity=WARN,
            meta=words(
                advice="places are missing in some years; trends over all places mix who is there",
                expected=f"within {tolerances.balance:.0%} of the median",
                column="year",
            ),
        )
    )
    return checked


def expect_whole_numbers(raw: RawSource, parameters: Parameters) -> list[Expectation]:
    """Counts are whole numbers."""
    assert raw.values is not None
    counts = [i.name for i in parameters.of(raw.source) if i.name in raw.values and parameters.is_count(i)]
    if not counts:
        return []
    return [
        custom.ExpectColumnsToBeWhole(
            columns=counts,
            noun=years_noun(raw, parameters),
            severity=WARN,
            meta=words(advice="a count has been averaged, interpolated or rescaled", expected="whole numbers"),
        )
    ]
