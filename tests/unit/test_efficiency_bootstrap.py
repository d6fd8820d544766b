"""Bootstraps against known truths: bias, coverage, seeds, and what the distribution must look like."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_py.efficiency.bootstrap import (
    ScoreBootstrap,
    bandwidth,
    bootstrap_index,
    bootstrap_scores,
    bootstrap_units,
    mean_changes,
    smooth_draw,
)
from analysis_py.efficiency.indices import ProductivityResult, productivity_indices
from analysis_py.efficiency.panel_scores import EfficiencyPanel, make_panel
from analysis_py.efficiency.reference_sets import CONTEMPORANEOUS, GLOBAL, SEQUENTIAL
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.errors import CarbonpanelError
from tests.unit.efficiency_doubles import ratio_evaluator

INPUT, OUTPUT = ModelSpec("ccr", orientation="input"), ModelSpec("ccr", orientation="output")


def draw_world(seed: int, n: int = 60) -> tuple[EfficiencyPanel, np.ndarray]:
    """One input, one output, frontier y = x: true theta is known."""
    rng = np.random.default_rng(seed)
    theta = np.exp(-np.abs(rng.normal(0, 0.4, n)))
    x = rng.uniform(1, 10, n)
    return make_panel(range(n), None, x, x * theta), theta


def boot(panel: EfficiencyPanel, spec: ModelSpec = INPUT, **more) -> ScoreBootstrap:
    options = {"draws": 200, "seed": 1, "evaluator": ratio_evaluator} | more
    return bootstrap_scores(panel, spec, CONTEMPORANEOUS, **options)


@pytest.mark.parametrize(("smoothing", "low", "high"), [("mirrored", 0.86, 1.0), ("1998", 0.1, 0.3)])
def test_intervals_of_known_truths(smoothing: str, low: float, high: float) -> None:
    """Units of one sample share their frontier, so a sample counts once: 95% of 60 is within 0.95 +- 0.09."""
    covered, raw, corrected = [], [], []
    for seed in range(60):
        panel, theta = draw_world(seed)
        found = boot(panel, seed=seed, smoothing=smoothing)
        covered.append(((found.ci_low <= theta) & (theta <= found.ci_high)).mean())
        raw.append((found.score - theta).mean())
        corrected.append((found.corrected - theta).mean())
    assert low < np.mean(covered) < high
    assert np.mean(raw) > 0.004
    # the printed smoothing overshoots by more than the bias it corrects
    assert (abs(np.mean(corrected)) < np.mean(raw) / 3) == (smoothing == "mirrored")


@pytest.mark.parametrize(("spec", "sign"), [(INPUT, 1), (OUTPUT, -1)])
def test_estimated_scores_are_too_good(spec: ModelSpec, sign: int) -> None:
    """Pseudo frontiers lie inside the estimated one (Simar & Wilson 1998): bias and interval lie on one side."""
    found = boot(draw_world(5)[0], spec)
    assert (sign * found.bias > 0).all()
    assert (sign * found.score >= sign * (found.ci_high if sign > 0 else found.ci_low)).all()
    assert (found.ci_low <= found.ci_high).all()
    np.testing.assert_allclose(found.corrected, found.score - found.bias)


def test_input_and_output_draws_are_inverse_under_constant_returns() -> None:
    panel, _ = draw_world(6)
    one, other = boot(panel, INPUT), boot(panel, OUTPUT)
    np.testing.assert_allclose(one.score, 1 / other.score)
    # quantiles of theta and 1/theta are of the same draws
    np.testing.assert_allclose(one.score - one.ci_low, 1 / (other.score + (other.score - other.ci_high)) - one.score)


def test_a_seed_is_a_result() -> None:
    panel, _ = draw_world(2)
    first, again, other = boot(panel), boot(panel), boot(panel, seed=2)
    assert first.bias.tolist() == again.bias.tolist()
    assert first.bias.tolist() != other.bias.tolist()
    assert first.seed == 1


def test_draws_keep_spread_and_side() -> None:
    rng = np.random.default_rng(0)
    distances = 1 + np.abs(rng.normal(0, 0.5, 400))
    width = bandwidth(distances)
    assert 0.02 < width < 0.3
    drawn = np.concatenate([smooth_draw(distances, width, rng) for _ in range(200)])
    assert drawn.min() >= 1
    assert np.mean((drawn - 1) ** 2) == pytest.approx(np.mean((distances - 1) ** 2), rel=0.03)
    # the density at the frontier: 2 phi(0) / 0.5 within its noise
    near = (drawn < 1.1).mean() / 0.1
    assert near == pytest.approx((distances < 1.1).mean() / 0.1, rel=0.15)


def test_a_frontier_of_efficient_units_alone_has_no_kernel() -> None:
    assert bandwidth(np.ones(5)) == 0
    panel = make_panel(range(4), None, np.arange(1.0, 5), np.arange(1.0, 5))
    assert boot(panel).bias.tolist() == [0, 0, 0, 0]


def test_frontiers_are_resampled_apart() -> None:
    panel, _ = draw_world(4, 40)
    doubled = make_panel(
        [*range(40)] * 2,
        [1] * 40 + [2] * 40,
        np.concatenate([panel.inputs[:, 0], panel.inputs[:, 0]]),
        np.concatenate([panel.goods[:, 0], 7 * panel.goods[:, 0]]),
    )
    apart = bootstrap_scores(doubled, INPUT, CONTEMPORANEOUS, draws=50, evaluator=ratio_evaluator)
    assert len(apart.bandwidths) == 2
    np.testing.assert_allclose(apart.score[:40], apart.score[40:])
    together = bootstrap_scores(doubled, INPUT, GLOBAL, draws=50, evaluator=ratio_evaluator)
    assert len(together.bandwidths) == 1


@pytest.mark.parametrize(
    ("spec", "reference", "word"),
    [
        (ModelSpec("sbm"), CONTEMPORANEOUS, "not radial"),
        (INPUT, SEQUENTIAL, "sequential"),
        (ModelSpec("ccr", orientation="bad"), CONTEMPORANEOUS, "orientation"),
    ],
)
def test_where_it_does_not_apply(spec: ModelSpec, reference, word: str) -> None:
    with pytest.raises(CarbonpanelError, match=word) as caught:
        bootstrap_scores(draw_world(1)[0], spec, reference, draws=50)
    assert caught.value.code == "CP-EFFICIENCY-BOOTSTRAP"


@pytest.mark.parametrize("more", [{"draws": 3}, {"draws": 10_000_000}, {"smoothing": "miror"}])
def test_draws_that_say_nothing_or_do_not_fit(more: dict) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        boot(draw_world(1)[0], **more)
    assert caught.value.code == "CP-EFFICIENCY-BOOTSTRAP"


def growing(seed: int, n: int = 80, growth: float = 1.05) -> ProductivityResult:
    """Two periods; every unit's output grows by ``growth`` times a unit's own luck."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(1, 10, n)
    first = x * np.exp(-np.abs(rng.normal(0, 0.4, n)))
    second = first * growth * np.exp(rng.normal(0, 0.2, n))
    panel = make_panel([*range(n)] * 2, [1] * n + [2] * n, np.concatenate([x, x]), np.concatenate([first, second]))
    return productivity_indices(panel, INPUT, index="gml", evaluator=ratio_evaluator)


def test_the_mean_change_is_covered() -> None:
    held = []
    for seed in range(40):
        found = bootstrap_index(growing(seed), draws=80, seed=seed, evaluator=ratio_evaluator)
        assert found.labels[0] == "index 1-2"
        low, high = found.interval
        held.append(low[0] <= 1.05 <= high[0])
    assert np.mean(held) > 0.8  # 40 intervals of 95%: under 33 happens once in 10^4


def test_the_standard_error_is_that_of_a_mean() -> None:
    """Under constant returns M is free of the frontier, so the bootstrap of its mean has the textbook error."""
    result = growing(1)
    found = bootstrap_index(result, draws=400, evaluator=ratio_evaluator)
    logs = np.log([t.index for t in result.transitions])
    wanted = np.exp(logs.mean()) * logs.std(ddof=1) / np.sqrt(len(logs))
    assert found.std_error[0] == pytest.approx(wanted, rel=0.15)
    assert found.estimate[0] == pytest.approx(np.exp(logs.mean()))
    assert abs(found.bias[0]) < wanted / 4
    assert found.n_used.tolist() == [400] * 4


def test_statistics_of_ones_own_and_seeds() -> None:
    result = growing(2, n=20)

    def spread(again: ProductivityResult, weight: np.ndarray) -> np.ndarray:
        assert weight.sum() == 20
        assert len(weight) == again.panel.n_units
        return np.array([np.std([t.index for t in again.transitions])])

    first = bootstrap_units(result, spread, ("sd",), draws=30, seed=5, evaluator=ratio_evaluator)
    again = bootstrap_units(result, spread, ("sd",), draws=30, seed=5, evaluator=ratio_evaluator)
    assert first.values.tolist() == again.values.tolist()
    assert first.std_error[0] > 0


def test_weights_count_units_twice() -> None:
    result = growing(3, n=4)
    logs = np.log([t.index for t in result.transitions])
    weight = np.array([2, 1, 1, 0])
    assert mean_changes(result, weight)[0] == pytest.approx(np.exp((weight * logs).sum() / 4))
