"""Permutation of groups by small cross products: equal to plain fits, and refused where it has no meaning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.factors import Factor, encode
from analysis_py.estimators.twfe import fit_twfe
from analysis_py.inference.entity_grams import Columns, gram_by_entity, plain_slopes
from analysis_py.inference.permutation import permute_groups

NAMES = ["x1", "x2", "x3"]


def panel(units: int = 30, times: int = 8, seed: int = 1, *, missing: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(units), times), "time": np.tile(np.arange(times), units)})
    for name in NAMES:
        frame[name] = 50 + rng.normal(size=len(frame)) + rng.normal(size=units)[frame["unit"]] + 0.2 * frame["time"]
    frame["y"] = frame[NAMES].sum(axis=1) + rng.normal(size=units)[frame["unit"]] + rng.normal(size=len(frame))
    frame["w"] = rng.uniform(0.5, 2.0, units)[frame["unit"]]
    frame["sector"] = rng.integers(0, 3, len(frame))
    return frame[rng.random(len(frame)) >= missing].reset_index(drop=True)


def columns_of(frame: pd.DataFrame, effects: list[str], *, weighted: bool = False) -> Columns:
    weights = frame["w"].to_numpy() / frame["w"].mean() if weighted else np.ones(len(frame))
    return Columns(frame[[*NAMES, "y"]].to_numpy(), weights, tuple(encode(frame, e) for e in effects))


@pytest.mark.parametrize("effects", [["unit", "time"], ["unit"], ["time"], [], ["unit", "time", "sector"]])
@pytest.mark.parametrize("weighted", [False, True])
def test_every_draw_equals_plain_fits(effects: list[str], weighted: bool) -> None:
    frame = panel()
    columns, units = columns_of(frame, effects, weighted=weighted), encode(frame, "unit")
    groups = (frame["unit"].to_numpy() % 3).astype(int)
    test = permute_groups(columns, groups, units, draws=25, seed=5)
    labels = np.arange(30) % 3
    dealt = np.random.default_rng(5).permuted(np.tile(labels, (25, 1)), axis=1)
    for draw in range(25):
        own = dealt[draw][units.codes]
        fits = [
            fit_twfe(
                frame[own == g].reset_index(drop=True),
                outcome="y",
                regressors=NAMES,
                fixed_effects=effects,
                covariance="iid",
                convention="fixest",
                weights="w" if weighted else None,
            ).estimate[:3]
            for g in range(3)
        ]
        for pair, (a, b) in enumerate(test.pairs):
            np.testing.assert_allclose(test.draws[draw, pair], fits[a] - fits[b], rtol=1e-10, atol=1e-10)
    assert test.n_plain == 0


def test_rows_and_constants_equal_plain_fits() -> None:
    frame = panel()
    rows = Factor("row", np.arange(len(frame)), len(frame))
    groups = (frame["x1"] > 50).to_numpy(int)
    test = permute_groups(columns_of(frame, []), groups, rows, draws=15, seed=2, constant=True)
    dealt = np.random.default_rng(2).permuted(np.tile(groups, (15, 1)), axis=1)
    for draw in range(15):
        fits = [
            fit_twfe(
                frame[dealt[draw] == g], outcome="y", regressors=NAMES, fixed_effects=[], covariance="iid",
                convention="plain",
            ).estimate
            for g in (0, 1)
        ]  # fmt: skip
        np.testing.assert_allclose(test.draws[draw, 0], fits[0] - fits[1], rtol=1e-9, atol=1e-9)


def test_rows_within_fixed_effects_go_by_plain_fits() -> None:
    frame = panel(units=12)
    rows = Factor("row", np.arange(len(frame)), len(frame))
    groups = np.arange(len(frame)) % 2
    columns = columns_of(frame, ["unit", "time"])
    test = permute_groups(columns, groups, rows, draws=5, seed=2)
    dealt = np.random.default_rng(2).permuted(np.tile(groups, (5, 1)), axis=1)
    for draw in range(5):
        fits = [plain_slopes(columns, (dealt[draw] == g).astype(float), 3, range(3)) for g in (0, 1)]
        np.testing.assert_allclose(test.draws[draw, 0], fits[0] - fits[1], rtol=1e-10, atol=1e-10)


def test_draws_that_lose_a_regressor_are_fitted_plainly() -> None:
    frame = panel(units=12)
    # moves in three units alone: a group without them cannot identify it, and its slope is then NaN, not noise
    frame["x3"] = np.where(frame["unit"] < 3, frame["x3"], 0.0)
    test = permute_groups(
        columns_of(frame, ["unit", "time"]), (frame["unit"] % 3).to_numpy(), encode(frame, "unit"), draws=200, seed=3
    )
    lost = np.isnan(test.draws[:, :, 2])
    assert 0 < lost.sum() < lost.size and test.n_plain > 0
    assert not np.isnan(test.draws[:, :, 0]).any()
    assert (test.n_used[:, 2] < 200).all() and (test.n_used[:, 0] == 200).all()


def test_counts_are_weights_of_whole_units() -> None:
    frame = panel(units=10)
    columns, units = columns_of(frame, ["unit", "time"]), encode(frame, "unit")
    grams = gram_by_entity(columns, units)
    assert grams is not None
    counts = np.random.default_rng(0).integers(0, 4, size=(6, 10)).astype(float)
    factor, good = grams.factor(counts)
    assert good.all()
    slopes = grams.slopes(factor, 3, range(3))
    for draw in range(6):
        copies = pd.concat(
            [frame[frame["unit"] == u].assign(unit=f"{u}-{c}") for u in range(10) for c in range(int(counts[draw, u]))]
        )
        fit = fit_twfe(copies, outcome="y", regressors=NAMES, fixed_effects=["unit", "time"], covariance="iid",
                       convention="fixest")  # fmt: skip
        np.testing.assert_allclose(slopes[draw], fit.estimate, rtol=1e-10)


def test_p_values_by_hand() -> None:
    frame = panel(units=16)
    groups = (frame["unit"] % 2).to_numpy()
    test = permute_groups(columns_of(frame, ["unit", "time"]), groups, encode(frame, "unit"), draws=99, seed=9)
    drawn, seen = test.draws[:, 0], test.observed[0]
    above = (drawn > seen).sum(axis=0)
    np.testing.assert_array_equal(test.freq[0], above)
    np.testing.assert_allclose(test.p_one_sided[0], np.minimum(above, 99 - above) / 99)
    np.testing.assert_allclose(test.p_two_sided[0], (1 + (np.abs(drawn) >= np.abs(seen)).sum(axis=0)) / 100)


def test_row_order_and_repetition_change_nothing() -> None:
    frame = panel(units=14)
    shuffled = frame.sample(frac=1.0, random_state=4).reset_index(drop=True)
    first, again, other = (
        permute_groups(columns_of(f, ["unit", "time"]), (f["unit"] % 2).to_numpy(), encode(f, "unit"), draws=50, seed=1)
        for f in (frame, frame, shuffled)
    )
    np.testing.assert_array_equal(first.draws, again.draws)
    np.testing.assert_allclose(first.draws, other.draws, rtol=1e-9, atol=1e-11)


def test_units_in_two_groups_are_refused() -> None:
    frame = panel()
    with pytest.raises(CarbonpanelError) as caught:
        permute_groups(
            columns_of(frame, ["unit", "time"]),
            (frame["time"] > 3).to_numpy(int),
            encode(frame, "unit"),
            draws=9,
            seed=1,
        )
    assert caught.value.code == "CP-EST-PERMUTE" and "more than one group" in caught.value.what
    assert "median_base_year" in str(caught.value.remedy)


def test_one_group_is_refused() -> None:
    frame = panel()
    with pytest.raises(CarbonpanelError, match="nothing to be compared"):
        permute_groups(columns_of(frame, ["unit"]), np.zeros(len(frame), int), encode(frame, "unit"), draws=9, seed=1)
