"""Bad input: one readable message with file, row, column and remedy, exit code not 0, nothing written."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.conftest import Cli, assert_readable_error

HEADER = "city_code,city_name,year,gdp,population_resident\n"
GOOD = HEADER + "440300,深圳市,2019,26927,1344\n440300,深圳市,2020,27670,1763\n310000,上海市,2019,38156,2428\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, name: str, text: str | bytes) -> str:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return str(path)


def nothing_written(folder: Path) -> None:
    assert not (folder / "data").exists() or not list((folder / "data").rglob("*.parquet"))
    assert not (folder / "warehouse" / "carbonpanel.duckdb").exists()


def test_good_file_is_taken(cli_in: Cli, folder: Path) -> None:
    result = cli_in("ingest", write(folder, "good.csv", GOOD), "--as", "city_yearbook")
    assert result.returncode == 0, result.stderr
    assert list((folder / "data" / "raw" / "city_yearbook").glob("*.parquet"))


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("empty.csv", "", ["empty.csv"]),
        ("header_only.csv", HEADER, ["header_only.csv"]),
        ("no_year.csv", "city_code,city_name,gdp\n440300,深圳市,26927\n", ["no_year.csv", "year"]),
        (
            "twice.csv",
            HEADER + "440300,深圳市,2019,26927,1344\n440300,深圳市,2019,27000,1344\n",
            ["twice.csv", "2019", "row"],
        ),
        ("text.csv", HEADER + "440300,深圳市,2019,about ten,1344\n", ["text.csv", "row 2", "gdp", "about ten"]),
        ("nowhere.csv", HEADER + "999999,Atlantis,2019,1,1\n", ["nowhere.csv", "Atlantis"]),
        ("year.csv", HEADER + "440300,深圳市,20190,26927,1344\n", ["year.csv", "row 2", "20190"]),
        ("binary.csv", bytes(range(256)) * 20, ["binary.csv"]),
        ("truncated.xlsx", b"PK\x03\x04 and then nothing", ["truncated.xlsx"]),
        ("not.parquet", b"PAR1 no", ["not.parquet"]),
        ("not.dta", b"no stata", ["not.dta"]),
        ("cut.csv.gz", gzip.compress(GOOD.encode(), mtime=0)[:40], ["cut.csv.gz"]),
        ("what.pdf", b"%PDF-1.4", ["what.pdf"]),
    ],
)
def test_bad_files(cli_in: Cli, folder: Path, name: str, text: str | bytes, names: list[str]) -> None:
    result = cli_in("ingest", write(folder, name, text), "--as", "city_yearbook")
    assert_readable_error(result, None, *names)
    assert "error CP-" in result.stderr
    nothing_written(folder)


def test_missing_file_names_the_nearest(cli_in: Cli, folder: Path) -> None:
    write(folder, "yearbook_2020.csv", GOOD)
    result = cli_in("ingest", str(folder / "yearbok_2020.csv"), "--as", "city_yearbook")
    assert_readable_error(result, None, "yearbok_2020.csv", "yearbook_2020.csv")
    nothing_written(folder)


def test_unknown_source(cli_in: Cli, folder: Path) -> None:
    result = cli_in("ingest", write(folder, "good.csv", GOOD), "--as", "city_yearbok")
    assert_readable_error(result, None, "city_yearbook")
    nothing_written(folder)


def test_mapping_to_a_column_that_is_not_there(cli_in: Cli, folder: Path) -> None:
    data = write(folder, "good.csv", GOOD)
    mapping = write(
        folder,
        "mapping.yml",
        "source: city_yearbook\nplace: {code: city_code, name: city_name}\nyear: year\n"
        "columns:\n  gpd: {indicator: gdp, unit: yi_yuan}\n",
    )
    result = cli_in("ingest", data, "--as", "city_yearbook", "--mapping", mapping)
    assert_readable_error(result, None, "gpd", "gdp")
    nothing_written(folder)


def test_an_unknown_city_is_listed_and_the_rest_is_taken(cli_in: Cli, folder: Path) -> None:
    text = GOOD + "999999,Atlantis,2019,1,1\n"
    result = cli_in("ingest", write(folder, "one_unknown.csv", text), "--as", "city_yearbook")
    assert result.returncode == 0, result.stderr
    assert "Atlantis" in result.stdout


STUDY = """study: trial
title: {en: Trial, zh: 试}
unit: id
time: year
defaults: {estimator: twfe, outcome: y, treatment: [x], fixed_effects: [id, year]}
models:
  - {id: m1}
"""
DATA = "id,year,y,x\n" + "\n".join(
    f"{i},{t},{(i * 7 + t * 3) % 11},{(i * t) % 5}" for i in range(1, 9) for t in range(6)
)


def test_study_on_a_file(cli_in: Cli, folder: Path) -> None:
    study, data = write(folder, "study.yml", STUDY), write(folder, "data.csv", DATA)
    out = folder / "out.json"
    result = cli_in("estimate", study, "--data", data, "--json", str(out))
    assert result.returncode == 0, result.stderr
    assert '"m1"' in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("outcome: y", "outcom: y", ["study.yml", "outcom", "outcome"]),
        ("treatment: [x]", "treatment: [xx]", ["xx"]),
        ("estimator: twfe", "estimator: twfee", ["twfee", "twfe"]),
        ("unit: id", "unit: idd", ["idd", "id"]),
        ("study: trial", "study: [", ["study.yml"]),
        ("  - {id: m1}", "  - {id: m1}\n  - {id: m1}", ["m1"]),
        ("  - {id: m1}", "  - {id: m1, covariance: {type: clusterd}}", ["clusterd", "cluster"]),
        ("  - {id: m1}", "  - {id: m1, convention: xtregg}", ["xtregg", "xtreg"]),
        ("  - {id: m1}", "  - {id: m1, sample: 'yeer > 2'}", ["yeer"]),
    ],
)
def test_typo_in_a_study(cli_in: Cli, folder: Path, old: str, new: str, names: list[str]) -> None:
    assert old in STUDY
    study, data = write(folder, "study.yml", STUDY.replace(old, new)), write(folder, "data.csv", DATA)
    out = folder / "out.json"
    result = cli_in("estimate", study, "--data", data, "--json", str(out))
    assert_readable_error(result, None, *names)


def test_estimate_without_a_database(cli_in: Cli) -> None:
    assert_readable_error(cli_in("estimate"), "CP-DB-MISSING", "refresh")


def test_unknown_study_names_the_nearest(cli: Cli) -> None:
    assert_readable_error(cli("estimate", "carbon_prodctivity"), "CP-STUDY-UNKNOWN", "carbon_productivity")


def test_unknown_option_and_command(cli_in: Cli) -> None:
    for args, near in ((("refresh", "--forse"), "--force"), (("estimat",), "estimate")):
        result = cli_in(*args)
        assert result.returncode == 2
        assert near in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("select * from panel_carbon_productivty", ["panel_carbon_productivity"]),
        ("select CPP from panel_carbon_productivity", ["CPP"]),
        ("selec 1", ["selec"]),
        ("", ["empty"]),
        ("delete from panel_carbon_productivity", ["read"]),
        ("select 1; select 2", ["2 statements"]),
        ("copy dim_city to 'cities.csv'", ["warehouse only"]),
        ("select * from read_csv('/etc/hostname')", ["warehouse only"]),
        ("install httpfs", ["warehouse only"]),
        ("set enable_external_access = true", ["CP-SQL"]),
    ],
)
def test_bad_sql(cli: Cli, query: str, names: list[str]) -> None:
    assert_readable_error(cli("sql", query), None, *names)


def test_bad_trace(cli: Cli) -> None:
    assert_readable_error(cli("trace", "深训", "2019", "CP"), None, "深圳")
    assert_readable_error(cli("trace", "深圳", "2019", "CPP"), None, "CP")
    assert_readable_error(cli("trace", "深圳", "1950", "CP"), None, "1950")


def test_describe_data_errors(cli_in: Cli, folder: Path) -> None:
    data = write(folder, "data.csv", DATA)
    assert_readable_error(cli_in("describe-data", data, "--columns", "yy"), "CP-COLUMN", "y")
    assert_readable_error(cli_in("describe-data", data, "--columns", "y", "--winsor", "99,1"), "CP-OPTION", "99,1")


def test_user_inputs_without_files(cli_in: Cli) -> None:
    assert_readable_error(cli_in("refresh", "--inputs", "user"), "CP-INPUTS-NONE", "ingest")


def test_a_broken_database_is_named_and_a_refresh_mends_it(world: Path) -> None:
    from tests.conftest import places, run_cli

    database = world / "warehouse" / "carbonpanel.duckdb"
    database.write_bytes(b"this is not a database" * 1000)
    assert_readable_error(run_cli("sql", "select 1", env=places(world)), "CP-DB-UNREADABLE", "refresh")
    result = run_cli("refresh", env=places(world))
    assert result.returncode == 0, result.stderr
    assert run_cli("sql", "select count(*) from panel_carbon_productivity", env=places(world)).returncode == 0
