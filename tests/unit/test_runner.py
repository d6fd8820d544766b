"""Running a study: statuses and reasons, variants, groups and their tests, what stops before anything is estimated."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.twfe import fit_twfe
from analysis_py.fits.run_stamp import git_commit, new_run_id
from analysis_py.results import to_json
from analysis_py.runner import FilePanel, FramePanel, WarehousePanel, run_study
from tests.unit.study_case import estimate_of, model_of, small_panel, study_of
from tests.unit.test_runner_frames import filled_panel


def run(folder: Path, body: str, data: pd.DataFrame | None = None):
    return run_study(study_of(folder, body), FramePanel(small_panel() if data is None else data))


BASE = "models:\n  - {id: M, outcome: CP, treatment: [AI], controls: [POP], convention: xtreg, covariance: iid}\n"


def test_a_two_way_model_is_least_squares_on_dummies(tmp_path: Path) -> None:
    data = small_panel()
    done = run(tmp_path, BASE, data)
    design = np.column_stack(
        [
            data[["AI", "POP"]],
            pd.get_dummies(data["city"], dtype=float),
            pd.get_dummies(data["year"], dtype=float).iloc[:, 1:],
        ]
    )
    slopes, residual, _, _ = np.linalg.lstsq(design, data["CP"], rcond=None)
    model = model_of(done, "M")
    assert model.status == "ok" and model.message is None
    np.testing.assert_allclose([c.estimate for c in model.coefficients[:2]], slopes[:2], rtol=1e-10)
    variance = residual[0] / (len(data) - design.shape[1]) * np.linalg.inv(design.T @ design)[0, 0]
    np.testing.assert_allclose(model.coefficients[0].std_error, np.sqrt(variance), rtol=1e-9)
    assert (model.n_obs, model.n_units, model.n_times, model.n_filled_cells) == (96, 12, 8, 0)
    assert model.df_resid == len(data) - design.shape[1]


def test_the_same_study_gives_the_same_run(tmp_path: Path) -> None:
    first = to_json(run(tmp_path, BASE))
    shuffled = to_json(run(tmp_path, BASE, small_panel().sample(frac=1, random_state=1)))
    assert first["models"] == shuffled["models"]
    assert first["run"]["hashes"]["study"] == shuffled["run"]["hashes"]["study"]
    assert first["run"]["run_id"] != shuffled["run"]["run_id"]


def test_filled_cells_bring_an_observed_twin(tmp_path: Path) -> None:
    data = filled_panel()
    done = run(tmp_path, BASE + "    # with filled cells\n", data)
    assert [m.id for m in done.models] == ["M", "M:observed"]
    main, twin = done.models
    assert (main.n_obs, main.n_filled_cells) == (96, 4)
    assert (twin.n_obs, twin.n_filled_cells, twin.variant, twin.variant_of) == (92, 0, "observed", "M")
    assert twin.analysis_id == main.analysis_id and twin.spec_hash != main.spec_hash
    kept = data.dropna(subset=["AI_reported", "POP_reported"])
    again = fit_twfe(
        kept,
        outcome="CP",
        regressors=["AI", "POP"],
        fixed_effects=["city", "year"],
        covariance="iid",
        convention="xtreg",
        unit="city",
        time="year",
    )
    assert estimate_of(done, "M:observed", "AI") == pytest.approx(again.coefficient("AI"), rel=1e-12)
    assert set(twin.dropped) == {
        ("c00", "2003", "missing AI"),
        ("c00", "2004", "missing AI"),
        ("c01", "2001", "missing AI"),
        ("c02", "2005", "missing POP"),
    }


def test_an_observed_model_brings_a_filled_twin(tmp_path: Path) -> None:
    done = run(tmp_path, "defaults: {fill: observed}\n" + BASE, filled_panel())
    assert [(m.id, m.n_obs, m.n_filled_cells) for m in done.models] == [("M", 92, 0), ("M:filled", 96, 4)]


def test_no_twin_where_the_filled_cells_are_outside(tmp_path: Path) -> None:
    done = run(tmp_path, "defaults: {sample: year >= 2006}\n" + BASE, filled_panel())
    assert [m.id for m in done.models] == ["M"]


def test_conventions_stand_side_by_side(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """\
        defaults:
          outcome: CP
          treatment: [AI]
          published: {convention: xtreg, covariance: iid}
          conventions: [published, clustered]
        models:
          - {id: M}
        """,
        filled_panel(),
    )
    assert [(m.id, m.convention, m.covariance) for m in done.models] == [
        ("M", "xtreg", "iid"),
        ("M:clustered", "xtreg", "cluster(city)"),
        ("M:observed", "xtreg", "iid"),
    ]
    assert estimate_of(done, "M", "AI") == estimate_of(done, "M:clustered", "AI")
    errors = [next(c.std_error for c in m.coefficients if c.term == "AI") for m in done.models[:2]]
    assert errors[0] != errors[1]
    few = model_of(done, "M:clustered")
    assert few.status == "warned" and "12" in str(few.message)
    assert done.status == "warned"


def test_estimators_that_are_not_there_are_said(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """\
        defaults: {outcome: CP, treatment: [AI]}
        models:
          - {id: S, estimator: spatial, spatial: {model: sdm, weights: contiguity}}
          - {id: D, estimator: did, did: {method: did2s, first_treated: year}}
        """,
    )
    assert [(m.status, str(m.message).split("'")[1]) for m in done.models] == [
        ("not_run", "spatial"),
        ("not_run", "did"),
    ]


def test_covariances_find_their_columns(tmp_path: Path) -> None:
    data = small_panel()
    data["lon"], data["lat"] = 100.0 + data["city"].str[1:].astype(int), 30.0
    done = run(
        tmp_path,
        """\
        defaults: {outcome: CP, treatment: [AI]}
        models:
          - {id: conley, covariance: {type: conley, lon: lon, lat: lat, cutoff_km: 200}}
          - {id: dk, covariance: {type: driscoll_kraay, lag: 2}}
          - {id: two, covariance: {type: cluster, by: [province, year]}}
        """,
        data,
    )
    assert [m.covariance for m in done.models] == [
        "conley(200 km)",
        "driscoll_kraay(lag 2)",
        "cluster(province, year)",
    ]
    assert all(m.coefficients[0].std_error > 0 for m in done.models)
    assert len({m.coefficients[0].std_error for m in done.models}) == 3


def test_trends_by_group_are_dummies_times_time(tmp_path: Path) -> None:
    data = small_panel()
    body = "models:\n  - {id: M, outcome: CP, treatment: [AI], controls: [i.province*year], covariance: iid}\n"
    model = run(tmp_path, body, data).models[0]
    assert [c.term for c in model.coefficients] == [
        "AI",
        "i.province=p1*year",
        "i.province=p2*year",
        "i.province=p3*year",
        "_cons",
    ]
    trends = [(data["province"] == p).astype(float) * data["year"] for p in ("p1", "p2", "p3")]
    effects = [pd.get_dummies(data["city"], dtype=float), pd.get_dummies(data["year"], dtype=float).iloc[:, 1:]]
    slopes = np.linalg.lstsq(np.column_stack([data["AI"], *trends, *effects]), data["CP"], rcond=None)[0]
    assert model.coefficients[0].estimate == pytest.approx(slopes[0], rel=1e-8)


def test_an_outcome_of_dummies_stops_before_estimating(tmp_path: Path) -> None:
    with pytest.raises(CarbonpanelError, match="CP-STUDY-TERM"):
        run(tmp_path, "models:\n  - {id: M, outcome: i.province, treatment: [AI]}\n")


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("models:\n  - {id: M, outcome: CPP, treatment: [AI]}\n", 5, "'CP'"),
        (
            "models:\n  - id: M\n    outcome: CP\n    treatment: [AI]\n    controls:\n      - ER\n      - POPP\n",
            10,
            "'POP'",
        ),
        ("defaults:\n  controls: [ERR]\nmodels:\n  - {id: M, outcome: CP, treatment: [AI]}\n", 5, "'ER'"),
        (
            "models:\n  - id: M\n    outcome: CP\n    treatment: [AI]\n    fixed_effects: [city, provinc^year]\n",
            8,
            "'province'",
        ),
        (
            "models:\n  - id: M\n    outcome: CP\n    treatment: [AI]\n    covariance: {type: cluster, by: [cty]}\n",
            8,
            "'city'",
        ),
        ("models:\n  - id: M\n    outcome: CP\n    treatment: [AI]\n    sample: yaer > 2003\n", 8, "'year'"),
        ("models:\n  - id: M\n    outcome: CP\n    treatment: [AI]\n    weights: POPP\n", 8, "'POP'"),
        ("models:\n  - id: M\n    outcome: CP\n    treatment: [AI]\n    transforms: {AJ: log1p}\n", 8, "'AI'"),
        (
            "models:\n  - id: M\n    outcome: CP\n    treatment: [AI]\n    winsor: {columns: [CQ], limits: [1, 99]}\n",
            8,
            "'CP'",
        ),
        ("models:\n  - id: M\n    estimator: descriptive\n    columns: [CP, AJ]\n", 7, "'AI'"),
        ("models:\n  - {id: I, estimator: iv, outcome: CP, endogenous: [AI], instruments: [L.AJ]}\n", 5, "'AI'"),
        (
            "models:\n  - {id: H, estimator: heterogeneity, outcome: CP, treatment: [AI], split: {by: is_resourc}}\n",
            5,
            "'is_resource'",
        ),
    ],
)
def test_a_name_that_is_no_column_stops_before_estimating(tmp_path: Path, body: str, line: int, words: str) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        run(tmp_path, body)
    assert caught.value.code == "CP-STUDY-COLUMN"
    assert caught.value.where.endswith(f"line {line}")
    assert words in caught.value.remedy


def test_lags_of_a_quarterly_text_stop_before_estimating(tmp_path: Path) -> None:
    data = small_panel()
    data["year"] = data["year"].astype(str) + "Q1"
    with pytest.raises(CarbonpanelError, match="CP-PANEL-TIME"):
        run(tmp_path, "models:\n  - {id: M, outcome: CP, treatment: [L.AI]}\n", data)
    assert run(tmp_path, BASE, data).models[0].status == "ok"


def test_a_variable_that_no_file_brought_is_named(tmp_path: Path) -> None:
    data = small_panel()
    data["Ope"], data["FI"] = np.nan, None
    done = run(
        tmp_path,
        """\
        defaults: {outcome: CP, treatment: [AI], covariance: iid}
        models:
          - {id: A, controls: [POP, Ope, FI]}
          - {id: B, controls: [POP]}
          - {id: C, outcome: ln(share), controls: [], transforms: {share: Ope / CP}}
          - {id: D, estimator: descriptive, columns: [CP, Ope]}
          - {id: E, estimator: descriptive, columns: [Ope, FI]}
        """,
        data,
    )
    found = {m.id: (m.status, m.message) for m in done.models}
    assert found["A"] == ("not_run", "no value of Ope: no file brought it; FI: no file brought it")
    assert found["B"][0] == "ok"
    assert found["C"] == ("not_run", "no value of share (Ope / CP)")
    assert found["D"] == ("warned", "no value of Ope: no file brought it")
    assert [v.variable for v in model_of(done, "D").descriptives] == ["CP"]
    assert found["E"][0] == "not_run"


def small_warehouse() -> duckdb.DuckDBPyConnection:
    """A mart whose Ope leads by the dictionary to the trade of another mart, which is empty, and whose Mix is empty
    although its parts have values."""
    con = duckdb.connect()
    con.execute("create schema marts; create schema meta")
    con.execute(
        "create table marts.panel_x as select city, 2001 as year, 1.0 as CP, 1.0 as AI, cast(null as double) as Ope,"
        " cast(null as double) as Mix from (values ('a'), ('b'), ('c')) as t(city)"
    )
    con.execute("create table marts.fct as select cast(null as double) as trade_usd, 1.0 as gdp_yuan, 2.0 as ratio")
    con.execute(
        "create table meta.column_dictionary as select 'marts' as schema_name, * from (values"
        " ('panel_x', 'Ope', 1, 'd', 'trade / gdp', 'fct.ratio', null),"
        " ('panel_x', 'Mix', 2, 'd', 'gdp * gdp', 'fct.gdp_yuan', null),"
        " ('panel_x', 'AI', 3, 'd', 'ln(1 + firms)', 'firms', null),"
        " ('fct', 'ratio', 1, 'd', null, 'trade_usd@.., gdp_yuan', null),"
        " ('fct', 'trade_usd', 2, 'd', null, 'trade', 'city_yearbook'),"
        " ('fct', 'gdp_yuan', 3, 'd', null, 'gdp', 'city_yearbook'))"
        " as t(model_name, column_name, ordinal, description, formula, inputs, source)"
    )
    con.execute(
        'create table meta.build as select \'{"city_yearbook": "user", "x": "none"}\' as inputs, false as is_simulated'
    )
    con.execute("create table meta.mart_hash as select 'marts' as schema_name, 'panel_x' as table_name, 'abc' as hash")
    return con


def test_the_warehouse_says_what_would_bring_a_variable(tmp_path: Path) -> None:
    study = study_of(
        tmp_path,
        """\
        panel: panel_x
        models:
          - {id: M, outcome: CP, treatment: [Ope]}
          - {id: N, outcome: CP, treatment: [Mix]}
        """,
    )
    done = run_study(study, WarehousePanel(small_warehouse()))
    assert [(m.status, m.message) for m in done.models] == [
        ("not_run", "no value of Ope: no file brought trade (city_yearbook)"),
        ("not_run", "no value of Mix: made from gdp (city_yearbook), which meet in no row"),
    ]
    assert (done.inputs, done.is_simulated, done.panel, done.panel_hash) == ("user", False, "panel_x", "abc")


def test_logs_of_counts_made_by_the_panel_are_noted_where_they_hold_zeros(tmp_path: Path) -> None:
    con = small_warehouse()
    con.execute(
        "create or replace table marts.panel_x as"
        " select i % 9 as city, i // 9 as year, sin(i) as CP, (i * 7) % 5 as AI from range(90) as t(i)"
    )
    body = "panel: panel_x\nmodels:\n  - {id: M, outcome: CP, treatment: [AI], covariance: iid}\n"
    body += "  - {id: N, outcome: CP, treatment: [AI], covariance: iid, sample: AI > 0}\n"
    done = run_study(study_of(tmp_path, body), WarehousePanel(con))
    assert [m.status for m in done.models] == ["ok", "ok"]
    assert [any("AI = ln(1 + firms)" in n and "Chen & Roth" in n for n in m.notes) for m in done.models] == [
        True,
        False,
    ]


def test_a_panel_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    con = duckdb.connect()
    con.execute("create schema marts; create table marts.panel_x as select 1 as city, 1 as year")
    study = study_of(tmp_path, "panel: panel_y\nmodels:\n  - {id: M, outcome: CP, treatment: [AI]}\n")
    with pytest.raises(CarbonpanelError) as caught:
        run_study(study, WarehousePanel(con))
    assert caught.value.code == "CP-PANEL-MISSING" and "'panel_x'" in caught.value.remedy


def test_a_model_that_cannot_be_estimated_is_a_row_with_its_reason(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """\
        defaults: {outcome: CP, treatment: [AI], covariance: iid}
        models:
          - {id: empty, sample: year > 3000}
          - {id: absorbed, treatment: [fixed], transforms: {fixed: "case when province = 'p1' then 1 else 0 end"}}
          - {id: fine}
        """,
    )
    statuses = {m.id: m.status for m in done.models}
    assert statuses == {"empty": "failed", "absorbed": "failed", "fine": "ok"}
    assert "year > 3000" in str(model_of(done, "empty").message)
    assert model_of(done, "empty").coefficients == ()
    assert done.status == "failed" and done.message == "1 ok, 2 failed"


def test_a_collinear_control_is_dropped_and_said(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "defaults: {covariance: iid, transforms: {twice: 2 * AI}}\n"
        "models:\n  - {id: M, outcome: CP, treatment: [AI], controls: [twice]}\n",
    )
    model = done.models[0]
    assert model.status == "warned"
    assert model.dropped_terms == ("twice",)
    assert "twice" in str(model.message)


def test_groups_are_fitted_and_compared(tmp_path: Path) -> None:
    data = small_panel(n_cities=40)
    body = """\
    defaults: {outcome: CP, treatment: [AI], controls: [POP], convention: xtreg, covariance: iid}
    models:
      - {id: H, estimator: heterogeneity, split: {by: is_resource, tests: [interaction, chow, permutation, suest]}}
      - {id: yes, sample: is_resource}
      - {id: no, sample: not is_resource}
    """.replace("id: yes", "id: 'yes'").replace("id: no", "id: 'no'")
    done = run(tmp_path, body, data)
    model = model_of(done, "H")
    assert [g.group for g in model.groups] == ["is_resource=false", "is_resource=true"]
    assert estimate_of(done, "H", "AI", "is_resource=true") == pytest.approx(estimate_of(done, "yes", "AI"), rel=1e-10)
    assert estimate_of(done, "H", "POP", "is_resource=false") == pytest.approx(
        estimate_of(done, "no", "POP"), rel=1e-10
    )
    assert [g.n_obs for g in model.groups] == [160, 160]
    assert model.n_obs == 320 and model.n_units == 40
    tests = {d.test: d for d in model.diagnostics}
    assert list(tests) == ["interaction_wald", "chow", "permutation", "permutation_two_sided", "suest"]
    # F of the difference by hand: full against restricted sums of squares, fixed effects by group in both
    city, year = pd.get_dummies(data["city"], dtype=float), pd.get_dummies(data["year"], dtype=float).iloc[:, 1:]
    member = data["is_resource"].to_numpy(float)[:, None]
    effects = np.column_stack([city, year, year * member])
    slopes = data[["AI", "POP"]].to_numpy()

    def squares(design: np.ndarray) -> float:
        fitted = design @ np.linalg.lstsq(design, data["CP"].to_numpy(), rcond=None)[0]
        return float(((data["CP"] - fitted) ** 2).sum())

    full = squares(np.column_stack([effects, slopes, slopes * member]))
    df = len(data) - np.linalg.matrix_rank(np.column_stack([effects, slopes, slopes * member]))
    for test, restricted, q in (
        ("interaction_wald", np.column_stack([effects, slopes, slopes[:, [1]] * member]), 1),
        ("chow", np.column_stack([effects, slopes]), 2),
    ):
        expected = (squares(restricted) - full) / q / (full / df)
        assert tests[test].statistic == pytest.approx(expected, rel=1e-8)
        assert (tests[test].df1, tests[test].df2) == (q, df)
        assert tests[test].p_value is not None and 0 <= tests[test].p_value <= 1
    difference = estimate_of(done, "H", "AI", "is_resource=false") - estimate_of(done, "H", "AI", "is_resource=true")
    permuted = next(d for d in model.diagnostics if d.test == "permutation")
    assert permuted.term == "AI" and permuted.statistic == pytest.approx(difference, rel=1e-10)
    assert tests["suest"].p_value is not None and tests["suest"].df1 == 1


@pytest.mark.parametrize(
    ("at", "groups"),
    [
        ("median", ["ER<=", "ER>"]),
        ("3.0", ["ER<=3", "ER>3"]),
        ("[0.3, 0.7]", ["ER<=", "ER in (", "ER>"]),
        ("median_by_year", ["ER<=median_by_year", "ER>median_by_year"]),
        ("median_base_year", ["ER<=median_base_year", "ER>median_base_year"]),
    ],
)
def test_numeric_splits(tmp_path: Path, at: str, groups: list[str]) -> None:
    data = small_panel(n_cities=30)
    data.loc[3, "ER"] = np.nan
    done = run(
        tmp_path,
        "defaults: {outcome: CP, treatment: [AI], covariance: iid}\n"
        f"models:\n  - {{id: H, estimator: heterogeneity, split: {{by: ER, at: {at}}}}}\n",
        data,
    )
    model = model_of(done, "H")
    assert len(model.groups) == len(groups)
    assert all(g.group.startswith(start) for g, start in zip(model.groups, groups, strict=True))
    if at == "median":
        sizes = [g.n_obs + g.n_singletons_dropped for g in model.groups]
        assert sum(sizes) == len(data) - 1 and abs(sizes[0] - sizes[1]) <= 1
        assert ("c00", "2004", "missing ER") in model.dropped
    if at == "median_base_year":
        first = data[data["year"] == 2001].set_index("city")["ER"]
        low = set(first.index[first <= first.median()])
        assert model.groups[0].n_units == len(low)
        assert not any("post-treatment" in n for n in model.notes)
    else:
        assert any("post-treatment" in n for n in model.notes)


def test_a_split_into_one_group_fails_with_its_reason(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "defaults: {outcome: CP, treatment: [AI], covariance: iid}\n"
        "models:\n  - {id: H, estimator: heterogeneity, split: {by: ER, at: 1000}}\n",
    )
    assert done.models[0].status == "failed" and "1 group" in str(done.models[0].message)


def test_progress_is_told_model_by_model(tmp_path: Path) -> None:
    heard: list[tuple[int, int, str]] = []
    study = study_of(tmp_path, BASE + "  - {id: N, outcome: CP, treatment: [ER]}\n")
    run_study(study, FramePanel(small_panel()), progress=lambda *step: heard.append(step))
    assert [step for step in heard if ":" not in step[2]] == [(0, 2, "M"), (1, 2, "N"), (2, 2, "")]
    # steps inside a model are told behind its name
    inside = [step for step in heard if ":" in step[2]]
    assert inside[-1][:2] == (1, 2) and inside[-1][2].startswith("N: ") and "wild bootstrap draws" in inside[-1][2]


def test_a_file_is_a_panel_and_its_odd_cells_are_named(tmp_path: Path) -> None:
    data = small_panel()
    path = tmp_path / "panel.csv"
    data.to_csv(path, index=False)
    done = run_study(study_of(tmp_path, BASE), FilePanel(path))
    assert (done.inputs, done.is_simulated, done.data_file) == ("file", False, str(path))
    assert estimate_of(done, "M", "AI") == pytest.approx(estimate_of(run(tmp_path, BASE), "M", "AI"), rel=1e-9)
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([*lines, lines[6]]) + "\n", "utf-8")
    with pytest.raises(CarbonpanelError) as caught:
        run_study(study_of(tmp_path, BASE), FilePanel(path))
    assert caught.value.code == "CP-PANEL-DUPLICATE"
    assert "rows 7, 98" in caught.value.what and "row 98" in caught.value.where
    cells = lines[9].split(",")
    cells[3] = "n.a.?"
    path.write_text("\n".join([*lines[:9], ",".join(cells), *lines[10:]]) + "\n", "utf-8")
    with pytest.raises(CarbonpanelError) as caught:
        run_study(study_of(tmp_path, BASE), FilePanel(path))
    assert caught.value.code == "CP-STUDY-TEXT"
    assert "row 10 holds 'n.a.?'" in caught.value.what


def test_an_exported_simulated_panel_stays_simulated(tmp_path: Path) -> None:
    path = tmp_path / "panel.csv"
    small_panel().assign(is_simulated=True).to_csv(path, index=False)
    assert run_study(study_of(tmp_path, BASE), FilePanel(path)).is_simulated


def test_a_key_column_that_the_file_lacks_is_named(tmp_path: Path) -> None:
    path = tmp_path / "panel.csv"
    small_panel().rename(columns={"year": "yeer"}).to_csv(path, index=False)
    with pytest.raises(CarbonpanelError) as caught:
        run_study(study_of(tmp_path, BASE), FilePanel(path))
    assert caught.value.code == "CP-STUDY-COLUMN" and "'yeer'" in caught.value.remedy


def test_the_commit_is_read_from_every_form_of_git_folder(tmp_path: Path) -> None:
    commit, other = "a" * 40, "b" * 40
    assert git_commit(tmp_path) is None
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n", "utf-8")
    assert git_commit(tmp_path) is None
    (git / "packed-refs").write_text(f"# pack-refs\n{other} refs/heads/main\n", "utf-8")
    assert git_commit(tmp_path) == other
    (git / "refs" / "heads" / "main").write_text(commit + "\n", "utf-8")
    assert git_commit(tmp_path) == commit
    (git / "HEAD").write_text(other + "\n", "utf-8")
    assert git_commit(tmp_path) == other
    tree = tmp_path / "tree"
    tree.mkdir()
    (git / "worktrees" / "tree").mkdir(parents=True)
    (git / "worktrees" / "tree" / "HEAD").write_text("ref: refs/heads/main\n", "utf-8")
    (git / "worktrees" / "tree" / "commondir").write_text("../..\n", "utf-8")
    (tree / ".git").write_text(f"gitdir: {git / 'worktrees' / 'tree'}\n", "utf-8")
    assert git_commit(tree) == commit


def test_run_ids_sort_by_time_and_differ() -> None:
    now = dt.datetime(2025, 1, 2, 3, 4, 5, 6)
    later = now + dt.timedelta(microseconds=1)
    assert new_run_id(now) != new_run_id(now)
    assert new_run_id(now)[:23] < new_run_id(later)[:23]
