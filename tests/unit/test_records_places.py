"""Dates and regions of records."""

from __future__ import annotations

import datetime

import pytest

from analysis_py.ingest.places import place_index
from analysis_py.records.dates import MISSING, ODD, RecordDate, read_date
from analysis_py.records.regions import RegionReader, read_address, read_region

DAY = datetime.date(2019, 1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "2019-01-02",
        "2019/1/2",
        "2019.01.02",
        "2019年1月2日",
        "20190102",
        "2019-01-02 08:30:00",
        "2019-01-02T08:30:00Z",
        "２０１９-01-02",
        " '2019-01-02' ",
        "43467",
        "43467.5",
        "1546358400000",
        "20190102083000",
    ],
)
def test_days(text: str) -> None:
    assert read_date(text) == RecordDate(2019, DAY)


@pytest.mark.parametrize("text", ["2019", "2019年", "2019.0", "2019-01", "2019年1月", "02/01/2019", "31.12.2019"])
def test_years(text: str) -> None:
    assert read_date(text) == RecordDate(2019, None)


@pytest.mark.parametrize("text", ["", " ", "-", "--", "N/A", "0000-00-00", "0000-00-00 00:00:00", "无", "暂无", "NULL"])
def test_no_date(text: str) -> None:
    assert read_date(text).year == MISSING


@pytest.mark.parametrize(
    "text",
    [
        "2019-02-30",
        "2019-13-01",
        "2019-00-10",
        "1019-01-01",
        "2919-01-01",
        "soon",
        "20190",
        "201913",
        "20191301",
        "13/13/2019",
        "99999",
        "01-02-19",
        "２０１９x",
        "10,000",
    ],
)
def test_odd_dates_are_never_guessed(text: str) -> None:
    assert read_date(text).year == ODD


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("安徽省合肥市蜀山区黄山路1号", "340100"),
        ("合肥市蜀山区", "340100"),
        ("安徽合肥高新区", "340100"),
        ("合肥高新区长江西路", "340100"),
        ("518057 广东省深圳市南山区", "440300"),
        ("100085 北京市海淀区上地", "110100"),
        ("中国（上海）自由贸易试验区张江路", "310100"),
        ("中国（广东）自由贸易试验区深圳前海", "440300"),
        ("北京市市辖区朝阳区", "110100"),
        ("吉林市船营区", "220200"),
        ("吉林省长春市", "220100"),
        ("内蒙古自治区呼和浩特市", "150100"),
        ("湖北省襄樊市", "420600"),
        ("安徽省 - 合肥市 - 蜀山区", "340100"),
        ("陕西省西安市雁塔区; 北京市海淀区", "610100"),
        ("CN 江苏 南京 210000", "320100"),
        ("辽宁省朝阳市双塔区", "211300"),
        ("深圳市市场监督管理局南山监管局", "440300"),
        ("上海市徐汇区市场监督管理局", "310100"),
        ("重庆;85", "500100"),
    ],
)
def test_addresses(address: str, code: str) -> None:
    assert read_address(address, place_index("city")).code == code


@pytest.mark.parametrize(
    "address",
    [
        "北京东路100号",
        "南京西路街道",
        "朝阳区建国路",
        "芜湖县湾沚镇",
        "浙江省义乌市",
        "昆山市玉山镇",
        "国家市场监督管理总局",
        "广东省市场监督管理局",
        "海南藏族自治州共和县",
        "青海省海南藏族自治州",
        "美国加利福尼亚州",
        "台湾省台北市",
        "广东;44",
        "",
        "云南省大理白族自治州大理市",
        "湖北省仙桃市",
        "San Jose, California",
        "上海路12号",
        "安徽省",
    ],
)
def test_addresses_of_no_city(address: str) -> None:
    placement = read_address(address, place_index("city"))
    assert placement.code is None and placement.reason


@pytest.mark.parametrize(
    ("code", "province", "city", "district", "wanted"),
    [
        ("", "上海", "松江", "", "310100"),
        ("", "北京", "朝阳", "", "110100"),
        ("", "辽宁", "朝阳", "", "211300"),
        ("", "吉林", "吉林", "", "220200"),
        ("", "天津", "市辖区", "和平区", "120100"),
        ("", "", "上海", "", "310100"),
        ("110105", "", "", "", "110100"),
        ("310115000000", "上海", "", "", "310100"),
        ("500235", "", "云阳县", "", "500100"),
        ("440305", "", "", "", "440300"),
        ("340104", "安徽", "合肥", "", "340100"),
        ("", "上海市", "深圳市", "", None),
        ("440300", "", "广州", "", None),
        ("429004", "", "", "", None),
        ("", "湖北", "省直辖县", "", None),
        ("", "", "市辖区", "", None),
        ("", "", "吉林", "", None),
    ],
)
def test_columns(code: str, province: str, city: str, district: str, wanted: str | None) -> None:
    said = {"code": code, "province": province, "city": city, "district": district}
    region = read_region(said, place_index("city"))
    assert region.city == wanted
    assert bool(region.reason) == (wanted is None)


def test_what_columns_do_not_tell_the_address_does() -> None:
    import pyarrow as pa

    reader = RegionReader()
    numbers = reader.read(
        {
            "province": pa.array(["安徽", "安徽", "", "", ""]),
            "city": pa.array(["合肥", "", "", "义乌", ""]),
            "address": pa.array(["广东省深圳市", "安徽省芜湖市镜湖区", "", "浙江省金华市义乌市", "义乌市稠江街道"]),
            "authority": pa.array(["", "", "淮南市市场监督管理局", "", "国家市场监督管理总局"]),
        }
    )
    assert [reader.regions[number].city for number in numbers.tolist()] == [
        "340100",
        "340200",
        "340400",
        "330700",
        None,
    ]
    # The reason that is told is that of the first cell that said anything.
    assert reader.regions[int(numbers[4])].text.startswith("义乌市")


def test_a_place_that_was_abolished_is_none_afterwards() -> None:
    import pyarrow as pa

    reader = RegionReader()
    (number,) = reader.read({"city": pa.array(["巢湖市"])}).tolist()
    assert reader.place(number, 2010).code == "341400"
    after = reader.place(number, 2015)
    assert after.code is None and "abolished in 2011" in after.reason


def test_many_unknown_names_do_not_grow_without_end() -> None:
    import pyarrow as pa

    reader = RegionReader()
    numbers = reader.read({"address": pa.array([f"第{number}个地方" for number in range(12_000)])})
    assert len(reader.regions) < 6_000
    assert all(reader.regions[number].city is None for number in set(numbers.tolist()))


def test_heads_of_addresses_tell_what_whole_ones_do() -> None:
    import random

    import pyarrow as pa

    from analysis_py.ingest.contract import read_reference

    draw = random.Random(1)
    names = [(row["province_name_zh"], row["city_name_zh"]) for row in read_reference("seed_city")]
    addresses = []
    for number in range(3_000):
        province, city = draw.choice(names)
        street = f"{draw.choice('东西南北')}{draw.choice('山河市江')}{draw.choice('区县市')}解放路"
        road = f"{street}{number}号{draw.choice(names)[1]}大厦"
        forms = (province + city, city, f"{number + 230000} {province}{city}", province[:2] + city[:2], city[:2], "")
        addresses.append(draw.choice(forms) + road)
    reader, index = RegionReader(), place_index("city")
    found = [reader.regions[at].city for at in reader.read({"address": pa.array(addresses)}).tolist()]
    assert found == [read_address(address, index).code for address in addresses]
    assert sum(code is not None for code in found) > 1_500
