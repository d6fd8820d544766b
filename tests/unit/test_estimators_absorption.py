"""Demeaning, the rank of fixed effects and dummies that are never formed, against dense linear algebra."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators import absorption
from analysis_py.estimators.absorption import Dummies, demean, independent_columns, pairwise_count, rank
from analysis_py.estimators.factors import Factor, compress


def draw(seed: int, n: int, *levels: int) -> list[Factor]:
    rng = np.random.default_rng(seed)
    return [compress(f"f{i}", rng.integers(0, size, n)) for i, size in enumerate(levels)]


def dense(factors: list[Factor]) -> np.ndarray:
    return np.column_stack([np.eye(f.levels)[f.codes] for f in factors])


def chain(length: int) -> list[Factor]:
    """Two factors that form a path: the slowest case for alternating projections."""
    steps = np.tile(np.arange(length), 2)
    return [compress("a", steps // 2), compress("b", (steps + 1) // 2)]


CASES = {
    "one": draw(1, 60, 9),
    "two": draw(2, 120, 25, 7),
    "three": draw(3, 200, 30, 6, 5),
    "poorly connected": chain(150),
    "two groups": [compress("a", np.repeat([0, 1, 2, 3], 5)), compress("b", np.array([0, 1] * 5 + [2, 3] * 5))],
}


@pytest.mark.parametrize("factors", CASES.values(), ids=CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_demean_is_the_residual_on_dummies(factors: list[Factor], weighted: bool) -> None:
    n = len(factors[0].codes)
    rng = np.random.default_rng(4)
    x, w = rng.normal(size=(n, 3)), rng.uniform(0.2, 3.0, n) if weighted else np.ones(n)
    d, root = dense(factors), np.sqrt(w)[:, None]
    wanted = x - d @ np.linalg.lstsq(d * root, x * root, rcond=None)[0]
    np.testing.assert_allclose(demean(x, factors, w), wanted, atol=1e-9)


@pytest.mark.parametrize("limit", [absorption.MAX_EXACT_LEVELS, 0], ids=["exact", "lsmr"])
def test_demean_where_alternating_projections_give_up(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    factors = chain(600)
    monkeypatch.setattr(absorption, "MAX_EXACT_LEVELS", limit)
    x = np.random.default_rng(5).normal(size=(1200, 2))
    d = dense(factors)
    wanted = x - d @ np.linalg.lstsq(d, x, rcond=None)[0]
    np.testing.assert_allclose(demean(x, factors, np.ones(1200)), wanted, atol=1e-8)


def test_demean_that_cannot_be_done_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absorption, "MAX_SWEEPS", 1)
    monkeypatch.setattr(absorption, "MAX_LSMR_STEPS", 1)
    monkeypatch.setattr(absorption, "MAX_EXACT_LEVELS", 0)
    x = np.random.default_rng(5).normal(size=(400, 2))
    with pytest.raises(CarbonpanelError, match="CP-EST-DEMEAN"):
        demean(x, draw(9, 400, 80, 40, 30), np.ones(400))


def test_without_factors_the_mean_goes() -> None:
    x = np.array([[1.0], [2.0], [6.0]])
    np.testing.assert_allclose(demean(x, [], np.array([1.0, 1.0, 2.0])), x - 3.75)
    assert demean(np.empty((3, 0)), [], np.ones(3)).shape == (3, 0)


@pytest.mark.parametrize("factors", CASES.values(), ids=CASES)
def test_rank(factors: list[Factor]) -> None:
    assert rank(factors) == (np.linalg.matrix_rank(dense(factors)), True)


def test_rank_of_a_nested_factor_and_of_none() -> None:
    city = compress("city", np.repeat(np.arange(12), 3))
    province = compress("province", city.codes // 4)
    year = compress("year", np.tile(np.arange(3), 12))
    assert rank([city, year, province]) == (12 + 3 - 1, True)
    assert rank([]) == (1, True)


def test_rank_of_very_many_levels_is_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    factors = CASES["three"]
    exact = rank(factors)[0]
    monkeypatch.setattr(absorption, "MAX_EXACT_LEVELS", 3)
    bound, is_exact = rank(factors)
    assert not is_exact
    assert bound >= exact


def test_pairwise_count_of_reghdfe() -> None:
    """Three identical factors of 4 levels: exactly 4; the pairwise rule finds each later one redundant."""
    f = compress("f", np.repeat(np.arange(4), 3))
    assert pairwise_count([f, f, f]) == 4
    first, second = CASES["two groups"]
    assert pairwise_count([first, second]) == 4 + 4 - 2


@pytest.mark.parametrize("case", ["two", "three", "two groups"])
def test_dummies_against_dense(case: str) -> None:
    factors = CASES[case]
    n = len(factors[0].codes)
    rng = np.random.default_rng(6)
    w = rng.uniform(0.5, 2.0, n)
    dummies = Dummies(factors[0], tuple(factors[1:]), w)
    columns = dense(list(factors[1:]))[:, dummies.kept]
    own = dense([factors[0]])
    project = own @ np.linalg.solve((own * w[:, None]).T @ own, (own * w[:, None]).T)
    within = columns - project @ columns
    gram = (within * w[:, None]).T @ within
    np.testing.assert_allclose(dummies.inverse, np.linalg.inv(gram), rtol=1e-7, atol=1e-10)
    v = rng.normal(size=(n, 2))
    free = v - project @ v
    np.testing.assert_allclose(dummies.cross(free), (columns * w[:, None]).T @ free, atol=1e-10)
    c = rng.normal(size=(len(dummies.kept), 2))
    np.testing.assert_allclose(dummies.combine(c), columns @ c, atol=1e-12)
    np.testing.assert_allclose(dummies.combine_within(c), within @ c, atol=1e-12)
    np.testing.assert_allclose(dummies.means(), np.average(columns, axis=0, weights=w), atol=1e-12)
    full = np.column_stack([own, columns])
    hat = np.einsum("ij,jk,ik->i", full, np.linalg.pinv((full * w[:, None]).T @ full), full)
    np.testing.assert_allclose(dummies.leverage(), hat, atol=1e-9)
    assert all(level not in dummies.offsets[:-1] for level in dummies.kept), "first levels are the bases"
    for start, end in pairwise(dummies.offsets):
        assert ((dummies.stacked >= start) & (dummies.stacked < end)).sum() == n


def test_independent_columns_keeps_the_first_of_dependent_ones() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=(50, 3))
    z = np.column_stack([x[:, 0], np.zeros(50), x[:, 1], x[:, 0] + 2 * x[:, 1], x[:, 2] * 1e-4])
    gram = z.T @ z
    assert independent_columns(gram, np.diag(gram)).tolist() == [0, 2, 4]
    assert independent_columns(np.empty((0, 0)), np.empty(0)).size == 0
