"""The command line as a shell: quick, quiet, documented."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT, Cli, run_cli

COMMANDS = (
    *("run", "refresh", "validate", "estimate", "compare", "sql", "describe", "trace"),
    *("recover", "doctor", "ingest", "inputs", "template", "describe-data", "efficiency", "records", "reconcile"),
)


def test_help_lists_every_command() -> None:
    text = run_cli("--help").stdout
    for command in COMMANDS:
        assert re.search(rf"^  {command}\b", text, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme_and_has_help(command: str) -> None:
    assert f"carbonpanel {command}" in (ROOT / "README.md").read_text(encoding="utf-8")
    result = run_cli(command, "--help")
    assert result.returncode == 0
    assert "Usage: carbonpanel" in result.stdout


def test_help_loads_nothing_heavy() -> None:
    heavy = ("pandas", "numpy", "duckdb", "dbt", "pyfixest", "great_expectations", "scipy", "pyarrow")
    code = f"import sys, cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_help_is_quick() -> None:
    run_cli("--help")
    best = min(_seconds("--help") for _ in range(3))
    assert best < 5  # a guard against heavy imports only; benchmarks measure speed


def _seconds(*args: str) -> float:
    started = time.perf_counter()
    run_cli(*args)
    return time.perf_counter() - started


def test_machine_readable_output_is_clean(cli: Cli) -> None:
    result = cli("sql", "select 1 as one, 'ü,' as two, null as three", "--format", "json")
    assert json.loads(result.stdout) == [{"one": 1, "two": "ü,", "three": None}]
    result = cli("sql", "select 1 as one, 'ü,' as two, null as three", "--format", "csv")
    assert result.stdout == 'one,two,three\n1,"ü,",\n'
    assert "SIMULATED" in result.stderr


def test_no_colour_codes_without_a_terminal(cli: Cli) -> None:
    for args in (("describe",), ("doctor",), ("sql", "select 1"), ("compare", "carbon_productivity", "--table", "3")):
        result = cli(*args)
        assert "\x1b[" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("describe",),
        ("describe", "panel_carbon_productivity"),
        ("trace", "深圳", "2015", "CP"),
        ("recover",),
        ("compare", "carbon_productivity"),
        ("sql", "from panel_carbon_productivity limit 1"),
        ("validate", "--last"),
        ("estimate", "carbon_productivity/3", "--no-write"),
    ],
)
def test_simulated_is_said_wherever_numbers_are_shown(cli: Cli, args: tuple[str, ...]) -> None:
    result = cli(*args)
    assert result.returncode == 0, result.stderr
    assert "SIMULATED - not evidence about China" in result.stdout + result.stderr


def test_nothing_to_do_is_recognised(cli: Cli) -> None:
    result = cli("refresh")
    assert result.returncode == 0
    assert "nothing has changed" in result.stdout


def test_doctor_is_content_with_a_fresh_build(cli: Cli) -> None:
    result = cli("doctor")
    assert result.returncode == 0, result.stdout
    assert "fail " not in result.stdout
