"""Splits and moderation in studies: which tests run, what is warned of, what bad designs say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.common_support import find_support
from analysis_py.estimators.johnson_neyman import marginal_effects, significance_region
from analysis_py.fits.run_record import ModelRun, StudyRun
from analysis_py.panels.panel import FramePanel
from analysis_py.report.tables import render
from analysis_py.results import table_rows, to_json
from analysis_py.runner import run_study
from tests.unit.study_case import estimate_of, model_of, small_panel, study_of

DEFAULTS = "defaults: {outcome: CP, treatment: [AI], controls: [POP], convention: xtreg, covariance: iid}\nmodels:\n"


def run(folder: Path, models: str, data: pd.DataFrame | None = None) -> StudyRun:
    return run_study(study_of(folder, DEFAULTS + models), FramePanel(small_panel(40) if data is None else data))


def diagnostics_of(model: ModelRun, name: str) -> list:
    return [d for d in model.diagnostics if d.test == name]


def split(body: str, name: str = "H") -> str:
    return f"  - {{id: {name}, estimator: heterogeneity, split: {{{body}}}}}\n"


ALL = "tests: [permutation, interaction, chow, suest], draws: 99, seed: 4"


def test_suest_equals_the_clustered_interaction_but_for_its_factors(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "  - {id: H, estimator: heterogeneity, covariance: {type: cluster, by: [city]}, split: {by: is_resource,"
        " tests: [suest, interaction]}}\n",
    )
    model = done.models[0]
    (suest,), (wald,) = diagnostics_of(model, "suest"), diagnostics_of(model, "interaction_wald")
    # the same scores: suest multiplies by G/(G-1), the clustered interaction by (N-1)/(N-K) besides
    n, k = 320, 4 + 15
    assert suest.statistic == pytest.approx(wald.statistic * (n - 1) / (n - k), rel=1e-9)
    assert suest.df2 is None and suest.df1 == 1


def test_three_groups_are_compared_pair_by_pair(tmp_path: Path) -> None:
    data = small_panel(42)
    data["region"] = [("a", "b", "c")[int(c[1:]) % 3] for c in data["city"]]
    done = run(tmp_path, split(f"by: region, {ALL}"), data)
    model = done.models[0]
    pairs = [d for d in diagnostics_of(model, "permutation") if d.term == "AI"]
    assert [d.note.partition(";")[0] for d in pairs] == [
        "region=a less region=b", "region=a less region=c", "region=b less region=c",
    ]  # fmt: skip
    difference = estimate_of(done, "H", "AI", "region=a") - estimate_of(done, "H", "AI", "region=c")
    assert pairs[1].statistic == pytest.approx(difference, rel=1e-9)
    assert diagnostics_of(model, "suest")[0].df1 == 2
    # three differences are a family of their own
    assert len(diagnostics_of(model, "romano_wolf")) == len(diagnostics_of(model, "benjamini_hochberg")) == 3
    assert all("family of 3" in d.note for d in diagnostics_of(model, "romano_wolf"))


def test_the_splits_of_a_study_are_one_family(tmp_path: Path) -> None:
    data = small_panel(40)
    data["half"] = [int(c[1:]) < 20 for c in data["city"]]
    two = split("by: is_resource") + split("by: half", "G")
    done = run(tmp_path, two, data)
    first, second = (diagnostics_of(m, "romano_wolf") for m in done.models)
    assert len(first) == len(second) == 1 and "family of 2 differences in 2 model(s)" in first[0].note
    alone = run(tmp_path, split("by: is_resource"), data)
    assert not diagnostics_of(alone.models[0], "romano_wolf")
    only = run(tmp_path, two.replace("by: half", "by: half, multiple_testing: [romano_wolf]"), data)
    assert not diagnostics_of(only.models[1], "benjamini_hochberg") and diagnostics_of(
        only.models[0], "benjamini_hochberg"
    )
    again = run(tmp_path, two, data)
    assert [d.p_value for m in done.models for d in m.diagnostics] == [
        d.p_value for m in again.models for d in m.diagnostics
    ]


def test_the_family_rests_on_the_errors_of_the_groups(tmp_path: Path) -> None:
    """A unit is in one group alone, so the error of a difference is the root of both groups' squared errors."""
    data = small_panel(40)
    data["half"] = [int(c[1:]) < 13 for c in data["city"]]
    body = split("by: is_resource") + split("by: half", "G")
    done = run(tmp_path, body.replace("estimator:", "covariance: {type: cluster, by: [city]}, estimator:"), data)
    for model in done.models:
        rows = [c for c in model.coefficients if c.term == "AI"]
        assert len(rows) == 2
        wanted = (rows[0].estimate - rows[1].estimate) / np.hypot(rows[0].std_error, rows[1].std_error)
        (found,) = diagnostics_of(model, "romano_wolf")
        assert found.statistic == pytest.approx(wanted, rel=1e-9)


def test_a_split_inside_units_explains_why_units_are_not_permuted(tmp_path: Path) -> None:
    done = run(tmp_path, split(f"by: ER, at: median, {ALL}"))
    model = done.models[0]
    assert model.status == "warned" and "CP-EST-PERMUTE" in str(model.message)
    (test,) = diagnostics_of(model, "permutation")
    assert test.statistic is None and test.p_value is None and "permute: rows" in test.note
    assert diagnostics_of(model, "suest")[0].p_value is not None


@pytest.mark.parametrize("body", ["by: ER, at: median, permute: rows", "by: ER, at: median_base_year"])
def test_rows_or_a_base_year_split_are_permuted(tmp_path: Path, body: str) -> None:
    done = run(tmp_path, split(f"{body}, tests: [permutation], draws: 19"))
    assert diagnostics_of(done.models[0], "permutation")[0].p_value is not None
    assert not any("CP-EST-PERMUTE" in str(m.message) for m in done.models)


def test_a_study_without_units_permutes_rows(tmp_path: Path) -> None:
    path = tmp_path / "flat.yml"
    path.write_text(
        "study: flat\nmodels:\n  - {id: H, estimator: heterogeneity, outcome: CP, treatment: [AI],"
        " split: {by: is_resource, tests: [permutation, suest], draws: 99}}\n",
        encoding="utf-8",
    )
    from analysis_py.study import load_study

    model = run_study(load_study(path), FramePanel(small_panel(20))).models[0]
    assert model.status == "ok" and "160 rows" in diagnostics_of(model, "permutation")[0].note
    assert "robust" in diagnostics_of(model, "suest")[0].note
    assert [d.term for d in diagnostics_of(model, "permutation")] == ["AI", "_cons"]


def test_chow_without_fixed_effects_tests_the_constant_too(tmp_path: Path) -> None:
    data = small_panel(20)
    model = run(tmp_path, split("by: is_resource, tests: [chow]").replace("split", "fixed_effects: [], split"), data)
    (chow,) = diagnostics_of(model.models[0], "chow")
    x, y = np.column_stack([np.ones(len(data)), data[["AI", "POP"]]]), data["CP"].to_numpy()

    def squares(rows: np.ndarray) -> float:
        return float(np.linalg.lstsq(x[rows], y[rows], rcond=None)[1][0])

    inside = data["is_resource"].to_numpy()
    apart = squares(inside) + squares(~inside)
    wanted = (squares(inside | True) - apart) / 3 / (apart / (len(y) - 6))
    assert chow.statistic == pytest.approx(wanted, rel=1e-9) and (chow.df1, chow.df2) == (3, len(y) - 6)


def test_interaction_of_the_treatment_alone(tmp_path: Path) -> None:
    data = small_panel(40)
    data["AIres"] = data["AI"] * data["is_resource"]
    done = run(tmp_path, split("by: is_resource, interact: treatment") + "  - {id: T, controls: [POP, AIres]}\n", data)
    (wald,) = diagnostics_of(done.models[0], "interaction_wald")
    row = next(c for c in model_of(done, "T").coefficients if c.term == "AIres")
    assert wald.statistic == pytest.approx(row.statistic**2, rel=1e-9)
    assert wald.p_value == pytest.approx(row.p_value, rel=1e-8)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.assign(is_resource=True), "1 group"),
        (lambda d: d.assign(is_resource=None), "no value of is_resource"),
        (lambda d: d.assign(is_resource=np.arange(len(d))), "too many to be groups"),
    ],
)
def test_splits_that_are_none(tmp_path: Path, change, said: str) -> None:
    model = run(tmp_path, split(f"by: is_resource, {ALL}"), change(small_panel(10))).models[0]
    assert model.status in ("failed", "not_run") and said in str(model.message)


def test_a_group_that_cannot_be_fitted_stops_its_tests_alone(tmp_path: Path) -> None:
    data = small_panel(30)
    data["kind"] = np.where(data["city"] == "c00", "single", np.where(data["is_resource"], "yes", "no"))
    data.loc[data["kind"] == "single", "AI"] = 3.0
    model = run(tmp_path, split(f"by: kind, {ALL}"), data).models[0]
    assert model.status == "warned" and "single" in str(model.message)
    assert all(d.statistic is None and "not run" in d.note for d in model.diagnostics)


@pytest.mark.parametrize(
    "body",
    ["by: x, permute: cities", "by: x, multiple_testing: [bonferoni]", "by: x, interact: controls", "by: x, drws: 5"],
)
def test_bad_keys_of_a_split_are_named(tmp_path: Path, body: str) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        study_of(tmp_path, DEFAULTS + split(body))
    assert caught.value.code in ("CP-STUDY-VALUE", "CP-STUDY-KEY") and "line 6" in str(caught.value.where)
    assert caught.value.remedy


# --- moderation ------------------------------------------------------------------------------------------------------


def moderated(folder: Path, more: str = "", data: pd.DataFrame | None = None) -> ModelRun:
    return run(folder, f"  - {{id: D, estimator: moderation, moderator: ER{more}}}\n", data).models[0]


def test_margins_do_not_depend_on_centring(tmp_path: Path) -> None:
    plain, centred = moderated(tmp_path), moderated(tmp_path, ", centre: mean")
    for one, other in zip(plain.curves, centred.curves, strict=True):
        assert (one.x, one.curve) == (pytest.approx(other.x), other.curve)
        assert [one.y, one.y_low, one.y_high] == pytest.approx([other.y, other.y_low, other.y_high], rel=1e-8)
    for one, other in zip(
        [d for d in plain.diagnostics if d.test.startswith("johnson")],
        [d for d in centred.diagnostics if d.test.startswith("johnson")],
        strict=True,
    ):
        assert dict(one.critical) == pytest.approx(dict(other.critical), rel=1e-7)


def test_margins_by_hand(tmp_path: Path) -> None:
    model = moderated(tmp_path, ", margins: {at: [1, 4], points: 5, level: 0.9}")
    terms = {c.term: c for c in model.coefficients if c.group is None}
    margins = [c for c in model.coefficients if c.group == "margins"]
    assert [c.regime for c in margins] == ["ER=1", "ER=4"]
    for row, at in zip(margins, (1, 4), strict=True):
        assert row.estimate == pytest.approx(terms["AI"].estimate + at * terms["AI*ER"].estimate)
    assert len(model.curves) == 5 and model.curves[0].curve == "margins:AI*ER"
    assert margins[0].ci_high - margins[0].ci_low < 2 * 1.70 * margins[0].std_error


def test_two_moderators_are_held_at_their_means(tmp_path: Path) -> None:
    data = small_panel(40)
    data["IP"] = np.random.default_rng(2).normal(10, 2, len(data))
    model = run(tmp_path, "  - {id: D, estimator: moderation, moderator: [ER, IP], margins: {at: [2]}}\n", data).models[
        0
    ]
    terms = {c.term: c.estimate for c in model.coefficients if c.group is None}
    first = next(c for c in model.coefficients if c.regime == "ER=2")
    assert first.estimate == pytest.approx(terms["AI"] + 2 * terms["AI*ER"] + data["IP"].mean() * terms["AI*IP"])
    assert {c.curve for c in model.curves} == {"margins:AI*ER", "margins:AI*IP"}


def test_a_binary_moderator_has_two_margins_and_no_region(tmp_path: Path) -> None:
    done = run(tmp_path, "  - {id: D, estimator: moderation, moderator: is_resource}\n")
    model = done.models[0]
    assert [c.regime for c in model.coefficients if c.group == "margins"] == ["is_resource=0", "is_resource=1"]
    assert not diagnostics_of(model, "johnson_neyman") and len(model.curves) == 2


def test_few_clusters_bring_careful_errors_beside_slope_and_product(tmp_path: Path) -> None:
    data = small_panel(43)
    data["block"] = data["city"].str[1:].astype(int) % 7
    body = (
        "  - {id: M, estimator: moderation, moderator: POP, controls: [], covariance: {type: cluster, by: [block]}}\n"
    )
    model = run(tmp_path, body, data).models[0]
    for test in ("cr2", "cr3", "wild_bootstrap"):
        assert [d.term for d in diagnostics_of(model, test)] == ["AI", "AI*POP"]
    assert model.status == "warned" and "few clusters" in str(model.message)


def test_a_constant_moderator_is_warned_of(tmp_path: Path) -> None:
    model = moderated(tmp_path, data=small_panel(20).assign(ER=2.0))
    assert model.status == "warned" and "no margins of AI over ER" in str(model.message)
    assert not model.curves


def test_margins_without_support_are_warned_of(tmp_path: Path) -> None:
    data = small_panel(40)
    high = data["ER"] > data["ER"].quantile(0.6)
    data.loc[high, "AI"] = 3.0 + 1e-3 * data.loc[high, "AI"]
    model = moderated(tmp_path, ", fixed_effects: []", data)
    assert model.status == "warned" and "hardly varies" in str(model.message)
    stretched = small_panel(40)
    stretched.loc[0, "ER"] = 500.0
    assert "extrapolated" in str(moderated(tmp_path, data=stretched).message)
    assert moderated(tmp_path).status == "ok"


def test_support_counts_thirds() -> None:
    moderator = np.arange(90.0)
    found = find_support(np.where(moderator < 30, 0.0, np.tile([1.0, -1.0], 45)), moderator)
    assert found.counts == (30, 30, 30) and found.shares[0] == 0.0 and found.shares[1] > 1
    assert len(found.warnings("x", "m")) == 1


@pytest.mark.parametrize(
    ("estimate", "vcov", "kind"),
    [
        ((0.0, 1.0), np.diag([1.0, 0.01]), "outside"),
        ((5.0, 0.1), np.diag([1.0, 1.0]), "inside"),
        ((9.0, 0.0), np.diag([1.0, 0.0]), "everywhere"),
        ((0.5, 0.0), np.diag([1.0, 0.0]), "nowhere"),
        ((0.1, 0.1), np.diag([1.0, 1.0]), "nowhere"),
    ],
)
def test_regions_of_every_kind_agree_with_the_margins(estimate, vcov: np.ndarray, kind: str) -> None:
    region = significance_region(estimate, vcov, df=50)
    assert region.kind == kind
    at = np.linspace(-30, 30, 1999)
    significant = marginal_effects(estimate, vcov, at, df=50).p_value < 0.05
    np.testing.assert_array_equal(region.holds(at), significant)


def test_tables_json_and_results_hold_tests_and_margins(tmp_path: Path) -> None:
    done = run(tmp_path, split(f"by: is_resource, {ALL}") + "  - {id: D, estimator: moderation, moderator: ER}\n")
    text = render(done, "text")
    assert "permutation p (two-sided)" in " ".join(text.split()) and "AI at ER=" in text
    assert "Johnson-Neyman region" in " ".join(text.split())
    for kind in ("md", "csv", "tex"):
        assert "AI at ER" in render(done, kind)
    found = to_json(done)["models"]
    assert found[0]["diagnostics"][0]["term"] == "AI"
    rows = table_rows(done)["diagnostic"]
    assert all("term" not in row for row in rows) and rows[0]["note"].startswith("AI: ")
