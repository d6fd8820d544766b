"""Which keywords a text holds, exactly or with one character in between.

*Exact*: a form of the keyword is a substring of the plain text. *Tolerant*: it is, or would be if one character were
taken out of its inside (``智能化医疗`` for ``智能医疗``). Both are decided here on the plain text; the regular
expression of :attr:`KeywordMatcher.candidates` runs over raw text first and lets through every text that can hold one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from analysis_py.records.keywords import Keyword
from analysis_py.records.plain_text import folding, in_ranges, plain_text

_RE2 = "\\x{%x}"
#: First code points of what ranges of separators are not widened over: 0, A, a, ideographs, full-width 0, A, a.
_NOT_BRIDGED = (0x30, 0x41, 0x61, 0x4E00, 0xFF10, 0xFF21, 0xFF41)


class Hit(NamedTuple):
    """A keyword (by position in the list) found at ``start:end`` of the plain text."""

    keyword: int
    is_exact: bool
    start: int
    end: int


class KeywordMatcher:
    """Looks for all of ``keywords`` at once."""

    def __init__(self, keywords: Sequence[Keyword]) -> None:
        self.keywords = tuple(keywords)
        forms = [(form, at) for at, keyword in enumerate(self.keywords) for form in keyword.forms]
        self.candidates = _candidate_pattern([form for form, _ in forms])
        # A form is looked for where its first two characters are, side by side or with one between them.
        self._by_start: dict[str, list[tuple[str, int]]] = {}
        for form, at in forms:
            self._by_start.setdefault(form[:2], []).append((form, at))
        self._firsts = re.compile("[" + "".join(re.escape(first) for first in sorted({f[0] for f, _ in forms})) + "]")

    def find(self, text: str) -> list[Hit]:
        """The keywords in a raw ``text``, each once, by position in the list; an exact find goes before a tolerant one.

        The place told is the first of its kind.
        """
        return self.find_plain(plain_text(text))

    def find_plain(self, text: str) -> list[Hit]:
        """As :meth:`find`, for a text that is plain already."""
        found: dict[int, Hit] = {}
        for match in self._firsts.finditer(text):
            start = match.start()
            first, second, third = text[start], text[start + 1 : start + 2], text[start + 2 : start + 3]
            for form, keyword in self._by_start.get(first, ()):
                self._keep(found, Hit(keyword, True, start, start + len(form)))
            for form, keyword in self._by_start.get(first + second, ()) if second else ():
                if text.startswith(form, start):
                    self._keep(found, Hit(keyword, True, start, start + len(form)))
                elif _has_late_gap(text, start, form):
                    self._keep(found, Hit(keyword, False, start, start + len(form) + 1))
            for form, keyword in self._by_start.get(first + third, ()) if third else ():
                if text.startswith(form[1:], start + 2):
                    self._keep(found, Hit(keyword, False, start, start + len(form) + 1))
        return [found[keyword] for keyword in sorted(found)]

    @staticmethod
    def _keep(found: dict[int, Hit], hit: Hit) -> None:
        known = found.get(hit.keyword)
        if known is None or (hit.is_exact and not known.is_exact):
            found[hit.keyword] = hit


def _has_late_gap(text: str, start: int, form: str) -> bool:
    """Whether ``form``, whose first two characters are at ``start``, goes on with one further character inside it."""
    if text[start + len(form) : start + len(form) + 1] != form[-1]:
        return False
    for at in range(2, len(form)):
        if text.startswith(form[at:], start + at + 1):
            return True
        if text[start + at] != form[at]:
            return False
    return False


def _candidate_pattern(forms: Sequence[str]) -> str:
    """RE2: matches every raw text whose plain text holds one of ``forms``, tolerantly; also some that do not.

    Every character may be written in any way that NFKC folds to it, with separators before and after, and one further
    character with its marks in each gap. A code point that NFKC makes several characters of, one of them in a
    keyword, is a candidate by itself; a keyword with a combining mark makes every text one.
    """
    if any(unicodedata.combining(sign) for form in forms for sign in form):
        return "(?s)"
    blank = f"{_between()}*"
    gap = f"{blank}.?{blank}"
    parts = [gap.join(_ways_to_write(sign, blank) for sign in form) for form in forms]
    used = {sign for form in forms for sign in form}
    several = [code for code, signs in folding().several.items() if not used.isdisjoint(signs)]
    if several:
        parts.append(in_ranges(several, _RE2))
    return f"(?s){'|'.join(parts)}"


def _between() -> str:
    """A class of all separators and of all that NFKC may join to the character before; wide, so that it is short.

    Ranges are widened over anything but ASCII letters and digits, their full-width forms, and ideographs: a class of
    few ranges is a small automaton, and what it lets through too much is looked at again.
    """
    table = folding()
    wanted = sorted({*table.gone, *table.joining})
    ranges = [[wanted[0], wanted[0]]]
    for code in wanted[1:]:
        if any(ranges[-1][1] < first < code for first in _NOT_BRIDGED):
            ranges.append([code, code])
        else:
            ranges[-1][1] = code
    return "[" + "".join(f"{_RE2 % first}-{_RE2 % last}" for first, last in ranges) + "]"


def _ways_to_write(sign: str, blank: str) -> str:
    if len(unicodedata.normalize("NFD", sign)) > 1:
        return f".{blank}"
    others = folding().single.get(sign, ())
    return in_ranges((ord(sign), *others), _RE2)
