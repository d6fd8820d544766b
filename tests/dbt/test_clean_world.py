"""Inverse measurement: a world printed without defects comes back through the warehouse, cell by cell.

Raw tables are the true quantities printed in yearbook units, under former codes and names, with revisions and rows of
urban districts beside. What staging, selection and filling make of them must be the quantities again; what the marts
derive must be the truths, to the rounding of print.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from analysis_py.locks import FileLock
from analysis_py.settings import DEFAULT_SEED, project_root
from analysis_py.simulate.layout import indicators
from analysis_py.simulate.places import SANSHA, YEARS
from analysis_py.simulate.raw_tables import CITY_SOURCES, RawTables, build_raw_tables
from analysis_py.simulate.world import SYMBOLS, World, draw_world
from analysis_py.warehouse import open_read
from tests.dbt.clean_world import write_clean_project
from tests.dbt.conftest import ROOT, run_dbt

REFERENCE = project_root() / "seeds" / "reference"
#: Printed from other indicators, or with noise of its own: no quantity of the world.
NO_QUANTITY = {"gdp_tertiary_share", "co2_ceads"}


@pytest.fixture(scope="session")
def clean_database(base_folder: Path) -> Path:
    """The unspoilt world with every data test."""
    folder = base_folder / "dbt_clean"
    with FileLock(base_folder / "dbt_clean.lock", purpose="building a test warehouse", wait_seconds=600):
        if not (folder / "done").exists():
            project = write_clean_project(folder / "project")
            result = run_dbt(
                folder,
                "build",
                "--project-dir", str(project),
                "--profiles-dir", str(ROOT),
                "--exclude-resource-type", "unit_test",
            )  # fmt: skip
            assert result.returncode == 0, result.stdout[-4000:]
            (folder / "done").write_text(result.stdout, encoding="utf-8")
    return folder / "warehouse" / "carbonpanel.duckdb"


@pytest.fixture
def clean(clean_database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_read(clean_database) as con:
        yield con


@cache
def world() -> tuple[World, RawTables]:
    drawn = draw_world(DEFAULT_SEED, REFERENCE)
    return drawn, build_raw_tables(drawn)


def grid(frame: pd.DataFrame, column: str) -> np.ndarray:
    """(N, T) values of a long table with city_code and year, NaN where there is no row."""
    places = world()[0].places
    i = np.searchsorted(places.code.astype(str), frame["city_code"].to_numpy(str))
    out = np.full(places.exists.shape, np.nan)
    out[i, frame["year"].to_numpy() - YEARS[0]] = frame[column].to_numpy(float)
    return out


@pytest.mark.parametrize("source", CITY_SOURCES)
def test_every_quantity_comes_back(clean: duckdb.DuckDBPyConnection, source: str) -> None:
    drawn, raw = world()
    cells = clean.execute("select city_code, year, indicator, reported from intermediate.int_city_year_fill").df()
    compared = 0
    for name in indicators(source):
        if name in NO_QUANTITY:
            continue
        printed = ~np.isnan(raw.printed[source][name])
        if name in raw.revised:
            printed |= ~np.isnan(raw.revised[name])
        found = grid(cells[cells["indicator"] == name], "reported")
        assert np.array_equal(~np.isnan(found), printed), name
        assert found[printed] == pytest.approx(drawn.quantity[name][printed], rel=1e-12, abs=1e-12), name
        compared += int(printed.sum())
    assert compared > 10_000 or set(indicators(source)) <= NO_QUANTITY


def test_1984_comes_back(clean: duckdb.DuckDBPyConnection) -> None:
    drawn, _ = world()
    columns = {
        "fixed_telephones": "fixed_telephones_1984_count",
        "natural_science_researchers": "natural_science_researchers_1984_persons",
    }
    table = clean.execute("select * from intermediate.int_city_bases order by city_code").df()
    i = np.searchsorted(drawn.places.code.astype(str), table["city_code"].to_numpy(str))
    there = drawn.places.exists[i, 0]
    for name, column in columns.items():
        found = table[column].to_numpy(float)
        assert found[there] == pytest.approx(drawn.history[name][i][there])
        assert np.isnan(found[~there]).all()
    assert there.sum() > 290


@pytest.mark.parametrize("symbol", [*SYMBOLS, "co2_mt", "gdp_2003_price_yi_yuan"])
def test_symbols_of_carbon_productivity_are_the_truth(clean: duckdb.DuckDBPyConnection, symbol: str) -> None:
    """Every city-year of the panel, but investment after the last printed amount."""
    tolerance = 1e-3 if symbol in {"CP", "co2_mt"} else 1e-7  # fuels are rounded to print; truths to eight digits
    last = 2017 if symbol == "FI" else 2021
    rows, far = clean.execute(
        f"""
        select count(*), count(*) filter (
            where p.{symbol} is null or abs(p.{symbol} - t.{symbol}) > ? * greatest(abs(t.{symbol}), 1e-6)
        )
        from marts.panel_carbon_productivity as p
        inner join truth.truth_city_year as t using (city_code, year)
        where p.year <= ?
        """,
        [tolerance, last],
    ).fetchone()
    assert (rows, far) == (274 * (last - 2002), 0)


#: Relative error that print leaves in a truth: investment after 2017 is printed as growth to a tenth of a percent.
TOLERANCE = {"fixed_asset_investment_extended_yi_yuan": 5e-3, "capital_stock_2006_price_yi_yuan": 2e-3}


def test_measures_are_the_truths(clean: duckdb.DuckDBPyConnection) -> None:
    """Every truth that is a column of the city mart: complete where the truth is, to the digits of the truth."""
    truth = clean.execute("select * from truth.truth_city_year where city_code <> ?", [SANSHA]).df()
    columns = [c for c in truth.columns[2:] if c not in SYMBOLS and not c.endswith("_index") and c != "co2_mt"]
    mart = clean.execute(f"select city_code, year, {', '.join(columns)} from marts.fct_city_year").df()
    both = truth.merge(mart, on=["city_code", "year"], suffixes=("_true", ""), validate="one_to_one")
    assert len(both) == len(truth)
    assert {"capital_stock_2006_price_yi_yuan", "energy_efficiency_10k_yuan_per_tce"} <= set(columns)
    for name in columns:
        true, found = both[f"{name}_true"], both[name].astype(float)
        assert true.notna().equals(found.notna()), name
        gap = (found - true).abs() / true.abs().clip(lower=1e-6)
        assert gap.max() < TOLERANCE.get(name, 1e-7), name
        if name in TOLERANCE:
            assert gap[both["year"] <= 2017].max() < 1e-7, name


def test_indices_are_the_truths(clean: duckdb.DuckDBPyConnection) -> None:
    """Entropy indices of all studies of cities, on their samples, to the digits of the truth."""
    truth = clean.execute("select * from truth.truth_city_year").df()
    values = clean.execute(
        "select study, index_name, unit_code as city_code, year, value from intermediate.int_index_value"
    ).df()
    names = sorted(c for c in truth.columns if c.endswith("_index"))
    assert sorted({f"{s}_{i}_index" for s, i in zip(values["study"], values["index_name"], strict=True)}) == names
    for (study, index), rows in values.groupby(["study", "index_name"]):
        name = f"{study}_{index}_index"
        both = rows.merge(truth[["city_code", "year", name]], on=["city_code", "year"], validate="one_to_one")
        known = both[name].notna()
        assert known.sum() == truth[name].notna().sum() > 1000, name
        assert both["value"].notna().equals(known), name
        assert (both["value"] - both[name]).abs().max() < 1e-7, name


#: Panel -> its symbols and the true column or quantity each is.
PANELS = {
    "panel_yellow_river": {
        "capital_stock": "capital_stock_2006_price_yi_yuan",
        "GDP": "gdp_2006_price_yi_yuan",
        "CO2": "co2_mt",
        "ER": "yellow_river_environmental_regulation_index",
        "green_finance": "yellow_river_green_finance_index",
        "green_consumption": "yellow_river_green_consumption_index",
    },
    "panel_green_tfp": {
        "capital_stock": "capital_stock_2006_price_yi_yuan",
        "GDP": "gdp_2006_price_yi_yuan",
        "CO2": "co2_mt",
        "energy_efficiency": "energy_efficiency_10k_yuan_per_tce",
        "network_infrastructure": "green_tfp_network_infrastructure_index",
        "computing_infrastructure": "green_tfp_computing_infrastructure_index",
        "information_infrastructure": "green_tfp_information_infrastructure_index",
    },
    "panel_green_innovation": {
        "energy_efficiency": "energy_efficiency_10k_yuan_per_tce",
        "emissions": "co2_mt",
        "green_finance": "green_innovation_green_finance_index",
        "digital_infrastructure": "green_innovation_digital_infrastructure_index",
    },
}


@pytest.mark.parametrize(("panel", "symbol"), [(p, s) for p, symbols in PANELS.items() for s in symbols])
def test_panels_hold_the_truths(clean: duckdb.DuckDBPyConnection, panel: str, symbol: str) -> None:
    truth = PANELS[panel][symbol]
    tolerance = 1e-3 if truth == "co2_mt" else TOLERANCE.get(truth, 1e-7)
    rows, empty, far = clean.execute(
        f"""
        select count(*), count(*) filter (where (p.{symbol} is null) <> (t.{truth} is null)),
            count(*) filter (where abs(p.{symbol} - t.{truth}) > ? * greatest(abs(t.{truth}), 1e-2))
        from marts.{panel} as p
        inner join truth.truth_city_year as t using (city_code, year)
        """,
        [tolerance],
    ).fetchone()
    assert rows > 1000
    assert (empty, far) == (0, 0)


def test_robot_exposure_is_the_truth(clean: duckdb.DuckDBPyConnection) -> None:
    names = [f"exposure_{country}_{kind}_per_worker" for country in ("cn", "us") for kind in ("stock", "flow")]
    for name in names:
        rows, far = clean.execute(
            f"""
            select count(*), count(*) filter (where abs(e.{name} - t.{name}) > 1e-9 * greatest(abs(t.{name}), 1e-6))
            from intermediate.int_robot_exposure as e
            inner join truth.truth_robot_exposure as t using (province_code, year)
            where e.{name} is not null
            """
        ).fetchone()
        assert rows > 400, name
        assert far == 0, name


def test_nothing_is_filled_or_set_aside(clean: duckdb.DuckDBPyConnection) -> None:
    """Fills only where a series ends or never was: the island city, inventories, investment after 2017."""
    codes = clean.execute("select distinct fill from intermediate.int_city_year_fill order by fill").fetchall()
    assert [c for (c,) in codes] == ["missing", "observed"] or [c for (c,) in codes] == ["observed"]
    aside = clean.execute(
        "select indicator, reason, count(*) from intermediate.int_city_cells_unresolved where city_code is null "
        "or reason <> 'year_outside_panel' group by all order by all"
    ).fetchall()
    assert aside == []
    island = clean.execute(
        "select count(*) from intermediate.int_city_year_fill where city_code = ? and reported is not null", [SANSHA]
    ).fetchone()
    assert island[0] > 0
