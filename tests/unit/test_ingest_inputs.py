"""What a refresh will read: the demo world or a user's files, never both; and the project's own mappings."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.inputs import current_inputs, describe_inputs, has_demo, input_hash, remove_dataset
from analysis_py.ingest.mapping import shipped_mappings
from tests.unit.ingest_files import PLAIN, bring, write_text, written

SOURCES = [
    *("city_yearbook", "city_energy", "city_firms", "city_patents", "city_emissions", "province_yearbook"),
    *("province_energy", "province_emissions", "city_construction", "city_digital", "city_green_finance"),
    *("city_reports", "city_history", "province_sectors", "national_yearbook"),
]
FLAT = ["industry_robots", "industry_employment", "listed_firms", "listed_firm_assets", "listed_firm_links"]
#: Without a file of a user: the demo world, as far as it goes.
WORLD = {source: "demo" if has_demo(source) else "none" for source in [*SOURCES, *FLAT]}


def test_all_is_demo_until_a_file_is_brought_and_nothing_is_mixed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert current_inputs(data) == WORLD
    assert [WORLD[source] for source in SOURCES[:6]] == ["demo"] * 6
    bring(write_text(tmp_path / "a.csv", PLAIN))
    assert current_inputs(data) == {**dict.fromkeys([*SOURCES, *FLAT], "none"), "city_yearbook": "user"}
    bring(write_text(tmp_path / "b.csv", "city,year,co2_ceads\n合肥,2015,45\n"), "city_emissions")
    assert [s for s, kind in current_inputs(data).items() if kind == "user"] == ["city_yearbook", "city_emissions"]
    assert "demo" not in current_inputs(data).values()


def test_half_written_files_are_no_inputs(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "raw" / "city_yearbook"
    folder.mkdir(parents=True)
    (folder / ".a.parquet.123.part").write_bytes(b"PAR1")
    (folder / "a.report.json").write_text("{}", encoding="utf-8")
    assert current_inputs(tmp_path / "data") == WORLD


def test_description(tmp_path: Path) -> None:
    columns, rows = describe_inputs(tmp_path / "data")
    assert len(rows) == len(SOURCES) + len(FLAT) and all(len(row) == len(columns) for row in rows)
    bring(write_text(tmp_path / "a.csv", PLAIN + "999999,Atlantis,2019,1\n340200,,2019,-4\n"))
    columns, rows = describe_inputs(tmp_path / "data")
    first = dict(zip(columns, rows[0], strict=True))
    assert first == {
        "source": "city_yearbook",
        "inputs": "user",
        "dataset": "a",
        "file": "a.csv",
        "numbers": 3,
        "places": 3,
        "years": "2019-2020",
        "indicators": "gdp",
        "quarantined": 1,
        "unplaced": 1,
        "decided": 0,
    }
    assert rows[1][:2] == ("city_energy", "none")


@pytest.mark.parametrize("damage", ["gone", "other", "no json"])
def test_a_report_that_is_not_of_this_parquet_is_not_believed(tmp_path: Path, damage: str) -> None:
    report, _ = bring(write_text(tmp_path / "a.csv", PLAIN))
    assert report.output
    beside = report.output.with_name("a.report.json")
    if damage == "gone":
        beside.unlink()
    elif damage == "other":
        beside.write_text(
            beside.read_text(encoding="utf-8").replace(report.parquet_sha256 or "", "0"), encoding="utf-8"
        )
    else:
        beside.write_text("{half", encoding="utf-8")
    columns, rows = describe_inputs(tmp_path / "data")
    first = dict(zip(columns, rows[0], strict=True))
    assert first["inputs"] == "user" and first["numbers"] is None and "ingest the file again" in first["file"]


def test_hash_follows_contents_and_not_places_or_reports(tmp_path: Path) -> None:
    hashes = []
    for name, text in (("one", PLAIN), ("two", PLAIN), ("three", PLAIN.replace("38156", "38157"))):
        (tmp_path / name).mkdir()
        bring(write_text(tmp_path / name / "a.csv", text))
        (tmp_path / name / "data/raw/city_yearbook/a.report.json").unlink()
        hashes.append(input_hash(tmp_path / name / "data"))
    assert hashes[0] == hashes[1] != hashes[2]
    assert input_hash(tmp_path / "nothing") not in hashes


def test_removing_a_dataset(tmp_path: Path) -> None:
    own = write_text(tmp_path / "a.csv", PLAIN)
    bring(own)
    with pytest.raises(CarbonpanelError, match=r"(?s)CP-DATASET-UNKNOWN.*did you mean 'city_yearbook/a'"):
        remove_dataset(tmp_path / "data", "city_yearbok/a")
    with pytest.raises(CarbonpanelError, match="CP-DATASET-UNKNOWN"):
        remove_dataset(tmp_path / "data", "../../a")
    assert remove_dataset(tmp_path / "data", "city_yearbook/a") == "city_yearbook/a"
    assert not written(tmp_path) and own.exists()
    assert current_inputs(tmp_path / "data") == WORLD
    with pytest.raises(CarbonpanelError, match="no file has been ingested"):
        remove_dataset(tmp_path / "data", "city_yearbook/a")


def test_the_contract_has_the_agreed_sources() -> None:
    assert list(load_contract().sources) == SOURCES
    assert list(load_contract().all_sources) == [*SOURCES, *FLAT]


def test_shipped_mappings_name_what_exists_and_can_be_told_apart() -> None:
    contract = load_contract()
    fingerprints = []
    for mapping in shipped_mappings():
        assert mapping.path is not None and mapping.path.stem == mapping.name
        indicators = contract.of_source(mapping.source)
        rules = [rule for _, rule in mapping.columns + mapping.labels] + ([mapping.table] if mapping.table else [])
        assert rules and mapping.title
        for rule in rules:
            assert rule.unit and contract.accepts(indicators[rule.indicator], rule.unit)
        if mapping.recognise:  # the others are only used when they are named
            fingerprints.append((mapping.source, mapping.sheets, mapping.recognise))
    assert len(set(fingerprints)) == len(fingerprints) >= 5
