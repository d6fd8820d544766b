"""Panels of the city studies: their samples, and their constructed variables computed again in numpy from the columns
they are made of."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pytest

from analysis_py.provenance import TraceStep, trace

GREEN_FINANCE = [
    f"green_{part}" for part in ("credit", "investment", "support", "insurance", "bonds", "funds", "equity")
]
CONSUMPTION = ["household_water_use", "household_lpg_use", "buses", "sewage_treatment_rate", "waste_treatment_rate"]


def steps(tree: TraceStep) -> Iterator[TraceStep]:
    yield tree
    for child in tree.children:
        yield from steps(child)


def files_of(tree: TraceStep) -> set[str]:
    """Raw files at the ends of a trace."""
    found = {step.cell.file for step in steps(tree) if step.cell}
    notes = [note for step in steps(tree) for note in step.notes if ", row " in note]
    return found | {note.split(",")[0] for note in notes}


def entropy_index(values: np.ndarray, signs: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Index (n,) and weights (k,) of complete (n, k) values, written out as the textbook has it."""
    low, high = values.min(axis=0), values.max(axis=0)
    z = np.where(np.array(signs) > 0, values - low, high - values) / (high - low)
    p = z / z.sum(axis=0)
    entropy = -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=0) / np.log(len(values))
    weight = (1 - entropy) / (1 - entropy).sum()
    return z @ weight, weight


@pytest.mark.parametrize(
    ("panel", "cities", "first", "last"),
    [("yellow_river", 78, 2006, 2021), ("green_tfp", 284, 2011, 2022), ("green_innovation", 284, 2006, 2022)],
)
def test_samples_are_those_of_the_studies(
    demo: duckdb.DuckDBPyConnection, panel: str, cities: int, first: int, last: int
) -> None:
    found = demo.execute(
        f"select count(*), count(distinct city_code), min(year), max(year) from marts.panel_{panel}"
    ).fetchone()
    assert found == (cities * (last - first + 1), cities, first, last)
    kept = demo.execute(f"select count(*) from intermediate.int_{panel}_sample where is_in_sample").fetchone()
    assert kept == (cities,)


@pytest.mark.parametrize(
    ("symbol", "index_name", "components", "signs"),
    [
        ("green_finance", "green_finance", GREEN_FINANCE, [1] * 7),
        ("green_consumption", "green_consumption", CONSUMPTION, [-1, -1, 1, 1, 1]),
    ],
)
def test_indices_of_the_yellow_river_study(
    demo: duckdb.DuckDBPyConnection, symbol: str, index_name: str, components: list[str], signs: list[int]
) -> None:
    complete = " and ".join(f"{c} is not null" for c in components)
    rows = np.array(
        demo.execute(
            f"select {symbol}, {', '.join(components)} from marts.panel_yellow_river where {complete} "
            "order by city_code, year"
        ).fetchall()
    )
    index, weight = entropy_index(rows[:, 1:], signs)
    assert len(rows) > 1000
    assert rows[:, 0] == pytest.approx(index, rel=1e-9)
    stored = dict(
        demo.execute(
            "select component, weight_share from marts.dim_index_weight "
            "where study = 'yellow_river' and index_name = ?",
            [index_name],
        ).fetchall()
    )
    named = {name: value for c in components for name, value in stored.items() if name.startswith(c)}
    assert list(named.values()) == pytest.approx(list(weight), rel=1e-9)
    missing = demo.execute(
        f"select count(*) from marts.panel_yellow_river where ({complete}) <> ({symbol} is not null)"
    ).fetchone()
    assert missing == (0,)


def test_capital_is_the_inventory_of_deflated_investment(demo: duckdb.DuckDBPyConnection) -> None:
    """Jinan from 2006 on: investment of the fact table, prices of Shandong chained here."""
    investment = dict(
        demo.execute(
            "select year, fixed_asset_investment_extended_yi_yuan from marts.fct_city_year where city_code = '370100'"
        ).fetchall()
    )
    prices = dict(
        demo.execute(
            "select year, investment_price_prev100_index from intermediate.int_province_price_index "
            "where province_code = '370000'"
        ).fetchall()
    )
    stored = dict(
        demo.execute(
            "select year, capital_stock from marts.panel_yellow_river where city_code = '370100' order by year"
        ).fetchall()
    )
    stock, level = investment[2006] / 0.10, 1.0
    for year, found in stored.items():
        if year > 2006:
            level *= prices[year] / 100
            stock = (1 - 0.096) * stock + investment[year] / level
        assert found == pytest.approx(stock, rel=1e-12)
    assert len(stored) == 16


def test_instrument_takes_the_nation_of_the_year_before(demo: duckdb.DuckDBPyConnection) -> None:
    wrong = demo.execute(
        "select count(*) filter (where p.tel <> p.tel_1984 * n.internet_users_10k_households), count(p.tel) "
        "from marts.panel_yellow_river as p inner join intermediate.int_national_year as n on p.year = n.year + 1"
    ).fetchone()
    assert wrong is not None and wrong[0] == 0 and wrong[1] > 500


def test_neighbours_are_those_of_the_year(demo: duckdb.DuckDBPyConnection) -> None:
    """Jinan bordered Laiwu until it swallowed it in December 2018: neighbours are those of the year-end."""
    for year, laiwu in ((2017, True), (2018, False)):
        codes = [
            row[0]
            for row in demo.execute(
                "select neighbour_code from reference.seed_city_neighbour where city_code = '370100' "
                "and coalesce(year(valid_to), 9999) > ? and coalesce(year(valid_from), 0) <= ?",
                [year, year],
            ).fetchall()
        ]
        assert ("371200" in codes) is laiwu
        values = [
            demo.execute(
                "select ln_ai_firms_stock from marts.fct_city_year where city_code = ? and year = ?", [code, year]
            ).fetchone()
            for code in codes
        ]
        known = [value[0] for value in values if value and value[0] is not None]
        (found,) = demo.execute(
            "select spillover from marts.panel_green_innovation where city_code = '370100' and year = ?", [year]
        ).fetchone()
        assert found == pytest.approx(np.mean(known), rel=1e-12)


def test_constructed_variables_are_traced_to_cells(demo: duckdb.DuckDBPyConnection) -> None:
    def trace_of(variable: str) -> TraceStep:
        return trace(demo, "370100", 2019, variable, panel="panel_yellow_river")

    assert files_of(trace_of("capital_stock")) == {
        "seeds/raw/raw_city_yearbook.csv",
        "seeds/raw/raw_province_yearbook.csv",
    }
    tel = trace_of("tel")
    assert files_of(tel) == {"seeds/raw/raw_city_history.csv", "seeds/raw/raw_national_yearbook.csv"}
    assert any(step.label == "indicator fixed_telephones, 1984" for step in steps(tel))
    finance = trace_of("green_finance")
    assert files_of(finance) == {"seeds/raw/raw_city_green_finance.csv"}
    weights = [step for step in steps(finance) if "int_index_weight.weight" in step.label]
    assert len(weights) == 7
    assert sum(float(str(step.value)) for step in weights) == pytest.approx(1, abs=1e-12)


def test_investment_goes_on_by_growth_rates(demo: duckdb.DuckDBPyConnection) -> None:
    rows = demo.execute(
        "select count(*), count(*) filter (where abs(here.x / before.x - 1 - here.g / 100) > 1e-12) from "
        "(select city_code, year, fixed_asset_investment_extended_yi_yuan as x, fixed_asset_investment_growth_pct as g "
        " from marts.fct_city_year where fixed_asset_investment_extended_yi_yuan_fill = 'ratio') as here inner join "
        "(select city_code, year, fixed_asset_investment_extended_yi_yuan as x from marts.fct_city_year) as before "
        "on here.city_code = before.city_code and here.year = before.year + 1"
    ).fetchone()
    assert rows is not None and rows[0] > 1000 and rows[1] == 0
