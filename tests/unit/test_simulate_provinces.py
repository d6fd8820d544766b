"""Provinces of the demo world: what is printed, how it hangs together, and what was spoilt."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_py.settings import DEFAULT_SEED, paths
from analysis_py.simulate.defects import KINDS
from analysis_py.simulate.places import TIBET, YEARS
from analysis_py.simulate.prices import LAST_PRICE_YEAR, deflate_growth, draw_investment_prices
from analysis_py.simulate.province_layout import FUELS, PROVINCE_LAYOUT, SECTOR_NAMES, printed, quantise, spans
from analysis_py.simulate.province_quantities import draw_provinces, sum_cities
from analysis_py.simulate.province_truth import DEPRECIATION, accumulate_capital, read_combustion_factors
from analysis_py.simulate.provinces import LAST_INVENTORY_YEAR, province_tables
from analysis_py.simulate.raw_tables import sum_provinces
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.world import World, draw_world

REFERENCE = paths().seeds / "reference"
PROVINCIAL = ("raw_province_energy", "raw_province_sectors", "raw_province_emissions")


@pytest.fixture(scope="module")
def world() -> World:
    return draw_world(DEFAULT_SEED, REFERENCE)


@pytest.fixture(scope="module")
def spoilt(world: World) -> dict[str, dict[str, pd.DataFrame]]:
    return province_tables(world, REFERENCE)


@pytest.fixture(scope="module")
def clean(world: World) -> dict[str, dict[str, pd.DataFrame]]:
    return province_tables(world, REFERENCE, spoilt=False)


def numbers(table: pd.DataFrame, name: str) -> pd.Series:
    return pd.to_numeric(table[name])


def test_every_province_and_year_stands_once(spoilt: dict[str, dict[str, pd.DataFrame]]) -> None:
    book = spoilt["raw"]["raw_province_yearbook"]
    assert len(book) == 31 * len(YEARS) and not book.duplicated(["province_code", "year"]).any()
    for name in PROVINCIAL:
        table = spoilt["raw"][name]
        assert len(table) == 30 * len(YEARS) and TIBET not in set(table["province_code"])
    assert list(spoilt["raw"]["raw_national_yearbook"]["year"]) == list(YEARS)


def test_gdp_is_the_table_the_cities_are_summed_to(world: World, spoilt: dict[str, dict[str, pd.DataFrame]]) -> None:
    """The two columns there have always been do not move when others are drawn beside them."""
    summed = sum_provinces(world, Streams(world.seed))
    book = spoilt["raw"]["raw_province_yearbook"]
    assert np.array_equal(numbers(book, "gdp"), summed["gdp"])
    assert np.array_equal(numbers(book, "gdp_index_prev100"), summed["gdp_index_prev100"])


def test_parts_add_up_where_nothing_is_spoilt(clean: dict[str, dict[str, pd.DataFrame]]) -> None:
    book = clean["raw"]["raw_province_yearbook"]
    for whole, parts, tolerance in (
        ("gdp", ("gdp_primary", "gdp_secondary", "gdp_tertiary"), 0.011),
        ("employment", ("employment_primary", "employment_secondary", "employment_tertiary"), 0.011),
    ):
        total = sum(numbers(book, part) for part in parts)
        assert (total - numbers(book, whole)).abs().max() < tolerance, whole
        assert min(numbers(book, part).min() for part in parts) > 0
    assert (numbers(book, "population_urban") < numbers(book, "population_resident")).all()
    assert (numbers(book, "industrial_value_added") < numbers(book, "gdp_secondary")).all()
    energy, sectors = clean["raw"]["raw_province_energy"], clean["raw"]["raw_province_sectors"]
    for fuel in FUELS:
        burnt = sum(numbers(sectors, f"energy_{fuel}_{sector}") for sector in SECTOR_NAMES)
        assert (burnt <= numbers(energy, f"energy_{fuel}") + 0.02).all(), fuel


def test_sums_of_cities_come_back(world: World, clean: dict[str, dict[str, pd.DataFrame]]) -> None:
    """People, credit, trade, patents and subscribers of a province are its cities', up to a few percent."""
    book = clean["raw"]["raw_province_yearbook"]
    codes = sorted(world.places.province_name)
    late = book[book["year"] == 2020].set_index("province_code").loc[codes]
    for name in ("population_resident", "loans", "internet_users", "green_patent_applications"):
        cities = sum_cities(world.places, codes, world.quantity[name])[:, list(YEARS).index(2020)]
        assert np.allclose(numbers(late, name), cities, rtol=0.06), name


def test_series_end_when_the_layout_says(spoilt: dict[str, dict[str, pd.DataFrame]]) -> None:
    book = spoilt["raw"]["raw_province_yearbook"]
    after = book["year"] > 2017
    assert (book.loc[after, ["fixed_capital_formation", "fixed_asset_investment"]] == "").all().all()
    assert (book.loc[after, "fixed_asset_investment_growth"] != "").all()
    assert (book.loc[~after, "fixed_asset_investment_growth"] == "").all()
    assert (book.loc[book["year"] > LAST_PRICE_YEAR, "fixed_asset_price_index"] == "").all()
    emissions = spoilt["raw"]["raw_province_emissions"]
    assert (emissions.loc[emissions["year"] > LAST_INVENTORY_YEAR, "co2_ceads"] == "").all()
    assert (emissions.loc[emissions["year"] <= LAST_INVENTORY_YEAR, "co2_ceads"] != "").all()


def test_layout_rows_are_the_units_of_the_seed(spoilt: dict[str, dict[str, pd.DataFrame]]) -> None:
    layout = spoilt["raw"]["raw_layout"]
    assert not layout.duplicated(["source", "indicator", "year_from"]).any()
    known = pd.read_csv(REFERENCE / "seed_indicator.csv", dtype=str, keep_default_na=False)
    canonical = dict(zip(zip(known["source"], known["indicator"], strict=True), known["unit"], strict=True))
    assert all(canonical[span.source, span.indicator] == span.canonical for span in PROVINCE_LAYOUT)
    for table in spoilt["raw"]:
        if table.startswith(("raw_province", "raw_national")):
            source = table.removeprefix("raw_")
            named = set(layout.loc[layout["source"] == source, "indicator"])
            printed_names = set(spoilt["raw"][table].columns) - {
                "province_code", "province_name", "national_code", "national_name", "year", "gdp", "gdp_index_prev100",
            }  # fmt: skip
            assert named == printed_names, source


def test_every_difference_is_a_listed_defect(
    clean: dict[str, dict[str, pd.DataFrame]], spoilt: dict[str, dict[str, pd.DataFrame]]
) -> None:
    """A cell that differs from the complete tables is one of the list, and no listed cell is as it should be."""
    defects = spoilt["truth"]["truth_defect"]
    assert set(defects["kind"]) <= set(KINDS)
    assert clean["truth"]["truth_defect"].empty
    changed = set()
    for name in ("raw_province_yearbook", *PROVINCIAL):
        right, wrong = clean["raw"][name], spoilt["raw"][name]
        for column in right.columns[3:]:
            for row in np.flatnonzero((right[column] != wrong[column]).to_numpy()):
                key = (name.removeprefix("raw_"), wrong["province_code"][row], int(wrong["year"][row]), column)
                changed.add(key)
    single = defects[defects["kind"].isin(["unit_mixup", "impossible_value", "repeated_value"])]
    listed = set(zip(single["source"], single["city_code"], single["year"], single["indicator"], strict=True))
    for row in defects[defects["kind"] == "missing"].itertuples():
        first, last = (int(year) for year in row.description.removeprefix("empty ").split("-"))
        listed |= {(row.source, row.city_code, year, row.indicator) for year in range(first, last + 1)}
    assert changed == listed


def test_another_seed_draws_other_provinces(spoilt: dict[str, dict[str, pd.DataFrame]]) -> None:
    other = province_tables(draw_world(DEFAULT_SEED + 1, REFERENCE), REFERENCE)
    assert other["raw"]["raw_layout"].equals(spoilt["raw"]["raw_layout"])
    assert not other["raw"]["raw_province_energy"].equals(spoilt["raw"]["raw_province_energy"])


def test_capital_by_hand() -> None:
    """K_2000 = I / (g + d) with g over five years; then K = (1 - d) K + I / P; prices double in 2001."""
    investment = np.array([[100.0, 200.0, 200.0, 200.0, 200.0, 400.0]])
    prices = np.array([[100.0, 200.0, 100.0, 100.0, 100.0, 100.0]])
    stock = accumulate_capital(investment, prices)
    growth = 2.0 ** (1 / 5) - 1.0
    first = 100.0 / (growth + DEPRECIATION)
    assert stock[0, 0] == pytest.approx(first, rel=1e-14)
    assert stock[0, 1] == pytest.approx((1 - DEPRECIATION) * first + 100.0, rel=1e-14)
    assert stock[0, 5] == pytest.approx((1 - DEPRECIATION) * stock[0, 4] + 200.0, rel=1e-14)


def test_raw_coal_factor_is_the_printed_one() -> None:
    """1.9779 and 1.9003 kg CO2 a kg; 10^4 t of it are as many 10^-2 Mt."""
    assert read_combustion_factors(REFERENCE)["raw_coal"] == pytest.approx(0.019779, rel=1e-5)
    assert read_combustion_factors(REFERENCE, "china_provincial_2011")["raw_coal"] == pytest.approx(0.019003, rel=1e-5)
    assert read_combustion_factors(REFERENCE)["natural_gas"] == pytest.approx(0.2184, rel=1e-4)


def test_prices_are_the_deflator_after_the_index_ends() -> None:
    years = len(YEARS)
    gdp = 100.0 * np.cumprod(np.full((2, years), 1.08), axis=1)
    growth = np.full((2, years), 105.0)
    deflator = deflate_growth(gdp, growth)
    assert np.isnan(deflator[:, 0]).all()
    assert np.allclose(deflator[:, 1:], 100.0 * 1.08 / 1.05)
    index = draw_investment_prices(Streams(1), gdp, growth)
    late = YEARS > LAST_PRICE_YEAR
    assert np.array_equal(index[:, late], deflator[:, late])
    early = index[:, ~late]
    assert np.array_equal(early, np.round(early, 1)) and (early[:, 1:] != deflator[:, 1 : (~late).sum()]).all()


@pytest.mark.parametrize("what", [("province_yearbook", "trade_total"), ("province_yearbook", "fiscal_expenditure")])
def test_a_printed_number_is_the_quantity_a_reader_knows(what: tuple[str, str]) -> None:
    values = np.linspace(1000.123456, 90000.654321, len(YEARS))[None, :]
    known = quantise(*what, values)
    factor = np.array([next(s.factor for s in spans(*what) if s.year_from <= y <= s.year_to) for y in YEARS])
    assert np.allclose(printed(*what, values) / factor, known, rtol=1e-14)
    assert np.allclose(known, values, rtol=1e-4, atol=0.51)


def test_inventory_is_above_final_combustion(world: World) -> None:
    """As the published ones are: power stations and processes are in it."""
    provinces = draw_provinces(world, REFERENCE, sum_provinces(world, Streams(world.seed)))
    factors = read_combustion_factors(REFERENCE)
    burnt = sum(provinces.quantity["province_energy"][f"energy_{fuel}"] * factors[fuel] for fuel in FUELS)
    ratio = (burnt / provinces.quantity["province_emissions"]["co2_ceads"])[provinces.has_energy]
    assert 0.3 < np.median(ratio) < 0.75
