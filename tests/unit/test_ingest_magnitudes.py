"""Orders of magnitude: what is off by a power of ten is quarantined with a guess; real growth is not."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from analysis_py.ingest.batches import SCHEMA
from analysis_py.ingest.contract import load_contract, read_reference
from analysis_py.ingest.ingest import render_report
from analysis_py.ingest.magnitudes import Doubt, judge_magnitudes, national_totals
from tests.unit.ingest_files import bring, write_text

CITIES = [row["city_code"] for row in read_reference("seed_city") if not row["valid_from"] and not row["valid_to"]]
YEARS = range(2003, 2016)


def series(
    cities: int = 40, indicator: str = "gdp", unit: str = "yi_yuan", growth: float = 1.12, seed: int = 5, **more: Any
) -> dict[tuple[str, int], dict[str, Any]]:
    """Rows by city and year: levels spread over two powers of ten, growth with noise of 4%."""
    rng = np.random.default_rng(seed)
    levels = 10 ** rng.uniform(1.5, 3.5, cities)
    rows = {}
    for code, level in zip(CITIES, levels, strict=False):
        value = float(level)
        for year in YEARS:
            value *= growth * float(np.exp(rng.normal(0, 0.04)))
            rows[code, year] = dict.fromkeys(SCHEMA.names) | {
                "source": "city_yearbook", "dataset": "a", "city_code": code, "year": year, "indicator": indicator,
                "value": value, "unit": unit, "area_scope": "whole_city", "vintage": "first",
                "value_text": str(value), "source_file": "a.csv", "source_row": len(rows) + 2,
                "source_column": indicator,
            } | more  # fmt: skip
    return rows


def judge(rows: dict[tuple[str, int], dict[str, Any]], impossible: dict[int, str] | None = None) -> dict[Any, Doubt]:
    """Doubts by (city, year)."""
    keys = list(rows)
    table = pa.Table.from_pylist(list(rows.values()), schema=SCHEMA)
    return {keys[position]: doubt for position, doubt in judge_magnitudes(table, impossible or {}).items()}


def test_growth_with_noise_is_believed() -> None:
    for seed in range(5):
        for growth in (0.9, 1.0, 1.12, 1.45):
            assert judge(series(seed=seed, growth=growth)) == {}


@pytest.mark.parametrize(
    ("power", "said", "guess"),
    [
        (1, "yi_yuan", "looks 10 times too large"),
        (-1, "yi_yuan", "looks 10 times too small"),
        (2, "yi_yuan", "looks 10^2 times too large: 百万元 instead of 亿元?"),
        (4, "yi_yuan", "looks 10^4 times too large: 万元 instead of 亿元?"),
        (-4, "10k_yuan", "looks 10^4 times too small: 亿元 instead of 万元?"),
        (8, "yi_yuan", "looks 10^8 times too large: 元 instead of 亿元?"),
        (3, "yi_yuan", "looks 10^3 times too large"),
    ],
)
def test_a_cell_off_by_a_power_of_ten(power: int, said: str, guess: str) -> None:
    rows = series(unit=said)
    for row in rows.values():
        row["value"] *= 1e4 if said == "10k_yuan" else 1
    key = (CITIES[7], 2009)
    rows[key]["value"] *= 10.0**power
    doubts = judge(rows)
    assert list(doubts) == [key]
    assert (doubts[key].guess, doubts[key].span) == (guess, "cell")
    times = "10" if power == 1 else f"10^{power}"
    assert f"about {times} times what the years around it are (2008: " in doubts[key].reason


@pytest.mark.parametrize("factor", [2.0, 5.0, 0.3, 30.0, 0.02])
def test_a_factor_that_is_no_power_of_ten_is_left_alone(factor: float) -> None:
    rows = series()
    rows[CITIES[7], 2009]["value"] *= factor
    assert judge(rows) == {}


def test_the_last_year_is_only_judged_on_what_no_growth_explains() -> None:
    for power, doubted in ((1, False), (2, False), (4, True)):
        rows = series()
        rows[CITIES[7], 2015]["value"] *= 10.0**power
        assert bool(judge(rows)) is doubted


def test_a_lasting_change_of_level_is_no_fault() -> None:
    rows = series()
    for year in range(2009, 2016):
        rows[CITIES[7], year]["value"] *= 10
    assert judge(rows) == {}


def test_two_bad_years_in_a_row_and_a_bad_neighbour_are_told_apart() -> None:
    rows = series()
    for year in (2008, 2009):
        rows[CITIES[7], year]["value"] *= 1e4
    assert list(judge(rows)) == [(CITIES[7], 2008), (CITIES[7], 2009)]


def test_few_neighbours_and_neighbours_that_disagree_say_nothing() -> None:
    rows = series()
    short = {key: row for key, row in rows.items() if key[0] != CITIES[7] or key[1] in (2008, 2009, 2010)}
    short[CITIES[7], 2009]["value"] *= 10
    assert judge(short) == {}
    for year in YEARS:
        rows[CITIES[7], year]["value"] *= 10.0 ** (year % 3)
    assert judge(rows) == {}


def test_in_a_series_full_of_spikes_a_tenfold_one_is_no_fault() -> None:
    rows = series()
    for at, factor in enumerate((10.0, 5.0, 0.2, 20.0), start=3):
        rows[CITIES[at], 2009]["value"] *= factor
    assert judge(rows) == {}
    rows[CITIES[10], 2009]["value"] *= 1e4
    assert list(judge(rows)) == [(CITIES[10], 2009)]


def test_small_counts_may_change_tenfold() -> None:
    for level, doubted in ((3.0, False), (400.0, True)):
        rows = series(indicator="green_patent_applications", unit="count", growth=1.0, source="city_patents")
        for year in YEARS:
            rows[CITIES[7], year]["value"] = level * (10 if year == 2009 else 1)
        assert bool(judge(rows)) is doubted


def test_a_share_printed_as_a_fraction_among_percentages() -> None:
    rows = series(indicator="gdp_tertiary_share", unit="pct", growth=1.0)
    for row in rows.values():
        row["value"] = 40.0
    rows[CITIES[3], 2010]["value"] = 0.4
    assert judge(rows)[CITIES[3], 2010].guess == "looks 10^2 times too small: 比重 instead of %?"


def test_a_whole_year_in_another_unit() -> None:
    """Employees of 2009 in 万人 under a heading of 人, as a portal printed them."""
    rows = series(indicator="employees", unit="persons", growth=1.02)
    for (_, year), row in rows.items():
        row["value"] *= 1000 if year != 2009 else 0.1
    doubts = judge(rows)
    assert set(doubts) == {key for key in rows if key[1] == 2009}
    assert {doubt.span for doubt in doubts.values()} == {"year"}
    assert {doubt.guess for doubt in doubts.values()} == {"looks 10^4 times too small: 万人 instead of 人?"}
    assert "all of employees in 2009 (40 cities)" in next(iter(doubts.values())).reason


def test_a_unit_that_changed_in_the_course_of_time() -> None:
    """From 2012 on 亿元 under a heading of 万元: the nation's total tells which side is right."""
    rows = series(cities=60, unit="10k_yuan")
    for (_, year), row in rows.items():
        row["value"] *= 1e4 if year < 2012 else 1
    doubts = judge(rows)
    assert {year for _, year in doubts} == {2012, 2013, 2014, 2015}
    assert {doubt.guess for doubt in doubts.values()} == {"looks 10^4 times too small: 亿元 instead of 万元?"}
    # Where the wrong side is the longer one, the nation still decides.
    for (_, year), row in rows.items():
        row["value"] *= 1e-4 if 2005 <= year < 2012 else 1
    assert {year for _, year in judge(rows)} == set(range(2005, 2016))


def test_without_a_national_total_the_fewer_cells_are_doubted() -> None:
    assert "green_patent_applications" not in national_totals()
    rows = series(indicator="green_patent_applications", unit="count", source="city_patents")
    for (_, year), row in rows.items():
        row["value"] *= 1e4 if year >= 2013 else 1
    assert {year for _, year in judge(rows)} == {2013, 2014, 2015}


def test_a_whole_column_in_another_unit() -> None:
    rows = series(cities=60, unit="10k_yuan")
    doubts = judge(rows)
    assert len(doubts) == len(rows)
    first = next(iter(doubts.values()))
    assert (first.span, first.guess) == ("column", "looks 10^4 times too small: 亿元 instead of 万元?")
    assert "what the nation had" in first.reason


def test_a_few_cities_of_any_size_are_no_evidence_against_the_nation() -> None:
    """Twenty small places have a thousandth of their share of trade; the largest have ten times theirs."""
    small = series(cities=20, indicator="trade_total", unit="10k_usd", growth=1.05)
    large = series(cities=20, indicator="deposits", growth=1.1)
    for row in small.values():
        row["value"] *= 4
    for row in large.values():
        row["value"] *= 4
    assert judge(small) == {} and judge(large) == {}


def test_cells_outside_their_range_are_no_evidence_and_come_back_with_a_guess() -> None:
    rows = series()
    key = (CITIES[7], 2009)
    rows[key]["value"] *= 1e7
    position = list(rows).index(key)
    doubts = judge(rows, {position: "above 100,000"})
    assert doubts == {key: Doubt("above 100,000", "looks 10^7 times too large")}


@pytest.mark.parametrize(
    ("value", "unit", "guess"), [(109.0, "growth_pct", "上年=100"), (9.0, "index_prev100", "增长%")]
)
def test_an_index_under_a_heading_of_growth(tmp_path: Path, value: float, unit: str, guess: str) -> None:
    text = (
        f"city,year,gdp_index_prev100 ({unit})\n合肥,2014,{value}\n芜湖,2014,{8.2 if unit == 'growth_pct' else 108.2}\n"
    )
    report, _ = bring(write_text(tmp_path / "a.csv", text))
    assert [cell.guess.startswith(f"looks like {guess}") for cell in report.quarantined] == [True]


def test_scopes_and_vintages_are_judged_apart() -> None:
    rows = series()
    districts = {
        (f"{code} districts", year): row | {"area_scope": "urban_districts", "value": row["value"] / 10}
        for (code, year), row in rows.items()
    }
    assert judge(rows | districts) == {}


def test_the_national_totals_are_of_known_indicators_and_units() -> None:
    contract = load_contract()
    by_name = {indicator.name: indicator for indicator in contract.indicators.values()}
    for name, totals in national_totals().items():
        assert [year for year, _, _ in totals] == sorted({year for year, _, _ in totals})
        for _, value, unit in totals:
            assert contract.accepts(by_name[name], unit) and value > 0
    # GDP of the nation in 2010 was some 41 trillion yuan.
    assert math.isclose({y: v for y, v, _ in national_totals()["gdp"]}[2010], 412_000, rel_tol=0.01)


def test_the_account_of_a_file_with_wrong_magnitudes(tmp_path: Path) -> None:
    rows = series(cities=12)
    rows[CITIES[2], 2008]["value"] *= 1e4
    for (_, year), row in rows.items():
        row["value"] *= 1e4 if year == 2011 else 1
    text = "city_code,year,gdp\n" + "".join(f"{c},{y},{row['value']:.3f}\n" for (c, y), row in rows.items())
    report, kept = bring(write_text(tmp_path / "a.csv", text))
    assert report.cells_read == report.cells_written + len(report.quarantined) == len(rows)
    assert len(kept) == report.cells_written == len(rows) - 13
    assert report.columns_used[0].cells == len(rows) - 13 and 2011 not in report.years
    told = render_report(report)
    assert "12 cells of gdp: all of gdp in 2011 (12 cities) is about 10^4 times what its other years are" in told
    assert "万元 instead of 亿元?" in told and "row 2" not in told.split("quarantined (13)")[0]


def test_nothing_left_when_all_of_it_is_of_another_magnitude(tmp_path: Path) -> None:
    from analysis_py.errors import CarbonpanelError

    rows = series(cities=60)
    text = "city_code,year,GDP(万元)\n" + "".join(f"{c},{y},{row['value']:.3f}\n" for (c, y), row in rows.items())
    with pytest.raises(CarbonpanelError, match=r"(?s)CP-NOTHING-LEFT.*what the nation had"):
        bring(write_text(tmp_path / "a.csv", text))
    assert not (tmp_path / "data").exists()
