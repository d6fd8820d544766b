"""What the demo world holds for the other studies: identities, levels, effects, and the truths derived from them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from analysis_py.settings import DEFAULT_SEED, paths
from analysis_py.simulate.composite import compose_index
from analysis_py.simulate.effects import EFFECT_SIZE, SHOCK_SIZE, TEXTBOOK_SIGN, draw_effects
from analysis_py.simulate.fuels import read_coal_factors
from analysis_py.simulate.investment import accumulate_capital
from analysis_py.simulate.measures import derive_measures, prefecture_cities, price_investment, yellow_river_cities
from analysis_py.simulate.places import YEARS
from analysis_py.simulate.process import demean, within_sd
from analysis_py.simulate.projection import build_design, project
from analysis_py.simulate.raw_tables import RawTables, build_raw_tables
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.world import World, draw_world

REFERENCE = paths().seeds / "reference"
RIVER = (YEARS >= 2006) & (YEARS <= 2021)

#: Loose plausible bands of the Yellow River cities 2006-2021: mean and standard deviation.
BANDS = {
    "AI": ((0.05, 0.4), (0.2, 2.0)),
    "POP": ((0.2, 0.7), (0.15, 0.8)),
    "HUM": ((0.15, 0.23), (0.015, 0.1)),
    "lnINF": ((8.2, 9.3), (0.3, 1.4)),
    "ISU": ((0.6, 1.6), (0.25, 1.2)),
    "green_coverage": ((33.0, 44.0), (3.0, 9.0)),
    "employment_rate": ((0.06, 0.18), (0.02, 0.09)),
    "capital_output": ((1.2, 6.0), (0.4, 3.0)),
}


@cache
def world_of(seed: int) -> World:
    return draw_world(seed, REFERENCE)


@cache
def raw() -> RawTables:
    return build_raw_tables(world_of(DEFAULT_SEED))


@cache
def truths() -> dict[str, np.ndarray]:
    return derive_measures(world_of(DEFAULT_SEED), REFERENCE)


def river_values(seed: int) -> dict[str, np.ndarray]:
    world = world_of(seed)
    q, member = world.quantity, yellow_river_cities(world.places, REFERENCE)
    derived = derive_measures(world, REFERENCE)
    values = {
        "AI": q["ai_invention_applications"] / 100.0,
        "POP": q["population_resident"] * 10.0 / q["land_area"],
        "HUM": q["education_expenditure"] / q["fiscal_expenditure"],
        "lnINF": np.log(q["highway_mileage"]),
        "ISU": q["gdp_tertiary"] / q["gdp_secondary"],
        "green_coverage": q["green_coverage"],
        "employment_rate": q["employees"] / q["population_resident"],
        "capital_output": derived["capital_stock_2006_price_yi_yuan"] / derived["gdp_2006_price_yi_yuan"],
    }
    return {name: v[member][:, RIVER] for name, v in values.items()}


@pytest.mark.parametrize("seed", [DEFAULT_SEED, 1, 2])
def test_levels_are_plausible(seed: int) -> None:
    values = river_values(seed)
    for name, (mean, sd) in BANDS.items():
        assert mean[0] < values[name].mean() < mean[1], name
        assert sd[0] < values[name].std() < sd[1], name
    assert (values["AI"] == 0).mean() > 0.1, "many city-years have no AI invention"


@pytest.mark.parametrize("seed", [DEFAULT_SEED, 1, 2])
def test_identities(seed: int) -> None:
    world = world_of(seed)
    q = world.quantity
    sectors = q["gdp_primary"] + q["gdp_secondary"] + q["gdp_tertiary"]
    assert sectors == pytest.approx(q["gdp"], abs=1e-6)
    assert min(q[f"gdp_{s}"].min() for s in ("primary", "secondary", "tertiary")) > 0
    green = q["green_patent_upstream"] + q["green_patent_end_of_pipe"]
    assert (green <= q["green_patent_applications"]).all()
    assert (green < q["green_patent_applications"]).mean() > 0.5, "some green patents are neither"
    for kind in ("invention", "utility_model", "design"):
        counts = q[f"ai_{kind}_applications"]
        assert (q[f"ai_{kind}_applications_single"] <= counts).all() and (counts % 1 == 0).all()
    assert (q["environmental_words"] < 0.1 * q["report_words"]).all()
    assert (q["waste_treatment_rate"] <= 100).all() and (q["sewage_treatment_rate"] <= 100).all()


def test_total_energy_is_the_fuels_in_standard_coal_and_some_more() -> None:
    world = world_of(DEFAULT_SEED)
    factors = read_coal_factors(REFERENCE)
    assert factors["raw_coal"] == 0.7143
    assert factors["natural_gas"] == pytest.approx(13.3)  # 10^4 tce of 10^8 m3
    assert factors["electricity"] == pytest.approx(1.229)  # 10^4 tce of 10^8 kWh
    assert set(factors) == {n.removeprefix("energy_") for n in world.quantity if n.startswith("energy_")} - {"total"}
    listed = sum(world.quantity[f"energy_{fuel}"] * factor for fuel, factor in factors.items())
    other = world.quantity["energy_total"] / listed - 1.0
    large = listed > 1.0  # below, the digits printed are coarse
    assert other[large].min() > 0.0 and other[large].max() < 0.31


def test_investment_goes_on_after_its_amount_is_no_longer_printed() -> None:
    world, tables = world_of(DEFAULT_SEED), raw()
    invested = world.quantity["fixed_asset_investment"]
    growth = tables.printed["city_yearbook"]["fixed_asset_investment_growth"]
    assert np.isnan(growth[:, YEARS < 2018]).all()
    chained = invested[:, [17]] * np.cumprod(1.0 + growth[:, 18:] / 100.0, axis=1)
    alive = world.places.exists[:, 18:] & ~np.isnan(chained)
    assert alive.mean() > 0.97
    assert chained[alive] == pytest.approx(invested[:, 18:][alive], rel=5e-3)


def test_capital_is_perpetual_inventory() -> None:
    flow = np.tile(np.array([[100.0]]), (2, len(YEARS)))
    price = np.ones_like(flow)
    price[1] = 1.1 ** np.arange(len(YEARS))
    stock = accumulate_capital(flow, price)
    base = int(np.flatnonzero(YEARS == 2006)[0])
    assert np.isnan(stock[:, :base]).all()
    assert stock[:, base] == pytest.approx(1000.0)
    assert stock[0, base + 1] == pytest.approx(904.0 + 100.0)
    assert stock[1, base + 1] == pytest.approx(904.0 + 100.0 / 1.1)
    capital, price = truths()["capital_stock_2006_price_yi_yuan"], price_investment(world_of(DEFAULT_SEED))
    real = world_of(DEFAULT_SEED).quantity["fixed_asset_investment"] / (price / price[:, [base]])
    later = capital[:, base + 1 :]
    assert later == pytest.approx(0.904 * capital[:, base:-1] + real[:, base + 1 :], rel=1e-12)


def test_prices_of_investment_are_those_the_provinces_print() -> None:
    table = pd.read_csv(paths().seeds / "raw" / "raw_province_yearbook.csv", dtype={"province_code": str})
    world = world_of(DEFAULT_SEED)
    price = price_investment(world)
    index = 100.0 * price[:, 1:] / price[:, :-1]
    for code in ("110000", "410000", "650000"):
        rows = table[table["province_code"] == code].sort_values("year")
        printed = rows["fixed_asset_price_index"].to_numpy(float)[1:]
        member = int(np.flatnonzero(world.places.province == code)[0])
        near = np.isclose(printed, index[member], atol=1e-6)
        assert near[~np.isnan(printed)].mean() > 0.9, "all but planted defects"
        assert np.isnan(printed[YEARS[1:] > 2019]).all()
        gdp, growth = rows["gdp"].to_numpy(float), rows["gdp_index_prev100"].to_numpy(float)
        deflator = 1e4 * gdp[1:] / gdp[:-1] / growth[1:]
        late = YEARS[1:] > 2019
        assert index[member][late] == pytest.approx(deflator[late])


def test_composed_index_by_hand() -> None:
    """Two components of three unit-years, worked out by hand, and a reversed one."""
    first, second = np.array([[1.0, 2.0, 3.0]]), np.array([[0.0, 4.0, 1.0]])
    sample = np.array([[True, True, True]])
    scaled = np.array([[0.0, 0.5, 1.0], [0.0, 1.0, 0.25]])
    part = scaled / scaled.sum(axis=1, keepdims=True)
    entropy = [-(p[p > 0] * np.log(p[p > 0])).sum() / np.log(3) for p in part]
    weight = (1 - np.array(entropy)) / (2 - sum(entropy))
    index = compose_index({"a": (1, first), "b": (1, second)}, sample)
    assert index[0] == pytest.approx(weight @ scaled)
    flipped = compose_index({"a": (-1, -first), "b": (1, second)}, sample)
    assert flipped == pytest.approx(index)
    outside = compose_index({"a": (1, first), "b": (1, second)}, np.array([[True, False, True]]))
    assert np.isnan(outside[0, 1]) and outside[0, 2] == pytest.approx(1.0)


#: Study -> number of cities and years of the sample an index is composed on.
SAMPLES = {"yellow_river": (78, 2006, 2021), "green_tfp": (284, 2011, 2022), "green_innovation": (284, 2006, 2022)}


def test_indices_are_on_the_samples_of_their_studies() -> None:
    world = world_of(DEFAULT_SEED)
    assert prefecture_cities(world.places, 2010, 2022).sum() == 284
    indices = {name: values for name, values in truths().items() if name.endswith("_index")}
    assert len(indices) == 8
    for name, values in indices.items():
        cities, first, last = next(s for study, s in SAMPLES.items() if name.startswith(study))
        first = 2010 if "digital_infrastructure" in name else first
        known = ~np.isnan(values)
        assert known.any(axis=1).sum() == cities, name
        years = YEARS[known.any(axis=0)]
        assert (years[0], years[-1], known.sum()) == (first, last, cities * (last - first + 1)), name
        assert values[known].min() >= 0.0 and values[known].max() <= 1.0
        assert values[known].std() > 0.01, name


@pytest.mark.parametrize("seed", [DEFAULT_SEED, *range(10)])
def test_a_third_of_the_effects_is_zero_and_some_are_reversed(seed: int) -> None:
    effects = draw_effects(Streams(seed))
    status = [effects.status(name) for name in TEXTBOOK_SIGN]
    assert status.count("zero") == round(len(TEXTBOOK_SIGN) / 3)
    assert status.count("reversed") == round(len(TEXTBOOK_SIGN) / 5)
    assert set(effects.loading) == set(SHOCK_SIZE) and {n.split(":")[0] for n in TEXTBOOK_SIGN} == set(EFFECT_SIZE)


def test_effects_are_in_the_quantities() -> None:
    """Over six worlds, the within slope on ln(1 + AI inventions) centres on the drawn coefficient where no shock is."""
    for name in ("industrial_so2", "industrial_wastewater", "industrial_soot_dust"):
        gaps = []
        for seed in range(300, 306):
            world = world_of(seed)
            ai = np.log1p(world.quantity["ai_invention_applications"])
            usable = np.ones(ai.shape, dtype=bool)
            design = build_design(ai[:, :, None], ai[:, :, None], usable)
            slope = project(design, np.log(world.quantity[name]))[0]
            gaps.append(slope - world.effect_coefficient[f"{name}:AI"])
        scale = EFFECT_SIZE[name] / within_sd(ai)
        assert abs(np.mean(gaps)) < 0.15 * scale, name


def test_ai_by_patents_is_endogenous() -> None:
    """The shock of the AI firms is in the patents, and in the employees that patents are to explain."""
    for seed in (DEFAULT_SEED, 1, 2):
        world = world_of(seed)
        shock = demean(world.shared_shock)
        ai = demean(np.log1p(world.quantity["ai_invention_applications"]))
        assert np.corrcoef(shock.ravel(), ai.ravel())[0, 1] > 0.15
        loading = world.effect_coefficient["employees:shock"]
        share = np.log(world.quantity["employees"] / world.quantity["population_resident"])
        rest = demean(
            share - world.effect_coefficient["employees:AI"] * np.log1p(world.quantity["ai_invention_applications"])
        )
        assert np.sign(np.corrcoef(shock.ravel(), rest.ravel())[0, 1]) == np.sign(loading)


def test_1984_goes_with_size_and_with_todays_inventions() -> None:
    world = world_of(DEFAULT_SEED)
    people = np.log(world.quantity["population_resident"][:, 5])
    today = np.log1p(world.quantity["ai_invention_applications"][:, 20])
    for name, values in world.history.items():
        assert np.corrcoef(np.log(values), people)[0, 1] > 0.4, name
        assert np.corrcoef(np.log(values), today)[0, 1] > 0.4, name


def test_sources_print_what_they_are_said_to() -> None:
    tables, places = raw(), world_of(DEFAULT_SEED).places
    island = places.position("460300")
    for source in ("city_construction", "city_digital", "city_green_finance", "city_reports", "city_energy"):
        assert all(np.isnan(values[island]).all() for values in tables.printed[source].values()), source
    digital = tables.printed["city_digital"]
    assert np.isnan(digital["digital_finance_index"][:, YEARS < 2011]).all()
    others = np.delete(np.arange(places.count), island)
    alive = places.exists[others][:, YEARS >= 2011]
    assert not np.isnan(digital["digital_finance_index"][others][:, YEARS >= 2011][alive]).any()
    credit = tables.printed["city_green_finance"]["green_credit"]
    assert np.nanmax(credit[:, YEARS <= 2012]) < 1.0 < np.nanmin(credit[:, YEARS > 2012])
