"""What the key cells of flat sources mean: countries, provinces, industries, firms, classes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from analysis_py.ingest.cells import is_missing, plain
from analysis_py.ingest.contract import read_reference
from analysis_py.ingest.flat_contract import FlatColumn
from analysis_py.ingest.places import PlaceKey, place_index
from analysis_py.ingest.units import fold

_COUNTRIES = {
    "CHN": ("chn", "cn", "china", "中国", "中国大陆", "全国", "peoplesrepublicofchina", "mainlandchina", "prc"),
    "USA": ("usa", "us", "unitedstates", "unitedstatesofamerica", "america", "美国"),
}
_TOTALS = frozenset(
    fold(word)
    for word in (
        "total",
        "all",
        "all industries",
        "all sectors",
        "sum",
        "合计",
        "总计",
        "全行业",
        "全部行业",
        "全部",
        "000",
        "0",
    )
)
_FIRM = re.compile(r"(?:(?:sh|sz|bj)[. ]?)?([0-9]{1,6})(?:\.0+)?(?:[. ]?(?:sh|sz|bj|ss|xshg|xshe|oc))?\Z", re.I)
_OTHER_FIRM = re.compile(r"[0-9A-Za-z][0-9A-Za-z.\-]{0,15}\Z")
_A_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}月[0-9]{1,2}日|[0-9]{1,2}-[A-Za-z]{3}\Z")


@dataclass(frozen=True)
class Meaning:
    """The value a cell stands for; without one, ``passed`` says why the row is left out, ``wrong`` what it is not, for
    which the file is refused, ``unplaced`` which place cannot be told."""

    value: str | None = None
    passed: str = ""
    wrong: str = ""
    remedy: str = ""
    unplaced: str = ""
    candidates: tuple[str, ...] = ()


class CodeBook:
    """Reads key cells, each distinct text once."""

    def __init__(self) -> None:
        self._countries = {word: code for code, words in _COUNTRIES.items() for word in words}
        self._industries: dict[str, str] = {}
        self._divisions: dict[str, dict[str, str]] = {"2011": {}, "2002": {}}
        for row in read_reference("seed_ifr_industry"):
            code = row["ifr_code"]
            if row["level"] not in ("sector", "aggregate"):
                for edition, codes in self._divisions.items():
                    for division in (row.get(f"gbt4754_{edition}") or "").split():
                        codes.setdefault(division, code)
            self._industries[plain(code).lower()] = code
            for name in (row["name_en"], row["name_zh"]):
                self._industries.setdefault(fold(name), code)
        self._known: dict[tuple[str, str], Meaning] = {}

    def read(self, column: FlatColumn, text: str) -> Meaning:
        """What a cell of a column means."""
        key = (column.kind if column.classes is None else column.name, text)
        found = self._known.get(key)
        if found is None:
            if len(self._known) > 200_000:
                self._known.clear()
            found = self._known[key] = self._read(column, plain(text))
        return found

    def _read(self, column: FlatColumn, text: str) -> Meaning:
        if is_missing(text):
            if column.kind == "partner":
                return Meaning(passed="whose partner has no stock code")
            return Meaning(
                wrong=column.label_en.lower(),
                remedy="fill the cell in, or remove the row",
            )
        if column.classes is not None:
            value = column.classes.get(fold(text))
            values = tuple(dict.fromkeys(column.classes.values()))
            return (
                Meaning(value)
                if value
                else Meaning(wrong=column.label_en.lower(), remedy=f"write one of: {', '.join(values)}")
            )
        readers = {
            "country": self._country,
            "area": self._area,
            "ifr": self._industry,
            "firm": self._firm,
            "partner": self._firm,
        }
        return readers[column.kind](text) if column.kind in readers else Meaning(text)

    def _country(self, text: str) -> Meaning:
        code = self._countries.get(fold(text))
        return Meaning(code) if code else Meaning(passed="of other countries")

    def _area(self, text: str) -> Meaning:
        code = self._countries.get(fold(text))
        if code:
            return Meaning(code)
        digits = text.replace(".0", "").isdigit()
        found = place_index("province").resolve(PlaceKey(code=text) if digits else PlaceKey(name=text))
        if found.code is not None:
            return Meaning(found.code)
        if found.is_nation:
            return Meaning("CHN")
        return Meaning(unplaced=found.reason, candidates=found.candidates)

    def _industry(self, text: str) -> Meaning:
        dashed = re.sub(r"[–—‑－~至]", "-", text)
        candidates = [dashed.lower(), fold(text)]
        head = re.match(r"([0-9A-Za-z]{1,3}(?:-[0-9A-Za-z]{1,2})?)\s*[-:.、，, ]\s*\D", dashed)
        if head is not None:
            candidates.append(head.group(1).lower())
        for candidate in candidates:
            if candidate in self._industries:
                return Meaning(self._industries[candidate])
        if fold(text) in _TOTALS:
            return Meaning(passed="of all industries together")
        if _A_DATE.match(text):
            remedy = "a spreadsheet has made a date of a code such as 10-12: write it as text"
        else:
            remedy = self._of_other_list(text) or "industries are those of seed_ifr_industry, such as 29 or 10-12"
        return Meaning(wrong="industry of the IFR", remedy=remedy)

    def _of_other_list(self, text: str) -> str:
        """Where the IFR puts a division of GB/T 4754 (``C36``), by edition of that list; '' where it is none."""
        division = re.match(r"[A-Ta-t]?([0-9]{2})\Z", text)
        if division is None:
            return ""
        number = division.group(1)
        found = {edition: codes[number] for edition, codes in self._divisions.items() if number in codes}
        if not found:
            return ""
        told = " or ".join(f"{code} ({edition} edition)" for edition, code in found.items())
        return f"division {number} of GB/T 4754 belongs to {told} of the IFR: add up its divisions under that code"

    def _firm(self, text: str) -> Meaning:
        found = _FIRM.match(text.lstrip("'"))
        if found is not None and not (len(found.group(1)) in range(2, 6) and found.group(1).startswith("0")):
            # A program that takes codes for numbers drops their zeros; five digits with a zero are of another exchange.
            return Meaning(found.group(1).zfill(6))
        if _OTHER_FIRM.match(text) and any(sign.isdigit() for sign in text):
            return Meaning(text.upper())
        return Meaning(wrong="stock code", remedy="write six digits, such as 000001 or 600000.SH")


def is_day(text: str) -> bool:
    """Whether a text is long enough for a whole date, and no more."""
    return sum(sign.isdigit() for sign in plain(text)) >= 6 and len(plain(text)) <= 24


def is_year_end(text: str) -> bool:
    """Whether a date of a report is the last of its year; a year alone is."""
    digits = plain(text)
    return not is_day(digits) or any(end in digits for end in ("12-31", "12/31", "12.31", "1231", "31/12", "12月31"))
