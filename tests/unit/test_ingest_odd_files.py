"""Files that are refused before a table is looked for in them: no files, other documents, damage, bombs."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.ingest_files import replace_in_xlsx, write_xlsx
from tests.unit.odd_cases import (
    TABLE,
    TEXT,
    Maker,
    Refused,
    book,
    check_count,
    check_refused,
    package_parts,
    raw,
    text,
    write_package,
)

SHEET = "xl/worksheets/sheet1.xml"


def _sheet(content: bytes) -> Maker:
    """A workbook whose only sheet holds this XML between its sheetData tags."""

    def make(folder: Path) -> Path:
        path = write_xlsx(folder / "a.xlsx", TABLE)
        parts = package_parts(path)
        head, tail = parts[SHEET].split(b"<sheetData>")[0], parts[SHEET].split(b"</sheetData>")[1]
        parts[SHEET] = head + b"<sheetData>" + content + b"</sheetData>" + tail
        return write_package(path, parts)

    return make


def _changed(part: str, old: bytes, new: bytes) -> Maker:
    def make(folder: Path) -> Path:
        return replace_in_xlsx(write_xlsx(folder / "a.xlsx", TABLE), part, old, new)

    return make


def _without(part: str) -> Maker:
    def make(folder: Path) -> Path:
        path = write_xlsx(folder / "a.xlsx", TABLE)
        return write_package(path, {name: content for name, content in package_parts(path).items() if name != part})

    return make


def _zip(parts: dict[str, bytes], name: str = "a.xlsx") -> Maker:
    return lambda folder: write_package(folder / name, parts)


def _bomb(folder: Path) -> Path:
    """Ten megabytes of one sign in a few kilobytes."""
    path = write_xlsx(folder / "a.xlsx", TABLE)
    return write_package(path, package_parts(path) | {"xl/media/image1.bin": b"\0" * (10 << 20)})


def _slow_bomb(folder: Path) -> Path:
    """Seventy megabytes in several parts, each below the limit of one part."""
    path = write_xlsx(folder / "a.xlsx", TABLE)
    return write_package(path, package_parts(path) | {f"xl/media/{i}.bin": bytes([i]) * (7 << 20) for i in range(10)})


def _many_parts(folder: Path) -> Path:
    return write_package(folder / "a.xlsx", {f"{i}": b"" for i in range(20_001)}, zipfile.ZIP_STORED)


def _false_count(folder: Path) -> Path:
    """An archive that claims sixty thousand entries."""
    path = write_xlsx(folder / "a.xlsx", TABLE)
    content = path.read_bytes()
    at = content.rfind(b"PK\x05\x06")
    path.write_bytes(content[: at + 8] + struct.pack("<HH", 60_000, 60_000) + content[at + 12 :])
    return path


def _locked(folder: Path) -> Path:
    """The mark of a password on every entry of the archive."""
    path = write_xlsx(folder / "a.xlsx", TABLE)
    content = bytearray(path.read_bytes())
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        content[at + 8] |= 1
    path.write_bytes(bytes(content))
    return path


def _encrypted(folder: Path) -> Path:
    """An OLE container that names an EncryptedPackage, which is how Excel keeps a workbook with a password."""
    path = folder / "a.xlsx"
    path.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600
    )
    return path


def _cut(name: str, share: float) -> Maker:
    def make(folder: Path) -> Path:
        path = folder / name
        frame = pd.DataFrame({"city": ["合肥市"] * 50, "year": range(1970, 2020), "gdp": [1.5] * 50})
        if name.endswith("xlsx"):
            write_xlsx(path, [list(frame.columns), *frame.values.tolist()])
        elif name.endswith("dta"):
            frame.to_stata(path, write_index=False, version=118)
        elif name.endswith("gz"):
            path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
        else:
            frame.to_parquet(path)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        return path

    return make


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "a.csv")
    return folder / "a.csv"


def _link(target: str) -> Maker:
    def make(folder: Path) -> Path:
        (folder / "a.csv").symlink_to(target)
        return folder / "a.csv"

    return make


def _link_to_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    (folder / "a.csv").symlink_to(folder / "pipe")
    return folder / "a.csv"


def _loop(folder: Path) -> Path:
    (folder / "a.csv").symlink_to(folder / "b.csv")
    (folder / "b.csv").symlink_to(folder / "a.csv")
    return folder / "a.csv"


def _folder(folder: Path) -> Path:
    (folder / "a.csv").mkdir()
    return folder / "a.csv"


def _huge_parquet(folder: Path) -> Path:
    """A few kilobytes that stand for three hundred million rows."""
    path = folder / "a.parquet"
    piece = pa.table({"city": pa.nulls(10_000_000, pa.string()), "year": pa.nulls(10_000_000, pa.int32())})
    with pq.ParquetWriter(path, piece.schema) as writer:
        for _ in range(21):
            writer.write_table(piece, row_group_size=10_000_000)
    return path


def _gz_bomb(folder: Path) -> Path:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as packed:
        packed.write(b"city,year,gdp\n")
        for _ in range(100):
            packed.write(b"1,2019,1\n" * 100_000)
    path = folder / "a.csv.gz"
    path.write_bytes(out.getvalue())
    return path


FILES = [
    Refused("nothing", raw(b""), "CP-FILE-EMPTY"),
    Refused("blank lines", text("\n \n\t\n"), "CP-FILE-EMPTY"),
    Refused("a mark and nothing else", raw(b"\xff\xfe"), "CP-FILE-EMPTY"),
    Refused("an empty gz", raw(gzip.compress(b""), "a.csv.gz"), "CP-FILE-EMPTY"),
    Refused("gz in name only", text(TEXT, "a.csv.gz"), "CP-FILE-CORRUPT", ("not gzip",)),
    Refused(
        "a workbook in a gz",
        lambda f: raw(gzip.compress(write_xlsx(f / "b.xlsx", TABLE).read_bytes()), "a.csv.gz")(f),
        "CP-FILE-UNKNOWN-KIND",
        ("gunzip",),
    ),
    Refused(
        "a web page as xls",
        text("\n\n <HTML><table><tr><td>城市</td></tr></table>", "a.xls", "gbk"),
        "CP-FILE-NOT-A-TABLE",
        ("save it as .xlsx",),
    ),
    Refused(
        "a web page with a mark",
        text("<!-- 导出 --><table></table>", "a.xls", "utf-8-sig"),
        "CP-FILE-NOT-A-TABLE",
        (".xlsx",),
    ),
    Refused(
        "a web page in UTF-16",
        text("<html><body><table></table>", "a.xls", "utf-16"),
        "CP-FILE-NOT-A-TABLE",
        (".xlsx",),
    ),
    Refused(
        "an archived web page",
        text("MIME-Version: 1.0\nContent-Type: multipart/related\n", "a.xls"),
        "CP-FILE-NOT-A-TABLE",
    ),
    Refused("XML of Excel 2003", text('<?xml version="1.0"?><Workbook/>', "a.xls"), "CP-FILE-NOT-A-TABLE"),
    Refused("a PDF", raw(b"%PDF-1.7", "a.pdf"), "CP-FILE-UNKNOWN-KIND", (".csv",)),
    Refused("no ending", text(TEXT, "table"), "CP-FILE-UNKNOWN-KIND", ("no ending",)),
    Refused("a misspelt ending", text(TEXT, "a.xlxs"), "CP-FILE-UNKNOWN-KIND", ("did you mean .xls",)),
    Refused("text called xlsx", text(TEXT, "a.xlsx"), "CP-FILE-CORRUPT", ("wrongly named",)),
    Refused("text called parquet", text(TEXT, "a.parquet"), "CP-FILE-CORRUPT"),
    Refused("text called dta", text(TEXT, "a.dta"), "CP-FILE-CORRUPT"),
    Refused("half a workbook", _cut("a.xlsx", 0.5), "CP-FILE-CORRUPT"),
    Refused("half a Stata file", _cut("a.dta", 0.6), "CP-FILE-CORRUPT"),
    Refused("half a Parquet file", _cut("a.parquet", 0.5), "CP-FILE-CORRUPT"),
    Refused("half a gz", _cut("a.csv.gz", 0.5), "CP-FILE-CORRUPT"),
    Refused("a Word document", _zip({"word/document.xml": b"<w/>"}), "CP-FILE-NOT-A-TABLE", ("Word",)),
    Refused(
        "an OpenDocument file", _zip({"content.xml": b"<x/>", "mimetype": b"ods"}), "CP-FILE-NOT-A-TABLE", (".ods",)
    ),
    Refused("a binary workbook", _zip({"xl/workbook.bin": b"\0"}), "CP-FILE-NOT-A-TABLE", (".xlsb",)),
    Refused("a zip of a table", _zip({"a.csv": TEXT.encode()}), "CP-FILE-NOT-A-TABLE", ("unpack",)),
    Refused("a workbook with a password", _encrypted, "CP-FILE-PROTECTED", ("remove the password",)),
    Refused("an archive with a password", _locked, "CP-FILE-PROTECTED"),
    Refused("a folder", _folder, "CP-FILE-FOLDER"),
    Refused("a pipe", _pipe, "CP-FILE-NOT-REGULAR", ("pipe",)),
    Refused("a link to a pipe", _link_to_pipe, "CP-FILE-NOT-REGULAR"),
    Refused("a link to a device", _link("/dev/zero"), "CP-FILE-NOT-REGULAR", ("device",)),
    Refused("a link to nothing", _link("gone.csv"), "CP-FILE-MISSING"),
    Refused("a link to itself", _loop, "CP-FILE-MISSING"),
    Refused("no file", lambda folder: folder / "a.csv", "CP-FILE-MISSING"),
]

BOMBS = [
    Refused("one sign repeated", _bomb, "CP-FILE-TOO-LARGE", ("10 MB",)),
    Refused("many signs repeated", _slow_bomb, "CP-FILE-TOO-LARGE", ("70 MB",)),
    Refused("twenty thousand parts", _many_parts, "CP-FILE-TOO-LARGE", ("20,001 parts",)),
    Refused("a count that lies", _false_count, "CP-FILE-TOO-LARGE", ("60,000 parts",)),
    Refused("a gz of one line", _gz_bomb, "CP-FILE-TOO-LARGE"),
    Refused("millions of rows of nothing", _huge_parquet, "CP-FILE-TOO-LARGE", ("210,000,000 rows",)),
    Refused(
        "a million columns",
        text("city,year," + ",".join(f"v{i}" for i in range(1_000_000)) + "\n"),
        "CP-FILE-TOO-WIDE",
        ("1,000,002 columns",),
    ),
    Refused(
        "a million columns in a sheet",
        _sheet(b'<row r="1">' + b"".join(b"<c><v>1</v></c>" for _ in range(20_000)) + b"</row>"),
        "CP-FILE-TOO-WIDE",
    ),
    Refused("a column beyond the last", _sheet(b'<row r="1"><c r="ZZZ1"><v>1</v></c></row>'), "CP-FILE-TOO-WIDE"),
    Refused(
        "ten million rows claimed",
        _sheet(b'<row r="1"><c r="A1"><v>1</v></c></row><row r="10000000"><c><v>1</v></c></row>'),
        "CP-FILE-CORRUPT",
        ("row 10,000,000",),
    ),
    Refused(
        "rows in disorder",
        _sheet(b'<row r="5"><c r="A5"><v>1</v></c></row><row r="2"><c><v>1</v></c></row>'),
        "CP-FILE-CORRUPT",
        ("row 2 cannot follow row 5",),
    ),
    Refused(
        "cells in disorder",
        _sheet(b'<row r="1"><c r="C1"><v>1</v></c><c r="A1"><v>2</v></c></row>'),
        "CP-FILE-CORRUPT",
        ("out of order",),
    ),
    Refused("elements in elements", _sheet(b"<a>" * 100_000 + b"</a>" * 100_000), "CP-FILE-CORRUPT", ("nested",)),
    Refused("endless elements", _sheet(b"<a/>" * 5_100_000), "CP-FILE-TOO-LARGE"),
    Refused(
        "entities that unfold",
        _changed(SHEET, b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet'),
        "CP-FILE-CORRUPT",
        ("document type",),
    ),
    Refused(
        "an entity that reads a file",
        _changed("xl/workbook.xml", b"<workbook", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><workbook'),
        "CP-FILE-CORRUPT",
        ("document type",),
    ),
    Refused("a line without an end", raw(b"city,year,gdp\n" + b"x" * (33 << 20)), "CP-FILE-NOT-A-TABLE", ("32 MB",)),
    Refused(
        "a quotation mark that is never closed",
        text('city,year,gdp\n"合肥,2019,1\n' + "y" * 1_100_000),
        "CP-FILE-NOT-A-TABLE",
        ("row 2", "quotation"),
    ),
]

DAMAGE = [
    Refused("no workbook part", _without("xl/workbook.xml"), "CP-FILE-NOT-A-TABLE"),
    Refused("no sheet part", _without(SHEET), "CP-FILE-CORRUPT", ("missing",)),
    Refused("no relations", _without("xl/_rels/workbook.xml.rels"), "CP-FILE-NOT-A-TABLE", ("no worksheet",)),
    Refused("XML cut short", _changed(SHEET, b"</sheetData>", b"</sheetDat"), "CP-FILE-CORRUPT"),
    Refused("a number that is none", _changed(SHEET, b"<v>9409.4</v>", b"<v>94o9.4</v>"), "CP-FILE-CORRUPT"),
    Refused(
        "a text that is not there",
        _changed(SHEET, b't="n"><v>9409.4', b't="s"><v>7'),
        "CP-FILE-CORRUPT",
        ("not there",),
    ),
    Refused("a cell without a place", _changed(SHEET, b'r="C2"', b'r="2C"'), "CP-FILE-CORRUPT", ("'2C'",)),
    Refused("a sheet of nothing", book(sheets={"Sheet1": [], "Sheet2": []}), "CP-FILE-EMPTY"),
    Refused(
        "a chart and no sheet",
        _changed("xl/_rels/workbook.xml.rels", b'/worksheet"', b'/chartsheet"'),
        "CP-FILE-NOT-A-TABLE",
    ),
    Refused("NUL in text", raw(TEXT.encode() + b"340200,a\x00b,1\n"), "CP-FILE-NUL"),
    Refused("binary called csv", raw(bytes(range(256)) * 20), "CP-FILE-NUL"),
    Refused(
        "GBK with a line of UTF-8",
        raw(TEXT.encode("gbk") + "芜湖市,2019,1\n㐀㐁㐂㐃㐄㐅\n".encode()),
        "CP-FILE-ENCODING",
        ("row 1",),
    ),
    Refused(
        "UTF-8 with a line of Latin",
        raw(TEXT.encode() + b"H\xe9fei,2019,1\n"),
        "CP-FILE-ENCODING",
        ("row 5", "byte 93"),
    ),
    Refused("UTF-16 cut in a sign", raw(TEXT.encode("utf-16")[:-1]), "CP-FILE-ENCODING"),
    Refused("Big5", raw("縣市,年份,國內生產總值(億元)\n臺北,2019,1\n".encode("big5")), "CP-FILE-ENCODING"),
]

CASES = [*FILES, *BOMBS, *DAMAGE]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_refused(tmp_path: Path, case: Refused) -> None:
    check_refused(case, tmp_path)


def test_every_case_has_a_name_of_its_own() -> None:
    check_count(CASES, 60)
