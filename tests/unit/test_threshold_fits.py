"""Threshold models in studies: keys and their mistakes, what is recorded, what is said."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.threshold import fit_threshold
from analysis_py.estimators.threshold_result import LikelihoodCurve
from analysis_py.fits.run_record import ModelRun
from analysis_py.fits.threshold_fits import MOST_POINTS, _points_kept
from analysis_py.report.tables import render
from analysis_py.report.threshold_rows import threshold_rows
from analysis_py.results import table_rows, to_json
from analysis_py.runner import FramePanel, run_study
from analysis_py.settings import paths, project_root
from analysis_py.study import load_studies
from tests.unit.study_case import model_of, small_panel, study_of

HEAD = """\
defaults:
  estimator: threshold
  outcome: CP
  treatment: [AI]
  controls: [POP]
  fixed_effects: [city, year]
  covariance: iid
  convention: xthreg
models:
"""


def panel(**changes: Any) -> pd.DataFrame:
    data = small_panel(n_cities=30)
    data["CP"] += 1.2 * data["AI"] * (data["ER"] > 3.2)
    return data.assign(**changes)


def run(folder: Path, models: str, data: pd.DataFrame | None = None) -> Any:
    return run_study(study_of(folder, HEAD + models), FramePanel(panel() if data is None else data))


def one(folder: Path, models: str, data: pd.DataFrame | None = None) -> ModelRun:
    return run(folder, models, data).models[0]


def test_the_record_of_a_model(tmp_path: Path) -> None:
    data = panel()
    done = run(tmp_path, "  - {id: M, threshold: {variable: ER, bootstrap: [99], trim: [0.05]}}\n", data)
    model = model_of(done, "M")
    direct = fit_threshold(
        data,
        outcome="CP",
        regime_terms=["AI"],
        regressors=["POP"],
        fixed_effects=["city", "year"],
        covariance="iid",
        convention="xthreg",
        threshold={"variable": "ER", "bootstrap": 99, "trim": 0.05},
        unit="city",
        time="year",
    )
    (row,), (test,), (found,) = model.thresholds, direct.tests, direct.thresholds
    assert (row.order, row.variable, row.value, row.ci_low, row.ci_high) == (
        1,
        "ER",
        found.value,
        found.ci_low,
        found.ci_high,
    )
    assert (row.f, row.p_value, dict(row.critical)) == (test.f, test.p_value, dict(test.critical))
    assert abs(row.value - 3.2) < 0.2
    assert [(c.term, c.regime) for c in model.coefficients] == [
        ("AI", f"<= {row.value:.6g}"),
        ("AI", f"> {row.value:.6g}"),
        ("POP", None),
        ("_cons", None),
    ]
    assert [c.estimate for c in model.coefficients] == direct.regression.estimate.tolist()
    tests = {d.test: d for d in model.diagnostics}
    assert tests["threshold_f"].statistic == row.f and tests["threshold_f"].df2 == direct.degrees
    assert "1 threshold(s) against 0" in tests["threshold_f"].note
    sizes = [d.statistic for d in model.diagnostics if d.test == "regime_observations"]
    assert sum(s for s in sizes if s is not None) == pytest.approx(1.0)
    curve = [c for c in model.curves if c.curve == "threshold_lr_1"]
    assert [c.x for c in curve] == direct.curves[0].x.tolist() and min(c.y for c in curve) == 0.0
    shares = [c for c in model.curves if c.curve == "regime_share"]
    assert len(shares) == 2 * 8 and {c.x for c in shares} == set(map(float, range(2001, 2009)))
    assert model.small_sample["T(n-1)"] == 240 - 8
    tables = table_rows(done)
    assert tables["threshold"][0]["critical"].startswith('{"1%":')
    assert len(tables["curve"]) == len(model.curves)
    assert to_json(done)["models"][0]["thresholds"][0]["critical"]["5%"] == row.critical["5%"]


def test_two_terms_split_and_a_third_not(tmp_path: Path) -> None:
    data = panel(Gov=np.sin(np.arange(240.0)), Ope=np.cos(np.arange(240.0) * 1.7))
    model = one(
        tmp_path,
        "  - {id: M, treatment: [AI, Gov, Ope], threshold: {variable: L.ER, regime_terms: [AI, L.Gov], count: 2, "
        "bootstrap: [0]}}\n",
        data,
    )
    named = [(c.term, c.regime is not None) for c in model.coefficients]
    assert named == [("AI", True)] * 3 + [("L.Gov", True)] * 3 + [("Gov", False), ("Ope", False), ("POP", False)] + [
        ("_cons", False)
    ]
    assert model.n_obs == 210 and model.thresholds[1].p_value is None
    low, middle, high = [c.regime or "" for c in model.coefficients[:3]]
    assert low.startswith("<= ") and middle.startswith("(") and middle.endswith("]") and high.startswith("> ")
    assert [r for _, _, r in model.dropped] == ["missing L.Gov; missing L.ER"] * 30


def test_terms_of_the_study_are_terms_of_the_model(tmp_path: Path) -> None:
    plain = one(tmp_path, "  - {id: M, threshold: {variable: ER, bootstrap: [0]}}\n")
    logs = one(tmp_path, "  - {id: M, threshold: {variable: ln(ER), bootstrap: [0]}}\n", panel(ER=panel()["ER"].abs()))
    assert plain.thresholds[0].value == pytest.approx(np.exp(logs.thresholds[0].value))
    assert logs.thresholds[0].variable == "ln(ER)"
    dummies = one(tmp_path, "  - {id: M, threshold: {variable: i.province}}\n")
    assert dummies.status == "failed" and "must be one column" in str(dummies.message)


def test_conventions_stand_side_by_side(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "  - {id: M, conventions: [xthreg, hansen, clustered], threshold: {variable: ER, bootstrap: [20]}}\n",
    )
    assert [(m.id, m.convention, m.covariance) for m in done.models] == [
        ("M", "xthreg", "iid"),
        ("M:hansen", "hansen", "iid"),
        ("M:clustered", "xthreg", "cluster(city)"),
    ]
    first, hansen, clustered = done.models
    assert first.thresholds == clustered.thresholds != hansen.thresholds


def test_the_default_convention_is_xthreg(tmp_path: Path) -> None:
    study = study_of(tmp_path, "models:\n  - {id: M, estimator: threshold, outcome: CP, threshold: {variable: ER}}\n")
    assert study.models[0].convention == "xthreg"
    assert ("convention", "xthreg") in study.models[0].defaults_chosen


def test_a_treatment_as_its_own_threshold_variable_is_labelled(tmp_path: Path) -> None:
    own = one(tmp_path, "  - {id: M, threshold: {variable: AI, bootstrap: [0]}}\n")
    assert own.status == "warned" and "'AI' is its own threshold variable" in str(own.message)
    made = one(tmp_path, "  - {id: M, threshold: {variable: ln(AI), bootstrap: [0]}}\n")
    assert made.status == "warned" and "'ln(AI)' is its own threshold variable" in str(made.message)
    lagged = one(tmp_path, "  - {id: M, threshold: {variable: L.AI, bootstrap: [0]}}\n")
    assert "own threshold" not in str(lagged.message)
    assert any("treatment at another time" in note for note in lagged.notes)
    other = one(tmp_path, "  - {id: M, threshold: {variable: ER, bootstrap: [0]}}\n")
    assert not any("treatment at another time" in note for note in other.notes)


def test_filled_cells_of_the_threshold_variable_bring_a_twin(tmp_path: Path) -> None:
    data = panel()
    data["ER_reported"] = data["ER"].where(data.index % 9 != 0)
    data["ER_fill"] = np.where(data.index % 9 != 0, "observed", "linear")
    done = run(tmp_path, "  - {id: M, threshold: {variable: ER, bootstrap: [30]}}\n", data)
    assert [m.id for m in done.models] == ["M", "M:observed"]
    main, twin = done.models
    assert main.n_filled_cells == 27 and twin.n_obs == 240 - 27
    # the twin is unbalanced: signs by unit instead of donors
    assert any("drawn with replacement" in n for n in main.notes) and any("+1 or -1" in n for n in twin.notes)


def test_a_threshold_variable_without_values_is_not_run(tmp_path: Path) -> None:
    model = one(tmp_path, "  - {id: M, threshold: {variable: ER}}\n", panel(ER=np.nan))
    assert model.status == "not_run" and "no value of ER" in str(model.message)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"ER": 1.0}, "does not vary"),
        ({"ER": np.arange(240) % 2}, "only two values"),
        ({"CP": 1.0}, "does not vary"),
    ],
)
def test_bad_data_fail_with_a_reason(tmp_path: Path, change: dict[str, Any], what: str) -> None:
    model = one(tmp_path, "  - {id: M, threshold: {variable: ER}}\n", panel(**change))
    assert model.status == "failed" and what in str(model.message)


def test_nothing_to_split_fails(tmp_path: Path) -> None:
    model = one(tmp_path, "  - {id: M, treatment: [], threshold: {variable: ER}}\n")
    assert model.status == "failed" and "regime_terms" in str(model.message)


@pytest.mark.parametrize(
    ("threshold", "code", "what"),
    [
        ("{}", "CP-STUDY-KEY-MISSING", "'variable'"),
        ("{variable: ER, grids: 400}", "CP-STUDY-KEY", "unknown key 'grids'"),
        ("{variable: ER, count: 4}", "CP-STUDY-VALUE", "4 thresholds"),
        ("{variable: ER, count: 2, trim: [0.1, 0.1, 0.1]}", "CP-STUDY-VALUE", "'trim' has 3 values"),
        ("{variable: ER, trim: [1]}", "CP-STUDY-VALUE", "share 1 to leave out"),
        ("{variable: ER, grid: some}", "CP-STUDY-TYPE", "whole number"),
        ("{variable: ER, resample: donor}", "CP-STUDY-VALUE", "cannot be 'donor'"),
        ("{variable: ER, points: values}", "CP-STUDY-VALUE", "cannot be 'values'"),
        ("{variable: ER, bootstrap: [-1]}", "CP-STUDY-TYPE", "at least 0"),
        ("{variable: ER, given: [3, 2]}", "CP-STUDY-VALUE", "rising"),
    ],
)
def test_mistakes_in_the_file_are_found_before_anything_is_run(
    tmp_path: Path, threshold: str, code: str, what: str
) -> None:
    with pytest.raises(CarbonpanelError) as refused:
        study_of(tmp_path, HEAD + f"  - {{id: M, threshold: {threshold}}}\n")
    assert refused.value.code == code and what in refused.value.what
    assert "line 13" in str(refused.value)


def test_an_unknown_threshold_variable_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(CarbonpanelError) as refused:
        run(tmp_path, "  - {id: M, threshold: {variable: PoP}}\n")
    assert refused.value.code == "CP-STUDY-COLUMN" and "POP" in (refused.value.remedy or "")


def test_long_curves_are_thinned_away_from_the_estimate() -> None:
    x = np.linspace(0.0, 1.0, 50_001)
    kept = _points_kept(LikelihoodCurve(1, x, 1e5 * (x - 0.3) ** 2))
    assert len(kept) <= MOST_POINTS + 2 and kept[0] == 0 and kept[-1] == 50_000
    assert 15_000 in kept
    spacing = np.diff(kept)
    assert spacing[np.searchsorted(kept, 15_000)] < spacing[0]
    np.testing.assert_array_equal(_points_kept(LikelihoodCurve(1, x[:100], x[:100])), np.arange(100))


def test_tables_print_the_thresholds(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "  - {id: M, threshold: {variable: ER, bootstrap: [50]}}\n"
        "  - {id: D, threshold: {variable: ER, count: 2, bootstrap: [0]}}\n"
        "  - {id: P, estimator: twfe, convention: xtreg}\n",
    )
    rows = {row[0]: row[1:] for row in threshold_rows(done.models)}
    (one_row,), (first, second) = done.models[0].thresholds, done.models[1].thresholds
    assert rows["Threshold 1"] == [f"ER: {one_row.value:.6g}", f"ER: {first.value:.6g}", ""]
    assert rows["Threshold 2"] == ["", f"ER: {second.value:.6g}", ""]
    assert rows["Threshold 1 F"][0].endswith("***") and not rows["Threshold 1 F"][1].endswith("*")
    assert rows["Threshold 1 bootstrap p"] == ["0.000", "", ""]
    assert rows["Threshold 1 critical 10/5/1%"][0].count("/") == 2
    assert rows["Threshold 1 95% interval"][0] == f"[{one_row.ci_low:.6g}, {one_row.ci_high:.6g}]"
    assert "Threshold 1 bootstrap p" in render(done)
    assert threshold_rows(done.models[2:]) == []


def test_tables_print_the_thresholds_of_a_convention_beside_only_where_they_differ(tmp_path: Path) -> None:
    options = "fixed_effects: [city], threshold: {variable: ER, bootstrap: [50], seed: 2}"
    done = run(tmp_path, f"  - {{id: M, conventions: [xthreg, hansen], {options}}}\n")
    text = render(done)
    found = model_of(done, "M:hansen").thresholds[0]
    assert f"ER: {found.value:.6g}" in text and "Threshold 1 [hansen] F" in text
    same = run(tmp_path, f"  - {{id: M, conventions: [xthreg, iid], {options}}}\n")
    assert "Threshold 1 [" not in render(same)


def test_tables_print_the_pseudo_r2_of_poisson(tmp_path: Path) -> None:
    data = panel(count=lambda d: (d["AI"] * 2).round())
    done = run(tmp_path, "  - {id: P, estimator: poisson, outcome: count, convention: fixest, covariance: iid}\n", data)
    value = next(d.statistic for d in done.models[0].diagnostics if d.test == "pseudo_r2")
    assert value is not None and 0 < value < 1
    line = next(line for line in render(done).splitlines() if line.startswith("Pseudo R2"))
    assert line.split()[-1] == f"{value:.3f}"


def published(name: str) -> list[dict[str, str]]:
    with (project_root() / "seeds" / "published" / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return [row for row in csv.DictReader(handle) if row["study"] == "carbon_productivity"]


def test_tables_8_and_9_are_designed_as_printed() -> None:
    models = {
        m.analysis_id: m
        for s in load_studies(paths().studies, ["carbon_productivity/8", "carbon_productivity/9"])
        for m in s.models
        if m.variant == "main"
    }
    ids = {row["analysis_id"] for row in published("seed_analysis_row") if row["analysis_id"][:2] in ("T8", "T9")}
    assert set(models) == ids
    variables = []
    for row in published("seed_published_model"):
        if row["table_no"] != "9":
            continue
        model = models[f"T9c{row['column_no']}"]
        options = model.options["threshold"]
        assert options["variable"] == row["split_variable"] and options["regime_terms"] == ("AI",)
        assert set(model.controls) == set(row["controls"].split(";")) and model.outcome == row["dependent_variable"]
        assert model.fixed_effects == ("city_code", "year") and model.sample is None
        assert (options["count"], options["bootstrap"]) == (1, (500,))
        variables.append(options["variable"])
    assert [models[f"T8r{n}"].options["threshold"]["variable"] for n in (1, 2, 3)] == variables
