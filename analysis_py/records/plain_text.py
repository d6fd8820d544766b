"""The text that keywords are looked for in: NFKC, then separators stripped.

Separators are what stands inside a word without being part of it: blanks, line breaks, invisible signs, dashes, middle
dots, underscores, variation selectors. Marks that end a phrase (，；、。 and brackets) are no separators:
``人工、智能`` is two things.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

#: General categories of separators: control, format, space, line, paragraph, dash, connector.
_SEPARATING = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp", "Pd", "Pc"})
#: Middle dots, the minus sign, fillers and variation selectors, whose categories they share with other signs.
_ALSO = frozenset("·•‧∙⋅・−\u034f\u115f\u1160\u17b4\u17b5") | frozenset(
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
)
#: Beyond this code point there are only unassigned ones, tags, selectors and private use: nothing that NFKC changes.
_LAST_CHANGED = 0x3FFFF
_SELECTORS = range(0xE0000, 0xE01F0)


def is_separator(sign: str) -> bool:
    """Whether one character is stripped before matching."""
    return unicodedata.category(sign) in _SEPARATING or sign in _ALSO


def plain_text(text: str) -> str:
    """``text`` in NFKC without separators; letter case is kept."""
    return _separators().sub("", unicodedata.normalize("NFKC", text))


def in_ranges(codes: Iterable[int], template: str) -> str:
    """A regular expression class of code points, each written by ``template`` (``\\\\x{%x}`` for RE2)."""
    ranges: list[list[int]] = []
    for code in sorted(set(codes)):
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    parts = [template % a if a == b else f"{template % a}-{template % b}" for a, b in ranges]
    return f"[{''.join(parts)}]"


@dataclass(frozen=True)
class Folding:
    """What :func:`plain_text` makes of single characters.

    ``gone``: code points of which nothing is left; ``single``: plain character -> code points that become it, itself
    left out; ``several``: code point -> the two or more characters it becomes; ``joining``: code points that NFKC may
    compose with the character before them.
    """

    gone: tuple[int, ...]
    joining: tuple[int, ...]
    single: dict[str, tuple[int, ...]]
    several: dict[int, str]


@lru_cache(maxsize=1)
def folding() -> Folding:
    """The folding of this Python's Unicode tables."""
    gone: list[int] = []
    single: dict[str, list[int]] = {}
    several = {}
    begins: dict[int, str] = {}
    joining = {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}  # Hangul vowels and final consonants: by rule, no table
    gone += _separator_codes()
    for code in range(_LAST_CHANGED + 1):
        sign = chr(code)
        if not unicodedata.decomposition(sign):
            continue
        begins[code] = unicodedata.normalize("NFKD", sign)[0]
        canonical = unicodedata.normalize("NFD", sign)
        joining.update(ord(mark) for mark in canonical[1:])
        left = plain_text(sign)
        if not left:
            gone.append(code)  # a separator itself, perhaps: told twice, which does no harm
        elif len(left) > 1:
            several[code] = left
        elif left != sign:
            single.setdefault(left, []).append(code)
    joining.update(code for code, first in begins.items() if ord(first) in joining)
    return Folding(tuple(gone), tuple(sorted(joining)), {sign: tuple(codes) for sign, codes in single.items()}, several)


@lru_cache(maxsize=1)
def _separator_codes() -> tuple[int, ...]:
    return tuple(code for code in (*range(_LAST_CHANGED + 1), *_SELECTORS) if is_separator(chr(code)))


@lru_cache(maxsize=1)
def _separators() -> re.Pattern[str]:
    return re.compile(in_ranges(_separator_codes(), "\\U%08x") + "+")
