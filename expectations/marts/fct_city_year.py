"""fct_city_year: every city and year with each measure as reported, as filled, and how it was filled."""

from __future__ import annotations

from expectations import custom
from expectations.marts.common import (
    MODEL_FAULT,
    SUFFIX_RANGES,
    check_fills,
    check_schema,
    expect_complete,
    expect_simulated_flag,
    expect_some_values,
    has_columns,
)
from expectations.marts.frames import Mart, Marts
from expectations.parameters import Tolerances
from expectations.suites import STOP, WARN, Checked, expect_between, expect_key, expect_rows, words

_NOUN = "city-years"
#: Flags that are empty in years nothing was brought about them: no account of a firm, no pilot known.
MAY_BE_UNKNOWN = ("is_smart_manufacturing_pilot",)
#: Derived measures whose series are looked at for jumps; raw indicators were looked at before loading.
DERIVED_ENDS = ("_2003_price_yi_yuan", "_yi_yuan_per_10k_t", "ai_firms_stock_count")
DERIVED_STARTS = ("co2_",)


def build_checks(mart: Mart, marts: Marts) -> list[Checked]:
    """Suites of the mart with the frames they are held against."""
    measures, tolerances = mart.measures, Tolerances()
    kinds = {"city_code": "text", "year": "integer", "province_code": "text", "is_simulated": "boolean"}
    for measure in measures:
        kinds |= {f"{measure}_reported": "number", measure: "number", f"{measure}_fill": "text"}
    if not has_columns(mart, kinds):
        return [check_schema(mart, kinds)]
    checked = Checked("marts.fct_city_year", mart.without_fills(), "fct_city_year.rows")
    checked.add(
        expect_rows(1, "the table has no rows", MODEL_FAULT),
        *expect_key(["city_code", "year"], _NOUN, MODEL_FAULT),
        expect_complete([c for c in mart.columns_of("boolean") if c not in MAY_BE_UNKNOWN], _NOUN),
        expect_simulated_flag(marts),
        expect_some_values(measures),
        custom.ExpectYearsToBeBalanced(
            tolerance=tolerances.balance,
            rows="cities",
            severity=WARN,
            meta=words(
                advice="cities are missing in some years", expected=f"within {tolerances.balance:.0%}", column="year"
            ),
        ),
    )
    for measure in measures:
        bounds = marts.ranges.get(measure)
        if bounds is not None:
            checked.add(
                expect_between(
                    measure,
                    bounds.minimum,
                    bounds.maximum,
                    noun=_NOUN,
                    unit=bounds.unit,
                    severity=STOP,
                    advice=f"cells outside this range should have been set aside: {MODEL_FAULT}",
                )
            )
            continue
        for end, low, high in SUFFIX_RANGES:
            if measure.endswith(end):
                checked.add(
                    expect_between(
                        measure, low, high, noun=_NOUN, severity=WARN, advice="look at the parts it is made from"
                    )
                )
                break
    for measure in measures:
        if measure.endswith(DERIVED_ENDS) or measure.startswith(DERIVED_STARTS):
            checked.add(_no_jump(measure, tolerances))
    return [check_schema(mart, kinds), check_fills(mart, measures), checked, _check_sums(marts, tolerances)]


def _no_jump(measure: str, tolerances: Tolerances) -> custom.ExpectColumnNotToJump:
    count = measure.endswith("_count")
    return custom.ExpectColumnNotToJump(
        column=measure,
        series="city_code",
        factor=tolerances.jump,
        floor=tolerances.jump_floor_count if count else 0.0,
        has_unit=not count,
        severity=WARN,
        meta=words(
            advice="trace the city-year back to its raw cells with 'carbonpanel trace'",
            expected=f"1/{tolerances.jump:g} to {tolerances.jump:g} times",
        ),
    )


def _check_sums(marts: Marts, tolerances: Tolerances) -> Checked:
    checked = Checked("marts.fct_city_year", marts.province_sums, "fct_city_year.sums")
    checked.add(
        expect_between(
            "cities_over_province",
            None,
            1 + tolerances.cross_source,
            noun="province-years",
            severity=WARN,
            advice="a city of the province is too large, or was counted twice",
        )
    )
    return checked
