"""How a text table is written: its encoding and the sign between its columns.

The whole file is decoded once, in pieces, before anything is read from it: a file is either readable to its
last byte in one encoding or refused with the place of the byte that is not.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from analysis_py.errors import CarbonpanelError, Place

_PIECE = 1 << 20
#: No line of a table is longer than this; a file without line ends would otherwise be held in memory whole.
_LONGEST_LINE = 32 << 20
#: Signs between columns, the usual ones first; spaces only where nothing else cuts the lines.
_SEPARATORS = (",", "\t", ";", "|", "^", "~", "，", "；", "\x01", "\x1f")
_SEPARATOR_NAMES = {
    **{",": "comma", "\t": "tab", ";": "semicolon", "|": "bar", "^": "caret", "~": "tilde", " ": "space"},
    **{"，": "full-width-comma", "；": "full-width-semicolon", "\x01": "control-sign", "\x1f": "control-sign"},
}

#: GB 18030 decodes nearly any bytes. Text that is really Chinese keeps to the common characters of GB 2312;
#: below this share of them among the non-ASCII characters the bytes are some other encoding.
_GB2312_SHARE = 0.9

Opener = Callable[[], BinaryIO]


@dataclass(frozen=True)
class TextForm:
    """Encoding (a Python codec name), its name for people, and the column separator."""

    codec: str
    label: str
    separator: str

    @property
    def description(self) -> str:
        return f"{self.label}, {_SEPARATOR_NAMES[self.separator]}-separated"


def _pieces(opener: Opener) -> Iterator[bytes]:
    with opener() as handle:
        while piece := handle.read(_PIECE):
            yield piece


def _check_line_lengths(opener: Opener, path: Path) -> None:
    since_end = 0
    for piece in _pieces(opener):
        end = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
        since_end = len(piece) - end if end >= 0 else since_end + len(piece)
        if since_end > _LONGEST_LINE:
            raise CarbonpanelError(
                "CP-FILE-NOT-A-TABLE",
                f"a line is longer than {_LONGEST_LINE >> 20} MB: this is not a table with rows",
                where=Place(file=path),
                remedy="check how the file was made; rows must end with a line break",
            )


def _decode_error(opener: Opener, codec: str) -> tuple[int, int] | None:
    """Row (counting from 1) and byte offset of the first undecodable byte, or ``None`` when all decode."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    seen = 0
    rows = 1
    held = 0
    for piece in _pieces(opener):
        try:
            text = decoder.decode(piece)
        except UnicodeDecodeError as error:
            good = piece[: max(0, error.start - held)]
            return rows + good.count(b"\n"), seen + max(0, error.start - held)
        rows += text.count("\n")
        seen += len(piece)
        held = len(decoder.getstate()[0])
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return rows, seen - held
    return None


def is_common_chinese(text: str) -> bool:
    """Whether the non-ASCII characters of a text are, nearly all, the common Chinese ones of GB 2312."""
    foreign, common = _count_common(text)
    return foreign > 0 and common >= _GB2312_SHARE * foreign


def _count_common(text: str) -> tuple[int, int]:
    foreign = common = 0
    for character in text:
        if character > "\x7f":
            foreign += 1
            try:
                character.encode("gb2312")
            except UnicodeEncodeError:
                continue
            common += 1
    return foreign, common


def _is_chinese(opener: Opener) -> bool:
    """Whether bytes read as GB 18030 give text made of common Chinese characters (judged by the first 200,000)."""
    decoder = codecs.getincrementaldecoder("gb18030")("strict")
    foreign = common = 0
    for piece in _pieces(opener):
        more_foreign, more_common = _count_common(decoder.decode(piece))
        foreign, common = foreign + more_foreign, common + more_common
        if foreign > 200_000:
            break
    return foreign > 0 and common >= _GB2312_SHARE * foreign


def detect_encoding(opener: Opener, path: Path) -> tuple[str, str]:
    """Codec and its name for people: UTF-8 (with or without BOM), UTF-16/32, GB 18030 (contains GBK and GB 2312).

    Raises ``CP-FILE-ENCODING`` with the row of the first byte that fits none, ``CP-FILE-NUL`` for NUL characters.
    """
    with opener() as handle:
        head = handle.read(4096)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        codec, label = "utf-32", "UTF-32"
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        codec, label = "utf-16", "UTF-16"
    elif head.startswith(codecs.BOM_UTF8):
        codec, label = "utf-8-sig", "UTF-8 with BOM"
    else:
        half = max(1, len(head) // 2)
        if head[1::2].count(0) > 0.3 * half and head[0::2].count(0) == 0:
            codec, label = "utf-16-le", "UTF-16"
        elif head[0::2].count(0) > 0.3 * half and head[1::2].count(0) == 0:
            codec, label = "utf-16-be", "UTF-16"
        else:
            codec, label = "utf-8", "UTF-8"
    if codec == "utf-8" and any(b"\x00" in piece for piece in _pieces(opener)):
        raise CarbonpanelError(
            "CP-FILE-NUL",
            "the file holds NUL bytes: it is not a text table, or it was damaged in copying",
            where=Place(file=path),
            remedy="export it again as CSV (UTF-8) or as an Excel workbook",
        )
    problem = _decode_error(opener, codec)
    if problem is None:
        return codec, label
    if codec == "utf-8" and _decode_error(opener, "gb18030") is None and _is_chinese(opener):
        return "gb18030", "GBK"
    row, offset = problem
    raise CarbonpanelError(
        "CP-FILE-ENCODING",
        f"the text is neither UTF-8, UTF-16 nor GBK: byte {offset} cannot be read",
        where=Place(file=path, row=row),
        remedy="save the file as 'CSV UTF-8' (in Excel: Save as > CSV UTF-8) and try again",
    )


def open_text(opener: Opener, codec: str) -> io.TextIOWrapper:
    """The file as text with its line ends untouched, ready for :mod:`csv`."""
    return io.TextIOWrapper(opener(), encoding=codec, errors="strict", newline="")


def detect_separator(opener: Opener, codec: str) -> str:
    """The sign that cuts the first fifty lines into the most even number of columns (comma when none cuts them)."""
    with open_text(opener, codec) as handle:
        sample = handle.read(1 << 16)
    lines = [line for line in sample.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    if len(lines) > 1 and len(sample) == 1 << 16:
        lines = lines[:-1]
    lines = lines[:50]
    best, best_score = ",", (0.0, 0)
    for separator in _SEPARATORS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=separator)]
        except csv.Error:
            continue
        if not widths:
            continue
        usual = max(sorted(set(widths)), key=widths.count)
        if usual < 2:
            # Notes above a table have one column; a few wide rows below still show the separator.
            usual = max(widths)
        if usual < 2:
            continue
        score = (round(widths.count(usual) / len(widths), 2), usual)
        if score > best_score:
            best, best_score = separator, score
    if best_score == (0.0, 0) and _are_aligned(lines):
        return " "
    return best


def _are_aligned(lines: list[str]) -> bool:
    """Whether runs of spaces cut every line into the same three columns or more, as in text typed by hand."""
    widths = {len(line.split()) for line in lines}
    return len(lines) > 1 and len(widths) == 1 and min(widths) > 2


def detect_text_form(opener: Opener, path: Path) -> TextForm:
    """Encoding and separator of a text table."""
    _check_line_lengths(opener, path)
    codec, label = detect_encoding(opener, path)
    return TextForm(codec=codec, label=label, separator=detect_separator(opener, codec))
