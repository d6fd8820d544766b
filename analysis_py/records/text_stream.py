"""Separated text as batches, in one pass: unpacked, turned into UTF-8 and cut into columns as it is read."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.ingest.encoding import detect_separator, is_common_chinese
from analysis_py.ingest.files import MAX_COLUMNS, FoundFile, damaged, too_wide
from analysis_py.ingest.sheets import Row
from analysis_py.records.columns import map_columns
from analysis_py.records.streams import HEAD_ROWS, RaggedRows, RecordBatch, RecordFile, find_header

_HEAD_BYTES = 1 << 20
_HEAD_CHARACTERS = 1 << 16
_BLOCK = 16 << 20
#: A longer cell is what an unclosed quotation mark has swallowed.
_LONGEST_CELL = 256 << 10
#: Ragged rows beyond which, and beyond this share of all, the file is no table.
_FEW_RAGGED = 20
_RAGGED_SHARE = 0.01
_LABELS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8 with BOM", "gb18030": "GBK / GB 18030", "utf-16": "UTF-16"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Utf8Bytes(io.RawIOBase):
    """The bytes of a text file, unpacked and in UTF-8; what Arrow's CSV reader reads from.

    Raises ``CP-FILE-CORRUPT`` for damaged compression and ``CP-RECORDS-ENCODING`` with the line of the first bad byte.
    """

    def __init__(self, found: FoundFile, codec: str) -> None:
        super().__init__()
        self._found = found
        self._file = pa.OSFile(str(found.path))
        self._stream = pa.CompressedInputStream(self._file, "gzip") if found.gzipped else self._file
        self._decoder = None if codec in ("utf-8", "utf-8-sig") else codecs.getincrementaldecoder(codec)("strict")
        self._codec = codec
        self._lines = 1
        self._left = b""
        self.size = self._file.size()
        #: The last bytes that were given away.
        self.tail = b""

    def readable(self) -> bool:
        return True

    def packed_position(self) -> int:
        """How far the file itself is read, in bytes."""
        return self.size if self._file.closed else int(self._file.tell())

    def read(self, size: int | None = -1) -> bytes:
        wanted = _BLOCK if size is None or size < 0 else size
        while len(self._left) < wanted:
            piece = self._read_piece(wanted)
            if not piece:
                break
            self._left += piece
        given, self._left = self._left[:wanted], self._left[wanted:]
        self.tail = (self.tail + given[-64:])[-64:]
        return given

    def _read_piece(self, size: int) -> bytes:
        try:
            raw = self._stream.read(size)
        except (OSError, pa.ArrowException) as error:
            raise damaged(self._found.path, error) from error
        if self._decoder is None:
            return bytes(raw)
        while True:
            try:
                text = self._decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:
                line = self._lines + raw[: max(0, error.start)].count(b"\n")
                raise undecodable(self._found, self._codec, line) from None
            self._lines += text.count("\n")
            if text or not raw:
                return text.encode("utf-8")
            raw = self._stream.read(size)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def undecodable(found: FoundFile, codec: str, line: int) -> CarbonpanelError:
    """The refusal of a file with a byte that its encoding does not have."""
    return CarbonpanelError(
        "CP-RECORDS-ENCODING",
        f"the text is not {_LABELS.get(codec, codec)} throughout: a byte in this line cannot be read",
        where=Place(file=found.path, row=line),
        remedy="say the encoding with --encoding (utf-8, gb18030, utf-16), or mend the line",
    )


def detect_codec(found: FoundFile, encoding: str | None) -> str:
    """The codec of a text file, told by its first megabyte, or the one given."""
    if encoding is not None:
        try:
            name = codecs.lookup(encoding).name
        except LookupError:
            raise CarbonpanelError(
                "CP-RECORDS-OPTION",
                f"--encoding: '{encoding}' is no encoding",
                remedy="use utf-8, gb18030 (also for GBK and GB 2312) or utf-16",
            ) from None
        # GB 18030 contains the other two, and files said to be in them often hold a character more.
        return "gb18030" if name in ("gbk", "gb2312") else name
    with found.open() as handle:
        head = handle.read(_HEAD_BYTES)
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return codec
    zeros = [head[at:4096:2].count(0) for at in (0, 1)]
    # Neither UTF-8 nor GBK text holds NUL bytes; in UTF-16 they are the upper halves of separators and digits.
    if max(zeros) > 0.01 * len(head[:4096]) and max(zeros) > 8 * min(zeros):
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    for codec in ("utf-8", "gb18030"):
        decoder = codecs.getincrementaldecoder(codec)("strict")
        try:
            text = decoder.decode(head, final=len(head) < _HEAD_BYTES)
        except UnicodeDecodeError as error:
            if codec == "gb18030":
                raise undecodable(found, codec, 1 + head[: error.start].count(b"\n")) from None
            line = 1 + head[: error.start].count(b"\n")
            continue
        if codec == "utf-8" or is_common_chinese(text):
            return codec
        raise undecodable(found, "utf-8", line)
    raise AssertionError("one of the two codecs returns or raises")


def open_text_records(found: FoundFile, kind: str, given: Mapping[str, str], encoding: str | None) -> RecordFile | None:
    """A text file of records, or ``None`` where its columns are separated by a sign that Arrow does not cut at."""
    codec = detect_codec(found, encoding)
    try:
        separator = detect_separator(found.open, codec)
        rows, lines = _head(found, codec, separator)
    except UnicodeDecodeError:
        raise undecodable(found, codec, _first_bad_line(found, codec)) from None
    if len(separator.encode()) > 1 or separator == " ":
        return None
    row = find_header(rows, kind, given)
    if row is None:
        raise CarbonpanelError("CP-FILE-EMPTY", "the file is empty", where=Place(file=found.path))
    header_row, header = row
    if len(header) > MAX_COLUMNS:
        raise too_wide(found.path, len(header))
    columns = map_columns(header, kind, given, Place(file=found.path, row=header_row))
    source = Utf8Bytes(found, codec)
    ragged = RaggedRows()
    skipped = lines[header_row]

    swallowing: list[int] = []

    def note(row: pacsv.InvalidRow) -> str:
        index = row.number - skipped - 1
        ragged.add(index, header_row + 1 + index, row.actual_columns)
        if "\n" in row.text and row.text.count('"') % 2:
            swallowing.append(header_row + 1 + index)
        return "skip"

    def read() -> Iterator[RecordBatch]:
        first = 0
        names = [f"c{at}" for at in range(len(header))]
        last = None
        try:
            for batch in _open_csv(source, names, skipped, separator, columns.positions, note):
                if swallowing:
                    raise _unclosed(found, swallowing[0], None)
                texts = {role: batch.column(f"c{at}") for role, at in columns.positions.items()}
                one = RecordBatch(texts, first, header_row, ragged)
                _check_lengths(one, columns.names, found)
                yield one
                first += batch.num_rows
                if len(ragged.numbers) > max(_FEW_RAGGED, _RAGGED_SHARE * (first + len(ragged.numbers))):
                    raise _too_ragged(found, ragged, len(header))
                last = batch.column(names[-1])[-1].as_py() if batch.num_rows else last
            if swallowing:
                raise _unclosed(found, swallowing[0], None)
            if last is not None and last.endswith(("\n", "\r")) and not source.tail.rstrip().endswith(b'"'):
                raise _unclosed(found, header_row + first + len(ragged.numbers), header[-1])
        except pa.ArrowException as error:
            raise _explain(error, found, codec, header_row + 1 + first + len(ragged.numbers)) from error
        finally:
            source.close()

    form = f"{_LABELS.get(codec, codec)}, '{separator}'-separated".replace("\t", "tab")
    form += ", gzip-compressed" if found.gzipped else ""
    return RecordFile(found, form, header_row, columns, ragged, read(), lambda: (source.packed_position(), source.size))


def _head(found: FoundFile, codec: str, separator: str) -> tuple[list[Row], dict[int, int]]:
    """The first rows, and how many lines of the file each ends at (a quoted cell may hold several)."""
    rows: list[Row] = []
    lines: dict[int, int] = {}
    with io.TextIOWrapper(found.open(), encoding=codec, newline="") as handle:
        text = handle.read(_HEAD_CHARACTERS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for number, cells in enumerate(islice(reader, HEAD_ROWS), start=1):
            lines[number] = reader.line_num
            if any(cell.strip() for cell in cells):
                rows.append((number, cells))
    except csv.Error as error:
        if not rows:
            raise damaged(found.path, error) from error
    return rows, lines


def _open_csv(
    source: Utf8Bytes, names: list[str], skipped: int, separator: str, positions: Mapping[str, int], note: object
) -> Iterator[pa.RecordBatch]:
    # The last column besides those needed: a quotation mark left open in it leaves no other trace.
    wanted = list(dict.fromkeys([*(names[at] for at in positions.values()), names[-1]]))
    try:
        # One thread, so that rows are numbered; matching runs beside it.
        reader = pacsv.open_csv(
            pa.PythonFile(source, mode="r"),
            read_options=pacsv.ReadOptions(block_size=_BLOCK, use_threads=False, column_names=names, skip_rows=skipped),
            parse_options=pacsv.ParseOptions(
                delimiter=separator, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=note
            ),
            convert_options=pacsv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error) or "Could not skip" in str(error):
            return
        raise
    yield from reader


def _check_lengths(batch: RecordBatch, names: Mapping[str, str], found: FoundFile) -> None:
    for role, column in batch.columns.items():
        longest = pc.max(pc.binary_length(column)).as_py() or 0
        if longest > _LONGEST_CELL:
            at = pc.index(pc.binary_length(column), longest).as_py()
            raise _unclosed(found, batch.row(at), names.get(role))


def _unclosed(found: FoundFile, row: int, column: str | None) -> CarbonpanelError:
    return CarbonpanelError(
        "CP-RECORDS-QUOTE",
        "a quotation mark that is not closed has swallowed the rows after it",
        where=Place(file=found.path, row=row, column=column),
        remedy="close or double the quotation mark in this row, or export the file again",
    )


def _too_ragged(found: FoundFile, ragged: RaggedRows, width: int) -> CarbonpanelError:
    return CarbonpanelError(
        "CP-RECORDS-RAGGED",
        f"{len(ragged.numbers):,} rows do not have the {width} cells of the header (this one has {ragged.widths[0]})",
        where=Place(file=found.path, row=ragged.numbers[0]),
        remedy="texts that hold the separator must stand in quotation marks; export the file again",
    )


def _explain(error: pa.ArrowException, found: FoundFile, codec: str, row: int) -> CarbonpanelError:
    said = str(error)
    if "UTF8" in said:
        return undecodable(found, codec, _first_bad_line(found, codec))
    if "straddling" in said or "parser got out of sync" in said:
        return CarbonpanelError(
            "CP-RECORDS-QUOTE",
            "a quotation mark that is not closed has swallowed the rows after it",
            where=Place(file=found.path, row=row),
            remedy="look for it in this row or the ones after it",
        )
    return damaged(found.path, error)


def _first_bad_line(found: FoundFile, codec: str) -> int:
    """The line of the first byte that the codec does not have, by a second pass over the file."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    lines = 1
    source = Utf8Bytes(found, "utf-8")
    try:
        while piece := source.read(1 << 20):
            held = len(decoder.getstate()[0])
            try:
                lines += decoder.decode(piece).count("\n")
            except UnicodeDecodeError as error:
                return lines + piece[: max(0, error.start - held)].count(b"\n")
    finally:
        source.close()
    return lines
