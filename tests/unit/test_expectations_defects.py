"""The defects planted in the demo world: which the expectations find, which models handle, which nobody can see."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd
import pytest

from analysis_py.settings import project_root, quiet_environment
from expectations.checks import CHECKS
from expectations.parameters import load_parameters, plain_name
from expectations.raw.frames import RawSource, read_source

SEEDS = project_root() / "seeds"

#: Found by an expectation: every planted cell that ``is_visible`` is named by one.
FOUND = (
    "unit_mixup",
    "unit_mixup_hidden",
    "impossible_value",
    "scope_mixup",
    "population_mixup",
    "repeated_value",
)
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
)
#: Nothing in the tables gives it away.
INVISIBLE = ("retroactive_scope",)


@lru_cache(maxsize=1)
def defects() -> pd.DataFrame:
    return pd.read_csv(SEEDS / "truth" / "truth_defect.csv", dtype=str, keep_default_na=False)


@lru_cache(maxsize=8)
def raw_source(source: str) -> RawSource:
    parameters = load_parameters(SEEDS)
    return read_source(source, "demo", parameters, seeds_dir=SEEDS, user_raw_dir=SEEDS / "none")


@lru_cache(maxsize=8)
def found_cells(source: str) -> frozenset[tuple[str, str]]:
    """(place and year, column) of every cell that an expectation of the source names, with the arguments it has."""
    quiet_environment()
    from great_expectations import expectations as gxe

    from expectations.custom import FindingExpectation
    from expectations.raw.registry import SUITES

    cells = set()
    for checked in SUITES[source](raw_source(source), load_parameters(SEEDS)):
        frame = checked.frame
        for expectation in checked.expectations:
            if isinstance(expectation, FindingExpectation):
                rows = CHECKS[expectation.check](frame, **expectation.arguments()).rows
                column = getattr(expectation, "column", None)
                cells |= {(r, column) if column else tuple(r.rsplit(", ", 1)) for r in rows if column or ", " in r}
            elif isinstance(expectation, gxe.ExpectColumnValuesToBeBetween) and checked.name.endswith(".values"):
                values = frame[expectation.column]
                bad = values.notna() & ~values.between(expectation.min_value, expectation.max_value)
                cells |= {(where, expectation.column) for where in frame["where"][bad]}
    return frozenset(cells)


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
    assert set(defects()["kind"]) <= {*FOUND, *HANDLED_BY_MODELS, *INVISIBLE}
    assert set(FOUND) <= set(defects()["kind"])


@pytest.mark.parametrize("kind", FOUND)
def test_planted_defects_are_found(kind: str) -> None:
    rows = defects().query("kind == @kind").to_dict("records")
    places = load_parameters(SEEDS).places
    names = {**places["city"], **places["province"]}
    visible = [row for row in rows if is_visible(row)]
    assert visible, "a kind that is never visible belongs to another list"
    missed = [
        row["defect_id"]
        for row in visible
        if (f"{names[row['city_code']]} {row['year']}", row["indicator"]) not in found_cells(row["source"])
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
    codes = {name: code for code, name in load_parameters(SEEDS).places["city"].items()}
    for row in changes.to_dict("records"):
        named = [w for w, c in found_cells(row["source"]) if c == row["indicator"] and w.endswith(f" {row['year']}")]
        fresh = [w for w in named if (codes[w.split(" ")[0]], row["year"], row["indicator"]) not in excused]
        assert len(fresh) < 10, f"{row['indicator']} in {row['year']}: a unit not converted"


def test_the_page_counts_as_the_tests_do() -> None:
    page = (project_root() / "docs" / "reference" / "validation.md").read_text(encoding="utf-8")
    for kind in (*FOUND, *INVISIBLE):
        rows = defects().query("kind == @kind").to_dict("records")
        seen = sum(is_visible(row) for row in rows) if kind in FOUND else 0
        assert f"| `{kind}` | {len(rows)} | {seen} |" in page, f"{kind}: {len(rows)} planted, {seen} named"
