"""The table of settings: every source of places and years has its suite, and each kind of relation finds its fault."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis_py.ingest.contract import load_contract
from analysis_py.settings import project_root, quiet_environment

quiet_environment()

from expectations.checks import CHECKS  # noqa: E402
from expectations.custom import FindingExpectation  # noqa: E402
from expectations.parameters import load_parameters  # noqa: E402
from expectations.raw.place_year import SETTINGS, Ratio, Settings, expect_relations  # noqa: E402
from expectations.raw.registry import SUITES  # noqa: E402

SEEDS = project_root() / "seeds"


def test_every_source_of_the_contract_has_a_suite() -> None:
    assert set(load_contract().sources) <= set(SUITES)


@pytest.mark.parametrize("source", sorted(SETTINGS))
def test_settings_name_indicators_of_their_source(source: str) -> None:
    known = set(load_contract().of_source(source))
    settings = SETTINGS[source]
    named = {*settings.smooth, *settings.constant}
    named |= {name for pair in (*settings.parts, *settings.growth, *settings.stocks) for name in pair}
    named |= {name for parts, whole in settings.sums for name in (*parts, whole)}
    named |= {name for ratio in settings.ratios for name in (ratio.numerator, ratio.denominator)}
    # the investment of a part is compared with all investment where a user's table has both
    assert named <= known


def found(settings: Settings, frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Rows that each relation of our own names, by the name of its check."""
    parameters = load_parameters(Path(SEEDS))
    rows = {}
    for expectation in expect_relations(settings, set(frame.columns), parameters, "rows"):
        if isinstance(expectation, FindingExpectation):
            rows[expectation.check] = CHECKS[expectation.check](frame, **expectation.arguments()).rows
    return rows


def test_each_relation_finds_its_fault() -> None:
    settings = Settings(
        sums=((("a", "b"), "whole"),),
        ratios=(Ratio("a", "b", 0.1, 10, "look"),),
        growth=(("whole", "index"),),
        stocks=(("a", "b"),),
    )
    frame = pd.DataFrame(
        {
            "where": ["x 2001", "x 2002", "x 2003"],
            "series": "x",
            "year": [2001.0, 2002.0, 2003.0],
            "a": [1.0, 1.0, 200.0],
            "b": [1.0, 3.0, 2.0],
            "whole": [2.0, 4.0, 404.0],
            "index": [100.0, 110.0, 110.0],
        }
    )
    rows = found(settings, frame)
    assert rows["find_sum_gaps"] == ("x 2003, whole",)
    assert rows["find_ratio_outliers"] == ("x 2003",)
    assert rows["find_growth_mismatches"] == ("x 2002", "x 2003")
    assert rows["find_stock_deficits"] == ("x 2002",)


def test_relations_of_absent_columns_are_left_out() -> None:
    assert found(SETTINGS["province_yearbook"], pd.DataFrame({"gdp": [1.0]})) == {}
