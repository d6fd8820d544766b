"""Robots and workers by industry: public totals kept, service life kept, exposure as defined."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_py.settings import DEFAULT_SEED, paths
from analysis_py.simulate.industries import (
    ROBOT_YEARS,
    SERVICE_YEARS,
    UNSPECIFIED,
    Industries,
    apportion,
    complete_flows,
    draw_industries,
    industry_tables,
    list_industries,
    read_totals,
)
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.world import World, draw_world
from analysis_py.simulate.writer import write_tables

SEEDS = paths().seeds
REFERENCE = SEEDS / "reference"


@pytest.fixture(scope="module")
def world() -> World:
    return draw_world(DEFAULT_SEED, REFERENCE)


@pytest.fixture(scope="module")
def drawn(world: World) -> Industries:
    return draw_industries(world, REFERENCE)


def test_sums_over_industries_are_the_published_totals(drawn: Industries) -> None:
    totals = read_totals(REFERENCE)
    seen = 0
    for country, kinds in totals.items():
        for kind, published in kinds.items():
            sums = (drawn.stock if kind == "stock" else drawn.installed)[country].sum(axis=0)
            for year, number in published.items():
                assert sums[year - ROBOT_YEARS[0]] == number, (country, kind, year)
                seen += 1
    assert seen == 63


@pytest.mark.parametrize(("country", "last"), [("CHN", 2019), ("USA", 2014)])
def test_stock_is_the_installations_of_twelve_years(drawn: Industries, country: str, last: int) -> None:
    """To the year from which the published stock and installations disagree (revisions)."""
    flow, stock = drawn.installed[country], drawn.stock[country]
    for year in range(int(ROBOT_YEARS[0]) + SERVICE_YEARS - 1, last + 1):
        end = year - int(ROBOT_YEARS[0]) + 1
        np.testing.assert_array_equal(stock[:, end - 1], flow[:, end - SERVICE_YEARS : end].sum(axis=1))


def test_robots_are_whole_and_none_is_negative(drawn: Industries) -> None:
    for table in (*drawn.installed.values(), *drawn.stock.values()):
        assert table.dtype == np.int64
        assert table.min() >= 0
    assert (drawn.stock["USA"].sum(axis=0) > 0).all()
    assert (drawn.stock["CHN"][:-1, -1] > 0).all()


def test_early_installations_are_those_that_left_the_stock_twelve_years_later() -> None:
    flows = complete_flows(read_totals(REFERENCE)["CHN"], Streams(1).stream("x"))
    assert [flows[y] for y in range(1982, 1999)] == [0] * 17
    # 1999: stock of 2010 + installed in 2011 - stock of 2011
    assert flows[1999] == 52290 + 22577 - 74317
    assert sum(flows[y] for y in range(1999, 2005)) == 7096
    american = complete_flows(read_totals(REFERENCE)["USA"], Streams(1).stream("x"))
    assert american[2004] == 234245 + 31404 - 250479
    assert all(american[y] > 0 for y in range(1982, 2024))


def test_industries_do_not_overlap() -> None:
    codes = list_industries(REFERENCE)
    assert len(codes) == len(set(codes)) == 22
    assert "D" not in codes and "19-22" not in codes and "291" not in codes
    assert codes[-1] == UNSPECIFIED


def test_workers_of_the_nation_are_those_of_its_provinces(drawn: Industries) -> None:
    np.testing.assert_array_equal(drawn.national["CHN"], drawn.workers.sum(axis=0))
    assert drawn.workers.min() > 0
    assert 5e8 < drawn.workers.sum() < 9e8


def test_exposure_is_the_sum_of_shares_times_shocks(world: World) -> None:
    """By hand from the printed tables, term by term."""
    tables = industry_tables(world, REFERENCE)
    robots, workers = tables["raw"]["raw_industry_robots"], tables["raw"]["raw_industry_employment"]
    truth = tables["truth"]["truth_robot_exposure"].set_index(["province_code", "year"])
    count = {
        (r.country, r.ifr_code, r.year): (int(r.robots_installed), int(r.robots_stock)) for r in robots.itertuples()
    }
    people = {(r.area_code, r.ifr_code): int(r.employees_persons) for r in workers.itertuples()}
    codes = [code for area, code in people if area == "CHN"]
    for province, year in (("440000", 2013), ("310000", 2022), ("540000", 2005)):
        total = sum(people[province, code] for code in codes)
        for country, short in (("CHN", "cn"), ("USA", "us")):
            for position, metric in enumerate(("flow", "stock")):
                terms = [
                    people[province, code] / total * count[country, code, year][position] / people[country, code]
                    for code in codes
                ]
                told = float(truth.loc[(province, year), f"exposure_{short}_{metric}_per_worker"])
                assert told == pytest.approx(math.fsum(terms), rel=1e-11)


def test_shares_lean_on_the_predetermined_shares_of_the_world(world: World, drawn: Industries) -> None:
    """Without the world's shares the provinces' structures would not follow them: the instrument would be another."""
    flat = replace(world, exposure=np.full_like(world.exposure, 1.0 / world.exposure.shape[1]))
    other = draw_industries(flat, REFERENCE)
    assert np.abs(np.log(drawn.workers / other.workers)).mean() > 0.1


def test_american_robots_foretell_chinese_exposure(drawn: Industries) -> None:
    own, foreign = drawn.exposure("CHN", "stock")[:, 20:], drawn.exposure("USA", "stock")[:, 20:]
    within = [v - v.mean(axis=1, keepdims=True) - v.mean(axis=0) + v.mean() for v in (own, foreign)]
    assert np.corrcoef(within[0].ravel(), within[1].ravel())[0, 1] > 0.5


def test_another_world_divides_the_same_totals_otherwise(drawn: Industries) -> None:
    other = draw_industries(draw_world(7, REFERENCE), REFERENCE)
    np.testing.assert_array_equal(other.installed["CHN"].sum(axis=0), drawn.installed["CHN"].sum(axis=0))
    assert (other.installed["CHN"] != drawn.installed["CHN"]).any()


def test_shipped_tables_are_those_drawn(world: World, tmp_path) -> None:
    for folder, tables in industry_tables(world, REFERENCE).items():
        for file in write_tables(tables, tmp_path / folder):
            assert file.read_bytes() == (SEEDS / folder / file.name).read_bytes(), file.name


def test_every_area_and_industry_has_one_row(world: World) -> None:
    raw = industry_tables(world, REFERENCE)["raw"]
    robots: pd.DataFrame = raw["raw_industry_robots"]
    workers: pd.DataFrame = raw["raw_industry_employment"]
    assert len(robots) == len(robots.drop_duplicates(["country", "ifr_code", "year"])) == 2 * 22 * 31
    assert len(workers) == len(workers.drop_duplicates(["area_code", "ifr_code", "year"])) == 33 * 21


@given(st.integers(-10_000, 10_000), st.lists(st.floats(0.0, 1e6, allow_subnormal=False), min_size=1, max_size=25))
def test_apportioned_parts_add_up(total: int, weights: list[float]) -> None:
    weight = np.array(weights)
    parts = apportion(total, weight)
    if weight.sum() > 0:
        assert parts.sum() == total
        exact = total * weight / weight.sum()
        assert np.abs(parts - exact).max() <= 1.0 + 1e-6
    else:
        assert not parts.any()


def test_ties_go_to_the_first() -> None:
    assert apportion(2, np.ones(3)).tolist() == [1, 1, 0]
    assert apportion(-2, np.ones(3)).tolist() == [-1, -1, 0]
    assert apportion(7, np.array([0.0, 2.0, 1.0])).tolist() == [0, 5, 2]
