"""Efficiency of the studies: who is left out and why, what stands beside a score, and when results are read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis_py.efficiency import study_scores
from analysis_py.efficiency.frames import run_efficiency
from analysis_py.efficiency.panel_columns import Columns
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.efficiency.study_scores import CHOICES, INDEX_COLUMNS, SCORE_COLUMNS, index_table, score_table
from analysis_py.errors import CarbonpanelError
from analysis_py.settings import project_root

MODELS = pd.read_csv(
    project_root() / "seeds" / "reference" / "seed_efficiency_model.csv", dtype=str, keep_default_na=False
)
QUANTITIES = ["labour_10k", "capital_yi_yuan", "energy_10k_tce", "gdp_yi_yuan", "green_coverage_pct", "co2_mt"]


def observations(units: int = 8, years: int = 4, study: str = "province_transition") -> pd.DataFrame:
    """A small made-up panel, rows in the order of unit and year."""
    draw = np.random.default_rng(3)
    keys = [(study, f"{u:06d}", 2013 + t) for u in range(units) for t in range(years)]
    frame = pd.DataFrame(keys, columns=["study", "unit_code", "year"])
    for name in QUANTITIES:
        frame[name] = draw.uniform(1, 4, len(frame))
        frame[f"{name}_fill"] = "observed"
    span = frame["co2_mt"].max() - frame["co2_mt"].min()
    frame["co2_reversed_share"] = (frame["co2_mt"].max() - frame["co2_mt"]) / span
    return frame


def models(*measures: str, study: str = "province_transition") -> pd.DataFrame:
    return MODELS[(MODELS["study"] == study) & MODELS["measure"].isin(measures)]


def test_every_shipped_model_is_usable() -> None:
    for study in MODELS["study"].drop_duplicates():
        frame = observations(study=study)
        table = score_table(frame, MODELS)
        assert set(table["measure"]) == set(MODELS.loc[MODELS["study"] == study, "measure"])
        assert (table["status"] == "ok").all()
        assert list(table.columns) == list(SCORE_COLUMNS)


def test_numbers_are_those_of_the_engine() -> None:
    frame = observations()
    columns = Columns(
        "unit_code", "year", ("labour_10k", "capital_yi_yuan", "energy_10k_tce"), ("gdp_yi_yuan",), ("co2_mt",)
    )
    run = run_efficiency(frame, columns, ModelSpec("sbm-ddf"), reference="global", index="gml")
    assert run.productivity is not None
    scores, indices = score_table(frame, models("GTFP")), index_table(frame, models("GTFP"))
    np.testing.assert_array_equal(scores["efficiency_score"], run.scores.score)
    np.testing.assert_array_equal(indices["cumulative_index"], run.productivity.cumulative)
    moved = indices[indices["status"] == "ok"]
    assert moved["change_index"].tolist() == [c.index for c in run.productivity.transitions]
    assert (moved["year"] - moved["from_year"] == 1).all()
    product = moved["efficiency_change_index"] * moved["technical_change_index"]
    np.testing.assert_allclose(product, moved["change_index"], rtol=1e-12)


def test_first_years_are_the_base() -> None:
    table = index_table(observations(), models("GTFP"))
    base = table[table["year"] == 2013]
    assert (base["status"] == "base").all()
    assert (base["cumulative_index"] == 1).all()
    assert base["change_index"].isna().all()
    assert base["from_year"].isna().all()


@pytest.mark.parametrize(("value", "said"), [(np.nan, "missing"), (0.0, "0"), (-3.5, "-3.5")])
def test_what_cannot_be_used_is_left_out_with_its_reason(value: float, said: str) -> None:
    frame = observations()
    frame.loc[5, "energy_10k_tce"] = value
    table = score_table(frame, models("GTFP"))
    assert table.loc[5, "status"] == "left_out"
    assert table.loc[5, "reason"] == f"energy_10k_tce is {said}"
    assert np.isnan(table.loc[5, "efficiency_score"])
    assert (table.drop(index=5)["n_frontier_count"] == len(frame) - 1).all()
    without = score_table(frame.drop(index=5), models("GTFP"))
    np.testing.assert_array_equal(table.drop(index=5)["efficiency_score"], without["efficiency_score"])


def test_a_quantity_the_model_does_not_use_keeps_nobody_out() -> None:
    frame = observations()
    frame.loc[5, "green_coverage_pct"] = np.nan
    assert (score_table(frame, models("GTFP"))["status"] == "ok").all()


def test_the_zero_of_the_reversed_output_is_dropped_and_said() -> None:
    frame = observations(study="yellow_river")
    table = score_table(frame, models("CTFP_BCC", study="yellow_river"))
    most = int(frame["co2_mt"].argmax())
    assert table.loc[most, "status"] == "ok"
    assert "zero" in table.loc[most, "reason"] or "drop" in table.loc[most, "reason"]
    assert (table.drop(index=most)["reason"] == "").all()


def test_the_worst_fill_of_the_quantities_stands_beside_the_score() -> None:
    frame = observations()
    frame.loc[3, "labour_10k_fill"] = "ratio"
    frame.loc[3, "co2_mt_fill"] = "linear"
    frame.loc[4, "green_coverage_pct_fill"] = "linear"
    table = score_table(frame, models("GTFP"))
    assert table.loc[3, "fill"] == "linear"
    assert table.loc[4, "fill"] == "observed"


def test_every_choice_stands_beside_every_number() -> None:
    table = score_table(observations(), models("GTFP", "GTFP_thirds"))
    said = table.groupby("measure")[CHOICES].first()
    quantities = ["labour_10k+capital_yi_yuan+energy_10k_tce", "gdp_yi_yuan", "co2_mt"]
    assert said.loc["GTFP"].tolist() == [*quantities, "sbm-ddf", "crs", "none", "strong", "halves", "global"]
    assert said.loc["GTFP_thirds", "weights"] == "thirds"
    assert list(index_table(observations(), models("GTFP")).columns) == list(INDEX_COLUMNS)


def test_a_model_without_bad_outputs_names_none() -> None:
    table = score_table(observations(study="yellow_river"), models("CTFP_BCC", study="yellow_river"))
    assert table["bads"].isna().all()
    assert (table["goods"] == "gdp_yi_yuan+green_coverage_pct+co2_reversed_share").all()


def test_one_unit_makes_no_frontier() -> None:
    table = score_table(observations(units=1), models("GTFP"))
    assert (table["status"] == "left_out").all()
    assert (table["reason"] == "too few observations for a frontier").all()


def test_no_observation_gives_an_empty_table() -> None:
    table = index_table(observations().iloc[:0], MODELS)
    assert table.empty
    assert list(table.columns) == list(INDEX_COLUMNS)


def test_a_model_that_names_nothing_is_refused() -> None:
    wrong = models("GTFP").assign(inputs="labour_10k|kapital")
    with pytest.raises(CarbonpanelError, match="kapital"):
        score_table(observations(), wrong)


def test_results_are_read_back_until_something_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []

    def count(*args: object, **kwargs: object) -> object:
        counted.append(1)
        return run_efficiency(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(study_scores, "run_efficiency", count)
    frame = observations()
    first = score_table(frame, models("GTFP"), tmp_path)
    again = score_table(frame.sample(frac=1, random_state=1), models("GTFP"), tmp_path)
    assert len(counted) == 1
    pd.testing.assert_frame_equal(first, again)
    frame.loc[2, "energy_10k_tce"] *= 1.5
    other = score_table(frame, models("GTFP"), tmp_path)
    assert len(counted) == 2
    assert not other["efficiency_score"].equals(first["efficiency_score"])
    assert len(list(tmp_path.iterdir())) == 1


def test_a_damaged_result_is_computed_again(tmp_path: Path) -> None:
    frame = observations()
    first = score_table(frame, models("GTFP"), tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(b"half a file")
    pd.testing.assert_frame_equal(score_table(frame, models("GTFP"), tmp_path), first)
