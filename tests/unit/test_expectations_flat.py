"""The flat sources against their suites: a clean table passes; each kind of fault fails with its severity and words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.flat_contract import flat_sources
from analysis_py.settings import project_root
from expectations.validation import ExpectationOutcome, ValidationReport, validate_raw

SEEDS = project_root() / "seeds"
YEARS = range(2003, 2018)
DIVISIONS = ("10-12", "13-15", "29", "30")


def clean_tables() -> dict[str, pd.DataFrame]:
    """Small tables that meet every expectation, in the columns of the sources."""
    robots, workers, firms, assets, links = [], [], [], [], []
    for country in ("CHN", "USA"):
        for k, code in enumerate(DIVISIONS):
            put = [100 * (k + 1) + 10 * t for t in range(len(YEARS))]
            for t, year in enumerate(YEARS):
                stock = sum(put[max(0, t - 11) : t + 1])
                robots.append((country, code, year, float(put[t]), float(stock)))
    for area, base in (("CHN", 2004), ("USA", 1990), ("110000", 2004), ("310000", 2004)):
        size = 5.0 if len(area) == 3 else 1.0
        workers += [(area, code, base, 1000.0 * size * (k + 2)) for k, code in enumerate(DIVISIONS)]
    for k, (firm, city, name) in enumerate((("600001", "310100", "上海市"), ("000002", None, "石家庄"))):
        other = ("000002", "600001")[k]
        for t, year in enumerate(YEARS):
            assets_yuan = 1e9 * 1.1**t
            numbers = (assets_yuan, assets_yuan / 2, 900.0, 1.0, 0.0, 2.0, 5.0, None, None)
            firms.append((firm, f"股份{firm}", year, city, name, "C39", "计算机", *numbers, 2016 if k else None))
            assets += [(firm, year, "fixed", item, assets_yuan / 5) for item in ("机器设备", "电子设备")]
            links.append((firm, year, other, ("customer", "supplier")[k], assets_yuan / 50))
    rows = {
        "industry_robots": robots,
        "industry_employment": workers,
        "listed_firms": firms,
        "listed_firm_assets": assets,
        "listed_firm_links": links,
    }
    return {name: pd.DataFrame(rows[name], columns=list(source.columns)) for name, source in flat_sources().items()}


def write(folder: Path, source: str, table: pd.DataFrame, dataset: str = "mine") -> None:
    """A user's file as ingest leaves it."""
    table = table.assign(
        dataset=dataset, source_file="book.xlsx", source_sheet=None, source_row=range(2, len(table) + 2)
    )
    (folder / source).mkdir(parents=True, exist_ok=True)
    schema = flat_sources()[source].schema
    content = pa.Table.from_pandas(table[schema.names], schema=schema, preserve_index=False)
    pq.write_table(content, folder / source / f"{dataset}.parquet")


def validate(folder: Path, *sources: str) -> ValidationReport:
    return validate_raw(dict.fromkeys(sources, "user"), seeds_dir=SEEDS, user_raw_dir=folder)


def failed(report: ValidationReport) -> list[ExpectationOutcome]:
    return [r for r in report.results if not r.success]


def test_clean_tables_pass(tmp_path: Path) -> None:
    tables = clean_tables()
    for source, table in tables.items():
        write(tmp_path, source, table)
    report = validate(tmp_path, *tables)
    assert [r.message for r in failed(report)] == []
    assert {r.suite for r in report.results} == {f"{s}.{part}" for s in tables for part in ("schema", "rows")}


@pytest.mark.parametrize(
    ("source", "row", "changes", "severity", "words"),
    [
        ("industry_robots", 0, {"country": "JPN"}, "stop", "another country than CHN, USA (e.g. JPN 2003 10-12 (book"),
        ("industry_robots", 0, {"ifr_code": "77"}, "stop", "another ifr_code than"),
        ("industry_robots", 0, {"ifr_code": None}, "stop", "1 row without ifr_code"),
        ("industry_robots", 5, {"robots_installed": 9e4}, "warn", "robots_installed is larger than robots_stock"),
        ("industry_robots", 13, {"robots_stock": 9e3}, "warn", "CHN 2016 10-12 (book.xlsx row 15): 9,000 against"),
        ("industry_robots", 5, {"robots_installed": 150.5}, "warn", "that are no whole numbers"),
        ("industry_robots", 5, {"robots_installed": -1.0}, "warn", "outside 0 to 1,000,000 count"),
        ("industry_robots", 5, {"year": 208}, "stop", "outside 1949 to 2049 (e.g. CHN 208 10-12"),
        ("industry_employment", 8, {"area_code": "119999"}, "stop", "another area_code than"),
        ("industry_employment", 8, {"employees_persons": 2e7}, "warn", "employment_share: 1 row outside at most 0.95"),
        ("industry_employment", 8, {"employees_persons": 2e7}, "warn", "employees_persons of CHN is not the sum"),
        ("listed_firms", 3, {"firm_code": "no firm"}, "stop", "firm_code is no code of a firm (e.g. no firm 2006"),
        ("listed_firms", 3, {"city_name": "无此市", "city_code": None}, "warn", "that no code or name resolves"),
        ("listed_firms", 3, {"city_name": "北京市"}, "warn", "whose city's name belongs to another city than its code"),
        ("listed_firms", 3, {"industry_code": "X99"}, "warn", "that the classification of 2012 does not have"),
        ("listed_firms", 3, {"employees_persons": -4.0}, "warn", "600001 2006 (book.xlsx row 5): -4"),
        ("listed_firms", 3, {"revenue_yuan": 1e5}, "warn", "more than 1,000 times off the median of the series"),
        ("listed_firms", 3, {"revenue_yuan": 1e5}, "warn", "revenue_yuan: 1 firm-year less than 1/5 of"),
        ("listed_firms", 3, {"year": 1998}, "warn", "outside 2000 to 2023"),
        ("listed_firm_assets", 3, {"asset_class": "current"}, "stop", "another asset_class than fixed, intangible"),
        ("listed_firm_assets", 3, {"amount_yuan": 1e15}, "warn", "-1,000,000,000,000 to 10,000,000,000,000 yuan"),
        ("listed_firm_links", 3, {"role": "friend"}, "stop", "another role than customer, supplier"),
        ("listed_firm_links", 3, {"partner_code": "600001"}, "warn", "that name the firm itself as its partner"),
        ("listed_firm_links", 3, {"amount_yuan": -5.0}, "warn", "600001 2006 000002 customer (book.xlsx row 5): -5"),
    ],
)  # fmt: skip
def test_faults_are_named(
    tmp_path: Path, source: str, row: int, changes: dict[str, Any], severity: str, words: str
) -> None:
    table = clean_tables()[source].astype(object)
    for column, value in changes.items():
        table.loc[row, column] = value
    write(tmp_path, source, table)
    report = validate(tmp_path, source)
    assert report.success is (severity == "warn"), [r.message for r in failed(report)]
    found = [r for r in failed(report) if r.severity == severity and words in r.message]
    assert len(found) == 1, [f"{r.severity}: {r.message}" for r in failed(report)]


def test_all_manufacturing_is_the_sum_of_its_divisions(tmp_path: Path) -> None:
    table = clean_tables()["industry_employment"]
    total = table.iloc[[8]].assign(ifr_code="D", employees_persons=14_000.0)
    write(tmp_path, "industry_employment", pd.concat([table, total], ignore_index=True))
    assert failed(validate(tmp_path, "industry_employment")) == []
    write(tmp_path, "industry_employment", pd.concat([table, total.assign(employees_persons=9000.0)]))
    (warning,) = failed(validate(tmp_path, "industry_employment"))
    assert "employees_persons of D is not the sum of its parts (e.g. 北京市 2004 D: 14,000 against 9,000)" in (
        warning.message
    )


def test_a_row_that_stands_there_twice_warns_and_stops_where_it_contradicts_itself(tmp_path: Path) -> None:
    table = clean_tables()["listed_firms"]
    write(tmp_path, "listed_firms", pd.concat([table, table.iloc[[4]]], ignore_index=True))
    (warning,) = failed(validate(tmp_path, "listed_firms"))
    assert warning.severity == "warn"
    assert "1 firm-year more than once with the same numbers (e.g. 600001 2007" in warning.message
    other = table.iloc[[4]].assign(revenue_yuan=7.4e8)
    write(tmp_path, "listed_firms", pd.concat([table, other], ignore_index=True))
    (stop,) = failed(validate(tmp_path, "listed_firms"))
    assert stop.severity == "stop"
    assert "1 firm-year more than once with different numbers" in stop.message


def test_two_data_sets_may_complete_each_other_and_disagreement_warns(tmp_path: Path) -> None:
    table = clean_tables()["listed_firms"]
    write(tmp_path, "listed_firms", table)
    write(tmp_path, "listed_firms", table.assign(total_assets_yuan=None, ai_patents=None), dataset="income")
    assert failed(validate(tmp_path, "listed_firms")) == []
    write(tmp_path, "listed_firms", table.assign(revenue_yuan=table["revenue_yuan"] * 1.2), dataset="income")
    (warning,) = failed(validate(tmp_path, "listed_firms"))
    assert (warning.severity, warning.unexpected_count) == ("warn", len(table))
    assert "remove the data set you trust less" in warning.message


def test_a_column_that_is_absent_or_of_another_type_stops(tmp_path: Path) -> None:
    table = clean_tables()["listed_firm_links"]
    write(tmp_path, "listed_firm_links", table)
    file = tmp_path / "listed_firm_links" / "mine.parquet"
    pq.write_table(pq.read_table(file).drop_columns(["role"]), file)
    report = validate(tmp_path, "listed_firm_links")
    assert [r.suite for r in report.results] == ["listed_firm_links.schema"] * 2
    assert "without the column 'role'" in failed(report)[0].message


def test_files_that_are_absent_damaged_or_empty_are_readable_errors(tmp_path: Path) -> None:
    with pytest.raises(CarbonpanelError, match="no ingested file of source 'listed_firms'"):
        validate(tmp_path, "listed_firms")
    write(tmp_path, "listed_firms", clean_tables()["listed_firms"].iloc[:0])
    with pytest.raises(CarbonpanelError, match="CP-FILE-EMPTY"):
        validate(tmp_path, "listed_firms")
    (tmp_path / "listed_firms" / "mine.parquet").write_bytes(b"PAR1")
    with pytest.raises(CarbonpanelError, match="CP-FILE-UNREADABLE"):
        validate(tmp_path, "listed_firms")


def test_the_demo_worlds_industries_pass_and_none_is_nothing() -> None:
    inputs = {"industry_robots": "demo", "industry_employment": "demo", "listed_firms": "none"}
    report = validate_raw(inputs, seeds_dir=SEEDS, user_raw_dir=SEEDS / "none")
    assert [r.message for r in failed(report)] == []
    assert {r.table_name for r in report.results} == {"raw_industry_robots", "raw_industry_employment"}
