"""Flat sources: robots, employment, firms, their assets and links, from the files that databases export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.answers import Given
from analysis_py.ingest.bringing import Report, bring_file, render
from analysis_py.ingest.flat_contract import flat_sources
from analysis_py.ingest.flat_ingest import FlatReport
from analysis_py.ingest.ingest import draft_mapping
from analysis_py.ingest.inputs import current_inputs, describe_inputs, describe_quarantine, input_hash, remove_dataset
from analysis_py.ingest.units import fold
from tests.unit.ingest_files import write_text, write_xlsx, written

ROBOTS = (
    "Country,Industry,Year,Installations (units),Operational stock (units)\n"
    "China,10-12,2019,100,1000\nChina,29 - Automotive,2019,5000,20000\nUnited States,29,2019,3000,90000\n"
)
FIRMS = "证券代码,会计期间,资产总计(元)\n000001,2019-12-31,100\n600000,2019-12-31,200\n"
LINKS = "firm_code,year,partner_code,role,amount_yuan\n000001,2019,600000,customer,10\n000001,2019,600000,supplier,4\n"
ASSETS = (
    "Stkcd,Accper,资产类别,项目名称,期末余额(元)\n000001,2019-12-31,固定资产,机器设备,5\n"
    "000001,2019-12-31,无形资产,软件,6\n"
)
EMPLOYED = "地区,行业,年份,从业人员数(人)\n北京市,29,2004,1200\n全国,29,2004,300000\n美国,29,1990,100000\n"
PLAIN = {
    "industry_robots": ROBOTS,
    "industry_employment": EMPLOYED,
    "listed_firms": FIRMS,
    "listed_firm_assets": ASSETS,
    "listed_firm_links": LINKS,
}


def bring(path: Path, source: str, **options: Any) -> tuple[FlatReport, list[dict[str, Any]]]:
    report = bring_file(path, source, data_dir=path.parent / "data", **options)
    assert isinstance(report, FlatReport) and report.output is not None
    return report, pq.read_table(report.output).to_pylist()


def brought(
    tmp_path: Path, source: str, text: str, name: str = "f.csv", **options: Any
) -> tuple[FlatReport, list[dict[str, Any]]]:
    return bring(write_text(tmp_path / name, text), source, **options)


# ---------------------------------------------------------------- what is taken


def test_robots_of_two_countries_under_the_names_of_the_export(tmp_path: Path) -> None:
    text = ROBOTS + "Germany,29,2019,1,2\nChina,All industries,2019,9,9\n"
    report, rows = brought(tmp_path, "industry_robots", text)
    assert [(r["country"], r["ifr_code"], r["year"], r["robots_installed"], r["robots_stock"]) for r in rows] == [
        ("CHN", "10-12", 2019, 100.0, 1000.0),
        ("CHN", "29", 2019, 5000.0, 20000.0),
        ("USA", "29", 2019, 3000.0, 90000.0),
    ]
    assert [(r["dataset"], r["source_file"], r["source_sheet"], r["source_row"]) for r in rows] == [
        ("f", "f.csv", None, row) for row in (2, 3, 4)
    ]
    assert report.passed == {"of other countries": 1, "of all industries together": 1}
    assert report.rows_read == report.rows_placed + sum(report.passed.values())
    shown = render(report)
    assert "3 taken of 5 read" in shown and "Industry -> ifr_code" in shown and "1 row of other countries" in shown


@pytest.mark.parametrize("source", list(PLAIN))
def test_the_parquet_has_the_columns_of_the_contract(tmp_path: Path, source: str) -> None:
    report, rows = brought(tmp_path, source, PLAIN[source])
    assert report.output is not None
    table = pq.read_table(report.output)
    assert table.schema.remove_metadata() == flat_sources()[source].schema
    assert report.output == tmp_path / "data" / "raw" / source / "f.parquet"
    assert len(rows) == report.rows_placed == PLAIN[source].count("\n") - 1
    assert table.schema.field("year").type == pa.int32()


def test_an_export_with_codes_names_and_units_above_the_rows(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Stkcd", "ShortName", "Accper", "Typrep", "A001000000", "B001101000"],
        ["证券代码", "证券简称", "会计期间", "报表类型编码", "资产总计", "营业收入"],
        ["没有单位", "没有单位", "没有单位", "没有单位", "元", "元"],
        ["000001", "平安银行", "2019-12-31", "A", 3.9e12, 1.4e11],
        ["000001", "平安银行", "2019-12-31", "B", 1, 1],
        ["000001", "平安银行", "2019-06-30", "A", 2, 2],
        ["000001", "平安银行", "2019-01-01", "A", 3, 3],
        [2, "万科A", "2019-12-31", "A", 1.7e12, 3.7e11],
        ["数据来源：CSMAR"],
    ]
    report, kept = bring(write_xlsx(tmp_path / "FS.xlsx", rows), "listed_firms")
    assert [(r["firm_code"], r["year"], r["total_assets_yuan"], r["revenue_yuan"]) for r in kept] == [
        ("000001", 2019, 3.9e12, 1.4e11),
        ("000002", 2019, 1.7e12, 3.7e11),
    ]
    assert report.passed == {
        "of another statement: rows of the parent company alone": 1,
        "of dates within a year (interim reports, opening balances)": 2,
    }
    assert [used.unit for used in report.columns_used if used.indicator == "revenue_yuan"] == ["yuan"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("1", "000001"), ("000001.SZ", "000001"), ("SH600000", "600000"), ("600000.0", "600000"), ("'000002", "000002"),
     ("sz.000001", "000001"), ("00700", "00700"), ("0700.HK", "0700.HK")],
)  # fmt: skip
def test_stock_codes(tmp_path: Path, text: str, code: str) -> None:
    _, rows = brought(tmp_path, "listed_firms", f"股票代码,年份,总资产(元)\n{text},2019,5\n")
    assert rows[0]["firm_code"] == code


def test_units_are_turned_into_those_of_the_contract_and_said(tmp_path: Path) -> None:
    text = "证券代码,年份,资产总计(万元),营业收入[亿元],员工人数,能源消费量(万吨标准煤)\n000001,2019,150,2.5,300,0.5\n"
    report, rows = brought(tmp_path, "listed_firms", text)
    row = rows[0]
    assert (row["total_assets_yuan"], row["revenue_yuan"], row["energy_tce"]) == (1_500_000.0, 2.5e8, 5000.0)
    assert row["employees_persons"] == 300.0
    assert "'资产总计(万元)' is turned from 万元 into 元" in report.remarks
    assert any("'员工人数' states no unit" in remark for remark in report.remarks)


def test_a_unit_that_is_not_said_is_asked_once_and_remembered(tmp_path: Path) -> None:
    path = write_text(tmp_path / "f.csv", "证券代码,年份,资产总计\n000001,2019,150\n")
    with pytest.raises(CarbonpanelError, match=r"CP-UNIT-MISSING: '资产总计'"):
        bring_file(path, "listed_firms", data_dir=tmp_path / "data")
    _, rows = bring(path, "listed_firms", answers=Given(units={"资产总计": "万元"}))
    assert rows[0]["total_assets_yuan"] == 1.5e6
    _, rows = bring(path, "listed_firms")
    assert rows[0]["total_assets_yuan"] == 1.5e6


def test_cities_of_firms_are_resolved_and_those_unknown_are_listed(tmp_path: Path) -> None:
    text = (
        "证券代码,年份,所属省份,所属城市,资产总计(元)\n1,2019,安徽省,合肥市,1\n2,2019,江苏省,昆山市,2\n"
        "3,2019,,,3\n4,2019,北京市,北京市,4\n"
    )
    report, rows = brought(tmp_path, "listed_firms", text)
    assert [row["city_code"] for row in rows] == ["340100", None, None, "110100"]
    assert [row["city_name"] for row in rows] == ["合肥市", "昆山市", None, "北京市"]
    assert [item.place for item in report.unplaced] == ["江苏省 昆山市"]
    assert "江苏省 昆山市: no city of the panel has this name (row 3)" in render(report)


def test_classes_of_assets_from_the_names_of_sheets(tmp_path: Path) -> None:
    head = ["证券代码", "会计期间", "项目名称", "期末余额(元)"]
    path = write_xlsx(
        tmp_path / "a.xlsx", [["notes", "only"]],
        固定资产=[head, ["000001", "2019-12-31", "机器设备", 5]], 无形资产=[head, ["000001", "2019-12-31", "软件", 6]],
    )  # fmt: skip
    report, rows = bring(path, "listed_firm_assets")
    assert [(r["asset_class"], r["item_name"], r["amount_yuan"], r["source_sheet"]) for r in rows] == [
        ("fixed", "机器设备", 5.0, "固定资产"),
        ("intangible", "软件", 6.0, "无形资产"),
    ]
    assert "1 other sheet(s) not read: data" in report.remarks


def test_links_without_a_listed_partner_are_left_out_and_counted(tmp_path: Path) -> None:
    text = "证券代码,年份,客户证券代码,金额(万元)\n1,2019,600000,10\n1,2019,,10\n1,2019,000001,5\n"
    report, rows = brought(tmp_path, "listed_firm_links", text, "前五大客户.csv")
    assert [(r["partner_code"], r["role"], r["amount_yuan"]) for r in rows] == [("600000", "customer", 100_000.0)]
    assert report.passed == {"whose partner has no stock code": 1, "whose partner is the firm itself": 1}


def test_the_same_numbers_in_every_form(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "firm_code": ["000001", "600000"],
            "year": [2019, 2019],
            "total_assets_yuan": [1.5, 2.0],
            "firm_name": ["甲", "乙"],
        }
    )
    frame.to_csv(tmp_path / "a.csv", index=False, encoding="gb18030")
    frame.to_excel(tmp_path / "b.xlsx", index=False)
    frame.to_parquet(tmp_path / "c.parquet")
    frame.to_stata(tmp_path / "d.dta", write_index=False, version=118)
    seen = []
    for name in ("a.csv", "b.xlsx", "c.parquet", "d.dta"):
        _, rows = bring(tmp_path / name, "listed_firms")
        seen.append(
            [{k: v for k, v in row.items() if k not in ("dataset", "source_file", "source_sheet")} for row in rows]
        )
    assert all(other == seen[0] for other in seen[1:])
    assert seen[0][0]["firm_name"] == "甲"


def test_employment_by_industry_takes_provinces_and_the_two_countries(tmp_path: Path) -> None:
    report, rows = brought(tmp_path, "industry_employment", EMPLOYED + "火星,29,2004,1\n")
    assert [(r["area_code"], r["ifr_code"], r["year"]) for r in rows] == [
        ("110000", "29", 2004), ("CHN", "29", 2004), ("USA", "29", 1990),
    ]  # fmt: skip
    assert [item.place for item in report.unplaced] == ["火星"]


def test_an_impossible_number_is_quarantined_and_shown(tmp_path: Path) -> None:
    report, rows = brought(tmp_path, "industry_robots", ROBOTS.replace(",20000", ",-20000"))
    assert rows[1]["robots_stock"] is None and rows[1]["robots_installed"] == 5000.0
    assert len(report.quarantined) == 1 and report.cells_read == report.cells_written + 1
    (cell,) = describe_quarantine(tmp_path / "data")
    assert cell[:6] == ("industry_robots", "f", "CHN 29", 2019, "robots_stock", "-20000")
    assert "empty in the data" in render(report) and "below 0" in render(report)


# ---------------------------------------------------------------- inputs


def test_inputs_know_the_flat_sources(tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = input_hash(data)
    brought(tmp_path, "listed_firm_links", LINKS)
    assert current_inputs(data)["listed_firm_links"] == "user"
    assert {kind for source, kind in current_inputs(data).items() if source != "listed_firm_links"} == {"none"}
    assert input_hash(data) != before
    columns, rows = describe_inputs(data)
    row = next(dict(zip(columns, row, strict=True)) for row in rows if row[1] == "user")
    assert (row["dataset"], row["file"], row["numbers"], row["places"], row["years"]) == (
        "f",
        "f.csv",
        2,
        1,
        "2019-2019",
    )
    assert remove_dataset(data, "listed_firm_links/f") == "listed_firm_links/f" and not written(tmp_path)


def test_a_dataset_brought_again_is_replaced_whole(tmp_path: Path) -> None:
    brought(tmp_path, "industry_robots", ROBOTS.replace(",20000", ",-20000"))
    brought(tmp_path, "industry_robots", ROBOTS)
    assert [path.name for path in written(tmp_path)] == ["f.parquet", "f.report.json"]
    assert describe_quarantine(tmp_path / "data") == []


def test_other_datasets_of_the_source_are_said(tmp_path: Path) -> None:
    brought(tmp_path, "listed_firms", FIRMS, "a.csv")
    report, _ = brought(tmp_path, "listed_firms", FIRMS, "b.csv")
    assert report.warnings == (
        "dataset 'a' brings listed_firms too; of a row that both have, the first by name counts",
    )
    report, _ = brought(tmp_path, "listed_firms", FIRMS, "c.csv", dataset="b")
    assert report.warnings[1] == "replaces dataset 'b', which came from b.csv" and report.warnings[1] in render(report)


def test_check_writes_nothing(tmp_path: Path) -> None:
    path = write_text(tmp_path / "f.csv", ROBOTS)
    report = bring_file(path, "industry_robots", data_dir=tmp_path / "data", check=True)
    assert report.output is None and not (tmp_path / "data").exists()
    assert "nothing written (check only)" in render(report)


# ---------------------------------------------------------------- what is refused


@dataclass(frozen=True)
class Refused:
    why: str
    source: str
    text: str
    code: str
    says: Sequence[str]
    name: str = "f.csv"
    options: dict[str, Any] = field(default_factory=dict)


REFUSED = [
    Refused(
        "a key twice",
        "industry_robots",
        ROBOTS + "中国,29,2019,1,1\n",
        "CP-KEY-DUPLICATED",
        ("row 3 and row 5", "CHN 29 2019"),
    ),
    Refused("a link twice", "listed_firm_links", LINKS + "1,2019,600000,客户,3\n", "CP-KEY-DUPLICATED", ("row 4",)),
    Refused(
        "text for a number", "industry_robots", ROBOTS.replace("5000", "about 5"), "CP-CELL-TEXT", ("about 5", "row 3")
    ),
    Refused("a percentage", "listed_firms", FIRMS.replace(",100", ",10%"), "CP-CELL-TEXT", ("10%", "row 2")),
    Refused(
        "two readings",
        "listed_firms",
        FIRMS.replace("(元)", "(万元)").replace(",100", ",1.2万"),
        "CP-CELL-TEXT",
        ("1.2万",),
    ),
    Refused(
        "a year that is none",
        "industry_robots",
        ROBOTS.replace("10-12,2019", "10-12,19"),
        "CP-YEAR-BAD",
        ("'19'", "row 2"),
    ),
    Refused("no year", "industry_robots", ROBOTS.replace("10-12,2019", "10-12,"), "CP-YEAR-BAD", ("empty",)),
    Refused(
        "an empty key",
        "industry_robots",
        ROBOTS.replace("China,10-12", "China,"),
        "CP-KEY-EMPTY",
        ("row 2", "Industry"),
    ),
    Refused(
        "another list of industries",
        "industry_robots",
        ROBOTS.replace("10-12", "C36"),
        "CP-CODE-UNKNOWN",
        ("GB/T 4754", "29 (2011 edition) or 28 (2002 edition)"),
    ),
    Refused(
        "a date for a code",
        "industry_robots",
        ROBOTS.replace("10-12", "2024-10-12"),
        "CP-CODE-UNKNOWN",
        ("made a date",),
    ),
    Refused(
        "an unknown industry",
        "industry_robots",
        ROBOTS.replace("10-12", "robots"),
        "CP-CODE-UNKNOWN",
        ("seed_ifr_industry",),
    ),
    Refused(
        "no stock code",
        "listed_firms",
        FIRMS.replace("000001", "平安"),
        "CP-CODE-UNKNOWN",
        ("平安", "row 2", "600000.SH"),
    ),
    Refused(
        "an unknown class",
        "listed_firm_assets",
        ASSETS.replace("无形资产", "商誉"),
        "CP-CODE-UNKNOWN",
        ("商誉", "fixed, intangible"),
    ),
    Refused(
        "an unknown statement",
        "listed_firms",
        "Stkcd,Accper,Typrep,A001000000\n1,2019-12-31,X,5\n",
        "CP-SCOPE-UNKNOWN",
        ("'X'",),
    ),
    Refused(
        "no column of a key",
        "industry_robots",
        "Country,Year,Installations\nChina,2019,1\n",
        "CP-COLUMN-MISSING",
        ("ifr_code", "template industry_robots"),
    ),
    Refused(
        "no class anywhere",
        "listed_firm_assets",
        ASSETS.replace("资产类别", "备注"),
        "CP-COLUMN-MISSING",
        ("fixed or intangible",),
    ),
    Refused("only a key", "listed_firms", "证券代码,年份\n1,2019\n", "CP-COLUMN-MISSING", ("listed_firms",)),
    Refused(
        "two columns of one number",
        "listed_firms",
        "证券代码,年份,资产总计(元),总资产(元)\n1,2019,1,1\n",
        "CP-COLUMN-AMBIGUOUS",
        ("总资产(元)",),
    ),
    Refused(
        "two columns of one name",
        "listed_firms",
        "证券代码,年份,年份,总资产(元)\n1,2019,2019,1\n",
        "CP-COLUMN-AMBIGUOUS",
        ("year",),
    ),
    Refused("an unknown unit", "listed_firms", FIRMS.replace("(元)", "(gold)"), "CP-UNIT-UNKNOWN", ("gold", "万元")),
    Refused("a unit of something else", "listed_firms", FIRMS.replace("(元)", "(吨)"), "CP-UNIT-UNKNOWN", ("吨",)),
    Refused(
        "a pilot that is no year",
        "listed_firms",
        "证券代码,年份,智能制造试点年份\n1,2019,yes\n",
        "CP-CELL-TEXT",
        ("'yes'", "became a pilot"),
    ),
    Refused(
        "nothing of the two countries",
        "industry_robots",
        "Country,Industry,Year,Stock\nJapan,29,2019,5\n",
        "CP-NOTHING-LEFT",
        ("1 of other countries",),
    ),
    Refused(
        "no place known",
        "industry_employment",
        "地区,行业,年份,从业人员数(人)\n火星,29,2004,1\n",
        "CP-PLACE-NONE",
        ("火星",),
    ),
    Refused("no rows", "industry_robots", ROBOTS.splitlines()[0] + "\n", "CP-FILE-NO-ROWS", ()),
    Refused("an empty file", "industry_robots", "\n", "CP-FILE-EMPTY", ()),
    Refused("NUL bytes", "industry_robots", ROBOTS + "\0\n", "CP-FILE-NUL", ()),
    Refused("a row too long", "industry_robots", ROBOTS + "China,16,2019,1,1,9\n", "CP-FILE-RAGGED", ("row 5",)),
    Refused("a sheet of a text", "industry_robots", ROBOTS, "CP-SHEET-UNKNOWN", (), options={"sheet": "a"}),
    Refused("a mapping", "industry_robots", ROBOTS, "CP-OPTION", ("mapping",), options={"mapping": "x.yml"}),
    Refused("a preference", "industry_robots", ROBOTS, "CP-OPTION", ("--prefer",), options={"prefer": True}),
    Refused(
        "a unit nobody needs",
        "industry_robots",
        ROBOTS,
        "CP-ANSWER-UNUSED",
        ("'x'",),
        options={"answers": Given(units={"x": "个"})},
    ),
    Refused(
        "most of a column impossible",
        "industry_robots",
        "Country,Industry,Year,Stock\n" + "".join(f"China,29,{year},-5\n" for year in range(2000, 2012)),
        "CP-UNIT-IMPLAUSIBLE",
        ("robots_stock",),
    ),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.why)
def test_what_is_refused_and_how(tmp_path: Path, case: Refused) -> None:
    path = write_text(tmp_path / case.name, case.text)
    with pytest.raises(CarbonpanelError) as caught:
        bring_file(path, case.source, data_dir=tmp_path / "data", **case.options)
    assert caught.value.code == case.code, str(caught.value)
    for said in case.says:
        assert said in str(caught.value), str(caught.value)
    assert not (tmp_path / "data").exists()


def test_a_mapping_is_not_drafted(tmp_path: Path) -> None:
    path = write_text(tmp_path / "f.csv", ROBOTS)
    with pytest.raises(CarbonpanelError, match="CP-OPTION"):
        draft_mapping(path, "industry_robots", tmp_path / "m.yml", data_dir=tmp_path / "data")


@pytest.mark.parametrize("seed", range(40))
def test_no_mangled_file_makes_anything_but_a_readable_error(tmp_path: Path, seed: int) -> None:
    import random

    rng = random.Random(seed)
    source, text = list(PLAIN.items())[seed % len(PLAIN)]
    cells = [line.split(",") for line in text.splitlines()]
    for _ in range(rng.randint(1, 4)):
        row = rng.choice(cells)
        row[rng.randrange(len(row))] = rng.choice(
            ["", "x", "-1", "1e99", "2019-13-45", "=1+1", "9" * 30, "１２", "—", "\ufeff"]
        )
    path = write_text(tmp_path / "f.csv", "\n".join(map(",".join, cells)) + "\n")
    report: Report | None = None
    try:
        report = bring_file(path, source, data_dir=tmp_path / "data")
    except CarbonpanelError as error:
        assert error.remedy and not (tmp_path / "data").exists()
    else:
        assert report.output is not None and report.output.is_file()


# ---------------------------------------------------------------- spellings


@pytest.mark.parametrize("source", list(PLAIN))
def test_no_spelling_names_two_columns(source: str) -> None:
    seen: dict[str, str] = {}
    for column in flat_sources()[source].columns.values():
        for word in sorted(column.spellings | column.periods):
            assert seen.setdefault(word, column.name) == column.name, word
            assert word == fold(word)
