"""What a study on a file is told when something in it is not as it should be: the row, the reason and what to write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.fits.run_record import StudyRun
from analysis_py.runner import FilePanel, FramePanel, run_study
from tests.unit.study_case import estimate_of, model_of, small_panel, study_of

BASE = "models:\n  - {id: M, outcome: CP, treatment: [AI], controls: [POP], convention: xtreg, covariance: iid}\n"


def run(folder: Path, body: str, data: pd.DataFrame | None = None) -> StudyRun:
    return run_study(study_of(folder, body), FramePanel(small_panel() if data is None else data))


def refuse(folder: Path, body: str, data: pd.DataFrame | None = None) -> CarbonpanelError:
    with pytest.raises(CarbonpanelError) as caught:
        run(folder, body, data)
    return caught.value


def write_lines(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def refuse_file(folder: Path, lines: list[str], body: str = BASE) -> CarbonpanelError:
    path = write_lines(folder / "panel.csv", lines)
    with pytest.raises(CarbonpanelError) as caught:
        run_study(study_of(folder, body), FilePanel(path))
    return caught.value


def csv_lines(data: pd.DataFrame) -> list[str]:
    return data.to_csv(index=False).splitlines()


def test_rows_are_those_of_the_file_also_after_blank_lines(tmp_path: Path) -> None:
    lines = csv_lines(small_panel())
    error = refuse_file(tmp_path, [*lines[:5], "", "", *lines[5:], lines[6]])
    assert error.code == "CP-PANEL-DUPLICATE"
    assert "(rows 9, 100)" in error.what and "row 100" in error.where


def test_many_repeated_rows_are_counted_not_listed(tmp_path: Path) -> None:
    lines = csv_lines(small_panel())
    error = refuse_file(tmp_path, [*lines, *lines[1:], *lines[1:9]])
    assert error.what.count("(rows") == 5 and "and 91 more" in error.what
    assert "c00, 2001 (rows 2, 98 and 1 more)" in error.what


def test_clusters_may_be_an_interaction(tmp_path: Path) -> None:
    data = small_panel(n_cities=30)
    data["both"] = data["province"] + "/" + data["year"].astype(str)
    body = """\
        defaults: {outcome: CP, treatment: [AI], fixed_effects: [city, year]}
        models:
          - {id: pair, covariance: {type: cluster, by: [province^year]}}
          - {id: column, covariance: {type: cluster, by: [both]}}
        """
    done = run(tmp_path, body, data)
    pair, column = model_of(done, "pair"), model_of(done, "column")
    assert (pair.status, pair.n_clusters) == ("ok", (80,))
    assert pair.coefficients[0].std_error == pytest.approx(column.coefficients[0].std_error, rel=1e-12)
    error = refuse(tmp_path, body.replace("province^year", "provinc^year"), data)
    assert error.code == "CP-STUDY-COLUMN" and "'province'" in error.remedy


def test_units_without_a_base_year_are_counted_and_said(tmp_path: Path) -> None:
    data = small_panel()
    data = data[~((data["city"].isin(["c00", "c05"])) & (data["year"] == 2001))]
    done = run(
        tmp_path,
        """\
        models:
          - {id: H, estimator: heterogeneity, outcome: CP, treatment: [AI], covariance: iid,
             split: {by: ER, at: median_base_year}}
        """,
        data,
    )
    model = model_of(done, "H")
    assert model.status == "warned" and model.n_obs == 80
    assert "2 unit(s), 14 row(s), in no group: no ER in the base year 2001" in str(model.message)
    assert set(model.dropped) == {
        (city, str(year), "no ER in the base year 2001") for city in ("c00", "c05") for year in range(2002, 2009)
    }


def test_a_group_that_cannot_be_fitted_leaves_the_others(tmp_path: Path) -> None:
    data = small_panel()
    data.loc[data["province"] == "p1", "AI"] = np.nan
    done = run(
        tmp_path,
        """\
        models:
          - {id: H, estimator: heterogeneity, outcome: CP, treatment: [AI], covariance: iid,
             split: {by: province, tests: [interaction, chow]}}
          - {id: none, estimator: heterogeneity, outcome: CP, treatment: [AI], covariance: iid,
             sample: "province = 'p1'", split: {by: is_resource}}
          - {id: one, outcome: CP, treatment: [AI], covariance: iid, sample: "province = 'p2'"}
        """,
        data,
    )
    model = model_of(done, "H")
    assert model.status == "warned"
    assert [g.group for g in model.groups] == ["province=p0", "province=p2", "province=p3"]
    assert "group province=p1 could not be fitted" in str(model.message)
    assert [(d.statistic, d.note) for d in model.diagnostics] == [(None, "not run: no fit of group province=p1")] * 2
    assert {why for _, _, why in model.dropped} == {"group province=p1 could not be fitted"}
    assert (model.n_obs, len(model.dropped)) == (72, 24)
    assert estimate_of(done, "H", "AI", "province=p2") == pytest.approx(estimate_of(done, "one", "AI"), rel=1e-12)
    assert model_of(done, "none").status == "failed"
    assert "group is_resource=false" in str(model_of(done, "none").message)


@pytest.mark.parametrize(
    ("key", "written", "advice"),
    [
        ("fixed_effects", "[i.city, year]", "write city,"),
        ("fixed_effects", "[city#year]", "write city^year"),
        ("fixed_effects", "[city, i.province##i.year]", "write province^year"),
        ("fixed_effects", "[city, i.province#c.year]", "controls: [i.province*year]"),
        ("covariance", "{type: cluster, by: [province#year]}", "write province^year"),
    ],
)
def test_fixed_effects_spelled_as_in_stata(tmp_path: Path, key: str, written: str, advice: str) -> None:
    error = refuse(tmp_path, f"models:\n  - id: M\n    outcome: CP\n    treatment: [AI]\n    {key}: {written}\n")
    assert error.code == "CP-STUDY-COLUMN" and error.where.endswith("line 8")
    assert advice in error.remedy


def test_a_cell_of_text_is_named_with_file_row_column_and_text(tmp_path: Path) -> None:
    lines = csv_lines(small_panel())
    cells = lines[9].split(",")
    cells[3] = "n.a.?"
    mostly = refuse_file(tmp_path, [*lines[:4], "", *lines[4:9], ",".join(cells), *lines[10:]])
    assert mostly.code == "CP-STUDY-TEXT" and mostly.where.endswith("line 5")
    assert f"{tmp_path / 'panel.csv'}, column 'AI', row 11 holds 'n.a.?'" in mostly.what
    wholly = refuse_file(tmp_path, [lines[0], "", *lines[1:]], BASE.replace("[POP]", "[province]"))
    assert f"{tmp_path / 'panel.csv'}, column 'province', row 3 holds 'p0'" in wholly.what


def test_a_word_that_is_no_transform_brings_the_list_of_them(tmp_path: Path) -> None:
    body = "models:\n  - id: M\n    outcome: CP\n    treatment: [AI]\n    transforms: "
    error = refuse(tmp_path, body + "{AI: sqrt}\n")
    assert error.what == "'sqrt' is neither a transform nor a column" and error.where.endswith("line 8")
    assert "log, ln, log1p, asinh, standardise, lag(1)" in error.remedy and "sqrt(AI)" in error.remedy
    near = refuse(tmp_path, body + "{AI: logp1}\n")
    assert "did you mean 'log1p'?" in near.remedy
    copied = run(tmp_path, BASE.replace("[POP]", "[copy]").replace("}", ", transforms: {copy: POP}}"))
    assert estimate_of(copied, "M", "AI") == estimate_of(run(tmp_path, BASE), "M", "AI")


def test_a_sample_without_rows_of_a_file_says_what_the_file_holds(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "panel.csv", csv_lines(small_panel()))
    body = """\
        defaults: {outcome: CP, treatment: [AI], sample: "year > 3000 and province = 'p9'"}
        models:
          - {id: fit}
          - {id: described, estimator: descriptive}
        """
    done = run_study(study_of(tmp_path, body), FilePanel(path))
    for model in done.models:
        assert model.status == "failed"
        assert "year runs from 2001 to 2008; province: p0, p1, p2, p3" in str(model.message)
        assert "carbonpanel sql" not in str(model.message)


def test_a_log_of_a_log_is_said(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """\
        defaults: {outcome: CP, covariance: iid, transforms: {AI: log1p}}
        models:
          - {id: twice, treatment: ["ln(AI)"]}
          - {id: once, treatment: [AI]}
          - {id: other, treatment: ["asinh(ER)"]}
        """,
    )
    assert model_of(done, "twice").status == "warned"
    assert "ln(AI) is ln(log1p(AI))" in str(model_of(done, "twice").message)
    assert (model_of(done, "once").status, model_of(done, "other").status) == ("ok", "ok")


def test_a_lagged_outcome_beside_unit_effects_is_warned_of(tmp_path: Path) -> None:
    body = """\
    defaults: {outcome: ln(AI), controls: [POP]}
    models:
      - {id: lagged, treatment: [L.ln(AI)]}
      - {id: without, treatment: [L.ln(AI)], fixed_effects: []}
      - {id: other, treatment: [L.CP]}
      - {id: derived, treatment: [before], transforms: {before: "AI * 2"}}
    """
    run = run_study(study_of(tmp_path, body), FramePanel(small_panel()))
    warned = {model.id: "Nickell" in str(model.message) for model in run.models}
    assert warned == {"lagged": True, "without": False, "other": False, "derived": False}
    assert "a unit has 7 observations" in str(run.models[0].message)


def test_many_rows_without_a_value_are_told(tmp_path: Path) -> None:
    data = small_panel()
    data["w"] = np.where(data["year"] < 2004, np.nan, 1.0)
    body = """\
    defaults: {outcome: CP, treatment: [AI], sample: year >= 2002}
    models:
      - {id: weighted, weights: w}
      - {id: few, treatment: [ER]}
    """
    weighted, few = run_study(study_of(tmp_path, body), FramePanel(data)).models
    assert "24 of the sample's 84 rows lack a value: missing w (24)" in weighted.notes
    assert not any("lack a value" in note for note in few.notes)


def test_points_of_a_curve_have_a_limit(tmp_path: Path) -> None:
    with pytest.raises(CarbonpanelError, match="at least 2 and at most 10000"):
        study_of(
            tmp_path,
            "models:\n  - {id: M, estimator: moderation, outcome: CP, treatment: [AI], moderator: ER,"
            " margins: {points: 1000000}}\n",
        )
