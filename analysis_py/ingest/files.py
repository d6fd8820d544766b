"""What kind of file a user gave, and whether it may be opened at all.

A file is judged by its first bytes, not by its name alone: an .xls that is really a tab-separated text or a
web page is a common thing among portal exports.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from analysis_py.errors import CarbonpanelError, Place, nearest
from analysis_py.ingest.packages import SUSPICIOUS_BYTES, SUSPICIOUS_RATIO, check_workbook_package, too_large

TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
KNOWN_SUFFIXES = (*TEXT_SUFFIXES, ".xlsx", ".xlsm", ".xls", ".dta", ".parquet", ".pq")

#: Limits met long before memory is: a workbook's sheets have at most 16,384 columns and 1,048,576 rows.
MAX_COLUMNS = 16_384
MAX_SHEET_ROWS = 1_048_576
#: Unpacked size beyond which a compressed text is refused.
MAX_UNPACKED_BYTES = 4 << 30
MAX_OLD_WORKBOOK_BYTES = 256 << 20
_HEAD_BYTES = 4096

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLD_WORKBOOK = (
    b"\x09\x00\x04\x00",
    b"\x09\x02\x06\x00",
    b"\x09\x04\x06\x00",
    b"\x09\x08\x08\x00",
    b"\x09\x08\x10\x00",
)
#: The beginning of a web page, of XML, or of a web page in one file (MHTML), whatever blank lines come before it.
_MARKUP = re.compile(
    rb"\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*(?:<(?:!doctype|\?xml|!--|html|head|body|meta|style|div|table|font|center)\b"
    rb"|<!--|MIME-Version:)",
    re.I,
)
_KINDS = {".xlsx": "xlsx", ".xlsm": "xlsx", ".xls": "xls", ".dta": "dta", ".parquet": "parquet", ".pq": "parquet"}


#: What tells that a file was written to: device, inode, size and time of its last change.
Stamp = tuple[int, int, int, int]


@dataclass(frozen=True)
class FoundFile:
    """A file that may be read: its path, its kind (text | xlsx | xls | dta | parquet) and how to open its bytes.

    ``real`` is the file behind a link (``None`` where the path is no link), ``stamp`` its state when it was found.
    """

    path: Path
    kind: str
    gzipped: bool
    real: Path | None = None
    stamp: Stamp | None = None

    def open(self) -> BinaryIO:
        if self.gzipped:
            return cast(BinaryIO, _LimitedGzip(self.path))
        return self.path.open("rb")

    def check_unchanged(self) -> None:
        """Raise ``CP-FILE-CHANGED`` when the file was written to, replaced or removed since it was found."""
        try:
            now: Stamp | None = _stamp(self.path)
        except OSError:
            now = None
        if self.stamp is not None and now != self.stamp:
            raise CarbonpanelError(
                "CP-FILE-CHANGED",
                "the file changed while it was being read"
                if now is not None
                else "the file was removed while it was read",
                where=Place(file=self.path),
                remedy="wait until the program that writes it has finished, and try again",
            )


class _LimitedGzip(gzip.GzipFile):
    """A gzip file that stops unpacking beyond :data:`MAX_UNPACKED_BYTES` and says why when it is damaged."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self._path = path
        self._packed = max(1, path.stat().st_size)
        self._unpacked = 0

    def read(self, size: int | None = -1) -> bytes:
        try:
            data = super().read(-1 if size is None else size)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise CarbonpanelError(
                "CP-FILE-CORRUPT",
                f"the compressed file is damaged or cut short ({error})",
                where=Place(file=self._path),
                remedy="fetch or export the file again",
            ) from error
        self._unpacked += len(data)
        too_tight = self._unpacked > SUSPICIOUS_BYTES and self._unpacked > SUSPICIOUS_RATIO * self._packed
        if self._unpacked > MAX_UNPACKED_BYTES or too_tight:
            raise too_large(self._path, self._unpacked)
        return data

    def read1(self, size: int = -1) -> bytes:
        return self.read(size if size is not None and size > 0 else io.DEFAULT_BUFFER_SIZE)


def too_wide(path: Path, columns: int, sheet: str | None = None) -> CarbonpanelError:
    """The refusal of a table with an absurd number of columns."""
    return CarbonpanelError(
        "CP-FILE-TOO-WIDE",
        f"the table has {columns:,} columns or more (limit {MAX_COLUMNS:,})",
        where=Place(file=path, sheet=sheet),
        remedy="check the separator and the line ends; a panel has one row a place and year",
    )


def damaged(path: Path, error: BaseException, sheet: str | None = None) -> CarbonpanelError:
    """The refusal of a file whose inside is broken, told by the library that could not read it."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return CarbonpanelError(
        "CP-FILE-CORRUPT",
        f"the file is damaged or cut short and cannot be read ({reason[:120]})",
        where=Place(file=path, sheet=sheet),
        remedy="download or save it again; opening and saving it in a spreadsheet program often mends it",
    )


def _missing(path: Path) -> CarbonpanelError:
    folder = path.parent
    if not folder.is_dir():
        return CarbonpanelError(
            "CP-FILE-MISSING",
            "there is no such file: its folder does not exist",
            where=Place(file=path),
            remedy="check the path; relative paths start from the current folder",
        )
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    except OSError:
        names = []
    close = nearest(path.name, names, count=3)
    remedy = (
        f"near it in that folder: {', '.join(close)}" if close else "check the name; no file there is spelled like it"
    )
    return CarbonpanelError("CP-FILE-MISSING", "there is no such file", where=Place(file=path), remedy=remedy)


def _check_regular(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise _missing(path) from error
    except NotADirectoryError as error:
        raise _missing(path) from error
    except PermissionError as error:
        raise _unreadable(path) from error
    except (OSError, ValueError) as error:
        raise CarbonpanelError(
            "CP-FILE-MISSING",
            f"this cannot be a file path ({error.strerror if isinstance(error, OSError) else error})",
            where=Place(file=repr(str(path))),
            remedy="check the path and, if it is a link, where it leads",
        ) from error
    if stat.S_ISDIR(mode):
        try:
            inside = sorted(entry.name for entry in path.iterdir() if entry.suffix.lower() in (*KNOWN_SUFFIXES, ".gz"))
        except OSError:
            inside = []
        listed = ", ".join(inside[:5]) + (", ..." if len(inside) > 5 else "")
        raise CarbonpanelError(
            "CP-FILE-FOLDER",
            "this is a folder, not a file",
            where=Place(file=path),
            remedy=f"name one file; in it: {listed}" if listed else "name one file",
        )
    if not stat.S_ISREG(mode):
        raise CarbonpanelError(
            "CP-FILE-NOT-REGULAR",
            "this is not an ordinary file (a pipe or a device)",
            where=Place(file=path),
            remedy="save the data to a file first",
        )


def _stamp(path: Path) -> Stamp:
    state = path.stat()
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns


def _unreadable(path: Path) -> CarbonpanelError:
    return CarbonpanelError(
        "CP-FILE-PERMISSION",
        "the file may not be read: permission denied",
        where=Place(file=path),
        remedy="give yourself read permission, or close the program that holds it",
    )


def _suffixes(path: Path) -> tuple[str, bool]:
    """The suffix that says what the table is, and whether ``.gz`` follows it."""
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return Path(path.stem).suffix.lower() or ".csv", True
    return suffix, False


def find_file(path: str | Path) -> FoundFile:
    """Check a user's path and find out what it holds.

    Raises ``CP-FILE-MISSING`` (with near names), ``CP-FILE-FOLDER``, ``CP-FILE-NOT-REGULAR``,
    ``CP-FILE-PERMISSION``, ``CP-FILE-EMPTY``, ``CP-FILE-UNKNOWN-KIND``, ``CP-FILE-CORRUPT``, ``CP-FILE-TOO-LARGE``.
    """
    path = Path(path).expanduser()
    _check_regular(path)
    suffix, named_gz = _suffixes(path)
    if suffix not in KNOWN_SUFFIXES:
        near = nearest(suffix, KNOWN_SUFFIXES)
        raise CarbonpanelError(
            "CP-FILE-UNKNOWN-KIND",
            f"files ending in '{suffix}' are not read"
            if suffix
            else "the file name has no ending that says what it is",
            where=Place(file=path),
            remedy=(f"did you mean {near[0]}? " if near else "")
            + f"known endings: {', '.join(KNOWN_SUFFIXES)}, and .gz of these",
        )
    try:
        with path.open("rb") as handle:
            head = handle.read(_HEAD_BYTES)
        stamp = _stamp(path)
    except PermissionError as error:
        raise _unreadable(path) from error
    except OSError as error:
        raise CarbonpanelError(
            "CP-FILE-UNREADABLE", f"the file cannot be read ({error.strerror})", where=Place(file=path)
        ) from error
    if not head:
        raise empty_file(path)
    gzipped = head.startswith(b"\x1f\x8b")
    if named_gz and not gzipped:
        raise CarbonpanelError(
            "CP-FILE-CORRUPT",
            "the name ends in .gz but the file is not gzip-compressed",
            where=Place(file=path),
            remedy="rename it without .gz, or fetch it again",
        )
    found = FoundFile(path=path, kind="text", gzipped=gzipped)
    if gzipped:
        with found.open() as packed:
            head = packed.read(_HEAD_BYTES)
        if not head:
            raise empty_file(path)
    kind = _kind_of(head, suffix, path)
    if gzipped and kind in ("xlsx", "xls", "parquet"):
        raise CarbonpanelError(
            "CP-FILE-UNKNOWN-KIND",
            "a compressed workbook or Parquet file is not read",
            where=Place(file=path),
            remedy="unpack it first (gunzip)",
        )
    if kind == "xlsx":
        check_workbook_package(path)
    real = path.resolve() if path.is_symlink() else None
    return FoundFile(path=path, kind=kind, gzipped=gzipped, real=real, stamp=stamp)


def empty_file(path: Path) -> CarbonpanelError:
    return CarbonpanelError(
        "CP-FILE-EMPTY", "the file is empty", where=Place(file=path), remedy="export or download it again"
    )


def _kind_of(head: bytes, suffix: str, path: Path) -> str:
    named = _KINDS.get(suffix, "text")
    if head.startswith(b"PK"):
        return "xlsx"
    if head.startswith(_OLE) or head.startswith(_OLD_WORKBOOK):
        return "xls"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"<stata_dta>") or (
        named == "dta" and head[:1] in (b"\x6c", b"\x69", b"\x71", b"\x72", b"\x73", b"\x6f")
    ):
        return "dta"
    if _MARKUP.search(head.replace(b"\x00", b"")):
        raise CarbonpanelError(
            "CP-FILE-NOT-A-TABLE",
            "this is a web page or XML under the name of a table",
            where=Place(file=path),
            remedy="open it in a spreadsheet program and save it as .xlsx or CSV (UTF-8)",
        )
    if named in ("xlsx", "parquet", "dta") or (named == "xls" and b"\x00" in head):
        raise CarbonpanelError(
            "CP-FILE-CORRUPT",
            f"the name says {suffix}, but the contents are not that: damaged, cut short or wrongly named",
            where=Place(file=path),
            remedy="export or download the file again",
        )
    return "text"


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while piece := handle.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
