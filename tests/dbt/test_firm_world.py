"""The demo world's industries and firms come back from the warehouse as they were drawn; each planted defect is met."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from analysis_py.settings import DEFAULT_SEED, paths
from analysis_py.simulate.firm_assets import draw_asset_items
from analysis_py.simulate.firms import FIRM_YEARS, Firms, draw_firms
from analysis_py.simulate.world import World, draw_world

REFERENCE = paths().seeds / "reference"


@pytest.fixture(scope="module")
def world() -> World:
    return draw_world(DEFAULT_SEED, REFERENCE)


@pytest.fixture(scope="module")
def firms(world: World) -> Firms:
    return draw_firms(world, REFERENCE)


@pytest.mark.parametrize("name", ["cn_stock", "cn_flow", "us_stock", "us_flow"])
def test_robot_exposure_is_the_truth(demo: duckdb.DuckDBPyConnection, name: str) -> None:
    column = f"exposure_{name}_per_worker"
    n, missing, worst = demo.execute(
        f"select count(*), count(*) filter (where a.{column} is null), "
        f"max(abs(a.{column} - b.{column}) / nullif(b.{column}, 0)) "
        "from truth.truth_robot_exposure as b "
        "left join intermediate.int_robot_exposure as a using (province_code, year)"
    ).fetchone()
    assert (n, missing) == (31 * 31, 0)
    assert worst < 1e-10


def test_exposure_can_be_made_again_from_its_parts(demo: duckdb.DuckDBPyConnection) -> None:
    parts = demo.execute(
        "select s.province_code, s.employment_share, x.shock_robots_per_worker from marts.fct_exposure_share as s "
        "join marts.fct_exposure_shock as x using (study, instrument, ifr_code) "
        "where instrument = 'us_stock' and x.year = 2015 and s.province_code = '320000' order by ifr_code"
    ).fetchall()
    kept = demo.execute(
        "select exposure_us_stock_per_worker from intermediate.int_robot_exposure "
        "where province_code = '320000' and year = 2015"
    ).fetchone()
    assert len(parts) == 21
    assert sum(share for _, share, _ in parts) == pytest.approx(1.0)
    assert sum(share * shock for _, share, shock in parts) == pytest.approx(kept[0], rel=1e-12)


def test_digital_assets_are_those_drawn(demo: duckdb.DuckDBPyConnection, firms: Firms) -> None:
    items = draw_asset_items(DEFAULT_SEED, firms)
    shape = firms.active.shape
    digital, held = np.zeros(shape), np.zeros(shape)
    np.add.at(digital, (items.firm[items.is_digital], items.year[items.is_digital]), items.amount[items.is_digital])
    plain = ~items.is_subtotal
    np.add.at(held, (items.firm[plain], items.year[plain]), items.amount[plain])
    rows = demo.execute(
        "select firm_code, year, digital_assets_yuan, fixed_and_intangible_assets_yuan "
        "from intermediate.int_firm_assets_sum order by firm_code, year"
    ).fetchall()
    i, t = np.nonzero(held)
    assert [(r[0], r[1]) for r in rows] == [(firms.code[a], int(FIRM_YEARS[b])) for a, b in zip(i, t, strict=True)]
    np.testing.assert_allclose([r[2] for r in rows], digital[i, t], rtol=1e-12, atol=1e-3)
    np.testing.assert_allclose([r[3] for r in rows], held[i, t], rtol=1e-12)


def test_partners_bring_the_patents_that_were_drawn(demo: duckdb.DuckDBPyConnection, firms: Firms) -> None:
    patents = firms.quantity["ai_patents"]
    before = np.hstack([np.zeros((len(patents), 1)), patents[:, :-1]])
    drawn = (firms.deals * before[firms.partner]).sum(axis=1)
    rows = demo.execute(
        "select firm_code, year, partner_ai_patents_count from marts.fct_firm_year "
        "where partner_ai_patents_count is not null order by firm_code, year"
    ).fetchall()
    position = {code: k for k, code in enumerate(firms.code)}
    told = [drawn[position[code], year - FIRM_YEARS[0]] for code, year, _ in rows]
    assert len(rows) > 15_000
    assert [row[2] for row in rows] == told


def test_unspoilt_rows_come_back_as_drawn(demo: duckdb.DuckDBPyConnection, world: World, firms: Firms) -> None:
    rows = demo.execute(
        "select firm_code, year, city_code, industry_code, total_assets_yi_yuan, employees_persons, robots_count, "
        "co2_t from marts.fct_firm_year where is_complete and city_code is not null order by firm_code, year"
    ).fetchall()
    position = {code: k for k, code in enumerate(firms.code)}
    at = [(position[r[0]], r[1] - FIRM_YEARS[0]) for r in rows]
    assert len(rows) == firms.active.sum() - 40
    assert [r[2] for r in rows] == [world.places.code[firms.city[i]] for i, _ in at]
    assert [r[3] for r in rows] == [firms.industry[i] for i, _ in at]
    for column, name, scale in ((4, "total_assets_yuan", 1e8), (5, "employees_persons", 1), (6, "robots", 1)):
        drawn = [firms.quantity[name][i, t] / scale for i, t in at]
        np.testing.assert_allclose([r[column] for r in rows], drawn, rtol=1e-14)
    hidden = [np.isnan(firms.quantity["co2_t"][i, t]) for i, t in at]
    assert [r[7] is None for r in rows] == hidden


@pytest.mark.parametrize(
    ("kind", "sign"),
    [
        ("firm_repeated", "rows_count = 2"),
        ("firm_unit_mixup", "left_out = 'total_assets_yuan, revenue_yuan'"),
        ("firm_negative", "left_out = 'employees_persons'"),
        ("firm_no_code", "place_code_raw is null and city_code is not null"),
        ("firm_code_and_name", "resolution = 'code_and_name_disagree' and city_code is null"),
    ],
)
def test_every_planted_defect_is_met_and_nothing_else(demo: duckdb.DuckDBPyConnection, kind: str, sign: str) -> None:
    planted = demo.execute(
        "select split_part(description, ':', 1), cast(year as integer) from truth.truth_defect "
        "where kind = ? order by all",
        [kind],
    ).fetchall()
    met = demo.execute(
        f"select firm_code, year from intermediate.int_firm_rows_resolve where {sign} order by all"
    ).fetchall()
    assert planted
    assert met == planted


def test_sums_by_city_are_those_of_the_firms(demo: duckdb.DuckDBPyConnection) -> None:
    off = demo.execute(
        "with firms as (select city_code, year, sum(total_assets_yi_yuan) filter (where is_green_firm) as green, "
        "count(*) as n from marts.fct_firm_year where city_code is not null group by all) "
        "select count(*) from intermediate.int_firm_city_year as c left join firms as f using (city_code, year) "
        "where coalesce(f.n, 0) <> c.listed_firms_count "
        "or abs(coalesce(f.green, 0) - c.green_firm_assets_yi_yuan) > 1e-9 * (1 + c.green_firm_assets_yi_yuan)"
    ).fetchone()
    assert off == (0,)


def test_drawn_files_stand_beside_the_database(demo_database) -> None:
    assert (demo_database.parent / "demo" / "listed_firms.parquet").is_file()
