"""Marts against their suites: a clean build passes; each broken one fails with its severity and its words."""

from __future__ import annotations

import pytest

from analysis_py.errors import CarbonpanelError
from expectations.validation import ExpectationOutcome, ValidationReport, render_report, validate_marts
from tests.unit.expectations_case import open_marts

PANEL = "marts.panel_carbon_productivity"


def failed(report: ValidationReport) -> list[ExpectationOutcome]:
    return [r for r in report.results if not r.success]


def only_failure(*changes: str, severity: str = "stop") -> ExpectationOutcome:
    """The one outcome that fails after the changes; its severity is as given."""
    with open_marts(changes) as con:
        found = failed(validate_marts(con))
    assert len(found) == 1, [f"{r.severity}: {r.message}" for r in found]
    assert found[0].severity == severity
    return found[0]


def test_clean_build_passes() -> None:
    with open_marts() as con:
        report = validate_marts(con)
    assert [r.message for r in failed(report)] == []
    assert (report.stage, report.success) == ("mart", True)
    assert {r.table_name for r in report.results} == {
        "marts.dim_city",
        "marts.dim_province",
        "marts.fct_city_year",
        PANEL,
    }
    assert "SIMULATED" in render_report(report)


def test_same_build_same_outcomes() -> None:
    with open_marts((f"update {PANEL} set CP = CP * 2 where year = 2005",)) as con:
        assert validate_marts(con).results == validate_marts(con).results


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (f"insert into {PANEL} select * from {PANEL} where city_code = '130200' and year = 2012", "share their key"),
        (f"delete from {PANEL} where city_code = '130200' and year = 2005", "1 city without some of the 10 years"),
        (f"update {PANEL} set CP_reported = null where year = 2004", "4 values that contradict the reported value"),
        (f"update {PANEL} set AI_fill = 'guessed' where year = 2004", "AI 0.111, reported 0.111, fill"),
        (f"update {PANEL} set size_class = 'huge' where year = 2004", "4 city-years with another size_class than"),
        (f"update {PANEL} set is_bth = null where year = 2004", "fewer than 100% of city-years (e.g. is_bth: 90%)"),
        (
            f"update {PANEL} set is_low_carbon_pilot = true where year = 2004",
            "is_low_carbon_pilot and low_carbon_pilot",
        ),
        (f"update {PANEL} set is_western = true where year = 2004", "is_western and region4"),
        (f"update {PANEL} set is_simulated = false where year = 2004", "is_simulated is not true, as the build"),
        (f"update {PANEL} set co2_source = 'ceads' where year = 2004", "another co2_source than ipcc2006"),
        (f"alter table {PANEL} alter UIS type varchar", "UIS is text, not number"),
        (f"alter table {PANEL} drop column AI_lag1", "without the column 'AI_lag1'"),
        ("alter table marts.fct_city_year alter is_simulated type varchar", "is_simulated is text, not boolean"),
        ("update marts.dim_city set province_code = '140000' where city_code = '130200'", "other than their code's"),
        ("update marts.dim_city set resource_type = 'none'", "resource type and flag contradict"),
        (
            "update marts.dim_city set city_name_zh = '唐山市' where city_code = '130100'",
            "2 cities that share",
        ),
        (
            "update marts.dim_city set region4 = null where city_code = '130100'",
            "fewer than 100% of cities (e.g. region4: 75%)",
        ),
    ],
)
def test_broken_marts_stop(change: str, words: str) -> None:
    with open_marts((change,)) as con:
        report = validate_marts(con)
    assert not report.success
    stops = [r for r in failed(report) if r.severity == "stop"]
    assert [r for r in stops if words in r.message], [r.message for r in stops]
    assert all("a fault of the model" in r.message for r in stops)


def test_value_outside_the_seeds_range_stops() -> None:
    change = (
        "update marts.fct_city_year set gdp_yi_yuan = -1, gdp_yi_yuan_reported = -1 "
        "where city_code = '130200' and year = 2005"
    )
    stop = only_failure(change)
    assert "gdp_yi_yuan: 1 city-year outside 0 to 100,000 yi_yuan (e.g. 唐山市 2005: -1)" in stop.message
    assert stop.expected == "the ranges of seed_indicator"


def test_carbon_productivity_that_is_not_its_definition_stops() -> None:
    stop = only_failure(
        f"update {PANEL} set CP = CP * 1.01, CP_reported = CP * 1.01 where city_code = '130200' and year = 2005"
    )
    assert stop.expected == "CP = gdp_2003_price_yi_yuan / (100 co2_mt)"
    assert "唐山市 2005: 0.990099" in stop.message


def test_a_jump_of_emissions_warns() -> None:
    where = "where city_code = '130200' and year = 2005"
    warning = only_failure(
        f"update marts.fct_city_year set co2_ipcc2006_mt = co2_ipcc2006_mt * 100, "
        f"co2_ipcc2006_mt_reported = co2_ipcc2006_mt * 100 {where}",
        severity="warn",
    )
    assert "co2_ipcc2006_mt: 1 city-year more than 5 times the year before" in warning.message


def test_shares_above_one_warn() -> None:
    warning = only_failure(f"update {PANEL} set UIS = 1.2, UIS_reported = 1.2 where year = 2005", severity="warn")
    assert "UIS: 4 city-years outside 0 to 1 (tertiary share of GDP)" in warning.message


def test_cities_that_sum_to_more_than_the_province_warn() -> None:
    change = (
        "update intermediate.int_province_year_pivot set gdp_yi_yuan = gdp_yi_yuan / 2 where province_code = '310000'"
    )
    warning = only_failure(change, severity="warn")
    assert warning.suite == "fct_city_year.sums"
    assert "10 province-years" in warning.message
    assert "上海市 2003" in warning.message


def test_wholly_empty_measure_is_a_warning_on_users_data() -> None:
    change = f"update {PANEL} set AI = null, AI_reported = null, AI_fill = 'missing', AI_flow = null, AI_lag1 = null"
    with open_marts((change,), is_simulated=False) as con:
        report = validate_marts(con)
    assert report.success
    assert [r.message.split(" (")[0] for r in failed(report)] == [
        "1 column wholly empty: AI; no file brought what they are made from; analyses that need them are not run"
    ]
    assert "SIMULATED" not in render_report(report)


@pytest.mark.parametrize(
    "change",
    [f"drop table {PANEL}", "drop table meta.build", "delete from meta.build", "drop schema intermediate cascade"],
)
def test_a_warehouse_that_is_not_built_is_a_readable_error(change: str) -> None:
    with open_marts((change,)) as con, pytest.raises(CarbonpanelError, match="CP-MART-MISSING") as caught:
        validate_marts(con)
    assert "carbonpanel refresh" in str(caught.value)


def test_marts_are_only_read() -> None:
    with open_marts() as con:
        before = con.execute("select schema_name, table_name from duckdb_tables() order by all").fetchall()
        validate_marts(con)
        assert con.execute("select schema_name, table_name from duckdb_tables() order by all").fetchall() == before


OWN_MART = (
    "create table marts.fct_province_year (province_code varchar, year integer, gdp_share double, "
    "gdp_share_reported double, gdp_share_fill varchar, is_simulated boolean, primary key (province_code, year))",
    "insert into marts.fct_province_year values ('130000', 2004, 0.5, 0.5, 'observed', true), "
    "('310000', 2004, 0.4, null, 'linear', true)",
)


def test_a_mart_without_a_suite_of_its_own_is_held_against_what_all_can_meet() -> None:
    with open_marts(OWN_MART) as con:
        report = validate_marts(con)
    assert [r.message for r in failed(report)] == []
    assert "marts.fct_province_year" in {r.table_name for r in report.results}


@pytest.mark.parametrize(
    ("change", "severity", "words"),
    [
        ("update marts.fct_province_year set gdp_share = 1.5, gdp_share_reported = 1.5 where province_code = '130000'",
         "warn", "gdp_share"),
        ("update marts.fct_province_year set gdp_share_fill = 'observed'", "stop", "fill"),
        ("update marts.fct_province_year set is_simulated = false", "stop", "is_simulated"),
        ("update marts.fct_province_year set gdp_share = null, gdp_share_reported = null, gdp_share_fill = 'missing'",
         "warn", "gdp_share"),
        ("delete from marts.fct_province_year", "warn", "no rows"),
    ],
)  # fmt: skip
def test_such_a_mart_fails_with_its_words(change: str, severity: str, words: str) -> None:
    assert words in only_failure(*OWN_MART, change, severity=severity).message


def test_a_key_the_database_does_not_state_is_looked_at() -> None:
    keyless = OWN_MART[0].replace(", primary key (province_code, year)", "")
    twice = "insert into marts.fct_province_year select * from marts.fct_province_year where province_code = '130000'"
    assert "share their key" in only_failure(keyless, OWN_MART[1], twice).message
