"""Thirty real provinces: the fuels workbook and ten CEADs inventories, as a user brings them, through ingest and dbt.

The files are read in place and skipped where they are absent; nothing of them is kept in the project.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import yaml

from analysis_py.locks import FileLock
from analysis_py.settings import project_root
from analysis_py.warehouse import open_read
from tests.conftest import SHARED, places, run_cli
from tests.dbt.conftest import run_dbt

RAW = SHARED / "real" / "raw"
FUELS = RAW / "province_energy_by_fuel_2003_2022.xlsx"
YEARS = range(2010, 2020)
INVENTORIES = [RAW / f"Emission_Inventories_for_30_Provinces_{year}.xlsx" for year in YEARS]
POWER = ("--mapping", "ceads_province_power", "--dataset")
MODELS = ("fct_province_year", "panel_province_transition", "province_co2_comparison", "province_co2_fuel_comparison")

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not all(file.is_file() for file in (FUELS, *INVENTORIES)),
        reason=f"the provincial files are not in {RAW}",
    ),
]


def user_inputs() -> dict[str, str]:
    """Every source of the project: none, but for the two that are brought."""
    project = yaml.safe_load((project_root() / "dbt_project.yml").read_text(encoding="utf-8"))
    brought = {"province_energy": "user", "province_emissions": "user"}
    return dict.fromkeys(project["vars"]["inputs"], "none") | brought


@pytest.fixture(scope="session")
def province_database(base_folder: Path) -> Path:
    """The warehouse of the real provinces alone, with the data tests of its models."""
    folder = base_folder / "dbt_provinces"
    with FileLock(base_folder / "dbt_provinces.lock", purpose="building the real provinces", wait_seconds=600):
        if not (folder / "done").exists():
            environment = places(folder)
            for arguments in (
                [str(FUELS), "--as", "province_energy"],
                [*map(str, INVENTORIES), "--as", "province_emissions"],
                *(
                    [str(file), "--as", "province_emissions", *POWER, f"ceads_power_{year}"]
                    for year, file in zip(YEARS, INVENTORIES, strict=True)
                ),
            ):
                told = run_cli("ingest", *arguments, env=environment)
                assert told.returncode == 0, told.stdout + told.stderr
            result = run_dbt(
                folder,
                "build",
                "--vars", json.dumps({"inputs": user_inputs()}),
                "--select", *(f"+{model}" for model in MODELS),
                "--indirect-selection", "cautious",
                "--exclude-resource-type", "unit_test",
                data=folder / "data",
            )  # fmt: skip
            assert result.returncode == 0, result.stdout[-4000:]
            (folder / "done").write_text(result.stdout, encoding="utf-8")
    return folder / "warehouse" / "carbonpanel.duckdb"


@pytest.fixture
def real(province_database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_read(province_database) as con:
        yield con


def test_final_consumption_is_half_of_the_inventory(real: duckdb.DuckDBPyConnection) -> None:
    """Thirty provinces, ten years, our factors over CEADs: median 0.52, from 0.29 to 0.83."""
    rows, provinces, low, middle, high, simulated = real.execute(
        """
        select count(*), count(distinct province_code), min(ipcc2006_ceads_ratio), median(ipcc2006_ceads_ratio),
            max(ipcc2006_ceads_ratio), bool_or(is_simulated)
        from quality.province_co2_comparison
        """
    ).fetchone()
    assert (rows, provinces, simulated) == (300, 30, False)
    assert (low, middle, high) == pytest.approx((0.293, 0.517, 0.830), abs=5e-4)


def test_the_gap_is_power_stations_and_processes(real: duckdb.DuckDBPyConnection) -> None:
    """An exact account in every province and year; what is left out is 54 percent of CEADs, the rest is near ours."""
    worst, left_out, outside, correlation, lacking = real.execute(
        """
        select
            max(abs(gap_mt - (process_mt + power_mt + other_fuels_outside_power_mt - excess_mt))),
            sum(process_mt + power_mt) / sum(co2_ceads_mt),
            median(ipcc2006_ceads_outside_ratio),
            corr(gap_mt, process_mt + power_mt),
            count(*) filter (where power_mt is null or process_mt is null)
        from quality.province_co2_comparison
        """
    ).fetchone()
    assert lacking == 0 and worst < 1e-9
    assert left_out == pytest.approx(0.560, abs=2e-3)
    assert outside == pytest.approx(1.158, abs=2e-3)
    assert correlation > 0.98


def test_liquid_fuels_agree_and_raw_coal_does_not(real: duckdb.DuckDBPyConnection) -> None:
    """Outside power stations oil products agree to 3 percent, the rate of oxidation; raw coal is twice CEADs'."""
    ratio = dict(
        real.execute(
            "select fuel, median(ipcc2006_ceads_outside_power_ratio) from quality.province_co2_fuel_comparison "
            "group by fuel order by fuel"
        ).fetchall()
    )
    for fuel in ("crude_oil", "gasoline", "kerosene", "diesel", "fuel_oil", "lpg"):
        assert 1.0 < ratio[fuel] < 1.03, fuel
    assert 1.05 < ratio["coke"] < 1.07
    assert 1.08 < ratio["natural_gas"] < 1.11
    assert 1.9 < ratio["raw_coal"] < 2.0


def test_the_mart_holds_what_was_brought_and_nothing_else(real: duckdb.DuckDBPyConnection) -> None:
    filled, observed, linear, gdp, simulated, places_without = real.execute(
        """
        select
            count(co2_ipcc2006_mt),
            count(*) filter (where co2_ipcc2006_mt_fill = 'observed'),
            count(*) filter (where co2_ipcc2006_mt_fill = 'linear'),
            count(gdp_yi_yuan),
            bool_or(is_simulated),
            count(distinct province_code) filter (where province_code = '540000' and co2_ipcc2006_mt is not null)
        from marts.fct_province_year
        """
    ).fetchone()
    assert (gdp, simulated, places_without) == (0, False, 0)
    assert filled == observed + linear
    # 30 provinces x 2003-2022; six impossible cells were left out, those inside the series are filled and say so.
    assert 598 <= filled <= 600 and 3 <= linear <= 6
    sample, ceads = real.execute(
        "select count(*), count(Co2) from marts.panel_province_transition where not is_simulated"
    ).fetchone()
    assert sample == 300 and ceads >= 298


def test_the_page_has_the_numbers_of_the_data(real: duckdb.DuckDBPyConnection) -> None:
    """Every row of both tables of docs/explanation/province-co2.md, to the digits it prints."""
    page = (project_root() / "docs" / "explanation" / "province-co2.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"]
    printed = {row[0]: row[1:] for row in rows}
    parts = ("co2_ipcc2006_mt", "process_mt", "power_mt", "other_fuels_outside_power_mt", "excess_mt")
    shares = ", ".join(f"sum({part}) / sum(co2_ceads_mt)" for part in parts)
    found = real.execute(
        f"select province_name_en, {shares} from quality.province_co2_comparison group by all order by 1"
    ).fetchall()
    assert len(found) == 30
    for name, *numbers in found:
        assert printed[name] == [f"{number:.2f}" for number in numbers], name
    whole = real.execute(f"select {shares} from quality.province_co2_comparison").fetchone()
    assert [f"{number:.3f}" for number in whole] in [[row[0], *row[1:]] for row in rows]
    fuels = real.execute(
        """
        select replace(fuel, '_', ' '), max(ipcc2006_kg_co2_per_unit), max(china_provincial_2011_kg_co2_per_unit),
            median(implied_kg_co2_per_unit), median(ipcc2006_ceads_ratio), median(ipcc2006_ceads_outside_power_ratio)
        from quality.province_co2_fuel_comparison group by all order by 1
        """
    ).fetchall()
    assert len(fuels) == 9
    for name, *numbers in fuels:
        digits = (4, 4, 3, 2, 2)
        assert printed[name] == [f"{n:.{d}f}" for n, d in zip(numbers, digits, strict=True)], name
