"""Benjamini-Hochberg and Romano-Wolf by hand, and the stacked covariance of several fits."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.factors import Factor
from analysis_py.inference.multiple_testing import benjamini_hochberg, correct_family, step_down
from analysis_py.inference.suest import stack_fits, wald_chi2


def test_benjamini_hochberg_by_hand() -> None:
    # R: p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.5), "BH")
    found = benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.005, 0.5]))
    np.testing.assert_allclose(found, [0.025, 0.05, 0.05, 0.025, 0.5])


def test_benjamini_hochberg_leaves_out_what_is_unknown() -> None:
    found = benjamini_hochberg(np.array([0.02, np.nan, 0.9]))
    np.testing.assert_allclose(found[[0, 2]], [0.04, 0.9])
    assert np.isnan(found[1])
    assert np.isnan(benjamini_hochberg(np.array([np.nan]))).all()


def test_step_down_by_hand() -> None:
    draws = np.array([[0.1, 2.5, 1.0], [3.0, 0.2, 0.4], [0.5, 0.6, 0.7], [1.2, 1.1, 2.2]])
    # order 1, 3, 2; maxima over all: 2.5, 3, .7, 2.2; over the last two: 2.5, .4, .7, 2.2
    found = step_down(np.array([2.0, 0.5, 1.0]), draws)
    np.testing.assert_allclose(found, [4 / 5, 4 / 5, 4 / 5])
    found = step_down(np.array([2.9, 0.5, 1.0]), draws)
    # first: 3.0 alone reaches it; third: 2.5 and 2.2; second: 2.5, .6 and 1.1
    np.testing.assert_allclose(found, [2 / 5, 4 / 5, 3 / 5])


def test_family_is_never_kinder_than_one_test_and_keeps_dependence() -> None:
    rng = np.random.default_rng(0)
    influence = rng.normal(size=(80, 4))
    influence[:, 1] = influence[:, 0]
    estimate = 2.2 * np.sqrt((influence**2).sum(axis=0)) * np.array([1.0, 1.0, 0.2, 0.1])
    test = correct_family(estimate, influence, draws=4999, seed=1)
    assert (test.romano_wolf >= test.p_value - 1e-12).all()
    assert test.romano_wolf[0] == test.romano_wolf[1]
    # two tests that are one cost no more than one: below Bonferroni's three distinct ones and the four here
    assert test.romano_wolf[0] < 4 * test.p_value[0]
    again = correct_family(estimate, influence, draws=4999, seed=1)
    np.testing.assert_array_equal(test.romano_wolf, again.romano_wolf)


def test_a_difference_without_influence_is_left_out() -> None:
    influence = np.column_stack([np.random.default_rng(0).normal(size=30), np.zeros(30)])
    test = correct_family(np.array([1.0, 2.0]), influence, draws=99, seed=1)
    assert np.isnan(test.romano_wolf[1]) and np.isfinite(test.romano_wolf[0])


def test_disjoint_fits_have_a_block_covariance_and_a_chi_squared_test() -> None:
    rng = np.random.default_rng(3)
    scores = [rng.normal(size=(40, 2)), rng.normal(size=(60, 2))]
    rows = [np.arange(40), np.arange(40, 100)]
    clusters = Factor("c", np.arange(100) // 5, 20)
    fits = stack_fits([np.array([1.0, 2.0]), np.array([0.5, 1.0])], scores, rows, n_rows=100, clusters=[clusters])
    own = np.array([s.sum(axis=0) for s in np.split(scores[0], 8)])
    np.testing.assert_allclose(fits.vcov[:2, :2], 20 / 19 * own.T @ own)
    np.testing.assert_allclose(fits.vcov[:2, 2:], 0.0, atol=1e-15)
    test = wald_chi2(np.array([[1.0, 0.0, -1.0, 0.0]]), fits)
    assert test.statistic == pytest.approx(0.25 / (fits.vcov[0, 0] + fits.vcov[2, 2]))
    robust = stack_fits([np.array([1.0, 2.0]), np.array([0.5, 1.0])], scores, rows, n_rows=100)
    np.testing.assert_allclose(robust.vcov[:2, :2], 100 / 99 * scores[0].T @ scores[0])


def test_fits_that_share_clusters_covary() -> None:
    scores = np.random.default_rng(1).normal(size=(30, 1))
    clusters = Factor("c", np.arange(30) % 10, 10)
    fits = stack_fits([np.ones(1), np.ones(1)], [scores, scores], [np.arange(30)] * 2, n_rows=30, clusters=[clusters])
    assert fits.vcov[0, 1] == pytest.approx(fits.vcov[0, 0])
    assert wald_chi2(np.array([[1.0, -1.0]]), fits).statistic is None


def test_one_cluster_is_refused() -> None:
    with pytest.raises(CarbonpanelError, match="two clusters"):
        stack_fits(
            [np.ones(1)], [np.ones((5, 1))], [np.arange(5)], n_rows=5, clusters=[Factor("c", np.zeros(5, int), 1)]
        )
