"""The history of places: every name a prefecture-level entity had in 2000-2023 is placed, or not placed for a stated
reason.

The table of entities (CC BY 4.0) lies beside the project and is read in place.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

import pytest

from analysis_py.ingest.places import PlaceKey, place_index
from tests.unit.ingest_files import REAL

MASTER = REAL / "raw" / "china_city_entity_master_V4.0.csv"
CITY = place_index("city")
_SPAN = re.compile(r"(\d{4})-(\d{4}) ([\u4e00-\u9fff]+)")
_SUFFIX = re.compile(r"(?:市|地区|盟|自治州)\Z")

needs_master = pytest.mark.skipif(
    not MASTER.exists(), reason=f"{MASTER.name} is not beside the project (../shared/real)"
)


@dataclass(frozen=True)
class Name:
    """A name of an entity and the years at whose end it had it."""

    entity: str
    name: str
    province: str
    short_province: str
    first: int
    last: int


def names() -> list[Name]:
    """All names in use at some year-end of 2000-2023, in the order of the table."""
    found = []
    with MASTER.open(encoding="utf-8-sig", newline="") as handle:
        for row in csv.DictReader(handle):
            for first, last, name in _SPAN.findall(row["name_history_year_end"]):
                if int(last) >= 2000 and int(first) <= 2023:
                    span = (max(int(first), 2000), min(int(last), 2023))
                    found.append(Name(row["entity_id"], name, row["province_name_zh"], row["province_short_zh"], *span))
    return found


#: Why an entity has no city: it is of another kind.
KINDS = ("is an autonomous prefecture", "is a prefecture (地区)", "is a league (盟)")
#: Two that shared the name of a city beside them.
DIVIDED = ("柳州地区", "南宁地区")


@pytest.mark.real
@needs_master
def test_every_name_is_placed_or_has_a_reason() -> None:
    unplaced: dict[str, str] = {}
    placed: dict[str, set[str]] = {}
    for one in names():
        for key in (PlaceKey("", one.name, one.province), PlaceKey("", one.name)):
            for year in (one.first, one.last):
                found = CITY.resolve(key, year)
                if found.code is None:
                    unplaced[one.name] = found.reason
                else:
                    placed.setdefault(one.entity, set()).add(found.code)
    assert {name: reason for name, reason in unplaced.items() if not any(kind in reason for kind in KINDS)} == {}
    endings = [re.sub(r".*(自治州|地区|盟)\Z", r"\1", name) for name in unplaced]
    assert (len(placed), {ending: endings.count(ending) for ending in sorted(set(endings))}) == (
        299,
        {"地区": 10, "盟": 3, "自治州": 30},
    )
    # An entity is one place through all its names, and no two entities are the same one.
    assert all(len(codes) == 1 for codes in placed.values())
    codes = [next(iter(codes)) for codes in placed.values()]
    assert len(set(codes)) == len(codes)


@pytest.mark.real
@needs_master
def test_short_names_with_their_province_and_names_with_another_word_for_the_level() -> None:
    lost = []
    for one in names():
        full = CITY.resolve(PlaceKey("", one.name, one.province), one.first)
        if full.code is None:
            continue
        short = _SUFFIX.sub("", one.name)
        for key in (
            PlaceKey("", f"{one.short_province}{short}"),
            PlaceKey("", f"{one.province}{one.name}"),
            PlaceKey("", short, one.short_province),
            PlaceKey("", f"{short}市", one.province),
        ):
            if CITY.resolve(key, one.first).code != full.code:
                lost.append((str(key), CITY.resolve(key, one.first).reason))
    assert lost == []


@pytest.mark.real
@needs_master
def test_no_entity_that_is_no_city_is_taken_for_one_by_a_shorter_name() -> None:
    for one in names():
        if CITY.resolve(PlaceKey("", one.name, one.province), one.first).code is not None:
            continue
        if one.name in DIVIDED:
            continue
        for name in (one.name, _SUFFIX.sub("", one.name), _SUFFIX.sub("州", one.name)):
            found = CITY.resolve(PlaceKey("", name, one.province), one.first)
            assert found.code is None and found.reason, (name, found)


@pytest.mark.parametrize(
    ("name", "year", "code"),
    [
        ("伊克昭盟", 2000, "150600"),
        ("呼伦贝尔盟", 2000, "150700"),
        ("淮阴市", 2000, "320800"),
        ("襄樊市", 2009, "420600"),
        ("思茅地区", 2002, "530800"),
        ("思茅市", 2005, "530800"),
        ("普洱市", 2010, "530800"),
        ("巢湖地区", 2000, "341400"),
        ("百色地区", 2001, "451000"),
    ],
)
def test_former_names(name: str, year: int, code: str) -> None:
    assert CITY.resolve(PlaceKey("", name), year).code == code


@pytest.mark.parametrize(
    ("code", "city"),
    [("152700", "150600"), ("452600", "451000"), ("429001", "421300"), ("533200", "530700"), ("642200", "640400")],
)
def test_codes_of_before_an_upgrade(code: str, city: str) -> None:
    assert CITY.resolve(PlaceKey(code), 2001).code == city
    assert CITY.resolve(PlaceKey(f"{code}000000"), 2001).code == city


@pytest.mark.parametrize(("name", "code"), [("柳州地区", "452200"), ("南宁地区", "452100")])
def test_a_divided_prefecture_is_not_the_city_of_its_name(name: str, code: str) -> None:
    for key in (PlaceKey("", name), PlaceKey(code, name), PlaceKey(code), PlaceKey("", name, "广西")):
        found = CITY.resolve(key, 2001)
        assert found.code is None and "divided in 2002" in found.reason, key
    assert CITY.resolve(PlaceKey("", name.replace("地区", "市")), 2001).code in ("450200", "450100")


def test_merged_cities_are_placed_until_their_end_and_not_into_their_successor() -> None:
    for name, last, successors in (("巢湖市", 2011, {"340100"}), ("莱芜市", 2018, {"370100"})):
        before, after = (CITY.resolve(PlaceKey("", name), year) for year in (last, last + 1))
        assert before.code is not None and before.code not in successors
        assert after.code is None and after.ended and str(last) in after.reason
