"""Bad designs are explained, not crashed on: each is a named error or a warned result, through study files.

Every case says what is wrong with the panel or the model and what the run must say of it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.fits.run_record import ModelRun
from analysis_py.panels.panel import FramePanel
from analysis_py.runner import run_study
from tests.unit.study_case import small_panel, study_of

Change = Callable[[pd.DataFrame], pd.DataFrame]


def estimate(folder: Path, model: str, change: Change | None = None) -> ModelRun:
    """One model ``M`` on the small panel, changed."""
    study = study_of(folder, f"models:\n  - {{id: M, outcome: CP, {model}}}\n")
    frame = small_panel() if change is None else change(small_panel())
    return run_study(study, FramePanel(frame)).models[0]


def only(condition: str) -> Change:
    return lambda d: d.query(condition).reset_index(drop=True)


def put(**columns: Any) -> Change:
    return lambda d: d.assign(**columns)


def spoil(column: str, value: float | str, rows: int = 3) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype({column: object}) if isinstance(value, str) else frame
        frame.loc[: rows - 1, column] = value
        return frame

    return change


AI = "treatment: [AI]"
CITY = "{type: cluster, by: [city]}"

#: name -> (model, change of the panel, error code, words of the message)
FAILED: dict[str, tuple[str, Change | None, str, str]] = {
    "one cluster": (
        f"{AI}, covariance: {{type: cluster, by: [one]}}",
        put(one="x"),
        "CP-EST-CLUSTERS",
        "single cluster",
    ),
    "one cluster, cr2": (f"{AI}, covariance: {{type: cr2, by: [one]}}", put(one="x"), "CP-EST-CLUSTERS", "single"),
    "one cluster, wild": (f"{AI}, covariance: {{type: wild, by: [one]}}", put(one="x"), "CP-EST-CLUSTERS", "single"),
    "one city": (
        f"{AI}, covariance: {CITY}, fixed_effects: [city]",
        only("city == 'c00'"),
        "CP-EST-CLUSTERS",
        "single cluster",
    ),
    "all singletons": (AI, lambda d: d.drop_duplicates("city"), "CP-EST-EMPTY", "every row is a singleton"),
    "singletons of an interaction": (
        f"{AI}, fixed_effects: ['city^year'], convention: reghdfe",
        None,
        "CP-EST-EMPTY",
        "every row is a singleton",
    ),
    "constant treatment": ("treatment: [K]", put(K=3.0), "CP-EST-NOTHING-LEFT", "'K' is constant"),
    "treatment absorbed by the city": (
        "treatment: [K]",
        put(K=lambda d: d.city.str[1:].astype(float)),
        "CP-EST-NOTHING-LEFT",
        "'K' is absorbed by the fixed effects",
    ),
    "treatment absorbed by the year": (
        "treatment: [K]",
        put(K=lambda d: (d.year > 2003) * 1.0),
        "CP-EST-NOTHING-LEFT",
        "'K' is absorbed",
    ),
    "constant outcome": (AI, put(CP=1.0), "CP-EST-CONSTANT", "'CP' is constant"),
    "outcome absorbed": (AI, put(CP=lambda d: d.year * 1.0), "CP-EST-CONSTANT", "does not vary within"),
    "every outcome infinite": (AI, put(CP=np.inf), "CP-EST-EMPTY", "missing CP"),
    "nothing left of the sample": (f"{AI}, sample: 'AI > 1e6'", None, "CP-EST-EMPTY", "no row satisfies"),
    "a lag of the only year": ("treatment: [L.AI]", only("year == 2003"), "CP-EST-EMPTY", "missing L.AI"),
    "a lag longer than the panel": ("treatment: [L9.AI]", None, "CP-EST-EMPTY", "missing L9.AI"),
    "a lag where years alternate": ("treatment: [L.AI]", only("year % 2 == 1"), "CP-EST-EMPTY", "missing L.AI"),
    "more parameters than rows": (
        f"{AI}, convention: fixest",
        only("(city == 'c00' and year < 2003) or (city == 'c01' and year < 2003)"),
        "CP-EST-TOO-FEW",
        "cannot identify",
    ),
    "zero weights": (f"{AI}, weights: w", put(w=0.0), "CP-EST-EMPTY", "zero w"),
    "cr2 by two variables": (
        f"{AI}, covariance: {{type: cr2, by: [city, year]}}",
        None,
        "CP-STUDY-VALUE",
        "one cluster",
    ),
    "wild of two draws": (f"{AI}, covariance: {{type: wild, draws: 2}}", None, "CP-STUDY-VALUE", "at least 99"),
    "unknown weights of draws": (
        f"{AI}, covariance: {{type: wild, distribution: webs}}",
        None,
        "CP-STUDY-VALUE",
        "rademacher, webb",
    ),
    "draws by another variable": (
        f"{AI}, covariance: {{type: wild, boot_by: year}}",
        None,
        "CP-EST-COVARIANCE",
        "not one of the cluster variables",
    ),
    "a text column": (AI, spoil("AI", "many"), "CP-STUDY-TEXT", "many"),
    "text for an outcome": (AI, spoil("CP", "n/a?"), "CP-STUDY-TEXT", "n/a?"),
    "repeated city-years": (AI, lambda d: pd.concat([d, d.head(2)]), "CP-PANEL-DUPLICATE", "c00"),
    "negative counts": (f"{AI}, estimator: poisson", put(CP=-1.0), "CP-EST-COUNT", "from zero"),
    "counts that are all zero": (f"{AI}, estimator: poisson", put(CP=0.0), "CP-EST-COUNT", "zero in every row"),
    "cr2 of counts": (
        f"{AI}, estimator: poisson, covariance: {{type: cr2}}",
        put(CP=lambda d: d.CP.abs().round()),
        "CP-EST-COVARIANCE",
        "not defined for Poisson",
    ),
    "driscoll-kraay of one year": (
        f"{AI}, covariance: driscoll_kraay, fixed_effects: []",
        only("year == 2003"),
        "CP-EST-CLUSTERS",
        "single",
    ),
    "a city far away": (
        f"{AI}, covariance: {{type: conley, lon: x, lat: y2, cutoff_km: 100}}",
        put(x=100.0, y2=95.0),
        "CP-EST-COVARIANCE",
        "latitude 95",
    ),
    "a treatment of 1e-300": ("treatment: [K]", put(K=lambda d: d.AI * 1e-300), "CP-EST-SCALE", "'K' is"),
    "an outcome of 1e300": (AI, put(CP=lambda d: d.CP * 1e300), "CP-EST-SCALE", "'CP' is"),
    "an instrument of 1e200": (
        "estimator: iv, endogenous: [AI], instruments: [K]",
        put(K=lambda d: d.POP * 1e200),
        "CP-EST-SCALE",
        "'K' is",
    ),
    "a mediator of 1e-200": (
        f"{AI}, estimator: mechanism, mechanism: {{mediators: [K]}}",
        put(K=lambda d: d.POP * 1e-200),
        "CP-EST-SCALE",
        "'K' is",
    ),
    "a regressor called _cons": (f"{AI}, controls: [_cons]", put(_cons=lambda d: d.POP), "CP-STUDY-TERM", "_cons"),
    "cities of two spellings": (
        AI,
        put(city=lambda d: d.city.where(d.year > 2003, d.city + " ")),
        "CP-PANEL-BLANKS",
        "'c00 ' and 'c00' differ",
    ),
    "brackets that do not match": (f"{AI}, sample: 'AI > 0) or (POP > 0'", None, "CP-STUDY-SQL", "syntax error"),
    "a grid in words": (
        f"{AI}, estimator: threshold, threshold: {{variable: POP, grid: fine}}",
        None,
        "CP-STUDY-TYPE",
        "or all",
    ),
    "negative draws": (
        f"{AI}, estimator: threshold, threshold: {{variable: POP, bootstrap: [-5]}}",
        None,
        "CP-STUDY-TYPE",
        "item 1 of 'bootstrap' must be a whole number",
    ),
}

#: name -> (model, change of the panel, words of the message)
WARNED: dict[str, tuple[str, Change | None, str]] = {
    "collinear control": (
        f"{AI}, controls: [POP, twice]",
        put(twice=lambda d: 2 * d.POP - 1),
        "'twice' dropped: collinear",
    ),
    "control absorbed": (f"{AI}, controls: [K]", put(K=lambda d: d.year * 1.0), "'K' dropped: absorbed"),
    "constant control": (f"{AI}, controls: [K]", put(K=1.0), "'K' dropped: constant"),
    "dummies of every year": (f"{AI}, controls: [i.year]", None, "dropped: absorbed"),
    "infinite values": (AI, spoil("AI", np.inf), "3 infinite value(s) of AI count as missing"),
    "few clusters": (f"{AI}, covariance: {CITY}", None, "CR2, CR3 and the wild bootstrap stand beside"),
    "four clusters of a bootstrap": (f"{AI}, covariance: {{type: wild, by: [province]}}", None, "clusters"),
    "a treatment of one city": (
        f"treatment: [D], covariance: {CITY}",
        put(D=lambda d: ((d.city == "c03") & (d.year > 2004)) * 1.0),
        "'D' is one in only 1 clusters of 'city'",
    ),
    "a treatment of one city, cr2": (
        "treatment: [D], covariance: {type: cr2}",
        put(D=lambda d: ((d.city == "c03") & (d.year > 2004)) * 1.0),
        "fit a combination of the regressors by themselves",
    ),
    "an exact fit": (AI, put(CP=lambda d: 2 * d.AI + d.year), "fits exactly"),
    "logs of zeros": ("treatment: [log1p(AI)]", spoil("AI", 0.0), "taken of zeros too"),
    "logs of negative values": ("treatment: [ln(POP)]", None, "have no ln()"),
    "weights that vary within cities": (
        f"{AI}, weights: w, convention: xtreg",
        put(w=lambda d: d.year - 2000.0),
        "varies within 'city'",
    ),
    "hc1 under xtreg": (f"{AI}, covariance: hc1, convention: xtreg", None, "clusters by unit"),
    "counts with fractions": (f"{AI}, estimator: poisson", put(CP=lambda d: d.CP.abs()), "is not a count"),
    "a city of zeros": (
        f"{AI}, estimator: poisson",
        put(CP=lambda d: d.CP.abs().round() * (d.city != "c02")),
        "separated observation(s) dropped",
    ),
    "lags longer than the panel": (
        f"{AI}, covariance: {{type: driscoll_kraay, lag: 40}}",
        None,
        "lag 40 reaches over all 8 periods",
    ),
    "counts that are all one": (f"{AI}, estimator: poisson", put(CP=1.0), "fits exactly"),
    "an exact fit of instruments": (
        "estimator: iv, endogenous: [AI], instruments: [POP]",
        put(CP=lambda d: 2 * d.AI),
        "fits exactly",
    ),
    "a k-class beyond least squares": (
        "estimator: iv, endogenous: [AI], instruments: [POP, L.POP], iv: {method: fuller, fuller: 1000000}",
        None,
        "beyond least squares",
    ),
    "a bootstrap of one draw": (
        f"{AI}, estimator: threshold, threshold: {{variable: POP, bootstrap: [1]}}",
        None,
        "1 bootstrap draw(s)",
    ),
    "one permutation": (
        f"{AI}, estimator: heterogeneity, split: {{by: K, tests: [permutation], draws: 1}}",
        put(K=lambda d: (d.city < "c06") * 1),
        "1 permutation(s)",
    ),
    "a group of one city": (
        f"{AI}, estimator: heterogeneity, split: {{by: K, tests: [interaction, chow]}}",
        put(K=lambda d: (d.city == "c03") * 1),
        "were not run: interaction, chow",
    ),
}


@pytest.mark.parametrize("name", FAILED)
def test_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    """Failed models carry code, reason and remedy; what the study itself gets wrong stops the run with its place."""
    model, change, code, words = FAILED[name]
    try:
        run = estimate(tmp_path, model, change)
    except CarbonpanelError as error:
        assert error.code == code
        assert words in str(error)
        return
    assert run.status == "failed"
    assert run.message is not None
    assert run.message.startswith(f"{code}: ")
    assert words in run.message
    assert run.coefficients == ()


@pytest.mark.parametrize("name", WARNED)
def test_warned_with_a_result(name: str, tmp_path: Path) -> None:
    model, change, words = WARNED[name]
    run = estimate(tmp_path, model, change)
    assert run.status == "warned", run.message
    assert words in str(run.message)
    assert run.coefficients
    assert all(np.isfinite(c.estimate) for c in run.coefficients)


def test_a_gap_in_the_years_is_no_lag(tmp_path: Path) -> None:
    """The year after a gap has no lag: it is dropped and said, never given the value of the year before the gap."""
    run = estimate(tmp_path, "treatment: [L.AI], covariance: iid", only("year != 2004"))
    years = {time for _, time, reason in run.dropped if reason == "missing L.AI"}
    assert years == {"2001", "2005"}
    assert run.n_obs == 12 * (8 - 1 - 2)


def test_an_infinite_weight_is_named(tmp_path: Path) -> None:
    run = estimate(tmp_path, f"{AI}, weights: w", lambda d: spoil("w", np.inf)(d.assign(w=1.0)))
    assert run.status == "warned"
    assert "infinite value(s) of w count as missing" in str(run.message)


def test_separated_counts_leave_the_other_slope(tmp_path: Path) -> None:
    """A 0/1 treatment that is one at zeros alone has no finite estimate: its rows go, it is named, the rest stands."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame["CP"] = (frame.CP - frame.CP.median()).clip(lower=0).round()
        frame["D"] = ((frame.CP == 0) & (frame.index % 2 == 0)) * 1.0
        return frame

    run = estimate(tmp_path, "treatment: [AI, D], estimator: poisson", change)
    assert run.status == "warned"
    assert "separated observation(s) dropped" in str(run.message)
    assert run.dropped_terms == ("D",)
    assert [c.term for c in run.coefficients] == ["AI", "_cons"]
