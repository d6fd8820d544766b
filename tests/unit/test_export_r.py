"""Exports for R: the exported data give our numbers again, and the scripts are run where R is."""

from __future__ import annotations

import io
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.estimators.iv import fit_iv
from analysis_py.estimators.poisson import fit_poisson
from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.twfe import fit_twfe
from analysis_py.export.equation import CONSTANT, Equation, Export
from analysis_py.export.names import Names
from analysis_py.export.preparation import ENTERED, GROUP
from analysis_py.export.r_fixest import fixest_formula
from analysis_py.export.scales import fixest_choice
from analysis_py.export.writing import export_files
from analysis_py.panels.panel import FramePanel
from analysis_py.runner import run_study
from tests.unit.export_case import (
    every_model,
    export_row,
    models_of,
    row_of,
    run_r,
    small_study,
    study_in,
    uneven_panel,
    write_all,
)

TEXT = every_model()
IDS = models_of(TEXT)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Export]:
    """Every model of the battery, exported."""
    study = study_in(tmp_path_factory.mktemp("battery"), TEXT)
    return {name: export_row(study, name) for name in IDS}


def test_every_script_runs_in_base_r(exports: dict[str, Export], tmp_path: Path) -> None:
    scripts = [write_all(tmp_path, export, "R").name for export in exports.values()]
    said = run_r(tmp_path, scripts)
    assert said.count("numbers agree with carbonpanel") == len(IDS)


@pytest.mark.parametrize("name", ["ls_reghdfe_cluster", "threshold_xthreg_2", "describe", "groups_reghdfe_cluster"])
def test_a_changed_number_stops_the_script(exports: dict[str, Export], name: str, tmp_path: Path) -> None:
    write_all(tmp_path, exports[name], "R")
    data = pd.read_csv(tmp_path / f"{name}.csv")
    data["AI"] = data["AI"] + 1e-4 * np.arange(len(data)) % 7
    data.to_csv(tmp_path / f"{name}.csv", index=False)
    with pytest.raises(AssertionError, match="is not TRUE"):
        run_r(tmp_path, [f"{name}.R"])


def test_a_script_finds_its_data_from_elsewhere(exports: dict[str, Export], tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    script = write_all(folder, exports["ls_xtreg_iid"], "R")
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not on this machine")
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C"}
    done = subprocess.run(
        ["Rscript", str(script)], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
    )
    assert "8 numbers agree with carbonpanel" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("name", [n for n in IDS if n != "describe" and "hansen" not in n])
def test_exported_rows_give_the_number_again(name: str, exports: dict[str, Export]) -> None:
    """The CSV is read again and every equation fitted on it by us: terms are columns now."""
    export = exports[name]
    data = _read_again(export)
    for part in export.parts:
        q = data[export.names[part.variable]]
        inside = (q > (-np.inf if part.low is None else part.low)) & (q < (np.inf if part.high is None else part.high))
        data[export.names[part.label]] = data[export.names[part.term]] * inside
    for equation in export.equations:
        rows = data if equation.group is None else data[data[export.names[GROUP]] == equation.group]
        result = _fit_again(export, equation, rows.reset_index(drop=True))
        assert result.n_obs == equation.n_obs
        for expected in equation.expected:
            at = result.terms.index(export.names[expected.term] if expected.term != CONSTANT else CONSTANT)
            assert result.estimate[at] == pytest.approx(expected.estimate, rel=1e-8, abs=1e-10)
            assert result.std_error[at] == pytest.approx(expected.std_error, rel=1e-8, abs=1e-12)


def _read_again(export: Export) -> pd.DataFrame:
    content = export_files(export, "R")[f"{export.file_stem}.csv"]
    return pd.read_csv(io.BytesIO(content), float_precision="round_trip")


def _fit_again(export: Export, equation: Equation, data: pd.DataFrame) -> RegressionResult:
    def name(text: str) -> str:
        return "^".join(export.names[part] for part in text.split("^"))

    spec, names = equation.covariance, export.names
    options = tuple((k, names[str(v)] if k in ("lon", "lat", "boot_by") else v) for k, v in spec.options)
    common: dict[str, Any] = {
        "outcome": names[equation.outcome],
        "fixed_effects": [name(e) for e in export.model.fixed_effects],
        "covariance": replace(spec, by=tuple(name(c) for c in spec.by), options=options),
        "convention": equation.convention,
        "unit": "city",
        "time": "year",
        "weights": names[export.model.weights] if export.model.weights else None,
    }
    regressors = [names[t] for t in equation.regressors]
    if equation.estimator == "iv":
        return fit_iv(
            data,
            endogenous=[names[t] for t in equation.endogenous],
            instruments=[names[z] for z in equation.instruments],
            exogenous=regressors,
            silent=[names[s] for s in equation.silent],
            method=equation.method,
            k=equation.k,
            small=bool(equation.small["small"]),
            **common,
        ).main
    fit = fit_poisson if equation.estimator == "poisson" else fit_twfe
    return fit(data, regressors=regressors, **common)


FIXEST = [
    n
    for n in IDS
    if n.split("_")[-1] in ("iid", "hc1", "cluster", "province", "wild", "reghdfe", "fixest", "xtreg", "two")
    and n.startswith(("ls_", "iv_", "count_", "crossed_", "weights_", "unit_", "groups_xtreg"))
    and not n.startswith("weights_hc3")
]


@pytest.mark.filterwarnings("ignore:.*singleton fixed effect")
@pytest.mark.parametrize("name", [n for n in FIXEST if not n.startswith("iv_") or not n.endswith("_two")])
def test_fixest_formula_through_pyfixest(name: str, exports: dict[str, Export]) -> None:
    """pyfixest takes fixest's formulas. Its errors are asked for without factors, which are then the script's own:
    1 / (N - K) or the sandwich factor, and fixest's own times the ratio that the script writes down."""
    import pyfixest

    export = exports[name]
    equation = export.equations[0]
    assert len(equation.endogenous) < 2, "pyfixest takes one endogenous variable"
    data = _read_again(export).iloc[equation.used].reset_index(drop=True)
    weights = export.names[export.model.weights] if export.model.weights else None
    if weights:
        data[weights] = data[weights] / data[weights].mean()
    formula = fixest_formula(export, equation)
    common = {"data": data, "ssc": pyfixest.ssc(k_adj=False, G_adj=False), "fixef_rm": "none"}
    if equation.estimator == "poisson":
        assert not weights, "pyfixest's fepois takes no weights"
        fit = pyfixest.fepois(formula, vcov="hetero", iwls_tol=1e-12, **common)
    else:
        fit = pyfixest.feols(formula, vcov="hetero", weights=weights, **common)
    found = dict(zip(fit._coefnames, fit._beta_hat, strict=True))
    wanted = [e for e in equation.expected if e.term != CONSTANT]
    for expected in wanted:
        assert found[export.names[expected.term]] == pytest.approx(expected.estimate, rel=1e-6, abs=1e-7)
    spec = equation.covariance
    if spec.type == "hc1" or (spec.type in ("cluster", "wild") and len(spec.by) == 1 and "^" not in spec.by[0]):
        how = "hetero" if spec.type == "hc1" else {"CRV1": export.names[spec.by[0]]}
        fit.vcov(how)
        errors = np.sqrt(np.diag(fit._vcov) * _undone(fit, equation) * equation.factor)
        got = dict(zip(fit._coefnames, errors, strict=True))
        for expected in wanted:
            assert got[export.names[expected.term]] == pytest.approx(expected.std_error, rel=2e-5)


def _undone(fit: object, equation: Equation) -> float:
    """What takes pyfixest's remaining factor away: its hetero errors keep N/(N-1) without adjustments."""
    factor = getattr(fit, "_ssc", 1.0)
    return 1.0 / float(np.asarray(factor).ravel()[0])


@pytest.mark.parametrize("name", [n for n in FIXEST if n.startswith(("ls_", "unit_"))])
def test_ratio_to_fixest_is_that_of_the_fixest_convention(name: str, exports: dict[str, Export]) -> None:
    """The ratio in the script turns what the convention ``fixest`` gives on the same rows into our number."""
    export = exports[name]
    equation = export.equations[0]
    choice = fixest_choice(export.table, equation)
    assert choice is not None
    rule, ratio = choice
    rows = _read_again(export).iloc[equation.used].reset_index(drop=True)
    found = _fit_again(export, replace(equation, convention="fixest"), rows)
    if rule == "full":
        assert equation.convention in ("areg", "plain", "xtreg")
        return
    at = found.terms.index("AI")
    ours = next(e for e in equation.expected if e.term == "AI")
    assert found.std_error[at] * np.sqrt(ratio) == pytest.approx(ours.std_error, rel=1e-8)


def test_same_bytes_twice(tmp_path: Path) -> None:
    study = study_in(tmp_path, TEXT)
    for name in ("terms", "threshold_hansen_2", "groups_median_reghdfe", "mechanism_xtreg", "describe"):
        for program in ("do", "R"):
            first = export_files(export_row(study, name), program)
            again = export_files(export_row(study, name), program)
            assert first == again
            one = export_row(study, name)
            assert export_files(one, program) == export_files(one, program)


def test_rows_before_singletons_go(exports: dict[str, Export]) -> None:
    """All complete rows are exported, also the two that reghdfe will drop, and those Poisson separates."""
    export = exports["ls_reghdfe_hc1"]
    assert export.run.n_singletons_dropped == 2
    assert len(export.table) == export.equations[0].n_obs + 2 == len(uneven_panel())
    counts = exports["count_reghdfe_hc1"]
    assert len(counts.table) > counts.equations[0].n_obs + 2


def test_chinese_columns_keep_their_spelling(exports: dict[str, Export]) -> None:
    export = exports["ls_xtreg_province"]
    assert "人口密度" in export.names.mapping
    for program in ("do", "R"):
        script = export_files(export, program)[f"{export.file_stem}.{program}"].decode()
        code = [line for line in script.splitlines() if not line.startswith(("*", "#"))]
        assert all(line.isascii() for line in code)
        assert "人口密度" in script


def test_names_that_collide() -> None:
    long = "a" * 40
    labels = [
        "L.AI",
        "L_AI",
        "l_ai",
        f"{long}1",
        f"{long}2",
        "if",
        "str5",
        "_cons",
        "2nd",
        "碳",
        "碳排放",
        "GDP (亿元)",
        "a-b",
    ]
    names = Names(labels)
    made = [names[label] for label in labels]
    assert len({m.lower() for m in made}) == len(made)
    assert all(len(m) <= 32 and m.isascii() and m[0].isalpha() for m in made)
    assert made[:3] == ["L_AI", "L_AI_2", "l_ai_3"]
    assert names["GDP (亿元)"] == "GDP"
    assert "if" not in made
    assert names["2nd"] == "v_2nd"


def test_observed_twin_and_conventions(tmp_path: Path) -> None:
    frame = uneven_panel().rename(columns={"AI": "AI_reported"})
    fill = np.arange(len(frame)) % 10 == 0
    frame["AI"] = frame["AI_reported"]
    frame.loc[fill, "AI_reported"] = np.nan
    frame["AI_fill"] = np.where(fill, "linear", "observed")
    study = small_study(
        tmp_path,
        """\
        models:
          - id: A
            outcome: y
            treatment: [AI]
            convention: xtreg
            covariance: iid
            conventions: [published, clustered, reghdfe]
        """,
    )
    run = run_study(study, FramePanel(frame))
    scripts = []
    for expected in run.models:
        export = export_row(study, expected.id, frame)
        assert export.run.coefficients == expected.coefficients
        assert export.equations[0].n_obs == expected.n_obs
        scripts.append(write_all(tmp_path, export, "R").name)
    assert [m.id for m in run.models] == ["A", "A:clustered", "A:reghdfe", "A:observed"]
    assert row_of(study, "A:observed").fill == "observed"
    run_r(tmp_path, scripts)


def test_a_dropped_term_is_said(tmp_path: Path) -> None:
    frame = uneven_panel().assign(twice=lambda f: 2 * f["POP"])
    study = small_study(tmp_path, "models:\n  - {id: A, outcome: y, treatment: [AI], controls: [POP, twice]}\n")
    export = export_row(study, "A", frame)
    assert export.equations[0].regressors == ("AI", "POP")
    assert "'twice' dropped" in export_files(export, "R")["A.R"].decode()
    run_r(tmp_path, [write_all(tmp_path, export, "R").name])


def test_columns_called_as_ours_are(tmp_path: Path) -> None:
    """A user's own `group`, `d` and `w` beside the columns and objects of the scripts."""
    frame = uneven_panel().rename(columns={"region": "group", "AI": "d", "POP": "X", "w2": "w_", "q": "data"})
    study = small_study(
        tmp_path,
        """\
        models:
          - id: A
            estimator: heterogeneity
            outcome: y
            treatment: [d]
            controls: [X, data]
            covariance: {type: cluster, by: [group^year]}
            split: {by: group, tests: [interaction]}
        """,
    )
    export = export_row(study, "A", frame)
    assert export.names[GROUP] == "group_2"
    assert "if group_2 == 3" in export_files(export, "do")["A.do"].decode()
    run_r(tmp_path, [write_all(tmp_path, export, "R").name])


def test_poisson_with_rows_that_regressors_separate(tmp_path: Path) -> None:
    frame = uneven_panel()
    frame["flag"] = ((frame["year"] == 2006) & (frame["lon"] > 101)).astype(float)
    frame.loc[frame["flag"] == 1, "count"] = 0
    study = small_study(
        tmp_path, "models:\n  - {id: A, estimator: poisson, outcome: count, treatment: [AI], controls: [flag]}\n"
    )
    export = export_row(study, "A", frame)
    assert ENTERED in export.table
    assert "keep if entered == 1" in export_files(export, "do")["A.do"].decode()
    run_r(tmp_path, [write_all(tmp_path, export, "R").name])


_AGAINST = """
for (name in c("ls_reghdfe_hc2", "ls_reghdfe_hc3", "ls_reghdfe_cr2", "ls_reghdfe_cr3")) {
  own <- new.env(parent = globalenv())
  source(paste0(name, ".R"), local = own)
  d <- own$d
  kind <- toupper(sub(".*_", "", name))
  m <- lm(own$d$y ~ own$X + factor(d$city) + factor(d$year))
  if (kind == "CR2") V <- as.matrix(clubSandwich::vcovCR(m, d$city, type = "CR2"))
  if (kind %in% c("HC2", "HC3")) V <- sandwich::vcovHC(m, type = kind)
  if (kind == "CR3") {
    group <- as.character(d$PROVINCE)
    b <- sapply(unique(group), function(g) {
      s <- group != g
      coef(lm(d$y[s] ~ own$X[s, ] + factor(d$city[s]) + factor(d$year[s])))[2:4]
    })
    V <- rbind(0, cbind(0, tcrossprod(b - coef(m)[2:4]) * (ncol(b) - 1) / ncol(b)))
  }
  stopifnot(abs(sqrt(diag(V)[2:4]) / sqrt(diag(own$V)[1:3]) - 1) < 1e-8)
  cat("agrees:", kind, "\\n")
}
"""


def test_formulas_against_packages_of_r(exports: dict[str, Export], tmp_path: Path) -> None:
    """HC2 and HC3 against sandwich, CR2 against clubSandwich, CR3 against one fit for each cluster left out."""
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not on this machine")
    have = 'cat(all(sapply(c("sandwich", "clubSandwich"), requireNamespace, quietly = TRUE)))'
    if "TRUE" not in subprocess.run(["Rscript", "-e", have], capture_output=True, text=True, check=False).stdout:
        pytest.skip("R has no sandwich or no clubSandwich here")
    for name in ("ls_reghdfe_hc2", "ls_reghdfe_hc3", "ls_reghdfe_cr2", "ls_reghdfe_cr3"):
        write_all(tmp_path, exports[name], "R")
    province = exports["ls_reghdfe_cr3"].names["省份"]
    (tmp_path / "against.R").write_text(_AGAINST.replace("PROVINCE", province), encoding="utf-8")
    assert run_r(tmp_path, ["against.R"]).count("agrees:") == 4
