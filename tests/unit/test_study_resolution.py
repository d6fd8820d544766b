"""What a study means once its defaults are filled in: contract keys, overriding, variants, hashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.study import expand_conventions, load_studies, load_study
from tests.unit.study_case import study_of, write_study

CONTRACT = """\
study: carbon_productivity
table: "3"
title: {en: Baseline regression, zh: 基准回归}
panel: panel_carbon_productivity
unit: city_code
time: year
defaults:
  estimator: twfe
  outcome: CP
  treatment: [AI]
  controls: [POP, Ope, Gov, FI, ST]
  fixed_effects: [city_code, year]
  covariance: {type: cluster, by: [city_code]}
  convention: xtreg
  conventions: [published, clustered]
  weights: null
  sample: null
  fill: filled
  transforms: {AI: log1p}
  winsor: {columns: [CP], limits: [1, 99], scope: study}
models:
  - {id: T3c1, analysis_id: T3c1, controls: []}
  - {id: T3c6}
  - id: T5c2
    estimator: iv
    endogenous: [AI]
    instruments: [L.AI]
  - id: T8a
    estimator: threshold
    threshold: {variable: AI, regime_terms: [AI], count: 1, grid: 400, trim: [0.01], bootstrap: [500], seed: 20251122}
  - id: T7c1
    estimator: moderation
    moderator: ER
  - id: T10
    estimator: heterogeneity
    split: {by: is_resource_based, tests: [permutation, interaction, chow, suest], permute: units, draws: 1000, seed: 1}
  - id: T10b
    estimator: heterogeneity
    split: {by: HC, at: [0.25, 0.75]}
  - id: T10c
    estimator: heterogeneity
    split: {by: HC, at: 0.05}
  - id: S1
    estimator: spatial
    spatial: {model: sdm, weights: contiguity}
  - id: S2
    estimator: spatial
    spatial: {model: sar, weights: {file: W.csv}}
  - id: D1
    estimator: did
    did: {method: sun_abraham, first_treated: ai_pilot_year, control: never}
"""


def test_the_file_of_the_contract_loads(tmp_path: Path) -> None:
    path = tmp_path / "contract.yml"
    path.write_text(CONTRACT, encoding="utf-8")
    study = load_study(path)
    models = {m.id: m for m in study.models}
    assert list(models) == ["T3c1", "T3c6", "T5c2", "T8a", "T7c1", "T10", "T10b", "T10c", "S1", "S2", "D1"]
    assert models["T3c1"].controls == ()
    assert models["T3c6"].controls == ("POP", "Ope", "Gov", "FI", "ST")
    assert models["T3c6"].covariance.label == "cluster(city_code)"
    assert models["T7c1"].moderator == ("ER",)
    assert models["T10b"].split is not None and models["T10b"].split.at == (0.25, 0.75)
    assert models["T10c"].split is not None and models["T10c"].split.at == 0.05
    assert models["T8a"].options["threshold"]["bootstrap"] == (500,)
    assert models["S2"].options["spatial"]["weights"] == {"file": "W.csv"}
    assert study.title == {"en": "Baseline regression", "zh": "基准回归"}


def test_what_a_study_does_not_say_is_chosen_and_said(tmp_path: Path) -> None:
    model = study_of(tmp_path, "models:\n  - {id: M, outcome: CP, treatment: AI}\n").models[0]
    assert model.fixed_effects == ("city", "year")
    assert model.convention == "reghdfe"
    assert model.covariance.label == "cluster(city)"
    assert dict(model.defaults_chosen) == {
        "estimator": "twfe",
        "fixed_effects": "city, year",
        "convention": "reghdfe",
        "covariance": "cluster(city)",
    }


def test_without_fixed_effects_the_convention_is_plain(tmp_path: Path) -> None:
    study = study_of(
        tmp_path,
        """\
        defaults: {convention: xtreg, covariance: iid, outcome: CP, treatment: [AI]}
        models:
          - {id: A, fixed_effects: []}
          - {id: B, fixed_effects: [], convention: areg}
          - {id: C}
        """,
    )
    assert [m.convention for m in study.models] == ["plain", "areg", "xtreg"]


def test_a_bare_cluster_takes_the_unit(tmp_path: Path) -> None:
    model = study_of(tmp_path, "models:\n  - {id: M, outcome: CP, treatment: [AI], covariance: cluster}\n").models[0]
    assert model.covariance.by == ("city",)


def test_clusters_without_a_unit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cross.yml"
    path.write_text("study: x\nmodels:\n  - {id: M, outcome: y, treatment: [x], covariance: cluster}\n", "utf-8")
    with pytest.raises(CarbonpanelError, match="CP-STUDY-INCOMPLETE"):
        load_study(path)


def test_null_removes_a_default(tmp_path: Path) -> None:
    study = study_of(
        tmp_path,
        """\
        defaults: {outcome: CP, treatment: [AI], sample: year > 2003, winsor: {columns: [CP], limits: [1, 99]}}
        models:
          - {id: A}
          - {id: B, sample: null, winsor: null}
        """,
    )
    assert study.models[0].sample == "year > 2003"
    assert study.models[0].winsor is not None and study.models[0].winsor.scope == "study"
    assert study.models[1].sample is None and study.models[1].winsor is None


def test_conventions_become_rows_with_unique_ids(tmp_path: Path) -> None:
    model = study_of(
        tmp_path,
        """\
        defaults:
          outcome: CP
          treatment: [AI]
          covariance: {type: cluster, by: [province]}
          published: {convention: xtreg, covariance: iid}
          conventions: [published, clustered, reghdfe, hc1]
        models:
          - {id: M, analysis_id: T3c1}
        """,
    ).models[0]
    rows = expand_conventions(model)
    assert [(r.id, r.variant, r.variant_of, r.convention, r.covariance.label) for r in rows] == [
        ("M", "main", None, "xtreg", "iid"),
        ("M:clustered", "clustered", "M", "xtreg", "cluster(city)"),
        ("M:reghdfe", "reghdfe", "M", "reghdfe", "iid"),
        ("M:hc1", "hc1", "M", "xtreg", "HC1"),
    ]
    assert {r.analysis_id for r in rows} == {"T3c1"}
    assert len({r.spec_hash() for r in rows}) == 4


def test_published_without_a_reading_is_the_model_itself(tmp_path: Path) -> None:
    model = study_of(
        tmp_path,
        "models:\n  - {id: M, outcome: CP, treatment: [AI], covariance: hc1, conventions: [published, clustered]}\n",
    ).models[0]
    assert [r.covariance.label for r in expand_conventions(model)] == ["HC1", "cluster(city)"]


def test_errors_are_changed_under_the_first_convention_listed(tmp_path: Path) -> None:
    body = """\
    defaults: {outcome: CP, treatment: [AI], conventions: [xtreg, clustered, iid, areg]}
    models:
      - {id: silent}
      - {id: named, convention: reghdfe}
    """
    silent, named = study_of(tmp_path, body).models
    assert [(r.convention, r.covariance.label) for r in expand_conventions(silent)] == [
        ("xtreg", "cluster(city)"),
        ("xtreg", "cluster(city)"),
        ("xtreg", "iid"),
        ("areg", "cluster(city)"),
    ]
    assert [r.convention for r in expand_conventions(named)] == ["xtreg", "reghdfe", "reghdfe", "areg"]


def test_another_reading_keeps_the_analysis_and_gets_a_name(tmp_path: Path) -> None:
    study = study_of(
        tmp_path,
        """\
        defaults: {outcome: CP, treatment: [AI]}
        models:
          - {id: T4c5}
          - {id: T4c5_province_year, variant_of: T4c5, fixed_effects: [city, province^year]}
        """,
    )
    other = study.models[1]
    assert (other.analysis_id, other.variant, other.variant_of) == ("T4c5", "province_year", "T4c5")


def test_the_spec_hash_follows_the_specification_alone(tmp_path: Path) -> None:
    first = study_of(tmp_path, "models:\n  - {id: A, outcome: CP, treatment: [AI], title: one}\n").models[0]
    renamed = study_of(tmp_path, "models:\n  - {id: B, outcome: CP, title: two, treatment: [AI]}\n").models[0]
    changed = study_of(tmp_path, "models:\n  - {id: A, outcome: CP, treatment: [AI], sample: year > 2002}\n").models[0]
    assert first.spec_hash() == renamed.spec_hash()
    assert first.spec_hash() != changed.spec_hash()


def test_studies_are_found_by_study_file_or_both(tmp_path: Path) -> None:
    for folder, name in (("a", "t01"), ("a", "t02"), ("b", "t01")):
        (tmp_path / folder).mkdir(exist_ok=True)
        path = write_study(
            tmp_path / folder, f"models:\n  - {{id: {name}, outcome: y, treatment: [x]}}\n", f"{name}.yml"
        )
        path.write_text(path.read_text("utf-8").replace("study: trial", f"study: {folder}"), "utf-8")
    assert [(s.study, s.name) for s in load_studies(tmp_path)] == [("a", "t01"), ("a", "t02"), ("b", "t01")]
    assert [s.study for s in load_studies(tmp_path, ["b"])] == ["b"]
    assert [s.study for s in load_studies(tmp_path, ["t01"])] == ["a", "b"]
    assert [(s.study, s.name) for s in load_studies(tmp_path, ["a/t02"])] == [("a", "t02")]
    with pytest.raises(CarbonpanelError, match="CP-STUDY-UNKNOWN"):
        load_studies(tmp_path, ["c/t09"])


def test_an_id_used_in_two_files_of_a_study_is_refused(tmp_path: Path) -> None:
    write_study(tmp_path, "models:\n  - {id: M, outcome: y, treatment: [x]}\n", "one.yml")
    write_study(tmp_path, "models:\n  - {id: M, outcome: y, treatment: [z]}\n", "two.yml")
    with pytest.raises(CarbonpanelError, match="already used in one"):
        load_studies(tmp_path)


def test_an_instrumented_model_without_endogenous_is_pointed_to_its_treatment(tmp_path: Path) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        study_of(tmp_path, "models:\n  - {id: M, estimator: iv, outcome: CP, treatment: [AI], instruments: [L.AI]}\n")
    assert caught.value.code == "CP-STUDY-INCOMPLETE"
    assert "endogenous: [AI]?" in caught.value.remedy
