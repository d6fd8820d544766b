"""Which place a row speaks of. The level of a place is never guessed upward."""

from __future__ import annotations

import pytest

from analysis_py.ingest.contract import read_reference
from analysis_py.ingest.places import PlaceKey, place_index

CITY = place_index("city")
PROVINCE = place_index("province")


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (PlaceKey("340800"), "340800"),
        (PlaceKey("340800.0"), "340800"),
        (PlaceKey("'340800"), "340800"),
        (PlaceKey("３４０８００"), "340800"),
        (PlaceKey("3408"), "340800"),
        (PlaceKey("340800000000"), "340800"),
        (PlaceKey("110000"), "110100"),
        (PlaceKey("500000", "重庆市"), "500100"),
        (PlaceKey("500100", "市辖区"), "500100"),
        (PlaceKey("522400", "毕节地区"), "520500"),
        (PlaceKey("", "安庆市"), "340800"),
        (PlaceKey("", " 安 庆 "), "340800"),
        (PlaceKey("", "安庆地区"), "340800"),
        (PlaceKey("", "安徽安庆"), "340800"),
        (PlaceKey("", "安徽省安庆市"), "340800"),
        (PlaceKey("", "安庆", "安徽省"), "340800"),
        (PlaceKey("", "北京"), "110100"),
        (PlaceKey("", "上海市", "上海"), "310100"),
        (PlaceKey("", "内蒙古呼和浩特"), "150100"),
        (PlaceKey("", "吉林市"), "220200"),
        (PlaceKey("", "吉林吉林"), "220200"),
        (PlaceKey("", "吉林", "吉林省"), "220200"),
        (PlaceKey("", "襄樊市"), "420600"),
        (PlaceKey("420600", "襄樊市"), "420600"),
        (PlaceKey("", "思茅市"), "530800"),
        (PlaceKey("", "巴彦淖尔盟"), "150800"),
        (PlaceKey("", "Anqing"), "340800"),
        (PlaceKey("", "beijing city"), "110100"),
        (PlaceKey("", "Suzhou", "Anhui"), "341300"),
        (PlaceKey("", "Suzhou (Jiangsu)"), "320500"),
        (PlaceKey("nonsense", "合肥市"), "340100"),
    ],
)
def test_places_that_are_known(key: PlaceKey, code: str) -> None:
    assert CITY.resolve(key, 2003).code == code


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (PlaceKey("632500", "海南藏族自治州", "青海省"), "autonomous prefecture"),
        (PlaceKey("", "海南藏族自治州"), "autonomous prefecture"),
        (PlaceKey("", "海南州"), "autonomous prefecture"),
        (PlaceKey("", "青海海南"), "autonomous prefecture"),
        (PlaceKey("460000", "海南藏族自治州"), "province 海南省"),
        (PlaceKey("", "海南"), "province 海南省"),
        (PlaceKey("460100", "海南"), "province 海南省"),
        (PlaceKey("", "吉林"), "both a province and a city"),
        (PlaceKey("", "吉林省"), "province 吉林省"),
        (PlaceKey("220000", "吉林市"), "province 吉林省"),
        (PlaceKey("", "湖北恩施州"), "autonomous prefecture"),
        (PlaceKey("", "新疆伊犁州直属县"), "autonomous prefecture"),
        (PlaceKey("", "河南济源"), "county-level city"),
        (PlaceKey("", "新疆阿克苏"), "a prefecture"),
        (PlaceKey("", "大理市"), "no city of the panel"),
        (PlaceKey("", "朝阳区"), "county level"),
        (PlaceKey("", "北京市朝阳区"), "county level"),
        (PlaceKey("", "辽阳县"), "county level"),
        (PlaceKey("340181", "巢湖市"), "county level"),
        (PlaceKey("340802"), "county level"),
        (PlaceKey("341300", "苏州市"), "the name is that of 苏州市"),
        (PlaceKey("341900", "深圳市"), "another province"),
        (PlaceKey("", "Suzhou"), "2 cities"),
        (PlaceKey("", "安庆", "江苏省"), "another province"),
        (PlaceKey("", "安徽安庆", "江苏省"), "does not lie in the province"),
        (PlaceKey("", "全国"), "total"),
        (PlaceKey("", "合计"), "total"),
        (PlaceKey("999999", "Atlantis"), "no city of the panel has this name"),
        (PlaceKey("999999"), "has the code 999999"),
        (PlaceKey("not a code"), "not a six-digit code"),
        (PlaceKey(), "names no place"),
    ],
)
def test_places_that_are_not_guessed(key: PlaceKey, reason: str) -> None:
    found = CITY.resolve(key, 2003)
    assert found.code is None
    assert reason in found.reason


def test_a_place_ends_with_its_abolition() -> None:
    for name, last in (("巢湖市", 2011), ("莱芜市", 2018)):
        assert CITY.resolve(PlaceKey("", name), last).code is not None
        after = CITY.resolve(PlaceKey("", name), last + 1)
        assert after.code is None and after.ended and str(last) in after.reason


def test_former_names_and_unknown_spellings_are_remarked_on() -> None:
    assert CITY.resolve(PlaceKey("", "襄樊市"), 2009).note == ""
    assert "in use until 2010" in CITY.resolve(PlaceKey("", "襄樊市"), 2015).note
    assert "placed by its code" in CITY.resolve(PlaceKey("340100", "Hefey"), 2015).note
    assert "placed by its name" in CITY.resolve(PlaceKey("341900", "合肥市"), 2015).note


def test_candidates_are_near_and_inside_the_province_when_it_is_said() -> None:
    assert "安庆市 (340800)" in CITY.resolve(PlaceKey("", "安徽安床市"), 2015).candidates
    assert CITY.resolve(PlaceKey("", "Hefeii"), 2015).candidates[0] == "合肥市 (340100)"


def test_every_city_and_every_alias_finds_its_own_place() -> None:
    cities = read_reference("seed_city")
    for row in cities:
        for key in (
            PlaceKey(row["city_code"]),
            PlaceKey("", row["city_name_zh"]),
            PlaceKey(row["city_code"], row["city_name_zh"], row["province_name_zh"]),
            PlaceKey("", row["province_name_zh"] + row["city_name_zh"]),
            # Jilin is also the province of that name.
            PlaceKey("", row["city_name_en_unique"], row["province_name_en"]),
        ):
            assert CITY.resolve(key, 2003).code == row["city_code"], key
    for row in read_reference("seed_city_alias"):
        is_code = row["alias"].isdigit()
        province = "" if is_code else next(c["province_name_zh"] for c in cities if c["city_code"] == row["city_code"])
        key = PlaceKey(row["alias"]) if is_code else PlaceKey("", row["alias"], province)
        assert CITY.resolve(key, 2003).code == row["city_code"], key


def test_no_place_outside_the_panel_is_taken_for_a_city() -> None:
    from analysis_py.ingest.places import _OUTSIDE

    for line in _OUTSIDE.read_text(encoding="utf-8").splitlines()[1:]:
        code, name, short, province, _ = line.split(",")
        for key in (PlaceKey(code), PlaceKey("", name), PlaceKey(code, name), PlaceKey("", short)):
            assert CITY.resolve(key, 2010).code is None or key.name in ("东方", "白沙"), key
        assert CITY.resolve(PlaceKey("", short), 2010).code is None, short
        assert province.endswith("0000")


def test_provinces() -> None:
    for key in (
        PlaceKey("340000"),
        PlaceKey("34"),
        PlaceKey("", "安徽"),
        PlaceKey("", "安徽省"),
        PlaceKey("", "ANHUI"),
    ):
        assert PROVINCE.resolve(key, 2010).code == "340000"
    assert PROVINCE.resolve(PlaceKey("", "内蒙古"), 2010).code == "150000"
    assert PROVINCE.resolve(PlaceKey("", "Neimenggu"), 2010).code == "150000"
    assert PROVINCE.resolve(PlaceKey("", "Shaanxi"), 2010).code == "610000"
    assert PROVINCE.resolve(PlaceKey("", "Shanxi"), 2010).code == "140000"
    for key in (PlaceKey("340100"), PlaceKey("", "合肥市"), PlaceKey("", "全国")):
        assert PROVINCE.resolve(key, 2010).code is None
