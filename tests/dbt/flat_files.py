"""A user's tables of industries and firms as ingest would leave them: two industries, two provinces, three firms."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

_PLACE = {"dataset": "mine", "source_file": "mine.xlsx", "source_sheet": "Sheet1"}

ROBOTS = [
    (country, code, year, installed, stock)
    for country, factor in (("CHN", 1.0), ("USA", 2.0))
    for code, installed, stock in (("29", 10.0 * factor, 60.0 * factor), ("26-27", 5.0 * factor, 40.0 * factor))
    for year in (2012, 2013)
]
EMPLOYMENT = [
    ("110000", "29", 2004, 100.0),
    ("110000", "26-27", 2004, 300.0),
    ("130000", "29", 2004, 100.0),
    ("130000", "26-27", 2004, 100.0),
    ("USA", "29", 1990, 80.0),
    ("USA", "26-27", 1990, 50.0),
]
FIRMS = [
    # code, name, year, city code, city name, industry, assets, revenue, employees, robots
    ("000001", "甲", 2012, None, "石家庄市", "C39", 8e8, 4e8, 1200.0, 30.0),
    ("000001", "甲", 2013, None, "石家庄市", "C39", 9e8, 5e8, 1300.0, 40.0),
    ("000002", "乙", 2013, "130100", "石家庄", "C31", 2e9, 1e9, 900.0, None),
    ("000003", "丙", 2013, "110100", "北京市", "I65", 5e8, 3e8, 400.0, 0.0),
]
ASSETS = [
    ("000001", 2013, "fixed", "房屋及建筑物", 3e8),
    ("000001", 2013, "fixed", "电子设备", 1e8),
    ("000001", 2013, "fixed", "合计", 4e8),
    ("000003", 2013, "intangible", "数据资源", 2e7),
]
LINKS = [("000003", 2013, "000001", "customer", 1e7), ("000003", 2013, "外部", "supplier", 2e7)]


def write_flat_files(data: Path) -> None:
    """Write ``<data>/raw/<source>/mine.parquet`` of the five plain tables."""
    firms = pd.DataFrame(
        FIRMS,
        columns=[
            *("firm_code", "firm_name", "year", "city_code", "city_name", "industry_code"),
            *("total_assets_yuan", "revenue_yuan", "employees_persons", "robots"),
        ],
    ).assign(
        industry_name=None,
        green_patents_upstream=1.0,
        green_patents_end_of_pipe=0.0,
        ai_patents=3.0,
        energy_tce=None,
        co2_t=None,
        smart_manufacturing_pilot_year=None,
    )
    tables = {
        "industry_robots": pd.DataFrame(
            ROBOTS, columns=["country", "ifr_code", "year", "robots_installed", "robots_stock"]
        ),
        "industry_employment": pd.DataFrame(EMPLOYMENT, columns=["area_code", "ifr_code", "year", "employees_persons"]),
        "listed_firms": firms,
        "listed_firm_assets": pd.DataFrame(
            ASSETS, columns=["firm_code", "year", "asset_class", "item_name", "amount_yuan"]
        ),
        "listed_firm_links": pd.DataFrame(LINKS, columns=["firm_code", "year", "partner_code", "role", "amount_yuan"]),
    }
    for source, table in tables.items():
        folder = data / "raw" / source
        folder.mkdir(parents=True, exist_ok=True)
        rows = range(2, len(table) + 2)
        table.assign(**_PLACE, source_row=list(rows)).to_parquet(folder / "mine.parquet", index=False)
