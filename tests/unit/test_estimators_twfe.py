"""What a fit drops, says and refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.conventions import CONVENTIONS, OTHER_CONVENTIONS
from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.twfe import fit_twfe


def panel(units: int = 12, times: int = 6, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"city": np.repeat(np.arange(units), times), "year": np.tile(np.arange(times) + 2003, units)})
    frame["province"] = frame["city"] // 3
    for name in ("AI", "POP", "FI"):
        frame[name] = rng.normal(size=len(frame))
    frame["CP"] = 0.5 * frame["AI"] - 0.2 * frame["POP"] + frame["city"] / 7 + rng.normal(size=len(frame))
    return frame


def fit(frame: pd.DataFrame, **changes: Any) -> RegressionResult:
    settings: dict[str, Any] = {
        "outcome": "CP",
        "regressors": ["AI", "POP"],
        "fixed_effects": ["city", "year"],
        "covariance": {"type": "cluster", "by": ["city"]},
        "convention": "xtreg",
        "unit": "city",
        "time": "year",
    }
    return fit_twfe(frame, **(settings | changes))


def test_rows_dropped_are_listed_with_their_reasons() -> None:
    frame = panel()
    frame.loc[3, "AI"] = np.nan
    frame.loc[3, "CP"] = np.nan
    frame.loc[10, "POP"] = np.inf
    frame.loc[20, "province"] = np.nan
    frame.loc[30, "FI"] = np.nan  # not in the model
    frame["w"] = 1.0
    frame.loc[40, "w"] = 0.0
    frame.index = [f"row {i}" for i in range(len(frame))]
    result = fit(frame, weights="w", covariance={"type": "cluster", "by": ["province"]})
    assert result.dropped_rows == (
        (3, "missing CP; missing AI"),
        (10, "infinite POP"),
        (20, "missing province"),
        (40, "zero w"),
    )
    assert result.n_obs == len(frame) - 4 == len(result.used_rows) == len(result.residuals)
    assert not set(result.used_rows.tolist()) & {3, 10, 20, 40}


def test_singletons_by_convention() -> None:
    frame = panel()
    frame = frame[(frame.city != 0) | (frame.year == 2003)].reset_index(drop=True)
    kept, dropped = fit(frame), fit(frame, convention="reghdfe")
    assert (kept.n_obs, kept.n_singletons_dropped) == (len(frame), 0)
    assert any("singletons of the fixed effects kept: 1" in m for m in kept.messages)
    assert (dropped.n_obs, dropped.n_singletons_dropped) == (len(frame) - 1, 1)
    assert dropped.dropped_rows == ((0, "singleton city"),)
    np.testing.assert_allclose(kept.estimate[:2], dropped.estimate[:2], rtol=1e-9)


def test_terms_that_cannot_enter_are_dropped_and_said() -> None:
    frame = panel().assign(copy=lambda d: 3 * d.AI - 1, still=7.0, area=lambda d: d.city**2.0)
    result = fit(frame, regressors=["AI", "still", "copy", "area", "POP", "AI"])
    assert result.terms == ("AI", "POP", "_cons")
    assert result.dropped_terms == ("still", "copy", "area")
    said = " | ".join(result.messages)
    assert "'still' dropped: constant in the sample" in said
    assert "'copy' dropped: collinear with the regressors before it" in said
    assert "'area' dropped: absorbed by the fixed effects" in said
    assert "'AI' is named twice" in said
    np.testing.assert_allclose(result.estimate, fit(frame).estimate, rtol=1e-12)
    pooled = fit(frame, regressors=["AI", "still", "copy", "POP"], fixed_effects=[])
    assert pooled.dropped_terms == ("still", "copy")


def test_names_a_formula_would_trip_over() -> None:
    frame = panel()
    names = {"AI": "L.AI", "POP": "AI*ER", "FI": "人口 密度", "CP": "ln(CP)", "city": "城市", "year": "lambda"}
    plain = fit(frame, regressors=["AI", "POP", "FI"])
    strange = fit(
        frame.rename(columns=names),
        outcome="ln(CP)",
        regressors=["L.AI", "AI*ER", "人口 密度"],
        fixed_effects=["城市", "lambda"],
        covariance={"type": "cluster", "by": ["城市"]},
        unit="城市",
        time="lambda",
    )
    assert strange.terms == ("L.AI", "AI*ER", "人口 密度", "_cons")
    assert strange.covariance == "cluster(城市)"
    np.testing.assert_array_equal(strange.estimate, plain.estimate)
    np.testing.assert_array_equal(strange.vcov, plain.vcov)


@pytest.mark.parametrize(
    ("convert", "name"),
    [
        (lambda s: s.map("city {:03d}".format), "text"),
        (lambda s: s + 0.5, "float"),
        (lambda s: s.astype("category"), "category"),
        (lambda s: pd.to_datetime("2000-01-01") + pd.to_timedelta(s, unit="D"), "date"),
    ],
    ids=["text", "float", "category", "date"],
)
def test_identifiers_of_any_type(convert: Any, name: str) -> None:
    frame = panel()
    result = fit(frame.assign(city=convert(frame["city"])))
    np.testing.assert_array_equal(result.vcov, fit(frame).vcov)


def test_regressors_as_text_integers_and_booleans() -> None:
    frame = panel().assign(flag=lambda d: d.AI > 0, text=lambda d: d.POP.map(repr), whole=lambda d: d.year % 4)
    other = frame.assign(flag=lambda d: d.flag.astype(float), text=lambda d: d.POP, whole=lambda d: d.whole * 1.0)
    settings: dict[str, Any] = {"regressors": ["flag", "text", "whole"], "fixed_effects": ["city"]}
    np.testing.assert_array_equal(fit(frame, **settings).vcov, fit(other, **settings).vcov)


def test_panel_columns_used_for_nothing_cost_no_rows() -> None:
    frame = panel()
    frame["term"] = frame["year"].astype(float)
    frame.loc[5, "term"] = np.nan
    result = fit(frame, fixed_effects=["city"], time="term")
    assert result.n_obs == len(frame)
    assert (result.n_units, result.n_times) == (12, 6)


def test_a_time_invariant_model_without_slopes() -> None:
    frame = panel()
    result = fit(frame, regressors=[])
    assert result.terms == ("_cons",)
    assert fit(frame, regressors=[], convention="fixest").terms == ()
    pooled = fit(frame, regressors=[], fixed_effects=[], covariance="iid")
    assert pooled.coefficient("_cons") == pytest.approx(frame["CP"].mean())
    assert pooled.error("_cons") == pytest.approx(frame["CP"].std(ddof=1) / np.sqrt(len(frame)))
    assert pooled.f is None


def test_messages_about_clusters() -> None:
    frame = panel()
    result = fit(frame)
    assert any("only 12 clusters in 'city' (fewer than 40)" in m for m in result.messages)
    assert result.df_t == 11
    assert result.n_clusters == (12,)
    crossed = fit(frame, covariance={"type": "cluster", "by": ["year"]})
    assert any("not nested in the clusters: xtreg would refuse" in m for m in crossed.messages)
    many = fit(panel(units=50))
    assert not any("fewer than" in m for m in many.messages)


def test_clusters_may_be_interactions() -> None:
    frame = panel().assign(both=lambda d: d.province.astype(str) + "/" + d.year.astype(str))
    crossed = fit(frame, covariance={"type": "cluster", "by": ["province^year"]}, convention="areg")
    np.testing.assert_array_equal(
        crossed.vcov, fit(frame, covariance={"type": "cluster", "by": ["both"]}, convention="areg").vcov
    )
    assert crossed.covariance == "cluster(province^year)"
    assert crossed.n_clusters == (24,)


def test_few_clusters_leave_no_joint_f_but_the_slopes() -> None:
    result = fit(panel(units=5, times=8))
    assert result.f is None
    assert result.f_p_value is None
    slopes = result.diagnostic("slopes_f")
    assert slopes is not None
    assert (slopes.df1, slopes.df2) == (2, 4)
    assert any("no joint F" in m for m in result.messages)
    fewer = fit(panel(units=3, times=9), regressors=["AI", "POP", "FI"], convention="fixest")
    assert fewer.f is None
    assert any("singular" in m for m in fewer.messages)


def test_two_units_with_both_effects_have_no_clustered_errors() -> None:
    """Demeaned, the second unit mirrors the first: each cluster's scores add up to zero, and errors were rounding."""
    result = fit(panel(units=2, times=9), regressors=["AI", "POP"], convention="fixest")
    assert np.isnan(result.std_error).all()
    assert np.isfinite(result.estimate).all()
    assert result.f is None
    assert any("have no clustered one" in m for m in result.messages)
    with pytest.raises(CarbonpanelError, match="no clustered t to draw"):
        fit(panel(units=2, times=9), covariance={"type": "wild", "by": ["city"], "draws": 99, "seed": 1})


def test_xtreg_hc1_is_said_not_to_be_statas_robust() -> None:
    frame = panel()
    result = fit(frame, covariance="hc1")
    assert any("xtreg, fe robust" in m for m in result.messages)
    np.testing.assert_allclose(result.vcov, fit(frame, covariance="hc1", convention="areg").vcov, rtol=1e-12)
    assert not any("robust" in m for m in fit(frame, covariance="hc1", convention="areg").messages)


def test_weights_that_vary_within_units_are_said() -> None:
    frame = panel().assign(w=lambda d: 1 + d.year % 3, v=lambda d: 1 + d.city % 3)
    assert any("xtreg would refuse such weights" in m for m in fit(frame, weights="w").messages)
    assert not any("refuse such weights" in m for m in fit(frame, weights="v").messages)
    np.testing.assert_allclose(
        fit(frame, weights="w").vcov, fit(frame.assign(w=lambda d: 1000 * d.w), weights="w").vcov, rtol=1e-10
    )


def test_leverage_one_is_said() -> None:
    frame = panel()
    frame = frame[(frame.city != 0) | (frame.year == 2003)]
    result = fit(frame, covariance="hc3", convention="plain")
    assert any("add nothing to HC3: 1" in m for m in result.messages)
    reference = fit(frame[frame.city != 0], covariance="hc3", convention="plain")
    np.testing.assert_allclose(result.vcov, reference.vcov, rtol=1e-9)


def test_perfect_fit_is_said() -> None:
    frame = panel().assign(CP=lambda d: 2 * d.AI + d.city)
    result = fit(frame)
    assert result.coefficient("AI") == pytest.approx(2)
    assert any("fits exactly" in m for m in result.messages)


def test_a_nested_fixed_effect_changes_nothing_but_is_counted_right() -> None:
    frame = panel()
    usual, more = fit(frame, covariance="iid"), fit(frame, covariance="iid", fixed_effects=["city", "year", "province"])
    np.testing.assert_allclose(more.vcov, usual.vcov, rtol=1e-9)
    assert more.df_resid == usual.df_resid
    # fixest counts levels without regard to redundancy
    counted = fit(frame, covariance="iid", fixed_effects=["city", "year", "province"], convention="fixest").df_resid
    assert counted == usual.df_resid - (4 - 1)


def test_too_many_dummies_for_a_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    from analysis_py.estimators import absorption, least_squares

    frame = panel()
    means = fit(frame, convention="reghdfe").coefficient("_cons")
    monkeypatch.setattr(least_squares, "MAX_EXACT_LEVELS", 3)
    monkeypatch.setattr(absorption, "MAX_EXACT_LEVELS", 3)
    result = fit(frame)
    assert any("too many for a constant" in m for m in result.messages)
    assert result.coefficient("_cons") == pytest.approx(means)
    assert result.r2_between is None
    with pytest.raises(CarbonpanelError, match="leverages"):
        fit(frame, covariance="hc2")


def test_too_many_dummies_for_the_joint_f(monkeypatch: pytest.MonkeyPatch) -> None:
    from analysis_py.estimators import fit_statistics

    monkeypatch.setattr(fit_statistics, "MAX_DUMMY_CELLS", 10)
    result = fit(panel(), covariance="hc1")
    assert result.f is None
    assert any("too many" in m for m in result.messages)


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"convention": "xtregg"}, "CP-EST-CONVENTION", "did you mean 'xtreg'"),
        ({"convention": "ivreg2"}, "CP-EST-CONVENTION", "belongs to estimator 'iv'"),
        ({"covariance": "clusterd"}, "CP-EST-COVARIANCE", "did you mean 'cluster"),
        (
            {"covariance": {"type": "wild", "by": ["city"], "boot_by": "year"}},
            "CP-EST-COVARIANCE",
            "not one of the cluster variables",
        ),
        ({"regressors": ["AI", "PIP"]}, "CP-EST-COLUMN", "did you mean"),
        ({"fixed_effects": ["citty"]}, "CP-EST-COLUMN", "did you mean 'city'"),
        ({"covariance": {"type": "cluster", "by": ["provinz"]}}, "CP-EST-COLUMN", "province"),
        ({"weights": "weight"}, "CP-EST-COLUMN", "'weight'"),
        ({"regressors": ["CP"]}, "CP-EST-SPEC", "both outcome and regressor"),
        ({"regressors": ["AI", "label"]}, "CP-EST-NOT-NUMERIC", "observation 1 is 'a'"),
        ({"regressors": ["AI", "day"]}, "CP-EST-NOT-NUMERIC", "is a date"),
        ({"weights": "negative"}, "CP-EST-WEIGHTS", "observation 3"),
        ({"outcome": "flat"}, "CP-EST-CONSTANT", "constant in the sample"),
        ({"outcome": "fixed"}, "CP-EST-CONSTANT", "does not vary within"),
        ({"regressors": ["fixed"]}, "CP-EST-NOTHING-LEFT", "absorbed"),
        ({"covariance": {"type": "cluster", "by": ["flat"]}}, "CP-EST-CLUSTERS", "single cluster"),
        ({"regressors": ["AI", "gone"]}, "CP-EST-EMPTY", "missing gone in 72 of 72 rows"),
        ({"covariance": "driscoll_kraay", "time": None}, "CP-EST-SPEC", "time column"),
        (
            {"covariance": {"type": "conley", "lon": "far", "lat": "AI", "cutoff_km": 10}},
            "CP-EST-COVARIANCE",
            "longitude 1000",
        ),
        ({"fixed_effects": ["city^year"], "convention": "reghdfe"}, "CP-EST-EMPTY", "every row is a singleton"),
        ({"fixed_effects": ["city", "year", "AI"]}, "CP-EST-CONSTANT", "does not vary"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_refusals(changes: dict[str, Any], code: str, said: str) -> None:
    frame = panel().assign(
        label=lambda d: np.where(d.index == 0, "a", "b"),
        day=pd.Timestamp("2020-01-01"),
        negative=lambda d: np.where(d.index == 2, -1.0, 1.0),
        flat=1.0,
        fixed=lambda d: d.city * 1.0,
        gone=np.nan,
        far=1000.0,
    )
    with pytest.raises(CarbonpanelError) as caught:
        fit(frame, **changes)
    assert caught.value.code == code
    assert said in str(caught.value)
    assert caught.value.remedy


def test_too_few_observations() -> None:
    frame = panel(units=3, times=2)
    with pytest.raises(CarbonpanelError, match="CP-EST-TOO-FEW"):
        fit(frame, regressors=["AI", "POP", "FI"], covariance="iid")
    with pytest.raises(CarbonpanelError, match="CP-EST-EMPTY"):
        fit(frame.iloc[:0])


def test_two_columns_of_one_name_are_refused() -> None:
    frame = panel()
    doubled = pd.concat([frame, frame[["AI"]]], axis=1)
    with pytest.raises(CarbonpanelError, match="2 columns named 'AI'"):
        fit(doubled)


def test_every_convention_is_documented() -> None:
    for name, convention in CONVENTIONS.items():
        assert convention.name == name
        assert convention.imitates
        assert convention.description.endswith(".")
    assert not set(CONVENTIONS) & set(OTHER_CONVENTIONS)


def test_small_sample_factor_can_be_redone_by_hand() -> None:
    frame = panel()
    for convention in CONVENTIONS:
        named = dict(fit(frame, convention=convention).small_sample)
        g, n, k = named["G"], named["N"], named["K"]
        assert isinstance(g, int)
        assert isinstance(n, int)
        assert isinstance(k, int)
        assert named["factor"] == g / (g - 1) * (n - 1) / (n - k)
    # 72 rows, 12 cities, 6 years, 2 slopes
    wanted = {"xtreg": 2 + 5 + 1, "areg": 2 + 12 + 5, "reghdfe": 2 + 5 + 1, "fixest": 2 + 5 + 1, "plain": 2 + 12 + 5}
    assert {c: dict(fit(frame, convention=c).small_sample)["K"] for c in CONVENTIONS} == wanted


def test_driscoll_kraay_states_its_lag() -> None:
    result = fit(panel(), covariance="driscoll_kraay")
    named = dict(result.small_sample)
    assert any("only 6 periods" in m for m in result.messages)
    assert named["lag"] == 2
    assert named["G"] == 6


def test_result_lookup() -> None:
    result = fit(panel())
    assert result.error("AI") == result.std_error[0]
    assert result.diagnostic("nothing") is None
    with pytest.raises(KeyError, match="terms: AI, POP, _cons"):
        result.coefficient("FI")
