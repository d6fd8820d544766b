"""What one cell of a user's file says: a number, a year, nothing, or text that is none of these.

Rules, all stated here once (ways of writing a number: :mod:`analysis_py.ingest.numerals`):

- full-width digits, letters and signs are read as their plain forms;
- the marks of :data:`MISSING_MARKS` mean that there is no value;
- a year is four digits, alone, before 年, in Chinese figures, or as the first or last day of that year;
- nothing is guessed: anything else is text.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from analysis_py.ingest.numerals import narrow, read_number

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
    | {"nan", "null", "none", "缺失", "缺", "无", "空", "空值", "暂无", "暂缺", "无数据", "暂无数据", "不详"}
    | {"missing", "not available", "no data", "nil", "n.d."}
)

_YEAR = re.compile(r"([0-9]{4})(?:\.0+)?\s*(?:年度?|年末|年底)?\Z")
_DATE = re.compile(r"([0-9]{4})[-/.年](?:0?1[-/.月]0?1|12[-/.月]31)日?(?:[ T]0?0:00(?::00(?:\.0+)?)?)?\Z")
_DAY_FIRST = re.compile(r"(?:31[-/.]12|12[-/.]31|0?1[-/.]0?1)[-/.]([0-9]{4})\Z")
_PACKED = re.compile(r"([0-9]{4})(?:1231|0101)\Z")
_FIGURES = re.compile(r"([一二][〇○零一二三四五六七八九]{3})\s*年?(?:度|末|底)?\Z")
_FIGURE = {sign: str(value) for value, signs in enumerate(("〇○零", *"一二三四五六七八九")) for sign in signs}
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
    """The number of a cell that says nothing else, and whether it carries a percent sign; ``None`` when it is text.

    ``"1,234.5"`` gives ``(1234.5, False)``, ``"12.3%"`` gives ``(12.3, True)``; ``"1,5"``, ``"1.2万"``, ``"(3)"``,
    ``"inf"``, ``"=A1"`` give ``None``.
    """
    read = read_number(text)
    if read is None or read.comma_only or read.unit or read.scale != 1.0 or "brackets" in read.kinds:
        return None
    return read.value, read.percent


@lru_cache(maxsize=4096)
def parse_year(text: str) -> int | None:
    """The calendar year a cell names or ``None``.

    ``2019``, ``2019.0``, ``2019年``, ``２０１９``, ``二〇一九年``; its last or first day in any order, since programs
    turn years into dates (``2019-12-31``, ``31/12/2019``, ``20191231``, ``2019-01-01 00:00:00``).
    """
    folded = narrow(text).lstrip("'\u2018\u2019")
    figures = _FIGURES.match(folded)
    if figures is not None:
        folded = "".join(_FIGURE[sign] for sign in figures.group(1))
    for form in (_YEAR, _DATE, _DAY_FIRST, _PACKED):
        match = form.match(folded)
        if match is not None:
            year = int(match.group(1))
            return year if EARLIEST_YEAR <= year <= LATEST_YEAR else None
    return None


def shown(text: str, limit: int = 40) -> str:
    """``text`` fit for one line of a message: control characters visible, long text cut."""
    clean = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
