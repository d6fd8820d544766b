"""A user's files as ingest would leave them: invented round numbers for two real city codes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis_py.specification.user_variables import settle_user_variables

_COLUMNS = [
    "source", "dataset", "city_code", "place_code_raw", "place_name_raw", "year", "indicator", "value", "unit",
    "area_scope", "population_basis", "vintage", "value_text", "source_file", "source_sheet", "source_row",
    "source_column",
]  # fmt: skip

#: Growth in percent by year, of both cities; 2010 is missing for the second one.
GROWTH = dict.fromkeys(range(2001, 2024), 10.0)


def _cell(dataset: str, code: str, year: int, indicator: str, value: float, unit: str, row: int, **other: object):
    source = "city_emissions" if indicator.startswith("co2") else "city_yearbook"
    cell = {
        "source": source, "dataset": dataset, "city_code": code, "place_code_raw": code, "place_name_raw": "x",
        "year": year, "indicator": indicator, "value": value, "unit": unit, "area_scope": "whole_city",
        "population_basis": None, "vintage": "first", "value_text": f"{value:g}", "source_file": f"{dataset}.xlsx",
        "source_sheet": "Sheet1", "source_row": row, "source_column": indicator,
    }  # fmt: skip
    return cell | other


def yearbook_cells() -> list[dict[str, object]]:
    """Beijing and Shijiazhuang: GDP in two units, growth in percent, the tertiary share instead of its amount."""
    cells = []
    keys = [(code, year) for code in ("110100", "130100") for year in range(2000, 2024)]
    for row, (code, year) in enumerate(keys, start=2):
        gdp = 1000.0 + 100 * (year - 2000)
        if year < 2010:
            cells.append(_cell("book", code, year, "gdp", gdp * 1e4, "10k_yuan", row))
        else:
            cells.append(_cell("book", code, year, "gdp", gdp, "yi_yuan", row))
        if year in GROWTH and not (code == "130100" and year == 2010):
            cells.append(_cell("book", code, year, "gdp_index_prev100", GROWTH[year], "growth_pct", row))
        cells.append(_cell("book", code, year, "gdp_tertiary_share", 40.0, "pct", row))
        if year not in (2005, 2006):
            cells.append(_cell("book", code, year, "fiscal_expenditure", gdp / 10, "yi_yuan", row))
    cells.append(_cell("book", "110100", 2005, "fiscal_expenditure", 1.0, "yi_yuan", 90, area_scope="urban_districts"))
    cells.append(_cell("zbook", "110100", 2004, "fiscal_expenditure", 7.0, "yi_yuan", 2))
    return cells


def emission_cells() -> list[dict[str, object]]:
    """CO2 of both cities, 2003-2019."""
    keys = [(code, year) for code in ("110100", "130100") for year in range(2003, 2020)]
    return [_cell("ceads", code, year, "co2_ceads", 10.0, "mt", row) for row, (code, year) in enumerate(keys, start=2)]


def write_user_files(data: Path) -> None:
    """Write ``<data>/raw/city_yearbook/*.parquet`` (two data sets) and ``<data>/raw/city_emissions/ceads.parquet``."""
    frame = pd.DataFrame(yearbook_cells() + emission_cells(), columns=_COLUMNS).astype(
        {"year": "int32", "source_row": "int32", "population_basis": "str", "value": "float64"}
    )
    frame["population_basis"] = None
    for (source, dataset), part in frame.groupby(["source", "dataset"], sort=True):
        folder = data / "raw" / str(source)
        folder.mkdir(parents=True, exist_ok=True)
        part.to_parquet(folder / f"{dataset}.parquet", index=False)


VARIABLES = """
- name: fiscal_share
  table: [fct_city_year, panel_carbon_productivity]
  expression: fiscal_expenditure_yi_yuan / gdp_yi_yuan
  unit: share
  description: Fiscal expenditure over GDP
- name: fiscal_share_gap
  table: panel_carbon_productivity
  expression: fiscal_share - avg(fiscal_share) over (partition by year)
  unit: share
  description: Against the mean of the year
- name: is_large
  table: fct_city_year
  expression: gdp_yi_yuan > 2000
  unit: class
  description: A large economy
"""


def write_user_variables(data: Path) -> None:
    """Write ``<data>/variables.yml`` and settle it, as a refresh does."""
    (data / "variables.yml").write_text(VARIABLES, encoding="utf-8")
    settle_user_variables(data)
