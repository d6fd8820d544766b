"""The provincial marts of the demo world against its truth, where no cell was spoilt or lost."""

from __future__ import annotations

import duckdb
import pytest

from tests.dbt.test_demo_world import SPOILING

FUELS = ("raw_coal", "coke", "crude_oil", "gasoline", "kerosene", "diesel", "fuel_oil", "lpg", "natural_gas")
FINAL = tuple(f"energy_{fuel}" for fuel in FUELS)
SECTORS = tuple(f"energy_{fuel}_{sector}" for fuel in FUELS for sector in ("industry", "transport", "construction"))
BOUGHT = ("electricity_purchased", "heat_purchased")
WORKERS = ("employment_primary", "employment_secondary", "employment_tertiary")
OUTPUT = ("gdp", "gdp_primary", "gdp_secondary", "gdp_tertiary")
INVESTED = (
    "fixed_capital_formation", "fixed_asset_investment_growth", "fixed_asset_price_index", "gdp", "gdp_index_prev100",
)  # fmt: skip

#: Truth -> column of fct_province_year, the indicators in it, and whether other years of the province enter too.
MEASURES = {
    "gdp_2000_price_yi_yuan": ("gdp_2000_price_yi_yuan", ("gdp", "gdp_index_prev100"), True),
    "capital_stock_2000_price_yi_yuan": ("capital_stock_2000_price_yi_yuan", INVESTED, True),
    "co2_ipcc2006_mt": ("co2_ipcc2006_mt", FINAL, False),
    "co2_scope1_ipcc2006_mt": ("co2_scope1_ipcc2006_mt", SECTORS, False),
    "co2_scope2_mt": ("co2_scope2_mt", BOUGHT, False),
    "co2_scope3_mt": ("co2_scope3_mt", ("co2_scope3_reported",), False),
    "Co2": ("ln_co2_ipcc2006", FINAL, False),
    "Co2_scopes": ("ln_co2_scopes_ipcc2006", (*SECTORS, *BOUGHT, "co2_scope3_reported"), False),
    "Open": ("trade_gdp_ratio", ("trade_total", "gdp"), False),
    "Density": ("population_density_10k_per_km2", ("population_resident", "land_area"), False),
    "Fin": ("loans_gdp_ratio", ("loans", "gdp"), False),
    "Gov": ("fiscal_expenditure_gdp_ratio", ("fiscal_expenditure", "gdp"), False),
    "Energy": ("electricity_national_share", ("energy_electricity",), False),
    "Urban": ("urban_population_share", ("population_urban", "population_resident"), False),
    "energy_efficiency": ("energy_efficiency_10k_yuan_per_tce", ("energy_total", "gdp", "gdp_index_prev100"), True),
    "green_technology": (
        "green_patent_applications_per_10k", ("green_patent_applications", "population_resident"), False,
    ),
    "industrial_structure": ("industrial_structure_10k_yuan_per_worker", (*OUTPUT, *WORKERS), False),
    "env_regulation": (
        "pollution_control_industrial_value_added_ratio",
        ("pollution_control_investment", "industrial_value_added"),
        False,
    ),
    "industrialization": ("secondary_gdp_share", ("gdp_secondary", "gdp"), False),
}  # fmt: skip
TOLERANCE = 1e-6


@pytest.mark.parametrize("truth", sorted(MEASURES))
def test_provinces_equal_the_truth_where_nothing_was_spoilt(demo: duckdb.DuckDBPyConnection, truth: str) -> None:
    column, indicators, has_history = MEASURES[truth]
    # A gap inside a series of other years (a capital stock) is filled and moves the measure; a gap of the year itself
    # shows in its code.
    kinds = [*SPOILING, "missing"] if has_history else list(SPOILING)
    usable = "true" if has_history else f"p.{column}_fill = 'observed'"
    compared, off = demo.execute(
        f"""
        select count(*), count(*) filter (where p.{column} is null or abs(p.{column} / t.{truth} - 1) > ?)
        from marts.fct_province_year as p
        inner join truth.truth_province_year as t using (province_code, year)
        where t.{truth} is not null and {usable} and not exists (
            select 1 from truth.truth_defect as d
            where d.city_code = p.province_code and list_contains(?, d.kind) and list_contains(?, d.indicator)
                and d.source like 'province_%'
        )
        """,
        [TOLERANCE, kinds, list(indicators)],
    ).fetchone()
    assert compared > 350, "too little is left to compare"
    assert off == 0


def test_robot_exposure_is_the_truth(demo: duckdb.DuckDBPyConnection) -> None:
    rows, off = demo.execute(
        """
        select
            count(*),
            count(*) filter (
                where abs(p.AI / (100 * t.exposure_cn_stock_per_worker) - 1) > 1e-9
                    or abs(p.AI_US_flow / (100 * t.exposure_us_flow_per_worker) - 1) > 1e-9
            )
        from marts.panel_province_transition as p
        inner join truth.truth_robot_exposure as t using (province_code, year)
        """
    ).fetchone()
    assert (rows, off) == (300, 0)


def test_impossible_provincial_cells_are_missing_and_listed(demo: duckdb.DuckDBPyConnection) -> None:
    rows = demo.execute(
        """
        select d.source, d.city_code, d.year, d.indicator, q.reason, f.reported
        from truth.truth_defect as d
        left join quality.quarantine as q
            on d.source = q.source and d.city_code = q.city_code and d.year = q.year and d.indicator = q.indicator
        left join intermediate.int_province_year_fill as f
            on d.city_code = f.province_code and d.year = f.year and d.indicator = f.indicator
        where d.kind in ('unit_mixup', 'impossible_value') and d.source like 'province_%'
        order by 1, 2, 3, 4
        """
    ).fetchall()
    assert len(rows) == 8
    assert all(reason and reported is None for *_, reason, reported in rows)


def test_splits_are_at_the_pooled_median(demo: duckdb.DuckDBPyConnection) -> None:
    """Half of the province-years on either side, of those that have the variable."""
    high, low, none, cut = demo.execute(
        """
        select
            count(*) filter (where is_high_env_regulation), count(*) filter (where not is_high_env_regulation),
            count(*) filter (where is_high_env_regulation is null), count(*) filter (where env_regulation is null)
        from marts.panel_province_transition
        """
    ).fetchone()
    assert abs(high - low) <= 1 and none == cut
    assert demo.execute(
        "select count(*) filter (where is_high_industrialization) from marts.panel_province_transition"
    ).fetchone() == (150,)


def test_investment_ends_and_goes_on(demo: duckdb.DuckDBPyConnection) -> None:
    """No amount is printed after 2017 and no price index after 2019; the extended series says how it came about."""
    late, extended, priced = demo.execute(
        """
        select
            count(fixed_capital_formation_yi_yuan), count(*) filter (where investment_extended_yi_yuan_fill = 'ratio'),
            count(*) filter (where is_investment_price_deflator)
        from marts.fct_province_year
        where year > 2019
        """
    ).fetchone()
    assert late == 0 and extended >= 120 and priced == 4 * 31
