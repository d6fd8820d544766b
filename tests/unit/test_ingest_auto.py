"""One file that holds several sources: split with one command, all of it or none; and files brought as a wrong one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.answers import Given, Question
from analysis_py.ingest.bringing import AUTO, bring_file, bring_parts, read_sources, render
from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.inputs import current_inputs
from analysis_py.ingest.sheets import open_cells
from analysis_py.ingest.survey import Part, survey_file
from tests.unit.ingest_files import write_text, write_xlsx, written

Table = list[list[Any]]
CITIES = ("合肥市", "芜湖市", "蚌埠市", "淮南市")
PROVINCES = ("北京市", "安徽省", "江苏省", "浙江省")
WIDE: Table = [
    [
        "城市",
        "年份",
        "地区生产总值(亿元)",
        "移动电话年末用户数(万户)",
        "建成区绿化覆盖率(%)",
        "人工智能发明专利申请量",
        "绿色信贷(%)",
        "备注",
    ],
    *([city, year, 1000 + at, 300 + at, 40.5, 12, 5.5, ""] for at, city in enumerate(CITIES) for year in (2018, 2019)),
]
OF_PROVINCES: Table = [
    ["地区", "年份", "地区生产总值(亿元)", "互联网宽带接入用户数(万户)", "能源消费总量(万吨标准煤)"],
    *(["全国", year, 919281, 40738, 471925] for year in (2018, 2019)),
    *([name, year, 30000 + at, 800, 9000] for at, name in enumerate(PROVINCES) for year in (2018, 2019)),
]
ROBOTS: Table = [["Country", "IFR industry", "Year", "Stock"], ["China", "29", 2019, 100], ["USA", "29", 2019, 200]]
HISTORY: Table = [["城市", "固定电话数(部)", "自然科学研究人员数(人)"], *([city, 12000, 800] for city in CITIES)]
EVERYTHING: dict[str, Table] = {
    "省份": OF_PROVINCES,
    "机器人": ROBOTS,
    "1984": HISTORY,
    "说明": [["numbers of a test"]],
}


def everything(folder: Path) -> Path:
    return write_xlsx(folder / "everything.xlsx", WIDE, **EVERYTHING)


def split(path: Path, *sources: str, **options: Any) -> dict[str, list[dict[str, Any]]]:
    """Bring a file as several sources; the rows of each dataset by 'source/dataset'."""
    reports = bring_parts(path, sources or (AUTO,), data_dir=path.parent / "data", **options)
    return {f"{one.source}/{one.dataset}": pq.read_table(one.output).to_pylist() for one in reports if one.output}


def test_a_workbook_with_everything_is_split_into_its_sources(tmp_path: Path) -> None:
    found = split(everything(tmp_path))
    assert {name: len(rows) for name, rows in found.items()} == {
        "city_yearbook/everything": 8,
        "city_patents/everything": 8,
        "province_yearbook/everything": 16,
        "province_energy/everything": 8,
        "city_construction/everything": 8,
        "city_digital/everything": 8,
        "city_green_finance/everything": 8,
        "city_history/everything": 8,
        "national_yearbook/everything": 2,
        "industry_robots/everything": 2,
    }
    assert {row["city_code"] for row in found["national_yearbook/everything"]} == {"000000"}
    assert {row["value"] for row in found["national_yearbook/everything"]} == {40738.0}
    assert {row["city_code"][:2] for row in found["province_yearbook/everything"]} == {"11", "34", "32", "33"}
    assert {row["year"] for row in found["city_history/everything"]} == {1984}
    assert {row["source_sheet"] for row in found["city_history/everything"]} == {"1984"}
    inputs = current_inputs(tmp_path / "data")
    assert {source for source, kind in inputs.items() if kind == "user"} == {name.split("/")[0] for name in found}


def test_the_parts_are_what_each_source_alone_would_be(tmp_path: Path) -> None:
    path = everything(tmp_path)
    together = split(path)
    for name, rows in together.items():
        source = name.split("/")[0]
        sheet = {"city_history": "1984", "national_yearbook": "省份"}.get(source)
        report = bring_file(path, source, data_dir=tmp_path / "alone", sheet=sheet)
        assert report.output is not None
        assert pq.read_table(report.output).to_pylist() == rows, source


def test_only_the_sources_that_are_named(tmp_path: Path) -> None:
    found = split(everything(tmp_path), "city_patents", "city_digital")
    assert list(found) == ["city_patents/everything", "city_digital/everything"]


def test_each_part_says_where_the_other_columns_go(tmp_path: Path) -> None:
    first, second = bring_parts(
        everything(tmp_path), ("city_patents", "city_digital"), data_dir=tmp_path / "data", check=True
    )
    assert first.columns_ignored["移动电话年末用户数(万户)"] == "brought as city_digital"
    assert first.columns_ignored["绿色信贷(%)"] == "it is green_credit of city_green_finance"
    assert "1 brought as city_digital" in render(first) and "1 brought as city_patents" in render(second)
    assert "--as auto" in render(first) and not (tmp_path / "data").exists()


def test_one_source_alone_is_told_of_the_others_and_their_command(tmp_path: Path) -> None:
    report = bring_file(everything(tmp_path), "city_yearbook", data_dir=tmp_path / "data", check=True)
    (told,) = [remark for remark in report.remarks if "belong to other sources" in remark]
    for said in (
        "4 column(s)",
        "city_digital: 移动电话年末用户数(万户)",
        "city_patents: 人工智能发明专利申请量",
        "carbonpanel ingest everything.xlsx --as auto",
    ):
        assert said in told
    assert report.columns_ignored["备注"] == "name not recognised"


def test_indicators_of_others_in_a_long_table(tmp_path: Path) -> None:
    text = (
        "城市,年份,指标,单位,数值\n合肥市,2019,地区生产总值,亿元,9409.4\n合肥市,2019,移动电话年末用户数,万户,900\n"
        "合肥市,2019,幸福指数,分,9\n"
    )
    path = write_text(tmp_path / "long.csv", text)
    report = bring_file(path, "city_yearbook", data_dir=tmp_path / "data", check=True)
    assert any("city_digital: 移动电话年末用户数" in remark for remark in report.remarks)
    found = split(path)
    assert {name: rows[0]["value"] for name, rows in found.items()} == {
        "city_yearbook/long": 9409.4,
        "city_digital/long": 900.0,
    }


def test_one_bad_part_refuses_all_and_says_how_to_go_on_without_it(tmp_path: Path) -> None:
    bad = [[*row] for row in WIDE]
    bad[3][4] = "about forty"
    path = write_xlsx(tmp_path / "everything.xlsx", bad, **EVERYTHING)
    with pytest.raises(CarbonpanelError) as caught:
        split(path)
    assert caught.value.code == "CP-CELL-TEXT" and "city_construction: 'about forty'" in caught.value.what
    assert "--as city_yearbook,city_patents,province_yearbook" in caught.value.remedy
    assert "city_construction" not in caught.value.remedy.split("--as")[1]
    assert not (tmp_path / "data").exists()


def test_the_same_question_is_put_once(tmp_path: Path) -> None:
    asked: list[Question] = []

    def ask(question: Question) -> str | None:
        asked.append(question)
        return "urban_districts" if question.kind == "area_scope" else question.choices[0].value

    found = split(everything(tmp_path), ask=ask)
    kinds = [(question.kind, question.subject) for question in asked]
    assert len(set(kinds)) == len(kinds) and ("area_scope", "") in kinds
    for name in ("city_yearbook/everything", "city_digital/everything", "city_construction/everything"):
        assert {row["area_scope"] for row in found[name]} == {"urban_districts"}


def test_units_go_to_the_sources_that_know_the_column(tmp_path: Path) -> None:
    rows = [[*row] for row in WIDE]
    rows[0][2], rows[0][6] = "地区生产总值", "绿色信贷"
    path = write_xlsx(tmp_path / "a.xlsx", rows)
    found = split(path, answers=Given(units={"地区生产总值": "万元", "绿色信贷": "%"}))
    assert found["city_yearbook/a"][0]["unit"] == "10k_yuan" and found["city_green_finance/a"][0]["unit"] == "pct"
    with pytest.raises(CarbonpanelError, match=r"CP-ANSWER-UNUSED.*'幸福'"):
        split(path, answers=Given(units={"幸福": "万元"}))


def test_columns_of_one_source_in_several_sheets(tmp_path: Path) -> None:
    head = ["城市", "年份"]
    money: Table = [[*head, "地区生产总值(亿元)"], *([city, 2019, 1000] for city in CITIES)]
    people: Table = [[*head, "年末户籍人口(万人)"], *([city, 2019, 500] for city in CITIES)]
    found = split(write_xlsx(tmp_path / "book.xlsx", money, 人口=people))
    assert {name: {row["indicator"] for row in rows} for name, rows in found.items()} == {
        "city_yearbook/book": {"gdp"},
        "city_yearbook/book_人口": {"population_registered"},
    }


def test_a_sheet_a_year_stays_one_table(tmp_path: Path) -> None:
    def sheet(year: int) -> list[list[Any]]:
        return [
            ["城市", "地区生产总值(亿元)", "公路里程(公里)", "移动电话用户数(万户)"],
            *([city, year, 9000, 300] for city in CITIES),
        ]

    path = write_xlsx(
        tmp_path / "book.xlsx", [["see the other sheets"]], **{"2018年": sheet(2018), "2019年": sheet(2019)}
    )
    found = split(path)
    assert {name: sorted({row["year"] for row in rows}) for name, rows in found.items()} == {
        "city_yearbook/book": [2018, 2019],
        "city_digital/book": [2018, 2019],
    }


def test_a_text_of_provinces_with_the_nation_in_it(tmp_path: Path) -> None:
    text = "\n".join(",".join(map(str, row)) for row in OF_PROVINCES) + "\n"
    found = split(write_text(tmp_path / "p.csv", text))
    assert list(found) == ["province_yearbook/p", "province_energy/p", "national_yearbook/p"]
    assert {row["city_code"] for row in found["national_yearbook/p"]} == {"000000"}


def test_a_file_of_the_nation_needs_no_places(tmp_path: Path) -> None:
    found = split(write_text(tmp_path / "n.csv", "年份,互联网宽带接入用户数(万户)\n2018,40738\n2019,44928\n"))
    assert list(found) == ["national_yearbook/n"]


def test_nothing_of_any_source(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", "城市,年份,幸福指数\n合肥市,2019,7\n")
    with pytest.raises(CarbonpanelError, match=r"CP-INDICATOR-NONE.*nothing of any source.*幸福指数"):
        split(path)
    with pytest.raises(CarbonpanelError, match=r"CP-INDICATOR-NONE.*nothing of city_digital"):
        split(everything(tmp_path), "city_history", "city_digital", sheet="1984")


# ---------------------------------------------------------------- brought as a wrong source


@pytest.mark.parametrize(
    ("rows", "source", "right"),
    [
        (WIDE, "city_energy", "auto"),
        (HISTORY, "city_yearbook", "city_history"),
        (WIDE, "province_energy", "auto"),
        (WIDE, "province_yearbook", "auto"),
        (OF_PROVINCES, "city_yearbook", "auto"),
        (ROBOTS, "city_yearbook", "industry_robots"),
        (ROBOTS, "listed_firms", "industry_robots"),
        ([["年份", "互联网宽带接入用户数(万户)"], [2019, 44928]], "city_yearbook", "national_yearbook"),
        ([["城市", "年份", "数字企业数(个)"], ["合肥市", 2019, 5]], "city_patents", "city_digital"),
    ],
)
def test_the_refusal_names_the_right_command(tmp_path: Path, rows: list[list[Any]], source: str, right: str) -> None:
    path = write_xlsx(tmp_path / "file.xlsx", rows)
    with pytest.raises(CarbonpanelError) as caught:
        bring_file(path, source, data_dir=tmp_path / "data")
    assert f"carbonpanel ingest file.xlsx --as {right}" in caught.value.remedy, str(caught.value)
    assert not (tmp_path / "data").exists()
    bring_parts(path, read_sources(right), data_dir=tmp_path / "data")
    assert written(tmp_path)


def test_a_table_of_provinces_is_not_taken_for_its_municipalities(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "p.xlsx", OF_PROVINCES)
    with pytest.raises(CarbonpanelError, match=r"CP-PLACE-NONE"):
        bring_file(path, "city_yearbook", data_dir=tmp_path / "data")
    cities: Table = [
        ["城市", "年份", "GDP(亿元)"],
        ["北京市", 2019, 35371],
        ["上海市", 2019, 38156],
        ["安徽省", 2019, 37114],
    ]
    report = bring_file(write_xlsx(tmp_path / "c.xlsx", cities), "city_yearbook", data_dir=tmp_path / "data")
    assert [item.place for item in report.unplaced] == ["安徽省"]


def test_sources_of_the_option() -> None:
    assert read_sources("city_yearbook") == ("city_yearbook",)
    assert read_sources("city_yearbook, city_digital") == ("city_yearbook", "city_digital")
    assert read_sources("auto") == (AUTO,)
    for text, code, said in (
        ("auto,city_yearbook", "CP-OPTION", "all sources"),
        ("city_yearbook,city_yearbook", "CP-OPTION", "twice"),
        (",", "CP-OPTION", "no source"),
        ("city_digitl", "CP-SOURCE-UNKNOWN", "did you mean 'city_digital'"),
        ("autos", "CP-SOURCE-UNKNOWN", "did you mean 'auto'"),
    ):
        with pytest.raises(CarbonpanelError) as caught:
            read_sources(text)
        assert caught.value.code == code and said in str(caught.value)


def test_a_survey_names_sheets_in_the_order_of_the_contract(tmp_path: Path) -> None:
    with open_cells(everything(tmp_path)) as book:
        parts = survey_file(book)
        assert survey_file(book, wanted=["city_history"]) == [Part("city_history", ("1984",))]
    order = [load_contract().all_sources.index(part.source) for part in parts]
    assert order == sorted(order)


def test_reports_of_parts_are_kept_beside_each(tmp_path: Path) -> None:
    reports = bring_parts(everything(tmp_path), (AUTO,), data_dir=tmp_path / "data")
    for one in reports:
        assert one.output is not None
        kept = json.loads(one.output.with_name(f"{one.dataset}.report.json").read_text(encoding="utf-8"))
        assert (kept["source"], kept["file"], kept["indicators"]) == (
            one.source,
            "everything.xlsx",
            list(one.indicators),
        )


def test_firms_with_their_city_are_firms(tmp_path: Path) -> None:
    head = "证券代码,会计期间,总资产(亿元),营业收入(亿元),city_name"
    text = f"{head}\n600519,2019,1830.4,854.3,遵义市\n600690,2019,1874.5,2007.6,青岛市\n"
    found = split(write_text(tmp_path / "firms.csv", text))
    ((name, rows),) = found.items()
    assert name.startswith("listed_firms/")
    assert {row["firm_code"] for row in rows} == {"600519", "600690"}
    assert {row["city_name"] for row in rows} == {"遵义市", "青岛市"}
