"""Files of records as they come: encodings, compression, broken ones, columns of many names, rows and their numbers."""

from __future__ import annotations

import datetime
import gzip
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.files import find_file
from analysis_py.records import text_stream
from analysis_py.records.columns import map_columns, parse_columns
from analysis_py.records.streams import open_records
from tests.unit.records_case import FIRMS, HEADER, firms, render, values, write

TEXT = render(FIRMS)


def read(path: Path, **options: str) -> list[tuple[int, str, str]]:
    """(row, name, date) of every record."""
    file = open_records(path, "firms", {}, **options)
    return [
        (batch.row(at), batch.columns["name"][at].as_py(), batch.columns["date"][at].as_py())
        for batch in file.batches
        for at in range(len(batch))
    ]


EXPECTED = [(row, firm[0], firm[2]) for row, firm in enumerate(FIRMS, start=2)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_encodings(tmp_path: Path, encoding: str, name: str) -> None:
    assert read(write(tmp_path / name, TEXT, encoding)) == EXPECTED


@pytest.mark.parametrize("separator", ["\t", ";", "|", "，"])
def test_separators(tmp_path: Path, separator: str) -> None:
    assert read(write(tmp_path / "a.csv", render(FIRMS, separator=separator))) == EXPECTED


def test_gb18030_beyond_gbk(tmp_path: Path) -> None:
    rows = [("𠮷野人工智能㐀", *FIRMS[0][1:])]
    assert read(write(tmp_path / "a.csv", render([*FIRMS, *rows]), "gb18030"))[-1][1] == "𠮷野人工智能㐀"


def test_parquet_of_several_types(tmp_path: Path) -> None:
    dates = [datetime.date(2018, 3, 1), None, datetime.date(2019, 5, 1)]
    table = pa.table(
        {
            "企业名称": pa.array([firm[0] for firm in FIRMS[:3]]).dictionary_encode(),
            "经营范围": pa.array([firm[1] for firm in FIRMS[:3]], pa.large_string()),
            "成立日期": pa.array(dates, pa.date32()),
            "城市代码": pa.array([340100.0, 340100.0, 340104.0]),
        }
    )
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, row_group_size=2)
    assert read(path) == [(2, FIRMS[0][0], "2018-03-01"), (3, FIRMS[1][0], ""), (4, FIRMS[2][0], "2019-05-01")]
    file = open_records(path, "firms", {})
    assert [text for batch in file.batches for text in batch.columns["code"].to_pylist()] == [
        "340100",
        "340100",
        "340104",
    ]


def test_a_workbook_with_a_title_and_blank_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["企业名录导出"])
    book.active.append([])
    book.active.append(list(HEADER))
    book.active.append(list(FIRMS[0]))
    book.active.append([])
    book.active.append([*FIRMS[1][:2], datetime.datetime(2018, 5, 1), *FIRMS[1][3:]])
    second = book.create_sheet("other")
    second.append(["notes"])
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx") == [(4, FIRMS[0][0], "2018-03-01"), (6, FIRMS[1][0], "2018-05-01")]
    with pytest.raises(CarbonpanelError, match="notes"):
        open_records(tmp_path / "a.xlsx", "firms", {}, sheet="other")


def test_a_title_above_quoted_line_breaks_and_blank_lines(tmp_path: Path) -> None:
    text = '导出\n"企业名称","经营\n范围",成立日期,城市\n甲,"人工\n智能",2018,合肥\n\n乙,无,2019,合肥\n'
    path = write(tmp_path / "a.csv", text)
    file = open_records(path, "firms", {})
    assert (file.header_row, file.columns.names["scope"]) == (2, "经营\n范围")
    assert [(row, name) for row, name, _ in read(path) if name] == [(3, "甲"), (5, "乙")]
    assert firms_of(path).rows == {**dict.fromkeys(firms_of(path).rows, 0), "read": 2, "placed": 2, "blank": 1}


def firms_of(path: Path):
    from analysis_py.records.counting import count_records
    from analysis_py.records.keywords import firm_keywords
    from analysis_py.records.options import RecordOptions

    return count_records("firms", [path], RecordOptions(firm_keywords()))


def test_a_few_ragged_rows_are_told_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    lines = TEXT.splitlines()
    path = write(tmp_path / "a.csv", "\n".join([*lines[:3], "x,y", *lines[3:5], "1" + ",2" * 12, *lines[5:]]) + "\n")
    assert [row for row, *_ in read(path)] == [2, 3, 5, 6, 8, 9, 10, 11]
    (account,) = firms_of(path).files
    assert (account.rows, account.ragged, account.ragged_rows) == (8, 2, (4, 7))


def test_many_ragged_rows_are_no_table(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", TEXT + "合肥,x\n" * 30)
    with pytest.raises(CarbonpanelError, match="30 rows do not have the 8 cells") as caught:
        firms_of(path)
    assert caught.value.code == "CP-RECORDS-RAGGED" and "row 10" in caught.value.where


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_byte_that_is_none_of_the_encoding(tmp_path: Path, name: str) -> None:
    rows = "\n".join(f"公司{at},人工智能,2018,合肥" for at in range(40_000))
    content = f"企业名称,经营范围,成立日期,城市\n{rows}\n".encode() + b"\xff\xfe,x,2018,\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    with pytest.raises(CarbonpanelError, match="not UTF-8 throughout") as caught:
        firms_of(path)
    assert caught.value.code == "CP-RECORDS-ENCODING" and "row 40002" in caught.value.where
    content = f"企业名称,经营范围,成立日期,城市\n{rows}\n".encode("gbk") + b"\xff\xff,x,2018,\n"
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    with pytest.raises(CarbonpanelError, match="GB 18030 throughout") as caught:
        read(path)
    assert caught.value.code == "CP-RECORDS-ENCODING" and "row 40002" in caught.value.where


def test_an_encoding_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(CarbonpanelError, match="is no encoding"):
        read(write(tmp_path / "a.csv", TEXT), encoding="klingon")
    (tmp_path / "latin.csv").write_bytes("企业名称,成立日期,城市\n".encode() + "Zürich,2018,é\n".encode("latin-1") * 50)
    with pytest.raises(CarbonpanelError) as caught:
        read(tmp_path / "latin.csv")
    assert caught.value.code == "CP-RECORDS-ENCODING" and "row 2" in caught.value.where


@pytest.mark.parametrize("spoil", ["cut", "flipped", "garbage"])
def test_a_broken_gz(tmp_path: Path, spoil: str) -> None:
    whole = gzip.compress(
        (TEXT + "".join(f"公司{at},{at * 7919},2018,,,安徽,合肥,{at}\n" for at in range(20_000))).encode()
    )
    middle = len(whole) // 2
    content = {
        "cut": whole[:middle],
        "flipped": whole[:middle] + bytes(byte ^ 255 for byte in whole[middle : middle + 50]) + whole[middle + 50 :],
        "garbage": whole + b"garbage",
    }[spoil]
    (tmp_path / "a.csv.gz").write_bytes(content)
    with pytest.raises(CarbonpanelError, match="damaged or cut short") as caught:
        firms_of(tmp_path / "a.csv.gz")
    assert caught.value.code == "CP-FILE-CORRUPT"


def test_files_without_records(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(CarbonpanelError, match="empty"):
        firms_of(tmp_path / "empty.csv")
    for text in (render([]), render([]).rstrip("\n"), render([]) + "\n\n"):
        with pytest.raises(CarbonpanelError) as caught:
            firms_of(write(tmp_path / "head.csv", text))
        assert caught.value.code == "CP-RECORDS-NO-ROWS"
    with pytest.raises(CarbonpanelError):
        firms_of(write(tmp_path / "blank.csv", "\n\n  \n"))
    with pytest.raises(CarbonpanelError) as caught:
        firms_of(tmp_path / "absent.csv")
    assert caught.value.code == "CP-FILE-MISSING"
    (tmp_path / "broken.parquet").write_bytes(b"PAR1" + b"x" * 100)
    with pytest.raises(CarbonpanelError) as caught:
        firms_of(tmp_path / "broken.parquet")
    assert caught.value.code == "CP-FILE-CORRUPT"


@pytest.mark.parametrize("column", [0, 1, 7])
def test_a_quotation_mark_that_is_not_closed(tmp_path: Path, column: int) -> None:
    rows = [list(firm) for firm in FIRMS]
    lines = [",".join(row) for row in rows]
    lines[3] = ",".join([*rows[3][:column], '"' + rows[3][column], *rows[3][column + 1 :]])
    path = write(tmp_path / "a.csv", "\n".join([",".join(HEADER), *lines]) + "\n")
    with pytest.raises(CarbonpanelError, match="quotation mark") as caught:
        firms_of(path)
    assert caught.value.code == "CP-RECORDS-QUOTE" and "row 5" in caught.value.where


def test_a_quotation_mark_that_swallows_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_stream, "_BLOCK", 1 << 14)
    path = write(
        tmp_path / "a.csv", TEXT + '甲,"人工智能,2018,,,安徽,合肥,1\n' + "乙,餐饮,2018,,,安徽,合肥,2\n" * 2_000
    )
    with pytest.raises(CarbonpanelError, match="quotation mark") as caught:
        firms_of(path)
    assert caught.value.code == "CP-RECORDS-QUOTE"


def test_small_blocks_count_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(*firm[:7], f"{firm[7]}-{copy}") for copy in range(300) for firm in FIRMS]
    whole = firms(tmp_path / "a.csv", rows, review=3)
    monkeypatch.setattr(text_stream, "_BLOCK", 1 << 14)
    pieces = firms(tmp_path / "a.csv", rows, review=3, threads=3)
    assert (pieces.counts, pieces.review, pieces.rows) == (whole.counts, whole.review, whole.rows)
    assert values(whole, "ai_firms_registered")[("340100", 2018)] == 600


def test_columns_by_name_or_as_said(tmp_path: Path) -> None:
    where = find_file(write(tmp_path / "a.csv", TEXT)).path
    from analysis_py.errors import Place

    place = Place(file=where)
    known = map_columns(["公司名称 ", "企业名称", "注册日期", "成立日期", "地 址"], "firms", {}, place)
    assert known.names == {"name": "企业名称", "date": "成立日期", "address": "地 址"}
    assert known.passed_over == ("公司名称  (as name '企业名称' is taken)", "注册日期 (as date '成立日期' is taken)")
    said = map_columns(
        ["Firma", "日期", "Ort"], "firms", parse_columns("name=firma,date=日期,region=Ort", "firms"), place
    )
    assert dict(said.positions) == {"name": 0, "date": 1, "region": 2}
    with pytest.raises(CarbonpanelError, match=r"no column for date is known.*found: 企业名称, Tag, 城市") as caught:
        map_columns(["企业名称", "Tag", "城市"], "firms", {}, place)
    assert "--columns date=COLUMN" in caught.value.remedy
    with pytest.raises(CarbonpanelError, match="no column 'Tga'") as caught:
        map_columns(["企业名称", "Tag", "城市"], "firms", {"date": "Tga"}, place)
    assert "did you mean 'Tag'" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "what"), [("name", "not ROLE=COLUMN"), ("nmae=x", "no role 'nmae'"), ("name=a,name=b", "twice")]
)
def test_columns_said_wrongly(text: str, what: str) -> None:
    with pytest.raises(CarbonpanelError, match=what) as caught:
        parse_columns(text, "firms")
    assert caught.value.code == "CP-RECORDS-OPTION"
