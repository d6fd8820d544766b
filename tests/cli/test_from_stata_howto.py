"""The page "From Stata, step by step": every file written, every command and snippet run, every output compared.

A block of the page is one of: ``yaml NAME`` (a file), ``console`` (commands, with the lines they print), ``python``
followed by ``text`` (a snippet and what it prints), ``stata`` (what the reader knows; not run). ``...`` on a line of
its own stands for any lines, at an end for any rest.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis_py.runner import FilePanel, run_study
from analysis_py.study import load_study
from tests.cli.test_howto_session import pattern_of
from tests.conftest import ROOT, places, run_cli

PAGE = (ROOT / "docs" / "how-to" / "from-stata.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Block:
    """A fenced block of the page: the words after the fence and the lines inside."""

    info: tuple[str, ...]
    lines: tuple[str, ...]

    @property
    def kind(self) -> str:
        return self.info[0] if self.info else ""


@dataclass(frozen=True)
class Outcome:
    """A command or snippet, the lines shown for it on the page, and what it printed."""

    what: str
    shown: tuple[str, ...]
    said: str


def read_blocks(page: str) -> list[Block]:
    found = re.findall(r"^```([^\n]*)\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    return [Block(tuple(info.split()), tuple(body.splitlines())) for info, body in found]


def commands_of(block: Block) -> list[tuple[str, tuple[str, ...]]]:
    steps: list[tuple[str, list[str]]] = []
    for line in block.lines:
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return [(command, tuple(shown)) for command, shown in steps]


def run_command(command: str, folder: Path) -> str:
    """What a command prints, reports first, without lines of progress; a ``> FILE`` at its end takes the report."""
    program, *words = shlex.split(command)
    assert program == "carbonpanel"
    target = None
    if ">" in words:
        words, (target,) = words[: words.index(">")], words[words.index(">") + 1 :]
    result = run_cli(*words, env=places(folder), cwd=str(folder))
    assert "Traceback" not in result.stderr, result.stderr
    report = result.stdout
    if target is not None:
        (folder / target).write_text(report, encoding="utf-8")
        report = ""
    messages = [line for line in result.stderr.splitlines() if not re.fullmatch(r"estimating \d+ models? \.\.\.", line)]
    lines = [*report.replace(f"{folder}/", "").splitlines(), *messages]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def run_snippet(block: Block, folder: Path) -> str:
    """What a snippet prints, run as a script in a process of its own."""
    script = folder / "snippet.py"
    script.write_text("\n".join(block.lines) + "\n", encoding="utf-8")
    result = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def run_page(page: str, folder: Path) -> list[Outcome]:
    """Write every file and run every command and snippet of a page in its order."""
    outcomes: list[Outcome] = []
    blocks = read_blocks(page)
    for block, after in zip(blocks, [*blocks[1:], Block((), ())], strict=True):
        if block.kind == "yaml":
            (folder / block.info[1]).write_text("\n".join(block.lines) + "\n", encoding="utf-8")
        elif block.kind == "console":
            for command, shown in commands_of(block):
                outcomes.append(Outcome(command, shown, run_command(command, folder)))
        elif block.kind == "python":
            assert after.kind == "text", "a snippet without its output"
            outcomes.append(Outcome("\n".join(block.lines), after.lines, run_snippet(block, folder)))
    return outcomes


def read_models(path: Path) -> list[dict[str, Any]]:
    """The models of a run's JSON."""
    return list(json.loads(path.read_text(encoding="utf-8"))["models"])


@pytest.fixture(scope="module")
def folder(built_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database of its own: the page stores a study in it."""
    made = tmp_path_factory.mktemp("from_stata")
    (made / "warehouse").mkdir()
    shutil.copy(built_world / "warehouse" / "carbonpanel.duckdb", made / "warehouse")
    return made


@pytest.fixture(scope="module")
def outcomes(folder: Path) -> list[Outcome]:
    return run_page(PAGE, folder)


def test_every_output_on_the_page_is_what_is_printed(outcomes: list[Outcome]) -> None:
    assert len(outcomes) >= 20
    for outcome in outcomes:
        assert outcome.shown, f"nothing is shown for: {outcome.what}"
        assert re.match(pattern_of(outcome.shown), outcome.said), f"{outcome.what}\n{outcome.said}"


def test_the_page_shows_enough_to_fail_on(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        kept = [line for line in outcome.shown if line != "..."]
        assert kept and kept[-1].removesuffix(" ...") in outcome.said, outcome.what
        wrong = outcome.said.replace(kept[-1].removesuffix(" ..."), "?")
        assert not re.match(pattern_of(outcome.shown), wrong), outcome.what


def test_nothing_on_the_page_is_left_unrun() -> None:
    blocks = read_blocks(PAGE)
    assert {block.kind for block in blocks} == {"yaml", "console", "python", "text", "stata"}
    assert PAGE.count("```") == 2 * len(blocks)
    commands = " ".join(command for block in blocks if block.kind == "console" for command, _ in commands_of(block))
    files = [block.info[1] for block in blocks if block.kind == "yaml"]
    assert len(files) == len(set(files)) >= 14
    assert [name for name in files if name not in commands] == []


def test_only_the_study_written_wrong_fails(outcomes: list[Outcome]) -> None:
    failing = [outcome.what for outcome in outcomes if "error CP-" in outcome.said]
    assert failing == ["carbonpanel estimate wrong.yml --data panel.csv"]


def test_every_command_the_reader_knows_is_on_the_page() -> None:
    known = (
        *(
            "reghdfe",
            "xtreg",
            "areg",
            "ivreg2",
            "xtivreg2",
            "ivreghdfe",
            "xthreg",
            "bdiff",
            "suest",
            "winsor2",
            "esttab",
        ),
        *("boottest", "ppmlhdfe", "margins", "xtset", "preserve", "keep if", "bysort", "egen", "summarize", "detail"),
    )
    assert [name for name in known if name not in PAGE] == []
    assert "SIMULATED - not evidence about China" in PAGE


def test_a_file_of_stata_gives_the_same_and_its_labels_are_codes(folder: Path, outcomes: list[Outcome]) -> None:
    panel = pd.read_csv(folder / "panel.csv")
    flags = panel.select_dtypes("bool").columns
    panel = panel.astype(dict.fromkeys(flags, "int8") | {"region4": "category"})
    panel.to_stata(folder / "mine.dta", write_index=False)
    mine = run_study(load_study(folder / "fe.yml"), FilePanel(folder / "mine.dta")).models
    theirs = read_models(folder / "fe.json")
    assert len(mine) == len(theirs) == 4
    for model, shown in zip(mine, theirs, strict=True):
        assert model.n_obs == shown["n_obs"]
        for a, b in zip(model.coefficients, shown["coefficients"], strict=True):
            assert a.estimate == pytest.approx(b["estimate"], rel=1e-12)
            assert a.std_error == pytest.approx(b["std_error"], rel=1e-12)
    coded = run_study(load_study(folder / "errors.yml"), FilePanel(folder / "mine.dta")).models[-1]
    assert [c.term for c in coded.coefficients if "region4" in c.term] == [f"i.region4={k}" for k in (1, 2, 3)]


def test_the_factors_said_to_be_those_of_each_command_are_those_used(folder: Path, outcomes: list[Outcome]) -> None:
    """K of the table of section 5, in k slopes, n units and T years, against what the models of the page used."""
    models = {model["id"]: model for name in ("fe", "iv") for model in read_models(folder / f"{name}.json")}
    for name, model in models.items():
        used = model["small_sample"]
        slopes = sum(c["term"] != "_cons" for c in model["coefficients"] if not c["group"])
        units, years = model["n_units"], model["n_times"]
        if name in ("reghdfe", "xtreg"):
            assert used["K"] == slopes + years
        elif name in ("areg", "conventional"):
            assert used["K"] == slopes + units + years - 1
        elif name == "ivreghdfe":
            assert used["K"] + used["s (sdofminus)"] == slopes + years - 1
        else:
            assert name == "xtivreg2" and used["d (dofminus)"] == units
