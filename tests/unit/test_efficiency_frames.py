"""From tables to panels and back: what is refused and how it is named, the JSON, the workbook."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from analysis_py.efficiency.direction_files import read_direction
from analysis_py.efficiency.frames import EfficiencyRun, Inference, run_efficiency
from analysis_py.efficiency.maxdea_workbook import sheets, write_workbook
from analysis_py.efficiency.panel_columns import Columns, build_panel, frame_data
from analysis_py.efficiency.report import headline, to_json
from analysis_py.efficiency.requests import split_names
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.errors import CarbonpanelError

FRAME = pd.DataFrame(
    {
        "city": ["A", "B", "C", "A", "B", "C"],
        "year": [2001, 2001, 2001, 2002, 2002, 2002],
        "k": [2.0, 3, 4, 2.0, 3, 5],
        "l": [1.0, 2, 2, 1, 2, 2],
        "y": [2.0, 2, 3, 2.5, 2, 3],
        "co2": [1.0, 2, 2, 0.9, 2.2, 1.5],
        "name": list("uvwxyz"),
    }
)
COLUMNS = Columns("city", "year", ("k", "l"), ("y",), ("co2",))


def run(
    spec: ModelSpec | None = None, columns: Columns = COLUMNS, frame: pd.DataFrame = FRAME, **more
) -> EfficiencyRun:
    return run_efficiency(frame, columns, spec or ModelSpec("sbm"), **more)


def refused(frame: pd.DataFrame, columns: Columns = COLUMNS, zero: str = "refuse") -> str:
    with pytest.raises(CarbonpanelError) as caught:
        build_panel(frame_data(frame, "cities"), columns, zero=zero)
    return f"{caught.value.code} {caught.value}"


def changed(column: str, row: int, value: object) -> pd.DataFrame:
    frame = FRAME.copy()
    frame[column] = frame[column].astype(object if isinstance(value, str) else float)
    frame.loc[row, column] = value
    return frame


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("k", 0.0, "input 'k' must be positive: B, 2002 is zero"),
        ("y", -1.0, "good output 'y' must be positive: B, 2002 is -1"),
        ("co2", np.nan, "bad output 'co2' must be positive: B, 2002 is missing"),
        ("l", np.inf, "B, 2002 is inf"),
    ],
)
def test_numbers_that_cannot_be_used(column: str, value: float, words: str) -> None:
    said = refused(changed(column, 4, value))
    assert "CP-EFFICIENCY-VALUE" in said
    assert words in said
    assert f"column '{column}'" in said
    assert f"--sample '\"{column}\" > 0'" in said


def test_a_zero_output_may_be_dropped_on_request() -> None:
    frame = changed("y", 4, 0.0)
    assert "--zero drop_term" in refused(frame)
    panel = build_panel(frame_data(frame), COLUMNS, zero="drop_term")
    assert panel.goods[4, 0] == 0
    assert "--zero" not in refused(changed("k", 4, 0.0), zero="drop_term")


def test_names_that_do_not_fit() -> None:
    assert "did you mean 'co2'" in refused(FRAME, Columns("city", "year", ("k",), ("y",), ("co",)))
    assert "did you mean 'city'" in refused(FRAME, Columns("cty", "year", ("k",), ("y",)))
    assert "CP-EFFICIENCY-COLUMN column 'k' is named twice" in refused(
        FRAME, Columns("city", "year", ("k",), ("k",))
    ).replace("error CP-EFFICIENCY-COLUMN: ", "")
    assert "no column is named with --good" in refused(FRAME, Columns("city", "year", ("k",), ()))
    assert "CP-COLUMN-TEXT" in refused(FRAME, Columns("city", "year", ("name",), ("y",)))
    assert "CP-PANEL-EMPTY" in refused(FRAME.iloc[:0])


def test_duplicates_and_empty_keys() -> None:
    twice = pd.concat([FRAME, FRAME.iloc[[1]]], ignore_index=True)
    assert "repeated: B, 2001 (rows 2, 7)" in refused(twice)
    assert "--period" in refused(FRAME, Columns("city", None, ("k",), ("y",)))
    assert "column 'city' is empty in 1 row(s)" in refused(
        changed("city", 2, "x").assign(city=["A", None, "C"] * 2)[:3]
    )


def test_whole_numbers_are_labels() -> None:
    panel = build_panel(frame_data(FRAME.assign(year=FRAME["year"].astype(float))), COLUMNS)
    assert panel.period_labels == (2001, 2002)
    assert panel.label(4) == "B, 2002"
    dates = build_panel(frame_data(FRAME.assign(year=pd.to_datetime(FRAME["year"], format="%Y"))), COLUMNS)
    assert dates.period_labels == ("2001-01-01", "2002-01-01")


def test_periods_order_by_size_not_by_text() -> None:
    frame = FRAME.assign(year=[9, 9, 9, 10, 10, 10])
    assert build_panel(frame_data(frame), COLUMNS).period_labels == (9, 10)


def test_json_is_the_contract() -> None:
    found = json.loads(json.dumps(to_json(run(ModelSpec("sbm-ddf"), index="gml")), allow_nan=False))
    assert list(found["scores"][0]) == ["unit", "period", "score", "status", "residual"]
    assert list(found["indices"][0]) == [
        *("unit", "from", "to", "index", "efficiency_change", "technical_change", "status", "reason"),
    ]
    assert list(found["cumulative"][0]) == ["unit", "period", "index"]
    assert [(s["unit"], s["period"]) for s in found["scores"]] == list(zip(FRAME["city"], FRAME["year"], strict=True))
    assert [r["unit"] for r in found["indices"]] == ["A", "B", "C"]
    assert found["indices"][0]["reason"] is None
    assert found["run"]["model"]["weights"] == "halves"
    assert found["run"]["reference"] == "global"


def test_lost_scores_are_null() -> None:
    # the index of the good unit against the worse period has no solution: SBM does not look beyond a frontier
    found = to_json(run(ModelSpec("sbm-ddf"), index="ml"))
    lost = [r for r in found["indices"] if r["status"] != "ok"]
    assert lost
    assert all(r["index"] is None and r["technical_change"] is None and r["reason"] for r in lost)
    assert found["run"]["transitions_lost"] == len(lost)


def test_cross_sections_have_no_period() -> None:
    first = FRAME[:3]
    found = to_json(run(columns=Columns(None, None, ("k",), ("y",)), frame=first))
    assert [s["period"] for s in found["scores"]] == [None] * 3
    assert [s["unit"] for s in found["scores"]] == [1, 2, 3]


def test_every_choice_stands_above_the_scores() -> None:
    text = headline(run(ModelSpec("ddf", returns="vrs"), index="ml", reference="window:2"))
    for words in ("ddf", "vrs", "window:2", "weak disposability", "equality", "goods, bads", "ml", "inefficiency D"):
        assert words in text
    assert "phi" in headline(run(ModelSpec("bcc", orientation="output"), Columns("city", "year", ("k",), ("y",))))


def test_second_stage_needs_its_columns() -> None:
    columns = Columns("city", "year", ("k",), ("y",))
    with pytest.raises(CarbonpanelError, match="did you mean 'co2'"):
        run(ModelSpec("ccr"), columns, inference=Inference(explanatory=("co",)))
    with pytest.raises(CarbonpanelError, match="'l' is missing"):
        run(ModelSpec("ccr"), columns, changed("l", 0, np.nan), inference=Inference(explanatory=("l",)))


def test_names_with_commas() -> None:
    assert split_names(("a,b", "c"), ["a", "b", "c"]) == ("a", "b", "c")
    assert split_names(("a, b",), ["a, b"]) == ("a, b",)


def test_workbook_reads_back(tmp_path: Path) -> None:
    result = run(ModelSpec("ddf", disposability="strong"), index="gml", inference=Inference(draws=20))
    path = tmp_path / "out.xlsx"
    write_workbook(result, path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Run", "Score", "Slacks", "Peers", "Multipliers", "Malmquist", "Cumulative", "Bootstrap"]
    scores = pd.read_excel(path, sheet_name="Score")
    np.testing.assert_allclose(scores["Score"], result.scores.score)
    assert scores["DMU"].tolist() == FRAME["city"].tolist()
    assert scores.loc[scores["Score"] == 0, "Rank"].eq(1).all()
    slacks = pd.read_excel(path, sheet_name="Slacks")
    for name in COLUMNS.quantities:
        parts = slacks[[f"Data ({name})", f"Proportionate Movement ({name})", f"Slack Movement ({name})"]]
        np.testing.assert_allclose(parts.sum(axis=1), slacks[f"Projection ({name})"], rtol=1e-12)
        np.testing.assert_allclose(slacks[f"Data ({name})"], FRAME[name])
    # radial movement of the directional distance: y up, co2 down by beta of themselves
    np.testing.assert_allclose(slacks["Proportionate Movement (y)"], slacks["Score"] * FRAME["y"], atol=1e-9)
    np.testing.assert_allclose(slacks["Proportionate Movement (co2)"], -slacks["Score"] * FRAME["co2"], atol=1e-9)
    peers = pd.read_excel(path, sheet_name="Peers")
    first = peers[peers["NO."] == 2]
    made = sum(
        weight * FRAME.set_index(["city", "year"]).loc[(unit, period), "y"]
        for unit, period, weight in first[["Benchmark", "Benchmark period", "Lambda"]].itertuples(index=False)
    )
    assert made >= slacks["Projection (y)"][1] - 1e-9
    changes = pd.read_excel(path, sheet_name="Malmquist")
    np.testing.assert_allclose(changes["GML"], changes["EC"] * changes["BPC"])
    assert changes["Period"].tolist() == ["2001~2002"] * 3


def test_workbook_is_the_same_file_twice(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(run(), tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_texts_like_formulas_stay_texts(tmp_path: Path) -> None:
    frame = FRAME.assign(city=["=1+1", "@SUM(A1)", "-x\x07"] * 2).rename(columns={"k": "=k"})
    path = tmp_path / "out.xlsx"
    write_workbook(run(columns=Columns("city", "year", ("=k",), ("y",)), frame=frame), path)
    sheet = openpyxl.load_workbook(path)["Score"]
    cells = [sheet.cell(row=r, column=2) for r in (2, 3, 4)]
    assert [(c.value, c.data_type) for c in cells] == [("=1+1", "s"), ("@SUM(A1)", "s"), ("-x ", "s")]
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as package:
        assert not any(b"<f>" in package.read(n) for n in package.namelist() if n.startswith("xl/worksheets"))


def test_workbook_wants_its_ending(tmp_path: Path) -> None:
    with pytest.raises(CarbonpanelError, match=r"out\.xlsx"):
        write_workbook(run(), tmp_path / "out.xls")
    assert not list(tmp_path.iterdir())


def test_ranks_are_within_the_period_and_share_ties() -> None:
    columns = Columns("city", "year", ("k",), ("y",))
    result = run(ModelSpec("ccr", orientation="output"), columns)
    rows = next(list(rows) for title, _, rows in sheets(result) if title == "Score")
    by_period = {2001: [], 2002: []}
    for row in rows:
        by_period[row[2]].append((row[3], row[4]))
    for scores in by_period.values():
        assert min(scores) == (1.0, 1)  # phi: the smallest is the best
        assert sorted(r for _, r in scores) == sorted(1 + sum(o < s for o, _ in scores) for s, _ in scores)


def direction(tmp_path: Path, text: str) -> np.ndarray:
    path = tmp_path / "g.csv"
    path.write_text(text, encoding="utf-8")
    return read_direction(path, frame_data(FRAME), COLUMNS)


def test_direction_files(tmp_path: Path) -> None:
    assert direction(tmp_path, "y,co2\n1,0.5\n").tolist() == [0, 0, 1, 0.5]
    by_unit = direction(tmp_path, "city,co2\nC,3\nA,1\nB,2\n")
    assert by_unit[:, 3].tolist() == [1, 2, 3, 1, 2, 3]
    spec = ModelSpec("ddf", direction=by_unit, disposability="strong")
    one, two = run(spec), run(ModelSpec("ddf", direction=2 * by_unit, disposability="strong"))
    np.testing.assert_allclose(one.scores.score, 2 * two.scores.score)
    # rows of mixed periods carry their own direction
    assert run(spec, index="luenberger").productivity is not None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("z\n1\n", "none of the inputs and outputs"),
        ("y,cO2x\n1,1\n", "co2"),
        ("y\n1\n2\n", "2 rows and no key column"),
        ("city,y\nA,1\nB,1\n", "C has no direction"),
        ("city,y\nA,1\nA,1\nB,1\nC,1\n", "A has two directions"),
        ("y\n-1\n", "no magnitude"),
        ("y\nmuch\n", "no magnitude"),
    ],
)
def test_bad_direction_files(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        direction(tmp_path, text)
    assert caught.value.code == "CP-EFFICIENCY-DIRECTION"
    assert word in str(caught.value)


def test_the_mean_direction_is_that_of_the_panel() -> None:
    means = FRAME[["k", "l", "y", "co2"]].mean().to_numpy()
    moving = {"direction_inputs": True}
    named = run(ModelSpec("ddf", direction="mean", **moving), index="luenberger")
    given = run(ModelSpec("ddf", direction=means, **moving), index="luenberger")
    assert named.productivity is not None
    assert given.productivity is not None
    np.testing.assert_allclose(
        [t.index for t in named.productivity.transitions], [t.index for t in given.productivity.transitions]
    )
