"""Rows as people read or paste them: aligned text, Markdown, CSV, JSON."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import io
import json
import math
import re
from collections.abc import Sequence

from wcwidth import wcswidth

#: What may follow a sign without being a formula.
_NUMBER = re.compile(r"[+-][0-9.,]+(?:[eE][+-]?[0-9]+)?%?")
FORMATS = ("table", "md", "csv", "json")


def render_rows(columns: Sequence[str], rows: Sequence[Sequence[object]], fmt: str = "table") -> str:
    """``rows`` (one sequence a row, in the order of ``columns``) as text in one of :data:`FORMATS`.

    ``table`` and ``md`` show numbers shortened to 6 significant digits; ``csv`` and ``json`` keep every digit. In
    ``csv`` a text that a spreadsheet program would run as a formula stands behind an apostrophe.
    """
    if fmt == "csv":
        sink = io.StringIO()
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([["" if v is None else _unarmed(v) for v in row] for row in rows])
        return sink.getvalue().rstrip("\n")
    if fmt == "json":
        records = [{c: _json_value(v) for c, v in zip(columns, row, strict=True)} for row in rows]
        return json.dumps(records, ensure_ascii=False, indent=1)
    cells = [[_short(v) for v in row] for row in rows]
    numeric = [
        any(isinstance(row[i], int | float | decimal.Decimal) and not isinstance(row[i], bool) for row in rows)
        for i in range(len(columns))
    ]
    if fmt == "md":
        lines = ["| " + " | ".join(map(_escape_md, columns)) + " |"]
        lines.append("|" + "|".join("---:" if n else "---" for n in numeric) + "|")
        lines.extend("| " + " | ".join(map(_escape_md, row)) + " |" for row in cells)
        return "\n".join(lines)
    widths = [max([_width(columns[i]), *(_width(row[i]) for row in cells)]) for i in range(len(columns))]
    lines = ["  ".join(_pad(columns[i], widths[i], numeric[i]) for i in range(len(columns))).rstrip()]
    lines.append("  ".join("-" * w for w in widths))
    lines.extend("  ".join(_pad(row[i], widths[i], numeric[i]) for i in range(len(columns))).rstrip() for row in cells)
    return "\n".join(lines)


def _short(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        return f"{value:.6g}"
    return _plain(value).replace("\n", " ")


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return str(value)


def _unarmed(value: object) -> str:
    """The text of a value for CSV: texts of users' files may begin like formulas (``=cmd|...``) and must stay texts."""
    text = _plain(value)
    if not isinstance(value, str) or not text.startswith(("=", "@", "\t", "\r", "+", "-")):
        return text
    is_number = _NUMBER.fullmatch(text) is not None or not any(sign.isalnum() for sign in text)
    return text if is_number else f"'{text}"


def _json_value(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [_json_value(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _json_value(v) for k, v in value.items()}
    if isinstance(value, decimal.Decimal):
        return float(value)
    return _plain(value)


def _width(text: str) -> int:
    width = wcswidth(text)
    return width if width >= 0 else len(text)


def _pad(text: str, width: int, right: bool) -> str:
    gap = " " * (width - _width(text))
    return gap + text if right else text + gap


def _escape_md(text: str) -> str:
    return text.replace("|", "\\|")
