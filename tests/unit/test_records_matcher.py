"""Keywords in text: NFKC, separators, one character in between; lists of keywords."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.records.keywords import Keyword, firm_keywords, make_keyword, patent_keywords, read_keywords
from analysis_py.records.matcher import KeywordMatcher
from analysis_py.records.plain_text import folding, is_separator, plain_text


def found(text: str, *words: str) -> list[tuple[str, bool]]:
    matcher = KeywordMatcher([make_keyword(str(at), word) for at, word in enumerate(words)])
    hits = [(words[hit.keyword], hit.is_exact) for hit in matcher.find(text)]
    passes = pc.match_substring_regex(pa.array([text]), matcher.candidates)[0].as_py()
    assert passes or not hits, "the first pass lost a find"
    return hits


@pytest.mark.parametrize(
    "text",
    [
        "研发人工智能硬件",
        "人 工 智 能",
        "人\u3000工\t智\r\n能",
        "人工-智能",
        "人工－智能",
        "人工——智能",
        "人工·智能",
        "人工・智能",
        "人工_智能",
        "人\u200b工\ufeff智\u00ad能",
        "\u2f08工智能",  # KANGXI RADICAL MAN
        "人\ufe00工\U000e0101智能",  # variation selectors
    ],
)
def test_written_apart_or_in_other_signs_it_is_exact(text: str) -> None:
    assert found(text, "人工智能") == [("人工智能", True)]


@pytest.mark.parametrize(
    "text", ["人工的智能", "人工、智能", "人工智,能", "人x工智能", "人工智慧能", "人e\u0301工智能", "人 工，智 能"]
)
def test_one_character_in_between_is_tolerant(text: str) -> None:
    assert found(text, "人工智能") == [("人工智能", False)]


@pytest.mark.parametrize(
    "text", ["人工", "人工和、智能", "工人智能", "人的工智的能", "x人工智", "人工智慧", "", "人人工工智智能能"]
)
def test_anything_more_is_nothing(text: str) -> None:
    assert found(text, "人工智能") == []


def test_letters_in_full_width_and_composed_and_ligatures() -> None:
    assert found("ＡＩ芯片", "AI芯片") == [("AI芯片", True)]
    assert found("ai芯片", "AI芯片") == []
    assert found("cafe\u0301", "café") == [("café", True)]
    assert found("caf e\u0301", "cafe") == []
    assert found("ﬁlter", "fil") == [("fil", True)]
    assert found("ﾛﾎﾞｯﾄ", "ロボット") == [("ロボット", True)]
    assert found("5㎡以内", "m2") == [("m2", True)]


def test_an_exact_find_goes_before_a_tolerant_one_and_words_overlap() -> None:
    assert found("智能化家居，智能家居", "智能家居") == [("智能家居", True)]
    assert found("卷积神经网络", "神经网络", "卷积神经网络") == [("神经网络", True), ("卷积神经网络", True)]
    assert found("智能医疗系统", "智能", "智能医疗") == [("智能", True), ("智能医疗", True)]
    assert found("字", "字") == [("字", True)]


def test_the_place_told_is_that_of_the_plain_text() -> None:
    matcher = KeywordMatcher([make_keyword("1", "物联网")])
    text = "从事 物-联 网 技术"
    (hit,) = matcher.find(text)
    assert plain_text(text)[hit.start : hit.end] == "物联网"


def test_separators_are_no_marks_that_end_a_phrase() -> None:
    assert not [sign for sign in "，,；;、。.：:()（）《》“”\"'/＋+&0aA人" if is_separator(sign)]
    assert all(is_separator(sign) for sign in " \t\n\r\u00a0\u3000-–—_·・\u200d\ufeff\x00")


def test_nothing_beyond_the_tables_changes() -> None:
    # What folding() leaves out must not matter: no code point there decomposes, and its separators are the selectors.
    beyond = [chr(code) for code in range(0x40000, sys.maxunicode + 1)]
    assert not [sign for sign in beyond if unicodedata.decomposition(sign)]
    assert {ord(sign) for sign in beyond if is_separator(sign)} <= set(folding().gone)


def test_the_lists_of_the_project() -> None:
    firms, patents = firm_keywords(), patent_keywords()
    assert (len(firms), len(patents)) == (40, 14)
    assert firms[0] == Keyword("1", "人工智能", ("人工智能",))
    assert firms[20].forms == ("智能教育", "智慧教育")
    assert [keyword.word for keyword in patents][:2] == ["人工智能", "智能机器人"]


def test_a_list_as_words_or_as_a_table(tmp_path: Path) -> None:
    plain = tmp_path / "words.txt"
    plain.write_text("人工 智能\n\n物联网\n", encoding="utf-8")
    assert read_keywords(plain) == (Keyword("1", "人工 智能", ("人工智能",)), Keyword("2", "物联网", ("物联网",)))
    table = tmp_path / "words.csv"
    table.write_text("编号,关键词,变体\n7,智能教育,智慧教育；智能教学\n9,ＡＩ,\n", encoding="gbk")
    assert read_keywords(table) == (
        Keyword("7", "智能教育", ("智能教育", "智慧教育", "智能教学")),
        Keyword("9", "ＡＩ", ("AI",)),
    )
    book = openpyxl.Workbook()
    book.active.append(["keyword"])
    book.active.append(["物联网"])
    book.save(tmp_path / "words.xlsx")
    assert [keyword.word for keyword in read_keywords(tmp_path / "words.xlsx")] == ["物联网"]


@pytest.mark.parametrize(
    ("text", "what", "row"),
    [
        ("keyword\n", "0 keywords", None),
        ("人工智能\n物联网\n人工-智能\n", "twice", 3),
        ("keyword,variant\n智能,\n智慧,智能\n", "twice", 3),
        ("id,keyword\n1,智能\n1,智慧\n", "id '1'", 3),
        ("a,b\n1,2\n", "no column 'keyword'", 1),
        ("人工智能\n···\n", "is not a keyword", 2),
        ("x" * 101 + "\n物联网\n", "is not a keyword", 1),
    ],
)
def test_a_list_that_is_none(tmp_path: Path, text: str, what: str, row: int | None) -> None:
    path = tmp_path / "words.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CarbonpanelError, match=what) as caught:
        read_keywords(path)
    assert caught.value.code == "CP-KEYWORDS"
    assert row is None or f"row {row}" in caught.value.where
