"""The marts of the demo world against its truths, where nothing was spoilt, and the shape of what dbt leaves behind."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from analysis_py.settings import DEFAULT_SEED, SIMULATED_NOTICE, project_root
from analysis_py.simulate.layout import indicators
from analysis_py.simulate.places import YEARS
from analysis_py.simulate.raw_tables import CITY_SOURCES
from analysis_py.simulate.world import draw_world

REFERENCE = project_root() / "seeds" / "reference"

#: Symbol -> indicators it is made of, and the relative error that rounding in the printed tables can make.
INGREDIENTS = {
    "AI": (("ai_firms_registered", "ai_firms_deregistered"), 1e-6),
    "UIS": (("gdp", "gdp_tertiary"), 1e-5),
    "EnvrPat": (("green_patent_applications",), 1e-6),
    "ER": (("solid_waste_utilised", "solid_waste_generated"), 1e-3),
    "IP": (("internet_users", "population_resident"), 1e-3),
    "HC": (("students_higher_education", "population_resident"), 1e-3),
    "Fin": (("deposits", "loans", "gdp"), 1e-5),
    "POP": (("population_resident", "land_area"), 1e-5),
    "Ope": (("trade_total", "gdp"), 1e-3),
    "Gov": (("fiscal_expenditure", "gdp"), 1e-5),
    "FI": (("fixed_asset_investment", "fiscal_expenditure"), 1e-5),
    "ST": (("science_expenditure", "fiscal_expenditure"), 1e-3),
    "gdp_2003_price_yi_yuan": (("gdp", "gdp_index_prev100"), 1e-5),
}

#: Kinds of defect that leave a wrong number standing in a cell.
SPOILING = (
    "unit_mixup", "unit_mixup_hidden", "impossible_value", "repeated_value", "scope_mixup", "population_mixup",
    "retroactive_scope", "tenfold", "share_for_percent", "swapped_digits",
)  # fmt: skip
#: Printed from other indicators, or with noise of its own: no quantity of the world.
NO_QUANTITY = {"gdp_tertiary_share", "co2_ceads"}


@pytest.mark.parametrize("symbol", sorted(INGREDIENTS))
def test_measures_equal_the_truth_where_nothing_was_spoilt(demo: duckdb.DuckDBPyConnection, symbol: str) -> None:
    indicators, tolerance = INGREDIENTS[symbol]
    fill = "CP_fill" if symbol == "gdp_2003_price_yi_yuan" else f"{symbol}_fill"
    compared, off = demo.execute(
        f"""
        select count(*), count(*) filter (where abs(p.{symbol} - t.{symbol}) > ? * greatest(abs(t.{symbol}), 1e-3))
        from marts.panel_carbon_productivity as p
        inner join truth.truth_city_year as t using (city_code, year)
        where p.{fill} = 'observed' and not exists (
            select 1 from truth.truth_defect as d
            where d.city_code = p.city_code and list_contains(?, d.kind)
                and (d.indicator is null or d.indicator = '' or list_contains(?, d.indicator))
        )
        """,
        [tolerance, list(SPOILING), list(indicators)],
    ).fetchone()
    assert compared > 2500, "too little is left to compare"
    assert off == 0


def test_carbon_productivity_is_real_gdp_over_the_truth_of_co2(demo: duckdb.DuckDBPyConnection) -> None:
    """CO2 by nine fuels, rounded in print, comes back to a tenth of a percent; CP is their ratio."""
    rows, far, wrong = demo.execute(
        """
        select
            count(*),
            count(*) filter (where abs(p.co2_mt / t.co2_mt - 1) > 1e-3),
            count(*) filter (where abs(p.CP - p.gdp_2003_price_yi_yuan / (100 * p.co2_mt)) > 1e-12 * p.CP)
        from marts.panel_carbon_productivity as p
        inner join truth.truth_city_year as t using (city_code, year)
        where p.CP_fill = 'observed' and not exists (
            select 1 from truth.truth_defect as d
            where d.city_code = p.city_code and d.indicator like 'energy%' and list_contains(?, d.kind)
        )
        """,
        [list(SPOILING)],
    ).fetchone()
    assert rows > 2500
    assert (far, wrong) == (0, 0)


def test_impossible_cells_are_missing_in_the_panel_and_listed(demo: duckdb.DuckDBPyConnection) -> None:
    rows = demo.execute(
        """
        select d.defect_id, u.reason
        from truth.truth_defect as d
        left join intermediate.int_city_cells_unresolved as u
            on u.city_code = d.city_code and u.year = d.year and u.indicator = d.indicator
        where d.kind in ('unit_mixup', 'impossible_value') and d.source like 'city_%'
        order by d.defect_id
        """
    ).fetchall()
    assert rows
    assert {reason for _, reason in rows} == {"outside_plausible_range"}


def test_every_cell_is_the_true_quantity_unless_a_defect_is_listed_there(demo: duckdb.DuckDBPyConnection) -> None:
    """All indicators of all city sources; a planted cell is wrong or missing, a listed gap is empty."""
    world = draw_world(DEFAULT_SEED, REFERENCE)
    cells = demo.execute("select city_code, year, indicator, reported from intermediate.int_city_year_fill").df()
    defects = demo.execute("select * from truth.truth_defect where source like 'city_%' and city_code <> ''").df()
    spoilt = defects[defects["kind"].isin(SPOILING)]
    planted = set(zip(spoilt["city_code"], spoilt["year"], spoilt["indicator"], strict=True))
    names = sorted({n for s in CITY_SOURCES for n in indicators(s)} - NO_QUANTITY)
    code = {c: i for i, c in enumerate(world.places.code)}
    wrong: set[tuple[str, int, str]] = set()
    seen = 0
    for name, rows in cells[cells["indicator"].isin(names) & cells["reported"].notna()].groupby("indicator"):
        true = world.quantity[str(name)][rows["city_code"].map(code), rows["year"] - YEARS[0]]
        off = np.abs(rows["reported"] - true) > 1e-9 * np.maximum(np.abs(true), 1e-3)
        found = rows[off.to_numpy()]
        wrong |= set(zip(found["city_code"], found["year"], found["indicator"], strict=True))
        seen += len(rows)
    assert seen > 300_000
    assert wrong <= planted
    # what is not wrong any more is out of its plausible range, revised, or the same number again
    hidden = spoilt[spoilt["kind"].isin(["tenfold", "share_for_percent", "unit_mixup_hidden", "swapped_digits"])]
    assert set(zip(hidden["city_code"], hidden["year"], hidden["indicator"], strict=True)) <= wrong


#: Measure of the city mart with a truth of its own -> the indicators it is made of.
MEASURES = {
    "gdp_2006_price_yi_yuan": ("gdp", "gdp_index_prev100"),
    "fixed_asset_investment_extended_yi_yuan": ("fixed_asset_investment",),
    "capital_stock_2006_price_yi_yuan": ("fixed_asset_investment",),
    "energy_efficiency_10k_yuan_per_tce": ("gdp", "gdp_index_prev100", "energy_total"),
    "ai_all_applications_count": ("ai_invention_applications",),
    "ai_all_applications_single_count": ("ai_invention_applications_single",),
    "industrial_wastewater_10k_t_per_yi_yuan": ("industrial_wastewater", "gdp"),
    "industrial_so2_t_per_yi_yuan": ("industrial_so2", "gdp"),
    "industrial_soot_dust_t_per_yi_yuan": ("industrial_soot_dust", "gdp"),
}


@pytest.mark.parametrize("measure", sorted(MEASURES))
def test_further_measures_equal_the_truth_where_nothing_was_spoilt(
    demo: duckdb.DuckDBPyConnection, measure: str
) -> None:
    """A measure of observed cells is off only where a spoilt cell of its own city and year is listed."""
    compared, off, unexplained = demo.execute(
        f"""
        with compared as (
            select
                m.city_code,
                m.year,
                abs(m.{measure} - t.{measure}) > 1e-7 * greatest(abs(t.{measure}), 1e-3) as is_off,
                exists (
                    select 1 from truth.truth_defect as d
                    where d.city_code = m.city_code and d.year = m.year
                        and list_contains(?, d.kind) and list_contains(?, d.indicator)
                ) as is_spoilt
            from marts.fct_city_year as m
            inner join truth.truth_city_year as t using (city_code, year)
            where m.{measure}_fill = 'observed'
        )
        select count(*), count(*) filter (where is_off), count(*) filter (where is_off and not is_spoilt) from compared
        """,
        [list(SPOILING), list(MEASURES[measure])],
    ).fetchone()
    assert compared > 3000, "too little is left to compare"
    assert unexplained == 0
    assert off < 5


def test_indices_are_near_the_truth(demo: duckdb.DuckDBPyConnection) -> None:
    """A spoilt cell that is an extreme moves a whole index, so that only the world without defects gives it back."""
    truth = demo.execute("select * from truth.truth_city_year").df()
    values = demo.execute(
        "select study, index_name, unit_code as city_code, year, value, fill from intermediate.int_index_value"
    ).df()
    found = 0
    for (study, index), rows in values.groupby(["study", "index_name"]):
        name = f"{study}_{index}_index"
        both = rows.merge(truth[["city_code", "year", name]], on=["city_code", "year"], validate="one_to_one")
        seen = both[both["fill"] == "observed"]
        assert seen["value"].corr(seen[name]) > 0.97, name
        assert (seen["value"] - seen[name]).abs().median() < 0.02, name
        found += 1
    assert found == sum(c.endswith("_index") for c in truth.columns)


def test_former_codes_and_names_find_their_city(demo: duckdb.DuckDBPyConnection) -> None:
    rows = demo.execute(
        "select place_code_raw, place_name_raw, city_code, resolution from intermediate.int_city_cells_resolve "
        "where indicator = 'gdp' and vintage = 'first' and year = 2004 and area_scope = 'whole_city' "
        "and place_name_raw in ('毕节地区', '襄樊市', '思茅市') order by city_code"
    ).fetchall()
    assert rows == [
        ("420600", "襄樊市", "420600", "current_code"),
        ("522400", "毕节地区", "520500", "former_code"),
        ("530800", "思茅市", "530800", "current_code"),
    ]


def test_sample_is_the_rule_of_the_paper(demo: duckdb.DuckDBPyConnection) -> None:
    counts = dict(
        demo.execute(
            "select reason, count(*) from intermediate.int_carbon_productivity_sample group by reason order by reason"
        ).fetchall()
    )
    assert counts["excluded_by_the_paper"] == 9
    assert counts["tibet"] == 6
    cities, rows, first, last = demo.execute(
        "select count(distinct city_code), count(*), min(year), max(year) from marts.panel_carbon_productivity"
    ).fetchone()
    assert rows == cities * 19
    assert (first, last) == (2003, 2021)
    assert cities == counts["in_sample"] == 274


def test_panel_has_the_agreed_columns_in_order(demo: duckdb.DuckDBPyConnection) -> None:
    symbols = ["CP", "AI", "UIS", "EnvrPat", "ER", "IP", "HC", "Fin", "POP", "Ope", "Gov", "FI", "ST"]
    expected = [
        "city_code", "year", "city_name_zh", "city_name_en", "province_code", "province_name_en", *symbols,
        "AI_flow", "AI_lag1", "gdp_2003_price_yi_yuan", "co2_mt", "co2_source", "is_municipality", "is_resource_based",
        "resource_type", "size_class", "region4", "is_western", "is_coal_province", "is_bth", "is_yrd", "is_prd",
        "is_mid_yangtze", "is_chengdu_chongqing", "is_low_carbon_pilot", "low_carbon_pilot_year", "is_ai_pilot_zone",
        "ai_pilot_year", "is_simulated", *[f"{s}_{end}" for s in symbols for end in ("reported", "fill")],
    ]  # fmt: skip
    found = demo.execute(
        "select column_name, data_type from duckdb_columns() where schema_name = 'marts' "
        "and table_name = 'panel_carbon_productivity' order by column_index"
    ).fetchall()
    assert [name for name, _ in found] == expected
    assert {kind for name, kind in found if name.startswith("is_")} == {"BOOLEAN"}


def test_lag_of_the_first_year_comes_from_before_the_sample(demo: duckdb.DuckDBPyConnection) -> None:
    wrong = demo.execute(
        "select count(*) from marts.panel_carbon_productivity as p inner join marts.fct_city_year as f "
        "on f.city_code = p.city_code and f.year = p.year - 1 where p.AI_lag1 is distinct from f.ln_ai_firms_stock"
    ).fetchone()
    filled = demo.execute("select count(AI_lag1) from marts.panel_carbon_productivity where year = 2003").fetchone()
    assert wrong == (0,)
    assert filled == (274,)


def test_everything_simulated_says_so(demo: duckdb.DuckDBPyConnection) -> None:
    silent = demo.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where (schema_name in ('raw', 'truth', 'staging') "
        "or table_name in ('fct_city_year', 'panel_carbon_productivity', 'int_city_year_fill')) "
        "and comment not like ? order by 1",
        [f"%{SIMULATED_NOTICE}%"],
    ).fetchall()
    assert silent == []
    assert demo.execute("select bool_and(is_simulated) from marts.fct_city_year").fetchone() == (True,)
    assert demo.execute("select world, is_simulated from meta.build").fetchall() == [("demo", True)]
    facts = demo.execute("select comment from duckdb_tables() where table_name = 'dim_city'").fetchone()
    assert "SIMULATED" not in facts[0]


def test_plain_build_made_its_folder(demo_database: Path) -> None:
    assert demo_database.parent.name == "warehouse"
    assert demo_database.exists()
