"""What a column's header says: indicator, unit, area, population, vintage; and what a cell says."""

from __future__ import annotations

import pytest

from analysis_py.ingest.cells import is_missing, parse_number, parse_year
from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.units import load_dictionary

DICTIONARY = load_dictionary()
CONTRACT = load_contract()


@pytest.mark.parametrize(
    ("header", "indicator", "unit"),
    [
        ("地区生产总值(亿元)", "gdp", "yi_yuan"),
        ("地区生产总值（万元）", "gdp", "10k_yuan"),
        ("地区生产总值 （当年价） （亿元）", "gdp", "yi_yuan"),
        ("GDP/万元", "gdp", "10k_yuan"),
        ("ＧＤＰ（亿元）", "gdp", "yi_yuan"),
        ("gdp", "gdp", None),
        ("GDP [100 million yuan]", "gdp", "yi_yuan"),
        ("gdp_100m", "gdp", "yi_yuan"),
        ("gdp_yi_yuan", "gdp", "yi_yuan"),
        ("gdp (10k_yuan)", "gdp", "10k_yuan"),
        ("Gross regional product\n(million yuan)", "gdp", "million_yuan"),
        ("地区生产总值指数(上年=100)", "gdp_index_prev100", "index_prev100"),
        ("地区生产总值指数(%)", "gdp_index_prev100", "index_prev100"),
        ("GDP增长率(%)", "gdp_index_prev100", "growth_pct"),
        ("gdp_growth_pct", "gdp_index_prev100", "growth_pct"),
        ("第三产业占GDP的比重(%)", "gdp_tertiary_share", "pct"),
        ("第三产业增加值(亿元)", "gdp_tertiary", "yi_yuan"),
        ("年末户籍人口（万人）", "population_registered", "10k_persons"),
        ("hukou_pop_10k", "population_registered", "10k_persons"),
        ("resident_population (persons)", "population_resident", "persons"),
        ("行政区域土地面积(平方千米)", "land_area", "km2"),
        ("土地面积(km²)", "land_area", "km2"),
        ("进出口总额（万美元）", "trade_total", "10k_usd"),
        ("互联网宽带接入用户数(万户)", "internet_users", "10k_households"),
        ("普通高等学校在校学生数(人)", "students_higher_education", "persons"),
    ],
)
def test_headers_of_the_yearbook(header: str, indicator: str, unit: str | None) -> None:
    reading = DICTIONARY.read_header(header, "city_yearbook")
    assert reading is not None and not reading.problem
    assert (reading.indicator, reading.unit) == (indicator, unit)


@pytest.mark.parametrize(
    "header",
    [
        "gdp_per_capita",
        "人均地区生产总值(元)",
        "gdp_rev_100m",
        "GDP deflator",
        "gdp_quaternary_100m",
        "第二产业增加值占GDP的比重(%)",
        "工业二氧化硫去除量(吨)",
        "公路货运量(万吨)",
        "人均公路里程(公里)",
        "pop_10k",
    ],
)
def test_headers_that_only_look_alike_are_left_alone(header: str) -> None:
    assert DICTIONARY.read_header(header, "city_yearbook") is None


def test_area_and_vintage_in_a_header() -> None:
    reading = DICTIONARY.read_header("地区生产总值(市辖区)(修订)(万元)", "city_yearbook")
    assert reading is not None
    assert (reading.area_scope, reading.vintage, reading.unit) == ("urban_districts", "revised", "10k_yuan")


def test_unknown_units_must_be_answered_and_constant_prices_are_left_alone() -> None:
    unknown = DICTIONARY.read_header("gdp (gold)", "city_yearbook")
    wrong = DICTIONARY.read_header("gdp (万人)", "city_yearbook")
    constant = DICTIONARY.read_header("gdp (2000年价)", "city_yearbook")
    assert unknown is not None and unknown.is_fatal and "not a known unit" in unknown.problem
    assert wrong is not None and wrong.is_fatal and "not a unit of gdp" in wrong.problem
    assert constant is not None and not constant.is_fatal and "current prices" in constant.problem


def test_co2_of_an_unnamed_inventory() -> None:
    reading = DICTIONARY.read_header("碳排放量(万吨)", "city_emissions")
    assert reading is not None and reading.needs_inventory and reading.unit == "10k_t"
    assert DICTIONARY.read_header("碳排放量(万吨)", "city_yearbook") is None


def test_every_unit_label_of_the_seed_is_understood_for_its_indicators() -> None:
    for (source, name), indicator in CONTRACT.indicators.items():
        for unit in CONTRACT.units_for(indicator):
            labels = {CONTRACT.units[unit].label_zh, CONTRACT.units[unit].label_en, unit}
            for label in sorted(labels):
                assert DICTIONARY.unit(label, indicator) == unit, (source, name, label)


def test_every_indicator_is_recognised_by_its_own_names() -> None:
    for (source, name), indicator in CONTRACT.indicators.items():
        for label in (name, indicator.label_zh, indicator.label_en, name.upper()):
            reading = DICTIONARY.read_header(label, source)
            assert reading is not None and reading.indicator == name, (source, label)


def test_conversion_for_plausibility() -> None:
    gdp = CONTRACT.indicators[("city_yearbook", "gdp")]
    index = CONTRACT.indicators[("city_yearbook", "gdp_index_prev100")]
    share = CONTRACT.indicators[("city_yearbook", "gdp_tertiary_share")]
    assert CONTRACT.to_canonical(276_700_000.0, "10k_yuan", gdp) == 27_670.0
    assert CONTRACT.to_canonical(7.5, "growth_pct", index) == 107.5
    assert CONTRACT.to_canonical(0.45, "share", share) == 45.0
    assert not CONTRACT.accepts(gdp, "usd")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("27670", 27670.0),
        (" 1,234.5 ", 1234.5),
        ("12 345 678", 12345678.0),
        ("１，２３４．５", 1234.5),
        ("−3", -3.0),
        ("－３", -3.0),
        ("+7", 7.0),
        ("1e4", 10000.0),
        (".5", 0.5),
    ],
)
def test_numbers(text: str, value: float) -> None:
    assert parse_number(text) == (value, False)


@pytest.mark.parametrize(
    "text", ["1,5", "1_000", "inf", "1e999", "=A1", "12 34", "about 10", "3亿", "0x10", "1-2", "(5)", "1.2.3"]
)
def test_texts_that_are_no_numbers(text: str) -> None:
    assert parse_number(text) is None


def test_percent() -> None:
    assert parse_number("12.5%") == (12.5, True)
    assert parse_number("１２％") == (12.0, True)


@pytest.mark.parametrize(
    "text", ["", " ", "-", "--", "—", "——", "…", "……", "..", "NA", "n/a", "缺失", "－", "#N/A", "NaN", "无数据"]
)
def test_missing_marks(text: str) -> None:
    assert is_missing(text)


@pytest.mark.parametrize("text", ["0", "0.0", "missing data", "-1", "未公布"])
def test_not_missing(text: str) -> None:
    assert not is_missing(text)
    assert is_missing("未公布", frozenset({"未公布"}))


@pytest.mark.parametrize(
    ("text", "year"),
    [
        *[
            (t, 2019)
            for t in ("2019", "2019.0", "2019年", " 2019 年 ", "２０１９年", "2019年度", "2019-12-31", "2019/1/1")
        ],
        *[(t, None) for t in ("20190", "19", "2019.5", "0", "year", "", "2019-2020", "1066", "2019-06-30", "2019H1")],
    ],
)
def test_years(text: str, year: int | None) -> None:
    assert parse_year(text) == year
