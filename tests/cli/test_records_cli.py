"""``carbonpanel records`` as a user types it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, SHARED, Cli, assert_readable_error, places, run_cli
from tests.unit.records_case import FIRMS, PATENT_HEADER, render, write
from tests.unit.test_records_patents import PATENTS

REAL = SHARED / "real" / "raw" / "firm_registry_2019_jan_apr.csv.gz"


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


@pytest.mark.parametrize("command", [("records",), ("records", "firms"), ("records", "patents")])
def test_help_is_quick(command: tuple[str, ...]) -> None:
    script = (
        "import sys, cli\ntry:\n    cli.main(sys.argv[1:])\nexcept SystemExit:\n    pass\nprint(*sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "records" in done.stdout
    loaded = set(done.stdout.splitlines()[-1].split())
    assert loaded.isdisjoint({"numpy", "pandas", "pyarrow", "duckdb", "analysis_py.records.counting"})


def test_firms_to_every_output(cli_in: Cli, tmp_path: Path) -> None:
    file = write(tmp_path / "qichacha.csv.gz", render(FIRMS), "gbk")
    out, told = tmp_path / "counts.csv", tmp_path / "told.json"
    result = cli_in(
        "records", "firms", str(file), "--out", str(out), "--review", "2", "--as-input", "--json", str(told)
    )
    assert result.returncode == 0, result.stderr
    assert "8 records read, 6 of a known city and year" in result.stdout
    assert "not of the founding year" in result.stdout and "GBK / GB 18030" in result.stdout
    assert [line for line in result.stderr.splitlines() if line.startswith("written: ")] == [
        f"written: {out}",
        f"written: {tmp_path / 'counts_review.csv'}",
        f"written: {told}",
        f"written: {tmp_path / 'data/raw/city_firms/qichacha.parquet'}",
    ]
    counts = {(row["city_code"], row["year"], row["indicator"], row["keyword_id"]): row for row in table(out)}
    assert counts[("340100", "2018", "ai_firms_registered", "")]["exact"] == "2"
    assert {row["keyword"] for row in table(tmp_path / "counts_review.csv")} >= {"人工智能", "物联网"}
    assert json.loads(told.read_text(encoding="utf-8"))["rows"]["read"] == 8
    assert "qichacha" in run_cli("inputs", env=places(tmp_path)).stdout


def test_patents_in_two_files_with_options(cli_in: Cli, tmp_path: Path) -> None:
    one = write(tmp_path / "a.csv", render(PATENTS[:5], PATENT_HEADER))
    two = write(tmp_path / "b.csv", render(PATENTS[3:], PATENT_HEADER, separator="\t"))
    words = write(tmp_path / "words.txt", "机器翻译\n芯片\n")
    out = tmp_path / "counts.xlsx"
    options = ("--keywords", str(words), "--match", "tolerant", "--flow-priority", "upstream", "--years", "2018-2021")
    result = cli_in("records", "patents", str(one), str(two), *options, "--out", str(out), "--snapshot", "2024-06-30")
    assert result.returncode == 0, result.stderr
    assert "records as of 2024-06-30" in result.stdout and "1 芯片" not in result.stdout and "2 芯片" in result.stdout
    assert "repeated finds count once" in result.stdout and out.is_file()


def test_columns_of_other_names(cli_in: Cli, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "Firma,Zweck,Tag,Ort\n甲,人工智能,2018-01-01,安徽省合肥市\n")
    refused = cli_in("records", "firms", str(file))
    assert_readable_error(refused, "CP-RECORDS-COLUMNS", "Firma, Zweck, Tag, Ort", "--columns name=COLUMN", "row 1")
    result = cli_in("records", "firms", str(file), "--columns", "name=Firma,scope=Zweck,date=Tag,region=Ort")
    assert result.returncode == 0 and "1 records read, 1 of a known city" in result.stdout


def test_what_is_refused(cli_in: Cli, tmp_path: Path) -> None:
    good = write(tmp_path / "a.csv", render(FIRMS))
    broken = tmp_path / "b.csv.gz"
    broken.write_bytes(gzip.compress(render(FIRMS * 500).encode())[:500])
    firms = ("records", "firms")
    assert_readable_error(cli_in(*firms, str(tmp_path / "none.csv")), "CP-FILE-MISSING", "a.csv")
    assert_readable_error(cli_in(*firms, str(broken)), "CP-FILE-CORRUPT", "b.csv.gz")
    assert_readable_error(cli_in(*firms, str(good), str(good)), "CP-OPTION", "twice")
    assert_readable_error(cli_in(*firms, str(good), "--match", "fuzzy"), "CP-RECORDS-OPTION", "tolerant")
    assert_readable_error(cli_in(*firms, str(good), "--out", "x.doc"), "CP-RECORDS-OPTION", ".xlsx")
    assert_readable_error(cli_in(*firms, str(good), "--out", str(good)), "CP-FILE-SAME")
    assert_readable_error(cli_in(*firms, str(good), "--years", "2019"), "CP-RECORDS-OPTION", "2003-2021")
    assert_readable_error(cli_in(*firms, str(good), "--sheet", "x"), "CP-OPTION", "--sheet")
    assert_readable_error(cli_in(*firms, str(good), "--as-input", "--dataset", "a/b"), "CP-DATASET-NAME")
    assert_readable_error(cli_in("records", "patents", str(good)), "CP-RECORDS-COLUMNS", "企业名称")
    # One broken file among good ones writes nothing.
    refused = cli_in(*firms, str(good), str(broken), "--out", str(tmp_path / "out.csv"), "--as-input")
    assert_readable_error(refused, "CP-FILE-CORRUPT")
    assert not (tmp_path / "out.csv").exists() and not (tmp_path / "data").exists()


def test_the_same_output_under_other_hash_seeds(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", render(FIRMS * 30))
    said = []
    for seed in ("1", "2"):
        out = tmp_path / f"{seed}.xlsx"
        result = run_cli(
            "records", "firms", str(file), "--out", str(out), env={**places(tmp_path), "PYTHONHASHSEED": seed}
        )
        said.append((result.stdout, out.read_bytes()))
    assert said[0] == said[1]


def test_an_interruption_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    line = "合肥某某科技有限公司,从事人工智能的软件开发；物联网技术服务,2018-01-01,安徽,合肥\n"
    file.write_text("企业名称,经营范围,成立日期,省份,城市\n" + line * 700_000, encoding="utf-8")
    out = tmp_path / "counts.csv"
    out.write_text("before", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "records", "firms", str(file), "--out", str(out)],
        env={**os.environ, **places(tmp_path)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None and "counting" in process.stderr.readline()
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, out.read_text(encoding="utf-8")) == (130, "before")
    assert "interrupted" in errors and "Traceback" not in errors


@pytest.mark.real
def test_the_real_registry(cli_in: Cli, tmp_path: Path) -> None:
    if not REAL.exists():
        pytest.skip(f"{REAL.name} is not beside the project")
    out = tmp_path / "counts.csv"
    result = cli_in("records", "firms", str(REAL), "--out", str(out), "--as-input", "--review", "3")
    assert result.returncode == 0, result.stderr
    assert "164,587 records read, 153,377 of a known city and year; 11,210 of no city of the panel" in result.stdout
    rows = [row for row in table(out) if row["indicator"] == "ai_firms_registered"]
    total = {name: sum(int(row[name]) for row in rows if not row["keyword_id"]) for name in ("exact", "tolerant")}
    assert total == {"exact": 1746, "tolerant": 1760}
    by_keyword = {row["keyword"]: 0 for row in rows}
    for row in rows:
        by_keyword[row["keyword"]] += int(row["exact"])
    assert (by_keyword["人工智能"], by_keyword["物联网"], by_keyword["智能家居"]) == (391, 940, 450)
    assert "the counts of 2019 are of a part of the year" in result.stdout
