"""Good files in: every layout gives the same numbers, every cell is accounted for, provenance and bytes are exact."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from analysis_py.ingest.contract import PARQUET_COLUMNS
from analysis_py.ingest.ingest import IngestReport, ingest_file, render_report
from tests.unit.ingest_files import PLAIN, bring, write_text, write_xls, write_xlsx, written


def numbers(rows: list[dict]) -> list[tuple]:
    return sorted((row["city_code"], row["year"], row["indicator"], row["value"], row["unit"]) for row in rows)


def balances(report: IngestReport) -> bool:
    left = report.cells_outside_years + report.cells_unplaced + report.cells_not_observed + len(report.quarantined)
    return report.cells_read == report.cells_written + left


EXPECTED = [
    ("310100", 2019, "gdp", 38156.0, "yi_yuan"),
    ("340100", 2019, "gdp", 9409.4, "yi_yuan"),
    ("340100", 2020, "gdp", 10045.7, "yi_yuan"),
]


def test_rows_carry_their_provenance_in_the_agreed_columns(tmp_path: Path) -> None:
    report, rows = bring(write_text(tmp_path / "My Year-Book.csv", PLAIN))
    table = pq.read_table(report.output)
    assert [(f.name, str(f.type).replace("double", "float64")) for f in table.schema] == list(PARQUET_COLUMNS)
    assert rows[2] == {
        "source": "city_yearbook",
        "dataset": "my_year-book",
        "city_code": "310100",
        "place_code_raw": "310000",
        "place_name_raw": "上海市",
        "year": 2019,
        "indicator": "gdp",
        "value": 38156.0,
        "unit": "yi_yuan",
        "area_scope": "whole_city",
        "population_basis": None,
        "vintage": "first",
        "value_text": "38156",
        "source_file": "My Year-Book.csv",
        "source_sheet": None,
        "source_row": 4,
        "source_column": "gdp",
    }
    assert balances(report) and report.cells_written == 3


LAYOUTS = {
    "wide": [
        ["城市", "年份", "地区生产总值(亿元)"],
        ["合肥市", 2019, 9409.4],
        ["合肥市", 2020, 10045.7],
        ["上海市", 2019, 38156],
    ],
    "across": [
        ["城市", "指标", "2020年", "2019年"],
        ["合肥", "GDP(亿元)", 10045.7, 9409.4],
        ["上海", "GDP(亿元)", "--", 38156],
    ],
    "long": [
        ["行政区划代码", "年份", "指标", "数值", "单位"],
        ["340100", "2019年", "地区生产总值", "9,409.4", "亿元"],
        ["340100", "2020年", "地区生产总值", "10,045.7", "亿元"],
        ["310000", "2019年", "地区生产总值", "38,156", "亿元"],
        ["310000", "2019年", "自来水供水量", "7", "亿吨"],
    ],
    "unit beside": [
        ["province", "city", "year", "gdp", "gdp_unit"],
        ["安徽", "合肥", 2019, 9409.4, "100 million yuan"],
        ["安徽", "合肥", 2020, 10045.7, "亿元"],
        ["上海", "上海", 2019, 38156, "yi_yuan"],
    ],
    "notes above and below": [
        ["表2-1 地区生产总值"],
        [None, None, "单位见表头"],
        ["城市", "年份", "GDP（亿元）"],
        ["合肥市", 2019, 9409.4],
        ["合肥市", 2020, 10045.7],
        ["上海市", 2019, 38156],
        ["注：数据来自统计年鉴。"],
    ],
}


#: A typed file has no lines above its names, and names of Stata hold no brackets.
COMBINATIONS = [
    (layout, kind)
    for layout in LAYOUTS
    for kind in ("xlsx", "xls", "csv", "gbk", "utf-16", "dta", "parquet")
    if not (kind == "dta" and layout != "unit beside") and not (kind == "parquet" and layout.startswith("notes"))
]


@pytest.mark.parametrize(("layout", "kind"), COMBINATIONS)
def test_every_layout_in_every_kind_of_file_gives_the_same_numbers(tmp_path: Path, layout: str, kind: str) -> None:
    rows = LAYOUTS[layout]
    if kind in ("xlsx", "xls"):
        path = (write_xlsx if kind == "xlsx" else write_xls)(tmp_path / f"a.{kind}", rows)
    elif kind in ("dta", "parquet"):
        frame = pd.DataFrame([[str(v) for v in row] for row in rows[1:]], columns=rows[0])
        path = tmp_path / f"a.{kind}"
        if kind == "parquet":
            frame.to_parquet(path)
        else:
            frame.to_stata(path, write_index=False, version=118)
    else:
        text = "\n".join(",".join(_quoted(v) for v in row) for row in rows) + "\n"
        path = write_text(tmp_path / "a.csv", text, "utf-8" if kind == "csv" else kind)
    report, found = bring(path)
    assert numbers(found) == EXPECTED
    assert balances(report)


def _quoted(value: object) -> str:
    text = "" if value is None else str(value)
    return f'"{text}"' if "," in text else text


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", PLAIN)
    first, second = (ingest_file(path, "city_yearbook", data_dir=tmp_path / d) for d in ("one", "two"))
    assert first.output and second.output
    assert first.output.read_bytes() == second.output.read_bytes()
    name = "a.report.json"
    assert first.output.with_name(name).read_bytes() == second.output.with_name(name).read_bytes()
    assert (
        json.loads(first.output.with_name(name).read_text(encoding="utf-8"))["parquet_sha256"] == first.parquet_sha256
    )


def test_check_writes_nothing(tmp_path: Path) -> None:
    report = ingest_file(write_text(tmp_path / "a.csv", PLAIN), "city_yearbook", data_dir=tmp_path / "data", check=True)
    assert report.output is None and report.cells_written == 3
    assert not (tmp_path / "data").exists()
    assert "nothing written" in render_report(report)


def test_missing_marks_percent_signs_and_full_width_digits(tmp_path: Path) -> None:
    text = "city,year,gdp,gdp_tertiary_share,gdp_growth_pct\n"
    text += "合肥,２０１９年,９４０９．４,60.5%,－\n芜湖,2019,--,…,7.1%\n蚌埠,2019,缺失,0.5,-3\n"
    report, rows = bring(write_text(tmp_path / "a.csv", text))
    values = {(row["city_code"], row["indicator"]): row["value"] for row in rows}
    assert values == {
        ("340100", "gdp"): 9409.4,
        ("340100", "gdp_tertiary_share"): 60.5,
        ("340200", "gdp_index_prev100"): 7.1,
        ("340300", "gdp_tertiary_share"): 0.5,
        ("340300", "gdp_index_prev100"): -3.0,
    }
    assert {row["unit"] for row in rows if row["indicator"] == "gdp_index_prev100"} == {"growth_pct"}
    assert report.cells_missing == 4


def test_percent_in_a_column_of_shares(tmp_path: Path) -> None:
    _, rows = bring(
        write_text(tmp_path / "a.csv", "city,year,gdp_tertiary_share (share)\n合肥,2019,60%\n芜湖,2019,0.4\n")
    )
    assert [row["value"] for row in rows] == [0.6, 0.4]


def test_units_are_recorded_and_not_converted(tmp_path: Path) -> None:
    _, rows = bring(write_text(tmp_path / "a.csv", "city,year,地区生产总值(万元)\n合肥,2019,94094000\n"))
    assert (rows[0]["value"], rows[0]["unit"]) == (94094000.0, "10k_yuan")


def test_scope_basis_and_vintage(tmp_path: Path) -> None:
    text = "city,year,area_scope,vintage,gdp,population_resident,population_registered\n"
    text += (
        "合肥,2019,全市,first,9409,819,770\n合肥,2019,市辖区,first,6000,500,300\n合肥,2019,whole_city,revised,9400,,\n"
    )
    _, rows = bring(write_text(tmp_path / "a.csv", text))
    gdp = [(r["area_scope"], r["vintage"], r["value"]) for r in rows if r["indicator"] == "gdp"]
    assert gdp == [
        ("whole_city", "first", 9409.0),
        ("urban_districts", "first", 6000.0),
        ("whole_city", "revised", 9400.0),
    ]
    basis = {r["indicator"]: r["population_basis"] for r in rows}
    assert basis == {"gdp": None, "population_resident": "resident", "population_registered": "registered"}


def test_scope_in_headers(tmp_path: Path) -> None:
    _, rows = bring(
        write_text(tmp_path / "a.csv", "城市,年份,GDP(全市)(亿元),GDP(市辖区)(亿元)\n合肥,2019,9409,6000\n")
    )
    assert [(r["area_scope"], r["value"]) for r in rows] == [("whole_city", 9409.0), ("urban_districts", 6000.0)]


def test_years_outside_the_panel_are_left_out_and_said(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", PLAIN + "340100,合肥市,1995,100\n340100,合肥市,2024,12000\n")
    report, rows = bring(path)
    assert numbers(rows) == EXPECTED
    assert (report.cells_outside_years, report.years_outside, report.rows_outside_years) == (2, (1995, 2024), 2)
    assert "1995, 2024" in render_report(report) and balances(report)


def test_unknown_places_are_listed_with_reason_rows_and_candidates(tmp_path: Path) -> None:
    text = PLAIN + "632500,海南藏族自治州,2019,100\n632500,海南藏族自治州,2020,100\n,安床市,2019,5\n"
    report, rows = bring(write_text(tmp_path / "a.csv", text))
    assert numbers(rows) == EXPECTED and balances(report)
    first, second = report.unplaced
    assert (first.place, first.rows, first.first_row) == ("海南藏族自治州 (632500)", 2, 5)
    assert "autonomous prefecture" in first.reason and "安庆市 (340800)" in second.candidates
    assert (report.places_read, report.places_placed) == (4, 2)
    assert "海南藏族自治州" in render_report(report)


def test_an_impossible_cell_is_quarantined_and_the_rest_is_taken(tmp_path: Path) -> None:
    text = PLAIN + "340200,芜湖市,2019,-164\n340300,蚌埠市,2019,10000000\n"
    report, rows = bring(write_text(tmp_path / "a.csv", text))
    assert numbers(rows) == EXPECTED and balances(report)
    assert [(q.row, q.column, q.value, q.city_code) for q in report.quarantined] == [
        (5, "gdp", -164.0, "340200"),
        (6, "gdp", 10000000.0, "340300"),
    ]
    stored = json.loads((tmp_path / "data/raw/city_yearbook/a.report.json").read_text(encoding="utf-8"))
    assert [q["reason"] for q in stored["quarantined"]] == [q.reason for q in report.quarantined]
    assert "above 100,000" in report.quarantined[1].reason and "below 0" in report.quarantined[0].reason


def test_plausibility_is_judged_in_the_canonical_unit(tmp_path: Path) -> None:
    text = "city,year,gdp (10k_yuan),gdp_growth_pct\n合肥,2019,94094000,7.6\n芜湖,2019,2000000000,108.8\n"
    report, rows = bring(write_text(tmp_path / "a.csv", text))
    assert [(q.indicator, q.value) for q in report.quarantined] == [("gdp", 2e9), ("gdp_index_prev100", 108.8)]
    assert [row["value"] for row in rows] == [94094000.0, 7.6]


def test_cells_marked_as_estimated_are_no_observations(tmp_path: Path) -> None:
    mapping = write_text(
        tmp_path / "m.yml",
        "source: city_yearbook\nplace: {name: city}\nyear: year\n"
        "columns:\n  fai: {indicator: fixed_asset_investment, unit: 亿元, observed_where: {made_up: [no, 'False']}}\n",
    )
    text = "city,year,fai,made_up\n合肥,2016,6501,no\n合肥,2017,6900,yes\n合肥,2018,7000,FALSE\n"
    report, rows = bring(write_text(tmp_path / "a.csv", text), mapping=mapping)
    assert [row["year"] for row in rows] == [2016, 2018]
    assert report.cells_not_observed == 1 and balances(report)


def test_abolished_cities_end(tmp_path: Path) -> None:
    text = "city,year,gdp\n巢湖市,2010,629.7\n巢湖市,2012,\n巢湖市,2013,700\n"
    report, rows = bring(write_text(tmp_path / "a.csv", text))
    assert [row["year"] for row in rows] == [2010]
    assert report.rows_after_abolition == 2 and report.cells_unplaced == 1 and balances(report)
    assert [(u.place, u.rows) for u in report.unplaced] == [("巢湖市", 1)]


def test_former_names_are_warned_of(tmp_path: Path) -> None:
    report, rows = bring(write_text(tmp_path / "a.csv", "city,year,gdp\n襄樊市,2015,3382\n"))
    assert rows[0]["city_code"] == "420600" and "former name" in report.warnings[0]


def test_columns_that_are_not_recognised_are_listed(tmp_path: Path) -> None:
    text = "city,year,gdp,gdp_per_capita,地区生产总值(2000年价)\n合肥,2019,9409.4,115623,5000\n"
    report, rows = bring(write_text(tmp_path / "a.csv", text))
    assert len(rows) == 1
    assert report.columns_ignored["gdp_per_capita"] == "name not recognised"
    assert "current prices" in report.columns_ignored["地区生产总值(2000年价)"]
    assert any("states no unit" in remark for remark in report.remarks)


def test_the_sheet_with_the_table_is_found(tmp_path: Path) -> None:
    book = write_xlsx(tmp_path / "a.xlsx", [["说明", "本表…"], ["单位", "亿元"]], 数据=LAYOUTS["wide"])
    report, rows = bring(book)
    assert numbers(rows) == EXPECTED and report.sheet == "数据"
    assert rows[0]["source_sheet"] == "数据" and rows[0]["source_row"] == 2
    assert "1 other sheet(s) not read: data" in report.remarks


def test_a_wanted_column_without_a_number_is_still_listed(tmp_path: Path) -> None:
    report, _ = bring(write_text(tmp_path / "a.csv", "city,year,gdp,loans (亿元)\n合肥,2019,9409.4,--\n"))
    assert [(used.indicator, used.cells) for used in report.columns_used] == [("gdp", 1), ("loans", 0)]
    assert report.indicators == ("gdp",)


def test_provinces(tmp_path: Path) -> None:
    text = (
        "省份,年份,地区生产总值(亿元),地区生产总值指数(上年=100)\n安徽,2019,36845.5,107.3\n内蒙古,2019,17212.5,105.2\n"
    )
    report, rows = bring(write_text(tmp_path / "a.csv", text), "province_yearbook")
    assert [(r["city_code"], r["indicator"], r["value"]) for r in rows] == [
        ("340000", "gdp", 36845.5),
        ("340000", "gdp_index_prev100", 107.3),
        ("150000", "gdp", 17212.5),
        ("150000", "gdp_index_prev100", 105.2),
    ]
    assert "2 of 2 provinces placed" in render_report(report)


@pytest.mark.parametrize(
    ("source", "header", "value", "unit"),
    [
        ("city_energy", "原煤(万吨)", 12.5, "10k_t"),
        ("city_energy", "全社会用电量(亿千瓦时)", 500, "yi_kwh"),
        ("city_firms", "ai_firms_registered", 7, "count"),
        ("city_patents", "绿色专利申请量(件)", 12, "count"),
        ("city_emissions", "co2_edgar_t", 4.5e7, "t"),
        ("city_emissions", "co2_ceads_mt", 45.1, "mt"),
    ],
)
def test_every_source(tmp_path: Path, source: str, header: str, value: float, unit: str) -> None:
    _, rows = bring(write_text(tmp_path / "a.csv", f"city_code,year,{header}\n340100,2015,{value}\n"), source)
    assert [(row["value"], row["unit"]) for row in rows] == [(value, unit)]


def test_inventory_named_by_the_user(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", "city,year,碳排放量(万吨)\n合肥,2015,4510\n")
    _, rows = bring(path, "city_emissions", inventory="edgar")
    assert (rows[0]["indicator"], rows[0]["unit"]) == ("co2_edgar", "10k_t")


def test_ceads_layouts_long_and_matrix_agree(tmp_path: Path) -> None:
    vector = [
        ["ID", "city", "year", "emission"],
        ["a", "安徽安庆", 2000, 4.96],
        ["b", "安徽安庆", 2001, 4.85],
        ["c", "北京", 1997, 61.9],
    ]
    matrix = [["city", "1997", "2000", "2001"], ["安徽安庆", None, 4.96, 4.85], ["北京", 61.9, None, None]]
    both = write_xlsx(
        tmp_path / "both.xlsx", [["Unit/单位", "Mt"]], **{"emission vector": vector, "emission matrix": matrix}
    )
    alone = write_xlsx(tmp_path / "alone.xlsx", [["Unit/单位", "Mt"]], **{"emission matrix": matrix})
    long_report, long_rows = bring(both, "city_emissions")
    wide_report, wide_rows = bring(alone, "city_emissions")
    assert (long_report.sheet, wide_report.sheet) == ("emission vector", "emission matrix")
    assert numbers(long_rows) == numbers(wide_rows)
    assert numbers(long_rows) == [("340800", 2000, "co2_ceads", 4.96, "mt"), ("340800", 2001, "co2_ceads", 4.85, "mt")]
    assert wide_rows[0]["source_column"] == "2000" and wide_rows[0]["source_row"] == 2
    assert long_report.cells_outside_years == wide_report.cells_outside_years == 1


def test_mapping_by_flag_names_everything(tmp_path: Path) -> None:
    mapping = write_text(
        tmp_path / "mine.yml",
        "mapping: mine\nsource: city_yearbook\nlayout: long\nplace: {name: where}\nyear: when\n"
        "indicator: what\nvalue: how much\narea_scope: 市辖区\nvintage: revised\nmissing: [未公布]\n"
        "labels:\n  产值: {indicator: gdp, unit: 万元}\n",
    )
    text = "where,when,what,how much\n合肥,2019,产值,60000000\n合肥,2020,产值,未公布\n合肥,2020,别的,7\n"
    report, rows = bring(write_text(tmp_path / "a.csv", text), mapping=mapping)
    assert [(r["value"], r["unit"], r["area_scope"], r["vintage"]) for r in rows] == [
        (6e7, "10k_yuan", "urban_districts", "revised")
    ]
    assert report.mapping == "mine" and report.cells_missing == 1


def test_a_second_dataset_is_kept_beside_the_first_and_a_renamed_one_replaces(tmp_path: Path) -> None:
    first = write_text(tmp_path / "first.csv", PLAIN)
    bring(first)
    second, _ = bring(write_text(tmp_path / "second.csv", PLAIN))
    assert any("also comes from dataset 'first'" in warning for warning in second.warnings)
    third, _ = bring(first, dataset="second")
    assert any("replaces dataset 'second'" in warning for warning in third.warnings)
    names = [path.name for path in written(tmp_path)]
    assert names == ["first.parquet", "first.report.json", "second.parquet", "second.report.json"]


def test_progress_is_told(tmp_path: Path) -> None:
    text = "city_code,year,gdp\n" + "".join(f"{340100 + 100 * (i % 8)},{2000 + i // 8},{i}\n" for i in range(192))
    told: list[tuple[int, int, str]] = []
    bring(write_text(tmp_path / "a.csv", text.replace("340900", "341000")), progress=lambda *a: told.append(a))
    assert told[0] == (0, 0, "rows read")
