"""The session of the page "Bring your yearbook": every command is run in its order, every output compared."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT, places, run_cli
from tests.unit.real_layouts import NOTE, write_everything

PAGE = (ROOT / "docs" / "how-to" / "bring-your-files.md").read_text(encoding="utf-8")
SESSION = PAGE[: PAGE.index("## What it can be")]


@dataclass(frozen=True)
class Step:
    """A command of the page and the lines shown below it; ``...`` stands for any lines, at an end for any rest."""

    command: str
    shown: tuple[str, ...]


def read_steps(text: str) -> list[Step]:
    steps: list[Step] = []
    for block in re.findall(r"```console\n(.*?)\n```", text, flags=re.DOTALL):
        command, shown = "", []
        for line in [*block.splitlines(), "$ "]:
            if line.startswith("$ "):
                if command:
                    steps.append(Step(command, tuple(shown)))
                command, shown = line[2:], []
            else:
                shown.append(line)
    return steps


STEPS = read_steps(SESSION)


def pattern_of(shown: tuple[str, ...]) -> str:
    """A regular expression of a whole output."""
    lines = []
    for line in shown:
        if line == "...":
            lines.append(r"(?:[^\n]*\n)*?")
        elif line.endswith(" ..."):
            lines.append(re.escape(line.removesuffix("...")) + r"[^\n]*\n")
        else:
            lines.append(re.escape(line) + r"\n")
    return "".join(lines) + r"\Z"


def run_step(step: Step, folder: Path, timeout: float = 300) -> str:
    """What a command prints: reports, then messages, without the lines of progress and the folder's own path."""
    program, *words = shlex.split(step.command)
    assert program == "carbonpanel"
    result = run_cli(*words, env=places(folder), cwd=str(folder), timeout=timeout)
    messages = [line for line in result.stderr.splitlines() if not re.match(r"(reading .*|\d/\d .*) \.\.\.", line)]
    said = result.stdout + "".join(f"{line}\n" for line in messages)
    return "".join(f"{line.rstrip()}\n" for line in said.replace(f"{folder}/", "").splitlines())


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[Step, str]]]:
    """The folder of the session and what each command but the refresh printed."""
    folder = tmp_path_factory.mktemp("session")
    write_everything(folder)
    steps = [step for step in STEPS if step.command != "carbonpanel refresh"]
    return folder, [(step, run_step(step, folder)) for step in steps]


def test_every_output_on_the_page_is_what_the_command_prints(session: tuple[Path, list[tuple[Step, str]]]) -> None:
    _, outputs = session
    assert len(outputs) >= 12
    for step, said in outputs:
        assert re.match(pattern_of(step.shown), said), f"$ {step.command}\n{said}"


def test_the_page_shows_enough_to_fail_on(session: tuple[Path, list[tuple[Step, str]]]) -> None:
    _, outputs = session
    for step, said in outputs:
        kept = [line for line in step.shown if line != "..."]
        assert len(kept) >= 3 and kept[0] in said, step.command
        assert not re.match(pattern_of(step.shown), said.replace(kept[-1].removesuffix(" ..."), "?")), step.command


def test_the_files_are_those_of_the_page_and_say_that_they_are_simulated(tmp_path: Path) -> None:
    for path in write_everything(tmp_path):
        assert path.name in SESSION
        raw = path.read_bytes()
        if path.suffix == ".csv":
            assert NOTE.encode("utf-8") in raw or NOTE.encode("gbk") in raw
        else:
            import openpyxl

            cells = [cell for sheet in openpyxl.load_workbook(path) for row in sheet.values for cell in row]
            assert NOTE in cells


def test_the_files_are_the_same_every_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_everything(tmp_path / name)
    assert (tmp_path / "a/robots.csv").read_bytes() == (tmp_path / "b/robots.csv").read_bytes()


def test_the_refresh_of_the_page(session: tuple[Path, list[tuple[Step, str]]]) -> None:
    folder, _ = session
    (step,) = [step for step in STEPS if step.command == "carbonpanel refresh"]
    said = run_step(step, folder, timeout=900)
    assert re.match(pattern_of(step.shown), said), said
