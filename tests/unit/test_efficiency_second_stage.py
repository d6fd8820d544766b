"""The truncated regression against a general optimiser, and what both algorithms report; see also tests/monte_carlo."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm, truncnorm

from analysis_py.efficiency.panel_scores import EfficiencyPanel, make_panel
from analysis_py.efficiency.reference_sets import CONTEMPORANEOUS
from analysis_py.efficiency.second_stage import SecondStage, second_stage
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.efficiency.truncated_regression import draw_truncated, fit_many, fit_truncated
from analysis_py.errors import CarbonpanelError
from tests.unit.efficiency_doubles import ratio_evaluator

SLOPE, CONSTANT, SIGMA = 0.5, 0.6, 0.8


def world(seed: int, n: int = 120) -> tuple[EfficiencyPanel, np.ndarray]:
    """One input, one output; the distance to y = x is a truncated normal around CONSTANT + SLOPE z."""
    rng = np.random.default_rng(seed)
    z = rng.normal(2, 1, n)
    distance = draw_truncated(CONSTANT + SLOPE * z, SIGMA, 1 - rng.random(n))
    x = rng.uniform(1, 10, n)
    return make_panel(range(n), None, x, x / distance), z[:, None]


def stage(panel: EfficiencyPanel, z: np.ndarray, **more) -> SecondStage:
    options = {"draws": 300, "seed": 1, "evaluator": ratio_evaluator} | more
    return second_stage(panel, ModelSpec("ccr"), CONTEMPORANEOUS, z, ["z"], **options)


def test_likelihood_maximum_and_errors() -> None:
    rng = np.random.default_rng(7)
    design = np.column_stack([rng.normal(2, 2, 300), np.ones(300)])
    y = draw_truncated(design @ [0.4, 0.7], 1.1, 1 - rng.random(300))

    def minus(p: np.ndarray) -> float:
        sigma, mean = np.exp(p[2]), design @ p[:2]
        return -(norm.logpdf(y, mean, sigma) - norm.logsf(1, mean, sigma)).sum()

    best = minimize(minus, [0.0, 0.0, 0.0], method="BFGS", options={"gtol": 1e-8})
    found = fit_truncated(y, design)
    assert found.converged
    np.testing.assert_allclose(found.coefficients, best.x[:2], rtol=1e-4)
    assert found.sigma == pytest.approx(np.exp(best.x[2]), rel=1e-4)
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-8)
    # inverse of the curvature in (beta, sigma), by central differences
    at, step = np.array([*found.coefficients, found.sigma]), 1e-4 * np.eye(3)

    def plain(p: np.ndarray) -> float:
        return minus(np.array([p[0], p[1], np.log(p[2])]))

    curvature = [
        [(plain(at + a + b) - plain(at + a - b) - plain(at - a + b) + plain(at - a - b)) / 4e-8 for b in step]
        for a in step
    ]
    np.testing.assert_allclose(found.covariance, np.linalg.inv(curvature), rtol=1e-3)


def test_units_of_measurement_do_not_matter() -> None:
    rng = np.random.default_rng(8)
    design = np.column_stack([rng.normal(2, 1, 200), np.ones(200)])
    y = draw_truncated(design @ [0.4, 0.7], 1.0, 1 - rng.random(200))
    plain = fit_truncated(y, design)
    scaled = fit_truncated(y, design * [1e6, 1.0])
    np.testing.assert_allclose(scaled.coefficients * [1e6, 1.0], plain.coefficients, rtol=1e-8)


def test_draws_are_truncated_normal() -> None:
    drawn = draw_truncated(np.full(40_000, 0.2), 0.7, 1 - np.random.default_rng(1).random(40_000))
    wanted = truncnorm((1 - 0.2) / 0.7, np.inf, loc=0.2, scale=0.7)
    assert drawn.min() >= 1
    assert drawn.mean() == pytest.approx(wanted.mean(), abs=5 * wanted.std() / 200)
    assert drawn.var() == pytest.approx(wanted.var(), rel=0.05)
    far = draw_truncated(np.array([-60.0]), 1.0, np.array([0.5]))  # 61 standard deviations below the point
    assert 1 <= far[0] < 1.2


def test_no_maximum_is_said() -> None:
    rng = np.random.default_rng(3)
    design = np.ones((400, 1))
    y = 1 + rng.exponential(1, 400) ** 1.5  # heavier than any normal tail: sigma runs away
    assert not fit_many(y[None], design)[2][0]
    with pytest.raises(ValueError, match="above"):
        fit_many(np.full((1, 400), 0.5), design)
    with pytest.raises(ValueError, match="too few"):
        fit_many(y[None, :1], design[:1])


def test_what_is_reported() -> None:
    panel, z = world(1)
    found = stage(panel, z)
    assert found.names == ("z", "_cons")
    assert found.n + found.n_on_frontier == len(panel)
    assert found.n_on_frontier >= 1  # somebody makes the frontier
    assert np.isnan(found.distance).sum() == found.n_on_frontier
    assert (found.ci_low < found.estimate).all()
    assert found.p_value[0] < 0.05
    corrected = stage(panel, z, algorithm=2, correction_draws=50)
    both = np.isfinite(found.distance) & np.isfinite(corrected.distance)
    # estimated distances are too small; the correction makes them larger
    assert (corrected.distance[both] > found.distance[both]).all()
    assert corrected.n_on_frontier == found.n_on_frontier
    assert corrected.n >= found.n


def test_a_column_without_effect_is_not_found() -> None:
    panel, _ = world(2, 200)
    noise = np.random.default_rng(9).normal(size=(200, 1))
    assert stage(panel, noise).p_value[0] > 0.05


@pytest.mark.parametrize("columns", ["collinear", "zero"])
def test_collinear_columns_are_refused(columns: str) -> None:
    panel, z = world(3)
    bad = np.column_stack([z, 2 * z]) if columns == "collinear" else np.zeros_like(z)
    with pytest.raises(CarbonpanelError, match="collinear") as caught:
        second_stage(panel, ModelSpec("ccr"), CONTEMPORANEOUS, bad, ["z", "w"], draws=30, evaluator=ratio_evaluator)
    assert caught.value.code == "CP-EFFICIENCY-SECOND-STAGE"


def test_too_few_units_off_the_frontier() -> None:
    panel = make_panel(range(3), None, np.ones(3), np.array([1.0, 0.5, 0.4]))
    with pytest.raises(CarbonpanelError, match="too few"):
        stage(panel, np.arange(3.0)[:, None])


def test_unknown_algorithm() -> None:
    panel, z = world(3)
    with pytest.raises(CarbonpanelError, match="algorithm 3"):
        stage(panel, z, algorithm=3)


def test_too_few_inefficient_observations_are_counted_as_such() -> None:
    panel, z = world(3, 8)
    names = [f"z{i}" for i in range(8)]
    noise = np.random.default_rng(4).normal(size=(len(z), 8))
    with pytest.raises(CarbonpanelError, match=r"only \d observation\(s\) lie off the frontier") as caught:
        second_stage(panel, ModelSpec("ccr"), CONTEMPORANEOUS, noise, names, draws=30, evaluator=ratio_evaluator)
    assert caught.value.code == "CP-EFFICIENCY-SECOND-STAGE"
