"""Raw sources against their suites: a clean world passes; each kind of fault fails with its severity and its words."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path

import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from expectations.validation import ExpectationOutcome, ValidationReport, render_report, validate_raw
from tests.unit.expectations_case import SOURCES, YEARS, RawWorld


def validate(world: RawWorld, *demo: str, **inputs: str) -> ValidationReport:
    """Validate the demo sources named and the others as ``inputs`` says; every source where none is named."""
    chosen = dict.fromkeys(demo, "demo") | inputs or dict.fromkeys(SOURCES, "demo")
    return validate_raw(chosen, seeds_dir=world.seeds, user_raw_dir=world.user)


def failed(report: ValidationReport) -> list[ExpectationOutcome]:
    return [r for r in report.results if not r.success]


def only(report: ValidationReport, severity: str, *words: str) -> ExpectationOutcome:
    """The one failed outcome of this severity whose message has all the words."""
    found = [r for r in failed(report) if r.severity == severity and all(w in r.message for w in words)]
    assert len(found) == 1, [f"{r.severity}: {r.message}" for r in failed(report)]
    return found[0]


@pytest.fixture
def world(tmp_path: Path) -> RawWorld:
    return RawWorld(tmp_path)


def test_clean_world_passes(world: RawWorld) -> None:
    report = validate(world.write())
    assert [r.message for r in failed(report)] == []
    assert report.success
    assert {r.suite.split(".")[0] for r in report.results} == {*SOURCES, "cross_source"}
    assert report.started_at <= report.finished_at


def test_same_inputs_same_outcomes(world: RawWorld) -> None:
    world.spoil("city_yearbook", "130200", 2008, "gdp", 5_000_000).write()
    assert validate(world, "city_yearbook").results == validate(world, "city_yearbook").results


def test_unit_mixup_is_a_warning_that_names_city_year_and_numbers(world: RawWorld) -> None:
    world.spoil("city_yearbook", "130200", 2008, "loans", 42_000_000).write()
    report = validate(world, "city_yearbook")
    assert report.success, "suspicious values do not stop"
    jump = only(report, "warn", "loans", "more than 5 times the year before")
    assert "1 city-year" in jump.message
    assert "唐山市 2008: 42,000,000 against 5,647.2" in jump.message
    assert "probably a unit mix-up (a factor of about 10,000)" in jump.message
    looked_at = jump.column_name.split(", ")
    assert {"loans", "gdp", "employees"} <= set(looked_at)
    assert (jump.unexpected_count, jump.element_count) == (1, 36 * len(looked_at))
    assert jump.observed == f"{len(looked_at) - 1} of {len(looked_at)} columns as expected"
    assert only(report, "warn", "loans", "outside 0 to 500,000 yi_yuan").message.startswith("loans: 1 city-year")


def test_one_expectation_names_each_of_its_columns_with_its_rows(world: RawWorld) -> None:
    world.spoil("city_yearbook", "130200", 2008, "loans", 42_000_000)
    world.spoil("city_yearbook", "130100", 2010, "deposits", 42_000_000).write()
    report = validate(world, "city_yearbook")
    message = only(report, "warn", "outside 0 to 500,000 yi_yuan").message
    assert message.startswith(
        "deposits: 1 city-year outside 0 to 500,000 yi_yuan (e.g. 石家庄市 2010: 42,000,000) | "
        "loans: 1 city-year outside 0 to 500,000 yi_yuan (e.g. 唐山市 2008: 42,000,000); such cells"
    )
    lines = render_report(report).splitlines()
    assert "    WARN  deposits: 1 city-year outside 0 to 500,000 yi_yuan (e.g. 石家庄市 2010: 42,000,000)" in lines
    assert any(line.startswith("          loans: 1 city-year outside") for line in lines)


def test_a_share_where_a_percent_belongs_warns(world: RawWorld) -> None:
    report = validate(world.spoil("city_yearbook", "130200", 2008, "gdp_tertiary_share", 0.45).write(), "city_yearbook")
    message = only(report, "warn", "about a hundredth of the years around").message
    assert "唐山市 2008: 0.45 between 45 and 45" in message
    assert "share (0-1)" in message


def test_whole_column_out_of_range_stops(world: RawWorld) -> None:
    table = world.tables["city_yearbook"]
    table["population_resident"] = table["population_resident"] * 10_000
    world.write()
    report = validate(world, "city_yearbook")
    assert not report.success
    stop = only(report, "stop", "population_resident")
    assert "too many to be slips" in stop.message


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("science_expenditure", -0.2, ("science_expenditure", "outside 0 to 3,000 yi_yuan", "-0.2")),
        ("science_expenditure", "—", ("1 cell with text where a number belongs (science_expenditure)", "'—'", "row ")),
        ("science_expenditure", 1900.0, ("science_expenditure is larger than fiscal_expenditure", "1,900 against")),
        ("gdp_tertiary", 100_000.0, ("gdp_tertiary is larger than gdp",)),
        ("solid_waste_utilised", 3900.0, ("solid_waste_utilised is larger than solid_waste_generated",)),
        ("gdp_tertiary_share", 61.0, ("gdp_tertiary over gdp times gdp_tertiary_share",)),
        ("deposits", 3600.0, ("deposits", "off both neighbouring years")),
        ("gdp_index_prev100", 190.0, ("growth of gdp over gdp_index_prev100",)),
    ],
)
def test_suspicious_values_warn(world: RawWorld, column: str, value: object, words: tuple[str, ...]) -> None:
    report = validate(world.spoil("city_yearbook", "130200", 2008, column, value).write(), "city_yearbook")
    assert report.success
    message = only(report, "warn", *words).message
    assert "唐山市 2008" in message


def test_population_printed_twice(world: RawWorld) -> None:
    table = world.tables["city_yearbook"]
    registered = table.loc[(table["city_code"] == "130200") & (table["year"] == 2007), "population_registered"].iloc[0]
    report = validate(
        world.spoil("city_yearbook", "130200", 2007, "population_resident", registered).write(), "city_yearbook"
    )
    assert "唐山市 2007" in only(report, "warn", "with the same number as population_registered").message


def test_urban_districts_in_the_whole_citys_row(world: RawWorld) -> None:
    table = world.tables["city_yearbook"]
    part = table[
        (table["city_code"] == "130200") & (table["year"] == 2007) & (table["area_scope"] == "urban_districts")
    ]
    report = validate(
        world.spoil("city_yearbook", "130200", 2007, "loans", part["loans"].iloc[0]).write(), "city_yearbook"
    )
    message = only(report, "warn", "with the number of its urban districts").message
    assert "唐山市 2007, loans" in message


def test_duplicate_rows_stop(world: RawWorld) -> None:
    table = world.tables["city_energy"]
    world.tables["city_energy"] = pd.concat([table, table.tail(1)], ignore_index=True)
    report = validate(world.write(), "city_energy")
    stop = only(report, "stop", "share their key with another")
    assert stop.unexpected_count == 18, "nine fuels, twice"
    assert "唐山市 2012" in stop.message
    assert "row 41" in stop.message


def test_unknown_place_stops_and_old_names_and_codes_do_not(world: RawWorld) -> None:
    patents = world.tables["city_patents"]
    patents.loc[patents["city_code"] == "310100", "city_code"] = "310000"
    patents.loc[patents["city_code"] == "130100", ["city_code", "city_name"]] = ["", "石家庄"]
    assert validate(world.write(), "city_patents").success
    patents.loc[patents["city_code"] == "130200", ["city_code", "city_name"]] = ["999999", "无此市"]
    stop = only(validate(world.write(), "city_patents"), "stop", "of a place that no code or name resolves")
    assert stop.unexpected_count == 10
    assert "无此市 2003" in stop.message


def test_name_of_another_place_warns(world: RawWorld) -> None:
    report = validate(world.spoil("city_energy", "130200", 2004, "city_name", "石家庄市").write(), "city_energy")
    assert "whose place name belongs to another place" in only(report, "warn", "place name").message


@pytest.mark.parametrize(("year", "words"), [("20O8", "without year"), (208, "outside 1949 to 2049")])
def test_impossible_year_stops(world: RawWorld, year: object, words: str) -> None:
    table = world.tables["city_emissions"].astype({"year": object})
    table.loc[table.index[-1], "year"] = year
    world.tables["city_emissions"] = table
    assert only(validate(world.write(), "city_emissions"), "stop", words).column_name == "year"


def test_missing_column_stops_and_nothing_else_is_said_of_the_source(world: RawWorld) -> None:
    world.tables["city_energy"] = world.tables["city_energy"].drop(columns=["year", "energy_coke"])
    report = validate(world.write(), "city_energy")
    stop = only(report, "stop", "without the column")
    assert "'energy_coke'" in stop.message
    assert "'year'" in stop.message
    assert [r.suite for r in report.results if r.suite.startswith("city_energy")] == ["city_energy.schema"] * 2


def test_unit_the_layout_does_not_know_stops(world: RawWorld) -> None:
    world.layout.loc[world.layout["indicator"] == "energy_coke", "unit"] = "yi_yuan"
    stop = only(validate(world.write(), "city_energy"), "stop", "whose unit is unknown or cannot be converted")
    assert stop.unexpected_count == 40


def test_a_change_of_unit_that_is_declared_is_no_jump(world: RawWorld) -> None:
    table, layout = world.tables["city_yearbook"], world.layout
    early = table["year"] < 2008
    table.loc[early, "loans"] = (table.loc[early, "loans"] * 10_000).round()
    line = layout.index[layout["indicator"] == "loans"][0]
    layout.loc[line, "year_from"] = 2008
    world.layout = pd.concat(
        [layout, layout.loc[[line]].assign(year_from=YEARS.start, year_to=2007, unit="10k_yuan")], ignore_index=True
    )
    assert [r.message for r in failed(validate(world.write(), "city_yearbook"))] == []


def test_missing_years_of_some_cities_warn(world: RawWorld) -> None:
    table = world.tables["city_emissions"]
    world.tables["city_emissions"] = table[~((table["year"] == 2009) & (table["city_code"] < "300000"))]
    warning = only(validate(world.write(), "city_emissions"), "warn", "cities more than 10% off the median year's 4")
    assert "2009: 2" in warning.message


def test_cities_that_sum_to_more_than_their_province_warn(world: RawWorld) -> None:
    table = world.tables["province_yearbook"]
    world.tables["province_yearbook"] = table.assign(gdp=table["gdp"].where(table["province_code"] != "310000", 900.0))
    warning = only(validate(world.write(), "city_yearbook", "province_yearbook"), "warn", "outside at most 1.25")
    assert warning.suite == "cross_source.gdp"
    assert "上海市" in warning.message


def test_more_firms_closed_than_opened_warn(world: RawWorld) -> None:
    report = validate(world.spoil("city_firms", "130200", 2003, "ai_firms_deregistered", 70).write(), "city_firms")
    assert "唐山市 2003: -50" in only(report, "warn", "with more ai_firms_deregistered").message


def test_half_a_firm_warns(world: RawWorld) -> None:
    report = validate(world.spoil("city_firms", "130200", 2003, "ai_firms_registered", 20.5).write(), "city_firms")
    assert "唐山市 2003" in only(report, "warn", "no whole numbers").message


def test_none_is_not_read_and_sums_need_both(world: RawWorld) -> None:
    report = validate(world.write(), city_yearbook="demo", province_yearbook="none")
    assert {r.suite.split(".")[0] for r in report.results} == {"city_yearbook"}
    assert "No file brought: province_yearbook." in render_report(report)


# ---------------------------------------------------------------- users' files


def test_clean_user_file_passes(world: RawWorld) -> None:
    for source in SOURCES[:5]:
        world.write_user(source)
    report = validate(world, **dict.fromkeys(SOURCES[:5], "user"))
    assert [r.message for r in failed(report)] == []
    assert "SIMULATED" not in render_report(report)


def test_user_file_without_a_year_column_stops(world: RawWorld) -> None:
    world.write_user("city_energy", world.long("city_energy").drop(columns=["year"]))
    stop = only(validate(world, city_energy="user"), "stop", "without the column 'year'")
    assert "ingest it again" in stop.message


def test_user_file_with_a_text_year_stops(world: RawWorld) -> None:
    frame = world.long("city_energy").astype({"year": str})
    folder = world.user / "city_energy"
    folder.mkdir(parents=True)
    frame.to_parquet(folder / "mine.parquet", index=False)
    stop = only(validate(world, city_energy="user"), "stop", "of another type")
    assert "mine.parquet: year is text, not integer" in stop.message


def test_user_duplicates_stop(world: RawWorld) -> None:
    frame = world.long("city_energy")
    world.write_user("city_energy", pd.concat([frame, frame.tail(2)], ignore_index=True))
    report = validate(world, city_energy="user")
    assert not report.success
    assert report.n_stop == 1
    assert "(book.xlsx row 41)" in only(report, "stop", "share their key").message


def test_user_code_that_is_not_canonical_stops(world: RawWorld) -> None:
    frame = world.long("city_energy").replace({"city_code": {"310100": "310000"}})
    world.write_user("city_energy", frame)
    assert only(validate(world, city_energy="user"), "stop", "no code or name resolves").unexpected_count == 90


def test_user_indicator_of_another_source_stops(world: RawWorld) -> None:
    world.write_user("city_energy", world.long("city_energy").replace({"indicator": {"energy_coke": "gdp"}}))
    assert only(validate(world, city_energy="user"), "stop", "with another indicator than").unexpected_count == 40


def test_two_user_data_sets_that_disagree_warn(world: RawWorld) -> None:
    world.write_user("city_emissions")
    other = world.long("city_emissions", dataset="other")
    other.loc[3, "value"] = other.loc[3, "value"] * 1.3
    world.write_user("city_emissions", other, dataset="other")
    warning = only(validate(world, city_emissions="user"), "warn", "different values in the data sets mine, other")
    assert "上海市 2006" in warning.message


# ---------------------------------------------------------------- what cannot be validated at all


def test_missing_files_are_readable_errors(world: RawWorld) -> None:
    world.write()
    (world.seeds / "raw" / "raw_city_energy.csv").unlink()
    with pytest.raises(CarbonpanelError, match="CP-FILE-MISSING") as caught:
        validate(world, city_energy="demo")
    assert "raw_city_energy.csv" in str(caught.value)
    with pytest.raises(CarbonpanelError, match="no ingested file of source 'city_firms'"):
        validate(world, city_firms="user")


def test_damaged_and_empty_files_are_readable_errors(world: RawWorld) -> None:
    path = world.write_user("city_energy")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CarbonpanelError, match="CP-FILE-UNREADABLE"):
        validate(world, city_energy="user")
    world.write_user("city_energy", world.long("city_energy").iloc[:0])
    with pytest.raises(CarbonpanelError, match="CP-FILE-EMPTY"):
        validate(world, city_energy="user")


def test_unknown_source_and_kind_name_the_nearest(world: RawWorld) -> None:
    world.write()
    with pytest.raises(CarbonpanelError, match="did you mean 'city_yearbook'"):
        validate(world, city_yearbok="demo")
    with pytest.raises(CarbonpanelError, match="did you mean 'demo'"):
        validate(world, city_yearbook="demos")


def test_nothing_is_written_or_logged(
    world: RawWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    world.spoil("city_yearbook", "130200", 2008, "loans", 42_000_000).write()
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    told: list[tuple[int, int, str]] = []
    level = logging.getLogger("great_expectations").level
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        validate_raw(
            dict.fromkeys(SOURCES, "demo"),
            seeds_dir=world.seeds,
            user_raw_dir=world.user,
            progress=lambda done, total, label: told.append((done, total, label)),
        )
    assert list(home.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    assert [w for w in caught if "great_expectations" in str(w.filename)] == []
    assert logging.getLogger("great_expectations").level == level
    assert told[-1][0] == told[-1][1]
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
