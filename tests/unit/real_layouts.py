"""Files in the layouts that people really have, with simulated numbers: for the how-to page and its tests.

``python -m tests.unit.real_layouts FOLDER`` writes them all. Names of places are real, every number is made up by a
formula, and each file says so in a note or a sheet of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl

NOTE = "注：模拟数据，仅示意版式 (SIMULATED - not evidence about China)"
CITIES = ("合肥市", "芜湖市", "蚌埠市", "淮南市", "马鞍山市", "安庆市")
PROVINCES = ("北京市", "江苏省", "浙江省", "安徽省")
YEARS = tuple(range(2016, 2021))

Rows = list[list[Any]]


def _size(at: int, year: int) -> float:
    """A number that grows by 8 percent a year and is larger for places further down."""
    return round(400 * (at + 1) * 1.08 ** (year - YEARS[0]), 2)


def write_everything(folder: Path) -> list[Path]:
    """Write all files into a folder; their paths in the order of the page."""
    return [
        yearbook_panel(folder),
        database_export(folder),
        provincial_table(folder),
        emission_inventory(folder),
        history(folder),
        own_panel(folder),
        robots(folder),
        accounts(folder),
        assets(folder),
        links(folder),
    ]


def yearbook_panel(folder: Path) -> Path:
    """A compiled yearbook panel in GBK: two faults, a place that is no city, columns of other sources."""
    head = "城市,年份,地区生产总值(亿元),第一产业增加值(亿元),年末户籍人口(万人),公路里程(公里),工业烟(粉)尘排放量(吨)"
    lines = [f"{head},固定资产投资增速(%),移动电话年末用户数(万户)"]
    for at, city in enumerate(CITIES):
        for year in YEARS:
            gdp = _size(at, year) * (10_000 if (city, year) == ("芜湖市", 2018) else 1)
            dust = "-5" if (city, year) == ("安庆市", 2019) else "…" if year == 2020 else f"{2000 + 100 * at}"
            growth = round(9.5 - 1.7 * (year - 2016) + at / 4, 1)
            people = 300 + 20 * at + (year - 2016)
            numbers = (gdp, round(_size(at, year) / 12, 2), people, 9000 + 800 * at, dust, growth, 250 + 10 * at)
            lines.append(",".join([city, str(year), *map(str, numbers)]))
    lines += ["海南藏族自治州,2019,181.6,40.1,47,11000,900,5.5,50", NOTE]
    path = folder / "yearbook_panel.csv"
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode("gbk"))
    return path


def database_export(folder: Path) -> Path:
    """A database's export: an indicator and city a row, a year a column, newest first, numbers as text."""
    units = {
        "GDP(亿元)": 1.0,
        "金融机构各项贷款余额(万元)": 14_000.0,
        "普通高等学校在校学生数(人)": 90.0,
        "工业二氧化硫排放量(吨)": 8.0,
        "电信业务收入(万元)": 130.0,
        "人均GDP(元)": 60.0,
    }
    rows: Rows = [["指标名称(单位)", "地区", *(f"{year}" for year in reversed(YEARS))]]
    for name, factor in units.items():
        for at, city in enumerate(CITIES):
            cells = [f"{_size(at, year) * factor:.2f}" for year in reversed(YEARS)]
            if name.startswith("电信") and at > 3:
                cells[0] = ""
            rows.append([name, city, *cells])
    rows.append([NOTE])
    return _write(folder / "database_export.xlsx", {"Sheet1": rows})


def provincial_table(folder: Path) -> Path:
    """Two tables of a provincial yearbook, a sheet each, with a row of the nation in each."""

    def table(title: str, name: str, factor: float) -> Rows:
        rows: Rows = [[title], ["地区", *(f"{year}年" for year in YEARS)]]
        rows.append(["全国", *(round(sum(_size(at, year) for at in range(40)) * factor) for year in YEARS)])
        rows += [[name, *(round(_size(at + 4, year) * factor) for year in YEARS)] for at, name in enumerate(PROVINCES)]
        return [*rows, [NOTE]]

    sheets = {
        "互联网宽带接入用户(万户)": table("表16-1 分地区互联网宽带接入用户", "users", 0.09),
        "年末就业人员数(万人)": table("表4-1 分地区就业人员", "employed", 1.3),
    }
    return _write(folder / "provincial_yearbook.xlsx", sheets)


def emission_inventory(folder: Path) -> Path:
    """The long sheet of a city emission inventory: province and short name in one cell, Mt."""
    rows: Rows = [["ID", "city", "year", "emission"]]
    short = [f"安徽{city.removesuffix('市')}" for city in CITIES]
    rows += [[at + 1, name, year, round(_size(at, year) / 60, 3)] for at, name in enumerate(short) for year in YEARS]
    return _write(folder / "city_inventory.xlsx", {"emission vector": rows, "note": [[NOTE]]})


def history(folder: Path) -> Path:
    """The cross section of 1984."""
    rows: Rows = [["城市", "1984年固定电话数(部)", "1984年自然科学研究人员数(人)"]]
    rows += [[city, 900 * (at + 1), 120 * (at + 1)] for at, city in enumerate(CITIES)]
    return _write(folder / "history_1984.xlsx", {"1984": [*rows, [NOTE]]})


def own_panel(folder: Path) -> Path:
    """One workbook with everything: cities with columns of six sources, provinces, robots, and a sheet of notes."""
    head = [
        *(
            "城市",
            "年份",
            "地区生产总值(亿元)",
            "第二产业增加值(亿元)",
            "能源消费总量(万吨标准煤)",
            "建成区绿化覆盖率(%)",
        ),
        *("移动电话年末用户数(万户)", "数字普惠金融指数", "绿色信贷占比(%)", "人工智能发明专利申请量(件)", "我的指数"),
    ]
    cities: Rows = [head]
    for at, city in enumerate(CITIES):
        for year in YEARS:
            gdp = _size(at, year)
            numbers = [gdp, round(gdp * 0.45, 2), round(gdp * 0.5, 1), 40.2 + at / 10, 250 + 10 * at]
            cities.append([city, year, *numbers, 220 + 5 * (year - 2016), 4.5, 12 * (at + 1), 0.5])
    provinces: Rows = [["地区", "年份", "固定资本形成总额(亿元)", "能源消费总量(万吨标准煤)"]]
    provinces += [
        [name, year, round(_size(at + 8, year), 1), round(_size(at + 8, year) * 2)]
        for at, name in enumerate(PROVINCES)
        for year in YEARS
    ]
    machines: Rows = [["country", "IFR industry", "year", "installations", "operational stock"]]
    machines += [
        ["CHN", code, year, 100 * at, 900 * at] for at, code in enumerate(("10-12", "28", "29"), 1) for year in YEARS
    ]
    sheets = {"城市": cities, "省份": provinces, "机器人": machines, "说明": [[NOTE]]}
    return _write(folder / "my_panel.xlsx", sheets)


def robots(folder: Path) -> Path:
    """Robots by country and industry with more countries and industries than are wanted."""
    lines = ["Country,Industry,Year,Installations,Operational stock"]
    for country, scale in (("China", 40), ("United States", 12), ("Japan", 9)):
        for at, industry in enumerate(("All industries", "10-12 - Food products and beverages", "29 - Automotive")):
            for year in YEARS:
                stock = -1 if (country, at, year) == ("China", 1, 2017) else scale * 90 * (3 - at) * (year - 2010)
                lines.append(f"{country},{industry},{year},{scale * 20 * (3 - at)},{stock}")
    path = folder / "robots.csv"
    path.write_text("\n".join([*lines, NOTE]) + "\n", encoding="utf-8")
    return path


def accounts(folder: Path) -> Path:
    """A balance sheet as CSMAR exports it: codes, names and units above the rows, interim and parent statements."""
    rows: Rows = [
        ["Stkcd", "ShortName", "Accper", "Typrep", "A001000000"],
        ["证券代码", "证券简称", "会计期间", "报表类型编码", "资产总计"],
        ["没有单位", "没有单位", "没有单位", "没有单位", "元"],
    ]
    for at, (code, name) in enumerate((("900001", "示例甲"), ("900002", "示例乙"), ("900003", "示例丙"))):
        for year in YEARS:
            for day, kind in (("01-01", "A"), ("06-30", "A"), ("12-31", "A"), ("12-31", "B")):
                rows.append([code, name, f"{year}-{day}", kind, f"{_size(at, year) * 1e6:.2f}"])
    return _write(folder / "FS_Combas.xlsx", {"sheet1": [*rows, [NOTE]]})


def assets(folder: Path) -> Path:
    """Items of fixed and intangible assets, a sheet each, in 万元."""
    head = ["证券代码", "会计期间", "项目名称", "期末余额(万元)"]
    kinds = {"固定资产": ("机器设备", "电子设备及计算机"), "无形资产": ("软件", "土地使用权")}
    sheets: dict[str, Rows] = {
        sheet: [head, *([code, f"{year}-12-31", item, round(_size(at, year), 2)]
                for at, code in enumerate(("900001", "900002")) for item in items for year in YEARS)]
        for sheet, items in kinds.items()
    }  # fmt: skip
    sheets["说明"] = [[NOTE]]
    return _write(folder / "asset_items.xlsx", sheets)


def links(folder: Path) -> Path:
    """The five largest customers, most of them not listed."""
    lines = ["证券代码,年份,客户名称,客户证券代码,销售额"]
    for year in YEARS:
        lines.append(f"900001,{year},示例乙,900002,{50_000_000 + year}")
        lines.append(f"900001,{year},某有限公司,,{30_000_000 + year}")
    path = folder / "前五大客户.csv"
    path.write_text("\n".join([*lines, NOTE]) + "\n", encoding="utf-8-sig")
    return path


def _write(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for written in write_everything(target):
        print(written)
