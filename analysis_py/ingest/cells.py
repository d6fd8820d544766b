"""What one cell of a user's file says: a number, a year, nothing, or text that is none of these.

Rules, all stated here once:

- full-width digits, letters and signs are read as their plain forms (Unicode NFKC);
- commas and spaces are accepted between groups of three digits only, so ``1,5`` is not a number;
- ``%`` is accepted where the column's unit is a percentage or a share;
- the marks of :data:`MISSING_MARKS` mean that there is no value;
- nothing is guessed: anything else is text.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: Cell contents (after NFKC, stripped, lower case) that mean "no value".
MISSING_MARKS = frozenset(
    {
        "",
        "-",
        "--",
        "---",
        "—",
        "——",
        "–",
        "…",
        "……",
        "...",
        "......",
        "..",
        ".",
        "/",
        "\\",
        "*",
        "na",
        "n/a",
        "n.a.",
        "#n/a",
    }
    | {"nan", "null", "none", "缺失", "无", "空", "暂无", "暂缺", "无数据", "missing"}
)

_GROUPED = re.compile(r"[+-]?\d{1,3}(?:[, ]\d{3})+(?:\.\d*)?\Z")
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?\Z")
_YEAR = re.compile(r"(\d{4})(?:\.0+)?\s*(?:年度?|年末|年底)?\Z")
_DATE = re.compile(r"(\d{4})[-/.](?:0?1|12)[-/.](?:0?1|31)(?:[ T]0?0:00(?::00)?)?\Z")
_DASHES = str.maketrans({"−": "-", "﹣": "-", "‐": "-", "‑": "-", "\u00a0": " ", "\u2009": " ", "\u202f": " "})

#: Years a file may speak of at all; 20190 or 0 in a year column is a mistake, not a year.
EARLIEST_YEAR = 1900
LATEST_YEAR = 2100


def plain(text: str) -> str:
    """``text`` with full-width forms, odd spaces and minus signs made plain, invisible marks removed, stripped."""
    if text.isascii():
        return text.strip()
    folded = unicodedata.normalize("NFKC", text).translate(_DASHES)
    return folded.replace("\ufeff", "").replace("\u200b", "").replace("\u200c", "").replace("\u200d", "").strip()


def is_missing(text: str, extra: frozenset[str] = frozenset()) -> bool:
    """Whether a cell holds no value: empty, a known mark, or one of the mapping's own marks (plain forms)."""
    if not text:
        return True
    mark = plain(text)
    # NFKC turns the one-character ellipsis into three dots, and the full-width hyphen into '-'.
    return mark.lower() in MISSING_MARKS or mark in extra


@lru_cache(maxsize=65536)
def parse_number(text: str) -> tuple[float, bool] | None:
    """The number a cell holds and whether it carries a percent sign; ``None`` when it is text.

    ``"1,234.5"`` gives ``(1234.5, False)``, ``"12.3%"`` gives ``(12.3, True)``; ``"1,5"``, ``"inf"``, ``"=A1"``
    give ``None``.
    """
    folded = plain(text)
    percent = folded.endswith("%")
    if percent:
        folded = folded[:-1].rstrip()
    if _PLAIN.match(folded):
        value = float(folded)
    elif _GROUPED.match(folded):
        value = float(folded.replace(",", "").replace(" ", ""))
    else:
        return None
    if value in (float("inf"), float("-inf")):
        return None
    return value, percent


@lru_cache(maxsize=4096)
def parse_year(text: str) -> int | None:
    """The calendar year a cell names (``2019``, ``2019.0``, ``2019年``, ``２０１９``, ``2019-12-31``) or ``None``."""
    folded = plain(text)
    match = _YEAR.match(folded) or _DATE.match(folded)
    if match is None:
        return None
    year = int(match.group(1))
    return year if EARLIEST_YEAR <= year <= LATEST_YEAR else None


def shown(text: str, limit: int = 40) -> str:
    """``text`` fit for one line of a message: control characters visible, long text cut."""
    clean = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
