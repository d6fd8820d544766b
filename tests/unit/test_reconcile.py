"""The search for conventions: finds what was planted, says how wide it was, refuses simulated inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis_py.errors import CarbonpanelError
from analysis_py.fits.printed_columns import Printed, PrintedNumber, PrintedTerm, read_given, read_published
from analysis_py.fits.reconciliation import Candidate, Reconciliation, reconcile
from analysis_py.panels.panel import FramePanel
from analysis_py.report.reconcile import columns, headline, rows
from analysis_py.runner import run_study
from analysis_py.settings import project_root
from cli import app
from tests.unit.study_case import model_of, small_panel, study_of

BODY = """\
defaults: {outcome: CP, treatment: [AI], controls: [POP], fixed_effects: [city, year]}
models:
  - {id: M1}
  - {id: logged, treatment: [log1p(AI)], sample: "year > 2001"}
  - {id: counts, estimator: poisson}
  - {id: moderated, estimator: moderation, moderator: ER}
  - {id: instrumented, estimator: iv, treatment: [], endogenous: [AI], instruments: [L.AI]}
"""


def panel() -> pd.DataFrame:
    """Unbalanced, with a singleton city and outliers, so that every choice moves a number."""
    frame = small_panel(n_cities=18, n_years=9)
    frame.loc[[5, 40], "CP"] += 15.0
    gone = frame.index % 11 == 3
    single = (frame.city == "c17") & (frame.year > 2001)
    return frame[~(gone | single)].reset_index(drop=True)


def printed_by(tmp_path: Path, entry: str, digits: int = 3) -> Printed:
    """The column a model prints, rounded."""
    study = study_of(tmp_path, f"models:\n  - {{id: P, outcome: CP, controls: [POP], {entry}}}\n")
    run = model_of(run_study(study, FramePanel(panel())), "P")
    terms = []
    for row in run.coefficients:
        term = "log1p(AI)" if "(AI)" in row.term else row.term
        b, t = PrintedNumber.read(f"{row.estimate:.{digits}f}"), PrintedNumber.read(f"{row.statistic:.{digits}f}")
        assert b is not None
        terms.append(PrintedTerm(term, b, t, False))
    return Printed("a planted column", tuple(terms), run.n_obs, PrintedNumber.read(f"{run.r2:.{digits}f}"))


def search(tmp_path: Path, model: str, printed: Printed, **options: Any) -> Reconciliation:
    return reconcile(study_of(tmp_path, BODY), model, FramePanel(panel()), printed, **options)


@pytest.mark.parametrize(
    ("planted", "wanted"),
    [
        ("treatment: [AI], convention: xtreg, covariance: iid", ("xtreg", "iid", "kept", "none")),
        ("treatment: [AI], convention: reghdfe, covariance: hc1", ("reghdfe", "HC1", "dropped", "none")),
        (
            "treatment: [AI], convention: areg, covariance: {type: cluster, by: [city]},"
            " winsor: {columns: [CP], limits: [1, 99]}",
            ("areg", "cluster(city)", "kept", "outcome 1/99"),
        ),
    ],
)
def test_what_was_planted_comes_first(tmp_path: Path, planted: str, wanted: tuple[str, ...]) -> None:
    printed = printed_by(tmp_path, planted)
    found = search(tmp_path, "M1", printed)
    near = [c for c in found.candidates if c.distance <= found.candidates[0].distance + 1e-9]
    assert wanted in [(c.convention, c.errors, c.singletons, c.winsor) for c in near]
    assert len(near) == found.as_near
    assert set(found.candidates[0].agrees) >= {"b AI", "t AI", "N", "R2"}
    assert found.tried == len(found.candidates) + found.failed
    distances = [c.distance for c in found.candidates]
    assert distances == sorted(distances)
    assert f"{found.tried} combinations tried" in headline(found)


def test_centring_of_a_moderation_is_searched(tmp_path: Path) -> None:
    printed = printed_by(
        tmp_path,
        "estimator: moderation, moderator: ER, treatment: [AI], centre: mean, convention: xtreg, covariance: iid",
    )
    found = search(tmp_path, "moderated", printed)
    best = found.candidates[0]
    assert found.terms[:3] == ("AI", "ER", "AI*ER")
    assert (best.convention, best.errors, best.centring, best.winsor) == ("xtreg", "iid", "mean", "none")
    assert {c.centring for c in found.candidates} == {"none", "mean"}


@pytest.mark.parametrize(("convention", "errors"), [("xtivreg2", "iid"), ("ivreghdfe", "cluster"), ("ivreg2", "hc1")])
def test_instrumented_columns_are_searched(tmp_path: Path, convention: str, errors: str) -> None:
    named = f"convention: {convention}, covariance: {{type: {errors}{', by: [city]' if errors == 'cluster' else ''}}}"
    design = f"estimator: iv, treatment: [], endogenous: [AI], instruments: [L.AI], {named}"
    study = study_of(tmp_path, f"models:\n  - {{id: P, outcome: CP, controls: [POP], {design}}}\n")
    run = model_of(run_study(study, FramePanel(panel())), "P")
    row = next(c for c in run.coefficients if c.term == "AI" and c.group is None)
    printed = read_given([f"AI={row.estimate:.4f}"], [f"AI={row.statistic:.4f}"], [], run.n_obs, f"{run.r2:.4f}")
    found = search(tmp_path, "instrumented", printed)
    near = [(c.convention, c.errors) for c in found.candidates[: found.as_near]]
    label = {"iid": "iid", "cluster": "cluster(city)", "hc1": "HC1"}[errors]
    assert (convention, label) in near
    assert set(found.candidates[0].agrees) >= {"b AI", "t AI", "N"}


def test_log_rule_and_sample_are_searched(tmp_path: Path) -> None:
    printed = printed_by(tmp_path, 'treatment: [asinh(AI)], convention: fixest, covariance: iid, sample: "year < 2008"')
    found = search(tmp_path, "logged", printed, samples=["year < 2008"])
    best = found.candidates[0]
    assert (best.logs, best.sample, best.errors) == ("asinh", "year < 2008", "iid")
    assert {c.sample for c in found.candidates} == {"year > 2001", "all rows", "year < 2008"}
    assert {c.logs for c in found.candidates} == {"as written", "log", "asinh"}


def test_the_table_starts_with_the_printed_numbers(tmp_path: Path) -> None:
    printed = printed_by(tmp_path, "treatment: [AI], convention: xtreg, covariance: iid")
    found = search(tmp_path, "M1", printed)
    shown = rows(found, 4)
    assert len(shown) == 5
    assert all(len(row) == len(columns(found)) for row in shown)
    top = dict(zip(columns(found), shown[0], strict=True))
    assert top["convention"] == "printed"
    assert top["b AI"] == printed.terms[0].estimate.value
    assert top["N"] == printed.n_obs


def test_order_does_not_hang_on_repetition(tmp_path: Path) -> None:
    printed = printed_by(tmp_path, "treatment: [AI], convention: xtreg, covariance: iid")

    def keys(found: Reconciliation) -> list[Candidate]:
        return list(found.candidates)

    assert keys(search(tmp_path, "M1", printed)) == keys(search(tmp_path, "M1", printed))


@pytest.mark.parametrize(
    ("model", "printed", "simulated", "code"),
    [
        ("M1", read_given(["AI=0.5"], [], [], 100, None), True, "CP-RECONCILE-SIMULATED"),
        ("M2", read_given(["AI=0.5"], [], [], 100, None), False, "CP-MODEL-UNKNOWN"),
        ("counts", read_given(["AI=0.5"], [], [], 100, None), False, "CP-RECONCILE-ESTIMATOR"),
        ("M1", read_given(["GDP=0.5"], [], [], 100, None), False, "CP-RECONCILE-NOTHING"),
    ],
)
def test_refusals(tmp_path: Path, model: str, printed: Printed, simulated: bool, code: str) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        reconcile(study_of(tmp_path, BODY), model, FramePanel(panel(), name="demo", is_simulated=simulated), printed)
    assert caught.value.code == code
    if simulated:
        assert "'demo' holds simulated numbers" in caught.value.what


@pytest.mark.parametrize("text", ["AI", "AI=x", "=0.1"])
def test_given_numbers_that_are_none(text: str) -> None:
    with pytest.raises(CarbonpanelError, match="TERM=NUMBER"):
        read_given([text], [], [], None, None)


def test_printed_numbers_keep_their_last_digit() -> None:
    number = PrintedNumber.read("-0.0420")
    assert number is not None
    assert number.half_unit == pytest.approx(0.00005)
    assert number.equals(-0.04204)
    assert not number.equals(-0.0421)
    assert PrintedNumber.read("n.a.") is None


def test_published_columns_are_found() -> None:
    printed = read_published(project_root() / "seeds" / "published", "carbon_productivity", "T3c1")
    assert printed.label == "Table 3 column 1"
    assert printed.n_obs == 5149
    assert printed.terms[0].estimate.value == 0.111
    assert printed.terms[0].scale == pytest.approx(0.111 / 5.833)
    with pytest.raises(CarbonpanelError, match="no published column"):
        read_published(project_root() / "seeds" / "published", "carbon_productivity", "T99c1")


def test_an_unknown_model_brings_the_nearest_of_all_tables() -> None:
    refused = CliRunner().invoke(app, ["reconcile", "carbon_productivity", "T9c33"])
    assert refused.exit_code == 1
    assert "study 'carbon_productivity' has no model 'T9c33'" in refused.output
    assert "did you mean 'T9c3'" in refused.output


def test_command(tmp_path: Path) -> None:
    study_of(tmp_path, BODY)
    panel().to_csv(tmp_path / "panel.csv", index=False)
    out = tmp_path / "out.json"
    given = ["--estimate", "AI=0.80", "--statistic", "AI=4.1", "--n", "140", "--r2", "0.5", "--limit", "3"]
    study = str(tmp_path / "trial.yml")
    done = CliRunner().invoke(
        app, ["reconcile", study, "M1", "--data", str(tmp_path / "panel.csv"), *given, "--json", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert "combinations tried" in done.output
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written["tried"] == len(written["candidates"]) + written["failed"]
    bad = CliRunner().invoke(
        app, ["reconcile", study, "M1", "--data", str(tmp_path / "panel.csv"), *given, "--sample", "drop table x"]
    )
    assert bad.exit_code == 1
    assert "CP-STUDY-SQL" in bad.output
    assert "--sample" in bad.output
    panel().assign(is_simulated=True).to_csv(tmp_path / "panel.csv", index=False)
    refused = CliRunner().invoke(app, ["reconcile", study, "M1", "--data", str(tmp_path / "panel.csv"), *given])
    assert refused.exit_code == 1
    assert "CP-RECONCILE-SIMULATED" in refused.output
