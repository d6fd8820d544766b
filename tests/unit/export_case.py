"""Made data and studies for the tests of exports: every estimator, convention and covariance on an uneven panel."""

from __future__ import annotations

import shutil
import subprocess
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis_py.export.equation import Export
from analysis_py.export.lookup import rows_of
from analysis_py.export.writing import export_files, prepare_export
from analysis_py.panels.panel import FramePanel
from analysis_py.study import Model, Study, load_study

NO_R = "Rscript is not on this machine: the R scripts of exports are not run"


def uneven_panel(seed: int = 5) -> pd.DataFrame:
    """60 units of up to 9 years with holes and two singletons; columns of every kind, some with awkward names."""
    rng = np.random.default_rng(seed)
    unit, year = (v.ravel() for v in np.meshgrid(np.arange(60), np.arange(2004, 2013), indexing="ij"))
    keep = (rng.random(len(unit)) > 0.15) | (unit < 3)
    keep &= ~((unit >= 58) & (year > 2004))
    unit, year = unit[keep], year[keep]
    n = len(unit)
    effect = rng.normal(size=60)[unit] + 0.2 * (year - 2004)
    z, z2 = rng.normal(size=n), rng.normal(size=n)
    shock = rng.normal(size=n)
    ai = 0.6 * z + 0.3 * z2 + 0.5 * effect + 0.5 * shock + rng.normal(size=n)
    other = 0.4 * z2 - 0.2 * z + 0.3 * shock + rng.normal(size=n)
    control, moderator = rng.normal(size=n), rng.normal(2.0, 1.0, n)
    q = rng.gamma(2.0, 1.0, n)
    slope = np.where(q > 2.0, 1.2, 0.3)
    y = slope * ai + 0.4 * control + 0.2 * ai * moderator + effect + shock + rng.normal(size=n)
    mediator = 0.5 * ai + 0.3 * control + effect + rng.normal(size=n)
    return pd.DataFrame(
        {
            "city": [f"c{u:02d}" for u in unit],
            "year": year,
            "y": y + 0.4 * mediator,
            "AI": ai,
            "AI2": other,
            "POP": control,
            "人口密度": rng.normal(size=n),
            "ER": moderator,
            "q": q,
            "z": z,
            "z2": z2,
            "z3": 0.5 * z + rng.normal(size=n),
            "m": mediator,
            "count": rng.poisson(np.exp(np.clip(0.3 * ai + 0.2 * control + 0.5 * effect, None, 3)) * (unit != 7)),
            "省份": [f"省{u // 6}" for u in unit],
            "region": [("east", "中部", "west")[u % 3] for u in unit],
            "is_big": unit % 2 == 0,
            "w": 0.5 + (unit % 5) / 4,
            "w2": rng.uniform(0.5, 2.0, n),
            "lon": 100 + 0.3 * (unit % 8),
            "lat": 30 + 0.4 * (unit // 8),
        }
    )


HEAD = "study: trial\nunit: city\ntime: year\n"
_COVARIANCES = {
    "iid": "iid",
    "hc1": "hc1",
    "hc2": "hc2",
    "hc3": "hc3",
    "cluster": "{type: cluster, by: [city]}",
    "province": "{type: cluster, by: [省份]}",
    "twoway": "{type: cluster, by: [city, year]}",
    "crossed": "{type: cluster, by: [region^year]}",
    "cr2": "{type: cr2, by: [city]}",
    "cr3": "{type: cr3, by: [省份]}",
    "wild": "{type: wild, by: [city], draws: 99, seed: 1}",
    "conley": "{type: conley, lon: lon, lat: lat, cutoff_km: 60}",
    "dk": "{type: driscoll_kraay, lag: 2}",
}
_FEW = ("iid", "hc1", "cluster", "twoway", "conley", "dk")


def every_model() -> str:
    """The text of a study with a model for each estimator, convention and covariance."""
    lines = ["models:"]

    def add(name: str, body: str) -> None:
        lines.append(f"  - {{id: {name}, {body}}}")

    base = "outcome: y, treatment: [AI], controls: [POP, 人口密度]"
    for convention in ("xtreg", "areg", "reghdfe", "fixest", "plain"):
        for name, covariance in _COVARIANCES.items():
            add(f"ls_{convention}_{name}", f"{base}, convention: {convention}, covariance: {covariance}")
        for name in _FEW:
            add(
                f"count_{convention}_{name}",
                f"estimator: poisson, outcome: count, treatment: [AI], controls: [POP], convention: {convention},"
                f" covariance: {_COVARIANCES[name]}",
            )
        add(f"weights_{convention}", f"{base}, convention: {convention}, weights: w2, covariance: hc1")
        add(f"weights_hc3_{convention}", f"{base}, convention: {convention}, weights: w, covariance: hc3")
        add(f"crossed_{convention}", f"{base}, convention: {convention}, fixed_effects: [city, 省份^year]")
        add(f"unit_{convention}", f"{base}, convention: {convention}, fixed_effects: [city], covariance: iid")
        add(f"nested_{convention}", f"{base}, convention: {convention}, fixed_effects: [year, 省份, city]")
    for name in ("iid", "hc1", "hc3", "cluster", "twoway", "cr2"):
        add(f"pooled_{name}", f"{base}, fixed_effects: [], covariance: {_COVARIANCES[name]}")
    add("count_pooled", "estimator: poisson, outcome: count, treatment: [AI], fixed_effects: [], covariance: hc1")
    add("count_weights", "estimator: poisson, outcome: count, treatment: [AI], weights: w, covariance: hc1")
    terms = "outcome: y, treatment: [L.AI, i.region*AI], controls: ['ln(q)', '`人口密度`']"
    add("terms", f"{terms}, sample: 'year > 2005', winsor: {{columns: [y], limits: [1, 99]}}")
    for convention in ("ivreg2", "xtivreg2", "ivreghdfe", "ivregress"):
        iv = f"estimator: iv, outcome: y, controls: [POP], convention: {convention}"
        for name in _FEW:
            add(
                f"iv_{convention}_{name}",
                f"{iv}, endogenous: [AI], instruments: [z, z3], covariance: {_COVARIANCES[name]}",
            )
        for method in ("liml", "fuller", "kclass"):
            k = ", k: 0.9" if method == "kclass" else ""
            add(
                f"iv_{convention}_{method}",
                f"{iv}, endogenous: [AI], instruments: [z, z3], iv: {{method: {method}{k}}}, covariance: hc1",
            )
        add(f"iv_{convention}_two", f"{iv}, endogenous: [AI, AI2], instruments: [z, z2, z3], weights: w2")
        add(f"iv_{convention}_pooled", f"{iv}, endogenous: [AI], instruments: [z], fixed_effects: [], covariance: iid")
    exactly = "estimator: iv, outcome: y, endogenous: [AI], instruments: [z], controls: [POP]"
    add("iv_small", f"{exactly}, convention: ivreg2, iv: {{small: true}}")
    add("iv_large", f"{exactly}, convention: ivreghdfe, iv: {{small: false}}")
    add("iv_initial", f"{exactly}, iv: {{initial_conditions: [POP]}}")
    for convention in ("xthreg", "hansen", "reghdfe", "areg"):
        for count in (1, 2, 3):
            trim = "[0.05]" if count == 1 else f"[{', '.join(['0.05'] * count)}]"
            add(
                f"threshold_{convention}_{count}",
                "estimator: threshold, outcome: y, treatment: [AI], controls: [POP], covariance: iid,"
                f" convention: {convention},"
                f" threshold: {{variable: q, count: {count}, grid: 60, trim: {trim}, bootstrap: [0]}}",
            )
        add(
            f"threshold_{convention}_terms",
            f"estimator: threshold, outcome: y, treatment: [AI, POP], controls: [m], convention: {convention},"
            " threshold: {variable: L.q, regime_terms: [AI, POP], grid: all, bootstrap: [0]}",
        )
    one = "estimator: threshold, outcome: y, treatment: [AI], controls: [POP]"
    add("threshold_points", f"{one}, threshold: {{variable: q, points: observations, grid: 50, bootstrap: [0]}}")
    add("threshold_given", f"{one}, threshold: {{variable: q, given: [1.5, 2.5]}}, covariance: hc1")
    add("threshold_weights", f"{one}, weights: w2, threshold: {{variable: q, grid: 50, bootstrap: [0]}}")
    add(
        "threshold_hansen_hc1",
        f"{one}, convention: hansen, covariance: hc1, threshold: {{variable: q, bootstrap: [0]}}",
    )
    for convention in ("xtreg", "reghdfe"):
        moderation = f"estimator: moderation, {base}, convention: {convention}"
        add(f"moderation_{convention}", f"{moderation}, moderator: ER")
        add(f"moderation_centred_{convention}", f"{moderation}, moderator: ER, centre: mean, covariance: hc1")
        add(f"moderation_two_{convention}", f"{moderation}, moderator: [ER, q], margins: {{at: [1, 2]}}")
        for covariance in ("iid", "hc1", "cluster", "hc3"):
            add(
                f"groups_{convention}_{covariance}",
                f"estimator: heterogeneity, {base}, convention: {convention}, covariance: {_COVARIANCES[covariance]},"
                " split: {by: region, tests: [interaction, chow]}",
            )
        add(
            f"groups_median_{convention}",
            f"estimator: heterogeneity, {base}, convention: {convention},"
            " split: {by: q, at: median, interact: treatment}",
        )
        add(
            f"mechanism_{convention}",
            f"estimator: mechanism, {base}, convention: {convention},"
            " mechanism: {mediators: [m, ER], methods: [two_step, gelbach, indirect, three_step], draws: 20}",
        )
    add("groups_pooled", f"estimator: heterogeneity, {base}, fixed_effects: [], split: {{by: is_big, tests: [chow]}}")
    add("describe", "estimator: descriptive, columns: [y, AI, L.AI, 人口密度]")
    return HEAD + "\n".join(lines) + "\n"


def study_in(folder: Path, text: str) -> Study:
    path = folder / "trial.yml"
    path.write_text(text, encoding="utf-8")
    return load_study(path)


def models_of(text: str) -> list[str]:
    """The ids in the text of a study."""
    return [line.split("id: ")[1].split(",")[0] for line in text.splitlines() if "- {id:" in line]


def row_of(study: Study, name: str) -> Model:
    return next(row for model in study.models for row in rows_of(model) if row.id == name)


def export_row(study: Study, name: str, frame: pd.DataFrame | None = None) -> Export:
    return prepare_export(study, row_of(study, name), FramePanel(uneven_panel() if frame is None else frame))


def small_study(folder: Path, body: str) -> Study:
    return study_in(folder, HEAD + textwrap.dedent(body))


def write_all(folder: Path, export: Export, program: str) -> Path:
    """The files of an export in a folder; the script's path."""
    path = folder
    for name, content in export_files(export, program).items():
        path = folder / name
        path.write_bytes(content)
    return path


def run_r(folder: Path, scripts: list[str]) -> str:
    """Run R scripts of a folder in one process; what they print. Skips where there is no R."""
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip(NO_R)
    driver = folder / "all_scripts.R"
    lines = [
        f'cat("script {name}\\n"); source("{name}", local = new.env(parent = globalenv()), encoding = "UTF-8")'
        for name in scripts
    ]
    driver.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run(
        [program, "--vanilla", driver.name], cwd=folder, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-3000:]
    return done.stdout
