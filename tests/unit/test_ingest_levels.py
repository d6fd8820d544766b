"""Base years, the nation, growth rates: sources and indicators that are not a city's number of a panel year."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.answers import Given
from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.ingest import render_report
from analysis_py.ingest.mapping import load_mapping
from analysis_py.ingest.places import PlaceKey, place_index
from analysis_py.ingest.precedence import load_precedence, order_datasets, settle_precedence
from tests.unit.ingest_files import bring, write_text, write_xlsx

YEARS = range(2018, 2024)


# ---------------------------------------------------------------- base years


@pytest.mark.parametrize(
    ("text", "says_year"),
    [
        ("城市,固定电话数(部),自然科学研究人员数(人)\n合肥市,12000,800\n芜湖市,5000,90\n", True),
        ("城市,1984年固定电话数(部),1984年自然科学研究人员数(人)\n合肥市,12000,800\n芜湖市,5000,90\n", True),
        ("城市,年份,固定电话数(部),自然科学研究人员数(人)\n合肥市,1984,12000,800\n芜湖市,1984,5000,90\n", False),
        ("指标,城市,1984\n固定电话数(部),合肥市,12000\n自然科学研究人员数(人),合肥市,800\n"
         "固定电话数(部),芜湖市,5000\n自然科学研究人员数(人),芜湖市,90\n", False),
    ],
)  # fmt: skip
def test_a_cross_section_of_the_base_year(tmp_path: Path, text: str, says_year: bool) -> None:
    report, rows = bring(write_text(tmp_path / "h.csv", text), "city_history")
    assert sorted((r["city_code"], r["year"], r["indicator"], r["value"]) for r in rows) == [
        ("340100", 1984, "fixed_telephones", 12000.0),
        ("340100", 1984, "natural_science_researchers", 800.0),
        ("340200", 1984, "fixed_telephones", 5000.0),
        ("340200", 1984, "natural_science_researchers", 90.0),
    ]
    assert any("the year is 1984" in remark for remark in report.remarks) is says_year
    assert report.years == (1984,) and "years        1984" in render_report(report)


def test_other_years_are_outside_for_it_and_its_own_is_outside_for_others(tmp_path: Path) -> None:
    text = "城市,年份,固定电话数(部)\n合肥市,1984,12000\n合肥市,2004,90000\n"
    report, rows = bring(write_text(tmp_path / "h.csv", text), "city_history")
    assert [row["year"] for row in rows] == [1984] and report.years_outside == (2004,)
    assert report.cells_outside_years == 1 and "1 of years other than 1984 (2004)" in render_report(report)
    with pytest.raises(CarbonpanelError, match=r"CP-NOTHING-LEFT.*outside 1984 \(2004-2004\)"):
        bring(write_text(tmp_path / "i.csv", "城市,年份,固定电话数(部)\n合肥市,2004,90000\n"), "city_history")
    text = "城市,年份,公路里程(公里)\n合肥市,1984,120\n合肥市,2004,9000\n"
    report, rows = bring(write_text(tmp_path / "j.csv", text), "city_yearbook")
    assert [row["year"] for row in rows] == [2004] and report.years_outside == (1984,)


def test_preferences_reach_the_base_year(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name in ("a", "b"):
        bring(write_text(tmp_path / f"{name}.csv", "城市,固定电话数(部)\n合肥市,12000\n"), "city_history")
    write_text(data / "precedence.yml", "- {source: city_history, prefer: [b]}\n")
    entries = load_precedence(data)
    assert order_datasets(entries, ["a", "b"], "city_history", "fixed_telephones", 1984) == ("b", "a")
    settle_precedence(
        data, {"city_history": [data / "raw/city_history/a.parquet", data / "raw/city_history/b.parquet"]}
    )
    assert (data / "raw" / "precedence.parquet").is_file()


def test_years_of_the_contract() -> None:
    contract = load_contract()
    assert contract.years("city_history") == (1984,)
    assert contract.years("city_yearbook") == tuple(range(2000, 2024))
    telephones = contract.indicators[("city_history", "fixed_telephones")]
    assert telephones.covers(1984) and not telephones.covers(2004)


# ---------------------------------------------------------------- the nation

NATION = "\n".join(
    ["年份,互联网宽带接入用户数(万户),全社会用电量(亿千瓦时)", *(f"{year},{40000 + year},70000" for year in YEARS)]
)


@pytest.mark.parametrize(
    "text",
    [
        NATION,
        NATION.replace("年份", "地区,年份").replace("\n", "\n全国,"),
        NATION.replace("年份", "代码,年份").replace("\n", "\n000000,"),
        NATION.replace("年份", "code,year").replace("\n", "\n100000,"),
        NATION.replace("年份", "Region,year").replace("Region", "province").replace("\n", "\nChina,"),
    ],
)
def test_numbers_of_the_nation_with_and_without_a_place(tmp_path: Path, text: str) -> None:
    report, rows = bring(write_text(tmp_path / "n.csv", text + "\n"), "national_yearbook")
    assert {row["city_code"] for row in rows} == {"000000"} and len(rows) == 12
    assert "places       the nation" in render_report(report)


def test_a_table_with_years_across(tmp_path: Path) -> None:
    rows = [["指标", *(f"{year}年" for year in YEARS)], ["互联网宽带接入用户数(万户)", *range(40001, 40007)]]
    _, found = bring(write_xlsx(tmp_path / "n.xlsx", rows), "national_yearbook")
    assert [(row["year"], row["value"]) for row in found] == [(year, 40001.0 + at) for at, year in enumerate(YEARS)]


PROVINCES = "地区,年份,互联网宽带接入用户数(万户)\n全国,2019,44928\n北京市,2019,700\n安徽省,2019,2000\n"


def test_the_row_of_the_nation_in_a_table_of_provinces(tmp_path: Path) -> None:
    path = write_text(tmp_path / "p.csv", PROVINCES)
    report, rows = bring(path, "province_yearbook")
    assert [row["city_code"] for row in rows] == ["110000", "340000"] and not report.unplaced
    assert report.cells_of_others == 1 and "1 row(s) of the whole nation left out" in render_report(report)
    assert report.cells_read == report.cells_written + report.cells_of_others
    report, rows = bring(path, "national_yearbook")
    assert [(row["city_code"], row["value"]) for row in rows] == [("000000", 44928.0)]
    assert report.cells_of_others == 2 and "2 row(s) of other places left out" in render_report(report)
    assert "left out     2 of other places" in render_report(report) and not report.unplaced


def test_a_table_without_the_nation_is_not_the_nation_s(tmp_path: Path) -> None:
    path = write_text(tmp_path / "p.csv", PROVINCES.replace("全国,2019,44928\n", ""))
    with pytest.raises(CarbonpanelError, match=r"CP-PLACE-NONE.*is not the nation"):
        bring(path, "national_yearbook")


def test_a_mapping_of_the_nation_needs_no_place(tmp_path: Path) -> None:
    mapping = write_text(
        tmp_path / "m.yml",
        "mapping: nation\nsource: national_yearbook\nlayout: columns\nyear: y\n"
        "columns:\n  users: {indicator: internet_users, unit: 万户}\n",
    )
    assert load_mapping(mapping).fixed_place == "全国"
    _, rows = bring(write_text(tmp_path / "n.csv", "y,users\n2019,44928\n"), "national_yearbook", mapping=mapping)
    assert [(row["city_code"], row["value"]) for row in rows] == [("000000", 44928.0)]


def test_the_nation_is_no_place_of_the_other_levels() -> None:
    for level in ("city", "province"):
        for key in (PlaceKey(name="全国"), PlaceKey(code="000000"), PlaceKey(code="100000", name="中国")):
            found = place_index(level).resolve(key, 2019)
            assert found.code is None and found.is_nation and "nation" in found.reason
    nation = place_index("national")
    assert nation.resolve(PlaceKey(name="全国"), 2019).code == "000000"
    assert nation.resolve(PlaceKey(name="合肥市"), 2019).code is None
    assert nation.label("000000") == "全国 (000000)"


# ---------------------------------------------------------------- growth, counts, populations


def growth(values: list[float]) -> str:
    lines = [f"合肥市,{2010 + at},{value}" for at, value in enumerate(values)]
    return "城市,年份,固定资产投资增速(%)\n" + "\n".join(lines) + "\n"


def test_growth_is_taken_as_it_is_with_its_sign(tmp_path: Path) -> None:
    values = [21.3, 18.0, -0.4, 0.04, 4.0, -12.5, 40.0, 0.3, 3.0, 33.0, -7.1]
    report, rows = bring(write_text(tmp_path / "g.csv", growth(values)), "city_yearbook")
    assert [(row["value"], row["unit"]) for row in rows] == [(value, "growth_pct") for value in values]
    assert not report.quarantined  # a rate may change tenfold from one year to the next


def test_an_index_under_a_heading_of_growth_is_refused(tmp_path: Path) -> None:
    path = write_text(
        tmp_path / "g.csv", growth([121.3, 118.0, 99.6, 100.0, 104.0, 87.5, 140.0, 100.3, 103.0, 133.0, 92.9])
    )
    with pytest.raises(CarbonpanelError, match=r"(?s)CP-UNIT-IMPLAUSIBLE.*上年=100"):
        bring(path, "city_yearbook")


def test_growth_out_of_all_bounds_is_quarantined(tmp_path: Path) -> None:
    report, rows = bring(write_text(tmp_path / "g.csv", growth([8.0, 800.0, 9.0])), "city_yearbook")
    assert [cell.value for cell in report.quarantined] == [800.0] and len(rows) == 2


def test_counts_of_events_need_no_unit_and_counts_of_things_do(tmp_path: Path) -> None:
    _, rows = bring(
        write_text(tmp_path / "p.csv", "城市,年份,人工智能发明专利申请量\n合肥市,2019,900\n"), "city_patents"
    )
    assert rows[0]["unit"] == "count"
    path = write_text(tmp_path / "b.csv", "城市,年份,移动电话基站数\n合肥市,2019,1.2\n")
    with pytest.raises(CarbonpanelError, match=r"(?s)CP-UNIT-MISSING.*个, 万个"):
        bring(path, "city_digital")
    _, rows = bring(path, "city_digital", answers=Given(units={"移动电话基站数": "万个"}))
    assert rows[0]["unit"] == "10k_count"


def test_population_of_a_province_is_asked_for_and_is_that_of_residents(tmp_path: Path) -> None:
    path = write_text(tmp_path / "p.csv", "地区,年份,总人口(万人),能力\n安徽省,2019,6092,1\n")
    with pytest.raises(CarbonpanelError, match="CP-BASIS-MISSING"):
        bring(path, "province_yearbook")
    _, rows = bring(path, "province_yearbook", answers=Given(population_basis="resident"))
    assert (rows[0]["indicator"], rows[0]["population_basis"]) == ("population_resident", "resident")
    text = "地区,年份,总人口(万人),地区生产总值(亿元)\n安徽省,2019,6092,37114\n"
    report, rows = bring(
        write_text(tmp_path / "q.csv", text), "province_yearbook", answers=Given(population_basis="registered")
    )
    assert [row["indicator"] for row in rows] == ["gdp"]
    assert "province_yearbook does not hold" in report.columns_ignored["总人口(万人)"]
