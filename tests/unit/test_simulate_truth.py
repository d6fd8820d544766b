"""Inverse measurement and truth tables: the printed world gives the truth back, and the projections are right."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from analysis_py.settings import DEFAULT_SEED, paths
from analysis_py.simulate.defects import plant_defects
from analysis_py.simulate.fuels import BURNT, read_fuel_factors, read_grid_factors
from analysis_py.simulate.places import TIBET, YEARS, load_places
from analysis_py.simulate.projection import absorb, build_design, cluster_errors, project
from analysis_py.simulate.raw_tables import RawTables, build_raw_tables
from analysis_py.simulate.remeasure import measure_panel
from analysis_py.simulate.structure import CONTROLS
from analysis_py.simulate.study_columns import list_columns
from analysis_py.simulate.truth import describe_column, describe_columns
from analysis_py.simulate.world import STUDY_YEARS, SYMBOLS, World, draw_world

REFERENCE = paths().seeds / "reference"
TRUTH = paths().seeds / "truth"


@cache
def clean_world() -> tuple[World, RawTables, dict[str, np.ndarray]]:
    world = draw_world(DEFAULT_SEED, REFERENCE)
    raw = build_raw_tables(world)
    return world, raw, measure_panel(raw, REFERENCE)


@cache
def spoilt_panel() -> dict[str, np.ndarray]:
    world = draw_world(DEFAULT_SEED, REFERENCE)
    raw = build_raw_tables(world)
    plant_defects(raw, world, REFERENCE)
    return measure_panel(raw, REFERENCE)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_unspoilt_tables_give_the_truth_back(symbol: str) -> None:
    world, _, measured = clean_world()
    known = world.places.exists & np.isfinite(world.symbol["CP"])
    known[world.places.code == "460300"] = False
    if symbol == "FI":
        known &= (YEARS <= 2017)[None, :]
    truth, found = world.symbol[symbol][known], measured[symbol][known]
    assert not np.isnan(found).any()
    tolerance = 1e-3 if symbol == "CP" else 1e-12
    assert np.abs(found / np.where(truth == 0, 1.0, truth) - (truth != 0)).max() < tolerance


def test_investment_ends_in_2017() -> None:
    _, _, measured = clean_world()
    assert np.isnan(measured["FI"][:, YEARS >= 2018]).all()
    assert not np.isnan(measured["FI"][0, YEARS < 2018]).any()


def test_defects_move_only_part_of_the_panel() -> None:
    world, _, _ = clean_world()
    spoilt = spoilt_panel()
    rows = world.places.in_sample
    for symbol in SYMBOLS:
        truth, found = world.symbol[symbol][rows][:, STUDY_YEARS], spoilt[symbol][rows][:, STUDY_YEARS]
        moved = np.abs(found - truth) > 1e-3 * np.maximum(np.abs(truth), 1e-9)
        assert moved.mean() < 0.1, symbol
    complete = ~np.isnan(np.stack([spoilt[s] for s in ("CP", "AI", *CONTROLS)])).any(axis=0)
    assert 0.9 < complete[rows][:, (YEARS >= 2003) & (YEARS <= 2017)].mean() < 0.995


def test_emission_factors() -> None:
    factors = read_fuel_factors(REFERENCE)
    assert set(factors) == set(BURNT)
    assert factors["raw_coal"] == pytest.approx(1.9779, abs=5e-5)
    assert factors["natural_gas"] == pytest.approx(21.84, abs=5e-3)
    places = load_places(REFERENCE)
    grid = pd.DataFrame(read_grid_factors(REFERENCE, places) / 10.0, index=places.code, columns=YEARS)
    north = {2000: 0.8845, 2010: 0.8845, 2011: 0.8967, 2016: 0.8843, 2017: 0.712, 2022: 0.6776, 2023: 0.6776}
    assert grid.loc["130100", list(north)].to_dict() == pytest.approx(north)
    lhasa = places.code[places.province == TIBET][0]
    assert grid.loc[lhasa, 2018] == pytest.approx(0.6101), "no regional grid: the national series, ties to the earlier"


def test_projection_equals_dense_least_squares() -> None:
    draw = np.random.default_rng(5)
    usable = draw.uniform(size=(12, 8)) < 0.8
    x, y = draw.normal(size=(12, 8, 2)), draw.normal(size=(12, 8))
    design = build_design(x, x, usable)
    i, t = np.nonzero(usable)
    dummies = np.column_stack([x[i, t], i[:, None] == np.unique(i), (t[:, None] == np.unique(t))[:, 1:]]).astype(float)
    expected = np.linalg.lstsq(dummies, y[i, t], rcond=None)[0][:2]
    assert project(design, y) == pytest.approx(expected, abs=1e-10)
    assert np.abs(absorb(dummies[:, 2:], design.city, design.year)).max() < 1e-10


def test_projection_equals_the_estimator() -> None:
    """The truth's algebra and ``fit_twfe`` agree on the spoilt panel, estimates and clustered errors."""
    from analysis_py.estimators.twfe import fit_twfe

    measured, world = spoilt_panel(), clean_world()[0]
    terms = ["AI", *CONTROLS]
    rows = world.places.in_sample
    data = {s: measured[s][rows][:, STUDY_YEARS].ravel() for s in (*terms, "CP")}
    codes, years = world.places.code[rows], YEARS[STUDY_YEARS]
    frame = pd.DataFrame(data | {"city_code": np.repeat(codes, len(years)), "year": np.tile(years, len(codes))})
    result = fit_twfe(
        frame,
        outcome="CP",
        regressors=terms,
        fixed_effects=["city_code", "year"],
        covariance={"type": "cluster", "by": ["city_code"]},
        convention="xtreg",
        unit="city_code",
        time="year",
    )
    usable = ~np.isnan(np.stack([measured[s] for s in (*terms, "CP")])).any(axis=0)
    usable &= rows[:, None] & STUDY_YEARS[None, :]
    x = np.nan_to_num(np.stack([measured[s] for s in terms], axis=2))
    design = build_design(x, x, usable)
    outcome = np.nan_to_num(measured["CP"])
    assert result.n_obs == len(design.rows[0])
    assert result.estimate[: len(terms)] == pytest.approx(project(design, outcome), rel=1e-8)
    assert result.std_error[: len(terms)] == pytest.approx(cluster_errors(design, outcome), rel=1e-8)


def test_components_add_up_to_the_target() -> None:
    world, _, _ = clean_world()
    for truth in describe_columns(world, spoilt_panel()):
        total = truth.structural + sum(truth.bias.values())
        assert truth.target == pytest.approx(total, rel=1e-9, abs=1e-12), truth.column.analysis_id


def test_without_shock_heterogeneity_and_defects_a_full_column_is_exact() -> None:
    """Switch off what biases Table 3 column 6: the target then equals the structural value."""
    world, _, measured = clean_world()
    silent = {
        k: 0.0 for k in world.coefficient if k.startswith(("slope:", "threshold:", "CP:AI*", "CP:ER", "CP:IP", "CP:W"))
    }
    plain = replace(
        world,
        coefficient=dict(world.coefficient) | silent,
        slope=np.full(world.slope.shape, world.coefficient["CP:AI"]),
        shock_coefficient={"CP": 0.0, "EnvrPat": 0.0},
    )
    column = next(c for c in list_columns(world.places) if c.analysis_id == "T3c6")
    exact = dict(measured) | {"CP": np.where(np.isnan(measured["CP"]), np.nan, world.symbol["CP"])}
    truth = describe_column(plain, exact, column)
    assert truth.target == pytest.approx(truth.structural, rel=1e-9, abs=1e-10)
    assert all(truth.expectation(k) == "recovers" for k in range(len(column.terms)))


def test_targets_are_what_estimates_centre_on() -> None:
    """Over many worlds, in standard errors: mean near 0 and spread near 1 around targets, not around truths."""
    around_target, around_truth = [], []
    for seed in range(200, 212):
        world = draw_world(seed, REFERENCE)
        measured = {s: np.where(world.places.exists, v, np.nan) for s, v in world.symbol.items()}
        wanted = ("T3c6", "T5c2", "T6c1", "T6c2", "T11c1")
        for column in (c for c in list_columns(world.places) if c.analysis_id in wanted):
            truth = describe_column(world, measured, column)
            ai = measured["AI"]
            lag = np.concatenate([np.full((len(ai), 1), np.nan), ai[:, :-1]], axis=1)
            x = np.nan_to_num(np.stack([measured[t] for t in column.terms], axis=2))
            z = x.copy()
            z[:, :, 0] = np.nan_to_num(lag) if column.instrument else x[:, :, 0]
            usable = column.cities[:, None] & STUDY_YEARS[None, :] & world.places.exists
            if column.instrument:
                usable = usable & (np.arange(len(STUDY_YEARS)) > np.flatnonzero(STUDY_YEARS)[0])[None, :]
            estimate = project(build_design(x, z, usable), np.nan_to_num(measured[column.outcome]))
            around_target.append((estimate[0] - truth.target[0]) / truth.reference_error[0])
            around_truth.append((estimate[0] - truth.structural[0]) / truth.reference_error[0])
    assert abs(np.mean(around_target)) < 0.5
    assert 0.6 < np.std(around_target) < 1.6
    assert np.sqrt(np.mean(np.square(around_truth))) > 2.0


def test_shift_share_recovers_what_fixed_effects_and_the_lag_do_not() -> None:
    world, _, _ = clean_world()
    truths = {t.column.analysis_id: t for t in describe_columns(world, spoilt_panel())}
    for identifier in ("T3c6", "T6c2"):
        truth = truths[identifier]
        assert truth.expectation(0) == "biased" and truth.exact_for(0) == "iv_shift_share"
    lagged = truths["T5c2"]
    assert lagged.column.instrument == "L.AI" and lagged.expectation(0) == "biased"
    assert abs(lagged.bias["shared_shock"][0]) > 2 * lagged.reference_error[0]


def test_parameter_table() -> None:
    table = pd.read_csv(TRUTH / "truth_parameter.csv", keep_default_na=False)
    studied = table[table["analysis_id"] != "world"]
    assert set(studied["expectation"]) == {"recovers", "biased", "not_identified"}
    expected = {c.analysis_id: c.terms for c in list_columns(load_places(REFERENCE))}
    structural = studied[studied["parameter"] == "structural"]
    assert {k: tuple(v) for k, v in structural.groupby("analysis_id")["term"]} == {
        k: (*v, "_cons") for k, v in expected.items()
    }
    constants = structural["term"] == "_cons"
    assert (structural.loc[constants, "value"] == "").all()
    assert (structural.loc[constants, "expectation"] == "not_identified").all()
    assert (structural.loc[~constants, "value"] != "").all()
    biased = structural["expectation"] == "biased"
    assert structural.loc[biased, "description"].str.startswith("biased: ").all()
    coefficients = table[(table["analysis_id"] == "world") & (table["parameter"] == "coefficient")]
    zero = coefficients[coefficients["description"] == "zero"]
    assert (zero["value"].astype(float) == 0).all()
    assert 0.25 < len(zero) / len(coefficients) < 0.42
    assert (coefficients["description"] == "reversed").sum() >= 5


def test_city_year_table_holds_the_world() -> None:
    world, _, _ = clean_world()
    table = pd.read_csv(TRUTH / "truth_city_year.csv", dtype={"city_code": str})
    i = np.searchsorted(world.places.code.astype(str), table["city_code"].to_numpy(str))
    t = table["year"].to_numpy() - YEARS[0]
    assert (world.places.code[i] == table["city_code"]).all()
    for symbol in SYMBOLS:
        assert table[symbol].to_numpy() == pytest.approx(world.symbol[symbol][i, t], rel=1e-7)
    assert table["co2_mt"].to_numpy() == pytest.approx(world.co2_mt[i, t], rel=1e-7)
    assert len(table) == world.places.exists.sum()
