"""The defects planted in the demo world: which the expectations find, which models handle, which nobody can see."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from analysis_py.settings import project_root, quiet_environment
from expectations.checks import CHECKS
from expectations.parameters import Parameters, load_parameters, plain_name
from expectations.raw.frames import RawSource, read_source

if TYPE_CHECKING:
    from expectations.suites import Checked

SEEDS = project_root() / "seeds"

#: Found by an expectation: every planted cell that ``is_visible`` is named by one.
FOUND = (
    "unit_mixup",
    "unit_mixup_hidden",
    "tenfold",
    "share_for_percent",
    "impossible_value",
    "swapped_digits",
    "scope_mixup",
    "population_mixup",
    "repeated_value",
)
#: Kinds of the listed firms' accounts -> the columns named in the spoilt row ("" is the row itself).
FOUND_FIRMS = {
    "firm_repeated": ("",),
    "firm_unit_mixup": ("total_assets_yuan", "revenue_yuan"),
    "firm_negative": ("employees_persons",),
    "firm_code_and_name": ("is_name_agreeing",),
}
#: Features of real yearbooks rather than faults: the models resolve, convert, select or fill them, and the suites only
#: make sure that they can (a place resolves, a unit converts, a key is unique).
HANDLED_BY_MODELS = (
    "code_change",
    "former_name",
    "short_name",
    "province_level_code",
    "abolished",
    "unit_change",
    "series_ended",
    "gdp_revision",
    "urban_rows",
    "missing",
    "firm_no_code",
)
#: Nothing in the tables gives it away.
INVISIBLE = ("retroactive_scope",)


@lru_cache(maxsize=1)
def defects() -> pd.DataFrame:
    return pd.read_csv(SEEDS / "truth" / "truth_defect.csv", dtype=str, keep_default_na=False)


@lru_cache(maxsize=1)
def parameters() -> Parameters:
    return load_parameters(SEEDS)


@lru_cache(maxsize=32)
def raw_source(source: str) -> RawSource:
    return read_source(source, "demo", parameters(), seeds_dir=SEEDS, user_raw_dir=SEEDS / "none")


@lru_cache(maxsize=32)
def found_cells(source: str) -> frozenset[tuple[str, str]]:
    """(place and year, column) of every cell that an expectation of the source names, with the arguments it has."""
    quiet_environment()
    from expectations.raw.registry import SUITES

    return name_cells(SUITES[source](raw_source(source), parameters()))


def name_cells(checks: Iterable[Checked]) -> frozenset[tuple[str, str]]:
    """(row, column) of every cell that the expectations name; the column is empty where a whole row is named."""
    from expectations.custom import FindingExpectation

    cells: set[tuple[str, str]] = set()
    for checked in checks:
        for expectation in checked.expectations:
            if not isinstance(expectation, FindingExpectation):
                continue
            finding = CHECKS[expectation.check](checked.frame, **expectation.arguments())
            column = getattr(expectation, "column", "")
            for row in finding.rows:
                where, _, end = row.rpartition(", ")
                # "where, column" of a check of several columns; a cell's own label ends in its place in the file
                several = where and not column and "(" not in end
                cells.add((where, end) if several else (row, column))
    return frozenset(cells)


@pytest.fixture(scope="module")
def firm_cells(tmp_path_factory: pytest.TempPathFactory) -> frozenset[tuple[str, str]]:
    """Cells named by the suites of the accounts of the listed firms."""
    quiet_environment()
    from expectations.raw.flat import build_checks
    from expectations.raw.flat_frames import read_flat, read_industries

    folder = tmp_path_factory.mktemp("demo")
    raw = read_flat("listed_firms", "demo", parameters(), seeds_dir=SEEDS, user_raw_dir=SEEDS / "none", demo_dir=folder)
    assert raw.rows is not None
    named = defects().query("kind == 'firm_no_code'")["description"].str.split(":").str[0]
    without_code = raw.rows["firm_code"].astype("str").isin(set(named)) & raw.rows["city_code"].isna()
    assert without_code.sum() == len(named)
    assert bool(raw.rows.loc[without_code, "is_placed"].all()), "a name alone resolves"
    return name_cells(build_checks(raw, parameters(), read_industries(SEEDS)))


def is_visible(row: dict[str, str]) -> bool:
    """Whether the tables hold what gives the defect away: a second number to compare with, or a long enough one."""
    values = raw_source(row["source"]).values
    assert values is not None
    here = values[(values["place_code"] == row["city_code"]) & (values["year"] == float(row["year"]))]
    whole = here[here["is_main"]]
    if row["kind"] == "scope_mixup":
        urban = here[here["area_scope"] == "urban_districts"]
        return bool(urban[row["indicator"]].notna().any())
    if row["kind"] == "population_mixup":
        return bool(whole["population_registered"].notna().any())
    if row["kind"] == "repeated_value":
        number = f"{float(whole[row['indicator']].iloc[0]):.10g}".replace(".", "").lstrip("0")
        return row["indicator"] != "land_area" and len(number) >= 5
    return True


def test_every_kind_is_accounted_for() -> None:
    assert set(defects()["kind"]) <= {*FOUND, *FOUND_FIRMS, *HANDLED_BY_MODELS, *INVISIBLE}
    assert {*FOUND, *FOUND_FIRMS} <= set(defects()["kind"])


@pytest.mark.parametrize("kind", FOUND)
def test_planted_defects_are_found(kind: str) -> None:
    rows = defects().query("kind == @kind").to_dict("records")
    places = parameters().places
    names = {**places["city"], **places["province"]}
    visible = [row for row in rows if is_visible(row)]
    assert visible, "a kind that is never visible belongs to another list"
    missed = [
        row["defect_id"]
        for row in visible
        if (f"{names[row['city_code']]} {row['year']}", row["indicator"]) not in found_cells(row["source"])
    ]
    assert missed == []


def test_no_percent_is_called_a_share_but_those_that_are() -> None:
    quiet_environment()
    from expectations.custom import ExpectPercentsNotToBeShares
    from expectations.raw.registry import SUITES

    told = set()
    for source in parameters().contract.sources:
        for checked in SUITES[source](raw_source(source), parameters()):
            for expectation in checked.expectations:
                if isinstance(expectation, ExpectPercentsNotToBeShares):
                    told |= set(CHECKS[expectation.check](checked.frame, **expectation.arguments()).rows)
    names = parameters().places["city"]
    planted = defects().query("kind == 'share_for_percent'").to_dict("records")
    assert told == {f"{names[row['city_code']]} {row['year']}, {row['indicator']}" for row in planted}


@pytest.mark.parametrize("kind", FOUND_FIRMS)
def test_planted_defects_of_firms_are_found(kind: str, firm_cells: frozenset[tuple[str, str]]) -> None:
    rows = defects().query("kind == @kind").to_dict("records")
    missed = [
        row["defect_id"]
        for row in rows
        for column in FOUND_FIRMS[kind]
        if (f"{row['description'].split(':')[0]} {row['year']}", column) not in firm_cells
    ]
    assert missed == []


def test_most_planted_cells_are_visible() -> None:
    rows = defects()[defects()["kind"].isin(FOUND)].to_dict("records")
    seen = sum(is_visible(row) for row in rows)
    assert seen >= 0.7 * len(rows), f"{seen} of {len(rows)}"


def test_places_under_former_names_resolve() -> None:
    renamed = defects()[defects()["kind"].isin(["code_change", "former_name", "short_name", "province_level_code"])]
    for source in sorted(set(renamed["source"])):
        cells = raw_source(source).cells
        assert cells is not None
        assert bool(cells["is_placed"].all())
        assert set(renamed.loc[renamed["source"] == source, "city_code"]) <= set(cells["place_code"])
    assert plain_name("思茅地区") == plain_name("思茅市") == "思茅"


def test_declared_unit_changes_are_no_jumps() -> None:
    changes = defects().query("kind == 'unit_change'")
    planted = defects()[defects()["kind"].isin(FOUND)]
    excused = {(row["city_code"], row["year"], row["indicator"]) for row in planted.to_dict("records")}
    codes = {name: code for level in ("city", "province") for code, name in parameters().places[level].items()}
    for row in changes.to_dict("records"):
        named = [w for w, c in found_cells(row["source"]) if c == row["indicator"] and w.endswith(f" {row['year']}")]
        fresh = [w for w in named if (codes[w.split(" ")[0]], row["year"], row["indicator"]) not in excused]
        assert len(fresh) < 10, f"{row['indicator']} in {row['year']}: a unit not converted"


def test_the_page_counts_as_the_tests_do() -> None:
    page = (project_root() / "docs" / "reference" / "validation.md").read_text(encoding="utf-8")
    for kind in (*FOUND, *FOUND_FIRMS, *INVISIBLE):
        rows = defects().query("kind == @kind").to_dict("records")
        seen = sum(kind in FOUND_FIRMS or is_visible(row) for row in rows) if kind not in INVISIBLE else 0
        assert f"| `{kind}` | {len(rows)} | {seen} |" in page, f"{kind}: {len(rows)} planted, {seen} named"
