"""Names of indicators as yearbooks and databases print them: which source, which indicator, which unit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import analysis_py.ingest.units as units
from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.units import fold, load_dictionary

DICTIONARY = load_dictionary()
CONTRACT = load_contract()
CONTENT: dict[str, Any] = yaml.safe_load(Path(units.__file__).with_name("dictionary.yml").read_text(encoding="utf-8"))

#: source -> lines of 'header -> indicator unit', as they are printed.
PRINTED = {
    "city_yearbook": """
        第一产业增加值(亿元) -> gdp_primary yi_yuan
        第一产业增加值（当年价）（万元） -> gdp_primary 10k_yuan
        地区生产总值:第一产业(亿元) -> gdp_primary yi_yuan
        gdp_primary_100m -> gdp_primary yi_yuan
        GDP: Secondary Industry (million RMB) -> gdp_secondary million_yuan
        第二产业 (亿元) -> gdp_secondary yi_yuan
        Value Added of Secondary Industry (10000 yuan) -> gdp_secondary 10k_yuan
        固定资产投资增速(%) -> fixed_asset_investment_growth growth_pct
        固定资产投资(不含农户)增速 -> fixed_asset_investment_growth growth_pct
        固定资产投资完成额:累计同比(%) -> fixed_asset_investment_growth growth_pct
        Growth rate of fixed asset investment (%) -> fixed_asset_investment_growth growth_pct
        教育支出(万元) -> education_expenditure 10k_yuan
        地方一般公共预算支出中教育支出(万元) -> education_expenditure 10k_yuan
        Expenditure for Education (10 000 yuan) -> education_expenditure 10k_yuan
        境内公路总里程(公里) -> highway_mileage km
        公路里程（千米） -> highway_mileage km
        Length of highways (km) -> highway_mileage km
        工业废水排放量(万吨) -> industrial_wastewater 10k_t
        工业废水排放量(万立方米) -> industrial_wastewater 10k_t
        工业二氧化硫排放量(吨) -> industrial_so2 t
        工业SO2排放量（万吨） -> industrial_so2 10k_t
        工业烟(粉)尘排放量(吨) -> industrial_soot_dust t
        工业烟（粉）尘排放量（万吨） -> industrial_soot_dust 10k_t
        工业烟尘排放量(吨) -> industrial_soot_dust t
        Volume of Industrial Soot (Dust) Emission (tons) -> industrial_soot_dust t
    """,
    "city_energy": """
        液化石油气消费量(万吨) -> energy_lpg 10k_t
        LPG consumption (t) -> energy_lpg t
        能源消费总量(万吨标准煤) -> energy_total 10k_tce
        能源消费总量（标准煤）（万吨） -> energy_total 10k_tce
        能源消耗总量(吨标煤) -> energy_total tce
        Total energy consumption (10 000 tons of standard coal) -> energy_total 10k_tce
        energy consumption (10k_tce) -> energy_total 10k_tce
    """,
    "city_patents": """
        人工智能发明专利申请量(件) -> ai_invention_applications count
        人工智能发明专利申请量(单一关键词)(件) -> ai_invention_applications_single count
        人工智能实用新型专利申请数 -> ai_utility_model_applications None
        人工智能外观设计专利申请量（件） -> ai_design_applications count
        AI invention patents -> ai_invention_applications None
        清洁生产绿色专利申请量(件) -> green_patent_upstream count
        末端治理绿色专利申请量(万件) -> green_patent_end_of_pipe 10k_count
    """,
    "city_construction": """
        建成区绿化覆盖率(%) -> green_coverage pct
        Green Covered Area as Percentage of Completed Area (%) -> green_coverage pct
        城市环境基础设施建设投资额(万元) -> environmental_infrastructure_investment 10k_yuan
        居民家庭用水量(万吨) -> household_water_use 10k_t
        居民家庭用水量（万立方米） -> household_water_use 10k_t
        液化石油气家庭用量(吨) -> household_lpg_use t
        年末实有公共汽(电)车营运车辆数(辆) -> buses count
        公共汽电车运营车辆数(标台) -> buses count
        公共汽车数（万辆） -> buses 10k_count
        污水处理厂集中处理率(%) -> sewage_treatment_rate pct
        生活垃圾无害化处理率(%) -> waste_treatment_rate pct
    """,
    "city_digital": """
        移动电话年末用户数(万户) -> mobile_subscribers 10k_users
        移动电话用户数(户) -> mobile_subscribers users
        Number of subscribers of mobile telephones at year-end (10000 users) -> mobile_subscribers 10k_users
        电信业务收入(万元) -> telecom_revenue 10k_yuan
        移动电话基站数(万个) -> base_stations 10k_count
        移动电话基站数(座) -> base_stations count
        数据中心机架数(架) -> data_centre_racks count
        算力规模(EFLOPS) -> computing_power eflops
        算力规模(PFLOPS) -> computing_power pflops
        算力（P） -> computing_power pflops
        数字普惠金融指数 -> digital_finance_index None
        index_aggregate -> digital_finance_index None
        数字企业数(家) -> digital_enterprises count
    """,
    "city_green_finance": """
        绿色信贷占比(%) -> green_credit pct
        绿色投资(小数) -> green_investment share
        绿色支持占比（比重） -> green_support share
        绿色保险(%) -> green_insurance pct
        绿色债券占比(%) -> green_bonds pct
        绿色基金占比(%) -> green_funds pct
        绿色权益(%) -> green_equity pct
    """,
    "city_reports": """
        政府工作报告环保词频(个) -> environmental_words count
        环保词频数（次） -> environmental_words count
        政府工作报告总词数(词) -> report_words count
    """,
    "city_history": """
        1984年固定电话数(部) -> fixed_telephones count
        固定电话数(1984年)(万部) -> fixed_telephones 10k_count
        tel_1984 -> fixed_telephones None
        自然科学研究人员数(人) -> natural_science_researchers persons
        1984年自然科学研究人员数（万人） -> natural_science_researchers 10k_persons
    """,
    "city_emissions": """
        碳排放量(万吨) -> co2_ceads 10k_t
    """,
    "province_yearbook": """
        地区生产总值(亿元) -> gdp yi_yuan
        第二产业增加值(亿元) -> gdp_secondary yi_yuan
        工业增加值(亿元) -> industrial_value_added yi_yuan
        年末就业人员数(万人) -> employment 10k_persons
        就业人员 第一产业(万人) -> employment_primary 10k_persons
        第三产业就业人员数(万人) -> employment_tertiary 10k_persons
        年末常住人口(万人) -> population_resident 10k_persons
        年末城镇人口(万人) -> population_urban 10k_persons
        固定资本形成总额(亿元) -> fixed_capital_formation yi_yuan
        固定资产投资价格指数(上年=100) -> fixed_asset_price_index index_prev100
        Price Indices of Investment in Fixed Assets (preceding year=100) -> fixed_asset_price_index index_prev100
        工业污染治理完成投资(万元) -> pollution_control_investment 10k_yuan
        软件业务收入(万元) -> software_revenue 10k_yuan
        信息传输、软件和信息技术服务业固定资产投资(亿元) -> information_investment yi_yuan
        规模以上工业企业新产品销售收入(万元) -> new_product_revenue 10k_yuan
        互联网宽带接入用户(万户) -> internet_users 10k_households
        绿色专利申请量(件) -> green_patent_applications count
        全社会固定资产投资(亿元) -> fixed_asset_investment yi_yuan
    """,
    "province_energy": """
        能源消费总量(万吨标准煤) -> energy_total 10k_tce
        外购电力(亿千瓦时) -> electricity_purchased yi_kwh
        外购热力(万吉焦) -> heat_purchased 10k_gj
        外购热力(百亿千焦) -> heat_purchased 10k_gj
        外购热力(万百万千焦) -> heat_purchased 10k_gj
        Purchased heat (GJ) -> heat_purchased gj
        原煤消费量(万吨) -> energy_raw_coal 10k_t
    """,
    "province_sectors": """
        工业原煤消费量(万吨) -> energy_raw_coal_industry 10k_t
        原煤消费量:工业(万吨) -> energy_raw_coal_industry 10k_t
        交通运输、仓储和邮政业汽油消费量(万吨) -> energy_gasoline_transport 10k_t
        建筑业 天然气消费量(亿立方米) -> energy_natural_gas_construction yi_m3
        Diesel oil consumption in construction (10000 tons) -> energy_diesel_construction 10k_t
    """,
    "province_emissions": """
        范围三排放量(万吨) -> co2_scope3_reported 10k_t
        Scope 3 emissions (Mt) -> co2_scope3_reported mt
        二氧化碳排放量(百万吨) -> co2_ceads mt
    """,
    "national_yearbook": """
        互联网宽带接入用户数(万户) -> internet_users 10k_households
        全国互联网宽带接入用户数(万户) -> internet_users 10k_households
        全社会用电量(亿千瓦时) -> energy_electricity yi_kwh
        Electricity consumption (100 million kWh) -> energy_electricity yi_kwh
    """,
}
CASES = [
    (source, *line.strip().rsplit(" -> ", 1))
    for source, lines in PRINTED.items()
    for line in lines.splitlines()
    if line.strip()
]


@pytest.mark.parametrize(("source", "header", "expected"), CASES)
def test_as_it_is_printed(source: str, header: str, expected: str) -> None:
    reading = DICTIONARY.read_header(header, source)
    assert reading is not None, header
    assert not reading.problem, reading.problem
    assert f"{reading.indicator} {reading.unit}" == expected


@pytest.mark.parametrize(
    ("source", "header"),
    [
        ("city_yearbook", "第一产业增加值占GDP的比重(%)"),
        ("city_yearbook", "固定资产投资价格指数(上年=100)"),
        ("city_yearbook", "工业二氧化硫产生量(吨)"),
        ("city_yearbook", "公路客运量(万人)"),
        ("city_yearbook", "移动电话年末用户数(万户)"),
        ("city_construction", "人均公园绿地面积(平方米)"),
        ("city_construction", "液化石油气供气总量(吨)"),
        ("city_digital", "电信业务总量(亿元)"),
        ("city_digital", "数字普惠金融覆盖广度指数"),
        ("city_patents", "人工智能发明专利授权量(件)"),
        ("province_yearbook", "规模以上工业增加值(亿元)"),
        ("province_yearbook", "资本形成总额(亿元)"),
        ("province_sectors", "农业原煤消费量(万吨)"),
        ("national_yearbook", "地区生产总值(亿元)"),
    ],
)
def test_what_only_looks_alike_is_left_alone(source: str, header: str) -> None:
    assert DICTIONARY.read_header(header, source) is None


@pytest.mark.parametrize(
    ("source", "header", "says"),
    [
        ("city_yearbook", "固定资产投资增速(上年=100)", "not a unit of fixed_asset_investment_growth"),
        ("city_yearbook", "公路里程(万元)", "not a unit of highway_mileage"),
        ("city_energy", "能源消费总量(亿千瓦时)", "not a unit of energy_total"),
        ("province_energy", "原煤消费量(万吨标准煤)", "not a unit of energy_raw_coal"),
        ("city_digital", "算力规模(TFLOPS)", "not a known unit"),
        ("city_energy", "原煤消费量(万立方米)", "not a unit of energy_raw_coal"),
    ],
)
def test_units_that_cannot_be(source: str, header: str, says: str) -> None:
    reading = DICTIONARY.read_header(header, source)
    assert reading is not None and reading.is_fatal and says in reading.problem


def test_every_spelling_of_the_dictionary_is_read_for_every_source_that_has_the_indicator() -> None:
    read = 0
    for (source, name), indicator in CONTRACT.indicators.items():
        for spelling in CONTENT["indicators"].get(name, []):
            text = spelling["name"] if isinstance(spelling, dict) else spelling
            reading = DICTIONARY.read_header(text, source)
            assert reading is not None and reading.indicator == name, (source, name, text)
            unit = CONTRACT.units[indicator.unit]
            reading = DICTIONARY.read_header(f"{text} ({unit.label_zh})", source)
            has_own = isinstance(spelling, dict) and spelling["unit"] != indicator.unit
            assert has_own or (reading is not None and reading.indicator == name and not reading.problem), text
            read += 1
    assert read > 1_200


def test_no_spelling_names_two_indicators_of_one_source() -> None:
    seen: dict[tuple[str, str], str] = {}
    composed = units._compose(CONTENT["compositions"])
    for (source, name), indicator in CONTRACT.indicators.items():
        told = [*CONTENT["indicators"].get(name, []), *composed.get(name, [])]
        for text in (name, indicator.label_en, indicator.label_zh, *told):
            key = (source, fold(text["name"] if isinstance(text, dict) else text))
            assert seen.setdefault(key, name) == name, (key, seen[key], name)


def test_every_indicator_has_spellings_in_both_languages() -> None:
    # Columns of the CEADs inventories by fuel are read by their shipped mapping.
    for source, name in CONTRACT.indicators:
        if name.startswith("co2_ceads_"):
            continue
        words = [word for word, (indicator, _) in DICTIONARY.names[source].items() if indicator == name]
        assert sum(word.isascii() for word in words) >= 2, (source, name)
        assert sum(not word.isascii() for word in words) >= 2, (source, name)


def test_the_dictionary_names_only_what_exists() -> None:
    names = {name for _, name in CONTRACT.indicators}
    assert set(CONTENT["indicators"]) <= names and set(CONTENT["units_of"]) <= names
    assert set(units._compose(CONTENT["compositions"])) <= names
    for targets in CONTENT["units"].values():
        assert set(targets) <= set(CONTRACT.units)
    for name, texts in CONTENT["units_of"].items():
        owners = [indicator for (_, own), indicator in CONTRACT.indicators.items() if own == name]
        assert all(CONTRACT.accepts(indicator, unit) for indicator in owners for unit in texts.values())
