"""Whatever the bytes: either a table, or one readable refusal; and a refused file writes nothing."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.cells import parse_number
from analysis_py.ingest.ingest import ingest_file
from analysis_py.ingest.readers import read_table
from tests.unit.ingest_files import write_xls, write_xlsx

MODEST = settings(max_examples=60, deadline=None, database=None, derandomize=True)
SOURCES = ("city_yearbook", "city_emissions", "province_yearbook")

NAMES = [
    "city",
    "城市",
    "year",
    "年份",
    "gdp",
    "GDP(亿元)",
    "city_code",
    "指标",
    "数值",
    "单位",
    "合肥市",
    "340100",
    "2019",
]
MARKS = [
    "海南",
    "2019年",
    "20190",
    "--",
    "…",
    "1,234",
    "12%",
    "=A1",
    "亿元",
    "-5",
    "1e9",
    "",
    " ",
    '"',
    "\x00",
    "\ufeff",
    "\U0001f600",
]
WORDS = st.sampled_from(NAMES + MARKS)
BEGINNINGS = [
    b"PK\x03\x04",
    b"PAR1",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"\x09\x08\x10\x00",
    b"<stata_dta>",
    b"\x1f\x8b\x08",
]
BEGINNINGS += [b"\x72", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff\xfe\x00\x00"]
CELL = st.one_of(WORDS, st.text(max_size=8))
TABLE = st.lists(st.lists(CELL, min_size=1, max_size=6), min_size=1, max_size=8)


def never_a_traceback(path: Path) -> None:
    try:
        frame = read_table(path)
    except CarbonpanelError as error:
        assert error.code.startswith("CP-") and error.what
    else:
        assert isinstance(frame, pd.DataFrame) and len(frame)
    for source in SOURCES:
        data = path.parent / "data"
        try:
            report = ingest_file(path, source, data_dir=data)
        except CarbonpanelError as error:
            assert error.code.startswith("CP-") and error.what
            assert not list(data.rglob("*")) if source == SOURCES[0] else True
        else:
            left = report.cells_outside_years + report.cells_unplaced + report.cells_not_observed
            assert report.cells_read == report.cells_written + left + len(report.quarantined)


def in_a_file(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        never_a_traceback(path)


@MODEST
@given(st.binary(max_size=400), st.sampled_from(["a.csv", "a.xlsx", "a.xls", "a.dta", "a.parquet", "a.csv.gz"]))
def test_any_bytes(content: bytes, name: str) -> None:
    in_a_file(name, content)


@MODEST
@given(
    st.binary(max_size=300),
    st.sampled_from(BEGINNINGS),
    st.sampled_from(["a.csv", "a.xlsx", "a.xls", "a.dta", "a.parquet"]),
)
def test_any_bytes_behind_a_known_beginning(content: bytes, magic: bytes, name: str) -> None:
    in_a_file(name, magic + content)


@MODEST
@given(TABLE, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["utf-8", "utf-16", "gb18030"]))
def test_any_table_as_text(rows: list[list[str]], separator: str, encoding: str) -> None:
    text = "\n".join(separator.join(row) for row in rows)
    in_a_file("a.csv", text.encode(encoding, errors="ignore"))


@settings(MODEST, max_examples=25)
@given(TABLE)
def test_any_table_as_a_workbook(rows: list[list[str]]) -> None:
    from openpyxl.utils.exceptions import IllegalCharacterError

    with tempfile.TemporaryDirectory() as folder:
        try:
            path = write_xlsx(Path(folder) / "a.xlsx", rows)
        except (IllegalCharacterError, ValueError, UnicodeEncodeError):
            return
        never_a_traceback(path)


@MODEST
@given(
    st.integers(0, 10_000), st.binary(min_size=1, max_size=4), st.sampled_from(["xlsx", "xls", "parquet", "dta", "gz"])
)
def test_a_good_file_damaged_anywhere(where: int, damage: bytes, kind: str) -> None:
    rows = [["city", "year", "gdp"], *[["合肥市", 2000 + i, 1000.5 + i] for i in range(20)]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{kind}"
        if kind == "xlsx":
            write_xlsx(path, rows)
        elif kind == "xls":
            write_xls(path, rows)
        elif kind == "gz":
            path.write_bytes(gzip.compress("\n".join(",".join(map(str, row)) for row in rows).encode()))
        else:
            frame = pd.DataFrame(rows[1:], columns=rows[0])
            frame.to_parquet(path) if kind == "parquet" else frame.to_stata(path, write_index=False, version=118)
        content = path.read_bytes()
        at = where % len(content)
        path.write_bytes(content[:at] + damage + content[at + len(damage) :])
        never_a_traceback(path)


@MODEST
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_reads_back_to_the_last_bit(value: float) -> None:
    assert parse_number(repr(value)) == (value, False)
    if abs(value) < 1e15:
        grouped = f"{int(value):,}"
        assert parse_number(grouped) == (float(int(value)), False)
