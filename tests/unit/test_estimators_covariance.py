"""Covariances from influence rows, against loops over pairs and against each other."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.factors import compress
from analysis_py.estimators.result import CovarianceSpec
from analysis_py.inference.conley import conley_covariance, great_circle_km
from analysis_py.inference.covariance import (
    VcovMaker,
    cluster_covariance,
    default_lag,
    driscoll_kraay_covariance,
    hc_covariance,
    repair_definiteness,
    wald_f,
)

RNG = np.random.default_rng(20)
SCORES = RNG.normal(size=(80, 3))
A, B, C = (compress(name, RNG.integers(0, size, 80)) for name, size in (("a", 9), ("b", 6), ("c", 4)))


def by_hand(factor_codes: list[tuple[int, ...]]) -> np.ndarray:
    total = np.zeros((3, 3))
    for level in set(factor_codes):
        s = SCORES[[code == level for code in factor_codes]].sum(axis=0)
        total += np.outer(s, s)
    return total


def codes(*factors: object) -> list[tuple[int, ...]]:
    return list(zip(*(f.codes.tolist() for f in factors), strict=True))  # type: ignore[attr-defined]


def test_three_way_clusters() -> None:
    wanted = by_hand(codes(A)) + by_hand(codes(B)) + by_hand(codes(C))
    wanted -= by_hand(codes(A, B)) + by_hand(codes(A, C)) + by_hand(codes(B, C))
    wanted += by_hand(codes(A, B, C))
    np.testing.assert_allclose(cluster_covariance(SCORES, [A, B, C]), wanted, atol=1e-12)


def test_two_way_with_a_nested_variable_is_the_outer_one() -> None:
    outer = compress("outer", A.codes // 3)
    np.testing.assert_allclose(cluster_covariance(SCORES, [A, outer]), cluster_covariance(SCORES, [outer]), atol=1e-12)


def test_clusters_of_one_are_hc0_and_lag_zero_is_clustering_by_time() -> None:
    each = compress("row", np.arange(80))
    np.testing.assert_allclose(cluster_covariance(SCORES, [each]), hc_covariance(SCORES), atol=1e-12)
    np.testing.assert_allclose(driscoll_kraay_covariance(SCORES, B, 0), cluster_covariance(SCORES, [B]), atol=1e-12)


def test_conley_between_its_limits() -> None:
    lon, lat = A.codes * 1.0, np.zeros(80)
    np.testing.assert_allclose(conley_covariance(SCORES, lon, lat, 1.0), cluster_covariance(SCORES, [A]), atol=1e-12)
    everyone = conley_covariance(SCORES, lon, lat, 30_000.0)
    total = SCORES.sum(axis=0)
    np.testing.assert_allclose(everyone, np.outer(total, total), atol=1e-10)


def test_distances() -> None:
    shenzhen, beijing = (114.06, 22.54), (116.41, 39.90)
    d = great_circle_km(*(np.array([v]) for v in (*shenzhen, *beijing)))
    assert d[0, 0] == pytest.approx(1943, abs=5)
    quarter = great_circle_km(np.array([0.0]), np.array([0.0]), np.array([90.0]), np.array([0.0]))
    assert quarter[0, 0] == pytest.approx(np.pi / 2 * 6371.0088)


def test_default_lag() -> None:
    assert [default_lag(t) for t in (8, 19, 100, 200)] == [2, 2, 4, 4]


def test_repair() -> None:
    good = np.diag([1.0, 1e-12])
    assert not repair_definiteness(good, 2)[1]
    bad = np.array([[1.0, 2.0, 0.1], [2.0, 1.0, 0.1], [0.1, 0.1, 1.0]])
    repaired, done = repair_definiteness(bad, 3)
    assert done
    values, vectors = np.linalg.eigh(bad)
    np.testing.assert_allclose(repaired, vectors @ np.diag(values.clip(0)) @ vectors.T, atol=1e-12)
    # the slopes are repaired by themselves where a constant stands beside them, as reghdfe does
    beside, _ = repair_definiteness(bad, 2)
    v2, u2 = np.linalg.eigh(bad[:2, :2])
    np.testing.assert_allclose(beside[:2, :2], u2 @ np.diag(v2.clip(0)) @ u2.T, atol=1e-12)


def test_repair_of_a_badly_scaled_matrix_is_noticed() -> None:
    scale = np.array([1.0, 1e-7])
    bad = np.array([[1.0, 2.0], [2.0, 1.0]]) * np.outer(scale, scale)
    assert repair_definiteness(bad, 2)[1]


def test_wald() -> None:
    vcov = np.array([[2.0, 0.5], [0.5, 1.0]])
    b = np.array([1.0, -2.0])
    assert wald_f(b, vcov) == pytest.approx(b @ np.linalg.solve(vcov, b) / 2)
    assert wald_f(b, np.ones((2, 2))) is None
    assert wald_f(b, np.diag([1.0, 0.0])) is None
    assert wald_f(np.empty(0), np.empty((0, 0))) is None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"type": "conley", "lon": "x", "lat": "y", "cutoff_km": -5}, "cutoff_km"),
        ({"type": "conley", "lon": "x", "lat": "y", "cutoff_km": "far"}, "cutoff_km"),
        ({"type": "conley", "lon": "x", "lat": "y", "cutoff_km": 5, "kernel": "gauss"}, "gauss"),
        ({"type": "driscoll_kraay", "lag": -1}, "lag"),
        ({"type": "driscoll_kraay", "lag": 1.5}, "lag"),
    ],
)
def test_options_are_checked(entry: dict[str, object], said: str) -> None:
    maker = VcovMaker(
        CovarianceSpec.parse(entry),
        weights=np.ones(80),
        residuals=np.ones(80),
        sigma2=1.0,
        factor=1.0,
        periods=B,
        coordinates=np.zeros((80, 2)),
    )
    with pytest.raises(CarbonpanelError, match="CP-EST-COVARIANCE") as caught:
        maker.make(SCORES, 3)
    assert said in str(caught.value)
