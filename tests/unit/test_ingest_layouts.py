"""Tables as people lay them out: names in rows, merged cells, years or places or indicators as sheets, notes."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis_py.ingest.ingest import draft_mapping, ingest_file, render_report
from tests.unit.ingest_files import bring
from tests.unit.odd_cases import TABLE, TEXT, THREE, Taken, book, check_count, check_taken, gdp, text

ACROSS = "source: city_yearbook\nlayout: years_across\nplace: {name: 城市}\ntable: {indicator: gdp, unit: 亿元}\n"
ABOVE = [
    Taken(
        "title and unit above",
        book([["表2-1 各市地区生产总值"], [None, None, "单位：亿元"], ["城市", "年份", "地区生产总值"], *TABLE[1:]]),
        THREE,
        ("the unit that row 2 gives for the table",),
    ),
    Taken(
        "units of several kinds above",
        text("单位：亿元、万人,,,\n城市,年份,地区生产总值,年末户籍人口\n合肥市,2019,9409.4,770\n"),
        (THREE[0], ("340100", 2019, "population_registered", 770.0, "10k_persons")),
        ("row 1 gives",),
    ),
    Taken(
        "ten lines of title", text("".join(f"第{i}行\n" for i in range(10)) + TEXT), THREE, ("column names in row 11",)
    ),
    Taken(
        "empty rows and columns around",
        book([[], [], [None, None, *TABLE[0]], [], *([None, None, *r] for r in TABLE[1:])]),
        THREE,
        ("column names in row 3",),
    ),
    Taken(
        "units in a row of their own",
        book(
            [
                ["城市", "年份", "地区生产总值", "年末户籍人口"],
                [None, None, "亿元", "万人"],
                ["合肥市", 2019, 9409.4, 770],
            ]
        ),
        (THREE[0], ("340100", 2019, "population_registered", 770.0, "10k_persons")),
    ),
    Taken(
        "units in brackets in a row of their own",
        text("城市,年份,地区生产总值\n,,（万元）\n合肥市,2019,94094000\n"),
        (gdp("340100", 2019, 94094000.0, "10k_yuan"),),
    ),
    Taken(
        "English names under the Chinese",
        text("城市,年份,地区生产总值\ncity,year,GDP\n,,亿元\n合肥市,2019,9409.4\n"),
        THREE[:1],
    ),
    Taken(
        "words under the names",
        text("city,year,gdp\n(name),(time),(nominal)\n合肥市,2019,9409.4\n"),
        THREE[:1],
        ("1 row of words under the column names left out (row 2",),
    ),
    Taken(
        "groups without meaning above",
        text("综合,,人口,\n城市,年份,GDP(亿元),户籍人口(万人)\n合肥市,2019,9409.4,770\n"),
        (THREE[0], ("340100", 2019, "population_registered", 770.0, "10k_persons")),
    ),
    Taken(
        "a group nobody knows leaves its columns alone",
        book(
            [
                [None, None, "农村", "全市"],
                ["城市", "年份", "常住人口(万人)", "GDP(亿元)"],
                ["合肥市", 2019, 200, 9409.4],
            ]
        ),
        THREE[:1],
        ("常住人口(万人): it stands under '农村', which is not understood",),
    ),
]

BELOW = [
    Taken(
        "notes below",
        text(TEXT + "注：2020年为初步核算数。\n资料来源：国家统计局\n1. 另见附表\n"),
        THREE,
        ("3 notes below",),
    ),
    Taken(
        "an English note with commas",
        text(TEXT + "Note: nominal, whole city, first release, see source\n"),
        THREE,
        ("1 note below or beside the table left out (row 5: Note: nominal",),
    ),
    Taken(
        "source in the last row of a workbook",
        book([*TABLE, [], ["资料来源：EPS数据平台"]]),
        THREE,
        ("row 6: 资料来源",),
    ),
    Taken("a total below", text(TEXT + "合计,2019,990865\n"), THREE, ("'合计' is a total or a group, not a place",)),
    Taken(
        "notes below years across",
        book(
            [["城市", "2020年", "2019年"], ["合肥市", 10045.7, 9409.4], ["上海市", None, 38156], ["注：单位为亿元"]],
            name="a.xlsx",
        ),
        THREE,
        ("1 note",),
        options={"mapping": ACROSS},
    ),
]

HEADERS = [
    Taken(
        "years over indicators, merged",
        book(
            [
                ["城市", "2020年", None, "2019年", None],
                [None, "GDP(亿元)", "户籍人口(万人)", "GDP(亿元)", "户籍人口(万人)"],
                ["合肥市", 10045.7, 780, 9409.4, 770],
                ["上海市", None, None, 38156, 1469],
            ],
            merges=("A1:A2", "B1:C1", "D1:E1"),
        ),
        (
            *THREE,
            *(
                (c, y, "population_registered", v, "10k_persons")
                for c, y, v in (("340100", 2020, 780.0), ("340100", 2019, 770.0), ("310100", 2019, 1469.0))
            ),
        ),
    ),
    Taken(
        "three rows: year, indicator, unit",
        book(
            [
                ["城市", "2020年", None, "2019年"],
                [None, "地区生产总值", "户籍人口", "地区生产总值"],
                [None, "亿元", "万人", "亿元"],
                ["合肥市", 10045.7, 780, 9409.4],
                ["上海市", None, None, 38156],
            ],
            merges=("A1:A3", "B1:C1"),
        ),
        (*THREE, ("340100", 2020, "population_registered", 780.0, "10k_persons")),
    ),
    Taken(
        "indicators over years, saved as CSV",
        text("城市,GDP(亿元),,户籍人口(万人),\n,2020,2019,2020,2019\n合肥市,10045.7,9409.4,780,770\n上海市,,38156,,\n"),
        (
            *THREE,
            *(("340100", y, "population_registered", v, "10k_persons") for y, v in ((2020, 780.0), (2019, 770.0))),
        ),
    ),
    Taken(
        "areas over indicators, merged",
        book(
            [
                ["城市", "年份", "全市", "市辖区"],
                [None, None, "GDP", "GDP"],
                [None, None, "亿元", "亿元"],
                ["合肥市", 2019, 9409.4, 6000],
            ],
            merges=("A1:A3", "B1:B3"),
        ),
        (THREE[0], gdp("340100", 2019, 6000.0)),
    ),
    Taken(
        "the year in every name",
        text("城市,2020年GDP(亿元),2019年GDP(亿元)\n合肥市,10045.7,9409.4\n上海市,,38156\n"),
        THREE,
    ),
    Taken(
        "the year behind every name",
        text("city,gdp_2020,gdp_2019\n合肥市,10045.7,9409.4\n上海市,,38156\n"),
        THREE,
        ("taken in the contract's own, yi_yuan",),
    ),
    Taken(
        "a merged city over its years",
        book(
            [["城市", "年份", "GDP(亿元)"], ["合肥市", 2019, 9409.4], [None, 2020, 10045.7], ["上海市", 2019, 38156]],
            merges=("A2:A3",),
        ),
        THREE,
    ),
    Taken(
        "a merged year over its cities",
        book(
            [
                ["年份", "城市", "GDP(亿元)"],
                [2019, "合肥市", 9409.4],
                [None, "上海市", 38156],
                [2020, "合肥市", 10045.7],
            ],
            merges=("A2:A3",),
        ),
        THREE,
    ),
    Taken(
        "a merged title over everything",
        book([["表1 主要指标", None, None], *TABLE], merges=("A1:C1",)),
        THREE,
        ("column names in row 2",),
    ),
    Taken(
        "no name over places and years",
        book([[None, None, "GDP(亿元)"], *TABLE[1:]]),
        THREE,
        ("column @B is taken for years", "column @A is taken for names of places"),
    ),
    Taken(
        "unit beside the indicator",
        text(
            "指标,单位,城市,2020年,2019年\n地区生产总值,亿元,合肥市,10045.7,9409.4\n地区生产总值,亿元,上海市,,38156\n"
        ),
        THREE,
    ),
    Taken(
        "GDP/亿元 as a label",
        text("指标,城市,2020,2019\nGDP/亿元,合肥市,10045.7,9409.4\nGDP/亿元,上海市,,38156\n"),
        THREE,
    ),
    Taken(
        "long with units in rows",
        text(
            "城市,年份,指标,数值,单位\n合肥市,2019,GDP,9409.4,亿元\n合肥市,2020,GDP,10045.7,亿元\n上海市,2019,GDP,381560000,万元\n"
        ),
        (*THREE[:2], gdp("310100", 2019, 381560000.0, "10k_yuan")),
    ),
    Taken(
        "places across",
        book([["地区生产总值（亿元）"], ["年份", "合肥市", "上海市"], [2019, 9409.4, 38156], [2020, 10045.7, None]]),
        THREE,
        ("the indicator is that of the title in row 1",),
    ),
]

YEARLY = {
    "2020年": [["城市", "GDP(亿元)"], ["合肥市", 10045.7]],
    "2019年": [["城市", "GDP(亿元)"], ["合肥市", 9409.4], ["上海市", 38156]],
}
SHEETS = [
    Taken("a year a sheet", book(sheets=YEARLY), THREE, ("2 sheets read: 2020年, 2019年",)),
    Taken(
        "a year a sheet, and one of notes",
        book(sheets={"说明": [["本表数据来自年鉴"]], **YEARLY}),
        THREE,
        ("1 other sheet(s) not read: 说明",),
    ),
    Taken(
        "an indicator a sheet",
        book(
            sheets={
                "GDP(亿元)": [["城市", 2020, 2019], ["合肥市", 10045.7, 9409.4], ["上海市", None, 38156]],
                "年末户籍人口（万人）": [["城市", 2020, 2019], ["合肥市", 780, 770]],
            }
        ),
        (
            *THREE,
            *(("340100", y, "population_registered", v, "10k_persons") for y, v in ((2020, 780.0), (2019, 770.0))),
        ),
        ("2 sheets read",),
    ),
    Taken(
        "a city a sheet",
        book(
            sheets={
                "合肥市": [["年份", "GDP(亿元)"], [2019, 9409.4], [2020, 10045.7]],
                "上海": [["年份", "GDP(亿元)"], [2019, 38156]],
            }
        ),
        THREE,
    ),
    Taken(
        "a city a sheet, indicators down and years across",
        book(
            sheets={
                "合肥市": [["指标", "2020年", "2019年"], ["GDP(亿元)", 10045.7, 9409.4], ["外星人(个)", 1, 2]],
                "上海市": [["指标", "2020年", "2019年"], ["GDP(亿元)", None, 38156]],
            }
        ),
        THREE,
        ("外星人",),
    ),
    Taken(
        "a province a sheet",
        book(
            sheets={
                "安徽2019": [["省内指标", "GDP(亿元)"], ["x", 36845.5]],
                "浙江2019": [["省内指标", "GDP(亿元)"], ["x", 62462]],
            }
        ),
        (("340000", 2019, "gdp", 36845.5, "yi_yuan"), ("330000", 2019, "gdp", 62462.0, "yi_yuan")),
        ("2 sheets read: 安徽2019, 浙江2019",),
        source="province_yearbook",
    ),
    Taken(
        "a hidden sheet",
        book(sheets={"data": TABLE, "旧": [["城市", "年份", "GDP(亿元)"], ["合肥市", 2019, 1]]}, hidden=("旧",)),
        THREE,
        ("1 hidden sheet(s) not read: 旧",),
    ),
    Taken(
        "a hidden sheet that is asked for",
        book(sheets={"empty": [["x"]], "旧": TABLE}, hidden=("旧",)),
        THREE,
        options={"sheet": "旧"},
    ),
    Taken("an empty sheet first", book(sheets={"Sheet1": [], "Sheet2": TABLE}), THREE),
]

CASES = [*ABOVE, *BELOW, *HEADERS, *SHEETS]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_taken(tmp_path: Path, case: Taken) -> None:
    check_taken(case, tmp_path)


def test_every_case_has_a_name_of_its_own() -> None:
    check_count(CASES, 35)


def test_columns_of_a_header_in_rows_are_named_by_all_of_it(tmp_path: Path) -> None:
    _, rows = bring(HEADERS[0].make(tmp_path))
    assert {row["source_column"] for row in rows if row["indicator"] == "gdp"} == {
        "2020年 / GDP(亿元)",
        "2019年 / GDP(亿元)",
    }
    assert {row["source_row"] for row in rows} == {3, 4}


def test_sheets_are_kept_with_the_cells(tmp_path: Path) -> None:
    _, rows = bring(book(sheets=YEARLY)(tmp_path))
    assert {(row["source_sheet"], row["year"]) for row in rows} == {("2020年", 2020), ("2019年", 2019)}


def test_a_mapping_may_name_columns_by_their_letters_and_several_rows(tmp_path: Path) -> None:
    mapping = tmp_path / "m.yml"
    mapping.write_text(
        "source: city_yearbook\nheader_row: 1\nheader_rows: 2\nplace: {name: '@A'}\nyear: '@B'\n"
        "columns:\n  产值: {indicator: gdp, unit: 亿元}\n",
        encoding="utf-8",
    )
    path = book([[None, None, "产值"], [None, None, "千焦)"], ["合肥市", 2019, 9409.4], ["合肥市", 2020, 10045.7]])(
        tmp_path
    )
    _, rows = bring(path, mapping=mapping)
    assert [row["value"] for row in rows] == [9409.4, 10045.7]


def test_a_mapping_may_say_that_years_are_sheets_and_which_rows_count(tmp_path: Path) -> None:
    mapping = tmp_path / "m.yml"
    mapping.write_text(
        "source: city_yearbook\nsheet_says: [year]\nplace: {name: 城市}\nrows: {口径: [全市, 合计]}\n"
        "columns:\n  产值: {indicator: gdp, unit: 亿元}\n",
        encoding="utf-8",
    )
    rows = [["城市", "口径", "产值"], ["合肥市", "全市", 9409.4], ["合肥市", "郊区", 1]]
    path = book(sheets={"y2019": rows, "2018年": rows, "说明": [["x"]]})(tmp_path)
    report, cells = bring(path, mapping=mapping)
    assert [(cell["year"], cell["value"]) for cell in cells] == [(2019, 9409.4), (2018, 9409.4)]
    assert "2 rows that the mapping does not ask for left out (in 2 sheets" in render_report(report)


def test_the_same_odd_workbook_gives_the_same_bytes(tmp_path: Path) -> None:
    path = book(sheets=YEARLY)(tmp_path)
    one, two = (ingest_file(path, "city_yearbook", data_dir=tmp_path / name) for name in ("one", "two"))
    assert one.output is not None and two.output is not None
    assert one.output.read_bytes() == two.output.read_bytes()
    assert one.to_json() == two.to_json()


@pytest.mark.parametrize("case", [c for c in CASES if "mapping" not in c.options], ids=lambda case: case.name)
def test_the_drafted_mapping_reads_the_same_cells(tmp_path: Path, case: Taken) -> None:
    path = case.make(tmp_path)
    draft_mapping(path, case.source, tmp_path / "drafted.yml", data_dir=tmp_path / "data", **case.options)
    report, rows = bring(path, case.source, mapping=tmp_path / "drafted.yml", **case.options)
    assert report.mapping_origin == "file"
    found = sorted((r["city_code"], r["year"], r["indicator"], r["value"], r["unit"]) for r in rows)
    assert found == sorted(case.cells)
