"""Poisson with absorbed effects: against fepois, generalised linear models on dummies, and linear programmes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.conventions import find_convention
from analysis_py.estimators.poisson import fit_poisson
from analysis_py.estimators.result import CovarianceSpec, RegressionResult
from analysis_py.estimators.sample import Sample, draw_sample
from analysis_py.estimators.separation import find_separated
from tests.reference.dense_lsdv import dummies, unbalanced_panel
from tests.reference.fe_cases import agree, cluster


def counts(seed: int = 3) -> pd.DataFrame:
    frame = unbalanced_panel(7, units=40, times=8)
    rng = np.random.default_rng(seed)
    return frame.assign(n=rng.poisson(np.exp(0.3 * frame.x1 - 0.2 * frame.x2 - 0.5)))


def fit(frame: pd.DataFrame, effects: list[str], **changes: Any) -> RegressionResult:
    base: dict[str, Any] = {
        "outcome": "n",
        "regressors": ["x1", "x2"],
        "covariance": "iid",
        "convention": "plain",
        "unit": "city",
        "time": "year",
    }
    return fit_poisson(frame, fixed_effects=effects, **(base | changes))


@pytest.mark.parametrize("effects", [["city"], ["city", "year"]], ids="+".join)
@pytest.mark.parametrize(
    ("peer", "ours"), [("iid", "iid"), ("hetero", "hc1"), ({"CRV1": "city"}, cluster("city"))], ids=str
)
def test_fepois(effects: list[str], peer: Any, ours: Any) -> None:
    import pyfixest

    frame = counts()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # the peer's effects in the order of the formula: its factors may follow the hash seed with two of them
        model = pyfixest.fepois(f"n ~ x1 + x2 | {' + '.join(effects)}", frame, vcov=peer, iwls_tol=1e-12)
    result = fit(frame, effects, covariance=ours, convention="fixest")
    assert result.n_obs == model._N
    for term in ("x1", "x2"):
        agree(result.coefficient(term), float(model.coef()[term]), 1e-9)
        if len(effects) == 1 or ours != cluster("city"):
            agree(result.error(term), float(model.se()[term]), 1e-6)
    found = result.diagnostic("deviance")
    assert found is not None
    agree(found.statistic, float(model.deviance), 1e-9)


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("effects", [[], ["city"], ["city", "year"]], ids="+".join)
def test_generalised_linear_model(effects: list[str], weights: str | None) -> None:
    """Coefficients, information, sandwiches and likelihood of statsmodels on explicit dummies."""
    import statsmodels.api as sm

    frame = counts()
    result = fit(frame, effects, weights=weights, covariance="hc1")
    used = frame.iloc[result.used_rows]
    blocks = [used[["x1", "x2"]].to_numpy(), np.ones((len(used), 1))]
    blocks += [dummies(used[e], drop_first=True) for e in effects]
    w = np.ones(len(used)) if weights is None else (used[weights] / used[weights].mean()).to_numpy()
    z, y = np.column_stack(blocks), used["n"].to_numpy()
    made = sm.GLM(y, z, family=sm.families.Poisson(), var_weights=w).fit(tol=1e-14, maxiter=200)
    np.testing.assert_allclose(result.estimate[:2], made.params[:2], rtol=1e-8)
    agree(result.coefficient("x1"), float(made.params[0]), 1e-8)
    mean = np.exp(z @ made.params)
    bread = np.linalg.pinv((z * (w * mean)[:, None]).T @ z)
    scores = z * (w * (y - mean))[:, None]
    n = len(y)
    sandwich = n / (n - 1) * bread @ scores.T @ scores @ bread
    np.testing.assert_allclose(result.vcov[:2, :2], sandwich[:2, :2], rtol=1e-7)
    agree(result.error("x2"), float(np.sqrt(sandwich[1, 1])), 1e-7)
    plain = fit(frame, effects, weights=weights)
    np.testing.assert_allclose(plain.vcov[:2, :2], bread[:2, :2], rtol=1e-7)
    groups = used["city"].to_numpy()
    summed = np.array([scores[groups == g].sum(axis=0) for g in sorted(set(groups))])
    wanted = len(summed) / (len(summed) - 1) * bread @ summed.T @ summed @ bread
    clustered = fit(frame, effects, weights=weights, covariance=cluster("city"))
    np.testing.assert_allclose(clustered.vcov[:2, :2], wanted[:2, :2], rtol=1e-7)
    found = result.diagnostic("log_likelihood")
    assert found is not None
    if weights is None:
        agree(found.statistic, float(made.llf), 1e-9)
    np.testing.assert_allclose(result.residuals, y - mean, atol=1e-7)


def test_constant_without_effects() -> None:
    """Beside no effects the constant and its error are those of the likelihood."""
    import statsmodels.api as sm

    frame = counts()
    made = sm.GLM(frame.n, sm.add_constant(frame[["x1", "x2"]]), family=sm.families.Poisson()).fit(tol=1e-14)
    result = fit(frame, [])
    assert result.terms == ("x1", "x2", "_cons")
    agree(result.coefficient("_cons"), float(made.params["const"]), 1e-8)
    agree(result.error("_cons"), float(made.bse["const"]), 1e-7)


def drawn(frame: pd.DataFrame, effects: list[str]) -> Sample:
    return draw_sample(
        frame,
        outcome="y",
        regressors=["a", "d", "c"],
        fixed_effects=effects,
        spec=CovarianceSpec.parse("iid"),
        convention=find_convention("plain"),
        unit=None,
        time=None,
        weights=None,
    )


def separated_rows(frame: pd.DataFrame, effects: list[str]) -> list[int]:
    """By the definition: row by row, can z be positive there with z >= 0 at zeros and z = 0 elsewhere?"""
    blocks = [frame[["a", "d", "c"]].to_numpy(dtype=float), *(dummies(frame[e]) for e in effects)]
    z = np.column_stack([*blocks, np.ones((len(frame), 1))])
    zero = frame["y"].to_numpy() == 0
    found = []
    for row in np.flatnonzero(zero):
        solved = linprog(
            -z[row],
            A_ub=np.vstack([-z[zero], z[[row]]]),
            b_ub=np.append(np.zeros(zero.sum()), 1.0),
            A_eq=z[~zero],
            b_eq=np.zeros((~zero).sum()),
            bounds=[(None, None)] * z.shape[1],
        )
        if -solved.fun > 0.5:
            found.append(int(row))
    return found


def test_separation_by_definition() -> None:
    """On small random designs the same rows as one linear programme for each row; most designs have some."""
    some = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(12, 40))
        frame = pd.DataFrame(
            {
                "y": rng.poisson(rng.choice([0.2, 0.5, 1.0]), n),
                "a": rng.integers(0, 3, n),
                "d": (rng.random(n) < 0.15).astype(float),
                "c": rng.normal(size=n) * (rng.random(n) < 0.3),
                "u": rng.integers(0, max(2, n // 6), n),
                "t": rng.integers(0, 4, n),
            }
        )
        if not (frame.y > 0).any():
            continue
        effects = [[], ["u"], ["u", "t"]][seed % 3]
        wanted = separated_rows(frame, effects)
        assert find_separated(drawn(frame, effects)).tolist() == wanted, (seed, effects)
        some += bool(wanted)
    assert some >= 8


def test_separated_rows_change_nothing_else() -> None:
    """A dummy that is one only at zeros goes with its rows; the other slopes are those without these rows."""
    frame = counts().assign(d=0.0)
    # the dummy is one in a few zeros of cities that have other outcomes too
    alive = frame.groupby("city")["n"].transform("sum") > 0
    marked = frame.index[(frame.n == 0) & alive][:6]
    frame.loc[marked, "d"] = 1.0
    result = fit(frame, ["city"], regressors=["x1", "x2", "d"])
    without = fit(frame.drop(index=marked).reset_index(drop=True), ["city"])
    np.testing.assert_allclose(result.estimate[:2], without.estimate[:2], rtol=1e-9)
    assert result.dropped_terms == ("d",)
    reasons = dict(result.dropped_rows)
    assert all("separated by a combination" in reasons[int(row)] for row in marked)
    assert any("separated observation(s) dropped" in m for m in result.messages)
    found = result.diagnostic("n_separated")
    assert found is not None
    assert found.statistic == len(frame) - result.n_obs


def test_scale_of_the_outcome_moves_the_constant_alone() -> None:
    frame = counts()
    one = fit(frame, [], covariance=cluster("city"))
    many = fit(frame.assign(n=frame.n * 1000.0), [], covariance=cluster("city"))
    np.testing.assert_allclose(many.estimate[:2], one.estimate[:2], rtol=1e-8)
    np.testing.assert_allclose(many.std_error[:2], one.std_error[:2], rtol=1e-7)
    assert many.coefficient("_cons") - one.coefficient("_cons") == pytest.approx(np.log(1000), rel=1e-8)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"n": -1.0}, "CP-EST-COUNT"),
        ({"n": 0.0}, "CP-EST-COUNT"),
    ],
)
def test_refused_outcomes(change: dict[str, float], code: str) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        fit(counts().assign(**change), ["city"])
    assert caught.value.code == code


def test_refused_covariances() -> None:
    with pytest.raises(CarbonpanelError, match="not defined for Poisson"):
        fit(counts(), ["city"], covariance="hc3")
