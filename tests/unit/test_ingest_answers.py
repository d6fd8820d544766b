"""What a file does not say: flags, remembered answers, a person on a terminal; refused only where it is in doubt."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.answer_store import AnswerStore, fingerprint
from analysis_py.ingest.answers import LEAVE, Choice, Given, Question, read_unit_flags
from analysis_py.ingest.asking import ask_on, terminal_asker
from analysis_py.ingest.ingest import draft_mapping, ingest_file
from analysis_py.ingest.ingest_session import bring_files
from analysis_py.ingest.inputs import describe_answers, forget_answers
from tests.unit.ingest_files import PLAIN, bring, write_text, write_xlsx, written

#: GDP without its unit, a population that does not say whom it counts.
OPEN_FILE = "城市,年份,地区生产总值,年末总人口(万人)\n合肥,2019,9409.4,770.4\n芜湖,2019,3618,389.8\n"


def refused(path: Path, code: str, *said: str, source: str = "city_yearbook", **options: Any) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        ingest_file(path, source, data_dir=path.parent / "data", **options)
    assert caught.value.code == code, str(caught.value)
    for word in said:
        assert word in str(caught.value), str(caught.value)
    assert not (path.parent / "data").exists()


def units(path: Path, **options: Any) -> dict[str, tuple[str, str]]:
    """Indicator -> (unit, area) of what was taken."""
    _, rows = bring(path, **options)
    return {row["indicator"]: (row["unit"], row["area_scope"]) for row in rows}


# ---------------------------------------------------------------- flags


def test_a_refusal_names_the_flag_and_the_flag_answers_it(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", OPEN_FILE)
    refused(path, "CP-UNIT-MISSING", "--unit '地区生产总值=UNIT'", "地区生产总值(亿元)", "万元")
    given = Given(units={"地区生产总值": "亿元"})
    refused(path, "CP-BASIS-MISSING", "--population-basis registered or resident", "年末总人口", answers=given)
    given = Given(units={"地区生产总值": "亿元"}, population_basis="户籍")
    report, rows = bring(path, answers=given)
    assert {(r["indicator"], r["unit"], r["population_basis"]) for r in rows} == {
        ("gdp", "yi_yuan", None),
        ("population_registered", "10k_persons", "registered"),
    }
    assert "population basis: registered (--population-basis)" in report.remarks
    assert "unit of '地区生产总值': yi_yuan (--unit)" in report.remarks


def test_a_column_can_be_left_out(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", OPEN_FILE)
    given = Given(units={"地区生产总值": "亿元"}, population_basis=LEAVE)
    report, rows = bring(path, answers=given)
    assert {row["indicator"] for row in rows} == {"gdp"}
    assert report.columns_ignored["年末总人口(万人)"] == "left out, as you said"
    given = Given(units={"地区生产总值": LEAVE}, population_basis="resident")
    report, rows = bring(path, answers=given)
    assert {row["indicator"] for row in rows} == {"population_resident"}


def test_a_header_that_says_whom_it_counts_needs_no_answer(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", "城市,年份,年末总人口(户籍)(万人)\n合肥,2019,770.4\n")
    assert units(path) == {"population_registered": ("10k_persons", "whole_city")}


def test_units_of_labels_and_of_contract_names(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [["地区", "指标", "2019年"], ["合肥", "地区生产总值", 94094000]])
    assert units(path, answers=Given(units={"地区生产总值": "万元"}))["gdp"][0] == "10k_yuan"
    plain = write_text(tmp_path / "b.csv", PLAIN)
    assert units(plain)["gdp"][0] == "yi_yuan"
    assert units(plain, answers=Given(units={"gdp": "10k_yuan"}))["gdp"][0] == "10k_yuan"


def test_an_unknown_unit_in_a_header_can_be_answered(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", "city,year,GDP(单位见注)\n合肥,2019,9409.4\n")
    refused(path, "CP-UNIT-UNKNOWN", "单位见注")
    assert units(path, answers=Given(units={"GDP(单位见注)": "亿元"}))["gdp"][0] == "yi_yuan"


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (Given(area_scope="town"), "CP-ANSWER-VALUE", ("--area-scope", "whole_city")),
        (Given(vintage="resident"), "CP-ANSWER-VALUE", ("--vintage", "first, revised")),
        (Given(population_basis="residnt"), "CP-ANSWER-VALUE", ("did you mean 'resident'",)),
        (Given(inventory="cead"), "CP-INVENTORY-UNKNOWN", ("did you mean 'ceads'",)),
        (Given(units={"gpd": "亿元"}), "CP-ANSWER-UNUSED", ("'gpd'", "did you mean 'gdp'")),
        (Given(units={"year": "亿元"}), "CP-ANSWER-UNUSED", ("not a column of numbers",)),
        (Given(units={"gdp": "万人"}), "CP-UNIT-UNKNOWN", ("万人", "亿元")),
    ],
)
def test_answers_that_are_none(tmp_path: Path, given: Given, code: str, said: tuple[str, ...]) -> None:
    refused(write_text(tmp_path / "a.csv", PLAIN), code, *said, answers=given)


def test_an_answer_does_not_overrule_what_is_said(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", "city,year,GDP(亿元)\n合肥,2019,9409.4\n")
    refused(path, "CP-ANSWER-CONTRADICTS", "yi_yuan", "10k_yuan", answers=Given(units={"GDP(亿元)": "万元"}))
    mapping = write_text(
        tmp_path / "m.yml",
        "source: city_yearbook\nplace: {name: city}\nyear: year\narea_scope: 全市\n"
        "columns:\n  GDP(亿元): {indicator: gdp, unit: 亿元}\n",
    )
    given = Given(area_scope="urban_districts")
    refused(path, "CP-ANSWER-CONTRADICTS", "whole_city", "urban_districts", answers=given, mapping=mapping)
    assert units(path, answers=Given(area_scope="whole_city"), mapping=mapping)["gdp"] == ("yi_yuan", "whole_city")


def test_a_mapping_that_does_not_say_the_area_is_completed_by_a_flag(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", "city,year,gdp\n合肥,2019,6000\n")
    mapping = write_text(
        tmp_path / "m.yml",
        "source: city_yearbook\nplace: {name: city}\nyear: year\ncolumns:\n  gdp: {indicator: gdp, unit: 亿元}\n",
    )
    report, _ = bring(path, mapping=mapping)
    assert any("taken as the whole city" in remark for remark in report.remarks)
    assert units(path, mapping=mapping, answers=Given(area_scope="市辖区"))["gdp"][1] == "urban_districts"


def test_unit_flags_are_parted_at_the_last_equals_sign() -> None:
    assert read_unit_flags(["地区生产总值=万元", "指数(上年=100)=上年=100"])["地区生产总值"] == "万元"
    assert read_unit_flags(["指数(上年=100)=index_prev100"]) == {"指数(上年=100)": "index_prev100"}
    for bad in ("gdp", "=万元", "gdp=", "="):
        with pytest.raises(CarbonpanelError, match="CP-ANSWER-VALUE"):
            read_unit_flags([bad])


# ---------------------------------------------------------------- area and vintage


def test_the_usual_is_assumed_and_said(tmp_path: Path) -> None:
    report, rows = bring(write_text(tmp_path / "a.csv", PLAIN))
    assert {row["area_scope"] for row in rows} == {"whole_city"}
    assert [r for r in report.remarks if "--area-scope" in r or "--vintage" in r] == [
        "taken as the whole city (全市); say otherwise with --area-scope urban_districts",
        "GDP taken as first published; say otherwise with --vintage revised",
    ]


HEAD = ["城市", "年份", "GDP(亿元)"]
ROW = ["合肥", 2018, 8605]
DOUBTS: list[tuple[str, list[list[Any]], str]] = [
    ("2019年市辖区数据.xlsx", [HEAD, ROW], "area_scope"),
    ("a.xlsx", [["表3 市辖区主要指标"], HEAD, ROW], "area_scope"),
    ("a.xlsx", [["城市", "年份", "GDP(全市)(亿元)", "存款余额(亿元)"], [*ROW, 5]], "area_scope"),
    ("gdp revised.xlsx", [HEAD, ROW], "vintage"),
    ("a.xlsx", [["第四次经济普查修订数"], HEAD, ROW], "vintage"),
]


@pytest.mark.parametrize(("name", "rows", "flag"), DOUBTS)
def test_what_the_file_itself_calls_into_doubt_is_refused(
    tmp_path: Path, name: str, rows: list[list[Any]], flag: str
) -> None:
    path = write_xlsx(tmp_path / name, rows)
    code = "CP-SCOPE-MISSING" if flag == "area_scope" else "CP-VINTAGE-MISSING"
    refused(path, code, f"--{flag.replace('_', '-')}")
    for value in ("urban_districts", "whole_city") if flag == "area_scope" else ("first", "revised"):
        _, found = bring(path, answers=Given(**{flag: value}))
        silent = [row[flag] for row in found if row["source_column"] != "GDP(全市)(亿元)"]
        assert set(silent) == {value}


def test_words_that_only_look_like_a_hint_are_none(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "各省市区.xlsx", [["分省市区统计"], ["城市", "年份", "GDP(亿元)"], ["合肥", 2019, 9409]]
    )
    assert units(path)["gdp"][1] == "whole_city"


def test_a_title_may_agree_with_the_usual(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [["全市主要指标"], ["城市", "年份", "GDP(亿元)"], ["合肥", 2019, 9409]])
    report, _ = bring(path)
    assert "taken as the whole city (全市): '全市主要指标' says so" in report.remarks


# ---------------------------------------------------------------- remembered


def test_answers_are_remembered_for_the_same_column_names(tmp_path: Path) -> None:
    first = write_text(tmp_path / "a.csv", OPEN_FILE)
    given = Given(units={"地区生产总值": "亿元"}, population_basis="resident", area_scope="urban_districts")
    bring(first, answers=given)
    again = write_text(tmp_path / "b.csv", OPEN_FILE.replace("2019", "2020"))
    report, rows = bring(again)
    assert {(r["indicator"], r["area_scope"]) for r in rows} == {
        ("gdp", "urban_districts"),
        ("population_resident", "urban_districts"),
    }
    assert "area scope: urban_districts (answered before)" in report.remarks
    other = write_text(tmp_path / "c.csv", OPEN_FILE.replace("年末总人口", "总人口"))
    with pytest.raises(CarbonpanelError, match="CP-UNIT-MISSING"):
        bring(other)
    # A flag goes before what was remembered, and is remembered in its place.
    assert units(again, answers=Given(area_scope="whole_city"))["gdp"][1] == "whole_city"
    assert units(again)["gdp"][1] == "whole_city"


def test_next_years_edition_has_the_same_names(tmp_path: Path) -> None:
    rows = [["地区", "指标", "2020年", "2019年"], ["合肥", "地区生产总值", 10045.7, 9409.4]]
    bring(write_xlsx(tmp_path / "a.xlsx", rows), answers=Given(units={"地区生产总值": "亿元"}))
    later = [["地区", "指标", "2021年", "2020年", "2019年"], ["合肥", "地区生产总值", 11412.8, 10045.7, 9409.4]]
    assert units(write_xlsx(tmp_path / "b.xlsx", later))["gdp"][0] == "yi_yuan"
    assert fingerprint("a", ["地区", "2019年"]) == fingerprint("a", [" 地 区 ", "2021"]) != fingerprint("b", ["地区"])


def test_the_file_of_answers_can_be_read_and_forgotten(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", OPEN_FILE)
    bring(path, answers=Given(units={"地区生产总值": "亿元"}, population_basis="resident"))
    content = yaml.safe_load((tmp_path / "data" / "answers.yml").read_text(encoding="utf-8"))
    assert len(content) == 1
    assert content[0]["population_basis"] == "resident" and content[0]["units"] == {"地区生产总值": "yi_yuan"}
    assert content[0]["columns"] == ["城市", "年份", "地区生产总值", "年末总人口(万人)"]
    ((id_, source, file, told, _),) = describe_answers(tmp_path / "data")
    assert (source, file) == ("city_yearbook", "a.csv") and "unit of 地区生产总值 = yi_yuan" in told
    with pytest.raises(CarbonpanelError, match="CP-ANSWER-UNKNOWN"):
        forget_answers(tmp_path / "data", "ffff")
    assert len(forget_answers(tmp_path / "data", id_[:5])) == 1
    assert not (tmp_path / "data" / "answers.yml").exists()
    with pytest.raises(CarbonpanelError, match="CP-UNIT-MISSING"):
        bring(path)
    assert forget_answers(tmp_path / "data", "all") == []


def test_a_check_and_a_refusal_remember_nothing(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", OPEN_FILE)
    given = Given(units={"地区生产总值": "亿元"}, population_basis="resident")
    ingest_file(path, "city_yearbook", data_dir=tmp_path / "data", answers=given, check=True)
    assert not (tmp_path / "data").exists()
    write_text(path, OPEN_FILE + "蚌埠,2019,about ten,1\n")
    refused(path, "CP-CELL-TEXT", answers=given)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {fingerprint: xyz}\n", "no fingerprint"),
        ("fingerprint: 0123456789ab\n", "list of answers"),
        ("- {fingerprint: 0123456789ab, area: x}\n", "'area' is not a key"),
        ("- {fingerprint: 0123456789ab, units: 亿元}\n", "'units' must be"),
        ("- just a word\n", "key: value"),
        ("- [\n", "not valid YAML"),
        ("", "empty"),
    ],
)
def test_a_damaged_file_of_answers_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "data").mkdir()
    write_text(tmp_path / "data" / "answers.yml", text)
    with pytest.raises(CarbonpanelError) as caught:
        bring(write_text(tmp_path / "a.csv", PLAIN))
    assert caught.value.code == "CP-ANSWERS-FILE" and said in str(caught.value) and "answers.yml" in str(caught.value)


def test_a_remembered_answer_that_no_longer_fits_is_asked_again(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", "城市,年份,地区生产总值\n合肥,2019,9409.4\n")
    bring(path, answers=Given(units={"地区生产总值": "亿元"}))
    store = tmp_path / "data" / "answers.yml"
    store.write_text(store.read_text(encoding="utf-8").replace("yi_yuan", "10k_persons"), encoding="utf-8")
    with pytest.raises(CarbonpanelError, match="CP-UNIT-MISSING"):
        bring(path)


# ---------------------------------------------------------------- a person


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


QUESTION = Question("vintage", "", "First or revised?", (Choice("first", "as first"), Choice("revised", "later")),
                    "--vintage first|revised", "first")  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("2\n", "revised"), ("\n", "first"), ("revised\n", "revised"), ("7\nx\n2\n", "revised"), ("", None),
     ("x\n" * 9, None)],
)  # fmt: skip
def test_a_question_on_a_terminal(typed: str, answer: str | None) -> None:
    shown = Terminal()
    assert ask_on(QUESTION, Terminal(typed), shown) == answer
    told = shown.getvalue()
    assert "First or revised?" in told and "1  as first  [Enter]" in told and "--vintage first|revised" in told


def test_nobody_is_asked_without_a_terminal() -> None:
    assert terminal_asker(io.StringIO("1\n"), Terminal()) is None
    assert terminal_asker(Terminal("1\n"), io.StringIO()) is None
    asker = terminal_asker(Terminal("2\n"), Terminal())
    assert asker is not None and asker(QUESTION) == "revised"


def test_only_what_cannot_be_known_is_asked(tmp_path: Path) -> None:
    asked: list[Question] = []

    def ask(question: Question) -> str:
        asked.append(question)
        return {"unit": "10k_yuan", "population_basis": "resident", "area_scope": "whole_city", "vintage": "revised"}[
            question.kind
        ]

    path = write_text(tmp_path / "a.csv", OPEN_FILE.replace("9409.4", "94094000").replace("3618", "36180000"))
    _, rows = bring(path, ask=ask)
    assert {(q.kind, q.subject) for q in asked} == {
        ("unit", "地区生产总值"),
        ("population_basis", "年末总人口(万人)"),
        ("area_scope", ""),
        ("vintage", ""),
    }
    assert {(r["indicator"], r["unit"], r["vintage"]) for r in rows} == {
        ("gdp", "10k_yuan", "revised"),
        ("population_resident", "10k_persons", "revised"),
    }
    asked.clear()
    bring(path, ask=ask)
    assert asked == []
    said = write_text(tmp_path / "b.csv", "city,year,area_scope,vintage,GDP(亿元)\n合肥,2019,全市,first,9409\n")
    bring(said, ask=ask)
    assert asked == []


def test_an_unanswered_question_is_a_refusal(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", OPEN_FILE)
    refused(path, "CP-UNIT-MISSING", ask=lambda question: None)


def test_files_of_one_layout_are_asked_about_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(question: Question) -> str:
        asked.append(question.kind)
        return question.default or ("yi_yuan" if question.kind == "unit" else "resident")

    files = [write_text(tmp_path / f"{y}.csv", OPEN_FILE.replace("2019", str(y))) for y in (2018, 2019, 2020)]
    outcomes = list(bring_files(files, "city_yearbook", data_dir=tmp_path / "data", ask=ask, check=True, quiet=True))
    assert [outcome.error for outcome in outcomes] == [None] * 3
    assert sorted(asked) == ["area_scope", "population_basis", "unit", "vintage"]


# ---------------------------------------------------------------- a draft


def test_a_draft_reads_the_file_as_the_proposal_does(tmp_path: Path) -> None:
    path = write_text(
        tmp_path / "a.csv", "城市,年份,统计口径,GDP(亿元),GDP增长率(%),备注: 注\n合肥,2019,全市,9409.4,7.6,x\n"
    )
    target = tmp_path / "mine.yml"
    text = draft_mapping(path, "city_yearbook", target, data_dir=tmp_path / "data")
    assert target.read_text(encoding="utf-8") == text and not (tmp_path / "data").exists()
    assert "备注: 注: name not recognised" in text and "GDP(亿元): {indicator: gdp, unit: yi_yuan}" in text
    first = ingest_file(path, "city_yearbook", data_dir=tmp_path / "one")
    second = ingest_file(path, "city_yearbook", data_dir=tmp_path / "two", mapping=target)
    assert second.mapping_origin == "file" and first.output and second.output
    assert pq.read_table(first.output).equals(pq.read_table(second.output))


def test_a_draft_leaves_open_what_is_open_and_cannot_be_used_so(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", OPEN_FILE)
    target = tmp_path / "mine.yml"
    text = draft_mapping(path, "city_yearbook", target, data_dir=tmp_path / "data")
    assert "unit 元 or 万元 or 百万元 or 亿元" in text
    assert "indicator population_registered or population_resident" in text
    refused(path, "CP-MAPPING-MISSING", "mine.yml", "地区生产总值", mapping=target)
    done = text.replace("地区生产总值: {indicator: gdp, unit:}", "地区生产总值: {indicator: gdp, unit: 亿元}")
    write_text(target, done.replace("{indicator:,", "{indicator: population_resident,"))
    assert set(units(path, mapping=target)) == {"gdp", "population_resident"}


def test_a_draft_of_an_inventory_and_of_a_doubtful_title(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", "city,year,碳排放量(万吨)\n合肥,2015,4510\n")
    text = draft_mapping(path, "city_emissions", tmp_path / "e.yml", data_dir=tmp_path / "data")
    assert "{indicator:, unit: 10k_t}  # to be said: indicator co2_ceads or co2_edgar" in text
    title = write_xlsx(tmp_path / "市辖区.xlsx", [["城市", "年份", "GDP(亿元)"], ["合肥", 2019, 6000]])
    text = draft_mapping(title, "city_yearbook", tmp_path / "s.yml", data_dir=tmp_path / "data")
    assert "area_scope:  # whole_city or urban_districts: the file calls it into doubt" in text


def test_a_draft_overwrites_nothing(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", PLAIN)
    mine = write_text(tmp_path / "mine.yml", "precious")
    with pytest.raises(CarbonpanelError, match="CP-FILE-EXISTS"):
        draft_mapping(path, "city_yearbook", mine, data_dir=tmp_path / "data")
    assert mine.read_text(encoding="utf-8") == "precious" and not written(tmp_path)


def test_the_store_is_written_once_and_in_order(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path)
    store.save()
    assert not store.path.exists()
    for name in ("b", "a"):
        path = write_text(tmp_path / f"{name}.csv", f"城市,年份,{name},地区生产总值\n合肥,2019,1,9409.4\n")
        ingest_file(
            path, "city_yearbook", data_dir=tmp_path, store=store, answers=Given(units={"地区生产总值": "亿元"})
        )
    text = store.path.read_text(encoding="utf-8")
    prints = [entry["fingerprint"] for entry in yaml.safe_load(text)]
    assert prints == sorted(prints) and len(prints) == 2 and text.startswith("# What 'carbonpanel ingest'")
