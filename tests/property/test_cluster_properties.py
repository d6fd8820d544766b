"""Invariances of CR2, CR3, the wild bootstrap and Poisson, on panels drawn by hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import assume, given
from hypothesis import strategies as st

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.poisson import fit_poisson
from analysis_py.estimators.result import RegressionResult
from tests.property.test_twfe_properties import FEW, fit, is_identified, panels

BY_UNIT = {"by": ["unit"]}
COVARIANCE = st.sampled_from(
    [
        {"type": "cr2", **BY_UNIT},
        {"type": "cr2", "by": ["time"]},
        {"type": "cr3", **BY_UNIT},
        {"type": "wild", "draws": 199, **BY_UNIT},
        {"type": "wild", "draws": 199, "by": ["unit", "time"], "boot_by": "unit"},
    ]
)
EFFECTS = st.sampled_from([["unit"], ["unit", "time"], ["time"], []])


def is_repaired(*results: RegressionResult) -> bool:
    """Whether a matrix was not positive semi-definite: its repair, as in other programs, is made on all regressors at
    once and in their units. The bootstrap uses the matrix as it is."""
    return any("not positive semi-definite" in m for r in results for m in r.messages)


def is_sound(frame: pd.DataFrame, effects: list[str]) -> bool:
    return is_identified(frame, effects) and frame.time.nunique() > 2


@FEW
@given(frame=panels(), effects=EFFECTS, covariance=COVARIANCE, weighted=st.booleans())
def test_order_of_rows(frame: pd.DataFrame, effects: list[str], covariance: Any, weighted: bool) -> None:
    assume(is_sound(frame, effects))
    weights = "w" if weighted else None
    one = fit(frame, fixed_effects=effects, covariance=covariance, weights=weights)
    shuffled = frame.sample(frac=1.0, random_state=1)
    other = fit(shuffled, fixed_effects=effects, covariance=covariance, weights=weights)
    np.testing.assert_allclose(other.vcov, one.vcov, rtol=1e-7, atol=1e-9 * np.abs(one.vcov).max())
    np.testing.assert_allclose(other.p_value, one.p_value, atol=1e-9)


@FEW
@given(frame=panels(), effects=EFFECTS, covariance=COVARIANCE, factor=st.sampled_from([-1e-5, 0.3, 1e6]))
def test_units_of_a_regressor(frame: pd.DataFrame, effects: list[str], covariance: Any, factor: float) -> None:
    """Other units of x change its error and limits alone: not p-values, not degrees of freedom, not z."""
    assume(is_sound(frame, effects))
    one = fit(frame, fixed_effects=effects, covariance=covariance)
    other = fit(frame.assign(x=frame.x * factor), fixed_effects=effects, covariance=covariance)
    np.testing.assert_allclose(other.p_value, one.p_value, atol=1e-8)
    if not is_repaired(one, other):
        np.testing.assert_allclose(other.std_error[0], one.std_error[0] / abs(factor), rtol=1e-7)
        np.testing.assert_allclose(other.std_error[1:], one.std_error[1:], rtol=1e-6)
    if one.df_terms is not None and other.df_terms is not None:
        np.testing.assert_allclose(other.df_terms, one.df_terms, rtol=1e-6)


@FEW
@given(frame=panels(), covariance=COVARIANCE, slope=st.floats(-3, 3))
def test_adding_a_regressor_to_the_outcome(frame: pd.DataFrame, covariance: Any, slope: float) -> None:
    """y + slope x moves b and its limits by slope, and nothing else."""
    assume(is_sound(frame, ["unit", "time"]))
    one = fit(frame, covariance=covariance)
    other = fit(frame.assign(y=frame.y + slope * frame.x), covariance=covariance)
    if not is_repaired(one, other):
        np.testing.assert_allclose(other.vcov, one.vcov, rtol=1e-6, atol=1e-9 * np.abs(one.vcov).max())
    scale = float(one.std_error[0]) if np.isfinite(one.std_error[0]) else 1.0
    for limit in ("ci_low", "ci_high"):
        first, second = getattr(one, limit)[0], getattr(other, limit)[0]
        if np.isfinite(first) and np.isfinite(second):
            assert abs(second - first - slope) <= 1e-5 * max(scale, abs(first))


@FEW
@given(frame=panels(), effects=EFFECTS, weighted=st.booleans())
def test_each_row_a_cluster(frame: pd.DataFrame, effects: list[str], weighted: bool) -> None:
    """Clusters of one row: CR2 is HC2, CR3 without its factor HC3, whatever the effects and weights."""
    assume(is_sound(frame, effects))
    frame = frame.assign(row=np.arange(len(frame)))
    options: dict[str, Any] = {"fixed_effects": effects, "weights": "w" if weighted else None}
    for kind, extra, plain in (("cr2", {}, "hc2"), ("cr3", {"scale": "none"}, "hc3")):
        one = fit(frame, covariance={"type": kind, "by": ["row"], **extra}, **options)
        other = fit(frame, covariance=plain, **options)
        np.testing.assert_allclose(one.vcov, other.vcov, rtol=1e-6, atol=1e-9 * np.abs(other.vcov).max())


@FEW
@given(frame=panels(), covariance=COVARIANCE)
def test_absorbed_or_explicit_dummies(frame: pd.DataFrame, covariance: Any) -> None:
    """Year effects absorbed are year effects as regressors."""
    assume(is_sound(frame, ["unit", "time"]))
    one = fit(frame, covariance=covariance)
    years = sorted(frame.time.unique())[1:]
    marked = frame.assign(**{f"d{t}": (frame.time == t) * 1.0 for t in years})
    terms = ["x", "z", *(f"d{t}" for t in years)]
    other = fit(marked, regressors=terms, fixed_effects=["unit"], covariance=covariance)
    if not is_repaired(one, other):
        np.testing.assert_allclose(other.std_error[:2], one.std_error[:2], rtol=1e-6)
    np.testing.assert_allclose(other.p_value[:2], one.p_value[:2], atol=1e-8)
    if one.df_terms is not None and other.df_terms is not None:
        np.testing.assert_allclose(other.df_terms[:2], one.df_terms[:2], rtol=1e-6)


@FEW
@given(frame=panels(), effects=st.sampled_from([[], ["unit"], ["unit", "time"]]), factor=st.sampled_from([1e-3, 7.0]))
def test_poisson(frame: pd.DataFrame, effects: list[str], factor: float) -> None:
    """First-order conditions hold exactly: residuals sum to zero within effects and with each regressor; other units
    of the outcome change no slope and no clustered error; rows in another order change nothing."""
    frame = frame.assign(n=np.floor(np.exp(0.3 * frame.x.clip(-3, 3)) * (frame.time % 3)))
    assume((frame.n > 0).any())
    options: dict[str, Any] = {
        "outcome": "n",
        "regressors": ["x", "z"],
        "fixed_effects": effects,
        "convention": "plain",
        "covariance": {"type": "cluster", "by": ["unit"]},
    }
    try:
        one = fit_poisson(frame, **options)
    except CarbonpanelError as problem:
        # everything separated, or too few rows left: said, and the same in any order
        assert problem.code in ("CP-EST-EMPTY", "CP-EST-TOO-FEW", "CP-EST-NOTHING-LEFT", "CP-EST-CLUSTERS")
        return
    assume(one.df_resid >= 3)
    used = frame.iloc[one.used_rows]
    size = float(used.n.sum())
    for effect in effects:
        sums = pd.Series(one.residuals).groupby(used[effect].to_numpy()).sum()
        assert np.abs(sums).max() <= 1e-7 * size
    for term in (t for t in one.terms if t != "_cons"):
        assert abs(one.residuals @ used[term]) <= 1e-6 * size * used[term].abs().max()
    for changed in (frame.assign(n=frame.n * factor), frame.sample(frac=1.0, random_state=2)):
        other = fit_poisson(changed, **options)
        assert other.n_obs == one.n_obs
        slopes = [i for i, t in enumerate(one.terms) if t != "_cons"]
        np.testing.assert_allclose(other.estimate[slopes], one.estimate[slopes], rtol=1e-5, atol=1e-7)
        scale = float(np.nanmax(one.std_error, initial=0.0))
        np.testing.assert_allclose(other.std_error[slopes], one.std_error[slopes], rtol=1e-4, atol=1e-6 * scale)
