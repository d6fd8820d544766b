"""Shift-share inference against explicit formulas, and what it is in simple cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.iv import IvResult, fit_iv
from analysis_py.estimators.shift_share import Exposure, rotemberg_weights, shift_share_inference


def regions(seed: int = 0, n: int = 200, sectors: int = 20) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(sectors, 0.5), size=n) * rng.uniform(0.3, 0.9, size=(n, 1))
    shocks = rng.normal(size=sectors)
    z = shares @ shocks
    hidden = shares @ rng.normal(size=sectors)
    c = rng.normal(size=n)
    x = 1.5 * z + 0.3 * c + hidden + 0.3 * rng.normal(size=n)
    y = 0.7 * x - 0.5 * hidden + 0.2 * c + 0.3 * rng.normal(size=n)
    return pd.DataFrame({"y": y, "x": x, "z": z, "c": c, "w": rng.uniform(0.5, 2, n)}), shares, shocks


def fit(frame: pd.DataFrame, **more: Any) -> IvResult:
    return fit_iv(frame, outcome="y", endogenous=["x"], instruments=["z"], exogenous=["c"], **more)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_akm_by_the_formula(weighted: bool) -> None:
    """Adao, Kolesar & Morales (2019), section IV.B, in the steps of their program."""
    frame, shares, _ = regions()
    w = frame["w"].to_numpy() if weighted else np.ones(len(frame))
    result = fit(frame, weights="w" if weighted else None)
    cluster = np.arange(20) // 2
    for groups in (None, cluster):
        found = shift_share_inference(result.design, Exposure(shares, tuple(map(str, range(20))), cluster=groups))
        controls = np.column_stack([np.ones(len(frame)), frame["c"]])

        def free(v: np.ndarray, controls: np.ndarray = controls) -> np.ndarray:
            return v - controls @ np.linalg.solve((controls * w[:, None]).T @ controls, (controls * w[:, None]).T @ v)

        z, x, y = free(frame["z"].to_numpy()), free(frame["x"].to_numpy()), free(frame["y"].to_numpy())
        shock = np.linalg.solve((shares * w[:, None]).T @ shares, (shares * w[:, None]).T @ z)
        beta = (w * z) @ y / ((w * z) @ x)
        parts = shock * (shares.T @ (w * (y - beta * x)))
        null = [shock * (shares.T @ (w * v)) for v in (y, x)]
        if groups is not None:
            parts = np.bincount(groups, parts)
            null = [np.bincount(groups, v) for v in null]
        first = (w * z) @ x
        assert found.estimate == pytest.approx(beta, rel=1e-10)
        assert found.estimate == pytest.approx(result.main.coefficient("x"), rel=1e-10)
        assert found.akm_error == pytest.approx(np.sqrt(parts @ parts) / abs(first), rel=1e-9)
        ((low, high),) = found.akm0.intervals
        for end in (low, high):
            moved = null[0] - end * null[1]
            assert abs((beta - end) * first) == pytest.approx(1.959964 * np.sqrt(moved @ moved), rel=1e-5)
        assert low < beta < high


def test_one_shock_a_row_is_the_robust_error() -> None:
    frame, _, _ = regions(n=60)
    result = fit(frame, covariance="hc1")
    shares = np.eye(60)
    found = shift_share_inference(result.design, Exposure(shares, tuple(map(str, range(60)))))
    assert found.akm_error == pytest.approx(result.main.error("x"), rel=1e-9)
    groups = np.arange(60) // 6
    clustered = fit(frame.assign(g=groups), covariance={"type": "cluster", "by": ["g"]})
    found = shift_share_inference(result.design, Exposure(shares, tuple(map(str, range(60))), cluster=groups))
    assert found.akm_error == pytest.approx(clustered.main.error("x"), rel=1e-9)
    assert found.n_shocks == 10


def test_units_of_shares_do_not_matter() -> None:
    frame, shares, _ = regions()
    result = fit(frame)
    names = tuple(map(str, range(20)))
    base = shift_share_inference(result.design, Exposure(shares, names))
    other = shift_share_inference(result.design, Exposure(shares * np.geomspace(1e-6, 1e6, 20), names))
    assert other.akm_error == pytest.approx(base.akm_error, rel=1e-8)


def test_errors_that_share_sectors_are_larger() -> None:
    """Residuals have a shift-share part: robust errors are too small by far (the point of the paper)."""
    frame, shares, _ = regions(3)
    robust = fit(frame, covariance="hc1")
    found = shift_share_inference(robust.design, Exposure(shares, tuple(map(str, range(20)))))
    assert found.akm_error > 1.1 * robust.main.error("x")


@pytest.mark.parametrize("effects", [[], ["region"]], ids=["constant", "effects"])
def test_rotemberg_weights_add_up(effects: list[str]) -> None:
    frame, shares, shocks = regions()
    frame["region"] = np.arange(len(frame)) % 7
    result = fit(frame, fixed_effects=effects)
    found = rotemberg_weights(result.design, Exposure(shares, tuple(f"s{j}" for j in range(20)), shocks))
    assert found.weights.sum() == pytest.approx(1.0, rel=1e-12)
    assert found.weights @ found.estimates == pytest.approx(result.main.coefficient("x"), rel=1e-9)
    assert (np.diff(np.abs(found.weights)) <= 0).all()
    # each sector's estimate is that of its own share as the instrument
    first = found.sectors[0]
    own = fit_iv(
        frame.assign(own=shares[:, int(first[1:])]),
        outcome="y",
        endogenous=["x"],
        instruments=["own"],
        exogenous=["c"],
        fixed_effects=effects,
    )
    assert found.estimates[0] == pytest.approx(own.main.coefficient("x"), rel=1e-9)
    assert 0.0 <= found.negative_share < 0.5 < 1.0 and 0.2 < found.top_five <= 1.0


def test_sectors_over_periods_add_up() -> None:
    frame, shares, shocks = regions()
    period = np.arange(len(frame)) % 2
    stacked = np.column_stack([shares * (period == t)[:, None] for t in (0, 1)])
    both = np.concatenate([shocks, shocks])
    names = tuple(f"s{j}" for j in range(20))
    result = fit(frame)
    once = rotemberg_weights(result.design, Exposure(shares, names, shocks))
    twice = rotemberg_weights(result.design, Exposure(stacked, names + names, both))
    assert twice.sectors == once.sectors
    np.testing.assert_allclose(twice.weights, once.weights, rtol=1e-10)


def test_what_cannot_be_done_is_said() -> None:
    frame, shares, _ = regions()
    result = fit(frame)
    names = tuple(map(str, range(21)))
    doubled = np.column_stack([shares, shares[:, 0] * 2.0])
    with pytest.raises(CarbonpanelError, match="only 20 of 21 shocks"):
        shift_share_inference(result.design, Exposure(doubled, names))
    with pytest.raises(CarbonpanelError, match="need the shocks"):
        rotemberg_weights(result.design, Exposure(shares, names[:20]))
    two = fit_iv(frame.assign(z2=np.sin(np.arange(200))), outcome="y", endogenous=["x"], instruments=["z", "z2"])
    with pytest.raises(CarbonpanelError, match="exactly one endogenous variable and one instrument"):
        shift_share_inference(two.design, Exposure(shares, names[:20]))


def test_weak_identification_opens_the_null_set() -> None:
    rng = np.random.default_rng(8)
    frame, shares, _ = regions()
    frame["x"] = rng.normal(size=len(frame)) + shares @ rng.normal(size=20)
    found = shift_share_inference(fit(frame).design, Exposure(shares, tuple(map(str, range(20)))))
    assert found.akm0.kind in ("whole line", "unbounded")


def test_exposure_facts() -> None:
    shares = np.array([[0.5, 0.5], [0.25, 0.75]])
    exposure = Exposure(shares, ("a", "b"))
    assert exposure.is_complete and not Exposure(shares * 0.9, ("a", "b")).is_complete
    assert exposure.effective_shocks == pytest.approx(1.0 / (0.375**2 + 0.625**2))
