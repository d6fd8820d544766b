"""Any table file in: encodings, separators, workbooks, Stata, Parquet; types; and what is refused, in words."""

from __future__ import annotations

import gzip
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.files import find_file
from analysis_py.ingest.readers import explain_text, read_cells, read_table, row_numbers
from tests.unit.ingest_files import replace_in_xlsx, write_text, write_xls, write_xlsx

ROWS = [["城市", "year", "x", "note"], ["合肥市", 2019, 1.5, "好"], ["芜湖市", 2020, 0.1, "坏"]]
TEXT = "城市,year,x,note\n合肥市,2019,1.5,好\n芜湖市,2020,0.1,坏\n"


def expected() -> pd.DataFrame:
    return pd.DataFrame({"城市": ["合肥市", "芜湖市"], "year": [2019, 2020], "x": [1.5, 0.1], "note": ["好", "坏"]})


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gbk", "gb18030"])
def test_text_in_every_encoding_and_separator(tmp_path: Path, encoding: str, separator: str) -> None:
    path = write_text(tmp_path / "a.csv", TEXT.replace(",", separator), encoding)
    pd.testing.assert_frame_equal(read_table(path), expected())


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n"])
def test_line_ends(tmp_path: Path, ending: str) -> None:
    pd.testing.assert_frame_equal(read_table(write_text(tmp_path / "a.txt", TEXT.replace("\n", ending))), expected())


@pytest.mark.parametrize("name", ["a.csv.gz", "a.tsv.gz", "a.gz"])
def test_gzip(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(TEXT.encode("gbk"), mtime=0))
    pd.testing.assert_frame_equal(read_table(path), expected())


def test_workbooks_stata_and_parquet_give_the_same_frame(tmp_path: Path) -> None:
    frame = expected()
    frame.to_parquet(tmp_path / "a.parquet")
    latin = frame.rename(columns={"城市": "city"})
    latin.to_stata(tmp_path / "a.dta", write_index=False, version=118)
    for path in (write_xlsx(tmp_path / "a.xlsx", ROWS), write_xls(tmp_path / "a.xls", ROWS), tmp_path / "a.parquet"):
        pd.testing.assert_frame_equal(read_table(path), frame, check_dtype=True)
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.dta"), latin)


def test_a_text_table_named_xls_and_a_workbook_named_csv_are_what_they_are(tmp_path: Path) -> None:
    pd.testing.assert_frame_equal(read_table(write_text(tmp_path / "a.xls", TEXT.replace(",", "\t"))), expected())
    book = write_xlsx(tmp_path / "b.xlsx", ROWS)
    pd.testing.assert_frame_equal(read_table(book.rename(tmp_path / "b.csv")), expected())


@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        (["1", "2", "3"], "int64", [1, 2, 3]),
        (["1", "", "3"], "float64", [1.0, np.nan, 3.0]),
        (["0.1", "1e-3", "-2."], "float64", [0.1, 0.001, -2.0]),
        (["1,234", "12,345.5", "7"], "float64", [1234.0, 12345.5, 7.0]),
        (["１２", "－３", "4.5"], "float64", [12.0, -3.0, 4.5]),
        (["1.5", "NA", "--"], "float64", [1.5, np.nan, np.nan]),
        (["1", ".", "…"], "float64", [1.0, np.nan, np.nan]),
        (["True", "false", "TRUE"], "bool", [True, False, True]),
        (["007", "012", "123"], "str", ["007", "012", "123"]),
        (["a", "1", "2"], "str", ["a", "1", "2"]),
        (["inf", "-Infinity", "2"], "float64", [np.inf, -np.inf, 2.0]),
        (["inf", "inf", "infra"], "str", ["inf", "inf", "infra"]),
        (["1_000", "2", "3"], "str", ["1_000", "2", "3"]),
        (["12%", "13%", "14%"], "str", ["12%", "13%", "14%"]),
        (["1,5", "2,5", "3,5"], "str", ["1,5", "2,5", "3,5"]),
        (["0x10", "1", "2"], "str", ["0x10", "1", "2"]),
        (["NA", "NA", "NA"], "str", ["NA", "NA", "NA"]),
    ],
)
def test_types(tmp_path: Path, cells: list[str], dtype: str, values: list[object]) -> None:
    text = "k;v\n" + "".join(f"r;{cell}\n" for cell in cells)
    column = read_table(write_text(tmp_path / "a.csv", text))["v"]
    assert str(column.dtype) == dtype
    pd.testing.assert_series_equal(column, pd.Series(values, name="v", dtype=dtype))


def test_numbers_are_read_to_the_last_bit(tmp_path: Path) -> None:
    numbers = [0.1, 1 / 3, 61.918115152276634, 2**53 - 1, 5e-324, 1.7976931348623157e308]
    text = "v\n" + "".join(f"{number!r}\n" for number in numbers)
    assert read_table(write_text(tmp_path / "a.csv", text))["v"].tolist() == numbers


def test_column_names_are_stripped_and_nameless_ones_named(tmp_path: Path) -> None:
    frame = read_table(write_text(tmp_path / "a.csv", "\ufeff, a ,b\u200b\n1,2,3\n"))
    assert list(frame.columns) == ["column_1", "a", "b"]


def test_blank_rows_and_short_rows(tmp_path: Path) -> None:
    frame = read_table(write_text(tmp_path / "a.csv", "\n\na,b,c\n1,2,3\n\n4,5\n"))
    assert frame["c"].tolist()[0] == 3 and np.isnan(frame["c"].tolist()[1])
    assert row_numbers(frame).tolist() == [4, 6]
    rows = read_cells(tmp_path / "a.csv")
    assert [number for number, _ in rows] == [3, 4, 6]
    assert row_numbers(read_table(write_text(tmp_path / "b.csv", "a\n1\n2\n"))).tolist() == [2, 3]


def test_quoted_separators_and_line_breaks_keep_row_numbers(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", 'a,b\n"x,\ny",1\nz,2\n')
    assert read_cells(path) == [(1, ["a", "b"]), (2, ["x,\ny", "1"]), (3, ["z", "2"])]


def test_the_first_text_of_a_mostly_numeric_column_can_be_told(tmp_path: Path) -> None:
    frame = read_table(write_text(tmp_path / "a.csv", "a,b\n1,2\n\n3,about ten\n5,6\n7,8\n"))
    assert explain_text(frame, "b") == "row 4 holds 'about ten'"
    assert explain_text(frame, "a") == ""


def test_header_row_and_sheet_can_be_named(tmp_path: Path) -> None:
    book = write_xlsx(tmp_path / "a.xlsx", [["title"], ["a", "b"], [1, 2]], other=[["c"], [3]])
    assert read_table(book, header=2).to_dict("list") == {"a": [1], "b": [2]}
    assert read_table(book, sheet=" Other ").to_dict("list") == {"c": [3]}
    with pytest.raises(CarbonpanelError, match=r"(?s)CP-SHEET-UNKNOWN.*'other'"):
        read_table(book, sheet="othr")


def test_hidden_and_empty_sheets_are_passed_over(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.create_sheet("hidden").append(["h", 1])
    book["hidden"].sheet_state = "hidden"
    sheet = book.create_sheet("seen")
    for row in ROWS:
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.xlsx"), expected())


def test_stored_extent_of_a_sheet_is_not_believed(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", ROWS)
    replace_in_xlsx(path, "xl/worksheets/sheet1.xml", b'<dimension ref="A1:D3"', b'<dimension ref="A1:A1"')
    pd.testing.assert_frame_equal(read_table(path), expected())


def test_blank_text_is_missing_in_every_kind_of_file(tmp_path: Path) -> None:
    """Stata holds a missing text as "": rows of it are no cluster and no group, as in a CSV file."""
    frame = pd.DataFrame({"p": ["a", "", "  ", "b"], "x": [1.0, 2.0, 3.0, 4.0]})
    frame.to_stata(tmp_path / "a.dta", write_index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    for name in ("a.dta", "a.parquet", "a.csv", "a.xlsx"):
        found = read_table(tmp_path / name)["p"]
        assert found.isna().tolist() == [False, True, True, False], name
        assert found.dropna().tolist() == ["a", "b"], name


def test_stata_labels_and_missing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"g": pd.Categorical(["low", "high", "low"]), "x": [1.0, np.nan, 3.0], "year": [1, 2, 3]})
    frame.to_stata(tmp_path / "a.dta", write_index=False)
    back = read_table(tmp_path / "a.dta")
    assert back["g"].tolist() == [1, 0, 1] and np.isnan(back["x"][1])
    assert [cells[0] for _, cells in read_cells(tmp_path / "a.dta")] == ["g", "low", "high", "low"]


@pytest.mark.parametrize("version", [114, 117, 118])
def test_stata_of_any_version_with_chinese_text(tmp_path: Path, version: int) -> None:
    """Old files hold GBK and do not say so: written here as the Latin-1 characters of the same bytes."""
    names = ["合肥市", "芜湖市"]
    if version < 118:
        names = [name.encode("gbk").decode("latin-1") for name in names]
    frame = pd.DataFrame({"city": names, "year": [2019, 2020], "g": pd.Categorical(names)})
    frame.to_stata(tmp_path / "a.dta", write_index=False, version=version)
    back = read_table(tmp_path / "a.dta")
    assert back["city"].tolist() == ["合肥市", "芜湖市"] and back["year"].tolist() == [2019, 2020]
    assert back["g"].dtype.kind in "iu"
    assert [cells[2] for _, cells in read_cells(tmp_path / "a.dta")][1:] == ["合肥市", "芜湖市"]


def refused(path: Path | str, code: str, *said: str) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        read_table(path)
    assert caught.value.code == code, str(caught.value)
    for word in said:
        assert word in str(caught.value)


def test_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    write_text(tmp_path / "panel_2020.csv", TEXT)
    refused(tmp_path / "panel_2021.csv", "CP-FILE-MISSING", "panel_2020.csv")
    refused(tmp_path / "no" / "panel.csv", "CP-FILE-MISSING", "folder")
    refused(tmp_path / "panel_2020.csv" / "x.csv", "CP-FILE-MISSING")
    refused("a\0b.csv", "CP-FILE-MISSING")
    refused("x" * 5000 + ".csv", "CP-FILE-MISSING")


def test_folder_and_pipe(tmp_path: Path) -> None:
    write_text(tmp_path / "inside.csv", TEXT)
    refused(tmp_path, "CP-FILE-FOLDER", "inside.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    refused(tmp_path / "pipe.csv", "CP-FILE-NOT-REGULAR")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "CP-FILE-EMPTY"),
        ("a.csv", b"\n\n \n", "CP-FILE-EMPTY"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "CP-FILE-EMPTY"),
        ("a.csv", b"a,b\n", "CP-FILE-NO-ROWS"),
        ("a.csv", b"a,b,a\n1,2,3\n", "CP-COLUMN-DUPLICATED"),
        ("a.csv", b"a,b\n1,2,3\n", "CP-FILE-RAGGED"),
        ("a.csv", b"a,b\n1,\x00\n", "CP-FILE-NUL"),
        ("a.csv", "a,b\n1,\xe9t\xe9\n".encode("latin-1"), "CP-FILE-ENCODING"),
        ("a.csv", "城市,值\n臺灣,1\n".encode("big5"), "CP-FILE-ENCODING"),
        ("a.csv", TEXT.encode("utf-16")[:-1], "CP-FILE-ENCODING"),
        ("a.csv", b'a,b\n1,"' + b"x" * 2_000_000, "CP-FILE-NOT-A-TABLE"),
        ("a.csv", b"<html><table><tr><td>1</td></tr></table></html>", "CP-FILE-NOT-A-TABLE"),
        ("a.xls", b"\xef\xbb\xbf<!DOCTYPE html><html></html>", "CP-FILE-NOT-A-TABLE"),
        ("a.csv", b",".join(b"c%d" % i for i in range(20_000)) + b"\n1\n", "CP-FILE-TOO-WIDE"),
        ("a.json", b"{}", "CP-FILE-UNKNOWN-KIND"),
        ("a.xlxs", b"PK", "CP-FILE-UNKNOWN-KIND"),
        ("a", b"a,b\n1,2\n", "CP-FILE-UNKNOWN-KIND"),
        ("a.xlsx", b"PK\x03\x04 and then nothing", "CP-FILE-CORRUPT"),
        ("a.xlsx", b"not a workbook", "CP-FILE-CORRUPT"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, "CP-FILE-CORRUPT"),
        ("a.parquet", b"PAR1 no", "CP-FILE-CORRUPT"),
        ("a.dta", b"no stata", "CP-FILE-CORRUPT"),
        ("a.dta", b"<stata_dta><header>", "CP-FILE-CORRUPT"),
        ("a.csv.gz", gzip.compress(TEXT.encode(), mtime=0)[:30], "CP-FILE-CORRUPT"),
        ("a.csv.gz", b"plain text", "CP-FILE-CORRUPT"),
    ],
)
def test_refusals(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    refused(path, code, name)


def test_unknown_ending_names_the_nearest(tmp_path: Path) -> None:
    refused(write_text(tmp_path / "a.xlxs", "x"), "CP-FILE-UNKNOWN-KIND", "did you mean .xls")


def test_duplicated_column_names_both_positions(tmp_path: Path) -> None:
    refused(write_text(tmp_path / "a.csv", "a,b,a\n1,2,3\n"), "CP-COLUMN-DUPLICATED", "1st", "3rd", "'a'")


def test_undecodable_byte_is_placed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,2\n3,\xff\xfe\xff\n")
    refused(path, "CP-FILE-ENCODING", "row 3", "byte 10")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["xlsx", "xls", "parquet", "dta"])
def test_truncated_files(tmp_path: Path, kind: str, share: float) -> None:
    path = tmp_path / f"a.{kind}"
    rows = [["city", "year"], *[[f"c{i}", i] for i in range(2000)]]
    if kind == "xlsx":
        write_xlsx(path, rows)
    elif kind == "xls":
        write_xls(path, rows[:900])
    else:
        frame = pd.DataFrame(rows[1:], columns=rows[0])
        frame.to_parquet(path) if kind == "parquet" else frame.to_stata(path, write_index=False)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refused(path, "CP-FILE-CORRUPT", f"a.{kind}")


def test_damage_inside_a_workbook_is_named_with_its_sheet(tmp_path: Path) -> None:
    path = replace_in_xlsx(write_xlsx(tmp_path / "a.xlsx", ROWS), "xl/worksheets/sheet1.xml", b"</row>", b"</rwo>")
    refused(path, "CP-FILE-CORRUPT", "data")


def test_a_zip_that_is_no_workbook(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as package:
        package.writestr("word/document.xml", "<w/>")
    refused(tmp_path / "a.xlsx", "CP-FILE-NOT-A-TABLE")


def test_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", ROWS)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/worksheets/bomb.xml", b"0" * (100 << 20))
    assert path.stat().st_size < 1 << 20
    refused(path, "CP-FILE-TOO-LARGE", "100 MB")


def test_far_away_cell_costs_nothing(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    book.active.cell(5000, 16384, "far")
    book.save(tmp_path / "a.xlsx")
    frame = read_table(tmp_path / "a.xlsx")
    assert len(frame) == 3 and list(frame.columns) == ["城市", "year", "x", "note"]


def test_password_protected_workbook_is_named(tmp_path: Path) -> None:
    path = write_xls(tmp_path / "a.xlsx", ROWS)
    content = path.read_bytes().replace("Workbook".encode("utf-16-le"), "Encrypte".encode("utf-16-le"))
    path.write_bytes(content + "EncryptedPackage".encode("utf-16-le"))
    refused(path, "CP-FILE-PROTECTED", "password")


def test_old_workbook_without_a_container(tmp_path: Path) -> None:
    """Excel 2 files are a bare stream of records: BOF, cells, EOF."""
    attributes = b"\0\0\0"
    number = struct.pack("<HH3sd", 1, 0, attributes, 2019.0)
    label = struct.pack("<HH3sB", 0, 0, attributes, 4) + b"year"
    records = [(0x0009, struct.pack("<HH", 2, 0x10)), (0x0004, label), (0x0003, number), (0x000A, b"")]
    content = b"".join(struct.pack("<HH", code, len(body)) + body for code, body in records)
    (tmp_path / "a.xls").write_bytes(content)
    assert find_file(tmp_path / "a.xls").kind == "xls"
    assert read_table(tmp_path / "a.xls").to_dict("list") == {"year": [2019]}


def test_a_text_that_is_no_utf8_in_a_parquet_file_is_a_damaged_file(tmp_path: Path) -> None:
    texts = pa.array([b"\xff\xfe", b"b"], pa.binary())
    broken = pa.StringArray.from_buffers(2, texts.buffers()[1], texts.buffers()[2])
    pq.write_table(pa.table({"city": broken, "x": [1.0, 2.0]}), tmp_path / "a.parquet")
    with pytest.raises(CarbonpanelError) as caught:
        read_table(tmp_path / "a.parquet")
    assert caught.value.code == "CP-FILE-CORRUPT"
