"""The studies that come with the project: every published column of their tables has its model, designed as printed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from analysis_py.settings import project_root
from analysis_py.study import Model, Study, expand_conventions, load_studies

STUDIES = project_root() / "analysis_py" / "studies"
TABLES = ("3", "4", "6", "7", "10", "11", "12")


def seed(name: str) -> list[dict[str, str]]:
    with (project_root() / "seeds" / "published" / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return [row for row in csv.DictReader(handle) if row["study"] == "carbon_productivity"]


@pytest.fixture(scope="module")
def studies() -> list[Study]:
    return load_studies(STUDIES)


@pytest.fixture(scope="module")
def main_models(studies: list[Study]) -> dict[str, Model]:
    found: dict[str, Model] = {}
    for study in studies:
        for model in study.models:
            if study.study == "carbon_productivity" and model.variant == "main":
                assert model.analysis_id not in found
                found[model.analysis_id] = model
    return found


PUBLISHED = [row for row in seed("seed_published_model") if row["table_no"] in TABLES]


@pytest.mark.parametrize("row", PUBLISHED, ids=[f"T{r['table_no']}c{r['column_no']}" for r in PUBLISHED])
def test_a_published_column_has_its_model(main_models: dict[str, Model], row: dict[str, str]) -> None:
    model = main_models[f"T{row['table_no']}c{row['column_no']}"]
    assert model.table == row["table_no"]
    assert model.outcome == row["dependent_variable"]
    assert set(model.controls) == {c for c in row["controls"].split(";") if c}
    assert [e.removesuffix("_code") for e in model.fixed_effects] == row["fixed_effects"].split("+")
    assert (model.estimator == "moderation") == (row["estimator"] == "twfe_interaction")
    rows = expand_conventions(model)
    assert [(r.variant, r.convention, r.covariance.label) for r in rows] == [
        ("main", "xtreg", "iid"),
        ("clustered", "xtreg", "cluster(city_code)"),
    ]
    whole = row["sample_rule"].startswith("full sample")
    assert (model.sample is None) is whole
    assert (model.winsor is not None) is ("winsor" in row["sample_rule"])


def test_analysis_ids_are_those_of_the_list(main_models: dict[str, Model]) -> None:
    known = {row["analysis_id"] for row in seed("seed_analysis_row")}
    assert set(main_models) <= known
    assert {"T2", "T10diff"} <= set(main_models)


def test_the_descriptive_table_has_the_thirteen_variables(main_models: dict[str, Model]) -> None:
    printed = [row["variable"] for row in seed("seed_published_descriptive")]
    assert list(main_models["T2"].columns) == printed and len(printed) == 13


def test_studies_name_no_two_models_alike_and_have_both_titles(studies: list[Study]) -> None:
    ids = [(s.study, r.id) for s in studies for m in s.models for r in expand_conventions(m)]
    assert len(set(ids)) == len(ids)
    for study in studies:
        assert study.title is not None and set(study.title) == {"en", "zh"}, study.path


def test_files_are_named_by_their_table(studies: list[Study]) -> None:
    for study in studies:
        if study.table is not None:
            assert study.name.startswith(f"t{int(study.table):02d}_"), study.path


def test_the_trial_on_real_files_says_what_it_is(studies: list[Study]) -> None:
    trial = next(s for s in studies if s.study == "real_trial")
    assert trial.title is not None and "not a finding" in trial.title["en"]
    assert trial.note is not None and "not a finding" in trial.note["en"]
    assert {m.covariance.label for m in trial.models} == {"cluster(province_code)"}


def test_no_study_hides_a_key_that_decides_numbers(studies: list[Study]) -> None:
    """The shipped studies spell out what users may leave to defaults."""
    chosen = {k for s in studies for m in s.models for k, _ in m.defaults_chosen}
    assert chosen == set()


def test_the_folder_holds_only_studies(studies: list[Study]) -> None:
    assert sorted(p for p in Path(STUDIES).rglob("*.y*ml")) == sorted(s.path for s in studies)


def test_table_five_is_instrumented_by_the_lag(main_models: dict[str, Model]) -> None:
    first, second, tests = (main_models[name] for name in ("T5c1", "T5c2", "T5diag"))
    assert first.outcome == "AI" and first.treatment == ("L.AI",) and first.controls == second.controls
    for model in (second, tests):
        assert model.estimator == "iv" and model.outcome == "CP"
        assert (model.options["endogenous"], model.options["instruments"]) == (("AI",), ("L.AI",))
        assert [(r.variant, r.convention, r.covariance.label) for r in expand_conventions(model)] == [
            ("main", "ivreg2", "iid"),
            ("clustered", "ivreg2", "cluster(city_code)"),
        ]
