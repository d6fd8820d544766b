"""Templates: empty workbooks whose headers ingest reads back, in both languages, for every source."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.bringing import AUTO, bring_file, bring_parts
from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.ingest import ingest_file
from analysis_py.ingest.template import LANGUAGES, WHOLE_LEVELS, template_headers, write_template
from tests.unit.ingest_files import bring

SOURCES = load_contract().sources
CASES = [(source, language) for source in SOURCES for language in LANGUAGES]


def fill(path: Path, source: str, language: str, language_values: dict[str, object] | None = None) -> dict[str, float]:
    """Write one row into a template: a number inside the plausible range of each indicator; indicator -> number."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    indicators = load_contract().of_source(source)
    place = {"code": "340100", "name": "合肥市", "province_code": "340000", "province": "安徽", "year": 2019}
    place |= {"year": load_contract().years(source)[-1]}
    place |= language_values or {}
    numbers = {}
    for position, (_, name) in enumerate(template_headers(source, language), start=1):
        indicator = indicators.get(name)
        if indicator is not None:
            low, high = indicator.min_value or 0.0, indicator.max_value or 1e6
            numbers[name] = low + (high - low) / 128
        sheet.cell(row=2, column=position, value=numbers.get(name, place.get(name)))
    book.save(path)
    return numbers


@pytest.mark.parametrize(("source", "language"), CASES)
def test_a_filled_template_ingests_as_it_is(tmp_path: Path, source: str, language: str) -> None:
    path = write_template(source, language, tmp_path / "mine.xlsx")
    numbers = fill(path, source, language)
    report, rows = bring(path, source)
    assert {row["indicator"]: row["value"] for row in rows} == pytest.approx(numbers)
    units = {name: indicator.unit for name, indicator in load_contract().of_source(source).items()}
    assert {row["indicator"]: row["unit"] for row in rows} == units
    code = {"city": "340100", "province": "340000", "national": "000000"}[load_contract().level(source)]
    year = 1984 if source == "city_history" else 2023
    assert {(row["city_code"], row["year"]) for row in rows} == {(code, year)}
    assert report.columns_ignored == {} and not report.quarantined
    assert not any("assumed" in remark or "--unit" in remark for remark in report.remarks)


@pytest.mark.parametrize(("language", "said"), [("zh", ("市辖区", "修订")), ("en", ("urban_districts", "revised"))])
def test_area_and_vintage_can_be_said(tmp_path: Path, language: str, said: tuple[str, str]) -> None:
    path = write_template("city_yearbook", language, tmp_path / "mine.xlsx")
    fill(path, "city_yearbook", language, {"area_scope": said[0], "vintage": said[1]})
    _, rows = bring(path)
    assert {(row["area_scope"], row["vintage"]) for row in rows} == {("urban_districts", "revised")}


@pytest.mark.parametrize(("source", "language"), CASES)
def test_an_empty_template_is_refused_readably(tmp_path: Path, source: str, language: str) -> None:
    path = write_template(source, language, tmp_path / "mine.xlsx")
    with pytest.raises(CarbonpanelError, match="CP-FILE-NO-ROWS"):
        ingest_file(path, source, data_dir=tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", WHOLE_LEVELS)
def test_one_template_for_all_sources_of_a_level(tmp_path: Path, level: str, language: str) -> None:
    path = write_template(level, language, tmp_path / "mine.xlsx")
    headers = template_headers(level, language)
    contract = load_contract()
    wanted = {
        (source, name): item.unit
        for source in contract.sources_of(level)
        if source != "city_history"
        for name, item in contract.of_source(source).items()
    }
    assert len({header for header, _ in headers}) == len(headers)
    place = {"code": "340100", "name": "合肥市", "province_code": "340000", "province": "安徽", "year": 2019}
    book = openpyxl.load_workbook(path)
    for position, (_, name) in enumerate(headers, start=1):
        number = next(
            (item for (_, own), item in contract.indicators.items() if own == name and item.level == level), None
        )
        value = place.get(name) if number is None else (number.min_value or 0) + 1
        book.worksheets[0].cell(row=2, column=position, value=value)
    book.save(path)
    found = {}
    for report in bring_parts(path, (AUTO,), data_dir=tmp_path / "data"):
        assert report.output is not None and not report.quarantined
        rows = pq.read_table(report.output).to_pylist()
        found |= {(report.source, row["indicator"]): row["unit"] for row in rows}
    assert found == wanted


FLAT_VALUES = {
    **{"country": "CHN", "ifr_code": "29", "year": 2019, "area_code": "340000", "firm_code": "000001"},
    **{"firm_name": "x", "city_code": "340100", "city_name": "合肥市", "industry_code": "C36", "industry_name": "汽车"},
    **{"asset_class": "fixed", "item_name": "机器设备", "partner_code": "600000", "role": "customer"},
    **{"smart_manufacturing_pilot_year": 2016},
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("source", load_contract().flat)
def test_a_filled_template_of_a_flat_source_ingests_as_it_is(tmp_path: Path, source: str, language: str) -> None:
    path = write_template(source, language, tmp_path / "mine.xlsx")
    headers = template_headers(source, language)
    book = openpyxl.load_workbook(path)
    for position, (_, name) in enumerate(headers, start=1):
        book.worksheets[0].cell(row=2, column=position, value=FLAT_VALUES.get(name, 7))
    book.save(path)
    report = bring_file(path, source, data_dir=tmp_path / "data")
    assert report.columns_ignored == {} and report.output is not None
    (row,) = pq.read_table(report.output).to_pylist()
    assert {name: row[name] for _, name in headers} == {name: FLAT_VALUES.get(name, 7.0) for _, name in headers}
    assert not any("unit" in remark for remark in report.remarks)
    notes = [cells[0] for cells in openpyxl.load_workbook(path).worksheets[1].iter_rows(values_only=True)]
    assert notes[1 : len(headers) + 1] == [header for header, _ in headers]


@pytest.mark.parametrize("language", LANGUAGES)
def test_notes_say_units_and_ranges(tmp_path: Path, language: str) -> None:
    path = write_template("city_yearbook", language, tmp_path / "mine.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == (["数据", "说明"] if language == "zh" else ["data", "notes"])
    rows = list(book.worksheets[1].iter_rows(values_only=True))
    headers = [header for header, _ in template_headers("city_yearbook", language)]
    assert [row[0] for row in rows[1 : len(headers) + 1]] == headers
    gdp = next(
        row for row in rows if row[0] and ("地区生产总值 (亿元)" in row[0] or "Gross regional product at" in row[0])
    )
    assert gdp[2] in ("亿元", "100 million yuan") and gdp[4:6] == (0, 100_000)
    assert ("万元" in gdp[3]) == (language == "zh")
    assert any(row[0] and "carbonpanel ingest" in row[0] and "--as city_yearbook" in row[0] for row in rows)
    data = book.worksheets[0]
    assert [cell.value for cell in data[1]] == headers and data.max_row == 1 and data.freeze_panes == "A2"


def test_headers_are_told_apart() -> None:
    for source, language in CASES:
        headers = [header for header, _ in template_headers(source, language)]
        assert len({header.lower() for header in headers}) == len(headers)


def test_the_same_template_is_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_template("city_energy", "zh", tmp_path / f"{name}.xlsx") for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_the_usual_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_template("city_energy", "zh") == Path("city_energy_zh.xlsx")
    assert (tmp_path / "city_energy_zh.xlsx").is_file()


def test_what_cannot_be_made(tmp_path: Path) -> None:
    full = tmp_path / "full.xlsx"
    full.write_bytes(b"filled in with care")
    cases = [
        ("city_yearbok", "en", None, "did you mean 'city_yearbook'"),
        ("city_yearbook", "fr", None, "CP-OPTION"),
        ("city_yearbook", "en", full, "CP-FILE-EXISTS"),
        ("city_yearbook", "en", tmp_path / "a.xls", "CP-FILE-UNKNOWN-KIND"),
        ("city_yearbook", "en", full / "a.xlsx", "CP-FILE-UNWRITABLE"),
    ]
    for source, language, target, said in cases:
        with pytest.raises(CarbonpanelError) as caught:
            write_template(source, language, target)
        assert said in str(caught.value), str(caught.value)
    assert full.read_bytes() == b"filled in with care"
    assert [path.name for path in tmp_path.iterdir()] == ["full.xlsx"]
