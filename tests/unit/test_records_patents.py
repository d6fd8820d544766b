"""Patents: kinds, keywords, green classes and flows."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.contract import read_reference
from analysis_py.records.green_classes import END_OF_PIPE, OTHER, UPSTREAM, GreenClasses, read_symbols
from analysis_py.records.patent_kinds import application_key, is_foreign, kind_of_numbers, kind_of_type
from tests.unit.records_case import patents, values

HEFEI, SHENZHEN = "340100", "440300"
GREEN = "green_patent_applications"
FLOWS = ("green_patent_upstream", "green_patent_end_of_pipe", "green_patent_other_flow")

#: title, abstract, application number, date, type, IPC, address
PATENTS = (
    (
        "一种人工智能芯片",
        "本发明",
        "CN201810000001.1",
        "2018-01-05",
        "发明专利",
        "G06N3/04",
        "230088 安徽省合肥市高新区",
    ),
    ("一种传感装置", "基于机器学习", "CN201820000002.2", "20180206", "实用新型", "C02F3/28; F03D1/00", "安徽省合肥市"),
    ("无人机外观", "", "CN201830000003.3", "2018.03.07", "外观设计", "12-07", "广东省深圳市南山区"),
    ("废水处理", "", "CN201810000004.4", "2018-04-08", "发明公开", "C02F1/00(2006.01)I", "安徽省合肥市"),
    ("废水处理", "", "CN201810000004.4", "2018-04-08", "发明授权", "C02F1/00(2006.01)I", "安徽省合肥市"),
    ("支付方法", "", "CN201910000005.5", "2019-01-09", "发明公开", "G06Q20/00", "广东省深圳市"),
    ("椅子", "", "CN201920000006.6", "2019-02-10", "实用新型", "A47C1/00", "安徽省合肥市"),
    ("翻译", "机器的翻译", "CN201910000007.7", "2019-02-10", "发明", "G06F40/58", "San Jose, California, US"),
    ("机器 翻译", "", "CN202010000008.8", "2020-02-10", "发明", "G06F40/58", "深圳市福田区"),
)


def test_ai_patents_by_kind_and_by_one_keyword(tmp_path: Path) -> None:
    outcome = patents(tmp_path / "a.csv", PATENTS)
    invention = values(outcome, "ai_invention_applications")
    assert invention == {
        **{(HEFEI, 2018): 1, (HEFEI, 2019): 0, (HEFEI, 2020): None},
        **{(SHENZHEN, 2018): 0, (SHENZHEN, 2019): 0, (SHENZHEN, 2020): 1},
    }
    assert values(outcome, "ai_utility_model_applications")[(HEFEI, 2018)] == 1
    assert values(outcome, "ai_design_applications")[(SHENZHEN, 2018)] == 1
    assert values(outcome, "ai_invention_applications_single")[(HEFEI, 2018)] == 1
    assert values(outcome, "ai_invention_applications_single")[(SHENZHEN, 2020)] == 0
    assert values(outcome, "ai_invention_applications", "1") == {(HEFEI, 2018): 1}
    assert outcome.rows["unplaced"] == 1 and outcome.finds["without_place_or_year"] == 0
    tolerant = patents(tmp_path / "a.csv", PATENTS, match="tolerant")
    assert tolerant.finds["without_place_or_year"] == 1


def test_green_patents_count_once_and_flows_add_up(tmp_path: Path) -> None:
    outcome = patents(tmp_path / "a.csv", PATENTS)
    green = values(outcome, GREEN)
    assert (green[(HEFEI, 2018)], green[(HEFEI, 2019)], green[(SHENZHEN, 2019)]) == (2, 0, 1)
    for at, number in green.items():
        assert number is None or number == sum(values(outcome, flow)[at] or 0 for flow in FLOWS)
    assert values(outcome, FLOWS[1])[(HEFEI, 2018)] == 1  # C02F1: the application that is published twice counts once
    assert values(outcome, FLOWS[0])[(HEFEI, 2018)] == 1  # C02F3/28 (biogas) and F03D are both upstream
    assert values(outcome, FLOWS[2])[(SHENZHEN, 2019)] == 1
    assert values(outcome, GREEN, "waste_management") == {(HEFEI, 2018): 1}
    narrow = patents(tmp_path / "a.csv", PATENTS, without_broad=True)
    assert values(narrow, GREEN)[(SHENZHEN, 2019)] == 0
    assert any("very broad symbols" in warning for warning in outcome.warnings)


def test_a_kind_the_files_do_not_have_is_missing_not_zero(tmp_path: Path) -> None:
    outcome = patents(tmp_path / "a.csv", [row for row in PATENTS if row[4] != "外观设计"])
    assert set(values(outcome, "ai_design_applications").values()) == {None}
    assert any("no patent of these kinds: design" in warning for warning in outcome.warnings)
    by_number = [(*row[:4], "", *row[5:]) for row in PATENTS]
    same = patents(tmp_path / "a.csv", by_number)
    assert values(same, "ai_design_applications") == values(
        patents(tmp_path / "b.csv", PATENTS), "ai_design_applications"
    )


def test_a_keyword_of_ones_own_beside_the_list(tmp_path: Path) -> None:
    outcome = patents(tmp_path / "a.csv", PATENTS, single_keyword="传感")
    assert values(outcome, "ai_utility_model_applications_single")[(HEFEI, 2018)] == 1
    assert values(outcome, "ai_invention_applications")[(HEFEI, 2018)] == 1


def test_unknown_kinds_are_told(tmp_path: Path) -> None:
    outcome = patents(tmp_path / "a.csv", [("人工智能", "", "X1", "2018", "?", "", "合肥市"), *PATENTS])
    assert outcome.finds["ai_unknown_kind"] == 1
    assert values(outcome, "ai_unknown_kind_applications")[(HEFEI, 2018)] == 1
    assert any("unknown kind" in warning for warning in outcome.warnings)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("发明专利", "invention"),
        ("授权发明", "invention"),
        ("PCT发明", "invention"),
        ("A", "invention"),
        ("B2", "invention"),
        ("实用新型", "utility_model"),
        ("PCT实用新型", "utility_model"),
        ("U", "utility_model"),
        ("Utility model", "utility_model"),
        ("外观设计", "design"),
        ("3", "design"),
        ("S", "design"),
        ("", None),
        ("其他", None),
    ],
)
def test_kinds_by_type(text: str, kind: str | None) -> None:
    assert kind_of_type(text) == kind


@pytest.mark.parametrize(
    ("application", "publication", "kind"),
    [
        ("CN201910123456.7", "", "invention"),
        ("2019201234567", "", "utility_model"),
        ("ZL 2019 3 0123456.X", "", "design"),
        ("CN98101234.5", "", "invention"),
        ("CN852012345", "", "utility_model"),
        ("201980012345", "", "invention"),
        ("201990012345.1", "", "utility_model"),
        ("", "CN110123456A", "invention"),
        ("", "CN2345678Y", "utility_model"),
        ("", "CN210123456U", "utility_model"),
        ("", "CN305123456S", "design"),
        ("", "CN1234567C", "invention"),
        ("US15/123456", "US20190001A1", None),
        ("", "", None),
    ],
)
def test_kinds_by_number(application: str, publication: str, kind: str | None) -> None:
    assert kind_of_numbers(application, publication) == kind


def test_one_application_has_one_key() -> None:
    spellings = ["CN201910123456.7", "201910123456", "ZL201910123456.7", "cn 201910123456.7", "ＣＮ201910123456．7"]
    assert {application_key(text) for text in spellings} == {"201910123456"}
    assert [is_foreign(text) for text in ("US2019001", "CN2019", "ZL2019", "2019", "WO2019/1")] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_symbols_as_offices_write_them() -> None:
    assert read_symbols("C10L 5/40; C10L5/402(2006.01)I|f03d 0001/00,G06Q") == [
        "C10L5/40",
        "C10L5/402",
        "F03D1/00",
        "G06Q",
    ]
    assert read_symbols("14-02 椅子") == []


def test_the_longest_listed_symbol_decides_and_priority_where_both() -> None:
    first, other = GreenClasses(), GreenClasses(UPSTREAM)
    biogas, water, both, mixed = "C02F3/28", "C02F9/00", "B01D53/14", "C02F9/00;F03D1/00"
    assert first.find(biogas).flow == UPSTREAM and not first.find(biogas).is_contested
    assert first.find(water).flow == other.find(water).flow == END_OF_PIPE
    assert (first.find(both).flow, other.find(both).flow) == (END_OF_PIPE, UPSTREAM) and first.find(both).is_contested
    assert (first.find(mixed).flow, other.find(mixed).flow) == (END_OF_PIPE, UPSTREAM) and first.find(
        mixed
    ).is_contested
    assert first.find("G06Q10/00").flow == OTHER and first.find("G06Q10/00").is_broad
    assert first.find("C10L91/00") is None and first.find("C10L9/08") is not None
    assert first.find("A47C1/00") is None and first.find("") is None
    with pytest.raises(CarbonpanelError, match="--flow-priority"):
        GreenClasses("downstream")


def test_every_listed_symbol_is_green_and_passes_the_first_look() -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    classes = GreenClasses()
    rows = read_reference("seed_wipo_green_ipc")
    symbols = [row["ipc_symbol"] if "/" in row["ipc_symbol"] else f"{row['ipc_prefix']}".ljust(4, "B") for row in rows]
    assert [symbol for symbol in symbols if classes.find(symbol) is None] == []
    passes = pc.match_substring_regex(pa.array(symbols), classes.candidates).to_pylist()
    assert all(passes)
    assert sum(classes.find(row["ipc_symbol"]).is_contested for row in rows if "/" in row["ipc_symbol"]) >= 6


def test_without_text_or_symbols_there_is_no_count_of_them(tmp_path: Path) -> None:
    from analysis_py.records.counting import count_records
    from analysis_py.records.keywords import patent_keywords
    from analysis_py.records.options import RecordOptions

    (tmp_path / "a.csv").write_text("申请日,IPC分类号,申请人地址\n2018-01-01,F03D1/00,合肥市\n", encoding="utf-8")
    outcome = count_records("patents", [tmp_path / "a.csv"], RecordOptions(patent_keywords()))
    assert {row.indicator for row in outcome.counts} == {GREEN, *FLOWS}
    (tmp_path / "b.csv").write_text("申请日,标题,申请人地址\n2018-01-01,人工智能,合肥市\n", encoding="utf-8")
    outcome = count_records("patents", [tmp_path / "b.csv"], RecordOptions(patent_keywords()))
    assert not any(row.indicator.startswith("green") for row in outcome.counts)
    assert any("green patents are not counted" in warning for warning in outcome.warnings)
