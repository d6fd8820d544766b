"""Order of operations: derived columns, transforms, winsor on its scope, lags on the whole panel, then the sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis_py.description import describe_file
from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.descriptive import stata_percentile
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.frame import EstimationFrame, build_frame
from analysis_py.panels.panel import FilePanel, FramePanel
from analysis_py.runner import run_study
from analysis_py.study import load_study
from tests.unit.study_case import small_panel, study_of


def frame_of(folder: Path, data: pd.DataFrame, body: str, position: int = 0, observed: bool = False) -> EstimationFrame:
    study = study_of(folder, body)
    model = study.models[position]
    panel = CalendarPanel(FramePanel(data).read(None, {}, ""), study.unit, study.time)
    return build_frame(panel, model, lambda key, item: study.where(model, key, item), observed=observed)


def test_lags_are_formed_before_the_sample_is_cut(tmp_path: Path) -> None:
    data = small_panel()
    built = frame_of(tmp_path, data, "models:\n  - {id: M, outcome: CP, treatment: [L.AI], sample: year >= 2003}\n")
    assert list(built.frame["year"].unique()) == list(range(2003, 2009))
    assert built.frame["L.AI"].notna().all()
    first = built.frame.loc[(built.frame["city"] == "c00") & (built.frame["year"] == 2003), "L.AI"].item()
    assert first == data.loc[(data["city"] == "c00") & (data["year"] == 2002), "AI"].item()


def test_lags_are_formed_before_rows_with_missing_values_go(tmp_path: Path) -> None:
    data = small_panel()
    data.loc[(data["city"] == "c00") & (data["year"] == 2002), "POP"] = np.nan
    built = frame_of(tmp_path, data, "models:\n  - {id: M, outcome: CP, treatment: [L.AI], controls: [POP]}\n")
    row = built.frame[(built.frame["city"] == "c00") & (built.frame["year"] == 2003)]
    assert row["L.AI"].item() == data.loc[(data["city"] == "c00") & (data["year"] == 2002), "AI"].item()


@pytest.mark.parametrize(
    ("scope", "rows"),
    [("universe", "year > 0"), ("study", "year >= 2003"), ("subsample", "year >= 2003 and is_resource")],
)
def test_winsor_limits_are_taken_on_their_scope(tmp_path: Path, scope: str, rows: str) -> None:
    data = small_panel(n_cities=20)
    built = frame_of(
        tmp_path,
        data,
        f"""\
        defaults: {{outcome: CP, treatment: [AI], sample: year >= 2003}}
        models:
          - id: M
            sample: year >= 2003 and is_resource
            winsor: {{columns: [CP], limits: [5, 90], scope: {scope}}}
        """,
    )
    inside = data.query(rows.replace("is_resource", "is_resource == True"))["CP"].to_numpy()
    low, high = stata_percentile(inside, 5), stata_percentile(inside, 90)
    expected = data[(data["year"] >= 2003) & data["is_resource"]]["CP"].clip(low, high).to_numpy()
    np.testing.assert_array_equal(built.frame["CP"].to_numpy(), expected)
    assert (built.frame["CP"] == high).sum() >= 1


def test_a_lag_of_a_winsorised_column_is_winsorised(tmp_path: Path) -> None:
    data = small_panel()
    built = frame_of(
        tmp_path,
        data,
        "models:\n  - {id: M, outcome: CP, treatment: [L.CP], winsor: {columns: [CP], limits: [10, 90]}}\n",
    )
    assert built.frame["L.CP"].max() == built.frame["CP"].max() == stata_percentile(data["CP"].to_numpy(), 90)


def test_transforms_in_place_keep_the_spelling(tmp_path: Path) -> None:
    data = small_panel()
    built = frame_of(
        tmp_path,
        data,
        """\
        models:
          - id: M
            outcome: CP
            treatment: [AI]
            controls: [ER, POP]
            transforms: {AI: log1p, ER: lag(1), POP: standardise}
            sample: AI < 8 and year >= 2002
        """,
    )
    rows = data[(data["AI"] < 8) & (data["year"] >= 2002)]
    np.testing.assert_allclose(built.frame["AI"], np.log1p(rows["AI"]), rtol=1e-15)
    lagged = data.groupby("city")["ER"].shift(1).loc[rows.index]
    np.testing.assert_array_equal(built.frame["ER"], lagged)
    np.testing.assert_allclose(
        built.frame["POP"], (rows["POP"] - data["POP"].mean()) / data["POP"].std(ddof=1), rtol=1e-12
    )


def test_derived_columns_may_be_lagged_sampled_and_built_on(tmp_path: Path) -> None:
    data = small_panel()
    built = frame_of(
        tmp_path,
        data,
        """\
        models:
          - id: M
            outcome: CP
            treatment: [L.growth]
            transforms: {base: "AI + 1", growth: "base / 2"}
            sample: growth > 1.5
        """,
    )
    growth = (data["AI"] + 1) / 2
    rows = growth > 1.5
    expected = growth.groupby(data["city"]).shift(1)[rows]
    np.testing.assert_array_equal(built.frame["L.growth"], expected)


def test_infinite_values_count_as_missing_and_are_said(tmp_path: Path) -> None:
    data = small_panel()
    data.loc[0, "AI"] = np.inf
    built = frame_of(tmp_path, data, "models:\n  - {id: M, outcome: CP, treatment: [AI]}\n")
    assert np.isnan(built.frame["AI"].iloc[0])
    assert built.messages == ("1 infinite value(s) of AI count as missing",)


def test_logs_of_zero_are_missing_and_logs_of_counts_are_warned_of(tmp_path: Path) -> None:
    data = small_panel()
    data.loc[[0, 1], "AI"] = 0.0
    plain = frame_of(tmp_path, data, "models:\n  - {id: M, outcome: CP, treatment: [ln(AI)]}\n")
    assert plain.frame["ln(AI)"].isna().sum() == 2
    assert plain.messages == ("2 value(s) of AI have no ln() and count as missing",)
    shifted = frame_of(tmp_path, data, "models:\n  - {id: M, outcome: CP, treatment: [AI], transforms: {AI: asinh}}\n")
    assert len(shifted.messages) == 1 and "Chen & Roth 2024" in shifted.messages[0]


def test_a_sample_without_rows_is_said(tmp_path: Path) -> None:
    with pytest.raises(CarbonpanelError, match="year > 2100"):
        frame_of(tmp_path, small_panel(), "models:\n  - {id: M, outcome: CP, treatment: [AI], sample: year > 2100}\n")


def filled_panel() -> pd.DataFrame:
    """AI of city c00 filled in 2003 and 2004, of c01 in 2001; POP of c02 in 2005."""
    data = small_panel()
    for name in ("AI", "POP"):
        data[f"{name}_reported"] = data[name]
        data[f"{name}_fill"] = "observed"

    def fill(city: str, year: int, name: str, code: str) -> None:
        row = (data["city"] == city) & (data["year"] == year)
        data.loc[row, f"{name}_reported"] = np.nan
        data.loc[row, f"{name}_fill"] = code

    fill("c00", 2003, "AI", "linear")
    fill("c00", 2004, "AI", "linear")
    fill("c01", 2001, "AI", "carried")
    fill("c02", 2005, "POP", "ratio")
    return data


@pytest.mark.parametrize(
    ("model", "cells"),
    [
        ("treatment: [AI], controls: [POP]", 4),
        ("treatment: [AI], controls: [POP], sample: year >= 2002", 3),
        ("treatment: [L.AI]", 3),
        ("treatment: [AI, L.AI]", 6),
        ("treatment: [AI*POP]", 4),
        ("treatment: [AI], controls: [AI*POP]", 4),
        ("treatment: [both], transforms: {both: AI + POP}", 4),
        ("treatment: [AI], transforms: {AI: lag(1)}", 3),
        ("treatment: [ER], weights: w, transforms: {w: abs(POP)}", 1),
        ("treatment: [ER]", 0),
    ],
)
def test_filled_cells_are_counted_where_they_are_used(tmp_path: Path, model: str, cells: int) -> None:
    built = frame_of(tmp_path, filled_panel(), f"models:\n  - {{id: M, outcome: CP, {model}}}\n")
    assert built.n_filled(np.arange(len(built.frame))) == cells


def test_an_observed_frame_has_the_same_rows_without_filled_cells(tmp_path: Path) -> None:
    body = (
        "defaults: {transforms: {both: AI + POP}, sample: AI > 1}\n"
        "models:\n  - {id: M, outcome: CP, treatment: [AI], controls: [both]}\n"
    )
    filled = frame_of(tmp_path, filled_panel(), body)
    observed = frame_of(tmp_path, filled_panel(), body, observed=True)
    assert len(filled.frame) == len(observed.frame)
    assert observed.n_filled(np.arange(len(observed.frame))) == 0
    gone = observed.frame["AI"].isna()
    assert 1 <= gone.sum() <= 3
    assert observed.frame.loc[gone, "both"].isna().all()
    np.testing.assert_array_equal(filled.frame.loc[~gone, "AI"], observed.frame.loc[~gone, "AI"])


def test_a_column_that_merely_ends_in_fill_is_no_fill_code(tmp_path: Path) -> None:
    data = small_panel()
    data["AI_fill"], data["AI_reported"] = "yes", 1.0
    built = frame_of(tmp_path, data, "models:\n  - {id: M, outcome: CP, treatment: [AI]}\n")
    assert built.n_filled(np.arange(len(built.frame))) == 0


def test_moderation_multiplies_and_may_centre(tmp_path: Path) -> None:
    data = small_panel()
    data.loc[5, "POP"] = np.nan
    body = """\
    defaults: {estimator: moderation, outcome: CP, treatment: [AI], moderator: ER, controls: [POP]}
    models:
      - {id: plain}
      - {id: centred, centre: mean}
    """
    plain = frame_of(tmp_path, data, body)
    assert plain.regressors == ("AI", "ER", "AI*ER", "POP")
    np.testing.assert_array_equal(plain.frame["AI*ER"], data["AI"] * data["ER"])
    centred = frame_of(tmp_path, data, body, position=1)
    complete = data["POP"].notna()
    np.testing.assert_allclose(centred.frame.loc[complete, "AI"].mean(), 0, atol=1e-12)
    np.testing.assert_allclose(
        centred.frame["AI*ER"],
        (data["AI"] - data["AI"][complete].mean()) * (data["ER"] - data["ER"][complete].mean()),
        rtol=1e-12,
    )
    assert "centred on the estimation sample: AI at" in centred.notes[0]


def test_booleans_are_numbers_and_text_is_not(tmp_path: Path) -> None:
    data = small_panel()
    built = frame_of(tmp_path, data, "models:\n  - {id: M, outcome: CP, treatment: [is_resource]}\n")
    np.testing.assert_array_equal(built.frame["is_resource"], data["is_resource"].astype(float))
    data["flag"] = np.where(data["AI"] > 4, True, None)
    built = frame_of(tmp_path, data, "models:\n  - {id: M, outcome: CP, treatment: [flag]}\n")
    assert built.frame["flag"].isna().sum() == (data["AI"] <= 4).sum()
    with pytest.raises(CarbonpanelError, match="dummies"):
        frame_of(tmp_path, data, "models:\n  - {id: M, outcome: CP, treatment: [province]}\n")


MODELS = """\
defaults: {outcome: CP, treatment: [AI], controls: [POP], sample: year >= 2004}
models:
  - {id: R}
  - {id: L, treatment: [L.AI]}
  - {id: H, estimator: heterogeneity, split: {by: ER, at: median}}
  - {id: V, estimator: iv, treatment: [], endogenous: [AI], instruments: [L.AI]}
  - {id: C, estimator: poisson, outcome: ER}
  - {id: M, estimator: mechanism, mechanism: {mediators: [ER], methods: [two_step]}}
  - {id: Q, estimator: threshold, threshold: {variable: ER, count: 1, grid: 20, bootstrap: [0]}}
"""


def test_every_row_of_the_panel_enters_or_is_listed(tmp_path: Path) -> None:
    data = small_panel()
    data.loc[data["city"].eq("c03") & data["year"].eq(2005), "POP"] = np.nan
    run = run_study(study_of(tmp_path, MODELS), FramePanel(data))
    early = {(f"c{c:02d}", str(y)) for c in range(12) for y in (2001, 2002, 2003)}
    for model in run.models:
        assert model.status in ("ok", "warned"), (model.id, model.message)
        assert model.n_obs + len(model.dropped) == len(data), model.id
        assert {(u, t) for u, t, why in model.dropped if why == "outside the sample"} == early, model.id
        assert ("c03", "2005", "missing POP") in model.dropped, model.id


def test_rows_without_unit_and_time_are_listed_by_their_number(tmp_path: Path) -> None:
    data = small_panel().drop(columns=["city", "year"])
    data.loc[4, "POP"] = np.nan
    path = tmp_path / "cross.yml"
    path.write_text("study: cross\nmodels:\n  - {id: M, outcome: CP, treatment: [AI], controls: [POP]}\n")
    run = run_study(load_study(path), FramePanel(data))
    assert run.models[0].dropped == (("row 5", "", "missing POP"),)


def test_an_infinity_written_in_a_csv_is_a_number_like_one_in_parquet(tmp_path: Path) -> None:
    data = small_panel()
    data.loc[3, "AI"] = -np.inf
    data.to_csv(tmp_path / "panel.csv", index=False)
    study = study_of(tmp_path, "models:\n  - {id: M, outcome: CP, treatment: [AI], controls: [POP]}\n")
    model = run_study(study, FilePanel(tmp_path / "panel.csv")).models[0]
    assert (model.status, model.n_obs) == ("warned", len(data) - 1)
    assert "1 infinite value(s) of AI count as missing" in str(model.message)
    described = describe_file(tmp_path / "panel.csv", columns="AI,CP")
    assert described.left_out == ("1 infinite value(s) of AI count as missing",)
