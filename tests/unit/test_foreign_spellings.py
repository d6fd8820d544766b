"""What a Stata user writes in a study file is answered with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.fits.run_record import StudyRun
from analysis_py.runner import FramePanel, run_study
from analysis_py.study import load_study

FRAME = pd.DataFrame(
    {
        "city_code": [1, 1, 1, 2, 2, 2, 3, 3, 3],
        "year": [2001, 2002, 2003] * 3,
        "region": ["east"] * 3 + ["west"] * 6,
        "pilot": [0, 0, 1, 0, 1, 1, 0, 0, 0],
        "CP": [1.0, 3.0, 2.0, 5.0, 4.0, 7.0, 6.0, 8.0, 8.5],
        "AI": [0.0, 2.0, 3.0, 1.0, 5.0, 3.0, 2.0, 4.0, 9.0],
        "POP": [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0],
    }
)


def run(folder: Path, model: str) -> StudyRun:
    path = folder / "study.yml"
    path.write_text(f"study: mine\nunit: city_code\ntime: year\nmodels:\n  - {{id: m, {model}}}\n", encoding="utf-8")
    return run_study(load_study(path), FramePanel(FRAME))


def refusal(folder: Path, model: str) -> str:
    with pytest.raises(CarbonpanelError) as caught:
        run(folder, model)
    return str(caught.value)


BASE = "outcome: CP, treatment: [AI]"


@pytest.mark.parametrize(
    ("model", "advice"),
    [
        (f"{BASE}, vce: robust", "write covariance: hc1, or covariance: {type: cluster, by: [city_code]}"),
        (f"{BASE}, absorb: [city_code, year]", "write fixed_effects:"),
        (f"{BASE}, if: year > 2001", "write sample:"),
        ("depvar: CP, treatment: [AI]", "write outcome: CP"),
        ("outcome: CP, regressors: [AI]", "write treatment: [..]"),
        (f"{BASE}, winsor2: {{}}", "write winsor:"),
        (f"{BASE}, winsor: {{columns: [CP], cuts: [1, 99]}}", "write limits: [1, 99]"),
        (f"estimator: threshold, {BASE}, threshold: {{qx: POP}}", "write variable:"),
        (f"estimator: heterogeneity, {BASE}, split: {{group: region}}", "write by: column"),
        (f"{BASE}, level: 90", "limits are at 95 percent"),
    ],
)
def test_options_of_commands_name_the_key(tmp_path: Path, model: str, advice: str) -> None:
    assert advice in refusal(tmp_path, model)


@pytest.mark.parametrize(
    ("choice", "advice"),
    [
        ("estimator: reghdfe", "write estimator: twfe (the default) and convention: reghdfe"),
        ("estimator: regress", "fixed_effects: []"),
        ("estimator: xtivreg2", "write estimator: iv and convention: xtivreg2"),
        ("estimator: xthreg", "write estimator: threshold and convention: xthreg"),
        ("estimator: ppmlhdfe", "write estimator: poisson"),
        ("estimator: bdiff", "split: {by: column, tests: [permutation, suest]}"),
        ("estimator: xtabond2", "no equivalent here"),
        ("convention: regress", "leave the key out"),
        ("iv: {method: gmm2s}", "no equivalent here"),
    ],
)
def test_names_of_commands_name_the_estimator(tmp_path: Path, choice: str, advice: str) -> None:
    assert advice in refusal(tmp_path, f"{BASE}, {choice}")


@pytest.mark.parametrize(
    ("term", "advice"),
    [
        ("l.AI", "write L.AI"),
        ("L(1/2).AI", "L1.AI, L2.AI"),
        ("L.(AI POP)", "POP"),
        ("L(0/1).(AI POP)", "L.AI, L.POP"),
        ("c.AI#c.POP", "write AI*POP"),
        ("c.AI##c.AI", "one by one: AI, AI*AI ("),
        ("1.pilot#c.AI", "write i.pilot*AI"),
        ("1.pilot", "write pilot if it is 0/1"),
        ("AI^2", "write AI*AI"),
        ("AI**3", "write AI*AI*AI"),
        ("AI POP", "write a list: [AI, POP]"),
        ("AI/POP", 'transforms: {new_name: "AI/POP"}'),
        ("AI*100", 'transforms: {new_name: "AI*100"}'),
        ("log(AI+1)", "log1p(AI)"),
        ("exp(AI)", 'transforms: {new_name: "exp(AI)"}'),
        ("std(AI)", "transforms: {AI: standardise}"),
        ("A*", "no wildcards"),
        ("(AI = POP)", "write endogenous: [AI] and instruments: [POP]"),
    ],
)
def test_terms(tmp_path: Path, term: str, advice: str) -> None:
    assert advice in refusal(tmp_path, f"outcome: CP, treatment: ['{term}']")


@pytest.mark.parametrize(
    ("rest", "advice"),
    [
        ("covariance: cluster city_code", "write {type: cluster, by: [city_code]}"),
        ("covariance: vce(cluster city_code year)", "write {type: cluster, by: [city_code, year]}"),
        ("covariance: xtscc", "write {type: driscoll_kraay"),
        ("covariance: {cluster: city_code}", "write {type: cluster, by: [city_code]}"),
        ("covariance: {type: cluster, by: city_code year}", "write a list: [city_code, year]"),
        ("weights: '[aw=POP]'", "write the column alone: POP"),
        ("fixed_effects: none", "write [] for none"),
        ("fixed_effects: [i.region#i.year]", "write region^year"),
    ],
)
def test_covariances_weights_and_effects(tmp_path: Path, rest: str, advice: str) -> None:
    assert advice in refusal(tmp_path, f"{BASE}, {rest}")


@pytest.mark.parametrize(
    ("condition", "advice"),
    [
        ("year > 2001 & POP < 6", "write and instead of &"),
        ("(year > 2001) & (POP < 6)", "write and instead of &"),
        ("year > 2002 | pilot", "write or instead of |"),
        ("!pilot", "write not instead of !"),
        ("if year > 2001", "without if"),
        ("drop if year > 2001", "rows to keep"),
        ("inrange(year, 2001, 2002)", "between"),
        ("inlist(region, 1, 2)", "x in (a, b)"),
        ("!missing(POP)", "x is not null"),
        ("year ~= 2001", "write <> instead of ~="),
        ("POP < .", "a missing value is null"),
        ("_n > 5", "rows have no number"),
        ('region == "east"', "single quotes: ''east''"),
    ],
)
def test_conditions(tmp_path: Path, condition: str, advice: str) -> None:
    assert advice.replace("''", "'") in refusal(tmp_path, f"{BASE}, sample: '{condition}'")


def test_formulas(tmp_path: Path) -> None:
    assert "transforms: {x: ln}, it is missing" in refusal(tmp_path, f"{BASE}, transforms: {{AI: 'ln(AI)'}}")
    assert "partition by city_code" in refusal(
        tmp_path, f"{BASE}, transforms: {{m: 'bysort city_code: egen mean(CP)'}}"
    )
    assert "case when" in refusal(tmp_path, f"{BASE}, transforms: {{m: 'cond(year > 2001, 1, 0)'}}")


@pytest.mark.parametrize(
    "condition",
    [
        "year >= 2001 and POP < 9.5",
        "year == 2001 or year != 2002",
        "region <> ''w&|!''",
        "POP = .5 or POP < 20",
        "region || ''x'' = ''westx'' or year in (2001, 2002, 2003)",
    ],
)
def test_what_sql_understands_is_left_alone(tmp_path: Path, condition: str) -> None:
    model = run(tmp_path, f"{BASE}, fixed_effects: [], sample: '{condition}'").models[0]
    assert model.n_obs and model.status != "failed"


@pytest.mark.parametrize(
    "line", ["sample: !missing(POP)", "sample: !pilot", "covariance: !robust", "controls: !x [POP]"]
)
def test_an_exclamation_mark_outside_quotes_does_not_lose_the_condition(tmp_path: Path, line: str) -> None:
    path = tmp_path / "study.yml"
    head = "study: mine\nunit: city_code\ntime: year\nmodels:\n  - id: m\n    outcome: CP\n    treatment: [AI]\n"
    path.write_text(f"{head}    {line}\n", encoding="utf-8")
    with pytest.raises(CarbonpanelError, match="quotes") as caught:
        load_study(path)
    assert caught.value.code == "CP-STUDY-YAML"
    assert "line 8" in str(caught.value)


def test_a_name_that_is_no_word_of_sql_is_not_called_one(tmp_path: Path) -> None:
    said = refusal(tmp_path, f"{BASE}, transforms: {{r: 'rowmean(AI POP)'}}")
    assert "word of SQL" not in said
    assert "write one expression" in said
