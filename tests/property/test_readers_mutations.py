"""Good files of every kind, mutated anywhere: success or one readable refusal, and a refused file writes nothing."""

from __future__ import annotations

import gzip
import tempfile
from functools import lru_cache
from pathlib import Path

import openpyxl
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.ingest import ingest_file
from analysis_py.ingest.numerals import read_number
from tests.unit.ingest_files import write_xls
from tests.unit.odd_cases import package_parts, write_package

MODEST = settings(max_examples=80, deadline=None, database=None, derandomize=True)
ROWS = [["城市", "年份", "GDP(亿元)", "常住人口(人)"]]
ROWS += [["合肥市", 2000 + i, 1000.5 + i, "97.1万"] for i in range(20)] + [["注：来自年鉴", None, None, None]]


@lru_cache(maxsize=16)
def good(kind: str) -> bytes:
    """The bytes of a good file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{kind}"
        text = "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in ROWS)
        if kind == "xlsx":
            book = openpyxl.Workbook()
            for sheet in (book.active, book.create_sheet("2019年")):
                for row in ROWS:
                    sheet.append(row)
                sheet.merge_cells("A2:A3")
            book.active["C3"] = "=C2*2"
            book.active["D2"].number_format = "0.0%"
            book.save(path)
        elif kind == "xls":
            write_xls(path, [[cell for cell in row if cell is not None] for row in ROWS])
        elif kind == "gz":
            path.write_bytes(gzip.compress(text.encode("gbk")))
        elif kind in ("csv", "txt"):
            path.write_bytes(text.encode("utf-16" if kind == "txt" else "gbk"))
        else:
            frame = pd.DataFrame(ROWS[1:-1], columns=["city", "year", "gdp", "note"])
            if kind == "parquet":
                frame.to_parquet(path)
            else:
                labels = {"gdp": "GDP(100 million yuan)"}
                frame.to_stata(path, write_index=False, version=118, variable_labels=labels)
        return path.read_bytes()


def holds(path: Path) -> None:
    """Success or a readable refusal that leaves the data folder untouched."""
    data = path.parent / "data"
    for source in ("city_yearbook", "province_energy"):
        before = {one: one.read_bytes() for one in data.rglob("*") if one.is_file()}
        try:
            ingest_file(path, source, data_dir=data)
        except CarbonpanelError as error:
            assert error.code.startswith("CP-") and error.what and error.remedy
            assert {one: one.read_bytes() for one in data.rglob("*") if one.is_file()} == before


def mutate(content: bytes, kind: str, at: int, piece: bytes) -> bytes:
    at %= len(content) + 1
    if kind == "flip":
        return content[:at] + piece + content[at + len(piece) :]
    if kind == "insert":
        return content[:at] + piece + content[at:]
    if kind == "remove":
        return content[:at] + content[at + 7 * len(piece) :]
    if kind == "repeat":
        return content[:at] + content[max(0, at - 40) : at] * 3 + content[at:]
    return content[:at]


CHANGE = st.tuples(
    st.sampled_from(["flip", "insert", "remove", "repeat", "cut"]),
    st.integers(0, 1 << 20),
    st.binary(min_size=1, max_size=6),
)
KINDS = st.sampled_from(["csv", "txt", "gz", "xlsx", "xls", "dta", "parquet"])


@settings(MODEST, max_examples=150)
@given(KINDS, st.lists(CHANGE, min_size=1, max_size=3))
def test_bytes_of_any_file(kind: str, changes: list[tuple[str, int, bytes]]) -> None:
    content = good(kind)
    for change in changes:
        content = mutate(content, *change)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{kind}"
        path.write_bytes(content)
        holds(path)


PIECES = st.sampled_from(
    [
        *(b"<c>", b"</c>", b"<row>", b"<v>", b"</v>", b't="s"', b't="b"', b't="e"', b't="d"', b's="99"', b's="-1"'),
        *(
            b'r="0"',
            b'r="99999"',
            b'r="XFD7"',
            b"-",
            b"9",
            b"&amp;",
            b"&#0;",
            b"<!--",
            b"\x00",
            b'"',
            b"<f>1</f>",
            b".",
        ),
    ]
)


@settings(MODEST, max_examples=150)
@given(
    st.integers(0, 50), st.sampled_from(["flip", "insert", "remove", "repeat", "cut"]), st.integers(0, 1 << 20), PIECES
)
def test_inside_of_a_workbook(which: int, kind: str, at: int, piece: bytes) -> None:
    """The archive is whole, a part of it is not: this reaches the parsers behind the checksums."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xlsx"
        path.write_bytes(good("xlsx"))
        parts = package_parts(path)
        name = sorted(parts)[which % len(parts)]
        parts[name] = mutate(parts[name], kind, at, piece)
        write_package(path, parts)
        holds(path)


NAME = st.sampled_from(
    [
        "城市",
        "年份",
        "GDP(亿元)",
        "地区生产总值",
        "亿元",
        "2019年",
        "2020",
        "合肥市",
        "全市",
        "市辖区",
        "人口",
        "指标",
        "数值",
        "单位",
        "农村",
        "",
        None,
    ]
)
CELL = st.one_of(
    NAME, st.sampled_from(["上海市", "1.2万", "1,5", "60%", "--", "(3)", "注：", 2019, 9409.4, "=1+1", "安徽省"])
)
RANGE = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(0, 3), st.integers(0, 3))


@settings(MODEST, max_examples=120)
@given(
    st.lists(st.lists(NAME, min_size=2, max_size=5), min_size=1, max_size=4),
    st.lists(st.lists(CELL, min_size=2, max_size=5), max_size=5),
    st.lists(RANGE, max_size=3),
    st.lists(
        st.sampled_from(["2019年", "2020", "合肥市", "GDP(亿元)", "安徽2019", "Sheet1", "说明"]),
        min_size=1,
        max_size=3,
        unique=True,
    ),
)
def test_any_layout(head: list, body: list, merges: list[tuple[int, int, int, int]], names: list[str]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in names:
        sheet = book.create_sheet(name)
        for row in [*head, *body]:
            sheet.append(row)
        for row, column, down, right in merges:
            sheet.merge_cells(start_row=row, start_column=column, end_row=row + down, end_column=column + right)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xlsx"
        book.save(path)
        holds(path)


@MODEST
@given(st.text(alphabet="0123456789.,-+()%eE万亿千 '１，．－①²元人\u00a0", max_size=12))
def test_a_number_has_one_reading_or_says_that_it_has_two(text: str) -> None:
    read = read_number(text)
    if read is None:
        return
    assert any("0" <= sign <= "9" or "０" <= sign <= "９" for sign in text)
    assert read.unit or not set(text) & {"①", "²"}
    if read.comma_only:
        assert read.comma is not None and read.value != read.value
    else:
        assert read.value == read.value and abs(read.value) != float("inf")
