"""A plain workbook of tables: texts stay texts, and the bytes do not tell when it was written."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Mapping
from typing import Any

_EPOCH = datetime.datetime(2000, 1, 1)
#: What XML 1.0 cannot hold.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LONGEST = 32_767


def render_workbook(sheets: Mapping[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]]) -> bytes:
    """The bytes of an .xlsx with one sheet a table: names in bold, first row frozen."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    for title, (names, rows) in sheets.items():
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        heads = []
        for name in names:
            head = WriteOnlyCell(sheet, name)
            head.font = Font(bold=True)
            heads.append(head)
        sheet.append(heads)
        for row in rows:
            cells = []
            for value in row:
                cell = WriteOnlyCell(sheet)
                if isinstance(value, str):
                    cell.value = _UNWRITABLE.sub("", value)[:_LONGEST]
                    cell.data_type = "s"  # a text that begins with '=' is no formula
                else:
                    cell.value = value
                cells.append(cell)
            sheet.append(cells)
    book.properties.created = book.properties.modified = _EPOCH
    book.properties.creator = "carbonpanel"
    buffer = io.BytesIO()
    book.save(buffer)
    return _without_time(buffer.getvalue())


def _without_time(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as package, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for entry in package.infolist():
            info = zipfile.ZipInfo(entry.filename, date_time=_EPOCH.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            part = package.read(entry)
            if entry.filename == "docProps/core.xml":
                stamp = _EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
                part = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, part)
            out.writestr(info, part)
    return buffer.getvalue()
