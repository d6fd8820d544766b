"""Instrumental variables against textbook matrices with every dummy as a column: nothing shared with the package."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis_py.estimators.iv import IvResult, fit_iv
from tests.reference.dense_lsdv import dummies, unbalanced_panel
from tests.reference.fe_cases import agree, cluster
from tests.reference.iv_cases import statistic

TIGHT = 1e-9


def panel(seed: int = 5) -> pd.DataFrame:
    """An unbalanced panel with two endogenous variables, three instruments, a control, weights and clusters."""
    frame = unbalanced_panel(seed, units=24, times=9).sort_values(["city", "year"]).reset_index(drop=True)
    rng = np.random.default_rng(seed + 100)
    n = len(frame)
    shared = rng.normal(size=n)
    for name in ("z1", "z2", "z3"):
        frame[name] = rng.normal(size=n) * (1.0 + 0.3 * np.abs(frame["x1"]))
    frame["d1"] = 0.6 * frame["z1"] + 0.3 * frame["z2"] + 0.2 * frame["x1"] + shared + rng.normal(size=n)
    frame["d2"] = 0.5 * frame["z2"] - 0.4 * frame["z3"] + 0.5 * shared + rng.normal(size=n)
    frame["y"] = frame["y"] + 0.5 * frame["d1"] - 0.3 * frame["d2"] + shared
    return frame


class Dense:
    """2SLS and k-class by the book: X = [D, x2, dummies], Z = [z, x2, dummies]."""

    def __init__(
        self, frame: pd.DataFrame, endogenous: list[str], instruments: list[str], w: np.ndarray, effects: list[str]
    ) -> None:
        fixed = [dummies(frame[effects[0]])] + [dummies(frame[e], drop_first=True) for e in effects[1:]]
        exogenous = np.column_stack([frame[["x1", "x2"]].to_numpy(), *(fixed or [np.ones((len(frame), 1))])])
        self.y, self.w, self.n = frame["y"].to_numpy(), w, len(frame)
        self.x = np.column_stack([frame[endogenous].to_numpy(), exogenous])
        self.z = np.column_stack([frame[instruments].to_numpy(), exogenous])
        self.exogenous = exogenous
        self.k1, self.l1 = len(endogenous), len(instruments)
        self.k, self.l_total = self.x.shape[1], self.z.shape[1]
        zw = self.z * w[:, None]
        self.fitted = self.z @ np.linalg.solve(zw.T @ self.z, zw.T @ self.x)
        self.bread = np.linalg.inv((self.fitted * w[:, None]).T @ self.fitted)
        self.beta = self.bread @ (self.fitted * w[:, None]).T @ self.y
        self.e = self.y - self.x @ self.beta

    def meat(self, scores: np.ndarray, groups: list[np.ndarray]) -> np.ndarray:
        if not groups:
            return scores.T @ scores
        keys: list[list[Any]] = [list(g) for g in groups]
        if len(keys) == 2:
            keys.append(list(zip(*keys, strict=True)))
        total = np.zeros((scores.shape[1],) * 2)
        for sign, key in zip((1, 1, -1), keys, strict=False):
            for level in sorted(set(key)):
                row = scores[[k == level for k in key]].sum(axis=0)
                total += sign * np.outer(row, row)
        return total

    def errors(self, groups: list[np.ndarray] | None) -> np.ndarray:
        """None: iid with RSS/n; else the plain sandwich."""
        if groups is None:
            return np.sqrt(np.diag(self.bread) * (self.w @ self.e**2) / self.n)
        scores = self.fitted * (self.w * self.e)[:, None]
        return np.sqrt(np.diag(self.bread @ self.meat(scores, groups) @ self.bread))

    def partial(self, columns: np.ndarray) -> np.ndarray:
        ew = self.exogenous * self.w[:, None]
        return columns - self.exogenous @ np.linalg.solve(ew.T @ self.exogenous, ew.T @ columns)

    def kleibergen_paap(self, groups: list[np.ndarray], wald: bool) -> float:
        """rk by Kronecker products, as in Kleibergen & Paap (2006), section 2."""
        x, z = self.partial(self.x[:, : self.k1]), self.partial(self.z[:, : self.l1])
        w, n = self.w[:, None], self.n
        qzz, qxx, qzx = z.T @ (w * z) / n, x.T @ (w * x) / n, z.T @ (w * x) / n
        pi = np.linalg.solve(qzz, qzx)
        rz, rx = np.linalg.cholesky(qzz), np.linalg.cholesky(qxx)
        inverse_x, inverse_z = np.linalg.inv(rx), np.linalg.inv(rz)
        theta = rz.T @ pi @ inverse_x.T
        v = x - z @ pi if wald else x
        scores = np.column_stack([z * (w * v[:, [j]]) for j in range(self.k1)])
        transform = np.kron(inverse_x, inverse_z)
        variance = transform @ (self.meat(scores, groups) / n) @ transform.T
        u, _, vt = np.linalg.svd(theta)
        q = self.k1 - 1
        root = lambda m: (lambda e: e[1] @ np.diag(np.sqrt(e[0])) @ e[1].T)(np.linalg.eigh(m))  # noqa: E731
        u22, v22 = u[q:, q:], vt.T[q:, q:]
        aq = u[:, q:] @ np.linalg.inv(u22) @ root(u22 @ u22.T)
        bq = root(v22 @ v22.T) @ np.linalg.inv(v22.T) @ vt[q:, :]
        both = np.kron(bq, aq.T)
        lam = both @ theta.T.ravel()
        return float(n * lam @ np.linalg.solve(both @ variance @ both.T, lam))


def fit(frame: pd.DataFrame, endogenous: list[str], instruments: list[str], **more: Any) -> IvResult:
    return fit_iv(
        frame,
        outcome="y",
        endogenous=endogenous,
        instruments=instruments,
        exogenous=["x1", "x2"],
        fixed_effects=["city", "year"],
        unit="city",
        time="year",
        **more,
    )


CASES = [
    ("iid", "iid", None),
    ("hc1", "hc1", []),
    ("cluster", cluster("city"), ["city"]),
    ("two-way", cluster("city", "region"), ["city", "region"]),
]


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize(("name", "covariance", "by"), CASES, ids=[c[0] for c in CASES])
@pytest.mark.parametrize("k1", [1, 2])
def test_ivreg2_is_least_squares_on_dummies(name: str, covariance: Any, by: Any, weighted: bool, k1: int) -> None:
    frame = panel()
    endogenous, instruments = ["d1", "d2"][:k1], ["z1", "z2", "z3"]
    result = fit(frame, endogenous, instruments, covariance=covariance, weights="w" if weighted else None)
    w = frame["w"].to_numpy() / frame["w"].mean() if weighted else np.ones(len(frame))
    dense = Dense(frame, endogenous, instruments, w, ["city", "year"])
    groups = None if by is None else [frame[b].to_numpy() for b in by]
    slopes = k1 + 2
    assert (result.counts.k, result.counts.l_total) == (dense.k, dense.l_total)
    for j in range(slopes):
        agree(float(result.main.estimate[j]), float(dense.beta[j]), TIGHT)
        agree(float(result.main.std_error[j]), float(dense.errors(groups)[j]), TIGHT)
    g = None if not by else min(frame[b].nunique() for b in by)
    for test, wald in (("kleibergen_paap_rk_lm", False), ("kleibergen_paap_rk_wald_f", True)):
        if groups is None:
            continue
        value = dense.kleibergen_paap(groups, wald)
        if wald:
            n, left = dense.n, dense.n - dense.l_total
            value *= left / n / 3 if g is None else left / (n - 1) * (g - 1) / g / 3
        agree(statistic(result, test), value, 1e-8)


def test_small_factors_by_convention() -> None:
    """Each convention's errors are the plain sandwich times the factor it states."""
    frame = panel()
    dense = Dense(frame, ["d1"], ["z1", "z2"], np.ones(len(frame)), ["city", "year"])
    n, units, years, slopes = len(frame), frame["city"].nunique(), frame["year"].nunique(), 3
    g, everything = units, slopes + units + years - 1
    robust, clustered, iid = dense.errors([])[0], dense.errors([frame["city"].to_numpy()])[0], dense.errors(None)[0]
    small = g / (g - 1) * (n - 1)
    expected = {
        ("ivreg2", False): (1.0, 1.0, 1.0),
        ("ivreg2", True): (n / (n - everything), n / (n - everything), small / (n - everything)),
        ("xtivreg2", False): (n / (n - units), n / (n - units), 1.0),
        ("xtivreg2", True): (n / (n - everything), n / (n - everything), small / (n - slopes - years + 1)),
        ("ivreghdfe", None): (n / (n - everything), n / (n - everything), small / (n - slopes - years + 1)),
        ("ivregress", None): (1.0, 1.0, 1.0),
    }
    for (convention, is_small), factors in expected.items():
        for covariance, plain, factor in zip(
            ("iid", "hc1", cluster("city")), (iid, robust, clustered), factors, strict=True
        ):
            result = fit(frame, ["d1"], ["z1", "z2"], covariance=covariance, convention=convention, small=is_small)
            agree(result.main.error("d1"), float(plain * np.sqrt(factor)), TIGHT)
            named = dict(result.main.small_sample)
            if covariance != "iid":
                corrected = n / (n - named["d (dofminus)"]) if covariance == "hc1" and not named["small"] else factor
                assert named["factor"] == pytest.approx(factor if named["small"] else corrected)
    hdfe = fit(frame, ["d1"], ["z1", "z2"], covariance=cluster("city"), convention="ivreghdfe")
    assert hdfe.main.statistic_kind == "t" and hdfe.main.df_t == units - 1


def test_xtivreg2_statistics_take_the_units_off() -> None:
    frame = panel()
    base = fit(frame, ["d1"], ["z1", "z2"])
    other = fit(frame, ["d1"], ["z1", "z2"], convention="xtivreg2")
    n, units = len(frame), frame["city"].nunique()
    ratio = (n - units) / n
    agree(statistic(other, "anderson_lm"), statistic(base, "anderson_lm") * ratio, TIGHT)
    agree(statistic(other, "sargan"), statistic(base, "sargan") * ratio, TIGHT)
    agree(statistic(other, "cragg_donald_f"), statistic(base, "cragg_donald_f"), TIGHT)


@pytest.mark.parametrize("convention", ["xtivreg2", "ivreghdfe"])
def test_singletons(convention: str) -> None:
    frame = panel()
    alone = frame.iloc[[0]].assign(city="alone", year=2001)
    more = pd.concat([frame, alone], ignore_index=True)
    base = fit(frame, ["d1"], ["z1"], convention=convention)
    result = fit(more, ["d1"], ["z1"], convention=convention)
    assert result.main.n_singletons_dropped == 1
    assert result.main.dropped_rows == ((len(frame), "singleton city"),)
    agree(result.main.error("d1"), base.main.error("d1"), TIGHT)
    kept = fit(more, ["d1"], ["z1"], convention="ivreg2")
    assert kept.main.n_obs == len(more) and kept.main.n_singletons_dropped == 0


def test_just_identified_is_a_ratio_and_liml_is_2sls() -> None:
    frame = panel()
    result = fit(frame, ["d1"], ["z1"], covariance=cluster("city"))
    ratio = result.reduced_form.coefficient("z1") / result.first_stages[0].coefficient("z1")
    agree(result.main.coefficient("d1"), ratio, TIGHT)
    liml = fit(frame, ["d1"], ["z1"], covariance=cluster("city"), method="liml")
    agree(liml.main.coefficient("d1"), result.main.coefficient("d1"), TIGHT)
    agree(liml.main.error("d1"), result.main.error("d1"), TIGHT)
    j = result.main.diagnostic("hansen_j")
    assert j is not None and (j.statistic, j.df1, j.p_value) == (0.0, 0.0, None)


def test_kclass_between_least_squares_and_2sls() -> None:
    frame = panel()
    from analysis_py.estimators.twfe import fit_twfe

    ols = fit_twfe(
        frame,
        outcome="y",
        regressors=["d1", "x1", "x2"],
        fixed_effects=["city", "year"],
        covariance="iid",
        convention="plain",
    )
    agree(fit(frame, ["d1"], ["z1", "z2"], method="kclass", k=0.0).main.coefficient("d1"), ols.coefficient("d1"), TIGHT)
    two = fit(frame, ["d1"], ["z1", "z2"])
    agree(fit(frame, ["d1"], ["z1", "z2"], method="kclass", k=1.0).main.error("d1"), two.main.error("d1"), TIGHT)


def test_kleibergen_paap_is_cragg_donald_under_iid_errors() -> None:
    result = fit(panel(), ["d1", "d2"], ["z1", "z2", "z3"])
    agree(statistic(result, "kleibergen_paap_rk_wald_f"), statistic(result, "cragg_donald_f"), TIGHT)
    agree(statistic(result, "kleibergen_paap_rk_lm"), statistic(result, "anderson_lm"), TIGHT)


def test_linearmodels() -> None:
    """2SLS and LIML, robust and clustered, against linearmodels (no small-sample factors)."""
    from linearmodels.iv import IV2SLS, IVLIML

    frame = panel()
    exogenous = np.column_stack([frame[["x1", "x2"]], dummies(frame["city"]), dummies(frame["year"], drop_first=True)])
    for kind, method in ((IV2SLS, "2sls"), (IVLIML, "liml")):
        model = kind(frame["y"], exogenous, frame[["d1", "d2"]], frame[["z1", "z2", "z3"]])
        for covariance, options in (
            ("hc1", {"cov_type": "robust"}),
            (cluster("city"), {"cov_type": "clustered", "clusters": frame["city"].astype("category").cat.codes}),
        ):
            theirs = model.fit(debiased=False, **options)
            ours = fit(frame, ["d1", "d2"], ["z1", "z2", "z3"], covariance=covariance, method=method)
            for term in ("d1", "d2"):
                agree(ours.main.coefficient(term), float(theirs.params[term]), 1e-8)
                agree(ours.main.error(term), float(theirs.std_errors[term]), 1e-8)


def test_first_stage_and_reduced_form_are_least_squares() -> None:
    """reghdfe's least squares of each side, but for the constant that ivreghdfe does not count in clusters."""
    from analysis_py.estimators.twfe import fit_twfe

    frame = panel()
    result = fit(frame, ["d1"], ["z1", "z2"], covariance="hc1", convention="ivreghdfe")
    for stage, outcome in ((result.first_stages[0], "d1"), (result.reduced_form, "y")):
        ols = fit_twfe(
            frame,
            outcome=outcome,
            regressors=["z1", "z2", "x1", "x2"],
            fixed_effects=["city", "year"],
            covariance="hc1",
            convention="reghdfe",
            unit="city",
        )
        for term in ("z1", "z2", "x1", "x2"):
            agree(stage.coefficient(term), ols.coefficient(term), TIGHT)
            agree(stage.error(term), ols.error(term), TIGHT)
    assert stats.f.sf(statistic(result, "first_stage_f"), 2, result.counts.df_first) < 0.01
