"""How a study names a covariance, and the arithmetic of inference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.result import CovarianceSpec, infer


@pytest.mark.parametrize(
    ("entry", "label"),
    [
        ("iid", "iid"),
        ("hc1", "HC1"),
        ("robust", "HC1"),
        ("HC3", "HC3"),
        ({"type": "cluster", "by": ["city_code"]}, "cluster(city_code)"),
        ({"type": "cluster", "by": "state"}, "cluster(state)"),
        ({"type": "cluster", "by": ("state", "year")}, "cluster(state, year)"),
        ({"type": "conley", "lon": "lon", "lat": "lat", "cutoff_km": 200}, "conley(200 km)"),
        ({"type": "driscoll_kraay", "lag": 3}, "driscoll_kraay(lag 3)"),
        ({"type": "driscoll_kraay"}, "driscoll_kraay"),
        ({"type": "wild", "by": ["city_code"], "draws": 999}, "wild(city_code)"),
    ],
)
def test_labels(entry: Any, label: str) -> None:
    spec = CovarianceSpec.parse(entry)
    assert spec.label == label
    assert CovarianceSpec.parse(spec) == spec


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("clustr", "did you mean 'cluster'"),
        ("cluster", "needs the columns"),
        ({"type": "cluster", "by": []}, "needs the columns"),
        ({"type": "cluster", "by": ["a", "a"]}, "named twice"),
        ({"type": "cluster", "by": 3}, "a column or a list"),
        ({"type": "hc1", "by": ["a"]}, "takes no `by`"),
        ({"type": "conley", "lon": "x", "lat": "y"}, "needs the option 'cutoff_km'"),
        ({"type": "conley", "lon": "x", "lat": "y", "cutof_km": 3}, "did you mean 'cutoff_km'"),
        ({"type": "iid", "lag": 3}, "has no option 'lag'"),
        ({"by": ["a"]}, "does not say its `type`"),
        (7, "a name or a mapping"),
    ],
)
def test_mistakes_are_said(entry: Any, said: str) -> None:
    with pytest.raises(CarbonpanelError, match="CP-EST-COVARIANCE") as caught:
        CovarianceSpec.parse(entry)
    assert said in str(caught.value)


def test_infer() -> None:
    estimate, vcov = np.array([2.0, -1.0]), np.diag([1.0, 4.0])
    found = infer(estimate, vcov, 10)
    np.testing.assert_allclose(found.std_error, [1, 2])
    np.testing.assert_allclose(found.statistic, [2, -0.5])
    np.testing.assert_allclose(found.p_value, [2 * stats.t.sf(2, 10), 2 * stats.t.sf(0.5, 10)])
    np.testing.assert_allclose(found.ci_high - found.ci_low, 2 * stats.t.ppf(0.975, 10) * np.array([1, 2]))
    normal = infer(estimate, vcov, np.inf, kind="z", level=0.9)
    np.testing.assert_allclose(normal.ci_high[0], 2 + stats.norm.ppf(0.95))
    with pytest.raises(ValueError, match="kind"):
        infer(estimate, vcov, 3, kind="chi2")


def test_no_variance_is_nan_not_infinity() -> None:
    found = infer(np.array([2.0]), np.zeros((1, 1)), 10)
    assert np.isnan([found.std_error[0], found.statistic[0], found.p_value[0], found.ci_low[0]]).all()
    assert np.isnan(infer(np.array([2.0]), np.eye(1), 0).p_value[0])
