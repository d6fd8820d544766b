"""fct_city_year: every city and year with each measure as reported, as filled, and how it was filled."""

from __future__ import annotations

from expectations import custom
from expectations.marts.common import (
    MODEL_FAULT,
    check_fills,
    check_schema,
    expect_complete,
    expect_no_jumps,
    expect_simulated_flag,
    expect_some_values,
    expect_suffix_ranges,
    has_columns,
)
from expectations.marts.frames import Mart, Marts
from expectations.parameters import Tolerances
from expectations.suites import (
    STOP,
    WARN,
    Bounds,
    Checked,
    expect_between,
    expect_key,
    expect_ranges,
    expect_rows,
    words,
)

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
    seeded = {m: marts.ranges[m] for m in measures if m in marts.ranges}
    checked.add(
        *expect_ranges(
            {m: Bounds(r.minimum, r.maximum, r.unit) for m, r in seeded.items()},
            noun=_NOUN,
            severity=STOP,
            advice=f"cells outside this range should have been set aside: {MODEL_FAULT}",
            expected="the ranges of seed_indicator",
        ),
        *expect_suffix_ranges([m for m in measures if m not in seeded], _NOUN),
    )
    for is_count, factor_floor in ((False, 0.0), (True, tolerances.jump_floor_count)):
        derived = [
            m
            for m in measures
            if (m.endswith(DERIVED_ENDS) or m.startswith(DERIVED_STARTS)) and m.endswith("_count") == is_count
        ]
        if derived:
            checked.add(expect_no_jumps(derived, _NOUN, floor=factor_floor, has_unit=not is_count))
    return [check_schema(mart, kinds), check_fills(mart, measures), checked, _check_sums(marts, tolerances)]


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
