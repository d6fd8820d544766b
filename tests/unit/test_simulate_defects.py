"""Every planted defect is where the truth table says it is, and every kind does what it says."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest

from analysis_py.settings import DEFAULT_SEED, paths
from analysis_py.simulate.defects import COLUMNS, KINDS, Defect, defect_frame, plant_defects
from analysis_py.simulate.layout import HISTORY_YEAR, canonical, indicators
from analysis_py.simulate.places import FIRST_YEAR, YEARS
from analysis_py.simulate.raw_tables import RawTables, build_raw_tables
from analysis_py.simulate.remeasure import read_rules
from analysis_py.simulate.world import draw_world

SEEDS = paths().seeds
REFERENCE = SEEDS / "reference"
CELL_KINDS = (
    "unit_mixup",
    "unit_mixup_hidden",
    "tenfold",
    "share_for_percent",
    "impossible_value",
    "swapped_digits",
    "repeated_value",
    "scope_mixup",
    "population_mixup",
)


@cache
def worlds() -> tuple[RawTables, RawTables, list[Defect]]:
    """Tables before and after planting, and the list."""
    world = draw_world(DEFAULT_SEED, REFERENCE)
    before, after = build_raw_tables(world), build_raw_tables(world)
    return before, after, plant_defects(after, world, REFERENCE)


@cache
def csv_table(source: str) -> pd.DataFrame:
    return pd.read_csv(SEEDS / "raw" / f"raw_{source}.csv", dtype=str, keep_default_na=False)


def of_kind(kind: str) -> list[Defect]:
    return [d for d in worlds()[2] if d.kind == kind]


def cell(raw: RawTables, defect: Defect) -> float:
    i = raw.places.position(defect.city_code)
    return float(raw.printed[defect.source][defect.indicator][i, defect.year - FIRST_YEAR])


def test_table_is_the_list() -> None:
    table = pd.read_csv(SEEDS / "truth" / "truth_defect.csv", dtype=str, keep_default_na=False)
    assert list(table["defect_id"]) == [f"D{k:05d}" for k in range(1, len(table) + 1)]
    table = table[table["source"].str.startswith("city_")].reset_index(drop=True)
    made = defect_frame(worlds()[2]).astype(str).assign(defect_id=table["defect_id"])
    assert list(table.columns) == COLUMNS
    assert table.equals(made)
    assert set(table["kind"]) == set(KINDS)


def test_every_changed_cell_is_listed_and_every_listed_cell_changed() -> None:
    before, after, defects = worlds()
    changed = set()
    for source, columns in before.printed.items():
        for name, values in columns.items():
            other = after.printed[source][name]
            differs = ~((values == other) | (np.isnan(values) & np.isnan(other)))
            changed |= {(source, name, str(before.places.code[i]), int(YEARS[t])) for i, t in np.argwhere(differs)}
    for name, values in before.history.items():
        lost = np.flatnonzero(~np.isnan(values) & np.isnan(after.history[name]))
        changed |= {("city_history", name, str(before.places.code[i]), HISTORY_YEAR) for i in lost}
    listed = {
        (d.source, d.indicator, d.city_code, d.year) for d in defects if d.kind in (*CELL_KINDS, "retroactive_scope")
    }
    for d in (d for d in defects if d.kind == "missing"):
        first, last = map(int, re.findall(r"\d{4}", d.description))
        names = [d.indicator] if d.indicator else indicators(d.source)
        listed |= {(d.source, n, d.city_code, y) for n in names for y in range(first, last + 1)}
    assert changed <= listed
    # a gap may run over years that were never printed, and a cell over another; nothing else is listed unchanged
    unchanged = {
        (source, name, code, year)
        for source, name, code, year in listed - changed
        if source != "city_history"
        and not np.isnan(before.printed[source][name][before.places.position(code), year - FIRST_YEAR])
    }
    assert unchanged == set()


@pytest.mark.parametrize("kind", CELL_KINDS)
def test_single_cells_carry_the_true_number_in_their_description(kind: str) -> None:
    before, after, _ = worlds()
    found = of_kind(kind)
    assert len(found) >= 3
    for defect in found:
        true = cell(before, defect)
        assert float(defect.description.split(": ")[1]) == pytest.approx(true, abs=1e-4)
        assert cell(after, defect) != true


def test_cells_stand_in_the_committed_files() -> None:
    _, after, defects = worlds()
    for defect in (d for d in defects if d.kind in CELL_KINDS):
        table = csv_table(defect.source)
        i, t = after.places.position(defect.city_code), defect.year - FIRST_YEAR
        rows = (table["city_code"] == after.code[defect.source][i, t]) & (table["year"] == str(defect.year))
        if "area_scope" in table:
            rows &= (table["area_scope"] == "whole_city") & (table["vintage"] == "first")
        assert rows.sum() == 1
        assert float(table.loc[rows, defect.indicator].item()) == pytest.approx(cell(after, defect))


def test_unit_mixups_are_outside_the_plausible_range_and_hidden_ones_inside() -> None:
    before, after, _ = worlds()
    rules = read_rules(REFERENCE)
    for defect in (*of_kind("unit_mixup"), *of_kind("unit_mixup_hidden"), *of_kind("impossible_value")):
        i, t = after.places.position(defect.city_code), defect.year - FIRST_YEAR
        values = canonical(defect.source, defect.indicator, after.printed[defect.source][defect.indicator])
        rule = rules[defect.source, defect.indicator]
        inside = rule.low <= values[i, t] <= rule.high
        assert inside == (defect.kind == "unit_mixup_hidden"), defect
        if defect.kind == "unit_mixup":
            assert cell(after, defect) == pytest.approx(1e4 * cell(before, defect))


def test_slips_are_inside_the_plausible_range_and_large_steps() -> None:
    before, after, _ = worlds()
    rules = read_rules(REFERENCE)
    for defect in (*of_kind("tenfold"), *of_kind("share_for_percent"), *of_kind("swapped_digits")):
        i, t = after.places.position(defect.city_code), defect.year - FIRST_YEAR
        value = canonical(defect.source, defect.indicator, after.printed[defect.source][defect.indicator])[i, t]
        rule = rules[defect.source, defect.indicator]
        assert rule.low <= value <= rule.high, defect
        ratio = cell(after, defect) / cell(before, defect)
        if defect.kind == "tenfold":
            last = before.printed[defect.source][defect.indicator][i, t - 1]
            assert ratio == pytest.approx(10.0) and cell(after, defect) > 10.0 * last
        elif defect.kind == "share_for_percent":
            assert ratio == pytest.approx(0.01, rel=0.02)
        else:
            assert abs(ratio - 1.0) > 0.25


def test_sectors_add_up_wherever_no_digits_were_swapped() -> None:
    """Whole city and urban districts, first and revised figures, to the digit printed; ``swapped_digits`` breaks it."""
    before, after, _ = worlds()
    swapped = {(d.city_code, d.year) for d in of_kind("swapped_digits")}
    spoilt = {(d.city_code, d.year) for d in worlds()[2] if d.kind in CELL_KINDS and d.indicator.startswith("gdp")}
    parts = ("gdp_primary", "gdp_secondary", "gdp_tertiary")
    digits = np.where(YEARS <= 2016, 0, 2)
    for raw in (before, after):
        for block in (raw.printed["city_yearbook"], raw.urban, raw.revised):
            gap = np.abs(block["gdp"] - sum(block[p] for p in parts))
            off = gap > 0.4 * 10.0**-digits
            found = {(str(raw.places.code[i]), int(YEARS[t])) for i, t in np.argwhere(off)}
            first_of_spoilt = raw is after and block is raw.printed["city_yearbook"]
            assert found <= (spoilt if first_of_spoilt else set())
            if first_of_spoilt:
                assert swapped <= found
            assert np.nanmin(block["gdp_secondary"]) > 0


def test_1984_is_missing_for_small_places_more_often() -> None:
    before, after, _ = worlds()
    lines = before.history["fixed_telephones"]
    lost = np.isnan(after.history["fixed_telephones"])
    assert 0.05 < lost.mean() < 0.3
    assert np.median(lines[lost]) < 0.7 * np.median(lines[~lost])
    assert np.isnan(after.history["natural_science_researchers"]).sum() > lost.sum()
    table = csv_table("city_history")
    assert len(table) == (~lost & before.places.exists[:, 0]).sum()
    assert (table["fixed_telephones"] != "").all() and (table["natural_science_researchers"] == "").any()


def test_no_other_cell_is_outside_its_range() -> None:
    _, after, _ = worlds()
    rules = read_rules(REFERENCE)
    planted = {
        (d.source, d.indicator, d.city_code, d.year) for d in (*of_kind("unit_mixup"), *of_kind("impossible_value"))
    }
    for source, columns in after.printed.items():
        for name, numbers in columns.items():
            values, rule = canonical(source, name, numbers), rules[source, name]
            outside = (values < rule.low) | (values > rule.high)
            for i, t in np.argwhere(outside):
                assert (source, name, str(after.places.code[i]), int(YEARS[t])) in planted


def test_retroactive_scopes_only_add_firms_in_early_years() -> None:
    before, after, _ = worlds()
    found = of_kind("retroactive_scope")
    assert len(found) >= 20
    for defect in found:
        true, printed = map(int, re.findall(r"\d+", defect.description))
        assert (cell(before, defect), cell(after, defect)) == (true, printed)
        assert printed > true and defect.year <= 2007
    firms = "ai_firms_registered"
    more = after.printed["city_firms"][firms] - before.printed["city_firms"][firms]
    assert np.nansum(more) == sum(int(np.diff(list(map(int, re.findall(r"\d+", d.description))))[0]) for d in found)


def test_labels_stand_in_the_files() -> None:
    _, after, _ = worlds()
    for kind in ("code_change", "former_name", "short_name", "province_level_code"):
        found = of_kind(kind)
        assert found
        for defect in found:
            i, t = after.places.position(defect.city_code), defect.year - FIRST_YEAR
            code, label = after.code[defect.source][i, t], after.label[defect.source][i, t]
            table = csv_table(defect.source)
            rows = table[(table["city_code"] == code) & (table["year"] == str(defect.year))]
            assert len(rows) >= 1 and set(rows["city_name"]) == {label}, defect
            unusual = (code != defect.city_code, label != after.places.name[i])
            assert unusual[0] == (kind in {"code_change", "province_level_code"})
            assert unusual[1] or kind in {"province_level_code", "code_change"}


def test_row_kinds_stand_in_the_files() -> None:
    yearbook = csv_table("city_yearbook")
    _, after, _ = worlds()
    keyed = set(zip(yearbook["city_code"], yearbook["year"], yearbook["area_scope"], yearbook["vintage"], strict=True))
    for defect in of_kind("urban_rows"):
        i = after.places.position(defect.city_code)
        for year in map(int, defect.description.split(";")):
            assert (after.code["city_yearbook"][i, year - FIRST_YEAR], str(year), "urban_districts", "first") in keyed
    for defect in of_kind("gdp_revision"):
        i = after.places.position(defect.city_code)
        last = int(re.findall(r"\d{4}", defect.description)[1])
        assert defect.year in (2004, 2008, 2013, 2018)
        assert (after.code["city_yearbook"][i, last - FIRST_YEAR], str(last), "whole_city", "revised") in keyed
    for defect in of_kind("abolished"):
        rows = yearbook[(yearbook["city_code"] == defect.city_code)]["year"].astype(int)
        assert rows.max() == defect.year
    (ended,) = of_kind("series_ended")
    assert (ended.indicator, ended.year) == ("fixed_asset_investment", 2018)
    late = yearbook[yearbook["year"].astype(int) >= ended.year]
    assert (late["fixed_asset_investment"] == "").all()
    layout = csv_table("layout")
    for defect in of_kind("unit_change"):
        rows = layout[(layout["source"] == defect.source) & (layout["indicator"] == defect.indicator)]
        assert str(defect.year) in set(rows["year_from"]) and rows["unit"].nunique() == 2


def test_cells_are_missing_more_often_where_places_are_poor() -> None:
    before, after, _ = worlds()
    world = draw_world(DEFAULT_SEED, REFERENCE)
    income = (world.gdp_real / world.quantity["population_resident"])[:, 3]
    lost = np.zeros(world.places.count)
    for name in indicators("city_yearbook"):
        old, new = before.printed["city_yearbook"][name], after.printed["city_yearbook"][name]
        lost += (~np.isnan(old) & np.isnan(new)).sum(axis=1)
    poor = income < np.quantile(income, 0.33)
    rich = income > np.quantile(income, 0.67)
    assert lost[poor].mean() > 1.5 * lost[rich].mean()
    found = [d for d in of_kind("missing") if d.source == "city_yearbook"]
    inside = [d for d in found if int(d.description[6:10]) > FIRST_YEAR and "2023" not in d.description]
    assert len(inside) > 200 and len(found) - len(inside) > 50
