"""A user's decisions about single cells: applied to the dataset as read, undone when taken away, wrong ones named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.corrections import load_corrections
from analysis_py.ingest.datasets import quarantine_path, read_judged
from analysis_py.ingest.decisions import settle_decisions
from analysis_py.ingest.ingest import ingest_file
from analysis_py.ingest.inputs import CORRECTION_COLUMNS, describe_corrections, describe_inputs, describe_quarantine
from tests.unit.ingest_files import PLAIN, write_text

#: Two impossible cells (rows 5 and 6) among good ones.
FILE = PLAIN + "340200,芜湖市,2019,-164\n340300,蚌埠市,2019,20572600\n340300,蚌埠市,2020,2082.7\n"

ACCEPT = """- source: city_yearbook
  dataset: a
  city: 芜湖市
  year: 2019
  indicator: gdp
  action: accept
  why: a refund, as the yearbook says
  date: 2024-05-01
"""
VALUE = """- source: city_yearbook
  dataset: a
  city: "340300"
  year: 2019
  indicator: gdp
  action: value
  value: 2,057.26
  unit: 亿元
  why: printed in 万元
  date: 2024-05-02
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    ingest_file(write_text(tmp_path / "a.csv", FILE), "city_yearbook", data_dir=tmp_path / "data")
    return tmp_path / "data"


def cells(data: Path, dataset: str = "a") -> dict[tuple[str, int], dict[str, Any]]:
    rows = pq.read_table(data / "raw" / "city_yearbook" / f"{dataset}.parquet").to_pylist()
    return {(row["city_code"], row["year"]): row for row in rows}


def left_out(data: Path) -> dict[tuple[str, int], dict[str, Any]]:
    path = quarantine_path(data / "raw" / "city_yearbook" / "a.parquet")
    return {(r["city_code"], r["year"]): r for r in (pq.read_table(path).to_pylist() if path.exists() else [])}


def correct(data: Path, *entries: str) -> list[str]:
    write_text(data / "corrections.yml", "".join(entries))
    return settle_decisions(data)


def state(data: Path) -> dict[str, bytes]:
    return {str(p.relative_to(data)): p.read_bytes() for p in sorted((data / "raw").rglob("*")) if p.is_file()}


def test_quarantined_cells_lie_beside_the_dataset(data: Path) -> None:
    assert set(cells(data)) == {("340100", 2019), ("340100", 2020), ("310100", 2019), ("340300", 2020)}
    assert {key: (row["value"], row["decision"], row["position"]) for key, row in left_out(data).items()} == {
        ("340200", 2019): (-164.0, "quarantined", 3),
        ("340300", 2019): (20572600.0, "quarantined", 4),
    }
    assert left_out(data)["340300", 2019]["source_row"] == 6


def test_accepted_and_corrected_cells_enter_the_dataset(data: Path) -> None:
    told = correct(data, ACCEPT, VALUE)
    assert told[0] == "corrections.yml: 1 cell(s) accepted, 1 given another value"
    found = cells(data)
    assert [(row["value"], row["unit"], row["value_text"], row["source_row"]) for row in found.values()][3:] == [
        (-164.0, "yi_yuan", "-164", 5),
        (2057.26, "yi_yuan", "20572600", 6),
        (2082.7, "yi_yuan", "2082.7", 7),
    ]
    kept = left_out(data)
    assert (kept["340200", 2019]["decision"], kept["340200", 2019]["why"]) == (
        "accepted",
        "a refund, as the yearbook says",
    )
    corrected = kept["340300", 2019]
    assert (corrected["value"], corrected["new_value"], corrected["new_unit"], corrected["decided_on"]) == (
        20572600.0,
        2057.26,
        "yi_yuan",
        "2024-05-02",
    )
    assert "above 100,000" in corrected["reason"]


def test_a_decision_taken_away_is_undone_to_the_last_byte(data: Path) -> None:
    before = state(data)
    correct(data, ACCEPT, VALUE)
    assert state(data) != before
    correct(data, VALUE)
    assert ("340200", 2019) not in cells(data) and ("340300", 2019) in cells(data)
    (data / "corrections.yml").unlink()
    settle_decisions(data)
    assert {k: v for k, v in state(data).items() if not k.endswith(".json")} == {
        k: v for k, v in before.items() if not k.endswith(".json")
    }
    report = json.loads((data / "raw/city_yearbook/a.report.json").read_text(encoding="utf-8"))
    assert report["corrections"] == []


def test_order_of_entries_and_time_of_application_do_not_matter(data: Path, tmp_path: Path) -> None:
    correct(data, ACCEPT, VALUE)
    first = state(data)
    correct(data, VALUE, ACCEPT)
    second = state(data)
    assert {k: v for k, v in first.items() if k.endswith("parquet")} == {
        k: v for k, v in second.items() if k.endswith("parquet")
    }
    report = ingest_file(tmp_path / "a.csv", "city_yearbook", data_dir=data)
    assert {k: v for k, v in state(data).items() if k.endswith("parquet")} == {
        k: v for k, v in first.items() if k.endswith("parquet")
    }
    assert (len(report.quarantined), [cell.decision for cell in report.decided]) == (0, ["accepted", "corrected"])
    assert report.cells_written == report.cells_read == 6 and report.columns_used[0].cells == 6


def test_nothing_is_written_when_nothing_changed(data: Path) -> None:
    correct(data, ACCEPT)
    stamps = {path: path.stat().st_mtime_ns for path in (data / "raw").rglob("*") if path.is_file()}
    settle_decisions(data)
    correct(data, "# a remark\n", ACCEPT)
    assert {path: path.stat().st_mtime_ns for path in (data / "raw").rglob("*") if path.is_file()} == stamps


def test_a_cell_that_nothing_is_wrong_with_can_be_given_another_value(data: Path) -> None:
    correct(data, VALUE.replace("year: 2019", "year: 2020"))
    assert cells(data)["340300", 2020]["value"] == 2057.26
    kept = left_out(data)["340300", 2020]
    assert (kept["reason"], kept["decision"], kept["value"]) == (None, "corrected", 2082.7)
    assert cells(data)["340300", 2020]["value_text"] == "2082.7"
    (data / "corrections.yml").unlink()
    settle_decisions(data)
    assert cells(data)["340300", 2020]["value"] == 2082.7


def test_inputs_list_what_was_decided(data: Path) -> None:
    correct(data, ACCEPT, VALUE)
    entries = [dict(zip(CORRECTION_COLUMNS, row, strict=True)) for row in describe_corrections(data)]
    assert [(e["line"], e["place"], e["action"], e["value"], e["why"]) for e in entries] == [
        (1, "芜湖市 (340200)", "accept", None, "a refund, as the yearbook says"),
        (9, "蚌埠市 (340300)", "value", 2057.26, "printed in 万元"),
    ]
    columns, rows = describe_inputs(data)
    first = dict(zip(columns, rows[0], strict=True))
    assert (first["numbers"], first["quarantined"], first["decided"]) == (6, 0, 2)
    assert [row[9] for row in describe_quarantine(data)] == ["accepted", "corrected"]


def test_an_area_or_a_vintage_tells_cells_apart(tmp_path: Path) -> None:
    text = "city,year,area_scope,gdp\n合肥,2019,全市,9409\n合肥,2019,市辖区,6000\n芜湖,2019,全市,3618\n"
    data = tmp_path / "data"
    ingest_file(write_text(tmp_path / "a.csv", text), "city_yearbook", data_dir=data)
    entry = VALUE.replace('"340300"', "合肥")
    with pytest.raises(CarbonpanelError, match=r"(?s)CP-CORRECTION-UNMATCHED: 2 cells.*area_scope"):
        correct(data, entry)
    correct(data, entry + "  area_scope: urban_districts\n")
    rows = pq.read_table(data / "raw/city_yearbook/a.parquet").to_pylist()
    assert [row["value"] for row in rows] == [9409.0, 2057.26, 3618.0]


BAD: list[tuple[str, str, str, int]] = [
    ("indicator: gdp", "indicator: gpd", "did you mean 'gdp'", 5),
    ("source: city_yearbook", "source: city_yearbok", "did you mean 'city_yearbook'", 1),
    ("city: 芜湖市", "city: 芜湖县", "county level", 3),
    ("city: 芜湖市", "city: 安床市", "near: ", 3),
    ("city: 芜湖市\n  ", "", "needs 'city'", 1),
    ("year: 2019", "year: 19", "not a year", 4),
    ("action: accept", "action: acept", "did you mean 'accept'", 6),
    ("action: accept", "action: value", "needs 'value'", 1),
    ("action: accept", "action: accept\n  value: 5", "takes no 'value'", 7),
    ("action: accept", "action: value\n  value: many\n  unit: 亿元", "not a number", 7),
    ("action: accept", "action: value\n  value: 5\n  unit: 万人", "not a unit of gdp", 8),
    ("action: accept", "action: value\n  value: -5\n  unit: 亿元", "below 0", 7),
    ("why: a refund, as the yearbook says", "why:", "needs 'why'", 1),
    ("date: 2024-05-01", "date: May 2024", "not a date", 8),
    ("date: 2024-05-01", "dates: 2024-05-01", "did you mean 'date'", 8),
    ("year: 2019", "year: [2019, 2020]", "single value", 4),
    (ACCEPT, "source: city_yearbook\n", "must be a list", 1),
    (ACCEPT, ACCEPT + ACCEPT, "decided twice", 9),
    (ACCEPT, "- only words\n", "'key: value' lines", 1),
    (ACCEPT, "- [", "not valid YAML", 1),
]


@pytest.mark.parametrize(("old", "new", "said", "line"), BAD, ids=[case[2] for case in BAD])
def test_wrong_entries_are_named_with_their_line(data: Path, old: str, new: str, said: str, line: int) -> None:
    before = state(data)
    assert old in ACCEPT
    with pytest.raises(CarbonpanelError) as caught:
        correct(data, ACCEPT.replace(old, new))
    error = caught.value
    assert error.code == "CP-CORRECTION" and said in str(error), str(error)
    assert f"corrections.yml, row {line}" in str(error)
    assert state(data) == before


UNMATCHED = [
    ("dataset: a", "dataset: b", "has no dataset 'b'"),
    ("source: city_yearbook", "source: city_energy", "is not an indicator of city_energy"),
    ("year: 2019", "year: 2018", "has no cell of gdp of 340200 in 2018"),
    ("city: 芜湖市", "city: 合肥", "is not quarantined"),
]


@pytest.mark.parametrize(("old", "new", "said"), UNMATCHED)
def test_an_entry_that_matches_nothing_is_an_error_with_its_line(data: Path, old: str, new: str, said: str) -> None:
    before = state(data)
    with pytest.raises(CarbonpanelError) as caught:
        correct(data, VALUE, ACCEPT.replace(old, new))
    assert said in str(caught.value) and "corrections.yml, row 1" in str(caught.value)
    assert state(data) == before


def test_ingest_refuses_a_file_that_leaves_an_entry_without_its_cell(data: Path, tmp_path: Path) -> None:
    correct(data, ACCEPT)
    before = state(data)
    mended = write_text(tmp_path / "a.csv", FILE.replace("-164", "3618"))
    with pytest.raises(CarbonpanelError, match="CP-CORRECTION-UNMATCHED: the cell of gdp of 340200 in 2019 is not"):
        ingest_file(mended, "city_yearbook", data_dir=data)
    assert state(data) == before
    # Other datasets do not mind.
    ingest_file(mended, "city_yearbook", data_dir=data, dataset="other")


def test_an_empty_file_decides_nothing(data: Path) -> None:
    assert correct(data, "# nothing yet\n") == [] and load_corrections(data) == []


def test_a_pair_that_a_kill_cut_in_two_is_noticed(data: Path) -> None:
    path = data / "raw" / "city_yearbook" / "a.parquet"
    assert read_judged(path).table.num_rows == 6
    quarantine_path(path).unlink()
    with pytest.raises(CarbonpanelError, match="CP-DATASET-DAMAGED"):
        correct(data, ACCEPT)
    path.write_bytes(b"PAR1")
    with pytest.raises(CarbonpanelError, match=r"(?s)CP-DATASET-DAMAGED.*ingest the original file again"):
        correct(data, ACCEPT)


def test_what_was_read_comes_back_from_the_two_files(data: Path, tmp_path: Path) -> None:
    whole = read_judged(data / "raw" / "city_yearbook" / "a.parquet")
    correct(data, ACCEPT, VALUE, VALUE.replace('"340300"', "合肥").replace("2019", "2020"))
    again = read_judged(data / "raw" / "city_yearbook" / "a.parquet")
    assert again.table.equals(whole.table) and again.doubts == whole.doubts
    assert whole.table.column("value").to_pylist() == [9409.4, 10045.7, 38156.0, -164.0, 20572600.0, 2082.7]
