"""One set of numbers in the forms people have it: the same cells must come out of each. Nothing here is a test."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd

from analysis_py.ingest.contract import read_reference

#: Indicator -> heading with its unit, name a Stata variable can have.
INDICATORS = {
    "gdp": ("地区生产总值(亿元)", "gdp"),
    "gdp_index_prev100": ("地区生产总值指数(上年=100)", "gdp_index"),
    "population_registered": ("年末户籍人口(万人)", "hukou_pop"),
    "land_area": ("行政区域土地面积(平方公里)", "area"),
}
YEARS = tuple(range(2003, 2022))


def city_panel(cities: int = 60) -> pd.DataFrame:
    """A balanced panel: city_code, city_name, year and the four indicators; smooth, so that nothing is quarantined."""
    known = [row for row in read_reference("seed_city") if not row["valid_to"]][:: max(1, 280 // cities)][:cities]
    rows = []
    for at, city in enumerate(known):
        for step, year in enumerate(YEARS):
            level = 300.0 + 37 * at
            values = (round(level * 1.08**step, 2), 107.5, round(200 + 3 * at + 0.25 * step, 2), 5000.0 + 100 * at)
            rows.append((city["city_code"], city["city_name_zh"], year, *values))
    return pd.DataFrame(rows, columns=["city_code", "city_name", "year", *INDICATORS])


def write_gbk_csv(panel: pd.DataFrame, path: Path) -> Path:
    """A row a city and year, an indicator a column, GBK."""
    names = {"city_code": "城市代码", "city_name": "城市", "year": "年份"} | {k: v[0] for k, v in INDICATORS.items()}
    path.write_bytes(
        panel.rename(columns=names).to_csv(index=False, lineterminator="\r\n", float_format="%.10g").encode("gbk")
    )
    return path


def write_wide_xlsx(panel: pd.DataFrame, path: Path) -> Path:
    """A row a city and indicator, a year a column, newest first; a title above and a source below."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["城市统计年鉴"])
    sheet.append(["城市代码", "城市", "指标", *(f"{year}年" for year in reversed(YEARS))])
    for name, (heading, _) in INDICATORS.items():
        for (code, city), group in panel.groupby(["city_code", "city_name"], sort=False):
            values = dict(zip(group["year"], group[name], strict=True))
            sheet.append([code, city, heading, *(values[year] for year in reversed(YEARS))])
    sheet.append([])
    sheet.append(["资料来源：国家统计局"])
    book.save(path)
    return path


def write_long_xlsx(panel: pd.DataFrame, path: Path) -> Path:
    """A row a number, the unit in a column of its own."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["城市代码", "城市", "年份", "指标", "单位", "数值"])
    for row in panel.itertuples(index=False):
        for name, (heading, _) in INDICATORS.items():
            label, _, unit = heading.rstrip(")").partition("(")
            sheet.append([row.city_code, row.city_name, row.year, label, unit, getattr(row, name)])
    book.save(path)
    return path


def write_dta(panel: pd.DataFrame, path: Path) -> Path:
    """A Stata file: short names, the units in the descriptions of the variables."""
    labels = {short: heading for heading, short in INDICATORS.values()}
    frame = panel.rename(columns={name: short for name, (_, short) in INDICATORS.items()})
    frame.to_stata(path, write_index=False, version=118, variable_labels=labels)
    return path


#: Form -> file name and writer.
FORMS = {
    "gbk csv": ("a.csv", write_gbk_csv),
    "wide xlsx": ("wide.xlsx", write_wide_xlsx),
    "long xlsx": ("long.xlsx", write_long_xlsx),
    "dta": ("a.dta", write_dta),
}


def write_form(form: str, folder: Path, cities: int = 60) -> Path:
    """The panel in one of :data:`FORMS`."""
    name, write = FORMS[form]
    return write(city_panel(cities), folder / name)
