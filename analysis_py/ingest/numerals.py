"""Numbers as people write them: full-width, with thousands commas, ``1.2万``, ``(3.4)``, ``12%``, ``9409.4亿元``.

Every way of writing is told by name (:data:`KINDS`), so that a report can say how many cells were understood how.
What can be read in two ways is not decided here: ``1,5`` comes back with ``comma`` set, ``1.2万`` with its ``scale``
apart, and whoever sees the whole column decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

#: Name of a way of writing -> what a report calls it.
KINDS = {
    "full_width": "in full-width digits or signs",
    "thousands": "with thousands commas or spaces",
    "decimal_comma": "with a decimal comma (the whole column is written so)",
    "scaled": "written with 千, 万 or 亿, multiplied out",
    "percent": "with a percent sign",
    "percent_format": "shown as percentages by the workbook, taken as shown",
    "unit": "with their unit in the cell",
    "apostrophe": "behind an apostrophe",
    "brackets": "in brackets, taken as negative",
    "scientific": "in scientific notation",
    "odd_signs": "with special spaces or minus signs",
}

SCALES = {"千": 1e3, "万": 1e4, "百万": 1e6, "千万": 1e7, "亿": 1e8, "万亿": 1e12}

_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\Z")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:([, ])[0-9]{3})(?:\1[0-9]{3})*(?:\.[0-9]*)?\Z")
#: What only a decimal comma explains: not three digits behind it, a zero or four digits before it, or dots in groups.
_COMMA = re.compile(r"[+-]?(?:[0-9]+,[0-9]+|[0-9]{1,3}(?:[. ][0-9]{3})+,[0-9]+)\Z")
_COMMA_ONLY = re.compile(
    r"[+-]?(?:[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|0+,[0-9]+|[0-9]{4,},[0-9]+|[0-9. ]+[. ][0-9 .]*,[0-9]+)\Z"
)
_TAIL = re.compile(r"(.*?[0-9.,])\s*(千万|百万|万亿|千|万|亿)?\s*([^0-9.,+\-\s()][^0-9,]*)?\Z", re.S)
_BRACKETED = re.compile(r"\(\s*([0-9.][0-9., ]*(?:[eE][+-]?[0-9]{1,3})?)\s*(%?)\s*\)\s*(%?)\Z")

#: Forms that mean the same sign; everything else of Unicode's compatibility forms (①, ², ½) changes what is said.
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\u2002\u2003\u2004\u2005\u2006\u2008\u200a\t\r\n"), " ")
_MINUS = dict.fromkeys(map(ord, "\u2212\ufe63\u2010\u2011\u2012\u2013\u2014"), "-")
_GONE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060"), "")
_ODD_SIGNS = frozenset(_SPACES) | frozenset(_MINUS) | frozenset(_GONE)


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number read from a text.

    ``value`` without ``scale``, ``percent`` or ``unit`` applied; ``unit`` the text behind the number that is more than
    a scale or a percent sign (``亿元`` of ``9409.4亿元``); ``comma`` the value under the other reading of its comma (a
    decimal comma), ``comma_only`` when no other reading exists - then ``value`` is NaN. ``kinds`` name the ways of
    writing, keys of :data:`KINDS`.
    """

    value: float
    percent: bool = False
    scale: float = 1.0
    unit: str = ""
    comma: float | None = None
    comma_only: bool = False
    has_point: bool = False
    kinds: tuple[str, ...] = ()


def narrow(text: str) -> str:
    """``text`` with full-width ASCII, odd spaces and minus signs made plain, invisible marks removed, stripped.

    Unlike Unicode's NFKC it leaves superscripts and circled figures alone: ``12①`` is twelve with a footnote.
    """
    if text.isascii():
        return text.strip()
    return text.translate(_FULL_WIDTH).translate(_GONE).translate(_SPACES).translate(_MINUS).strip()


@lru_cache(maxsize=65536)
def read_number(text: str) -> Numeral | None:
    """The number a cell holds, or ``None`` when it is text (``about 10``, ``=A1``, ``inf``, ``12①``)."""
    if _PLAIN.match(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            return None
        is_scientific = "e" in text or "E" in text
        return Numeral(value, has_point="." in text, kinds=("scientific",) if is_scientific else ())
    folded = narrow(text)
    kinds: list[str] = []
    if not text.isascii():
        if any(ord(sign) in _FULL_WIDTH for sign in text):
            kinds.append("full_width")
        elif any(ord(sign) > 127 and ord(sign) in _ODD_SIGNS for sign in text):
            kinds.append("odd_signs")
    if folded[:1] in ("'", "\u2019", "\u2018"):
        folded = folded[1:].lstrip()
        kinds.append("apostrophe")
    if len(folded) > 60 or not any("0" <= sign <= "9" for sign in folded):
        return None
    bracketed = _BRACKETED.match(folded)
    if bracketed is not None:
        folded = f"-{bracketed.group(1).strip()}{bracketed.group(2) or bracketed.group(3)}"
        kinds.append("brackets")
    return _read_folded(folded, kinds)


def _read_folded(folded: str, kinds: list[str]) -> Numeral | None:
    tail = _TAIL.match(folded)
    if tail is None:
        return None
    digits, scale, rest = tail.group(1), tail.group(2), (tail.group(3) or "").strip()
    if digits[:1] in "+-":
        digits = digits[0] + digits[1:].lstrip()
    if rest and digits[-1] in "0123456789" and rest[0] in "eE" and _PLAIN.match(digits + rest):
        digits, rest = digits + rest, ""
    percent = rest == "%"
    if percent:
        rest = ""
        kinds.append("percent")
    if scale is not None and percent:
        return None
    if rest:
        if not rest[0].isalpha():
            return None
        rest, scale = (scale or "") + rest, None
        kinds.append("unit")
    if scale is not None:
        kinds.append("scaled")
    read = _read_digits(digits, kinds)
    if read is None:
        return None
    value, comma, only = read
    return Numeral(
        value,
        percent=percent,
        scale=SCALES[scale] if scale is not None else 1.0,
        unit=rest,
        comma=comma,
        comma_only=only,
        has_point="." in digits and not only,
        kinds=tuple(kinds),
    )


def _read_digits(digits: str, kinds: list[str]) -> tuple[float, float | None, bool] | None:
    """Value, its value under a decimal comma (or None), and whether only that reading exists."""
    if _PLAIN.match(digits):
        if "e" in digits or "E" in digits:
            kinds.append("scientific")
        value = float(digits)
        return None if value in (float("inf"), float("-inf")) else (value, None, False)
    comma: float | None = None
    if _COMMA.match(digits):
        comma = float(digits.replace(".", "").replace(" ", "").replace(",", "."))
    if _GROUPED.match(digits):
        kinds.append("thousands")
        only = _COMMA_ONLY.match(digits) is not None
        value = float(digits.replace(",", "").replace(" ", ""))
        return (float("nan"), comma, True) if only and comma is not None else (value, comma, False)
    return None if comma is None else (float("nan"), comma, True)
