"""What titles above a table, names of sheets and bilingual names say: unit, year, place, province, indicator."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis_py.ingest.ingest import draft_mapping
from analysis_py.ingest.places import place_index
from analysis_py.ingest.titles import read_titles
from tests.unit.ingest_files import bring
from tests.unit.odd_cases import THREE, Refused, Taken, book, check_count, check_refused, check_taken, gdp, text

ANHUI = ("340000", 2019, "gdp", 36845.5, "yi_yuan")
ANHUI_2020 = ("340000", 2020, "gdp", 38680.6, "yi_yuan")
PORTAL = (
    "数据库：分省年度数据\n地区：安徽省\n时间：最近10年\n指标,2020年,2019年\n地区生产总值(亿元),38680.6,36845.5\n"
    "数据来源：国家统计局\n"
)
BY_INDICATOR = (
    "数据库：分省年度数据\n指标：地区生产总值(亿元)\n地区,2020年,2019年\n安徽省,38680.6,36845.5\n数据来源：国家统计局\n"
)
LISTED = {
    "安徽": [["城市", "年份", "GDP(亿元)"], ["合肥市", 2019, 9409.4], ["合肥市", 2020, 10045.7]],
    "上海": [["城市", "年份", "GDP(亿元)"], ["上海市", 2019, 38156]],
}
CASES = [
    Taken(
        "the year of the title",
        text("2-8 地区生产总值 (2019年),,\n城市,地区生产总值(亿元),户籍人口(万人)\n合肥市,9409.4,770\n"),
        (THREE[0], ("340100", 2019, "population_registered", 770.0, "10k_persons")),
        ("the year is that of the title in row 1: 2019",),
    ),
    Taken(
        "the year of the title beside that of the yearbook",
        text("中国城市统计年鉴2020\n各市主要指标（2019年）\n城市,GDP(亿元)\n合肥市,9409.4\n"),
        THREE[:1],
        ("in row 2: 2019",),
    ),
    Taken(
        "the year on a line of its own",
        text("年份：2019\n城市,GDP(亿元)\n合肥市,9409.4\n"),
        THREE[:1],
        ("row 1: 2019",),
    ),
    Taken("the year and the unit above", text("2019年各市GDP,单位：亿元\n城市,GDP\n合肥市,9409.4\n"), THREE[:1]),
    Taken(
        "a portal's table of one province",
        text(PORTAL),
        (ANHUI, ANHUI_2020),
        ("the place is that of row 2: 安徽省", "1 note below"),
        source="province_yearbook",
    ),
    Taken(
        "a portal's table of one indicator",
        text(BY_INDICATOR),
        (ANHUI, ANHUI_2020),
        ("the indicator is that of the title in row 2: 地区生产总值(亿元)",),
        source="province_yearbook",
    ),
    Taken(
        "a province a sheet with its cities",
        book(sheets=LISTED),
        THREE,
        ("2 sheets read: 安徽, 上海", "places       2 of 2"),
    ),
    Taken(
        "a name that only its sheet's province makes clear",
        book(sheets={"吉林省": [["城市", "年份", "GDP(亿元)"], ["吉林", 2019, 1416.8]], "安徽": LISTED["安徽"]}),
        (*THREE[:2], gdp("220200", 2019, 1416.8)),
    ),
    Taken(
        "Chinese and English names in one cell",
        book([["城市\nCity", "年份\nYear", "地区生产总值\nGross Regional Product\n(亿元)"], ["合肥市", 2019, 9409.4]]),
        THREE[:1],
    ),
    Taken(
        "an English name that narrows the Chinese one",
        text("城市 City,年份 Year,GDP(亿元),常住人口(万人) yearly average\n合肥市,2019,9409.4,500\n"),
        THREE[:1],
        ("常住人口(万人) yearly average: 'yearly average' is not understood",),
    ),
    Taken(
        "years of the rows against the name of the sheet",
        book(sheets={"2020": [["城市", "年份", "GDP(亿元)"], ["合肥市", 2019, 9409.4]]}),
        THREE[:1],
    ),
]
REFUSED = [
    Refused("only the year of a yearbook", text("中国城市统计年鉴2020\n城市,GDP(亿元)\n合肥市,1\n"), "CP-YEAR-MISSING"),
    Refused("two years in the title", text("2018年和2019年\n城市,GDP(亿元)\n合肥市,1\n"), "CP-YEAR-MISSING"),
    Refused("a span of years in the title", text("2010-2019年\n城市,GDP(亿元)\n合肥市,1\n"), "CP-YEAR-MISSING"),
    Refused(
        "only the day it was exported", text("导出日期：2021年5月3日\n城市,GDP(亿元)\n合肥市,1\n"), "CP-YEAR-MISSING"
    ),
    Refused("the year of a price basis", text("按2000年不变价计算\n城市,GDP(亿元)\n合肥市,1\n"), "CP-YEAR-MISSING"),
    Refused("a place nobody knows above", text(PORTAL.replace("安徽省", "某省")), "CP-PLACE-MISSING"),
    Refused("a province above cities", text(PORTAL), "CP-PLACE-MISSING", source="city_yearbook"),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_taken(tmp_path: Path, case: Taken) -> None:
    check_taken(case, tmp_path)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_drafted_mapping_reads_the_same_cells(tmp_path: Path, case: Taken) -> None:
    path = case.make(tmp_path)
    draft_mapping(path, case.source, tmp_path / "drafted.yml", data_dir=tmp_path / "data")
    _, rows = bring(path, case.source, mapping=tmp_path / "drafted.yml")
    assert sorted((r["city_code"], r["year"], r["indicator"], r["value"], r["unit"]) for r in rows) == sorted(
        case.cells
    )


@pytest.mark.parametrize("case", REFUSED, ids=[case.name for case in REFUSED])
def test_refused(tmp_path: Path, case: Refused) -> None:
    check_refused(case, tmp_path)


def test_every_case_has_a_name_of_its_own() -> None:
    check_count([*CASES, *REFUSED], 15)


def test_titles_say_units_with_their_row() -> None:
    titles = read_titles([(1, ["表3"]), (3, ["", "（单位：亿元、万人）"])], place_index("city"))
    assert titles.units[-2:] == ("亿元", "万人") and titles.units_row == 3 and not titles.year
