"""Dates of records as their files write them; one that cannot be told is never guessed.

Read are ``2019-01-02`` (also with ``/``, ``.``, a time behind, or no day), ``2019年1月2日``, ``20190102``, ``2019``,
``02/01/2019`` (its year alone is sure), serial days of a spreadsheet (``43467``) and milliseconds since 1970 (13
digits, China time).
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from typing import NamedTuple

from analysis_py.ingest.cells import EARLIEST_YEAR, LATEST_YEAR, is_missing

#: What registries write where there is no date.
_NO_DATE = re.compile(r"0{4}[-/.年]?0{1,2}[-/.月]?0{0,2}日?(?:[ T]0[0:.]*)?\Z|-+\Z")
_YEAR_FIRST = re.compile(
    r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})(?:\s*[-/.月]\s*([0-9]{1,2})\s*日?)?\s*月?(?:[T ].*)?\Z", re.S
)
_PACKED = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:[0-9]{6})?(?:\.0+)?\Z")
_YEAR_LAST = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})(?: .*)?\Z")
_YEAR = re.compile(r"([0-9]{4})(?:\.0+)?\s*年?\Z")
#: Days of 1968 to 2050; other numbers of five digits are something else.
_SERIAL = re.compile(r"((?:2[5-9]|[34][0-9]|5[0-4])[0-9]{3})(?:\.[0-9]+)?\Z")
_MILLISECONDS = re.compile(r"(-?[0-9]{12,13})(?:\.0+)?\Z")
_EPOCH = datetime.datetime(1970, 1, 1)
_CHINA = datetime.timedelta(hours=8)
#: Day 0 of a spreadsheet's serial days (after its leap day that never was).
_SERIAL_EPOCH = datetime.date(1899, 12, 30)

MISSING = 0
ODD = -1


class RecordDate(NamedTuple):
    """``year`` (:data:`MISSING` or :data:`ODD` where there is none) and the day where the text says it."""

    year: int
    day: datetime.date | None = None


def read_date(text: str) -> RecordDate:
    """The date a cell says."""
    plain = unicodedata.normalize("NFKC", text).strip().strip("'\"").strip()
    if is_missing(plain) or _NO_DATE.match(plain):
        return RecordDate(MISSING)
    found = _read(plain)
    return found if found is not None and EARLIEST_YEAR <= found.year <= LATEST_YEAR else RecordDate(ODD)


def _read(text: str) -> RecordDate | None:
    if match := _YEAR.match(text):
        return RecordDate(int(match[1]))
    if match := _PACKED.match(text) or _YEAR_FIRST.match(text):
        year, month, day = (int(part) if part else 0 for part in match.groups())
        return _checked(year, month, day)
    if match := _YEAR_LAST.match(text):
        first, second, year = (int(part) for part in match.groups())
        is_sure = max(first, second) <= 31 and 1 <= min(first, second) <= 12
        return RecordDate(year) if is_sure and EARLIEST_YEAR <= year <= LATEST_YEAR else None
    if match := _SERIAL.match(text):
        day_found = _SERIAL_EPOCH + datetime.timedelta(days=int(match[1]))
        return RecordDate(day_found.year, day_found)
    if match := _MILLISECONDS.match(text):
        at = _EPOCH + datetime.timedelta(milliseconds=int(match[1])) + _CHINA
        return RecordDate(at.year, at.date())
    return None


def _checked(year: int, month: int, day: int) -> RecordDate | None:
    try:
        found = datetime.date(year, month, day or 1)
    except ValueError:
        return None
    return RecordDate(year, found if day else None)
