"""Instrumental variables in a study file: rows and groups, options, warnings, and how tables of shares are read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.iv import fit_iv
from analysis_py.fits.iv_warnings import is_value_times_path
from analysis_py.fits.run_record import ModelRun, StudyRun
from analysis_py.panels.panel import FramePanel
from analysis_py.results import to_json
from analysis_py.runner import run_study
from tests.unit.study_case import estimate_of, model_of, study_of
from tests.unit.test_runner_frames import filled_panel

DEFAULTS = "defaults: {estimator: iv, outcome: CP, endogenous: [AI], instruments: [z], controls: [POP]}\n"


def panel(n_cities: int = 20, n_years: int = 8) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    city, year = np.repeat(np.arange(n_cities), n_years), np.tile(np.arange(2001, 2001 + n_years), n_cities)
    n = len(city)
    z, hidden, pop = rng.normal(size=n), rng.normal(size=n), rng.normal(size=n)
    tele = rng.uniform(1.0, 9.0, n_cities)[city]
    trend = np.array([1.0, 1.4, 1.5, 2.2, 2.1, 3.0, 3.3, 4.5])[year - 2001]
    ai = 0.8 * z + 0.2 * tele * trend + hidden + 0.1 * city
    return pd.DataFrame(
        {
            "city": [f"c{c:02d}" for c in city],
            "year": year,
            "CP": 0.5 * ai + 0.7 * hidden + 0.2 * pop + rng.normal(size=n) + 0.1 * city,
            "AI": ai,
            "POP": pop,
            "Gov": rng.normal(size=n) + 0.1 * city,
            "z": z,
            "tele": tele,
            "trend": trend,
            "product": tele * trend,
            "region": [f"r{c % 4}" for c in city],
            "group": city % 3,
        }
    )


def run(folder: Path, models: str, frame: pd.DataFrame | None = None, defaults: str = DEFAULTS) -> StudyRun:
    return run_study(study_of(folder, f"{defaults}models:\n{models}"), FramePanel(panel() if frame is None else frame))


def only(done: StudyRun) -> ModelRun:
    return done.models[0]


def diagnostic(model: ModelRun, test: str) -> float | None:
    return next(d.statistic for d in model.diagnostics if d.test == test)


def test_rows_and_groups(tmp_path: Path) -> None:
    done = run(tmp_path, "  - {id: M, covariance: hc1, instruments: [z, Gov]}\n")
    model = only(done)
    assert model.status in ("ok", "warned") and model.estimator == "iv"
    assert (model.convention, model.covariance) == ("ivreghdfe", "HC1")
    shown = [(c.group, c.term) for c in model.coefficients]
    assert shown == [
        (None, "AI"),
        (None, "POP"),
        ("first_stage:AI", "z"),
        ("first_stage:AI", "Gov"),
        ("first_stage:AI", "POP"),
        ("reduced_form", "z"),
        ("reduced_form", "Gov"),
        ("reduced_form", "POP"),
        ("anderson_rubin", "AI"),
    ]
    direct = fit_iv(
        panel(),
        outcome="CP",
        endogenous=["AI"],
        instruments=["z", "Gov"],
        exogenous=["POP"],
        fixed_effects=["city", "year"],
        covariance="hc1",
        convention="ivreghdfe",
        unit="city",
        time="year",
    )
    assert estimate_of(done, "M", "AI") == direct.main.coefficient("AI")
    assert estimate_of(done, "M", "z", "first_stage:AI") == direct.first_stages[0].coefficient("z")
    names = {d.test for d in model.diagnostics}
    assert names >= {
        "anderson_lm",
        "cragg_donald_f",
        "kleibergen_paap_rk_lm",
        "kleibergen_paap_rk_wald_f",
        "effective_f",
        "hansen_j",
        "endogeneity",
        "anderson_rubin",
        "first_stage_f",
    }
    json.dumps(to_json(done), allow_nan=False)
    assert model.dropped == () and model.n_obs == 160 and model.n_units == 20


def test_treatment_that_is_not_endogenous_is_a_control(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "  - {id: A, treatment: [AI, Gov]}\n  - {id: B, treatment: [AI], controls: [Gov, POP]}\n",
        defaults="defaults: {estimator: iv, outcome: CP, endogenous: [AI], instruments: [z], controls: [POP]}\n",
    )
    assert estimate_of(done, "A", "AI") == pytest.approx(estimate_of(done, "B", "AI"), rel=1e-12)
    assert [c.term for c in model_of(done, "A").coefficients if c.group is None] == ["AI", "Gov", "POP"]


def test_conventions_of_least_squares_have_counterparts(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "".join(f"  - {{id: {c}, convention: {c}}}\n" for c in ("xtreg", "areg", "reghdfe", "fixest", "plain"))
        + "  - {id: none, convention: xtreg, fixed_effects: []}\n  - {id: named, convention: ivregress}\n",
    )
    assert [m.convention for m in done.models] == [
        "xtivreg2",
        "ivreg2",
        "ivreghdfe",
        "ivreghdfe",
        "ivreg2",
        "ivreg2",
        "ivregress",
    ]
    assert any("'xtreg' belongs to least squares" in n for n in model_of(done, "xtreg").notes)
    assert not any("belongs to" in n for n in model_of(done, "named").notes)


def test_default_conventions(tmp_path: Path) -> None:
    done = run(tmp_path, "  - {id: A}\n  - {id: B, fixed_effects: []}\n")
    assert [m.convention for m in done.models] == ["ivreghdfe", "ivreg2"]
    assert all("convention: iv" in " ".join(m.notes) for m in done.models)


def test_small_and_methods(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """\
  - {id: large, convention: ivreg2, covariance: iid, instruments: [z, Gov]}
  - {id: small, convention: ivreg2, covariance: iid, instruments: [z, Gov], iv: {small: true}}
  - {id: liml, convention: ivreg2, covariance: iid, instruments: [z, Gov], iv: {method: liml}}
  - {id: fuller, convention: ivreg2, covariance: iid, instruments: [z, Gov], iv: {method: fuller, fuller: 4}}
  - {id: ols, convention: ivreg2, covariance: iid, instruments: [z, Gov], iv: {method: kclass, k: 0}}
""",
    )
    large, small = model_of(done, "large"), model_of(done, "small")
    assert large.coefficients[0].statistic_kind == "z" and small.coefficients[0].statistic_kind == "t"
    ratio = small.coefficients[0].std_error / large.coefficients[0].std_error
    assert ratio == pytest.approx(np.sqrt(160 / (160 - 2 - 27)))
    assert diagnostic(model_of(done, "liml"), "liml_eigenvalue") >= 1.0
    assert len({round(m.coefficients[0].estimate, 9) for m in done.models}) == 4


BAD_KEYS = [
    ("iv: {methd: liml}", "did you mean 'method'"),
    ("iv: {method: liiml}", "did you mean 'liml'"),
    ("iv: {method: kclass}", "needs its k"),
    ("iv: {k: 0.5}", "means nothing without method: kclass"),
    ("iv: {small: 1}", "true or false"),
    ("iv: {plausibly_exogenous: [z]}", "mapping of instruments"),
    ("iv: {plausibly_exogenous: {z: [2, 1]}}", "two rising numbers"),
    ("iv: {shift_share: {shocks: a.csv}}", "needs the key 'shares'"),
    ("iv: {shift_share: {shares: a.csv, were: {a: b}}}", "did you mean 'where'"),
]


@pytest.mark.parametrize(("text", "said"), BAD_KEYS)
def test_mistakes_under_iv_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        run(tmp_path, f"  - {{id: M, {text}}}\n")
    assert said in str(caught.value) and "line 6" in str(caught.value)


def test_iv_means_nothing_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(CarbonpanelError, match="means nothing to estimator 'twfe'"):
        run(tmp_path, "  - {id: M, estimator: twfe, treatment: [AI], iv: {small: true}}\n")


def test_unknown_instrument_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(CarbonpanelError, match="line 6") as caught:
        run(tmp_path, "  - {id: M, instruments: [zz]}\n")
    assert "there is no column 'zz'" in caught.value.what


FAILURES = [
    ("instruments: [POP]", "CP-EST-UNDERIDENTIFIED", "also a control"),
    ("instruments: [AI]", "CP-EST-SPEC", "its own instrument"),
    ("instruments: [tele]", "CP-EST-UNDERIDENTIFIED", "absorbed by the fixed effects"),
    ("endogenous: [AI, Gov]", "CP-EST-UNDERIDENTIFIED", "1 usable instrument(s) for 2"),
    ("sample: year > 3000", "CP-EST-EMPTY", "no row satisfies"),
    ("instruments: [L9.z]", "CP-EST-EMPTY", "missing L9.z"),
    ("iv: {plausibly_exogenous: {Gov: 1}}", "CP-EST-PLAUSIBLE", "'Gov' is no instrument"),
    ("iv: {initial_conditions: [Gv]}", "CP-STUDY-COLUMN", "no column 'Gv'"),
    ("iv: {shift_share: {shares: none.csv}}", "CP-FILE-MISSING", ""),
    ("covariance: hc2", "CP-EST-COVARIANCE", "not defined for instrumental variables"),
]


@pytest.mark.parametrize(("text", "code", "said"), FAILURES, ids=[f[0] for f in FAILURES])
def test_a_model_that_cannot_be_estimated_is_a_row(tmp_path: Path, text: str, code: str, said: str) -> None:
    model = only(run(tmp_path, f"  - {{id: M, {text}}}\n"))
    assert model.status == "failed"
    assert str(model.message).startswith(code) and said in str(model.message)


def test_a_gap_in_years_costs_the_lag(tmp_path: Path) -> None:
    frame = panel()
    frame = frame[~((frame["city"] == "c03") & (frame["year"] == 2004))]
    model = only(run(tmp_path, "  - {id: M, instruments: [L.z]}\n", frame))
    lost = {(unit, time) for unit, time, reason in model.dropped if reason == "missing L.z"}
    assert ("c03", "2005") in lost and ("c03", "2001") in lost and len(lost) == 21


def test_a_lag_is_warned_of(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "  - {id: L, instruments: [L.AI]}\n  - {id: F, instruments: [F.z, z]}\n  - {id: P, instruments: [z]}\n"
        "  - {id: N, instruments: ['L2.Gov*z', z]}\n",
    )
    message = str(model_of(done, "L").message)
    assert "instrument 'L.AI' is a lag" in message and "correlation with those of the time before is" in message
    assert "'F.z' lies in the future" in str(model_of(done, "F").message)
    assert "'L2.Gov*z' is a lag" in str(model_of(done, "N").message)
    assert "lag" not in str(model_of(done, "P").message or "")


def test_the_serial_correlation_said_is_that_of_the_residuals(tmp_path: Path) -> None:
    frame = panel(60)
    rng = np.random.default_rng(0)
    errors = np.zeros((60, 8))
    for t in range(1, 8):
        errors[:, t] = 0.9 * errors[:, t - 1] + rng.normal(size=60)
    frame["CP"] = 0.5 * frame["AI"] + 5 * errors.ravel()
    message = str(only(run(tmp_path, "  - {id: L, instruments: [L.z, z]}\n", frame)).message)
    value = float(message.partition("time before is ")[2].split(";")[0])
    assert 0.4 < value < 0.9


def test_a_value_times_a_path_is_warned_of(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "  - {id: A, instruments: ['tele*trend']}\n  - {id: B, instruments: [product]}\n  - {id: C, instruments: [z]}\n"
        "  - {id: D, instruments: [product], iv: {initial_conditions: [Gov, POP]}}\n"
        "  - {id: E, instruments: [product], iv: {initial_conditions: [tele]}}\n",
    )
    for name, text in (("A", "'tele*trend'"), ("B", "'product'"), ("D", "'product'")):
        assert f"instrument {text} is one value of each unit times a path" in str(model_of(done, name).message)
    assert "times a path" not in str(model_of(done, "C").message or "")
    controlled = model_of(done, "D")
    assert [c.term for c in controlled.coefficients if c.group is None] == ["AI", "POP"]
    assert any("first value of Gov, POP" in n for n in controlled.notes)
    # the unit's value by year takes all of such an instrument
    assert "'product' is collinear with the controls" in str(model_of(done, "E").message)


def test_values_times_paths_on_any_rows() -> None:
    rng = np.random.default_rng(0)
    units, times = np.repeat(np.arange(9), 6), np.tile(np.arange(6), 9)
    level, path = rng.normal(size=9), rng.normal(size=6)
    product = level[units] * path[times]
    keep = rng.random(54) < 0.7
    assert is_value_times_path(product[keep], units[keep], times[keep])
    level[2], path[3] = 0.0, 0.0
    assert is_value_times_path(level[units] * path[times], units, times)
    assert not is_value_times_path(product + 1e-4 * rng.normal(size=54), units, times)
    assert not is_value_times_path(level[units], units, times)
    assert not is_value_times_path(path[times], units, times)
    assert not is_value_times_path(np.zeros(54), units, times)
    assert not is_value_times_path(product[:12], units[:12], times[:12])


def test_initial_conditions_by_hand(tmp_path: Path) -> None:
    done = run(tmp_path, "  - {id: M, covariance: hc1, iv: {initial_conditions: [Gov]}}\n")
    frame = panel()
    first = frame.groupby("city")["Gov"].transform("first")
    added = {f"g{y}": first * (frame["year"] == y) for y in range(2002, 2009)}
    direct = fit_iv(
        frame.assign(**added),
        outcome="CP",
        endogenous=["AI"],
        instruments=["z"],
        exogenous=["POP", *added],
        fixed_effects=["city", "year"],
        covariance="hc1",
        convention="ivreghdfe",
    )
    model = only(done)
    assert model.coefficients[0].estimate == pytest.approx(direct.main.coefficient("AI"), rel=1e-10)
    assert model.coefficients[0].std_error == pytest.approx(direct.main.error("AI"), rel=1e-10)
    assert not any("initial" in c.term for c in model.coefficients)


def test_bounds_and_tf_have_rows(tmp_path: Path) -> None:
    done = run(tmp_path, "  - {id: M, covariance: hc1, iv: {plausibly_exogenous: {z: 0.1}}}\n")
    by_group = {c.group: c for c in only(done).coefficients if c.term == "AI"}
    assert {"tf", "anderson_rubin", "plausibly_exogenous"} <= set(by_group)
    wide, main = by_group["plausibly_exogenous"], by_group[None]
    assert wide.ci_low < main.ci_low < main.ci_high < wide.ci_high
    assert by_group["tf"].std_error >= main.std_error


def test_observed_twin(tmp_path: Path) -> None:
    frame = filled_panel().assign(z=lambda d: np.sin(np.arange(len(d))) + 0.4 * d["AI"])
    done = run(tmp_path, "  - {id: M, instruments: [z]}\n", frame)
    assert [m.id for m in done.models] == ["M", "M:observed"]
    assert model_of(done, "M").n_filled_cells and not model_of(done, "M:observed").n_filled_cells


def shares_and_shocks(folder: Path) -> pd.DataFrame:
    """The panel with an instrument made of regional shares and yearly shocks, whose tables stand beside the study."""
    rng = np.random.default_rng(2)
    frame = panel(30)
    frame["region"] = frame["city"]
    cities, sectors, years = sorted(set(frame["city"])), ["s1", "s2", "s3"], range(2001, 2009)
    share = pd.DataFrame(
        {"region": c, "industry": s, "part": v}
        for c in cities
        for s, v in zip(sectors, rng.uniform(0.1, 0.3, 3), strict=True)
    )
    shock = pd.DataFrame(
        {"industry": s, "year": y, "robots": v, "wide": s[0]}
        for s in sectors
        for y, v in zip(years, np.cumsum(rng.normal(size=8)), strict=True)
    )
    both = share.merge(shock, on="industry")
    made = (both["part"] * both["robots"]).groupby([both["region"], both["year"]]).sum().rename("bartik")
    frame = frame.merge(made.reset_index(), on=["region", "year"])
    frame["AI"] += 6.0 * frame["bartik"]
    frame["CP"] += 3.0 * frame["bartik"]
    share.to_csv(folder / "shares.csv", index=False)
    shock.to_csv(folder / "shocks.csv", index=False)
    return frame


SHIFT = "shares: shares.csv, shocks: shocks.csv, unit: region, sector: industry, share: part, shock: robots"


def test_shift_share_from_tables(tmp_path: Path) -> None:
    frame = shares_and_shocks(tmp_path)
    done = run(
        tmp_path,
        f"""\
  - {{id: A, instruments: [bartik], iv: {{shift_share: {{{SHIFT}}}}}}}
  - {{id: B, instruments: [bartik], iv: {{shift_share: {{{SHIFT}, control_totals: true}}}}}}
  - {{id: C, instruments: [bartik], iv: {{shift_share: {{{SHIFT}, cluster: none}}}}}}
  - {{id: D, instruments: [bartik], iv: {{shift_share: {{{SHIFT}, cluster: wide}}}}}}
""",
        frame,
    )
    first, controlled = model_of(done, "A"), model_of(done, "B")
    groups = {c.group for c in first.coefficients}
    assert {"akm", "akm0"} <= groups
    assert "control for their sum by time" in str(first.message)
    assert "control for their sum" not in str(controlled.message or "")
    assert estimate_of(done, "A", "AI") != estimate_of(done, "B", "AI")
    weights = [p for p in first.curves if p.curve == "rotemberg"]
    assert {p.label for p in weights} == {"s1", "s2", "s3"}
    assert sum(p.x for p in weights) == pytest.approx(1.0)
    assert sum(p.x * p.y for p in weights) == pytest.approx(estimate_of(done, "A", "AI"), rel=1e-8)
    notes = {m.id: next(d.note for d in m.diagnostics if d.test == "akm") for m in done.models}
    assert "3 independent shocks" in notes["A"] and "24 independent" in notes["C"] and "1 independent" in notes["D"]


def test_shift_share_of_another_instrument_is_noticed(tmp_path: Path) -> None:
    frame = shares_and_shocks(tmp_path)
    frame["bartik"] += 0.1 * np.sin(np.arange(len(frame)))
    done = run(tmp_path, f"  - {{id: A, instruments: [bartik], iv: {{shift_share: {{{SHIFT}}}}}}}\n", frame)
    assert "'bartik' is not the sum of shares times shocks" in str(only(done).message)


BAD_TABLES = [
    ("shares.csv", "part", "cell", "holds cells that are no numbers"),
    ("shares.csv", "industry", "s1", "stands there twice"),
    ("shares.csv", "drop unit", "", "there are no shares of c00"),
    ("shocks.csv", "drop sector", "", "there is no shock of sector s1"),
]


@pytest.mark.parametrize(("name", "column", "value", "said"), BAD_TABLES)
def test_bad_tables_are_named(tmp_path: Path, name: str, column: str, value: str, said: str) -> None:
    frame = shares_and_shocks(tmp_path)
    table = pd.read_csv(tmp_path / name).astype(object)
    if column == "drop unit":
        table = table[table["region"] != "c00"]
    elif column == "drop sector":
        table = table[table["industry"] != "s1"]
    else:
        table.loc[[1, 2], column] = value
    table.to_csv(tmp_path / name, index=False)
    model = only(run(tmp_path, f"  - {{id: A, instruments: [bartik], iv: {{shift_share: {{{SHIFT}}}}}}}\n", frame))
    assert model.status == "failed" and said in str(model.message), model.message


def test_wrong_columns_of_tables_are_named(tmp_path: Path) -> None:
    frame = shares_and_shocks(tmp_path)
    for old, new, said in (
        ("share: part", "share: prt", "did you mean 'part'"),
        ("unit: region", "unit: regio", "no column 'regio'"),
        ("shock: robots", "shock: robot", "did you mean 'robots'"),
        ("shock: robots", "shock: robots, cluster: wid", "no column 'wid'"),
        ("shock: robots", "shock: robots, instrument: x", "'x' is no instrument"),
    ):
        text = SHIFT.replace(old, new)
        model = only(run(tmp_path, f"  - {{id: A, instruments: [bartik], iv: {{shift_share: {{{text}}}}}}}\n", frame))
        assert model.status == "failed" and said in str(model.message), model.message


def test_two_endogenous_variables_name_their_tests(tmp_path: Path) -> None:
    done = run(tmp_path, "  - {id: M, endogenous: [AI, Gov], instruments: [z, trend*POP, tele*z]}\n")
    model = only(done)
    named = [(d.test, d.term) for d in model.diagnostics if d.term is not None]
    kinds = ("first_stage_f", "sanderson_windmeijer_f", "angrist_pischke_f", "partial_r2", "shea_partial_r2")
    assert named == [(kind, term) for term in ("AI", "Gov") for kind in kinds]
    assert {c.group for c in model.coefficients} == {None, "first_stage:AI", "first_stage:Gov", "reduced_form"}


def test_tables_show_the_tests(tmp_path: Path) -> None:
    from analysis_py.report.iv_rows import iv_rows

    done = run(
        tmp_path,
        "  - {id: A, covariance: hc1, instruments: [z, Gov]}\n  - {id: B, covariance: iid}\n"
        "  - {id: C, estimator: twfe, treatment: [AI]}\n",
    )
    rows = {row[0]: row[1:] for row in iv_rows(done.models)}
    assert rows["Overidentification p"][0] and not rows["Overidentification p"][1]
    assert rows["Anderson-Rubin 95% set"][0].startswith("[") and rows["Anderson-Rubin 95% set"][2] == ""
    assert all(rows["First-stage F"][:2]) and not rows["First-stage F"][2]
    assert iv_rows(done.models[2:]) == []
    assert model_of(done, "A").treatment == ("AI",)
