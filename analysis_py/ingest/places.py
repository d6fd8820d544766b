"""Which city or province a row of a user's file speaks of, or why that cannot be said.

A row may give a code, a name, a province, or a province and a short name in one cell (``安徽安庆``). What it gives
must agree. The level of a place is never guessed upward: ``海南藏族自治州`` is neither the province Hainan nor a city,
``巢湖市`` after 2011 is a county-level city, ``吉林`` alone may be the province and is not taken for the city.

Reference tables: ``seed_city``, ``seed_province``, ``seed_city_alias`` (former names and codes, short names) and
``place_outside_panel.csv`` beside this module (prefectures, leagues, autonomous prefectures and county-level units
that are no cities of the panel, GB/T 2260), which gives reasons, never matches.
"""

from __future__ import annotations

import csv
import difflib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from analysis_py.errors import nearest
from analysis_py.ingest.cells import plain
from analysis_py.ingest.contract import read_reference
from analysis_py.ingest.place_words import KINDS, NATION, NATION_CODES, NATION_NAME, NATION_NAMES, ROMANISED, TOTALS

_OUTSIDE = Path(__file__).with_name("place_outside_panel.csv")
_LONG_PROVINCE = re.compile(r"(?:壮族|回族|维吾尔)?(?:自治区|省|市)\Z")
_LEVEL_SUFFIX = re.compile(r"(?:市|地区|盟|自治州|州)\Z")
_OUTSIDE_SUFFIX = re.compile(r"(?:地区|盟|自治州|州)\Z")
_ENGLISH_SUFFIX = re.compile(r"(?:city|shi|municipality)\Z")
#: Likeness (0-1) from which a name is offered as a candidate.
_NEAR = 0.5
#: Names that say nothing of the place itself; beside a code the code alone speaks.
_EMPTY_NAMES = frozenset({"市辖区", "全市", "县"})
#: Answers that are kept while files are read.
_MOST_CACHED = 100_000
_CODE = re.compile(r"(\d{2}|\d{4}|\d{6}|\d{9}|\d{12})(?:\.0+)?\Z")


@dataclass(frozen=True)
class PlaceKey:
    """What a row says about its place, as the file has it ('' = not said)."""

    code: str = ""
    name: str = ""
    province: str = ""

    def __str__(self) -> str:
        said = " ".join(part for part in (self.province, self.name) if part)
        return f"{said} ({self.code})" if said and self.code else said or self.code


@dataclass(frozen=True)
class Placement:
    """The answer: ``code`` of the place, or ``None`` with a ``reason`` and candidates (``安庆市 (340800)``).

    ``note`` says what was remarkable about a place that was found (a former name, an unknown spelling under a known
    code); ``ended`` marks a place that no longer existed in the year of the row, ``is_nation`` the row of the whole
    nation in a table of places.
    """

    code: str | None
    reason: str = ""
    candidates: tuple[str, ...] = ()
    note: str = ""
    ended: bool = False
    is_nation: bool = False


@dataclass(frozen=True)
class _Place:
    code: str
    name: str
    province: str
    last_year: int | None


class PlaceIndex:
    """All places of one level (``city``, ``province``, ``national``) and every name and code they are known by."""

    def __init__(self, level: str, folder: Path | None = None) -> None:
        self.level = level
        self._provinces: dict[str, str] = {}
        self._province_names: dict[str, str] = {}
        self._places: dict[str, _Place] = {}
        self._names: dict[str, set[str]] = {}
        self._former: dict[str, int | None] = {}
        self._codes: dict[str, str] = {}
        self._outside_codes: dict[str, str] = {}
        self._outside_names: list[tuple[str, str, str, str]] = []
        self._cache: dict[tuple[PlaceKey, int | None], Placement] = {}
        self._load_provinces(folder)
        if level == "province":
            for name, code in self._provinces.items():
                self._names.setdefault(name, set()).add(code)
            for code, name in self._province_names.items():
                self._places[code] = _Place(code, name, code, None)
                self._codes[code] = code
        elif level == "national":
            self._places[NATION] = _Place(NATION, NATION_NAME, NATION, None)
        else:
            self._load_cities(folder)
        self._load_outside()

    def _load_provinces(self, folder: Path | None) -> None:
        for row in read_reference("seed_province", folder):
            code, name = row["province_code"], row["name_zh"]
            self._province_names[code] = name
            for form in (name, _LONG_PROVINCE.sub("", name), row["name_en"]):
                self._provinces[_fold(form)] = code
        self._provinces |= {_fold(name): code for name, code in ROMANISED.items()}

    def _load_cities(self, folder: Path | None) -> None:
        for row in read_reference("seed_city", folder):
            code = row["city_code"]
            ended = row.get("valid_to") or ""
            self._places[code] = _Place(
                code, row["city_name_zh"], row["province_code"], int(ended[:4]) if ended else None
            )
            self._codes[code] = code
            if row.get("alt_code"):
                self._codes[row["alt_code"]] = code
            english = {row.get("city_name_en") or "", row.get("city_name_en_unique") or ""}
            for form in (row["city_name_zh"], _LEVEL_SUFFIX.sub("", row["city_name_zh"]), *sorted(english)):
                self._add_name(form, code)
        for row in read_reference("seed_city_alias", folder, required=False):
            alias, code = plain(row["alias"]), row["city_code"]
            if code not in self._places:
                continue
            if alias.isdigit():
                self._codes.setdefault(alias, code)
            else:
                self._add_name(alias, code)
                if (row.get("alias_kind") or "").startswith("former_name"):
                    last = row.get("used_to_year") or ""
                    self._former[_fold(alias)] = int(last) if last else None

    def _add_name(self, name: str, code: str) -> None:
        if name:
            self._names.setdefault(_fold(name), set()).add(code)

    def _load_outside(self) -> None:
        with _OUTSIDE.open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle):
                not_one = "" if row["kind"] == "divided_prefecture" else f", not a {self._wanted}"
                what = f"{row['name_zh']} is {KINDS[row['kind']]}{not_one}"
                self._outside_codes[row["place_code"]] = what
                self._outside_names.append((row["name_zh"], row["short_name_zh"], row["province_code"], what))

    @property
    def _wanted(self) -> str:
        return {"city": "city of the panel", "national": "row of the nation"}.get(self.level, self.level)

    def label(self, code: str) -> str:
        """``安庆市 (340800)``."""
        return f"{self._places[code].name} ({code})"

    def resolve(self, key: PlaceKey, year: int | None = None) -> Placement:
        """The place ``key`` names in ``year``; see the module's rules."""
        found = self._cache.get((key, year))
        if found is None:
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            found = self._cache.get((key, None))
            if found is None:
                found = self._cache[(key, None)] = self._resolve(key, None)
            # Which place it is does not depend on the year; what is said of it may.
            if found.code is not None and year is not None:
                found = self._in_year(self._resolve(key, year), year)
            self._cache[(key, year)] = found
        return found

    def _in_year(self, found: Placement, year: int | None) -> Placement:
        if found.code is None or year is None:
            return found
        last = self._places[found.code].last_year
        if last is None or year <= last:
            return found
        return Placement(None, f"{self.label(found.code)} was abolished in {last}", ended=True)

    def _resolve(self, key: PlaceKey, year: int | None) -> Placement:
        name, province = plain(key.name), plain(key.province)
        code = _standard_code(key.code)
        nation = self._nation(name, code, key)
        if nation is not None:
            return nation
        if code is not None and name in _EMPTY_NAMES:
            name = ""
        province_code = self._provinces.get(_fold(province)) if province else None
        by_name = self._by_name(name, province_code, year) if name else None
        if plain(key.code) and code is None and by_name is None:
            return Placement(None, f"'{key.code}' is not a six-digit code of GB/T 2260")
        if code is None:
            if by_name is None:
                return Placement(None, "the row names no place")
            return by_name
        city = self._codes.get(code)
        if city is None:
            return self._by_unknown_code(code, by_name)
        if by_name is None or by_name.code == city:
            return Placement(city, note=by_name.note if by_name else "")
        if by_name.code is not None:
            return Placement(
                None,
                f"code {code} is {self.label(city)}, but the name is that of {self.label(by_name.code)}",
                (self.label(city), self.label(by_name.code)),
            )
        if by_name.reason.startswith("no ") or self.label(city) in by_name.candidates:
            unknown = by_name.reason.startswith("no ")
            note = f"'{name}' is not a known name of {self.label(city)}; placed by its code" if unknown else ""
            return Placement(city, note=note)
        return Placement(None, f"code {code} is {self.label(city)}, but {by_name.reason}", (self.label(city),))

    def _nation(self, name: str, code: str | None, key: PlaceKey) -> Placement | None:
        """The nation where it is looked for, the reason against it elsewhere; ``None`` where another place may be."""
        is_named = _fold(name) in NATION_NAMES
        if self.level != "national":
            if (is_named and code in (None, *NATION_CODES)) or (code in NATION_CODES and not name):
                return Placement(None, f"'{key}' is a total, the nation, and not a {self._wanted}", is_nation=True)
            return None
        if is_named or code in NATION_CODES:
            return Placement(NATION)
        return Placement(None, f"'{key}' is not the nation (全国)" if str(key) else "the row names no place")

    def _by_unknown_code(self, code: str, by_name: Placement | None) -> Placement:
        if code in self._outside_codes:
            return Placement(None, self._outside_codes[code])
        if code in self._province_names:
            return Placement(None, f"{code} is the province {self._province_names[code]}, not a {self._wanted}")
        if not code.endswith("00") and f"{code[:2]}0000" in self._province_names:
            return Placement(None, f"{code} is a code of county level, not of a {self._wanted}")
        if by_name is None:
            return Placement(None, f"no {self._wanted} has the code {code}", self._near_codes(code))
        if by_name.code is None:
            return by_name
        if self._places[by_name.code].province[:2] != code[:2]:
            return Placement(
                None,
                f"no place has the code {code}, and {self.label(by_name.code)} lies in another province than the code",
                (self.label(by_name.code),),
            )
        return Placement(by_name.code, note=f"code {code} is unknown; {self.label(by_name.code)} placed by its name")

    def _near_codes(self, code: str) -> tuple[str, ...]:
        return tuple(self.label(self._codes[near]) for near in nearest(code, sorted(self._codes), count=3))

    def _by_name(self, name: str, province: str | None, year: int | None) -> Placement:
        folded = _fold(name)
        if folded in TOTALS:
            return Placement(None, f"'{name}' is a total or a group, not a place")
        if self.level == "city" and folded in self._provinces:
            taken = self._province_or_city(name, folded, province)
            if taken is not None:
                return taken
        found = self._match(folded, province, year)
        if found is not None:
            return found
        outside = self._outside(name, province)
        if outside is not None:
            return Placement(None, outside)
        within, rest = self._split_province(name)
        if within is not None and rest:
            if province is not None and within != province:
                return Placement(None, f"'{name}' does not lie in the province given beside it")
            found = self._match(_fold(rest), within, year)
            if found is not None:
                return found
            outside = self._outside(rest, within)
            if outside is not None:
                return Placement(None, outside)
        if name.endswith(("县", "区", "旗")):
            return Placement(None, f"'{name}' is of county level, not a {self._wanted}")
        return Placement(None, f"no {self._wanted} has this name", self._near_names(rest or name, within or province))

    def _province_or_city(self, name: str, folded: str, province: str | None) -> Placement | None:
        """A name that is a province's: itself a city (the municipalities), ambiguous (吉林), or not a city at all."""
        code = self._provinces[folded]
        same = self._names.get(folded, set())
        if any(self._codes.get(code) == city for city in same):
            return None
        if same:
            if province == code:
                return None
            options = tuple(self.label(city) for city in sorted(same))
            return Placement(None, f"'{name}' names both a province and a city; write {options[0]} in full", options)
        return Placement(None, f"'{name}' is the province {self._province_names[code]}, not a {self._wanted}")

    def _match(self, folded: str, province: str | None, year: int | None) -> Placement | None:
        codes = self._names.get(folded)
        if codes is None and any(folded == full for full, *_ in self._outside_names):
            return None
        if codes is None and self.level == "city" and not folded.isascii():
            # 安庆地区 -> 安庆: another word for the same level. Never 县, 区 (below) or 省 (above).
            codes = self._names.get(_LEVEL_SUFFIX.sub("", folded)) if not folded.endswith("自治州") else None
            if codes is not None and _LEVEL_SUFFIX.sub("", folded) in self._provinces:
                codes = None
        if codes is None and folded.isascii():
            codes = self._names.get(_ENGLISH_SUFFIX.sub("", folded))
        if codes is None:
            return None
        inside = sorted(code for code in codes if province is None or self._places[code].province == province)
        if not inside:
            options = tuple(self.label(code) for code in sorted(codes))
            return Placement(None, f"{options[0]} lies in another province than the one given", options)
        if len(inside) > 1:
            options = tuple(self.label(code) for code in inside)
            return Placement(None, f"the name belongs to {len(inside)} cities; give the province or the code", options)
        last = self._former.get(folded)
        note = ""
        if last is not None and year is not None and year > last:
            note = f"'{folded}' is a former name of {self.label(inside[0])}, in use until {last}"
        return Placement(inside[0], note=note)

    def _split_province(self, name: str) -> tuple[str | None, str]:
        """``安徽安庆`` -> (``340000``, ``安庆``); the longest province name that begins the text."""
        folded = _fold(name)
        for form in sorted((n for n in self._provinces if not n.isascii()), key=len, reverse=True):
            if folded.startswith(form) and len(folded) > len(form):
                return self._provinces[form], folded[len(form) :]
        return None, ""

    def _outside(self, name: str, province: str | None) -> str | None:
        folded = _fold(name)
        for full, short, owner, what in self._outside_names:
            if province is not None and owner != province:
                continue
            if folded in (full, short) or _OUTSIDE_SUFFIX.sub("", folded) == short:
                return what
        for _, short, owner, what in self._outside_names:
            if province == owner and folded.startswith(short) and not folded.endswith("市"):
                return what
        return None

    def _near_names(self, name: str, province: str | None) -> tuple[str, ...]:
        if name.isascii():
            hits = nearest(_fold(name), sorted(n for n in self._names if n.isascii()), count=3)
            codes = list(dict.fromkeys(code for hit in hits for code in sorted(self._names[hit])))
        else:
            short = _LEVEL_SUFFIX.sub("", _fold(name))
            scored = []
            for place in self._places.values():
                known = _LEVEL_SUFFIX.sub("", place.name)
                ratio = difflib.SequenceMatcher(None, short, known).ratio()
                if ratio >= _NEAR and province in (None, place.province):
                    # Names of two characters share one with many others; the first one tells more.
                    scored.append((-ratio, known[:1] != short[:1], place.code))
            codes = [code for _, _, code in sorted(scored)[:3]]
        return tuple(self.label(code) for code in codes)


def _fold(name: str) -> str:
    """A name without spaces and letter case."""
    return "".join(plain(name).lower().split())


def _standard_code(text: str) -> str | None:
    """A six-digit code from 2, 4, 6, 9 or 12 digits (``3408`` -> ``340800``, ``340800000000`` -> ``340800``)."""
    match = _CODE.match(plain(text).lstrip("'"))
    if match is None:
        return None
    digits = match.group(1)
    if len(digits) > 6:
        return digits[:6] if not digits[6:].strip("0") else None
    return digits.ljust(6, "0")


@lru_cache(maxsize=8)
def place_index(level: str, folder: Path | None = None) -> PlaceIndex:
    """The index of a level, read once; ``folder`` defaults to the project's reference seeds."""
    return PlaceIndex(level, folder)
