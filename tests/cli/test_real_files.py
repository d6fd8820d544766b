"""The same commands on two real files, read in place: nothing of them is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import SHARED, Cli, places, run_cli

REAL = SHARED / "real"
YEARBOOK = REAL / "raw" / "china_city_panel_real.csv"
CEADS = REAL / "raw" / "The_Emission_Inventories_for_290_Chinese_Cities_from_1997_to_2019.xlsx"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not YEARBOOK.exists(), reason="the real files are not beside the project (../shared/real)"),
]


@pytest.fixture(scope="module")
def real_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    for file, source in ((YEARBOOK, "city_yearbook"), (CEADS, "city_emissions")):
        out = folder / f"{source}.json"
        result = run_cli("ingest", str(file), "--as", source, "--json", str(out), env=places(folder))
        assert result.returncode == 0, result.stdout + result.stderr
    result = run_cli("run", env=places(folder), timeout=1500)
    assert result.returncode == 0, result.stdout + result.stderr
    (folder / "said.txt").write_text(result.stdout + result.stderr, encoding="utf-8")
    return folder


def rows(folder: Path, sql: str) -> list[dict[str, object]]:
    result = run_cli("sql", sql, "--format", "json", env=places(folder))
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_places(real_world: Path) -> None:
    yearbook = json.loads((real_world / "city_yearbook.json").read_text(encoding="utf-8"))
    assert yearbook["places_placed"] == 299
    assert "632500" in json.dumps(yearbook["unplaced"], ensure_ascii=False)
    ceads = json.loads((real_world / "city_emissions.json").read_text(encoding="utf-8"))
    assert ceads["places_placed"] == 262
    assert len(ceads["unplaced"]) == 28


def test_known_values(real_world: Path) -> None:
    found = rows(
        real_world,
        "select city_code, year, gdp_yi_yuan as gdp from fct_city_year "
        "where (city_code, year) in (('440300', 2020), ('310100', 2019)) order by 1",
    )
    assert [r["gdp"] for r in found] == [38156, 27670]


def test_nothing_simulated_is_left(real_world: Path) -> None:
    assert rows(real_world, "select bool_or(is_simulated) as s from fct_city_year")[0]["s"] is False
    assert rows(real_world, "select count(AI) as n from panel_carbon_productivity")[0]["n"] == 0
    assert rows(real_world, "select count(CP) as n from panel_carbon_productivity")[0]["n"] > 1000
    assert "SIMULATED" not in (real_world / "said.txt").read_text(encoding="utf-8")


def test_analyses_that_lack_a_file_say_so(real_world: Path) -> None:
    found = rows(
        real_world,
        "select distinct status, message from latest_model where study = 'carbon_productivity' and id = 'T3c1'",
    )
    assert [r["status"] for r in found] == ["not_run"]
    assert "AI" in str(found[0]["message"])


def test_the_trial_runs(real_world: Path) -> None:
    found = rows(
        real_world,
        "select id, status, covariance, n_obs, inputs from latest_model where study = 'real_trial' order by id",
    )
    ran = [r for r in found if r["status"] in ("ok", "warned")]
    assert ran
    assert all("province_code" in str(r["covariance"]) and r["inputs"] == "user" for r in ran)
    not_run = [r for r in found if r["status"] == "not_run"]
    assert not_run  # no EDGAR file was brought


def test_trace_ends_at_the_file(real_world: Path) -> None:
    result = run_cli("trace", "深圳", "2019", "Gov", env=places(real_world))
    assert result.returncode == 0, result.stderr
    assert "china_city_panel_real.csv" in result.stdout
    assert "fiscal_expenditure_100m" in result.stdout


def test_demo_is_one_option_away(cli_in: Cli, tmp_path: Path) -> None:
    assert run_cli("ingest", str(CEADS), "--as", "city_emissions", env=places(tmp_path)).returncode == 0
    result = cli_in("inputs", "--format", "json")
    kinds = {r["source"]: r["inputs"] for r in json.loads(result.stdout)}
    assert kinds["city_emissions"] == "user"
    assert kinds["city_yearbook"] == "none"
