"""Odd texts that are taken: encodings, separators, numbers, empty marks and years as people write them, each said."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path

import pytest

from analysis_py.ingest.cells import parse_year
from analysis_py.ingest.numerals import read_number
from analysis_py.settings import project_root
from tests.unit.ingest_files import bring
from tests.unit.odd_cases import (
    ANHUI,
    TABLE,
    TEXT,
    THREE,
    Taken,
    book,
    check_count,
    check_taken,
    column,
    gdp,
    raw,
    text,
)

ENCODINGS = [
    Taken("utf-8", text(TEXT), THREE, ("UTF-8, comma-separated",)),
    Taken("utf-8 bom", text(TEXT, encoding="utf-8-sig"), THREE, ("UTF-8 with BOM",)),
    Taken("utf-16 with mark", text(TEXT, encoding="utf-16"), THREE, ("UTF-16",)),
    Taken("utf-16 le", raw(codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le")), THREE, ("UTF-16",)),
    Taken("utf-16 be", raw(codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be")), THREE, ("UTF-16",)),
    Taken("utf-16 without mark", raw(TEXT.replace("城市", "city").encode("utf-16-le")), THREE, ("UTF-16",)),
    Taken("utf-32", text(TEXT, encoding="utf-32"), THREE, ("UTF-32",)),
    Taken("gbk", text(TEXT, encoding="gbk"), THREE, ("GBK",)),
    Taken("gb18030 of four bytes", text(TEXT + "㐂市,2019,1\n", encoding="gb18030"), THREE, ("GBK", "㐂市")),
    Taken("gz of gbk", raw(gzip.compress(TEXT.encode("gbk")), "a.csv.gz"), THREE, ("GBK",)),
    Taken("gz without csv in its name", raw(gzip.compress(TEXT.encode()), "a.gz"), THREE),
    Taken("text named xls", text(TEXT.replace(",", "\t"), "a.xls", "gbk"), THREE, ("tab-separated",)),
    Taken("workbook named csv", book(TABLE, name="a.csv"), THREE, ("Excel workbook",)),
]
SEPARATORS = [
    *(
        Taken(f"separated by {name}", text(TEXT.replace(",", sign)), THREE, (f"{name}-separated",))
        for name, sign in [
            ("tab", "\t"),
            ("semicolon", ";"),
            ("bar", "|"),
            ("caret", "^"),
            ("tilde", "~"),
            ("full-width-comma", "，"),
            ("full-width-semicolon", "；"),
            ("control-sign", "\x01"),
            ("space", "   "),
        ]
    ),
    Taken("a line that names the separator", text("sep=;\n" + TEXT.replace(",", ";")), THREE, ("semicolon",)),
    Taken("carriage returns only", text(TEXT.replace("\n", "\r")), THREE),
    Taken("mixed line ends", text(TEXT.replace("\n", "\r\n", 2)), THREE),
    Taken("separator at every line's end", text(TEXT.replace("\n", ",\n")), THREE),
    Taken("all quoted", text('"城市","年份","GDP(亿元)"\n"合肥市","2019","9409.4"\n'), THREE[:1]),
    Taken("line breaks inside quotes", text('"城\n市",年份,"GDP\n(亿元)"\n"合肥\n市",2019,9409.4\n'), THREE[:1]),
    Taken("separators inside quotes", text('城市,年份,GDP(亿元),备注\n合肥市,2019,9409.4,"a,b;c"\n'), THREE[:1]),
    Taken(
        "two files stuck together",
        text(TEXT + "\ufeff城市,年份,GDP(亿元)\n芜湖市,2019,3618\n"),
        (*THREE, gdp("340200", 2019, 3618.0)),
        ("1 row that repeats the column names left out (row 5",),
    ),
]


def _cells(indicator: str, unit: str, values: list[float]) -> tuple:
    return tuple((code, 2019, indicator, value, unit) for code, value in zip(ANHUI, values, strict=False))


POP = ("常住人口(人)", "population_resident", "persons")
NUMBERS = [
    Taken(name, text(column(header, written)), _cells(indicator, unit, values), said)
    for name, (header, indicator, unit), written, values, said in [
        (
            "full-width digits",
            ("GDP(亿元)", "gdp", "yi_yuan"),
            ["９４０９．４", "１２"],
            [9409.4, 12.0],
            ("2 in full-width",),
        ),
        (
            "thousands commas",
            ("GDP(亿元)", "gdp", "yi_yuan"),
            ["9,409.4", "12,345"],
            [9409.4, 12345.0],
            ("2 with thousands",),
        ),
        (
            "Chinese commas",
            ("GDP(亿元)", "gdp", "yi_yuan"),
            ["9，409．4"],
            [9409.4],
            ("1 in full-width", "1 with thousands"),
        ),
        (
            "thousands spaces",
            ("GDP(亿元)", "gdp", "yi_yuan"),
            ["9 409.4", "9\u00a0409"],
            [9409.4, 9409.0],
            ("2 with thousands",),
        ),
        (
            "ten thousands",
            POP,
            ["97.1万", "8万", "1.2 万"],
            [971000.0, 80000.0, 12000.0],
            ("3 written with 千, 万 or 亿",),
        ),
        ("millions of people in 亿", POP, ["0.1亿", "5千"], [1e7, 5000.0], ("2 written with",)),
        (
            "万 under 亿元 as the others are",
            ("GDP(亿元)", "gdp", "yi_yuan"),
            ["1.2万", "9409", "3618", "2057"],
            [12000.0, 9409.0, 3618.0, 2057.0],
            ("1 written with",),
        ),
        (
            "万 under 万人 as the others are",
            ("户籍人口(万人)", "population_registered", "10k_persons"),
            ["770万", "389", "383", "345"],
            [770.0, 389.0, 383.0, 345.0],
            ("1 written with",),
        ),
        (
            "the unit in the cell",
            ("GDP(亿元)", "gdp", "yi_yuan"),
            ["9409.4亿元", "3618 亿元"],
            [9409.4, 3618.0],
            ("2 with their unit",),
        ),
        (
            "percent signs",
            ("第三产业占GDP比重(%)", "gdp_tertiary_share", "pct"),
            ["60.6%", "48.9％"],
            [60.6, 48.9],
            ("2 with a percent",),
        ),
        (
            "percent signs of shares",
            ("gdp_tertiary_share (share)", "gdp_tertiary_share", "share"),
            ["60.6%", "0.489"],
            [0.606, 0.489],
            (),
        ),
        (
            "apostrophes",
            ("GDP(亿元)", "gdp", "yi_yuan"),
            ["'9409.4", "’3618"],
            [9409.4, 3618.0],
            ("2 behind an apostrophe",),
        ),
        (
            "no-break spaces",
            ("GDP(亿元)", "gdp", "yi_yuan"),
            ["\u00a09409.4\u00a0", "3618\u200b"],
            [9409.4, 3618.0],
            ("2 with special",),
        ),
        (
            "brackets",
            ("GDP增长率(%)", "gdp_index_prev100", "growth_pct"),
            ["(1.5)", "（2.5）", "3"],
            [-1.5, -2.5, 3.0],
            ("2 in brackets",),
        ),
        (
            "minus signs",
            ("GDP增长率(%)", "gdp_index_prev100", "growth_pct"),
            ["−1.5", "－2.5", "–3"],
            [-1.5, -2.5, -3.0],
            (),
        ),
        (
            "scientific",
            ("GDP(亿元)", "gdp", "yi_yuan"),
            ["9.4094e3", "3.618E+03"],
            [9409.4, 3618.0],
            ("2 in scientific",),
        ),
        (
            "decimal commas throughout",
            ("GDP(亿元)", "gdp", "yi_yuan"),
            ["9409,4", "3618,25", "1,234", "12"],
            [9409.4, 3618.25, 1.234, 12.0],
            ("3 with a decimal comma",),
        ),
        (
            "decimal commas and dots in groups",
            ("GDP(亿元)", "gdp", "yi_yuan"),
            ["9.409,4", "10.045,7"],
            [9409.4, 10045.7],
            ("2 with a decimal comma",),
        ),
        ("plus signs and trailing points", ("GDP(亿元)", "gdp", "yi_yuan"), ["+9409.4", "3618."], [9409.4, 3618.0], ()),
    ]
]

EMPTY_MARKS = [
    "",
    " ",
    "-",
    "--",
    "---",
    "—",
    "——",
    "–",
    "…",
    "……",
    "...",
    "..",
    ".",
    "/",
    "*",
    "NA",
    "N/A",
    "n.a.",
    "#N/A",
    "NaN",
    "null",
    "None",
    "缺失",
    "无",
    "空",
    "暂无",
    "暂缺",
    "无数据",
    "缺",
    "空值",
    "不详",
    "missing",
    "－－",
    "．．．",
    "\u00a0",
    "ｎａ",
]
MARKS = [
    Taken(
        f"no value: {mark!r}",
        text(column("GDP(亿元)", ["9409.4", mark])),
        THREE[:1],
        (f"'{mark}' 1",) if mark.strip() else (),
    )
    for mark in EMPTY_MARKS
]
YEARS = [
    Taken(f"year {year}", text(f'城市,年份,GDP(亿元)\n合肥市,"{year}",9409.4\n'), THREE[:1])
    for year in [
        "2019年",
        "2019.0",
        "２０１９",
        "２０１９年",
        "2019 年",
        "2019年度",
        "2019年末",
        "2019/12/31",
        "2019-12-31",
        "2019.12.31",
        "2019年12月31日",
        "31/12/2019",
        "12/31/2019",
        "2019-12-31 00:00:00",
        "20191231",
        "2019-01-01",
        "二〇一九年",
        "二零一九",
        "二○一九年",
        "'2019",
        "\u00a02019",
    ]
]

CASES = [*ENCODINGS, *SEPARATORS, *NUMBERS, *MARKS, *YEARS]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_taken(tmp_path: Path, case: Taken) -> None:
    check_taken(case, tmp_path)


def test_every_case_has_a_name_of_its_own() -> None:
    check_count(CASES, 100)


def test_a_cell_keeps_the_text_it_had(tmp_path: Path) -> None:
    _, rows = bring(text(column(POP[0], ["97.1万"]))(tmp_path))
    assert rows[0]["value_text"] == "97.1万"


PAGE = (project_root() / "docs" / "reference" / "file_forms.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *(
            ("１２．５", 12.5),
            ("9，409．4", 9409.4),
            ("1,234.5", 1234.5),
            ("1 234.5", 1234.5),
            ("(3.4)", -3.4),
            ("−3.4", -3.4),
        ),
        *(
            ("'12", 12.0),
            ("9.4e3", 9400.0),
            ("12①", None),
            ("12*", None),
            ("½", None),
            ("about 10", None),
            ("=A1", None),
        ),
    ],
)
def test_the_page_of_forms_says_what_numbers_are(written: str, value: float | None) -> None:
    assert f"`{written}`" in PAGE
    read = read_number(written)
    assert (read.value if read is not None else None) == value


@pytest.mark.parametrize(
    "written", ["2019", "2019年", "2019.0", "２０１９", "二〇一九年", "2019/12/31", "31/12/2019", "20191231"]
)
def test_the_page_of_forms_says_what_years_are(written: str) -> None:
    assert f"`{written}`" in PAGE and parse_year(written) == 2019
    assert all(f"`{bad}`" in PAGE and parse_year(bad) is None for bad in ("19", "20190"))
