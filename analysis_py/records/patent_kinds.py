"""Invention, utility model or design: from a column of types, else from the numbers China gives (since 1985).

Application numbers carry the kind as a digit: the fifth of ``201910123456.7`` (since October 2003), the third of
``98101234.5`` (before): 1 and 8 invention, 2 and 9 utility model, 3 design. Publication numbers carry it as a letter
behind (A, B, C; U, Y; S, D) and as their first digit.
"""

from __future__ import annotations

import re
import unicodedata

INVENTION, UTILITY_MODEL, DESIGN = "invention", "utility_model", "design"
KINDS = (INVENTION, UTILITY_MODEL, DESIGN)
#: Columns that hold numbers.
NUMBER_ROLES = ("id", "publication")
_WORDS = (
    (DESIGN, ("外观", "design")),
    (UTILITY_MODEL, ("实用新型", "新型专利", "utility")),
    (INVENTION, ("发明", "invention", "pct")),
)
_LETTERS = {"a": INVENTION, "b": INVENTION, "c": INVENTION, "u": UTILITY_MODEL, "y": UTILITY_MODEL} | {
    "s": DESIGN,
    "d": DESIGN,
}
_DIGITS = {"1": INVENTION, "8": INVENTION, "2": UTILITY_MODEL, "9": UTILITY_MODEL, "3": DESIGN}
_APPLICATION = re.compile(
    r"(?:CN|ZL)?(?P<core>(?:19|20)[0-9]{2}(?P<new>[0-9])[0-9]{7}|[089][0-9](?P<old>[0-9])[0-9]{5})(?:\.?[0-9X])?[A-Z]?\Z"
)
_PUBLICATION = re.compile(r"CN([0-9]{7,9})([A-Z])[0-9]?\Z")
_OLD_PUBLICATION = re.compile(r"8[5-9]")
_COUNTRY = re.compile(r"([A-Z]{2})[0-9]")


def kind_of_type(text: str) -> str | None:
    """The kind that a cell of a type column says."""
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    for kind, words in _WORDS:
        if any(word in plain for word in words):
            return kind
    return _LETTERS.get(plain[:1]) if len(plain) <= 2 and plain[:1].isalpha() else _DIGITS.get(plain)


def kind_of_numbers(application: str, publication: str) -> str | None:
    """The kind that a Chinese application number, else a publication number says."""
    match = _APPLICATION.match(_number(application))
    if match is not None:
        return _DIGITS.get(match["new"] or match["old"])
    match = _PUBLICATION.match(_number(publication))
    if match is None:
        return None
    by_letter = _LETTERS.get(match[2].lower())
    is_old = len(match[1]) == 8 and _OLD_PUBLICATION.match(match[1])
    return by_letter or _DIGITS.get(match[1][2] if is_old else match[1][0])


def number_pattern(kind: str, role: str) -> str:
    """RE2: matches the numbers (of :data:`NUMBER_ROLES`) that say ``kind``, as China writes them now."""
    if role == "publication":
        letters = "".join(letter.upper() for letter, of in _LETTERS.items() if of == kind)
        return f"^\\s*CN[0-9]{{7,9}}[{letters}]"
    digits = "".join(digit for digit, of in _DIGITS.items() if of == kind)
    check = "(?:\\.?[0-9X])?\\s*$"
    return f"^\\s*(?:CN|ZL)?(?:20[0-9]{{2}}[{digits}][0-9]{{7}}|[089][0-9][{digits}][0-9]{{5}}){check}"


def application_key(application: str) -> str:
    """An application number in one spelling, without its check digit: two publications of it are one patent."""
    number = _number(application)
    match = _APPLICATION.match(number)
    return match["core"] if match else number


def is_foreign(number: str) -> bool:
    """Whether a number begins with the letters of another office than China's."""
    match = _COUNTRY.match(_number(number))
    return match is not None and match[1] not in ("CN", "ZL")


def _number(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).upper().split())
