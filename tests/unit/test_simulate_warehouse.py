"""The warehouse measures the demo world as the simulation's own forward measurement does, and finds its truth."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from analysis_py.settings import DEFAULT_SEED, paths
from analysis_py.simulate.defects import plant_defects
from analysis_py.simulate.places import YEARS
from analysis_py.simulate.raw_tables import build_raw_tables
from analysis_py.simulate.remeasure import measure_panel
from analysis_py.simulate.world import STUDY_YEARS, SYMBOLS, draw_world

REFERENCE = paths().seeds / "reference"


@pytest.fixture(scope="module")
def panel(warehouse: Path) -> pd.DataFrame:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        return con.execute("select * from marts.panel_carbon_productivity order by city_code, year").df()


def test_panel_equals_the_forward_measurement(panel: pd.DataFrame) -> None:
    """Two programs, SQL and numpy, written apart: the same cells are missing, the others equal to 1e-12."""
    world = draw_world(DEFAULT_SEED, REFERENCE)
    raw = build_raw_tables(world)
    plant_defects(raw, world, REFERENCE)
    measured = measure_panel(raw, REFERENCE)
    codes = world.places.code[world.places.in_sample]
    assert list(panel["city_code"]) == list(np.repeat(codes, STUDY_YEARS.sum()))
    assert list(panel["year"]) == list(np.tile(YEARS[STUDY_YEARS], len(codes)))
    for symbol in SYMBOLS:
        expected = measured[symbol][world.places.in_sample][:, STUDY_YEARS].ravel()
        found = panel[symbol].to_numpy(float)
        assert np.array_equal(np.isnan(found), np.isnan(expected)), symbol
        known = ~np.isnan(found)
        assert found[known] == pytest.approx(expected[known], rel=1e-12, abs=1e-15), symbol


def test_panel_finds_the_truth_where_nothing_was_spoilt(panel: pd.DataFrame, warehouse: Path) -> None:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        truth = con.execute("select * from truth.truth_city_year order by city_code, year").df()
        spoilt = con.execute(
            "select distinct city_code from truth.truth_defect where city_code <> '' and kind in ('unit_mixup',"
            " 'unit_mixup_hidden', 'impossible_value', 'repeated_value', 'scope_mixup', 'population_mixup',"
            " 'retroactive_scope')"
        ).df()["city_code"]
    both = panel.merge(truth, on=["city_code", "year"], suffixes=("", "_true"), validate="one_to_one")
    both = both[~both["city_code"].isin(spoilt)]
    assert both["city_code"].nunique() > 150
    for symbol in SYMBOLS:
        seen = both[f"{symbol}_reported"].notna()
        assert seen.mean() > (0.7 if symbol == "FI" else 0.9), symbol
        found, expected = both.loc[seen, f"{symbol}_reported"], both.loc[seen, f"{symbol}_true"]
        tolerance = 1e-3 if symbol == "CP" else 1e-7
        assert found.to_numpy(float) == pytest.approx(expected.to_numpy(float), rel=tolerance, abs=1e-9), symbol
