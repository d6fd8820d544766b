"""Listed firms of the demo world: who they are, what their notes hold, what was spoilt."""

from __future__ import annotations

import csv
import unicodedata

import numpy as np
import pyarrow as pa
import pytest

from analysis_py.settings import DEFAULT_SEED, paths
from analysis_py.simulate.firm_assets import FIRST_NOTES, SLOTS, SUBTOTALS, draw_asset_items
from analysis_py.simulate.firm_files import (
    DEFECTS,
    accounts_table,
    assets_table,
    firm_tables,
    links_table,
    spoil_rows,
)
from analysis_py.simulate.firms import EFFECTS, FIRM_COUNT, FIRM_YEARS, Firms, draw_firms, firm_effects
from analysis_py.simulate.places import YEARS
from analysis_py.simulate.process import demean
from analysis_py.simulate.world import World, draw_world

REFERENCE = paths().seeds / "reference"


@pytest.fixture(scope="module")
def world() -> World:
    return draw_world(DEFAULT_SEED, REFERENCE)


@pytest.fixture(scope="module")
def firms(world: World) -> Firms:
    return draw_firms(world, REFERENCE)


def fold(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


def seed_rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_firms_say_that_they_do_not_exist(firms: Firms) -> None:
    assert len(set(firms.code)) == FIRM_COUNT
    assert all("模拟" in name for name in firms.name)
    assert all(code.startswith("SIM") for code in firms.code)


def test_firms_have_accounts_only_where_their_city_existed(world: World, firms: Firms) -> None:
    existed = world.places.exists[firms.city][:, np.isin(YEARS, FIRM_YEARS)]
    assert not (firms.active & ~existed).any()
    assert 15_000 < firms.active.sum() < 25_000
    assert (np.diff(firms.active.sum(axis=0)[:18]) > 0).all()


def test_a_third_of_the_effects_is_zero_and_two_are_reversed() -> None:
    for seed in (DEFAULT_SEED, 1, 2):
        effect = firm_effects(seed)
        agreement = [np.sign(effect[name]) * sign for name, sign in EFFECTS.items()]
        assert (agreement.count(0), agreement.count(-1)) == (3, 2)
    assert firm_effects(1) != firm_effects(2)


def test_robots_follow_the_pilot_as_the_truth_says(firms: Firms) -> None:
    """Robots are Poisson around a mean that the pilot multiplies: ratio of ratios over all pilots."""
    pilot = firms.pilot_year[:, None]
    treated = (pilot > 0) & (pilot <= FIRM_YEARS) & (FIRM_YEARS >= 2015)
    before = (pilot > 0) & ~treated & (FIRM_YEARS >= 2012)
    robots = firms.quantity["robots"] / firms.quantity["employees_persons"]
    manufacturer = np.array([str(c).startswith("C") for c in firms.industry])
    robots[~manufacturer] = np.nan
    industry_mean = np.full_like(robots, np.nan)
    for code in np.unique(firms.industry[manufacturer]):
        member = (firms.industry == code) & (firms.pilot_year == 0)
        if member.sum() >= 20:
            industry_mean[firms.industry == code] = robots[member].mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = robots / industry_mean
    known = np.isfinite(relative)
    ratio = relative[treated & known].mean() / relative[before & known].mean()
    assert np.log(ratio) == pytest.approx(firm_effects(DEFAULT_SEED)["robots:pilot"], abs=0.15)


def test_emissions_follow_the_city_and_disclosure_is_not_at_random(firms: Firms) -> None:
    told = ~np.isnan(firms.quantity["co2_t"])
    assert (told == ~np.isnan(firms.quantity["energy_tce"])).all()
    revenue = np.log(firms.quantity["revenue_yuan"])
    assert revenue[told & firms.active].mean() > revenue[~told & firms.active].mean() + 0.3
    assert 0.2 < (~told)[firms.active].mean() < 0.6


def test_city_ai_is_a_deviation(firms: Firms, world: World) -> None:
    ai = demean(world.symbol["AI"][:, np.isin(YEARS, FIRM_YEARS)])
    np.testing.assert_array_equal(firms.city_ai, ai[firms.city])


def test_digital_items_are_those_with_a_word_of_the_study() -> None:
    words = [r["keyword"] for r in seed_rows("seed_digital_asset_item") if r["is_in_paper"] == "true"]
    subtotals = [r["keyword"] for r in seed_rows("seed_digital_asset_item") if r["asset_group"] == "subtotal"]
    assert len(words) == 7
    missed = [
        (name, slot.is_digital)
        for slot in SLOTS
        for name in slot.names
        if any(word in fold(name) for word in words) != slot.is_digital
    ]
    assert missed == []
    assert all(fold(name) in subtotals for name in SUBTOTALS)
    assert any(name != fold(name) for slot in SLOTS if slot.is_digital for name in slot.names)


def test_subtotals_add_up_their_items(firms: Firms) -> None:
    items = draw_asset_items(DEFAULT_SEED, firms)
    key = (items.firm * 100 + items.year) * 2 + items.asset_class
    some = np.unique(key[items.is_subtotal])[:200]
    assert len(some) == 200
    for group in some:
        rows = key == group
        parts = items.amount[rows & ~items.is_subtotal].sum()
        assert items.amount[rows & items.is_subtotal] == pytest.approx([parts], rel=1e-12)


def test_notes_begin_with_the_standards_and_stay_below_total_assets(firms: Firms) -> None:
    items = draw_asset_items(DEFAULT_SEED, firms)
    assert FIRM_YEARS[items.year].min() == FIRST_NOTES
    assert firms.active[items.firm, items.year].all()
    held = np.zeros(firms.active.shape)
    np.add.at(held, (items.firm[~items.is_subtotal], items.year[~items.is_subtotal]), items.amount[~items.is_subtotal])
    assert (held <= 0.55 * firms.quantity["total_assets_yuan"]).all()
    digital = np.zeros(firms.active.shape)
    np.add.at(digital, (items.firm[items.is_digital], items.year[items.is_digital]), items.amount[items.is_digital])
    share = digital.sum(axis=0)[4:] / held.sum(axis=0)[4:]
    assert share[-1] > share[0] > 0


def test_links_have_two_firms_with_accounts(firms: Firms) -> None:
    table = links_table(DEFAULT_SEED, firms).to_pandas()
    assert not table.duplicated(["firm_code", "year", "partner_code", "role"]).any()
    assert (table["firm_code"] != table["partner_code"]).all()
    position = {code: k for k, code in enumerate(firms.code)}
    listed = table[table["partner_code"].isin(position)]
    year = listed["year"].to_numpy() - FIRM_YEARS[0]
    for column in ("firm_code", "partner_code"):
        assert firms.active[[position[c] for c in listed[column]], year].all()
    assert table["year"].min() == 2008
    assert table["amount_yuan"].gt(0).all()


def test_defects_are_planted_as_listed(world: World, firms: Firms) -> None:
    rows = spoil_rows(DEFAULT_SEED, firms)
    kinds, numbers = np.unique(rows.defect[rows.defect != ""], return_counts=True)
    found = dict(zip(kinds, numbers, strict=True))
    assert sum(found.values()) == sum(DEFECTS.values())
    assert found["repeated"] == DEFECTS["repeated"]
    listed = firm_tables(world, REFERENCE)["truth"]["truth_defect"]
    assert listed["kind"].value_counts().to_dict() == {f"firm_{k}": n for k, n in found.items()}
    table = accounts_table(world, firms).to_pandas()
    again = table[table.duplicated(["firm_code", "year"], keep=False)]
    assert len(again) == 2 * DEFECTS["repeated"]
    assert (table["employees_persons"] < 0).sum() == found["negative"]
    assert table["city_code"].isna().sum() == DEFECTS["no_code"]


def test_tables_have_the_agreed_columns(world: World, firms: Firms) -> None:
    accounts = accounts_table(world, firms)
    assert accounts.column_names == [
        *("firm_code", "firm_name", "year", "city_code", "city_name", "industry_code", "industry_name"),
        *("total_assets_yuan", "revenue_yuan", "employees_persons", "green_patents_upstream"),
        *("green_patents_end_of_pipe", "ai_patents", "robots", "energy_tce", "co2_t"),
        "smart_manufacturing_pilot_year",
    ]
    assets, links = assets_table(DEFAULT_SEED, firms), links_table(DEFAULT_SEED, firms)
    assert assets.column_names == ["firm_code", "year", "asset_class", "item_name", "amount_yuan"]
    assert links.column_names == ["firm_code", "year", "partner_code", "role", "amount_yuan"]
    for table in (accounts, assets, links):
        assert table.schema.field("year").type == pa.int32()
        frame = table.select(["firm_code", "year"]).to_pandas()
        assert (frame.sort_values(["firm_code", "year"], kind="stable").index == frame.index).all()


def test_shipped_effects_are_those_drawn(world: World) -> None:
    drawn = firm_tables(world, REFERENCE)["truth"]["truth_firm_effect"]
    shipped = (paths().seeds / "truth" / "truth_firm_effect.csv").read_text(encoding="utf-8")
    assert drawn.to_csv(index=False, lineterminator="\n") == shipped
