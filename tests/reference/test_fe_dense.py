"""Every covariance and constant against least squares on explicit dummies, weighted and unbalanced."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.twfe import fit_twfe
from tests.reference.dense_lsdv import lsdv, unbalanced_panel, within_unit
from tests.reference.fe_cases import agree, cluster

SLOPES = ["x1", "x2"]
EFFECTS = [[], ["city"], ["year"], ["city", "year"], ["city", "region^year"], ["city", "year", "region"]]
WEIGHTS = [None, "w"]
PANEL = unbalanced_panel(7).assign(**{"region^year": lambda d: d.region + d.year.astype(str)})


def fit(effects: list[str], covariance: Any, convention: str, weights: str | None = None) -> RegressionResult:
    frame = PANEL.drop(columns="region^year")
    return fit_twfe(
        frame,
        outcome="y",
        regressors=SLOPES,
        fixed_effects=effects,
        covariance=covariance,
        convention=convention,
        unit="city",
        time="year",
        weights=weights,
    )


def weight(name: str | None) -> np.ndarray | None:
    return None if name is None else PANEL[name].to_numpy()


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("effects", EFFECTS, ids="+".join)
class TestSlopes:
    def test_iid_and_hc(self, effects: list[str], weights: str | None) -> None:
        dense = lsdv(PANEL, "y", SLOPES, effects, weight(weights))
        for covariance, wanted in (
            ("iid", dense.iid()),
            ("hc1", dense.hc(1)),
            ("hc2", dense.hc(2)),
            ("hc3", dense.hc(3)),
        ):
            result = fit(effects, covariance, "plain", weights)
            np.testing.assert_allclose(result.estimate[:2], dense.beta[:2], rtol=1e-9)
            np.testing.assert_allclose(result.vcov[:2, :2], wanted[:2, :2], rtol=1e-8)
            assert result.df_resid == dense.df
            assert result.df_t == dense.df
        np.testing.assert_allclose(result.residuals, dense.residuals, atol=1e-10)
        np.testing.assert_array_equal(result.used_rows, np.arange(len(PANEL)))
        spread = dense.y - np.average(dense.y, weights=dense.w)
        agree(result.r2, 1 - dense.rss / np.sum(dense.w * spread**2), 1e-10)
        agree(result.rmse, np.sqrt(dense.rss / dense.df), 1e-10)

    def test_clusters(self, effects: list[str], weights: str | None) -> None:
        dense = lsdv(PANEL, "y", SLOPES, effects, weight(weights))
        n = len(PANEL)
        for by in (["city"], ["region"], ["year"], ["city", "year"], ["region", "year"]):
            groups = min(PANEL[b].nunique() for b in by)
            factor = groups / (groups - 1) * (n - 1) / (n - dense.rank)
            wanted = factor * dense.cluster(*(PANEL[b] for b in by))
            result = fit(effects, cluster(*by), "areg", weights)
            assert result.df_t == groups - 1
            if any("not positive semi-definite" in m for m in result.messages):
                assert len(by) == 2
                continue
            np.testing.assert_allclose(result.vcov[:2, :2], wanted[:2, :2], rtol=1e-7, atol=1e-12)

    def test_time_and_space(self, effects: list[str], weights: str | None) -> None:
        dense = lsdv(PANEL, "y", SLOPES, effects, weight(weights))
        n = len(PANEL)
        year = PANEL["year"].to_numpy()
        apart = np.abs(year[:, None] - year[None, :])
        for lag in (0, 2):
            wanted = dense.kernel(np.maximum(0.0, 1.0 - apart / (lag + 1.0)))
            periods = len(set(year))
            result = fit(effects, {"type": "driscoll_kraay", "lag": lag}, "plain", weights)
            factor = periods / (periods - 1) * (n - 1) / (n - dense.rank)
            np.testing.assert_allclose(result.vcov[:2, :2], factor * wanted[:2, :2], rtol=1e-7, atol=1e-12)
            assert result.df_t == periods - 1
        distance = haversine(PANEL)
        for kernel in ("uniform", "bartlett"):
            near = (distance <= 150.0) * (1.0 if kernel == "uniform" else 1.0 - distance / 150.0)
            wanted = n / dense.df * dense.kernel(near)
            spec = {"type": "conley", "lon": "lon", "lat": "lat", "cutoff_km": 150, "kernel": kernel}
            result = fit(effects, spec, "plain", weights)
            if np.linalg.eigvalsh(wanted[:2, :2])[0] > 0:
                np.testing.assert_allclose(result.vcov[:2, :2], wanted[:2, :2], rtol=1e-7, atol=1e-12)


def haversine(frame: pd.DataFrame) -> np.ndarray:
    n = len(frame)
    lon, lat = np.radians(frame["lon"].to_numpy()), np.radians(frame["lat"].to_numpy())
    distance = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            a = np.sin((lat[i] - lat[j]) / 2) ** 2
            a += np.cos(lat[i]) * np.cos(lat[j]) * np.sin((lon[i] - lon[j]) / 2) ** 2
            distance[i, j] = 2 * 6371.0088 * np.arcsin(np.sqrt(a))
    return distance


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("effects", EFFECTS[1:5], ids="+".join)
class TestConstantAndJointF:
    """xtreg and areg: the whole regression on unit-demeaned data, dummies and constant included."""

    def test_constant(self, effects: list[str], weights: str | None) -> None:
        dense = within_unit(PANEL, "y", SLOPES, effects, weight(weights))
        n, units = len(PANEL), PANEL[effects[0]].nunique()
        df = dense.df - (units - 1)
        inner = np.ix_([0, 1, -1], [0, 1, -1])
        iid = dense.rss / df * dense.bread
        meat_hc = dense.sandwich(dense.scores().T @ dense.scores())
        for convention in ("xtreg", "areg"):
            result = fit(effects, "iid", convention, weights)
            assert result.terms == ("x1", "x2", "_cons")
            np.testing.assert_allclose(result.estimate, dense.beta[[0, 1, -1]], rtol=1e-9)
            np.testing.assert_allclose(result.vcov, iid[inner], rtol=1e-8)
            robust = fit(effects, "hc1", convention, weights)
            np.testing.assert_allclose(robust.vcov, (n / df * meat_hc)[inner], rtol=1e-8)
            clustered = fit(effects, cluster(effects[0]), convention, weights)
            k = dense.rank if convention == "xtreg" else dense.rank + units - 1
            factor = units / (units - 1) * (n - 1) / (n - k)
            wanted = factor * dense.cluster(PANEL[effects[0]])
            np.testing.assert_allclose(clustered.vcov, wanted[inner], rtol=1e-8)
            assert dict(clustered.small_sample)["K"] == k

    def test_joint_f(self, effects: list[str], weights: str | None) -> None:
        dense = within_unit(PANEL, "y", SLOPES, effects, weight(weights))
        n, units = len(PANEL), PANEL[effects[0]].nunique()
        df, p = dense.df - (units - 1), dense.z.shape[1] - 1
        assert dense.rank == p + 1
        tested = dense.beta[:p]
        meat = dense.sandwich(dense.scores().T @ dense.scores())
        for covariance, vcov in (("iid", dense.rss / df * dense.bread), ("hc1", n / df * meat)):
            result = fit(effects, covariance, "areg", weights)
            wanted = tested @ np.linalg.solve(vcov[:p, :p], tested) / p
            agree(result.f, wanted, 1e-7)
            assert (result.df_model, result.df_t) == (p, df)
        if p < units - 1:
            result = fit(effects, cluster(effects[0]), "xtreg", weights)
            vcov = units / (units - 1) * (n - 1) / (n - p - 1) * dense.cluster(PANEL[effects[0]])
            agree(result.f, tested @ np.linalg.solve(vcov[:p, :p], tested) / p, 1e-7)


def test_reghdfe_constant() -> None:
    """reghdfe adds means back after demeaning by every effect: same slopes, constant of the means."""
    dense = lsdv(PANEL, "y", SLOPES, ["city", "year"])
    demeaned = np.column_stack([PANEL[c] - lsdv_fit(c) for c in SLOPES])
    z = np.column_stack([demeaned + PANEL[SLOPES].mean().to_numpy(), np.ones(len(PANEL))])
    bread = np.linalg.inv(z.T @ z)
    result = fit(["city", "year"], "iid", "reghdfe")
    np.testing.assert_allclose(result.vcov, dense.rss / dense.df * bread, rtol=1e-8)
    np.testing.assert_allclose(
        result.coefficient("_cons"), PANEL["y"].mean() - PANEL[SLOPES].mean() @ dense.beta[:2], rtol=1e-10
    )
    e = dense.residuals
    robust = fit(["city", "year"], "hc1", "reghdfe")
    wanted = len(PANEL) / dense.df * bread @ (z * (e**2)[:, None]).T @ z @ bread
    np.testing.assert_allclose(robust.vcov, wanted, rtol=1e-8)


def lsdv_fit(column: str) -> np.ndarray:
    dense = lsdv(PANEL, column, [], ["city", "year"])
    return dense.y - dense.residuals


def test_pyfixest_agrees() -> None:
    """The engine's own regression: coefficients, iid and heteroskedastic errors (its clustered ones are not stable)."""
    pyfixest = import_module("pyfixest")
    frame = PANEL.drop(columns="region^year")
    demeaner = pyfixest.MapDemeaner(fixef_tol=1e-12)
    for effects, formula in (
        ([], "y ~ x1 + x2"),
        (["city", "year"], "y ~ x1 + x2 | city + year"),
        (["city", "region^year"], "y ~ x1 + x2 | city + region^year"),
    ):
        for ours, theirs in (("iid", "iid"), ("hc1", "hetero")):
            model = pyfixest.feols(formula, frame, vcov=theirs, fixef_rm="none", demeaner=demeaner)
            result = fit(effects, ours, "fixest")
            names = ["x1", "x2"] if effects else ["x1", "x2", "Intercept"]
            np.testing.assert_allclose(result.estimate, model.coef()[names], rtol=1e-9)
            np.testing.assert_allclose(result.std_error, model.se()[names], rtol=1e-9)


def test_statsmodels_weighted_least_squares() -> None:
    models = import_module("statsmodels.api")
    z = models.add_constant(PANEL[SLOPES])[[*SLOPES, "const"]]
    model = models.WLS(PANEL["y"], z, weights=PANEL["w"])
    for name in ("HC1", "HC2", "HC3"):
        wanted = model.fit(cov_type=name).cov_params().to_numpy()
        np.testing.assert_allclose(fit([], name.lower(), "plain", "w").vcov, wanted, rtol=1e-9)
    wanted = model.fit(cov_type="cluster", cov_kwds={"groups": pd.factorize(PANEL["city"])[0]}).cov_params()
    np.testing.assert_allclose(fit([], cluster("city"), "plain", "w").vcov, wanted, rtol=1e-9)
