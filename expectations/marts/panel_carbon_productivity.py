"""panel_carbon_productivity: the paper's symbols, balanced over its years."""

from __future__ import annotations

import numpy as np
from great_expectations import expectations as gxe

from expectations import custom
from expectations.marts.common import (
    MODEL_FAULT,
    check_fills,
    check_schema,
    expect_complete,
    expect_no_jumps,
    expect_simulated_flag,
    expect_some_values,
    has_columns,
)
from expectations.marts.dim_city import REGIONS, SIZE_CLASSES
from expectations.marts.frames import Mart, Marts
from expectations.suites import (
    STOP,
    Bounds,
    Checked,
    expect_between,
    expect_in_set,
    expect_key,
    expect_ranges,
    expect_rows,
    expect_true,
    words,
)

_NOUN = "city-years"
#: The thirteen symbols with the range their definition allows (None: unbounded) and its words.
SYMBOLS: dict[str, tuple[float | None, float | None, str]] = {
    "CP": (0.0, None, "10^8 yuan of 2003 per 10^4 t of CO2"),
    "AI": (0.0, None, "ln(1 + AI firms)"),
    "UIS": (0.0, 1.0, "tertiary share of GDP"),
    "EnvrPat": (0.0, None, "ln(1 + green patent applications)"),
    "ER": (0.0, 100.0, "percent of solid waste utilised"),
    "IP": (0.0, None, "internet subscribers per 100 people"),
    "HC": (0.0, 1.0, "students per person"),
    "Fin": (0.0, None, "deposits and loans over GDP"),
    "POP": (None, None, "ln(persons per km2)"),
    "Ope": (0.0, None, "trade over GDP"),
    "Gov": (0.0, 1.0, "fiscal expenditure over GDP"),
    "FI": (0.0, None, "investment over fiscal expenditure"),
    "ST": (0.0, 1.0, "science share of fiscal expenditure"),
}
#: 10^4 t in a million tonnes.
_10K_T_PER_MT = 100.0


def list_columns() -> dict[str, str]:
    """The columns of the panel in order, with their kinds."""
    text = ("city_name_zh", "city_name_en", "province_code", "province_name_en")
    flags = ("is_western", "is_coal_province", "is_bth", "is_yrd", "is_prd", "is_mid_yangtze", "is_chengdu_chongqing")
    columns = {"city_code": "text", "year": "integer", **dict.fromkeys(text, "text")}
    columns |= dict.fromkeys((*SYMBOLS, "AI_flow", "AI_lag1", "gdp_2003_price_yi_yuan", "co2_mt"), "number")
    columns |= {"co2_source": "text", "is_municipality": "boolean", "is_resource_based": "boolean"}
    columns |= {"resource_type": "text", "size_class": "text", "region4": "text"}
    columns |= dict.fromkeys(flags, "boolean")
    columns |= {"is_low_carbon_pilot": "boolean", "low_carbon_pilot_year": "integer"}
    columns |= {"is_ai_pilot_zone": "boolean", "ai_pilot_year": "integer", "is_simulated": "boolean"}
    for symbol in SYMBOLS:
        columns |= {f"{symbol}_reported": "number", f"{symbol}_fill": "text"}
    return columns


def build_checks(mart: Mart, marts: Marts) -> list[Checked]:
    """Suites of the mart with the frames they are held against."""
    columns = list_columns()
    first, last = marts.sample_years
    schema = check_schema(mart, columns)
    schema.add(
        gxe.ExpectTableColumnsToMatchOrderedList(
            column_list=["where", *columns],
            severity=STOP,
            meta=words(
                sentence="the columns of the panel are not the agreed ones in the agreed order",
                advice=MODEL_FAULT,
                expected=f"{len(columns)} columns",
            ),
        )
    )
    if not has_columns(mart, columns):
        return [schema]
    rows = mart.without_fills().assign(
        is_pilot_consistent=_follows(mart, "is_low_carbon_pilot", "low_carbon_pilot_year"),
        is_ai_zone_consistent=_follows(mart, "is_ai_pilot_zone", "ai_pilot_year"),
        is_western_consistent=mart.rows["is_western"] == (mart.rows["region4"] == "west"),
        co2_10k_t=mart.rows["co2_mt"] * _10K_T_PER_MT,
    )
    checked = Checked("marts.panel_carbon_productivity", rows, "panel_carbon_productivity.rows")
    checked.add(
        expect_rows(1, "the panel has no rows", MODEL_FAULT),
        *expect_key(["city_code", "year"], _NOUN, MODEL_FAULT),
        expect_between("year", first, last, noun=_NOUN, severity=STOP, advice=MODEL_FAULT),
        custom.ExpectGridToBeComplete(
            unit="city_code",
            severity=STOP,
            meta=words(advice=MODEL_FAULT, expected=f"every city in {first}-{last}", column="city_code, year"),
        ),
        expect_complete(mart.columns_of("boolean"), _NOUN),
        expect_simulated_flag(marts),
        expect_in_set("co2_source", [marts.co2_source], noun=_NOUN, advice=MODEL_FAULT),
        expect_in_set("size_class", SIZE_CLASSES, noun=_NOUN, advice=MODEL_FAULT),
        expect_in_set("region4", REGIONS, noun=_NOUN, advice=MODEL_FAULT),
        *(
            expect_true(column, f"where {words_} contradict each other", noun=_NOUN, severity=STOP, advice=MODEL_FAULT)
            for column, words_ in (
                ("is_pilot_consistent", "is_low_carbon_pilot and low_carbon_pilot_year"),
                ("is_ai_zone_consistent", "is_ai_pilot_zone and ai_pilot_year"),
                ("is_western_consistent", "is_western and region4"),
            )
        ),
        expect_some_values(list(SYMBOLS)),
        gxe.ExpectColumnValuesToBeBetween(
            column="CP",
            min_value=0,
            strict_min=True,
            severity=STOP,
            meta=words(phrase="not above 0", noun=_NOUN, advice=MODEL_FAULT, expected="above 0"),
        ),
        custom.ExpectRatioToBeBetween(
            numerator="gdp_2003_price_yi_yuan",
            denominators=["CP", "co2_10k_t"],
            low=1 - 1e-9,
            high=1 + 1e-9,
            severity=STOP,
            meta=words(advice=MODEL_FAULT, expected="CP = gdp_2003_price_yi_yuan / (100 co2_mt)", column="CP"),
        ),
    )
    checked.add(
        *expect_ranges(
            {symbol: Bounds(low, high, f"({unit})") for symbol, (low, high, unit) in SYMBOLS.items()},
            noun=_NOUN,
            advice="trace the city-year back to its raw cells with 'carbonpanel trace'",
            expected="what the definitions of the symbols allow",
        ),
        expect_no_jumps(["CP", "co2_mt", "gdp_2003_price_yi_yuan"], _NOUN),
    )
    return [schema, check_fills(mart, list(SYMBOLS)), checked]


def _follows(mart: Mart, flag: str, first_year: str) -> np.ndarray:
    """Whether the flag is true exactly from the year on (and never where there is no year)."""
    from_year = mart.rows[first_year].astype("Float64")
    expected = (mart.rows["year"] >= from_year).fillna(False).to_numpy(dtype=bool)
    return np.asarray(mart.rows[flag].fillna(False).to_numpy(dtype=bool) == expected)
