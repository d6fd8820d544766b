"""Tables to paste: stars, errors in both brackets, notes, the simulated notice, and escaping in each format."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.fits.run_record import StudyRun
from analysis_py.report.comparison_rows import Comparison
from analysis_py.report.tables import number, render, stars
from analysis_py.runner import FramePanel, run_study
from analysis_py.settings import SIMULATED_NOTICE
from tests.unit.study_case import estimate_of, model_of, study_of
from tests.unit.test_runner_frames import filled_panel

BODY = """\
table: "3"
title: {en: Trial & error, zh: 试验}
defaults:
  outcome: CP
  treatment: [AI]
  published: {convention: xtreg, covariance: iid}
  conventions: [published, clustered]
models:
  - {id: M_1, controls: [], title: {en: 100% plain, zh: 无控制}}
  - {id: M_2, controls: [POP], sample: year > 2001}
  - {id: M_3, controls: [POP], sample: year > 3000}
  - {id: H, estimator: heterogeneity, split: {by: is_resource}}
  - {id: D, estimator: descriptive, columns: [CP, AI]}
"""


@pytest.fixture
def run(tmp_path: Path) -> StudyRun:
    return run_study(study_of(tmp_path, BODY), FramePanel(filled_panel(), is_simulated=True))


def grid(run: StudyRun) -> list[list[str]]:
    return list(csv.reader(io.StringIO(render(run, "csv"))))


def line_of(table: list[list[str]], label: str, nth: int = 0) -> int:
    return [i for i, row in enumerate(table) if row and row[0] == label][nth]


def test_a_column_a_model_with_both_errors(run: StudyRun) -> None:
    table = grid(run)
    ids = next(row for row in table if "M_1" in row)
    assert ids == ["", "M_1", "M_2", "M_3"]
    table = table[table.index(ids) :]
    at = line_of(table, "AI")
    plain, clustered = model_of(run, "M_1").coefficients[0], model_of(run, "M_1:clustered").coefficients[0]
    assert table[at][1] == number(plain.estimate) + stars(plain.p_value)
    assert table[at + 1][1] == f'="({number(plain.std_error)})"'
    assert table[at + 2][1] == f"[{number(clustered.std_error)}]"
    assert table[at][3] == ""
    assert table[line_of(table, "POP")][1] == ""
    assert table[line_of(table, "Observations")][1:] == ["96", "84", ""]
    assert table[line_of(table, "Status")][3] == "failed"
    assert table[line_of(table, "AI, observed cells only")][1].startswith(
        number(estimate_of(run, "M_1:observed", "AI"))
    )
    text = render(run, "csv")
    assert "Standard errors in parentheses: xtreg, iid." in text
    assert "In brackets, clustered: xtreg, cluster(city)." in text
    assert "M_2: sample: year > 2001." in text


def body_of(path: Path, models: str, head: str = "") -> str:
    """The text of a table of further models on the filled panel."""
    study = study_of(path, head + "defaults: {outcome: CP, treatment: [AI]}\nmodels:\n" + models)
    return render(run_study(study, FramePanel(filled_panel())), "csv")


def test_the_twin_of_observed_cells_has_all_of_them(tmp_path: Path) -> None:
    text = body_of(tmp_path, "  - {id: O, fill: observed}\n")
    assert '"AI, observed and filled cells"' in text and '"Observations, observed and filled cells"' in text
    assert "filled cells only" not in text


def test_the_descriptive_twin_keeps_its_sample(tmp_path: Path) -> None:
    text = body_of(
        tmp_path, "  - {id: D, estimator: descriptive, columns: [CP, AI], fill: observed, sample: year > 2001}\n"
    )
    assert "(observed and filled cells)" in text
    assert "D: sample: year > 2001." in text and "D:filled: sample: year > 2001." in text


def test_notes_say_what_changed_the_numbers(tmp_path: Path) -> None:
    text = body_of(
        tmp_path,
        "  - {id: A, controls: [double], transforms: {double: POP * 2, AI: log1p, POP: lag(2)}}\n"
        "  - {id: B, winsor: {columns: [CP], limits: [1, 99], scope: universe}}\n"
        "  - {id: C, winsor: {columns: [CP, AI], limits: [5, 95], scope: subsample}, weights: year,\n"
        "     sample: year > 2001}\n"
        "  - {id: D, controls: [POP]}\n",
    )
    assert "A: derived columns: double = POP * 2." in text
    assert "A: transforms: AI: log1p; POP: lag(2)." in text
    assert "B: winsorised: CP at 1 and 99 percent, limits over every row of the panel." in text
    assert "C: winsorised: CP, AI at 5 and 95 percent, limits over the model's sample." in text
    assert "C: weights: year." in text
    assert "D: " not in text.replace("D: chosen because", "")


def test_winsorising_over_the_study_names_its_sample(tmp_path: Path) -> None:
    study = study_of(
        tmp_path,
        "defaults: {outcome: CP, treatment: [AI], sample: year > 2002}\n"
        "models:\n  - {id: W, winsor: {columns: [CP], limits: [1, 99]}}\n",
    )
    text = render(run_study(study, FramePanel(filled_panel())), "csv")
    assert "limits over the study's sample (year > 2002)." in text


def test_kernel_and_lag_are_named_also_where_they_are_defaults(tmp_path: Path) -> None:
    conley = "type: conley, lon: ER, lat: POP, cutoff_km: 200"
    text = body_of(
        tmp_path,
        f"  - {{id: A, covariance: {{{conley}}}}}\n"
        f"  - {{id: B, covariance: {{{conley}, kernel: bartlett}}}}\n"
        "  - {id: C, covariance: driscoll_kraay}\n"
        "  - {id: D, covariance: {type: driscoll_kraay, lag: 1}}\n",
    )
    row = next(r for r in csv.reader(io.StringIO(text)) if r and r[0] == "Covariance")
    assert row[1:] == [
        "conley(200 km, uniform)",
        "conley(200 km, bartlett)",
        *(f"driscoll_kraay(lag {n})" for n in (2, 1)),
    ]


def test_a_title_is_printed_once(tmp_path: Path) -> None:
    text = body_of(
        tmp_path,
        "  - {id: M_1}\n  - {id: M_4, estimator: heterogeneity, split: {by: is_resource}}\n",
        'table: "3"\ntitle: Wages\n',
    )
    assert "Table 3. Wages\n" in text and "Table 3. Wages - M_4\n" in text
    assert text.count("Wages") == 2


def test_a_title_in_the_other_language_is_better_than_an_id(tmp_path: Path) -> None:
    study = study_of(tmp_path, "title: {zh: 工资}\nmodels:\n  - {id: A, outcome: CP, treatment: [AI]}\n")
    assert render(run_study(study, FramePanel(filled_panel())), "md").startswith("**工资**")


def test_spreadsheets_do_not_read_errors_as_negative_numbers(run: StudyRun) -> None:
    table = grid(run)
    cells = [cell for row in table for cell in row]
    assert not any(re.fullmatch(r"\([0-9.e+-]+\)", cell) for cell in cells)
    assert any(re.fullmatch(r'="\(0\.\d+\)"', cell) for cell in cells)
    for format in ("text", "md", "tex"):
        assert '="' not in render(run, format)


def test_a_convention_without_a_constant_leaves_no_empty_line(tmp_path: Path) -> None:
    table = list(csv.reader(io.StringIO(body_of(tmp_path, "  - {id: A, conventions: [xtreg, fixest]}\n"))))
    at = line_of(table, "_cons")
    assert table[at + 1][1].startswith('="(') and table[at + 2][0] == "Observations"
    assert table[line_of(table, "AI") + 2][1].startswith("[")


def test_rounding_noise_has_no_stars(run: StudyRun) -> None:
    model = model_of(run, "M_1")
    assert model.coefficients[0].p_value < 0.01

    def cell(estimate: float, error: float, rmse: float) -> str:
        coefficients = (replace(model.coefficients[0], estimate=estimate, std_error=error), *model.coefficients[1:])
        changed = replace(run, models=(replace(model, coefficients=coefficients, rmse=rmse),))
        table = grid(changed)
        return table[line_of(table, "AI")][1]

    assert cell(3e-16, 1e-17, 1e-15) == "3.00e-16"
    assert cell(3e-16, 1e-17, 0.5) == "3.00e-16***", "a regressor in large units, not noise"
    assert cell(0.3, 1e-3, 0.5) == "0.300***"


def test_groups_have_a_table_of_their_own(run: StudyRun) -> None:
    table = grid(run)
    heads = next(row for row in table if "is_resource=true" in row)
    assert heads == ["", "is_resource=false", "is_resource=true"]
    own = table[table.index(heads) :]
    twin = own[line_of(own, "Observations, observed cells only")][1:]
    assert twin == [str(g.n_obs) for g in model_of(run, "H:observed").groups]
    assert sum(map(int, twin)) == model_of(run, "H:observed").n_obs
    assert "H, interaction_wald:" in render(run, "csv")


def test_descriptive_tables_have_a_row_a_variable(run: StudyRun) -> None:
    table = grid(run)
    row = table[line_of(table, "CP")]
    described = model_of(run, "D").descriptives[0]
    assert row[1:3] == [str(described.n), number(described.mean)]


@pytest.mark.parametrize("format", ["text", "md", "csv", "tex"])
def test_simulated_tables_say_so_first_and_last(run: StudyRun, format: str) -> None:
    blocks = render(run, format).split("\n\n") if format == "text" else [render(run, format)]
    for block in blocks:
        lines = block.splitlines()
        assert SIMULATED_NOTICE in lines[0]
        assert SIMULATED_NOTICE in "\n".join(lines[-3:])


@pytest.mark.parametrize("format", ["text", "md", "csv", "tex"])
def test_tables_of_users_data_do_not(tmp_path: Path, format: str) -> None:
    run = run_study(study_of(tmp_path, BODY), FramePanel(filled_panel()))
    assert "SIMULATED" not in render(run, format)


def test_text_is_aligned_also_with_chinese(run: StudyRun) -> None:
    from wcwidth import wcswidth

    text = render(run, "text", language="zh")
    assert "表3 试验" in text and "无控制" in text
    block = next(b for b in text.split("\n\n") if "M_1" in b)
    lines = block.splitlines()
    rule = next(line for line in lines if line.startswith("==="))
    inside = lines[lines.index(rule) + 1 :]
    inside = inside[: inside.index(rule)]
    assert len({wcswidth(line) for line in inside if line.startswith(("AI  ", "Observations  "))}) == 1


def test_markdown_has_one_width(run: StudyRun) -> None:
    rows = [line for line in render(run, "md").splitlines() if line.startswith("|")]
    first = next(i for i, line in enumerate(rows) if "(1)" in line)
    counts = {line.replace("\\|", "").count("|") for line in rows[first : first + 10]}
    assert counts == {5}
    assert "\\*\\*\\*" in "\n".join(rows)


def test_latex_is_escaped_and_starred(run: StudyRun) -> None:
    tex = render(run, "tex")
    assert r"\caption{Trial \& error}" in tex and "Table 3" not in tex
    labels = re.findall(r"\\label\{(.*)\}", tex)
    assert len(labels) == len(set(labels)) == 4 and {"tab:trial-3", "tab:trial-3-H"} <= set(labels)
    assert "xeCJK" in tex and "ctex" in tex
    assert r"M\_1" in tex and r"100\% plain" in tex
    assert "$^{***}$" in tex
    assert r"year \textgreater{} 2001" in tex
    assert tex.count(r"\begin{table}") == tex.count(r"\end{table}") == 4
    for line in tex.splitlines():
        if line.endswith(r"\\"):
            assert not line.startswith("["), "a bracket after a line break would be read as a length"


def test_negative_numbers_have_a_true_minus(run: StudyRun) -> None:
    negative = next(c for m in run.models for c in m.coefficients if c.estimate < -0.01)
    assert f"$-${number(abs(negative.estimate))}" in render(run, "tex")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.000"),
        (1.23456, "1.235"),
        (-0.0123, "-0.012"),
        (0.00123, "0.00123"),
        (0.0036, "0.00360"),
        (123456.7, "123457"),
        (None, ""),
        (float("nan"), ""),
    ],
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("p", "mark"), [(0.009, "***"), (0.01, "**"), (0.049, "**"), (0.05, "*"), (0.1, ""), (None, "")]
)
def test_stars_are_strict(p: float | None, mark: str) -> None:
    assert stars(p) == mark


def test_an_unknown_format_names_the_nearest(run: StudyRun) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        render(run, "texx")
    assert "'tex'" in caught.value.remedy


def test_a_comparison_is_a_table_too() -> None:
    comparison = Comparison("x: published", ("a", "b"), (("T3c1", 0.5), (None, 2)), True, ("a note",))
    text = render(comparison, "md")
    assert "| T3c1 | 0.500 |" in text and "|  | 2 |" in text and SIMULATED_NOTICE in text
