"""City yearbooks: keys, ranges, jumps, parts within wholes, and GDP against its own growth index."""

from __future__ import annotations

from analysis_py.ingest.contract import AREA_SCOPES
from expectations import custom
from expectations.parameters import Parameters
from expectations.raw.common import check_cells, check_schema, check_series, check_values
from expectations.raw.frames import RawSource
from expectations.raw.place_year import Settings, expect_relations
from expectations.suites import WARN, Checked, words

#: Series without business-cycle leaps, in which one year that stands out is suspicious.
SMOOTH = (
    "gdp",
    "gdp_tertiary",
    "gdp_secondary",
    "population_resident",
    "population_registered",
    "land_area",
    "fiscal_expenditure",
    "deposits",
    "loans",
)
#: Areas change only when boundaries do.
CONSTANT = ("land_area",)
#: What a city's numbers must be to each other.
SETTINGS = Settings(
    parts=(
        ("gdp_tertiary", "gdp"),
        ("science_expenditure", "fiscal_expenditure"),
        ("education_expenditure", "fiscal_expenditure"),
        ("solid_waste_utilised", "solid_waste_generated"),
    ),
    sums=((("gdp_primary", "gdp_secondary", "gdp_tertiary"), "gdp"),),
    growth=(("gdp", "gdp_index_prev100"),),
)


def build_checks(raw: RawSource, parameters: Parameters) -> list[Checked]:
    """Suites of the source with the frames they are held against."""
    checks = [check_schema(raw)]
    if raw.cells is None or raw.values is None:
        return checks
    values, series = check_values(raw, parameters), check_series(raw, parameters, smooth=SMOOTH, constant=CONSTANT)
    columns, tolerances = set(raw.values.columns), parameters.tolerances
    series.add(*expect_relations(SETTINGS, columns, parameters, "city-years"))
    if {"gdp", "gdp_tertiary", "gdp_tertiary_share"} <= columns:
        series.add(
            custom.ExpectRatioToBeBetween(
                numerator="gdp_tertiary",
                denominators=["gdp", "gdp_tertiary_share"],
                scale=100.0,
                low=1 - tolerances.identity,
                high=1 + tolerances.identity,
                severity=WARN,
                meta=words(
                    advice="the share is not the one of this GDP: a revision or another area was mixed in",
                    expected=f"equal within {tolerances.identity:.0%}",
                    column="gdp_tertiary_share",
                ),
            )
        )
    if {"population_resident", "population_registered"} <= columns:
        low, high = tolerances.population_ratio
        series.add(
            custom.ExpectRatioToBeBetween(
                numerator="population_resident",
                denominators=["population_registered"],
                low=low,
                high=high,
                severity=WARN,
                meta=words(
                    advice="residents and registered people may be exchanged or of different areas",
                    expected=f"{low:g} to {high:g}",
                    column="population_resident",
                ),
            )
        )
        series.add(
            custom.ExpectColumnsToDiffer(
                column="population_resident",
                other="population_registered",
                severity=WARN,
                meta=words(
                    advice="one of the two is printed for both",
                    expected="residents are not registered people",
                ),
            )
        )
    keys = ["dataset", "place_code", "year", "vintage"]
    for column in ("gdp", "population_registered", "land_area"):
        if column in columns:
            values.add(
                custom.ExpectPartNotToExceedWhole(
                    column=column,
                    part=AREA_SCOPES[1],
                    whole=AREA_SCOPES[0],
                    keys=keys,
                    severity=WARN,
                    meta=words(advice="the two scopes may be exchanged", expected="urban districts <= whole city"),
                )
            )
    values.add(
        custom.ExpectWholeNotToCopyPart(
            columns=[i.name for i in parameters.of(raw.source) if i.name in columns and not parameters.is_ratio(i)],
            part=AREA_SCOPES[1],
            whole=AREA_SCOPES[0],
            keys=keys,
            severity=WARN,
            meta=words(
                advice="the urban districts' number stands in the row of the whole city",
                expected="whole city > urban districts",
                column="area_scope",
            ),
        )
    )
    return [*checks, check_cells(raw, parameters), values, series]
