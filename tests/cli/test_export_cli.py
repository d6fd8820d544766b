"""The command ``export`` as a user calls it, and every shipped model exported and redone in R."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pandas as pd
import pytest

from analysis_py.export.lookup import rows_of
from analysis_py.export.writing import prepare_export
from analysis_py.panels.panel import PanelData, WarehousePanel
from analysis_py.settings import paths
from analysis_py.study import load_studies
from tests.conftest import Cli, assert_readable_error
from tests.unit.export_case import HEAD, run_r, uneven_panel, write_all

STUDY = HEAD + "models:\n  - {id: A, outcome: y, treatment: [AI], controls: [人口密度], conventions: [areg]}\n"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A study and its data in a folder of their own."""
    (tmp_path / "mine.yml").write_text(STUDY, encoding="utf-8")
    uneven_panel().to_csv(tmp_path / "panel.csv", index=False)
    return tmp_path


def export_mine(cli_in: Cli, folder: Path, *more: str, model: str = "A"):
    return cli_in("export", "mine.yml", model, "--data", "panel.csv", *more, cwd=folder)


def test_shipped_model_by_its_id_alone(cli: Cli, tmp_path: Path) -> None:
    done = cli("export", "T3c6", "--to", "R", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "export" / "carbon_productivity_T3c6"
    assert sorted(p.name for p in folder.iterdir()) == ["T3c6.R", "T3c6.csv"]
    assert "SIMULATED" in done.stdout
    assert "export/carbon_productivity_T3c6/T3c6.R" in done.stdout
    assert "numbers agree with carbonpanel" in run_r(folder, ["T3c6.R"])


@pytest.mark.parametrize(
    "words",
    [
        ("carbon_productivity", "T3c6:clustered"),
        ("carbon_productivity/3", "T3c6:clustered"),
        ("T3c6:clustered",),
        ("carbon_productivity:T3c6:clustered",),
        ("t03_baseline", "T3c6:clustered"),
    ],
)
def test_ways_to_name_a_model(words: tuple[str, ...], cli: Cli, tmp_path: Path) -> None:
    done = cli("export", *words, "--to", "do", "--out", "there", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "there" / "T3c6_clustered.do").read_text(encoding="utf-8")
    assert "xtreg CP AI POP Ope Gov FI ST i.year, fe vce(cluster city_code)" in text
    data = pd.read_stata(tmp_path / "there" / "T3c6_clustered.dta")
    assert set(data.columns) == {"city_code", "year", "CP", "AI", "POP", "Ope", "Gov", "FI", "ST"}
    assert data["city_code"].iloc[0] == "110100"


def test_a_users_file(cli_in: Cli, mine: Path) -> None:
    for program in ("do", "R"):
        done = export_mine(cli_in, mine, "--to", program)
        assert done.returncode == 0, done.stderr
    folder = mine / "export" / "trial_A"
    assert sorted(p.name for p in folder.iterdir()) == ["A.R", "A.csv", "A.do", "A.dta"]
    assert "SIMULATED" not in (folder / "A.do").read_text(encoding="utf-8")
    run_r(folder, ["A.R"])


def test_nothing_is_replaced_unasked(cli_in: Cli, mine: Path) -> None:
    assert export_mine(cli_in, mine, "--to", "do").returncode == 0
    script = mine / "export" / "trial_A" / "A.do"
    script.write_text("mine", encoding="utf-8")
    again = export_mine(cli_in, mine, "--to", "do")
    assert_readable_error(again, "CP-EXPORT-EXISTS", "A.dta", "--force")
    assert script.read_text(encoding="utf-8") == "mine"
    assert export_mine(cli_in, mine, "--to", "do", "--force").returncode == 0
    assert "xtreg" in script.read_text(encoding="utf-8") or "areg" in script.read_text(encoding="utf-8")


def test_bad_names(cli: Cli, tmp_path: Path) -> None:
    cases = [
        (("T3c7",), "CP-MODEL-UNKNOWN", "T3c"),
        (("carbon_productivity", "T3c6:clusterd"), "CP-MODEL-UNKNOWN", "T3c6:clustered"),
        (("carbon_productivty", "T3c6"), "CP-STUDY-UNKNOWN", "carbon_productivity"),
        (("carbon_productivity",), "CP-MODEL-UNKNOWN", "no model is named"),
        (("mine.yml",), "CP-MODEL-UNKNOWN", "MODEL"),
        (("carbon_productivity:T3c9",), "CP-MODEL-UNKNOWN", "T3c"),
        (("T3c6", "--sheet", "1"), "CP-OPTION", "--data"),
    ]
    for words, code, said in cases:
        assert_readable_error(cli("export", *words, "--to", "R", cwd=tmp_path), code, said)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_failed(cli_in: Cli, mine: Path) -> None:
    bad = STUDY.replace("outcome: y,", "outcome: y, sample: year > 2050,")
    (mine / "mine.yml").write_text(bad, encoding="utf-8")
    assert_readable_error(export_mine(cli_in, mine, "--to", "R"), "CP-EXPORT-STATUS", "no row satisfies")
    assert not (mine / "export").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission(cli_in: Cli, mine: Path) -> None:
    place = mine / "closed"
    place.mkdir()
    place.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert_readable_error(export_mine(cli_in, mine, "--out", "closed/here"), "CP-FILE-UNWRITABLE", "closed/here")


def test_a_file_in_the_place_of_the_folder(cli_in: Cli, mine: Path) -> None:
    assert_readable_error(export_mine(cli_in, mine, "--out", "panel.csv"), "CP-FILE-UNWRITABLE", "panel.csv")
    assert_readable_error(export_mine(cli_in, mine, "--out", "panel.csv/x"), "CP-FILE-UNWRITABLE", "panel.csv/x")


def test_same_bytes_in_every_process(cli_in: Cli, mine: Path) -> None:
    for seed in ("1", "2"):
        for program in ("do", "R"):
            done = cli_in(
                "export", "mine.yml", "A", "--data", "panel.csv", "--to", program, "--out", f"seed{seed}",
                cwd=mine, env={"PYTHONHASHSEED": seed},
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
    for name in ("A.do", "A.dta", "A.R", "A.csv"):
        assert (mine / "seed1" / name).read_bytes() == (mine / "seed2" / name).read_bytes()


class _ReadOnce:
    """The warehouse, each panel read once for all models."""

    def __init__(self, source: WarehousePanel) -> None:
        self._source = source
        self._read: dict[str | None, PanelData] = {}

    def read(self, panel: str | None, keys: dict[str, str], where: str) -> PanelData:
        if panel not in self._read:
            self._read[panel] = self._source.read(panel, keys, where)
        return self._read[panel]


def test_every_shipped_model_is_redone_in_r(warehouse: Path, tmp_path: Path) -> None:
    """Tables 2 to 12, every convention; all scripts in one process of R, all do-files with our numbers in them."""
    source = _ReadOnce(WarehousePanel(warehouse))
    scripts = []
    for study in load_studies(paths().studies, ["carbon_productivity"]):
        for model in study.models:
            for row in rows_of(model)[:-1]:
                export = prepare_export(study, row, source)
                scripts.append(write_all(tmp_path, export, "R").name)
                text = write_all(tmp_path, export, "do").read_text(encoding="utf-8")
                asserts = re.findall(r"^assert ", text, flags=re.MULTILINE)
                numbers = sum(len(e.expected) for e in export.equations) + len(export.run.descriptives)
                assert len(asserts) > numbers
    assert len(scripts) > 90
    said = run_r(tmp_path, scripts)
    assert said.count("numbers agree with carbonpanel") == len(scripts)
