"""The city a record is of, from whatever its file says of the place.

In this order: a code of GB/T 2260 (a county's code is its city's by its first four digits), columns of province, city
and district, a text of the region, the address, the authority that registered the record. The first that names a city
of the panel decides. Whatever is unresolved keeps the reason that the first of them gives.

Names are those of :mod:`analysis_py.ingest.places`, which also says what is no city of the panel. An address must
begin with its place; a county or a county-level city without its city (``昆山市玉山镇``) is not looked up.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analysis_py.ingest import places
from analysis_py.ingest.cells import is_missing
from analysis_py.ingest.contract import read_reference
from analysis_py.ingest.places import PlaceIndex, PlaceKey, Placement, place_index
from analysis_py.records.distinct import count_distinct

#: Roles whose texts are read together; each of the others is read by itself, in the order of :data:`_TEXTS`.
_COLUMNS = ("code", "province", "city", "district")
_TEXTS = ("region", "state_code", "address", "authority")
#: Characters of an address that are looked at: enough for post code, country, province and city.
_ADDRESS_LENGTH = 24
_TO_CITY = rf"(?s)^(?P<head>.{{0,{_ADDRESS_LENGTH}}}?市)"
_POST_CODE = r"^\s*[0-9]{6}\s+"
_MOST_REGIONS = 400_000
#: Unresolved names that are listed one by one; what comes after them is counted together.
_MOST_UNRESOLVED = 5_000
_FURTHER = "(further names)"
#: Ways of naming no city that are explained with near names.
_MOST_EXPLAINED = 2_000
_OUTSIDE = Path(places.__file__).with_name("place_outside_panel.csv")
_COUNTY_CODE = re.compile(r"'?([0-9]{4})([0-9]{2})(?:[0-9]{3}|[0-9]{6})?(?:\.0+)?\Z")
_BEFORE_ADDRESS = re.compile(r"(?:[\s\[(【]*(?:[0-9]{6}|CN|中国|中华人民共和国)[\s\])】,，、]*)+")
_FREE_TRADE_ZONE = re.compile(r"(?:中国)?\((.{2,4}?)\)自由贸易试验区")
_BETWEEN = re.compile(r"[\s·\-—/,，、>|_;；]+")
#: After a short name: a unit of another level, or a road that is called after a city.
_NOT_THE_CITY = re.compile(
    r"(?:[县区旗镇乡市州盟]|(?:[东西南北中]{0,2}[一二三四五六七八九十]*(?:大道|[路街巷里村道桥港湾站])))"
)
_UNIT_FOLLOWS = re.compile(r".{1,6}?(?:[区县市旗镇局]|开发|新城)")


@dataclass(frozen=True)
class Region:
    """One way of naming a place: the text for people, and its city or the reason why there is none."""

    text: str
    city: str | None
    reason: str = ""
    candidates: tuple[str, ...] = ()


class RegionReader:
    """Finds cities for batches of records and remembers every way of naming one; ``regions`` lists them by number."""

    def __init__(self) -> None:
        self.index = place_index("city")
        self.regions: list[Region] = []
        self._known: dict[tuple[str, ...], int] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._years: dict[tuple[str, int], Placement] = {}
        self._unresolved = 0

    def read(self, columns: Mapping[str, pa.StringArray]) -> npt.NDArray[np.int32]:
        """Number of the region of every record of a batch."""
        length = len(next(iter(columns.values())))
        numbers = np.full(length, -1, np.int32)
        together = tuple(role for role in _COLUMNS if role in columns)
        if together:
            numbers = self._read_distinct(together, [columns[role] for role in together])
        for role in _TEXTS:
            if role not in columns:
                continue
            is_open = np.fromiter((self._is_open(number) for number in range(len(self.regions))), bool)
            left = np.flatnonzero(is_open[numbers] | (numbers < 0)) if len(is_open) else np.arange(length)
            if not len(left):
                break
            texts = columns[role].take(pa.array(left))
            found = self._read_distinct((role,), [_heads(texts)])
            has_city = np.array([self.regions[number].city is not None for number in found.tolist()], bool)
            # What was read first gives the reason, unless it said nothing at all.
            takes = (
                has_city | (numbers[left] < 0) | np.array([self._is_silent(n) for n in numbers[left].tolist()], bool)
            )
            numbers[left[takes]] = found[takes]
        return numbers

    def place(self, region: int, year: int) -> Placement:
        """The city of a region in a year; a place that was abolished before it has none."""
        found = self.regions[region]
        if found.city is None:
            return Placement(None, found.reason, found.candidates)
        key = (found.city, year)
        known = self._years.get(key)
        if known is None:
            known = self._years[key] = self.index.resolve(PlaceKey(code=found.city), year)
        return known

    def _is_open(self, number: int) -> bool:
        return self.regions[number].city is None

    def _is_silent(self, number: int) -> bool:
        return number < 0 or not self.regions[number].text

    def _read_distinct(self, roles: tuple[str, ...], arrays: list[pa.StringArray]) -> npt.NDArray[np.int32]:
        """Numbers of the regions that columns name together; each different combination is read once."""
        encoded = [array.dictionary_encode() for array in arrays]
        if len(encoded) == 1:
            distinct_texts = encoded[0].dictionary.to_pylist()
            of_text = np.array([self._number(roles, (text,)) for text in distinct_texts], np.int32)
            return of_text[encoded[0].indices.to_numpy(zero_copy_only=False)]
        combined = np.zeros(len(arrays[0]), np.int64)
        for one in encoded:
            combined = combined * (len(one.dictionary) + 1) + one.indices.to_numpy(zero_copy_only=False)
        distinct, first, _ = count_distinct(combined)
        values = [one.take(pa.array(first)).cast(pa.string()).to_pylist() for one in encoded]
        numbers = np.empty(len(distinct), np.int32)
        # In order of appearance, so that numbers do not depend on how values sort.
        for at in np.argsort(first, kind="stable").tolist():
            numbers[at] = self._number(roles, tuple(column[at] for column in values))
        return numbers[np.searchsorted(distinct, combined)]

    def _number(self, roles: tuple[str, ...], values: tuple[str, ...]) -> int:
        key = (*roles, *values)
        number = self._known.get(key)
        if number is None:
            said = {role: "" if is_missing(value) else value for role, value in zip(roles, values, strict=True)}
            # Looking for near names takes time; where hardly any name is one, they are read as addresses are.
            region = read_region(said, self.index, is_hurried=self._unresolved > _MOST_EXPLAINED)
            self._unresolved += region.city is None
            if len(self._known) >= _MOST_REGIONS:
                self._known.clear()
            number = self._known[key] = self._add(region)
        return number

    def _add(self, region: Region) -> int:
        """Addresses of one city are one region: as many are kept as there are cities and unresolved names."""
        key = (region.city or "", "" if region.city else region.text)
        number = self._numbers.get(key)
        if number is None and region.city is None and len(self._numbers) > _MOST_UNRESOLVED:
            region = Region(_FURTHER, None, "not listed one by one")
            key = ("", _FURTHER)
            number = self._numbers.get(key)
        if number is None:
            self.regions.append(region)
            number = self._numbers[key] = len(self.regions) - 1
        return number


def _heads(texts: pa.StringArray) -> pa.StringArray:
    """As much of each address as tells its city: up to the first 市, which few differ in, or some characters.

    A post code before it is taken off, as :func:`read_address` does.

    What :func:`read_address` says of the head is what it says of the whole: names and units that it looks at end with
    that sign or stand before it.
    """
    texts = pc.replace_substring_regex(texts, pattern=_POST_CODE, replacement="", max_replacements=1)
    to_city = pc.struct_field(pc.extract_regex(texts, pattern=_TO_CITY), [0])
    return pc.coalesce(to_city, pc.utf8_slice_codeunits(texts, 0, _ADDRESS_LENGTH))


def read_region(said: Mapping[str, str], index: PlaceIndex, *, is_hurried: bool = False) -> Region:
    """The place that the cells of one record name; ``said`` maps roles to their texts ('' = nothing).

    A hurried reading of columns does not look for names that are near an unknown one.
    """
    text = " ".join(part for role in (*_COLUMNS[1:], *_TEXTS) if (part := said.get(role, "").strip()))
    code = said.get("code", "").strip()
    label = f"{text} ({code})".strip() if code else text
    if not label:
        return Region("", None, "the record names no place")
    for role in _TEXTS:
        if said.get(role):
            found = read_address(said[role], index)
            label = _cut_label(text)
            break
    else:
        province, city, district = (said.get(role, "") for role in _COLUMNS[1:])
        if is_hurried and not code:
            found = read_address(province + city + district, index)
        else:
            found = _read_columns(code, province, city, district, index)
    return Region(label, found.code, found.reason, found.candidates)


def _cut_label(text: str) -> str:
    """The beginning of an address, up to its first unit: what unresolved addresses are listed under."""
    plain = unicodedata.normalize("NFKC", text).strip()
    plain = plain[match.end() :] if (match := _BEFORE_ADDRESS.match(plain)) else plain
    unit = re.match(r".{1,10}?[市县区旗州盟局]", plain)
    return unit[0] if unit else plain[:8]


def _read_columns(code: str, province: str, city: str, district: str, index: PlaceIndex) -> Placement:
    municipality = _names().municipality(province) or _names().municipality(city)
    of_city = _city_code(code, index)
    if of_city != code and index.resolve(PlaceKey(name=city, province=province)).code in (None, of_city):
        # Beside a county's code stands the county's name as often as the city's.
        return Placement(of_city)
    name = city or ("" if municipality or code else district)
    found = index.resolve(PlaceKey(code=of_city, name=name, province=province))
    if found.code is not None or municipality is None:
        return found
    # Below a municipality are districts, some of them namesakes of cities (朝阳); another city's whole name is none.
    elsewhere = index.resolve(PlaceKey(name=name)) if name.strip().endswith("市") else Placement(None)
    if elsewhere.code not in (None, municipality) or (of_city and index.resolve(PlaceKey(code=of_city)).code):
        return found
    return Placement(municipality)


def _city_code(code: str, index: PlaceIndex) -> str:
    """The code of the city that a county's code lies in; other codes as they are."""
    match = _COUNTY_CODE.match(unicodedata.normalize("NFKC", code).strip())
    if match is None or match[2] == "00":
        return code
    of_city = _names().municipality_by_code.get(match[1][:2], f"{match[1]}00")
    return of_city if index.resolve(PlaceKey(code=of_city)).code is not None else code


def read_address(text: str, index: PlaceIndex) -> Placement:
    """The city that an address, or the name of a public authority, begins with.

    Of several addresses separated by semicolons the first is taken.
    """
    plain = _FREE_TRADE_ZONE.sub(r"\1", unicodedata.normalize("NFKC", text).strip(), count=1)
    plain = plain[match.end() :] if (match := _BEFORE_ADDRESS.match(plain)) else plain
    plain = _BETWEEN.sub("", plain.split(";")[0])
    names = _names()
    province = ""
    for _ in range(2):
        form, kind, code = names.longest(plain, province)
        rest = plain[len(form) :]
        if kind == "city":
            return Placement(code)
        if kind == "short" and _is_city_here(rest, has_province=bool(province)):
            return index.resolve(PlaceKey(code=code))
        if kind == "outside":
            return index.resolve(PlaceKey(name=form))
        if kind != "province" or province:
            break
        municipality = names.municipality_by_code.get(code[:2])
        if municipality is not None:
            return Placement(municipality) if form.endswith("市") or not _NOT_THE_CITY.match(rest) else _no_city(plain)
        province, plain = code, rest
    return _no_city(plain)


def _is_city_here(rest: str, *, has_province: bool) -> bool:
    """Whether a name without its level, before ``rest``, is the city's."""
    if not rest:
        return True
    if _NOT_THE_CITY.match(rest):
        return False
    return has_province or _UNIT_FOLLOWS.match(rest) is not None


def _no_city(text: str) -> Placement:
    return Placement(None, "the text does not begin with a city of the panel" if text else "no city is named")


class _Names:
    """Every name an address may begin with."""

    def __init__(self) -> None:
        self._cities: dict[str, list[tuple[str, str, str]]] = {}
        self.municipality_by_code: dict[str, str] = {}
        self._municipality_names: dict[str, str] = {}
        self._province_of: dict[str, str] = {}
        for row in read_reference("seed_province"):
            short = re.sub(r"(?:壮族|回族|维吾尔)?(?:自治区|省|市)\Z", "", row["name_zh"])
            for form in dict.fromkeys((row["name_zh"], short)):
                self._put(form, "province", row["province_code"])
        for row in read_reference("seed_city"):
            code, name = row["city_code"], row["city_name_zh"]
            self._province_of[code] = row["province_code"]
            if row["is_municipality"] == "1":
                self.municipality_by_code[code[:2]] = code
                self._municipality_names |= {name: code, name.removesuffix("市"): code}
            self._put(name, "city", code)
            if name.endswith("市"):
                self._put(name.removesuffix("市"), "short", code)
        for row in read_reference("seed_city_alias", required=False):
            if row["city_code"] in self._province_of and not row["alias"].isdigit() and not row["alias"].isascii():
                is_whole = row["alias"].endswith(("市", "地区", "盟", "州"))
                self._put(row["alias"], "city" if is_whole else "short", row["city_code"])
        for name in _read_outside():
            self._put(name, "outside", "")

    def _put(self, form: str, kind: str, code: str) -> None:
        entries = self._cities.setdefault(form, [])
        if (kind, code) not in [(k, c) for _, k, c in entries]:
            entries.append((form, kind, code))

    def municipality(self, name: str) -> str | None:
        """The city code of a municipality's name."""
        return self._municipality_names.get(unicodedata.normalize("NFKC", name).strip())

    def longest(self, text: str, province: str) -> tuple[str, str, str]:
        """The longest name ``text`` begins with, its kind and code; within a province only its cities count."""
        for length in range(min(len(text), 14), 1, -1):
            entries = self._cities.get(text[:length], [])
            fitting = [
                entry
                for entry in entries
                if not province or entry[1] == "outside" or self._province_of.get(entry[2]) == province
            ]
            provinces = [entry for entry in fitting if entry[1] == "province"]
            cities = [entry for entry in fitting if entry[1] in ("city", "short")]
            if provinces and not (cities and cities[0][1] == "city"):
                return provinces[0]
            if len(cities) == 1:
                return cities[0]
            if fitting and not cities:
                return fitting[0]
        return "", "", ""


def _read_outside() -> list[str]:
    with _OUTSIDE.open(encoding="utf-8", newline="") as handle:
        return [row["name_zh"] for row in csv.DictReader(handle) if row["kind"] != "divided_prefecture"]


@lru_cache(maxsize=1)
def _names() -> _Names:
    return _Names()
