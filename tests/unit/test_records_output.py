"""What is written: the same bytes every time, whole or not at all, and straight into the raw contract."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.batches import SCHEMA
from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.datasets import read_judged
from analysis_py.ingest.inputs import current_inputs, describe_inputs
from analysis_py.records.dataset import dataset_rows, left_out, write_as_input
from analysis_py.records.tables import check_target, write_counts, write_review
from tests.unit.records_case import FIRMS, firms, patents, values
from tests.unit.test_records_patents import PATENTS

ODD = ("=1+1人工智能", "人工智能\x0b、深度学习", "2018-03-01", "", "", "安徽", "合肥", "A0009")


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_the_same_bytes_whatever_threads(tmp_path: Path, suffix: str) -> None:
    rows = [*FIRMS, ODD] * 40
    for number, threads in enumerate((1, 2, 4)):
        outcome = firms(tmp_path / "a.csv", rows, review=3, threads=threads)
        write_counts(tmp_path / f"{number}{suffix}", outcome)
        write_review(tmp_path / f"r{number}{suffix}", outcome)
    for name in ("", "r"):
        assert len({(tmp_path / f"{name}{number}{suffix}").read_bytes() for number in range(3)}) == 1
    assert not list(tmp_path.glob(".*"))


def test_the_three_forms_say_the_same(tmp_path: Path) -> None:
    outcome = firms(tmp_path / "a.csv", [*FIRMS, ODD], review=2)
    for suffix in (".csv", ".parquet", ".xlsx"):
        write_counts(tmp_path / f"c{suffix}", outcome)
    text = (tmp_path / "c.csv").read_text(encoding="utf-8-sig")
    by_text = [{key: value or None for key, value in row.items()} for row in csv.DictReader(io.StringIO(text))]
    by_parquet = [
        {key: None if value in (None, "") else str(value) for key, value in row.items()}
        for row in pq.read_table(tmp_path / "c.parquet").to_pylist()
    ]
    assert by_text == by_parquet and len(by_text) == len(outcome.counts)
    book = openpyxl.load_workbook(tmp_path / "c.xlsx")
    assert book.sheetnames == ["counts", "keywords", "cohorts", "unplaced", "odd_dates", "notes"]
    first, *rows = book["counts"].values
    assert [
        {k: None if v in (None, "") else str(v) for k, v in zip(first, row, strict=True)} for row in rows
    ] == by_text
    assert book["odd_dates"]["A2"].value == "not a date"


def test_a_name_is_never_a_formula(tmp_path: Path) -> None:
    outcome = firms(tmp_path / "a.csv", [ODD], review=2)
    write_review(tmp_path / "r.csv", outcome)
    write_review(tmp_path / "r.xlsx", outcome)
    rows = list(csv.reader(io.StringIO((tmp_path / "r.csv").read_text(encoding="utf-8-sig"))))
    assert rows[1][5] == "'=1+1人工智能" and rows[1][0:4] == ["1", "人工智能", "exact", "name"] and rows[1][-1] == ""
    cell = openpyxl.load_workbook(tmp_path / "r.xlsx").active["F2"]
    assert (cell.value, cell.data_type) == ("=1+1人工智能", "s")


def test_targets_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(CarbonpanelError, match=r"not written as '\.xls'"):
        check_target(tmp_path / "a.xls")
    path = tmp_path / "a.csv"
    path.write_text("x", encoding="utf-8")
    with pytest.raises(CarbonpanelError) as caught:
        check_target(path, [path])
    assert caught.value.code == "CP-FILE-SAME"
    with pytest.raises(CarbonpanelError) as caught:
        write_counts(path / "below.csv", firms(tmp_path / "b.csv"))
    assert caught.value.code == "CP-FILE-UNWRITABLE"


def test_counts_become_a_dataset_that_the_contract_knows(tmp_path: Path) -> None:
    outcome = firms(tmp_path / "registry.csv")
    path = write_as_input(outcome, tmp_path / "data", "registry")
    assert path == tmp_path / "data" / "raw" / "city_firms" / "registry.parquet"
    table = read_judged(path).table
    assert table.schema.names == SCHEMA.names
    cells = {(row["city_code"], row["year"], row["indicator"]): row for row in table.to_pylist()}
    registered = {at: number for at, number in values(outcome, "ai_firms_registered").items() if number is not None}
    assert {at[:2]: row["value"] for at, row in cells.items() if at[2] == "ai_firms_registered"} == registered
    one = cells[("340100", 2018, "ai_firms_registered")]
    assert (one["source_file"], one["source_row"], one["source_column"]) == (
        "registry.csv",
        2,
        "ai_firms_registered of 340100 in 2018, counted in 企业名称+经营范围",
    )
    assert (one["unit"], one["value_text"], one["dataset"]) == ("count", "2", "registry")
    zero = cells[("340100", 2019, "ai_firms_registered")]
    assert (zero["value"], zero["source_row"]) == (0.0, 4)
    assert left_out(outcome) == ["ai_firms_stock"]
    assert current_inputs(tmp_path / "data")["city_firms"] == "user"
    columns, rows = describe_inputs(tmp_path / "data")
    told = next(dict(zip(columns, row, strict=True)) for row in rows if row[0] == "city_firms")
    assert (told["file"], told["numbers"], told["years"], told["unplaced"]) == (
        "registry.csv",
        len(cells),
        "2018-2020",
        1,
    )
    before = path.read_bytes()
    write_as_input(firms(tmp_path / "registry.csv", threads=1), tmp_path / "data", "registry")
    assert path.read_bytes() == before
    report = json.loads(path.with_name("registry.report.json").read_text(encoding="utf-8"))
    assert report["records"]["cohorts"][0]["year"] == 2018


def test_patents_fill_the_indicators_of_the_contract(tmp_path: Path) -> None:
    outcome = patents(tmp_path / "a.csv", PATENTS)
    rows = dataset_rows(outcome)
    known = load_contract().of_source("city_patents")
    assert {row.indicator for row in rows} == {row.indicator for row in outcome.counts if row.indicator in known}
    assert "green_patent_applications" in known
    write_as_input(outcome, tmp_path / "data", "patents")
    table = pq.read_table(tmp_path / "data/raw/city_patents/patents.parquet")
    assert table.num_rows == len(rows) and set(table["source"].to_pylist()) == {"city_patents"}


def test_nothing_to_write_writes_nothing(tmp_path: Path) -> None:
    outcome = firms(tmp_path / "a.csv", [FIRMS[6]])
    with pytest.raises(CarbonpanelError) as caught:
        write_as_input(outcome, tmp_path / "data", "x")
    assert caught.value.code == "CP-RECORDS-NOTHING" and not (tmp_path / "data").exists()


@pytest.mark.parametrize("complete", [None, (2000, 2023)])
def test_every_number_of_a_dataset_has_a_source_of_its_own(tmp_path: Path, complete: tuple[int, int] | None) -> None:
    one = firms(tmp_path / "a.csv", complete=complete)
    two = patents(tmp_path / "b.csv", PATENTS, complete=complete)
    for outcome in (one, two):
        rows = pq.read_table(write_as_input(outcome, tmp_path / "data", "x")).to_pylist()
        # The key that staging holds every source to.
        keys = [(row["source_file"], row["source_sheet"], row["source_row"], row["source_column"]) for row in rows]
        assert len(set(keys)) == len(keys) and all(row["source_row"] and row["source_column"] for row in rows)
