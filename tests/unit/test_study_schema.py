"""Every mistake in a study file is named with its line and, where it is a name, the nearest valid one."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.study import load_study
from tests.unit.study_case import write_study

MODEL = "models:\n  - {id: M1, outcome: CP, treatment: [AI]}\n"

MISTAKES = [
    # body after the three head lines, code, line, words in the message
    ("modles: []\n", "CP-STUDY-KEY", 4, "did you mean 'models'?"),
    ("defaults:\n  outcom: CP\n" + MODEL, "CP-STUDY-KEY", 5, "did you mean 'outcome'?"),
    ("models:\n  - id: M1\n    outcome: CP\n    treatmnt: [AI]\n", "CP-STUDY-KEY", 7, "did you mean 'treatment'?"),
    ("models:\n  - {id: M1, outcome: CP, treatment: [AI], estimator: twfee}\n", "CP-STUDY-VALUE", 5, "'twfe'"),
    ("defaults:\n  convention: xtregg\n" + MODEL, "CP-STUDY-VALUE", 5, "did you mean 'xtreg'?"),
    ("defaults:\n  conventions: [published, clusterd]\n" + MODEL, "CP-STUDY-VALUE", 5, "did you mean 'clustered'?"),
    ("defaults:\n  covariance: {type: clustre, by: [city]}\n" + MODEL, "CP-STUDY-VALUE", 5, "cluster"),
    ("defaults:\n  covariance: {type: conley, lon: x}\n" + MODEL, "CP-STUDY-VALUE", 5, "'lat'"),
    ("defaults:\n  fill: fild\n" + MODEL, "CP-STUDY-VALUE", 5, "did you mean 'filled'?"),
    ("defaults:\n  winsor: {colums: [CP], limits: [1, 99]}\n" + MODEL, "CP-STUDY-KEY", 5, "did you mean 'columns'?"),
    ("defaults:\n  winsor: {columns: [CP], limits: [99, 1]}\n" + MODEL, "CP-STUDY-VALUE", 5, "rising percentiles"),
    ("defaults:\n  winsor: {columns: [CP], limits: [0.01, 0.99]}\n" + MODEL, "CP-STUDY-VALUE", 5, "[1, 99]"),
    ("defaults:\n  covariance: {type: driscoll_kraay, lag: -1}\n" + MODEL, "CP-STUDY-VALUE", 5, "'lag'"),
    ("defaults:\n  covariance: {type: cluster, on: [city]}\n" + MODEL, "CP-STUDY-VALUE", 5, "takes only `by`"),
    ("defaults:\n  winsor: {columns: [CP], limits: [1, 99], scope: al}\n" + MODEL, "CP-STUDY-VALUE", 5, "'scope'"),
    ("defaults:\n  controls: [POP, no]\n" + MODEL, "CP-STUDY-TYPE", 5, "quotes"),
    ("defaults:\n  controls:\n    - POP\n    - POP\n" + MODEL, "CP-STUDY-TWICE", 7, "twice"),
    ("models:\n  - {id: M1, treatment: [AI]}\n", "CP-STUDY-INCOMPLETE", 5, "'outcome'"),
    ("models:\n  - {id: M1, outcome: CP}\n", "CP-STUDY-INCOMPLETE", 5, "no regressors"),
    ("models:\n  - {id: M1, outcome: CP, treatment: [AI], controls: [AI]}\n", "CP-STUDY-TWICE", 5, "'treatment'"),
    ("models:\n  - {outcome: CP, treatment: [AI]}\n", "CP-STUDY-KEY-MISSING", 5, "'id'"),
    (MODEL + "  - {id: M1, outcome: CP, treatment: [AI]}\n", "CP-STUDY-ID", 6, "line 5"),
    (MODEL + "  - {id: M2, variant_of: N1, outcome: CP, treatment: [AI]}\n", "CP-STUDY-ID", 6, "'M1'"),
    ("models:\n  - {id: M1, outcome: CP, treatment: [AI], moderator: ER}\n", "CP-STUDY-KEY", 5, "moderation"),
    ("models:\n  - {id: M1, outcome: CP, treatment: [AI], estimator: iv}\n", "CP-STUDY-INCOMPLETE", 5, "'endogenous'"),
    (
        "models:\n  - {id: H, outcome: CP, treatment: [AI], estimator: heterogeneity, split: {by: x, at: medain}}\n",
        "CP-STUDY-VALUE",
        5,
        "did you mean 'median'?",
    ),
    (
        "models:\n  - {id: H, outcome: CP, treatment: [AI], estimator: heterogeneity, split: {by: x, tests: [chw]}}\n",
        "CP-STUDY-VALUE",
        5,
        "did you mean 'chow'?",
    ),
    ("models: []\n", "CP-STUDY-INCOMPLETE", 4, "no models"),
    (MODEL + "models: []\n", "CP-STUDY-DUPLICATE-KEY", 6, "line 4"),
    ("models: [\n", "CP-STUDY-YAML", 5, "not valid YAML"),
    ("title: {en: A, fr: B}\n" + MODEL, "CP-STUDY-KEY", 4, "'fr'"),
    ("defaults: [CP]\n" + MODEL, "CP-STUDY-TYPE", 4, "mapping"),
    ("defaults:\n  transforms: {AI: }\n" + MODEL, "CP-STUDY-TYPE", 5, "'AI'"),
]


@pytest.mark.parametrize(
    ("body", "code", "line", "words"), MISTAKES, ids=[m[1] + str(i) for i, m in enumerate(MISTAKES)]
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, body: str, code: str, line: int, words: str) -> None:
    path = write_study(tmp_path, body)
    with pytest.raises(CarbonpanelError) as caught:
        load_study(path)
    assert caught.value.code == code
    assert f"{path}, line {line}" == caught.value.where
    assert words in f"{caught.value.what} {caught.value.remedy}"


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    write_study(tmp_path, MODEL, "baseline.yml")
    with pytest.raises(CarbonpanelError) as caught:
        load_study(tmp_path / "baselin.yml")
    assert caught.value.code == "CP-FILE-MISSING"
    assert "baseline.yml" in caught.value.remedy


def test_bytes_that_are_not_utf8_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "gbk.yml"
    path.write_bytes("study: a\ntitle: 基准\n".encode("gbk"))
    with pytest.raises(CarbonpanelError) as caught:
        load_study(path)
    assert caught.value.code == "CP-STUDY-ENCODING"
    assert caught.value.where.endswith("line 2")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.yml"
    path.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(CarbonpanelError, match="CP-STUDY-EMPTY"):
        load_study(path)


def test_an_anchor_that_contains_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "loop.yml"
    path.write_text("study: a\nmodels: &m [*m]\n", encoding="utf-8")
    with pytest.raises(CarbonpanelError, match="CP-STUDY-YAML"):
        load_study(path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "bom.yml"
    path.write_text("study: a\n" + MODEL, encoding="utf-8-sig")
    assert load_study(path).study == "a"
