"""The provincial and national tables of the demo world: printed text, the layout they are printed in, and the truth.

``province_tables`` is called by the writer beside the city tables. Nothing here moves a number of the city tables:
every draw has a stream of its own, and GDP with its growth index is the table that ``raw_tables`` sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from analysis_py.simulate.places import YEARS
from analysis_py.simulate.province_defects import COLUMNS as DEFECT_COLUMNS
from analysis_py.simulate.province_defects import plant_province_defects
from analysis_py.simulate.province_layout import (
    EMISSIONS,
    ENERGY,
    NATION,
    SECTORS,
    YEARBOOK,
    indicators,
    layout_rows,
    printed,
    text_columns,
)
from analysis_py.simulate.province_quantities import Provinces, draw_provinces
from analysis_py.simulate.province_truth import province_truth
from analysis_py.simulate.raw_tables import sum_provinces
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.world import World

#: The nation's row in the national yearbook.
NATION_CODE, NATION_NAME = "000000", "全国"
#: Last year of the provincial inventory of emissions.
LAST_INVENTORY_YEAR = 2019


def province_tables(world: World, reference: Path, spoilt: bool = True) -> dict[str, dict[str, pd.DataFrame]]:
    """Folder (``raw``, ``truth``) -> file stem -> table.

    ``raw``: raw_province_yearbook, raw_province_energy, raw_province_sectors, raw_province_emissions,
    raw_national_yearbook as printed text, and the rows of raw_layout for them beyond those of ``layout``.
    ``truth``: truth_province_year, and the rows of truth_defect that were planted here (without their ids); none
    where the tables are not to be ``spoilt``.
    """
    streams = Streams(world.seed)
    gdp = sum_provinces(world, streams)
    provinces = draw_provinces(world, reference, gdp)
    tables = {source: _print(source, provinces.quantity[source]) for source in (YEARBOOK, ENERGY, SECTORS, EMISSIONS)}
    for source in (ENERGY, SECTORS, EMISSIONS):
        for values in tables[source].values():
            values[~provinces.has_energy] = np.nan
    tables[EMISSIONS]["co2_ceads"][:, YEARS > LAST_INVENTORY_YEAR] = np.nan
    defects = plant_province_defects(tables, provinces, streams) if spoilt else pd.DataFrame(columns=DEFECT_COLUMNS)
    raw = {f"raw_{source}": _frame(source, tables[source], provinces) for source in tables}
    raw["raw_province_yearbook"] = _beside(gdp, raw["raw_province_yearbook"])
    raw["raw_national_yearbook"] = _national_frame(_print(NATION, provinces.nation))
    raw["raw_layout"] = layout_rows((*tables, NATION))
    return {
        "raw": raw,
        "truth": {"truth_province_year": province_truth(provinces, reference), "truth_defect": defects},
    }


def _print(source: str, quantity: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: printed(source, name, quantity[name]) for name in indicators(source)}


def _frame(source: str, numbers: dict[str, np.ndarray], provinces: Provinces) -> pd.DataFrame:
    """One row a province and year; provinces the source does not have are left out."""
    years, count = len(YEARS), len(provinces.code)
    frame = pd.DataFrame(
        {
            "province_code": np.repeat(np.array(provinces.code, dtype=object), years),
            "province_name": np.repeat(np.array(provinces.name, dtype=object), years),
            "year": np.tile(YEARS, count),
            **text_columns(source, numbers),
        }
    )
    if source != YEARBOOK:
        frame = frame[np.repeat(provinces.has_energy, years)]
    return frame.reset_index(drop=True)


def _beside(gdp: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """GDP and its growth, as they were printed all along, in front of the other indicators."""
    keys = ["province_code", "province_name", "year"]
    first = gdp.assign(
        gdp=[f"{v:.2f}".rstrip("0").rstrip(".") for v in gdp["gdp"]],
        gdp_index_prev100=[f"{v:.1f}".rstrip("0").rstrip(".") for v in gdp["gdp_index_prev100"]],
    )
    return first.merge(others, on=keys, how="left", validate="one_to_one")


def _national_frame(numbers: dict[str, np.ndarray]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "national_code": NATION_CODE,
            "national_name": NATION_NAME,
            "year": YEARS,
            **text_columns(NATION, numbers),
        }
    )
