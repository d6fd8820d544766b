"""``carbonpanel efficiency`` as a user calls it: results, formats, and every way to get it wrong."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from tests.conftest import ROOT, Cli, assert_readable_error, run_cli
from tests.reference.fe_cases import shared_case

GOOD = """city,year,k,l,y,co2
北京,2013,2,1,2,1
上海,2013,3,2,2,2
广州,2013,4,2,3,2
北京,2014,2,1,2.5,0.9
上海,2014,3,2,2,2.2
广州,2014,5,2,3,1.5
"""
KEYS = ("--unit", "city", "--period", "year", "--inputs", "k,l", "--good", "y", "--bad", "co2")


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    path = tmp_path / "panel.csv"
    path.write_text(GOOD, encoding="utf-8")
    return path


def efficiency(*args: str | Path, keys: tuple[str, ...] = KEYS) -> Any:
    return run_cli("efficiency", *(str(a) for a in args), *keys)


def as_json(folder: Path, *args: str | Path, keys: tuple[str, ...] = KEYS) -> dict[str, Any]:
    out = folder / "out.json"
    result = efficiency(*args, "--json", out, keys=keys)
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(out.read_text(encoding="utf-8"))


def test_scores_with_every_choice_above_them(panel: Path, tmp_path: Path) -> None:
    result = efficiency(panel, "--model", "sbm-ddf", "--returns", "vrs", "--index", "gml")
    assert result.returncode == 0, result.stderr
    head, _, tables = result.stdout.partition("Scores:")
    for words in ("sbm-ddf", "halves", "vrs", "global", "strong disposability", "inefficiency D", "gml"):
        assert words in head
    assert "北京" in tables
    assert "Index: gml" in tables
    assert "Cumulative gml" in tables
    assert "no transition was lost (3 computed)" in result.stderr


def test_json_and_order_of_the_file(panel: Path, tmp_path: Path) -> None:
    found = as_json(tmp_path, panel, "--model", "ddf", "--index", "ml")
    assert [(s["unit"], s["period"]) for s in found["scores"]] == [
        *(("北京", 2013), ("上海", 2013), ("广州", 2013), ("北京", 2014), ("上海", 2014), ("广州", 2014)),
    ]
    assert {"scores", "indices", "cumulative", "run"} == set(found)
    assert all(s["residual"] < 1e-9 for s in found["scores"])
    assert found["run"]["model"]["disposability"] == "weak"
    lost = [r for r in found["indices"] if r["status"] != "ok"]
    assert all(r["index"] is None and r["reason"] for r in lost)


def test_other_kinds_of_files(panel: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(panel)
    frame.to_excel(tmp_path / "p.xlsx", index=False, sheet_name="data")
    frame.to_parquet(tmp_path / "p.parquet")
    frame.assign(city=["a", "b", "c"] * 2).to_stata(tmp_path / "p.dta", write_index=False)
    wanted = [s["score"] for s in as_json(tmp_path, panel)["scores"]]
    for name, more in (("p.xlsx", ("--sheet", "data")), ("p.parquet", ()), ("p.dta", ())):
        assert [s["score"] for s in as_json(tmp_path, tmp_path / name, *more)["scores"]] == wanted


def test_workbook_and_formats(panel: Path, tmp_path: Path) -> None:
    book = tmp_path / "out.xlsx"
    result = efficiency(panel, "--index", "gml", "--xlsx", book, "--format", "csv", "--show", "indices")
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[0].startswith("unit,from,to,index,efficiency_change")
    assert len(result.stdout.splitlines()) == 4
    assert openpyxl.load_workbook(book).sheetnames[:3] == ["Run", "Score", "Slacks"]
    rows = json.loads(efficiency(panel, "--format", "json").stdout)
    assert len(rows) == 6
    assert "**Scores" in efficiency(panel, "--format", "md").stdout


def test_limit_says_what_it_leaves_out(panel: Path) -> None:
    result = efficiency(panel, "--limit", "2")
    assert "first 2 of 6 rows; --limit 0 shows all" in result.stderr
    assert "广州" not in result.stdout


def test_bootstraps_record_their_seed(panel: Path, tmp_path: Path) -> None:
    keys = ("--unit", "city", "--period", "year", "--inputs", "k", "--good", "y")
    first = as_json(tmp_path, panel, "--model", "ccr", "--bootstrap", "30", "--seed", "5", keys=keys)
    assert (first["run"]["seed"], first["run"]["draws"]) == (5, 30)
    assert {"bias", "corrected", "ci_low", "ci_high"} <= set(first["scores"][0])
    again = as_json(tmp_path, panel, "--model", "ccr", "--bootstrap", "30", "--seed", "5", keys=keys)
    assert first == again
    units = as_json(tmp_path, panel, "--model", "sbm", "--index", "gml", "--bootstrap", "20")
    assert units["bootstrap"][0]["mean of"] == "index 2013-2014"


def test_second_stage(tmp_path: Path) -> None:
    lines = ["u,x,y,z"]
    for i in range(60):
        z, noise = i * 37 % 41, i * 17 % 13
        lines.append(f"u{i},2,{2 / (1 + z / 40 + noise / 40)},{z}")
    path = tmp_path / "p.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    keys = ("--unit", "u", "--inputs", "x", "--good", "y")
    for algorithm in ("1", "2"):
        options = ("--model", "ccr", "--second-stage", "z", "--algorithm", algorithm, "--bootstrap", "100")
        found = as_json(tmp_path, path, *options, keys=keys)
        slope = found["second_stage"][0]
        assert slope["term"] == "z"
        assert slope["ci_low"] > 0  # the distance is 1 + z/40 and some more, by construction


def test_sample_and_panel_of_the_warehouse(cli: Cli, panel: Path, tmp_path: Path) -> None:
    found = as_json(tmp_path, panel, "--sample", "year = 2014")
    assert {s["period"] for s in found["scores"]} == {2014}
    out = tmp_path / "w.json"
    result = cli(
        *("efficiency", "--panel", "panel_carbon_productivity", "--unit", "city_code", "--period", "year"),
        *("--inputs", "co2_mt", "--good", "gdp_2003_price_yi_yuan", "--model", "ccr", "--json", str(out)),
        *("--sample", "co2_mt is not null and gdp_2003_price_yi_yuan is not null and year >= 2019"),
    )
    assert result.returncode == 0, result.stderr
    assert "SIMULATED" in result.stdout
    told = json.loads(out.read_text(encoding="utf-8"))
    assert told["run"]["is_simulated"] is True
    assert len(told["scores"]) > 500


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("北京,2014,2,", "北京,2014,0,", ["row 5", "'k'", "北京, 2014", "zero"]),
        ("上海,2014,3,2,2,", "上海,2014,3,2,-2,", ["row 6", "'y'", "上海, 2014", "-2"]),
        ("广州,2013,4,2,3,2", "广州,2013,4,2,3,", ["row 4", "'co2'", "广州, 2013", "missing"]),
        ("广州,2013,4,2,3,2", "广州,2013,4,about,3,2", ["'l'", "row 4", "about"]),
        ("上海,2014", "上海,2013", ["row 6", "上海, 2013", "rows 3, 6"]),
        ("北京,2013", ",2013", ["row 2", "'city'"]),
    ],
)
def test_cells_that_cannot_be_used(panel: Path, tmp_path: Path, old: str, new: str, names: list[str]) -> None:
    panel.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    out, book = tmp_path / "o.json", tmp_path / "o.xlsx"
    assert_readable_error(efficiency(panel, "--json", out, "--xlsx", book), None, "panel.csv", *names)
    assert not out.exists()
    assert not book.exists()


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--model", "sbm-dff"), ["sbm-ddf"]),
        (("--returns", "crss"), ["crs"]),
        (("--orientation", "inpt"), ["input"]),
        (("--disposability", "week"), ["weak"]),
        (("--reference", "globl"), ["global"]),
        (("--reference", "window:x"), ["window:3"]),
        (("--index", "gmll"), ["gml"]),
        (("--index", "ml", "--fallback", "gmml"), ["gml"]),
        (("--fallback", "gml"), ["--index"]),
        (("--model", "sbm-ddf", "--weights", "halvs"), ["halves"]),
        (("--model", "sbm-ddf", "--weights", "1,2"), ["weight"]),
        (("--model", "ddf", "--direction", "onw"), ["own"]),
        (("--model", "ddf", "--direction", "nothere.csv"), ["nothere.csv"]),
        (("--zero", "drop"), ["drop_term"]),
        (("--model", "ddf", "--index", "malmquist"), ["Malmquist", "luenberger"]),
        (("--model", "sbm", "--bootstrap", "50"), ["ccr"]),
        (("--smoothing", "mirored", "--model", "ccr", "--bootstrap", "50"), ["mirrored"]),
        (("--unit", "cty"), ["city"]),
        (("--bad", "co"), ["co2"]),
        (("--xlsx", "out.xls"), ["out.xlsx"]),
        (("--show", "indices"), ["--index"]),
        (("--sample", "yeer = 2013"), ["year"]),
        (("--sheet", "x"), ["panel.csv"]),
        (("--bootstrap", "5"), ["20"]),
        (("--direction-bad", "yes"), ["on", "off"]),
        (("--modell", "sbm"), ["--model"]),
    ],
)
def test_wrong_options(panel: Path, options: tuple[str, ...], names: list[str]) -> None:
    kept = KEYS
    if options[0] in KEYS:  # the option again replaces or joins the good one
        at = KEYS.index(options[0])
        kept = KEYS[:at] + KEYS[at + 2 :]
    assert_readable_error(efficiency(panel, *options, keys=kept), None, *names)


def test_no_data_and_two_kinds_of_data(panel: Path) -> None:
    assert_readable_error(efficiency(), "CP-OPTION", "--panel")
    assert_readable_error(efficiency(panel, "--panel", "fct_city_year"), "CP-OPTION")
    assert_readable_error(efficiency(panel, keys=("--good", "y")), "CP-EFFICIENCY-COLUMN", "--inputs")
    assert_readable_error(efficiency("panl.csv"), None, "panl.csv")
    assert_readable_error(efficiency(panel, "--json", panel), "CP-FILE-SAME")


def test_reference_case_through_the_command(tmp_path: Path) -> None:
    folder = shared_case("efficiency", "syn30x10_sbmddf_gml")
    wanted = json.loads((folder / "expected.json").read_text(encoding="utf-8"))["quantities"]
    keys = ("--unit", "dmu", "--period", "t", "--inputs", "K,L,E", "--good", "Y", "--bad", "C")
    options = ("--model", "sbm-ddf", "--returns", "vrs", "--weights", "halves", "--index", "gml")
    found = as_json(tmp_path, folder / "data.csv", *options, keys=keys)
    assert [s["score"] for s in found["scores"]] == pytest.approx(wanted["DG_vrs"]["expected"], abs=1e-8)
    cumulative = {(c["unit"], c["period"]): c["index"] for c in found["cumulative"]}
    for unit, series in zip(sorted({u for u, _ in cumulative}), wanted["GTFP_cum_vrs"]["expected"], strict=True):
        assert [cumulative[unit, year] for year in range(2010, 2020)] == pytest.approx(series, abs=1e-7)


def test_an_interruption_leaves_nothing(panel: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.json"
    keys = ("--unit", "city", "--period", "year", "--inputs", "k", "--good", "y")
    options = ("--model", "ccr", "--bootstrap", "4000000", "--json", str(out))
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "efficiency", str(panel), *keys, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        assert process.stderr.readline().startswith("efficiency")  # the work has begun
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "interrupted" in said
    assert not out.exists()


def test_the_same_command_is_the_same_file(panel: Path, tmp_path: Path) -> None:
    written = []
    for seed in ("0", "1"):
        out, book = tmp_path / f"{seed}.json", tmp_path / f"{seed}.xlsx"
        result = run_cli(
            *("efficiency", str(panel), *KEYS, "--model", "super-sbm", "--index", "gml"),
            *("--bootstrap", "20", "--json", str(out), "--xlsx", str(book)),
            env={"PYTHONHASHSEED": seed},
        )
        assert result.returncode == 0, result.stderr
        written.append((out.read_bytes(), book.read_bytes()))
    assert written[0] == written[1]
