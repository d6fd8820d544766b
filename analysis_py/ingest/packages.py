"""Whether a zip archive that calls itself a workbook may be opened, judged by its table of contents alone."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

from analysis_py.errors import CarbonpanelError, Place

#: Unpacked size beyond which a workbook is refused, and the ratio that marks a bomb at smaller sizes.
MAX_WORKBOOK_BYTES = 1 << 30
SUSPICIOUS_BYTES = 64 << 20
SUSPICIOUS_RATIO = 200
#: A part as tightly packed as this is one sign repeated, whatever its size beyond a few megabytes.
_REPEATED_BYTES = 8 << 20
_REPEATED_RATIO = 900
#: Parts of a workbook: a sheet, its relations and drawings each are one.
_MOST_PARTS = 20_000
_END = b"PK\x05\x06"
_LONGEST_COMMENT = 0xFFFF

#: A part that tells what an archive is -> what to say of it.
_OTHERS = (
    ("xl/workbook.bin", "this is a binary workbook (.xlsb)"),
    ("content.xml", "this is an OpenDocument file (.ods)"),
    ("word/document.xml", "this is a Word document"),
    ("ppt/presentation.xml", "this is a PowerPoint presentation"),
    ("index/document.iwa", "this is a Numbers or Pages document"),
)


def too_large(path: Path, size: int) -> CarbonpanelError:
    """The refusal of a file that unpacks to more than can be a table."""
    return CarbonpanelError(
        "CP-FILE-TOO-LARGE",
        f"the file unpacks to {size / (1 << 20):,.0f} MB or more, which no table of cities needs",
        where=Place(file=path),
        remedy="check where the file comes from; if it is genuine, split it or save it as CSV or Parquet",
    )


def check_workbook_package(path: Path) -> None:
    """Refuse a damaged .xlsx, a zip that is no workbook, one with a password and one of absurd unpacked size.

    Nothing is unpacked. Raises ``CP-FILE-CORRUPT``, ``CP-FILE-TOO-LARGE``, ``CP-FILE-PROTECTED``,
    ``CP-FILE-NOT-A-TABLE``.
    """
    try:
        parts = _count_parts(path)
        if parts > _MOST_PARTS:
            raise CarbonpanelError(
                "CP-FILE-TOO-LARGE",
                f"the workbook has {parts:,} parts (limit {_MOST_PARTS:,})",
                where=Place(file=path),
                remedy="check where the file comes from; save the sheet you need in a workbook of its own",
            )
        with zipfile.ZipFile(path) as package:
            entries = package.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, struct.error) as error:
        raise CarbonpanelError(
            "CP-FILE-CORRUPT",
            "the workbook is damaged or cut short",
            where=Place(file=path),
            remedy="download or save it again; a file copied while it was being written looks like this",
        ) from error
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, path.stat().st_size)
    repeated = any(
        entry.file_size > _REPEATED_BYTES and entry.file_size > _REPEATED_RATIO * max(1, entry.compress_size)
        for entry in entries
    )
    if (
        unpacked > MAX_WORKBOOK_BYTES
        or repeated
        or (unpacked > SUSPICIOUS_BYTES and unpacked > SUSPICIOUS_RATIO * packed)
    ):
        raise too_large(path, unpacked)
    names = {entry.filename.replace("\\", "/").lower() for entry in entries}
    if any(entry.flag_bits & 1 for entry in entries):
        raise CarbonpanelError(
            "CP-FILE-PROTECTED",
            "the archive is protected by a password",
            where=Place(file=path),
            remedy="unpack it with its password, or save the workbook without one",
        )
    if not any(name.endswith("workbook.xml") for name in names):
        told = next((what for part, what in _OTHERS if part in names), "this is a zip archive or another document")
        raise CarbonpanelError(
            "CP-FILE-NOT-A-TABLE",
            f"{told}, not an Excel workbook (.xlsx)",
            where=Place(file=path),
            remedy="unpack it and name the table inside, or open it and save it as .xlsx",
        )


def _count_parts(path: Path) -> int:
    """Entries by the archive's last record, before a table of contents of any length is read; 0 where it says none."""
    with path.open("rb") as handle:
        size = handle.seek(0, 2)
        handle.seek(max(0, size - _LONGEST_COMMENT - 22))
        tail = handle.read()
    position = tail.rfind(_END)
    if position < 0:
        raise ValueError("no end of the archive")
    _, _, _, entries, length = struct.unpack("<HHHHI", tail[position + 4 : position + 16])
    # 46 bytes are the least an entry takes; 0xFFFF stands for a number kept elsewhere.
    return max(
        int(entries) if entries != 0xFFFF else 0, int(length) // (46 + 260) if length != 0xFFFFFFFF else _MOST_PARTS + 1
    )
