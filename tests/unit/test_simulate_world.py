"""The demo world itself: plausible levels, and the difficulties it promises are really there."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from analysis_py.settings import DEFAULT_SEED, paths
from analysis_py.simulate.places import TIBET, YEARS, load_places
from analysis_py.simulate.process import demean, spread
from analysis_py.simulate.projection import build_design, project
from analysis_py.simulate.raw_tables import build_raw_tables
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.structure import TEXTBOOK_SIGN, THRESHOLD_VARIABLES, draw_structure
from analysis_py.simulate.world import STUDY_YEARS, SYMBOLS, World, draw_world, group_masks, outcome_parts

REFERENCE = paths().seeds / "reference"

#: Loose plausible bands of the study sample: mean, standard deviation, and hard limits.
BANDS = {
    "CP": ((0.6, 1.0), (0.5, 1.2), (0.02, 20.0)),
    "AI": ((3.0, 5.0), (1.5, 2.4), (0.0, 12.0)),
    "UIS": ((0.35, 0.45), (0.07, 0.13), (0.05, 0.95)),
    "EnvrPat": ((3.3, 4.9), (1.5, 2.5), (0.0, 12.5)),
    "ER": ((70.0, 90.0), (15.0, 27.0), (0.0, 200.0)),
    "IP": ((8.0, 20.0), (7.0, 15.0), (0.0, 90.0)),
    "HC": ((0.01, 0.03), (0.01, 0.04), (0.0, 0.3)),
    "Fin": ((1.9, 2.7), (0.6, 1.4), (0.3, 22.0)),
    "POP": ((5.4, 6.2), (0.6, 1.1), (0.5, 9.0)),
    "Ope": ((0.05, 0.25), (0.05, 0.3), (0.0, 3.0)),
    "Gov": ((0.12, 0.22), (0.04, 0.12), (0.01, 2.0)),
    "FI": ((3.7, 5.7), (1.2, 2.6), (0.1, 30.0)),
    "ST": ((0.008, 0.020), (0.008, 0.02), (0.0, 0.3)),
}


@cache
def world_of(seed: int) -> World:
    return draw_world(seed, REFERENCE)


def in_study(world: World, values: np.ndarray) -> np.ndarray:
    return values[world.places.in_sample][:, STUDY_YEARS]


@pytest.mark.parametrize("seed", [DEFAULT_SEED, 1, 2])
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_levels_are_plausible(seed: int, symbol: str) -> None:
    values = in_study(world_of(seed), world_of(seed).symbol[symbol])
    mean, sd, limits = BANDS[symbol]
    assert mean[0] < values.mean() < mean[1]
    assert sd[0] < values.std() < sd[1]
    assert limits[0] <= values.min() and values.max() <= limits[1]


def test_study_sample() -> None:
    places = load_places(REFERENCE)
    names = set(places.name[places.in_sample])
    assert places.in_sample.sum() == 274
    assert not (places.province[places.in_sample] == TIBET).any()
    assert {"临汾市", "定西市", "巢湖市", "三沙市", "陇南市"} & names == set()
    assert {"北京市", "普洱市", "吕梁市"} & names == {"北京市", "普洱市"}
    assert {k: int(v[places.in_sample].sum()) for k, v in places.agglomeration.items()} == {
        "bth": 13,
        "yrd": 26,
        "prd": 9,
        "mid_yangtze": 28,
        "chengdu_chongqing": 16,
    }


@pytest.mark.parametrize("seed", [DEFAULT_SEED, *range(20)])
def test_a_third_of_the_effects_is_zero_and_some_are_reversed(seed: int) -> None:
    structure = draw_structure(Streams(seed))
    status = [structure.status(effect) for effect in TEXTBOOK_SIGN]
    assert status.count("zero") == round(len(TEXTBOOK_SIGN) / 3)
    assert status.count("reversed") == round(len(TEXTBOOK_SIGN) / 5)
    thresholds = [structure.sign[f"threshold:{q}"] != 0 for q in THRESHOLD_VARIABLES]
    assert any(thresholds) and not all(thresholds)
    assert structure.sign["CP:W.AI"] != 0


def test_signs_differ_between_worlds() -> None:
    drawn = {tuple(draw_structure(Streams(seed)).sign.values()) for seed in range(30)}
    assert len(drawn) == 30


def test_outcome_is_its_equation() -> None:
    world = world_of(DEFAULT_SEED)
    parts = outcome_parts(world.symbol, world.coefficient, world.slope, world.neighbour_ai)
    rest = world.symbol["CP"] - parts - world.shock_coefficient["CP"] * world.shared_shock - world.error["CP"]
    assert np.abs(demean(rest)).max() < 1e-10
    groups = group_masks(world.places)
    plain = ~np.any(list(groups.values()), axis=0)
    assert plain.any()
    moved = world.slope - world.coefficient["CP:AI*ER"] * (world.symbol["ER"] - 80.0)
    moved = moved - world.coefficient["CP:AI*IP"] * (world.symbol["IP"] - 12.0)
    for q in THRESHOLD_VARIABLES:
        moved = moved - world.coefficient[f"threshold:{q}"] * (world.symbol[q] > world.threshold_value[q])
    assert moved[plain] == pytest.approx(world.coefficient["CP:AI"])


def test_identities_of_the_quantities() -> None:
    world = world_of(DEFAULT_SEED)
    q = world.quantity
    stock = np.cumsum(q["ai_firms_registered"] - q["ai_firms_deregistered"], axis=1)
    assert np.array_equal(np.log1p(stock), world.symbol["AI"])
    assert (stock >= 0).all() and (q["ai_firms_registered"] >= 0).all()
    assert (stock[:, 3] == 0).any(), "some city has no AI firm in 2003"
    assert np.array_equal(np.log1p(q["green_patent_applications"]), world.symbol["EnvrPat"])
    assert world.co2_mt == pytest.approx(world.gdp_real / world.symbol["CP"] / 100.0)
    growth = world.gdp_real[:, 1:] / world.gdp_real[:, :-1]
    assert growth == pytest.approx(q["gdp_index_prev100"][:, 1:] / 100.0)
    assert world.gdp_real[:, 3] == pytest.approx(q["gdp"][:, 3])


def test_provinces_add_up() -> None:
    world = world_of(DEFAULT_SEED)
    raw = build_raw_tables(world)
    places = world.places
    for code in ("110000", "320000", "530000"):
        member = places.province == code
        table = raw.province[raw.province["province_code"] == code]
        gdp = np.where(places.exists[member], world.quantity["gdp"][member], 0.0).sum(axis=0)
        assert table["gdp"].to_numpy() == pytest.approx(gdp, rel=0.02)
        index = world.quantity["gdp_index_prev100"][member]
        inside = table["gdp_index_prev100"].to_numpy()
        assert ((inside >= index.min(axis=0) - 0.05) & (inside <= index.max(axis=0) + 0.05)).all()
    own = world.places.province == "110000"
    alone = raw.province[raw.province["province_code"] == "110000"]["gdp_index_prev100"].to_numpy()
    assert np.array_equal(alone, world.quantity["gdp_index_prev100"][own][0])


def test_errors_are_correlated_over_time_and_in_space_with_heavy_tails() -> None:
    world = world_of(DEFAULT_SEED)
    error = world.error["CP"]
    scaled = error / error.std(axis=1, keepdims=True)
    over_time = np.corrcoef(scaled[:, 1:].ravel(), scaled[:, :-1].ravel())[0, 1]
    bordered = world.places.neighbour_weights.sum(axis=1) > 0
    nearby = spread(world.places.neighbour_weights, scaled)
    in_space = np.corrcoef(scaled[bordered].ravel(), nearby[bordered].ravel())[0, 1]
    assert over_time > 0.4
    assert in_space > 0.15
    step = np.diff(error, axis=1)
    step = step / step.std(axis=1, keepdims=True)
    assert np.mean(step**4) > 3.3


def test_ai_is_endogenous_its_lag_invalid_and_the_shift_share_valid() -> None:
    """Over ten worlds: within correlation of the error of CP with AI, with its lag and with the shift-share."""
    loads, lags, shares, strength = [], [], [], []
    for seed in range(10):
        world = world_of(100 + seed)
        loading = world.shock_coefficient["CP"]
        error = demean(in_study(world, loading * world.shared_shock + world.error["CP"])) * np.sign(loading)
        ai = world.symbol["AI"]
        lag = np.concatenate([np.full((len(ai), 1), np.nan), ai[:, :-1]], axis=1)
        for store, values in ((loads, ai), (lags, lag), (shares, world.shift)):
            within = demean(in_study(world, values))
            store.append(np.corrcoef(error.ravel(), within.ravel())[0, 1])
        strength.append(
            np.corrcoef(demean(in_study(world, ai)).ravel(), demean(in_study(world, world.shift)).ravel())[0, 1]
        )
    assert min(loads) > 0.1
    assert min(lags) > 0.05
    assert abs(np.mean(shares)) < 0.03
    assert min(strength) > 0.4


def test_thresholds_jump_where_they_are_said_to() -> None:
    """With the true slopes known, a design split at the threshold finds the jump; where there is none it finds none."""
    for seed in (DEFAULT_SEED, 3):
        world = world_of(seed)
        usable = world.places.in_sample[:, None] & STUDY_YEARS[None, :]
        for q in THRESHOLD_VARIABLES:
            above = (world.symbol[q] > world.threshold_value[q]) * world.symbol["AI"]
            jump = world.coefficient[f"threshold:{q}"]
            others = world.slope * world.symbol["AI"] - jump * above
            design = build_design(above[:, :, None], above[:, :, None], usable)
            parts = outcome_parts(world.symbol, world.coefficient, world.slope, world.neighbour_ai)
            clean = (
                parts
                - others
                - sum(
                    world.coefficient[f"CP:{t}"] * world.symbol[t]
                    for t in ("POP", "Ope", "Gov", "FI", "ST", "ER", "IP", "UIS", "EnvrPat")
                )
            )
            clean = clean - world.coefficient["CP:W.AI"] * world.neighbour_ai
            assert project(design, clean)[0] == pytest.approx(jump, abs=1e-9)


def test_revisions_raise_gdp_and_urban_districts_are_parts() -> None:
    world = world_of(DEFAULT_SEED)
    raw = build_raw_tables(world)
    first, revised = raw.printed["city_yearbook"]["gdp"], raw.revised["gdp"]
    both = ~np.isnan(revised) & ~np.isnan(first)
    assert 0.3 < both[:, YEARS <= 2018].mean() < 0.9
    assert (revised[both] > first[both]).mean() > 0.99
    assert not both[:, YEARS > 2018].any()
    for name in ("population_resident", "deposits", "internet_users", "solid_waste_generated"):
        whole, urban = raw.printed["city_yearbook"][name], raw.urban[name]
        beside = ~np.isnan(urban)
        assert 0.1 < beside.mean() < 0.3
        assert (urban[beside] <= whole[beside]).all()
