"""The commands around a user's files, as a user types them: ingest, inputs, template, refresh with decisions."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from tests.conftest import ROOT, Cli, assert_readable_error, places, run_cli
from tests.unit.ingest_files import PLAIN, write_text

YEARS = range(2003, 2020)
CODES = {"340100": "合肥市", "340200": "芜湖市", "340300": "蚌埠市", "340400": "淮南市"}


def panel(spoilt: dict[tuple[str, int], str] | None = None, factor: float = 1.0) -> str:
    """A yearbook of four cities with GDP, its growth and spending; ``spoilt`` cells of GDP as given."""
    lines = ["city_code,city,year,GDP(亿元),GDP增长率(%),一般公共预算支出(亿元)"]
    for place, (code, name) in enumerate(CODES.items(), start=1):
        for year in YEARS:
            gdp = 400 * place * 1.1 ** (year - 2003) * factor
            text = (spoilt or {}).get((code, year), f"{gdp:.2f}")
            lines.append(f"{code},{name},{year},{text},8.5,{gdp / 6:.3f}")
    return "\n".join(lines) + "\n"


def rows(folder: Path, sql: str) -> list[dict[str, object]]:
    result = run_cli("sql", sql, "--format", "json", env=places(folder))
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


# ---------------------------------------------------------------- ingest


def test_several_files_and_a_table_of_what_became_of_them(cli_in: Cli, tmp_path: Path) -> None:
    good = write_text(tmp_path / "good.csv", PLAIN)
    other = write_text(tmp_path / "other.csv", PLAIN + "340200,芜湖市,2019,-5\n999999,Atlantis,2019,1\n")
    out = tmp_path / "out.json"
    result = cli_in("ingest", str(good), str(other), "--as", "city_yearbook", "--json", str(out))
    assert result.returncode == 0, result.stderr
    table = result.stdout[result.stdout.index("file  ") :]
    assert re.search(r"good\.csv +good +3 +3 +2 +3 +0 +0 +taken", table)
    assert re.search(r"other\.csv +other +5 +4 +3 +3 +1 +1 +taken", table)
    assert re.search(r"total +8 +7 +6 +1 +1 +2 of 2", table)
    assert [entry["dataset"] for entry in json.loads(out.read_text(encoding="utf-8"))] == ["good", "other"]


def test_a_refused_file_does_not_stop_the_others(cli_in: Cli, tmp_path: Path) -> None:
    bad = write_text(tmp_path / "bad.csv", PLAIN + "340200,芜湖市,2019,about ten\n")
    good = write_text(tmp_path / "good.csv", PLAIN)
    result = cli_in("ingest", str(bad), str(good), "--as", "city_yearbook")
    assert result.returncode == 1
    assert result.stderr.count("error CP-CELL-TEXT") == 1 and "refused: CP-CELL-TEXT" in result.stdout
    assert "1 of 2" in result.stdout
    assert (tmp_path / "data/raw/city_yearbook/good.parquet").is_file()
    assert not (tmp_path / "data/raw/city_yearbook/bad.parquet").exists()


def test_options_that_do_not_go_together(cli_in: Cli, tmp_path: Path) -> None:
    files = [str(write_text(tmp_path / f"{name}.csv", PLAIN)) for name in "ab"]
    asked = ("--as", "city_yearbook")
    assert_readable_error(cli_in("ingest", *files, *asked, "--dataset", "x"), "CP-OPTION", "2 files")
    assert_readable_error(cli_in("ingest", files[0], files[0], *asked), "CP-OPTION", "twice")
    assert_readable_error(cli_in("ingest", *files, *asked, "--draft", "x.yml"), "CP-OPTION", "--draft")
    assert_readable_error(cli_in("ingest", files[0], *asked, "--unit", "gdp"), "CP-ANSWER-VALUE", "--unit")
    assert_readable_error(cli_in("ingest", files[0], *asked, "--area-scope", "x"), "CP-ANSWER-VALUE", "--area-scope")
    assert cli_in("ingest", "--as", "city_yearbook").returncode == 2
    assert not (tmp_path / "data").exists()


def test_flags_draft_and_memory(cli_in: Cli, tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", "城市,年份,地区生产总值,总人口(万人)\n合肥,2019,94094000,770.4\n")
    asked = ("ingest", str(path), "--as", "city_yearbook")
    assert_readable_error(cli_in(*asked), "CP-UNIT-MISSING", "--unit '地区生产总值=UNIT'")
    draft = tmp_path / "mine.yml"
    result = cli_in(*asked, "--draft", str(draft))
    assert result.returncode == 0 and result.stdout == draft.read_text(encoding="utf-8")
    assert_readable_error(cli_in(*asked, "--draft", str(draft)), "CP-FILE-EXISTS")
    flags = ("--unit", "地区生产总值=万元", "--population-basis", "户籍", "--vintage", "first", "--area-scope", "全市")
    result = cli_in(*asked, *flags)
    assert result.returncode == 0, result.stderr
    assert "地区生产总值 -> gdp [10k_yuan]: 1" in result.stdout
    again = cli_in(*asked)
    assert again.returncode == 0 and "10k_yuan (answered before)" in again.stdout
    listed = json.loads(cli_in("inputs", "--answers", "--format", "json").stdout)
    assert "unit of 地区生产总值 = 10k_yuan" in listed[0]["answers"]
    forgotten = cli_in("inputs", "--forget", listed[0]["id"])
    assert forgotten.returncode == 0 and "forgotten" in forgotten.stderr
    assert_readable_error(cli_in(*asked), "CP-UNIT-MISSING")
    assert_readable_error(cli_in("inputs", "--forget", "nothing"), "CP-ANSWER-UNKNOWN")


@pytest.mark.skipif(os.name != "posix", reason="a terminal as on POSIX")
def test_a_person_at_a_terminal_is_asked(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", "城市,年份,地区生产总值\n合肥,2019,94094000\n")
    main, side = pty.openpty()
    env = {k: v for k, v in os.environ.items() if not k.startswith("CARBONPANEL_")} | places(tmp_path)
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "ingest", str(path), "--as", "city_yearbook"],
        stdin=side, stdout=subprocess.PIPE, stderr=side, env=env | {"NO_COLOR": "1", "TERM": "dumb"},
    )  # fmt: skip
    os.close(side)
    os.write(main, b"2\n\n\n")
    out, _ = process.communicate(timeout=60)
    asked = os.read(main, 65536).decode()
    os.close(main)
    assert process.returncode == 0, asked
    assert "In which unit is '地区生产总值'" in asked and "Of which area" in asked
    assert "地区生产总值 -> gdp [10k_yuan]: 1" in out.decode()


# ---------------------------------------------------------------- templates


def test_a_template_is_filled_and_ingested(cli_in: Cli, tmp_path: Path) -> None:
    target = tmp_path / "mine.xlsx"
    result = cli_in("template", "city_energy", "--language", "zh", "--out", str(target))
    assert result.returncode == 0 and str(target) in result.stdout
    book = openpyxl.load_workbook(target)
    sheet = book.worksheets[0]
    sheet.append(["340100", "合肥市", 2019, *[10] * (sheet.max_column - 3)])
    book.save(target)
    result = cli_in("ingest", str(target), "--as", "city_energy")
    assert result.returncode == 0, result.stderr
    assert "11 taken of 11 read" in result.stdout and "left alone" not in result.stdout
    assert_readable_error(cli_in("template", "city_energy", "--out", str(target)), "CP-FILE-EXISTS")
    assert_readable_error(cli_in("template", "city_enrgy"), "CP-SOURCE-UNKNOWN", "city_energy")


# ---------------------------------------------------------------- decisions and the warehouse


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two yearbooks, one of them with faults; a correction, an acceptance and a preference; refreshed."""
    folder = tmp_path_factory.mktemp("decided")
    spoilt = {("340200", 2010): "15589742", ("340300", 2012): "28294.1", ("340400", 2008): "-7"}
    for name, text in (("book", panel(spoilt)), ("other", panel(factor=2.0))):
        brought = run_cli(
            "ingest", str(write_text(folder / f"{name}.csv", text)), "--as", "city_yearbook", env=places(folder)
        )
        assert brought.returncode == 0, brought.stderr
    decisions = [
        "city: 芜湖, year: 2010, action: value, value: 1558.97, unit: 亿元, why: printed in 万元, date: 2024-05-01",
        "city: 蚌埠, year: 2012, action: accept, why: as the bureau says, date: 2024-05-02",
        "city: 淮南, year: 2008, action: accept, why: a test, date: 2024-05-03",
    ]
    entries = [f"- {{source: city_yearbook, dataset: book, indicator: gdp, {told}}}\n" for told in decisions]
    write_text(folder / "data" / "corrections.yml", "".join(entries))
    write_text(
        folder / "data" / "precedence.yml", "- {source: city_yearbook, indicator: gdp, years: 2015, prefer: other}\n"
    )
    result = run_cli("refresh", env=places(folder), timeout=1500)
    assert result.returncode == 0, result.stdout + result.stderr
    (folder / "said.txt").write_text(result.stdout + result.stderr, encoding="utf-8")
    return folder


def test_the_warehouse_has_the_decisions(decided: Path) -> None:
    assert "corrections.yml: 2 cell(s) accepted, 1 given another value" in (decided / "said.txt").read_text("utf-8")
    found = rows(
        decided,
        "select city_code, place, year, value_text, value, reason is not null as has_reason, guess, decision, "
        'new_value, why, source_file, sheet, "row" as r, "column" as c, is_simulated '
        "from quality.quarantine order by city_code",
    )
    assert [(f["city_code"], f["year"], f["decision"], f["new_value"]) for f in found] == [
        ("340200", 2010, "corrected", 1558.97),
        ("340300", 2012, "accepted", None),
        ("340400", 2008, "accepted", None),
    ]
    first = found[0]
    assert (first["place"], first["value_text"], first["value"]) == ("芜湖市", "15589742", 15589742)
    assert first["guess"] == "looks 10^4 times too large: 万元 instead of 亿元?"
    assert (first["source_file"], first["sheet"], first["r"], first["c"]) == ("book.csv", None, 26, "GDP(亿元)")
    assert first["has_reason"] is True and first["is_simulated"] is False and first["why"] == "printed in 万元"


def test_the_panel_uses_the_decided_values(decided: Path) -> None:
    found = rows(
        decided,
        "select city_code, year, gdp_yi_yuan as gdp, gdp_yi_yuan_fill as fill from fct_city_year where (city_code, "
        "year) in (('340200', 2010), ('340300', 2012), ('340400', 2008), ('340100', 2014), ('340100', 2015)) "
        "order by city_code, year",
    )
    assert [(f["city_code"], f["year"], f["fill"]) for f in found] == [
        ("340100", 2014, "observed"),
        ("340100", 2015, "observed"),
        ("340200", 2010, "observed"),
        ("340300", 2012, "observed"),
        ("340400", 2008, "observed"),
    ]
    assert found[1]["gdp"] == pytest.approx(2 * 400 * 1.1**12, abs=0.01)  # the preferred dataset, 2015 only
    assert found[0]["gdp"] == pytest.approx(400 * 1.1**11, abs=0.01)
    # The accepted cell is used as it stands, also where it is outside its plausible range.
    assert [found[2]["gdp"], found[3]["gdp"], found[4]["gdp"]] == [1558.97, 28294.1, -7.0]


def test_both_values_are_kept_and_compared(decided: Path) -> None:
    found = rows(
        decided,
        "select first_dataset, second_dataset, used_dataset, count(*) as n, median(ratio) as ratio "
        "from quality.source_overlap where indicator = 'gdp' group by all order by used_dataset",
    )
    assert [(f["first_dataset"], f["second_dataset"], f["used_dataset"], f["n"]) for f in found] == [
        ("book", "other", "book", 4 * len(YEARS) - 4),
        ("book", "other", "other", 4),
    ]
    assert [round(float(str(f["ratio"])), 3) for f in found] == [0.5, 0.5]
    result = run_cli("inputs", "--overlap", "gdp", env=places(decided))
    assert result.returncode == 0 and "the cells furthest apart" in result.stdout
    listed = json.loads(run_cli("inputs", "gdp", "--overlap", "--format", "json", env=places(decided)).stdout)
    assert listed[0]["median"] == pytest.approx(0.5, rel=1e-3) and listed[0]["both"] == 4 * len(YEARS)


def test_a_trace_tells_what_was_decided(decided: Path) -> None:
    corrected = run_cli("trace", "芜湖", "2010", "gdp_yi_yuan", env=places(decided)).stdout
    assert "book.csv, row 26, column 'GDP(亿元)': '15589742'" in corrected
    assert "corrected by hand: 1558.97 yi_yuan instead of 15589742 yi_yuan: printed in 万元 (2024-05-01" in corrected
    accepted = run_cli("trace", "蚌埠", "2012", "gdp_yi_yuan", env=places(decided)).stdout
    assert "accepted by hand although 28,294.1 yi_yuan is about 10 times" in accepted


def test_inputs_show_what_was_decided(decided: Path) -> None:
    text = run_cli("inputs", env=places(decided)).stdout
    assert "precedence.yml" in text and "corrections.yml" in text and "as the bureau says" in text
    listed = json.loads(run_cli("inputs", "--quarantine", "--format", "json", env=places(decided)).stdout)
    assert [entry["decision"] for entry in listed] == ["corrected", "accepted", "accepted"]
    listed = json.loads(run_cli("inputs", "--corrections", "--format", "json", env=places(decided)).stdout)
    assert [entry["line"] for entry in listed] == [1, 2, 3]
    datasets = json.loads(run_cli("inputs", "--format", "json", env=places(decided)).stdout)
    assert {d["dataset"] for d in datasets if d["inputs"] == "user"} == {"book", "other"}


def test_a_changed_correction_is_noticed_and_a_wrong_one_stops(decided: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(decided, folder, ignore=shutil.ignore_patterns("*.lock"))
    again = run_cli("refresh", env=places(folder), timeout=1500)
    assert "nothing has changed" in again.stdout
    path = folder / "data" / "corrections.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("city: 淮南", "city: 合肥"), encoding="utf-8")
    assert_readable_error(
        run_cli("refresh", env=places(folder), timeout=1500), "CP-CORRECTION-UNMATCHED", "corrections.yml, row 3"
    )
    path.write_text("\n".join(text.splitlines()[:2]) + "\n", encoding="utf-8")
    changed = run_cli("refresh", env=places(folder), timeout=1500)
    assert changed.returncode == 0 and "warehouse built" in changed.stdout
    found = rows(folder, "select gdp_yi_yuan as gdp, gdp_yi_yuan_fill as fill from fct_city_year "
                 "where city_code = '340400' and year = 2008")  # fmt: skip
    # The other dataset steps in where the first one's cell is quarantined again.
    assert found[0]["gdp"] == pytest.approx(2 * 1600 * 1.1**5, abs=0.01)


def test_mixed_inputs_are_simulated_and_say_so_everywhere(tmp_path: Path) -> None:
    folder = tmp_path
    assert_readable_error(run_cli("refresh", "--inputs", "mixed", env=places(folder)), "CP-INPUTS-NONE")
    path = write_text(folder / "book.csv", panel())
    assert run_cli("ingest", str(path), "--as", "city_yearbook", env=places(folder)).returncode == 0
    result = run_cli("refresh", "--inputs", "mixed", env=places(folder), timeout=1500)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "the demo world stands in for city_construction, city_digital, city_emissions" in result.stdout
    assert result.stdout.count("SIMULATED - not evidence about China") == 2
    build = rows(folder, "select world, is_simulated, inputs from meta.build")[0]
    assert (build["world"], build["is_simulated"]) == ("mixed", True)
    kinds = json.loads(str(build["inputs"]))
    assert (kinds["city_yearbook"], kinds["city_energy"], kinds["listed_firms"]) == ("user", "demo", "demo")
    cell = "city_code = '340100' and year = 2010"
    found = rows(folder, f"select gdp_yi_yuan as gdp, is_simulated from fct_city_year where {cell}")
    assert found[0]["gdp"] == pytest.approx(400 * 1.1**7, abs=0.01) and found[0]["is_simulated"] is True
    for args in (("describe",), ("trace", "合肥", "2010", "gdp_yi_yuan"), ("validate", "--last")):
        said = run_cli(*args, env=places(folder))
        assert "SIMULATED - not evidence about China" in said.stdout + said.stderr, args
