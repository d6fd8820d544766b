"""The fast threshold search equals plain fits: every SSR, every choice, every draw of the bootstrap."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from analysis_py.estimators.factors import Factor, encode
from analysis_py.estimators.threshold_bootstrap import bootstrap_test, draw_errors, fit_null, make_blocks
from analysis_py.estimators.threshold_conventions import find_threshold_convention
from analysis_py.estimators.threshold_design import ThresholdDesign, build_design, quadratic
from analysis_py.estimators.threshold_grid import Grid, ThresholdSpec, build_grid
from analysis_py.estimators.threshold_search import profile, search_thresholds
from analysis_py.estimators.threshold_within import Within
from tests.unit.threshold_panels import draw_panel, plain_ssr

EXACT = 1e-10


def prepare(
    frame: pd.DataFrame,
    *,
    terms: tuple[str, ...] = ("z0",),
    effects: tuple[str, ...] = ("unit", "time"),
    count: int = 1,
    weights: str | None = None,
    **options: object,
) -> tuple[ThresholdDesign, Grid]:
    spec = ThresholdSpec.parse({"variable": "q", "count": count, "grid": "all", "trim": 0.05, **options})
    rules = find_threshold_convention("plain")
    q = frame["q"].to_numpy()
    grid = build_grid(q, rules, spec)
    design = build_design(
        frame["y"].to_numpy(),
        frame[["x0", "x1"]].to_numpy(),
        frame[list(terms)].to_numpy(),
        grid.bins(q),
        len(grid.values),
        fixed_effects=[encode(frame, e) for e in effects],
        weights=None if weights is None else frame[weights].to_numpy(),
    )
    return design, grid


PANELS = {
    "balanced, ties": (draw_panel(1), ("z0",), ("unit", "time"), None),
    "unbalanced, ties": (draw_panel(2, share=0.7), ("z0",), ("unit", "time"), None),
    "no ties": (draw_panel(3, ties=False, units=15, times=8), ("z0",), ("unit", "time"), None),
    "two regime terms": (draw_panel(4, regime_terms=2, share=0.8), ("z0", "z1"), ("unit", "time"), None),
    "one-way": (draw_panel(5, share=0.8), ("z0",), ("unit",), None),
    "time only": (draw_panel(6), ("z0",), ("time",), None),
    "no effects": (draw_panel(7), ("z0",), (), None),
    "weights": (draw_panel(8, share=0.8), ("z0",), ("unit", "time"), "w"),
}


@pytest.mark.parametrize("name", PANELS)
def test_every_ssr_is_that_of_a_plain_fit(name: str) -> None:
    frame, terms, effects, weights = PANELS[name]
    design, grid = prepare(frame, terms=terms, effects=effects, weights=weights)
    found = profile(design)
    wanted = [plain_ssr(frame, [cut], terms=terms, effects=effects, weights=weights) for cut in grid.cuts]
    np.testing.assert_allclose(found, wanted, rtol=EXACT)
    none = plain_ssr(frame, [], terms=terms, effects=effects, weights=weights)
    np.testing.assert_allclose(design.ssr_null * design.y_scale**2, none, rtol=EXACT)


@pytest.mark.parametrize("name", ["unbalanced, ties", "two regime terms", "weights", "no effects"])
@pytest.mark.parametrize("held", [1, 2])
def test_ssr_beside_held_thresholds(name: str, held: int) -> None:
    frame, terms, effects, weights = PANELS[name]
    design, grid = prepare(frame, terms=terms, effects=effects, weights=weights)
    others = [len(grid.cuts) // 3, 2 * len(grid.cuts) // 3][:held]
    found = profile(design, others)
    for at in range(0, len(grid.cuts), 3):
        cuts = sorted({grid.cuts[at], *(grid.cuts[o] for o in others)})
        wanted = plain_ssr(frame, cuts, terms=terms, effects=effects, weights=weights)
        np.testing.assert_allclose(found[at], wanted, rtol=EXACT)


def test_rows_of_a_agree_with_explicit_products() -> None:
    frame, terms, effects, _ = PANELS["two regime terms"]
    design, _ = prepare(frame, terms=terms, effects=effects)
    every = np.arange(design.n_bins)
    columns = design.split(every.tolist())
    explicit = (columns.T @ columns).reshape(design.n_bins, 2, design.n_bins, 2)
    np.testing.assert_allclose(design.rows(every), explicit, atol=1e-9 * np.abs(explicit).max())
    np.testing.assert_allclose(
        design.gram, explicit[every, :, every, :], rtol=1e-9, atol=1e-10 * np.abs(explicit).max()
    )


def test_search_of_two_and_three_is_hansens_by_brute_force() -> None:
    frame = draw_panel(11, units=25, times=8, step=1.0)
    design, grid = prepare(frame, count=3, trim=[0.1, 0.05, 0.1], grid=["all", "all", 15])
    search = search_thresholds(design, grid, 3, 100.0)
    ssr: dict[tuple[float, ...], float] = {}

    def fit(positions: tuple[int, ...]) -> float:
        cuts = tuple(sorted(grid.cuts[list(positions)]))
        if cuts not in ssr:
            ssr[cuts] = plain_ssr(frame, cuts)
        return ssr[cuts]

    def best(order: int, held: tuple[int, ...]) -> int:
        allowed = np.flatnonzero(grid.eligible(order, held)).tolist()
        return min(allowed, key=lambda at: fit((*held, at)))

    first = best(0, ())
    second = best(1, (first,))
    refined = best(1, (second,))
    third = best(2, (refined, second))
    assert search.positions == (refined, second, third)
    chain = [plain_ssr(frame, []), fit((first,)), fit((first, second))]
    for test, before, after in zip(search.tests[:2], chain, chain[1:], strict=False):
        np.testing.assert_allclose([test.ssr_null, test.ssr], [before, after], rtol=EXACT)
        np.testing.assert_allclose(test.f, (before - after) / (after / 100.0), rtol=1e-8)
    last = search.tests[2]
    pair, triple = fit((refined, second)), fit((refined, second, third))
    np.testing.assert_allclose([last.ssr_null, last.ssr], [pair, triple], rtol=EXACT)
    ratios = search.curves[2].likelihood_ratio
    assert ratios.min() == 0.0
    np.testing.assert_allclose(
        ratios[0], (fit((refined, second, int(search.curves[2].positions[0]))) / triple - 1) * 100
    )


def test_sequence_finds_the_joint_minimum_of_clear_thresholds() -> None:
    frame = draw_panel(12, units=40, times=8)
    frame["y"] += 1.5 * frame["z0"] * (frame["q"] > -0.5) + 2.0 * frame["z0"] * (frame["q"] > 0.7)
    design, grid = prepare(frame, count=2, grid=25, trim=0.1)
    search = search_thresholds(design, grid, 2, 100.0)
    pairs = {pair: plain_ssr(frame, grid.cuts[list(pair)]) for pair in combinations(range(len(grid.cuts)), 2)}
    assert tuple(sorted(search.positions)) == min(pairs, key=lambda pair: pairs[pair])
    assert sorted(grid.values[list(search.positions)]) == pytest.approx([-0.5, 0.7], abs=0.11)


@pytest.mark.parametrize("resample", ["donors", "multipliers"])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("share", [1.0, 0.75])
@pytest.mark.parametrize("terms", [("z0",), ("z0", "z1")])
def test_one_draw_is_a_plain_refit(resample: str, count: int, share: float, terms: tuple[str, ...]) -> None:
    """F of a draw: new outcome = fit under the null + new errors, searched again with plain fits."""
    frame = draw_panel(21, units=18, times=7, share=share, regime_terms=2, step=0.8)
    frame["place"] = frame.groupby("unit").cumcount()
    frame = frame.sort_values(["place", "unit"]).reset_index(drop=True)
    design, grid = prepare(frame, terms=terms, count=count, grid=12, trim=0.1, gap=0.08)
    blocks = make_blocks(frame["unit"].to_numpy(), frame["place"].to_numpy(), is_balanced=share == 1.0)
    test = search_thresholds(design, grid, count, 50.0).tests[-1]
    drawn = bootstrap_test(design, grid, blocks, test, draws=70, seed=5, resample=resample, scale=50.0)
    residuals = fit_null(design, test).residuals
    errors = np.concatenate(list(draw_errors(residuals, blocks, resample, 70, 5, count)), axis=1)
    fitted = design.y - residuals
    for draw in (0, 66):
        again = frame.assign(y=(fitted + errors[:, draw]) * design.y_scale)
        held: tuple[int, ...] = ()
        chain = [plain_ssr(again, [], terms=terms)]
        for order in range(count):
            allowed = np.flatnonzero(grid.eligible(order, held)).tolist()
            ssr = {at: plain_ssr(again, grid.cuts[[*held, at]], terms=terms) for at in allowed}
            at = min(allowed, key=lambda a: ssr[a])
            held = (*held, at)
            chain.append(ssr[at])
        np.testing.assert_allclose(drawn.draws[draw], (chain[-2] - chain[-1]) / (chain[-1] / 50.0), rtol=1e-7)


def test_draws_are_a_prefix_and_depend_on_seed_and_order() -> None:
    blocks = make_blocks(np.tile(np.arange(6), 4), np.repeat(np.arange(4), 6), is_balanced=True)
    residuals = np.arange(24.0)

    def draw(draws: int, seed: int = 1, order: int = 1, resample: str = "donors") -> np.ndarray:
        return np.concatenate(list(draw_errors(residuals, blocks, resample, draws, seed, order)), axis=1)

    np.testing.assert_array_equal(draw(200)[:, :90], draw(90))
    assert not np.array_equal(draw(90), draw(90, seed=2))
    assert not np.array_equal(draw(90), draw(90, order=2))
    whole = draw(300).reshape(4, 6, 300)
    # a donor's block stays whole: the four residuals of a unit come from one unit, in their order
    assert np.unique(np.diff(whole, axis=0)).tolist() == [6.0]
    signs = draw(300, resample="multipliers") / np.where(residuals == 0, np.nan, residuals)[:, None]
    assert set(np.unique(signs[~np.isnan(signs)])) == {-1.0, 1.0}


def test_donors_of_an_unbalanced_panel_are_long_enough() -> None:
    unit = np.array([0, 1, 2, 0, 1, 2, 0, 1, 0])
    place = np.array([0, 0, 0, 1, 1, 1, 2, 2, 3])
    blocks = make_blocks(unit, place, is_balanced=False)
    residuals = np.array([100.0, 200.0, 300.0, 101.0, 201.0, 301.0, 102.0, 202.0, 103.0])
    drawn = np.concatenate(list(draw_errors(residuals, blocks, "donors", 400, 3, 1)), axis=1)
    longest = drawn[unit == 0]
    assert set(np.unique(longest)) == {100.0, 101.0, 102.0, 103.0}
    shortest = drawn[unit == 2]
    assert np.all(np.diff(shortest, axis=0) == 1.0)
    assert {100.0, 101.0, 102.0, 200.0, 201.0, 300.0} == set(np.unique(shortest[0]))


def test_dropping_the_last_row_of_each_unit() -> None:
    """Hansen's program: demean by unit, leave out each unit's last row, plain least squares on the rest."""
    frame = draw_panel(31, units=20, times=6, share=0.85)
    last = frame.groupby("unit").cumcount(ascending=False).to_numpy() == 0
    unit = encode(frame, "unit")
    spec = ThresholdSpec.parse({"variable": "q", "count": 2, "grid": "all", "trim": 0.1})
    q = frame["q"].to_numpy()
    grid = build_grid(q, find_threshold_convention("plain"), spec)
    time = encode(frame, "time")
    design = build_design(
        frame["y"].to_numpy(),
        frame[["x0", "x1"]].to_numpy(),
        frame[["z0"]].to_numpy(),
        grid.bins(q),
        len(grid.values),
        fixed_effects=[unit, time],
        kept=~last,
        unit=unit,
    )

    def explicit(cuts: list[float]) -> float:
        dummies = np.eye(time.levels)[time.codes][:, 1:]
        parts = [frame["z0"].to_numpy() * (q <= cut) for cut in cuts]
        columns = np.column_stack([frame[["x0", "x1", "z0"]].to_numpy(), *parts, dummies, frame["y"]])
        demeaned = pd.DataFrame(columns).groupby(unit.codes).transform(lambda c: c - c.mean()).to_numpy()[~last]
        beta = np.linalg.lstsq(demeaned[:, :-1], demeaned[:, -1], rcond=None)[0]
        return float(np.sum((demeaned[:, -1] - demeaned[:, :-1] @ beta) ** 2))

    np.testing.assert_allclose(profile(design), [explicit([c]) for c in grid.cuts], rtol=EXACT)
    middle = len(grid.cuts) // 2
    wanted = [explicit(sorted({grid.cuts[middle], c})) for c in grid.cuts]
    np.testing.assert_allclose(profile(design, [middle]), wanted, rtol=EXACT)
    np.testing.assert_allclose(design.ssr_null * design.y_scale**2, explicit([]), rtol=EXACT)


def test_carry_is_the_adjoint_of_transform() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, 40)
    kept = (rng.random(40) > 0.3).astype(float)
    within = Within(codes, 5, np.ones(40), kept)
    h, t = rng.normal(size=(40, 3)), rng.normal(size=(40, 2))
    np.testing.assert_allclose(within.transform(h).T @ (t * kept[:, None]), h.T @ within.carry(t), atol=1e-12)


def test_quadratic_forms_and_columns_that_are_explained() -> None:
    rng = np.random.default_rng(1)
    root = rng.normal(size=(7, 3, 3))
    gram = np.einsum("nij,nkj->nik", root, root)
    slopes = rng.normal(size=(7, 3))
    wanted = [g @ np.linalg.solve(d, g) for d, g in zip(gram, slopes, strict=True)]

    def found(width: int) -> np.ndarray:
        parts = [[gram[:, i, j] for j in range(width)] for i in range(width)]
        return quadratic(parts, [slopes[:, i] for i in range(width)], np.ones((width, 7)))

    np.testing.assert_allclose(found(3), wanted, rtol=1e-9)
    gram[:, 2], gram[:, :, 2] = 2.0 * gram[:, 1], 2.0 * gram[:, :, 1]
    gram[:, 2, 2] = 4.0 * gram[:, 1, 1]
    slopes[:, 2] = 2.0 * slopes[:, 1]
    np.testing.assert_allclose(found(3), found(2), rtol=1e-9)


def test_a_collinear_candidate_adds_nothing() -> None:
    """Where the split regressor is zero below a value, the lower regime has nothing to estimate."""
    frame = draw_panel(41, ties=False)
    frame.loc[frame["q"] < 0.0, "z0"] = 0.0
    design, grid = prepare(frame)
    found = profile(design)
    none = design.ssr_null * design.y_scale**2
    assert np.all(found[grid.cuts < 0.0] == none)
    np.testing.assert_allclose(found, [plain_ssr(frame, [cut]) for cut in grid.cuts], rtol=EXACT)


def test_a_large_grid_is_not_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = draw_panel(42, ties=False)
    design, _ = prepare(frame)
    whole = design.rows(np.array([3, 5]))
    monkeypatch.setattr("analysis_py.estimators.threshold_design.MAX_WHOLE", 0)
    np.testing.assert_allclose(design.rows(np.array([3, 5])), whole, rtol=1e-12, atol=1e-12)


def test_factor_of_the_unit_is_absorbed_where_rows_are_dropped() -> None:
    """A fixed effect with more levels than the unit must not take its place."""
    frame = draw_panel(43, units=4, times=12)
    unit, time = encode(frame, "unit"), encode(frame, "time")
    q = frame["q"].to_numpy()
    grid = build_grid(q, find_threshold_convention("plain"), ThresholdSpec.parse({"variable": "q", "grid": "all"}))
    kept = frame["time"].to_numpy() < 11
    design = build_design(
        frame["y"].to_numpy(),
        frame[["x0"]].to_numpy(),
        frame[["z0"]].to_numpy(),
        grid.bins(q),
        len(grid.values),
        fixed_effects=[unit, time],
        kept=kept,
        unit=unit,
    )
    assert isinstance(unit, Factor) and design.within.levels == 4


def test_draws_done_in_turns_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = draw_panel(44, units=18, times=7, step=0.5).sort_values(["time", "unit"]).reset_index(drop=True)
    design, grid = prepare(frame, count=2, grid=20, trim=0.1)
    blocks = make_blocks(frame["unit"].to_numpy(), frame["time"].to_numpy(), is_balanced=True)
    test = search_thresholds(design, grid, 2, 50.0).tests[1]

    def draws() -> np.ndarray:
        found = bootstrap_test(design, grid, blocks, test, draws=100, seed=1, resample="donors", scale=50.0)
        assert found.p_value == np.mean(found.draws > test.f)
        ordered = np.sort(found.draws)
        assert list(found.critical.values()) == [ordered[89], ordered[94], ordered[98]]
        return found.draws

    whole = draws()
    monkeypatch.setattr("analysis_py.estimators.threshold_bootstrap.MAX_CELLS", 3 * len(frame))
    np.testing.assert_allclose(draws(), whole, rtol=1e-9)


def test_draws_without_variation_count_as_no_gain() -> None:
    """Three units: now and then all are given the same residuals, and the time effects take them all."""
    frame = draw_panel(45, units=3, times=12).sort_values(["time", "unit"]).reset_index(drop=True)
    design, grid = prepare(frame, effects=("time",), count=2, grid=8, trim=0.1)
    blocks = make_blocks(frame["unit"].to_numpy(), frame["time"].to_numpy(), is_balanced=True)
    for test in search_thresholds(design, grid, 2, 30.0).tests:
        found = bootstrap_test(design, grid, blocks, test, draws=400, seed=2, resample="donors", scale=30.0)
        assert np.isfinite(found.draws).all() and (found.draws >= 0.0).all()
        assert 0.05 < np.mean(found.draws == 0.0) < 0.2 or test.order == 2
