"""Makers of odd files for the tests of reading and ingesting; nothing here is a test."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq

from analysis_py.ingest.ingest import IngestReport, ingest_file
from analysis_py.settings import project_root

REAL = project_root().parent / "shared" / "real"

#: Two cities, one municipality by its province-level code, two years; the plainest file there is.
PLAIN = (
    "city_code,city_name,year,gdp\n340100,合肥市,2019,9409.4\n340100,合肥市,2020,10045.7\n310000,上海市,2019,38156\n"
)


def write_text(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def write_xlsx(path: Path, rows: Sequence[Sequence[Any]], **more: Sequence[Sequence[Any]]) -> Path:
    """A workbook with ``rows`` in sheet 'data' and each of ``more`` in a sheet of its own after it."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, content in {"data": rows, **more}.items():
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(list(row))
    book.save(path)
    return path


def replace_in_xlsx(path: Path, part: str, old: bytes, new: bytes) -> Path:
    """Change bytes inside one part of a workbook, to make what no program would write."""
    with zipfile.ZipFile(path) as package:
        parts = {entry.filename: package.read(entry) for entry in package.infolist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return path


def write_xls(path: Path, rows: Sequence[Sequence[Any]], sheet: str = "data") -> Path:
    """An Excel 97 workbook (BIFF8 records in an OLE container) with one sheet of numbers and texts."""

    def record(code: int, body: bytes) -> bytes:
        return struct.pack("<HH", code, len(body)) + body

    def cell(row: int, column: int, value: Any) -> bytes:
        head = struct.pack("<HHH", row, column, 0)
        if isinstance(value, str):
            text = value.encode("utf-16-le")
            return record(0x0204, head + struct.pack("<HB", len(value), 1) + text)
        return record(0x0203, head + struct.pack("<d", value))

    def beginning(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))

    name = struct.pack("<BB", len(sheet), 1) + sheet.encode("utf-16-le")
    end = record(0x000A, b"")
    size = len(beginning(5)) + 4 + 6 + len(name) + len(end)
    stream = beginning(5) + record(0x0085, struct.pack("<IH", size, 0) + name) + end + beginning(0x10)
    for row, values in enumerate(rows):
        stream += b"".join(cell(row, column, value) for column, value in enumerate(values) if value is not None)
    stream += end
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    count = len(stream) // 512
    chain = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, count + 2), 0xFFFFFFFE]
    fat = struct.pack(f"<{len(chain)}I", *chain).ljust(512, b"\xff")

    def entry(title: str, kind: int, child: int, start: int, length: int) -> bytes:
        text = title.encode("utf-16-le") + b"\0\0"
        links = struct.pack("<BBIII", kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
        return (
            text.ljust(64, b"\0")
            + struct.pack("<H", len(text))
            + links
            + b"\0" * 36
            + struct.pack("<IQ", start, length)
        )

    root = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, 2, len(stream))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<I", 0) + b"\xff" * 432
    path.write_bytes(head + fat + root.ljust(512, b"\0") + stream)
    return path


def bring(path: Path, source: str = "city_yearbook", **options: Any) -> tuple[IngestReport, list[dict[str, Any]]]:
    """Ingest into ``data`` beside the file and return the report and the rows that were written."""
    report = ingest_file(path, source, data_dir=path.parent / "data", **options)
    assert report.output is not None
    return report, pq.read_table(report.output).to_pylist()


def written(folder: Path) -> list[Path]:
    """Everything under the data folder of a test, hidden and half files included."""
    return sorted(path for path in (folder / "data").rglob("*") if path.is_file())
