"""Mechanisms: Gelbach's identity and errors, indirect effects against a plain bootstrap, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.absorption import rank
from analysis_py.estimators.factors import encode
from analysis_py.estimators.gelbach import Decomposition, decompose
from analysis_py.estimators.mediation import bootstrap_indirect
from analysis_py.estimators.twfe import fit_twfe
from analysis_py.inference.entity_grams import Columns
from analysis_py.panels.panel import FramePanel
from analysis_py.runner import run_study
from tests.unit.study_case import model_of, small_panel, study_of

EFFECTS = ["city", "year"]


def panel(n_cities: int = 24, n_years: int = 7, seed: int = 5) -> pd.DataFrame:
    frame = small_panel(n_cities, n_years, seed)
    rng = np.random.default_rng(seed + 1)
    frame["SECOND"] = rng.normal(size=len(frame))
    frame["M1"] = 0.5 * frame["AI"] + rng.normal(size=len(frame))
    frame["M2"] = -0.3 * frame["AI"] + 0.4 * frame["M1"] + rng.normal(size=len(frame))
    frame["CP"] = frame["CP"] + 0.6 * frame["M1"] + 0.2 * frame["M2"]
    frame["w"] = rng.uniform(0.5, 2.0, len(frame))
    return frame[rng.random(len(frame)) > 0.05].reset_index(drop=True)


def decomposed(frame: pd.DataFrame, weights: np.ndarray) -> Decomposition:
    effects = tuple(encode(frame, e) for e in EFFECTS)
    return decompose(
        frame["CP"].to_numpy(),
        frame[["AI", "SECOND"]].to_numpy(),
        frame[["POP", "ER"]].to_numpy(),
        frame[["M1", "M2"]].to_numpy(),
        fixed_effects=effects,
        weights=weights / weights.mean(),
        absorbed=rank(effects)[0],
    )


def slopes(frame: pd.DataFrame, outcome: str, regressors: list[str]) -> pd.Series:
    fit = fit_twfe(
        frame, outcome=outcome, regressors=regressors, fixed_effects=EFFECTS, covariance="iid", convention="fixest",
        weights="w",
    )  # fmt: skip
    return pd.Series(fit.estimate, fit.terms)


def test_the_parts_add_up_exactly_and_equal_their_regressions() -> None:
    frame = panel()
    parts = decomposed(frame, frame["w"].to_numpy())
    base = slopes(frame, "CP", ["AI", "SECOND", "POP", "ER"])
    full = slopes(frame, "CP", ["AI", "SECOND", "M1", "M2", "POP", "ER"])
    np.testing.assert_allclose(parts.base, base[["AI", "SECOND"]], rtol=1e-10)
    np.testing.assert_allclose(parts.full, full[["AI", "SECOND"]], rtol=1e-10)
    np.testing.assert_allclose(parts.base - parts.full, parts.parts.sum(axis=1), rtol=0, atol=1e-13)
    for k, mediator in enumerate(("M1", "M2")):
        path = slopes(frame, mediator, ["AI", "SECOND", "POP", "ER"])[["AI", "SECOND"]]
        np.testing.assert_allclose(parts.parts[:, k], path * full[mediator], rtol=1e-10)


def test_scores_are_the_derivatives_in_the_weights() -> None:
    frame = panel(12, 5)
    ones = np.ones(len(frame))
    parts = decomposed(frame, ones)
    for row in (0, 7, 31):
        step = 1e-5
        moved = []
        for sign in (1.0, -1.0):
            weights = ones.copy()
            weights[row] += sign * step
            moved.append(decomposed(frame, weights).parts.ravel())
        np.testing.assert_allclose(parts.scores[row], (moved[0] - moved[1]) / (2 * step), rtol=1e-5, atol=1e-9)


def test_iid_errors_of_paths_and_effects_are_those_of_their_regressions() -> None:
    frame = panel()
    parts = decomposed(frame, np.ones(len(frame)))
    for k, mediator in enumerate(("M1", "M2")):
        fit = fit_twfe(frame, outcome=mediator, regressors=["AI", "SECOND", "POP", "ER"], fixed_effects=EFFECTS,
                       covariance="iid", convention="plain")  # fmt: skip
        np.testing.assert_allclose(parts.path_error[:, k], fit.std_error[:2], rtol=1e-10)
    fit = fit_twfe(frame, outcome="CP", regressors=["M1", "M2", "AI", "SECOND", "POP", "ER"], fixed_effects=EFFECTS,
                   covariance="iid", convention="plain")  # fmt: skip
    np.testing.assert_allclose(parts.effect_error, fit.std_error[:2], rtol=1e-10)


def test_the_bootstrap_equals_a_plain_one() -> None:
    frame = panel(10, 6)
    names = ["POP", "AI", "M1", "M2"]
    columns = Columns(
        frame[[*names, "CP"]].to_numpy(), np.ones(len(frame)), tuple(encode(frame, e) for e in EFFECTS)
    )  # fmt: skip
    cities = encode(frame, "city")
    test = bootstrap_indirect(columns, cities, controls=1, treatments=1, draws=60, seed=11)
    drawn = np.random.default_rng(11).integers(0, 10, size=(60, 10))
    labels = sorted(frame["city"].unique())
    for draw in range(60):
        if np.isnan(test.draws[draw]).any():
            continue
        copies = pd.concat(
            [frame[frame["city"] == labels[u]].assign(city=f"{labels[u]}-{i}") for i, u in enumerate(drawn[draw])]
        ).reset_index(drop=True)
        fits = {
            y: fit_twfe(copies, outcome=y, regressors=x, fixed_effects=EFFECTS, covariance="iid", convention="fixest")
            for y, x in (("M1", ["POP", "AI"]), ("M2", ["POP", "AI"]), ("CP", names))
        }
        wanted = [fits[m].coefficient("AI") * fits["CP"].coefficient(m) for m in ("M1", "M2")]
        np.testing.assert_allclose(test.draws[draw, 0], wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(test.low[0, 0], np.nanquantile(test.draws[:, 0, 0], 0.025))
    np.testing.assert_allclose(test.total_draws, test.draws.sum(axis=2))


def test_a_study_runs_every_method(tmp_path: Path) -> None:
    study = study_of(
        tmp_path,
        """\
        defaults: {estimator: mechanism, outcome: CP, treatment: [AI], controls: [POP], convention: xtreg}
        models:
          - id: all
            mechanism: {mediators: [M1, M2], methods: [two_step, gelbach, indirect, three_step], draws: 200, seed: 3}
          - {id: short, mechanism: {mediators: [M1], methods: [two_step]}}
          - {id: two, treatment: [AI, SECOND], covariance: iid, mechanism: {mediators: [M1], methods: [gelbach]}}
        """,
    )
    done = run_study(study, FramePanel(panel()))
    model = model_of(done, "all")
    groups = [g.group for g in model.groups]
    assert groups == [
        "total", "mediator:M1", "mediator:M2", "direct", "three_step:M1", "three_step:M2", "gelbach", "indirect",
    ]  # fmt: skip
    assert model.status == "warned" and "Jiang Ting 2022" in str(model.message)
    found = {(c.group, c.term): c for c in model.coefficients}
    explained = found["total", "AI"].estimate - found["direct", "AI"].estimate
    assert found["gelbach", "_sum"].estimate == pytest.approx(explained, abs=1e-12)
    assert found["gelbach", "M1"].estimate + found["gelbach", "M2"].estimate == pytest.approx(explained, abs=1e-12)
    for term in ("M1", "M2", "_sum"):
        assert found["indirect", term].estimate == pytest.approx(found["gelbach", term].estimate, rel=1e-9)
        assert found["indirect", term].ci_low < found["indirect", term].estimate < found["indirect", term].ci_high
    assert {d.test for d in model.diagnostics} == {"gelbach_gap", "share_mediated", "sobel"}
    assert [g.group for g in model_of(done, "short").groups] == ["total", "mediator:M1"]
    regimes = {c.regime for c in model_of(done, "two").coefficients if c.group == "gelbach"}
    assert regimes == {"AI", "SECOND"} and model_of(done, "two").status == "ok"


def test_all_equations_use_the_same_rows(tmp_path: Path) -> None:
    data = panel()
    data.loc[:4, "M1"] = np.nan
    study = study_of(
        tmp_path,
        "models:\n  - {id: M, estimator: mechanism, outcome: CP, treatment: [AI], mechanism: {mediators: [M1, M2]}}\n",
    )
    model = run_study(study, FramePanel(data)).models[0]
    assert {g.n_obs for g in model.groups} == {len(data) - 5} == {model.n_obs}
    assert {r for _, _, r in model.dropped} == {"missing M1"}


@pytest.mark.parametrize(
    ("mediators", "said"),
    [
        ("[AI]", "is also the treatment"),
        ("[CP]", "is also the outcome"),
        ("[POP]", "is also a control"),
        ("[M1, M1]", "stands twice"),
    ],
)
def test_a_mediator_that_is_something_else_is_refused_with_its_line(tmp_path: Path, mediators: str, said: str) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        study_of(
            tmp_path,
            "models:\n  - {id: M, estimator: mechanism, outcome: CP, treatment: [AI], controls: [POP],"
            f" mechanism: {{mediators: {mediators}}}}}\n",
        )
    assert caught.value.code == "CP-STUDY-TWICE" and said in caught.value.what and "line 5" in str(caught.value.where)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("mechanism: {mediators: [M1], methods: [gelbch]}", "CP-STUDY-VALUE"),
        ("mechanism: {mediator: [M1]}", "CP-STUDY-KEY"),
        ("mechanism: {methods: [gelbach]}", "CP-STUDY-KEY-MISSING"),
        ("mechanism: {mediators: [M1], level: 95}", "CP-STUDY-VALUE"),
        ("controls: [POP]", "CP-STUDY-INCOMPLETE"),
        ("mechanism: {mediators: [M1]}, margins: {points: 5}", "CP-STUDY-KEY"),
    ],
)
def test_bad_keys_are_named(tmp_path: Path, key: str, code: str) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        study_of(tmp_path, f"models:\n  - {{id: M, estimator: mechanism, outcome: CP, treatment: [AI], {key}}}\n")
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("mediators", "said"),
    [
        ("[ONE]", "'ONE' is constant"),
        ("[FIXED]", "'FIXED' does not vary"),
        ("[M1, DOUBLE]", "DOUBLE cannot be told"),
        ("[i.province]", "not dummies"),
        ("[AI2]", "AI2 cannot be told"),
    ],
)
def test_mediators_that_say_nothing_fail_with_their_reason(tmp_path: Path, mediators: str, said: str) -> None:
    data = panel()
    data["ONE"], data["DOUBLE"], data["AI2"] = 1.0, 2 * data["M1"] - 1, data["AI"] * 3
    data["FIXED"] = data.groupby("city")["M1"].transform("first")
    study = study_of(
        tmp_path,
        f"models:\n  - {{id: M, estimator: mechanism, outcome: CP, treatment: [AI],"
        f" mechanism: {{mediators: {mediators}, methods: [gelbach, indirect], draws: 60}}}}\n",
    )
    model = run_study(study, FramePanel(data)).models[0]
    assert model.status == "failed" and said in str(model.message), model.message


def test_a_single_cluster_cannot_be_drawn_from() -> None:
    frame = panel(6, 5)
    one = encode(frame.assign(all="a"), "all")
    with pytest.raises(CarbonpanelError, match="single cluster"):
        bootstrap_indirect(
            Columns(frame[["AI", "M1", "CP"]].to_numpy(), np.ones(len(frame)), ()), one, controls=0, treatments=1,
            draws=10, seed=1,
        )  # fmt: skip
