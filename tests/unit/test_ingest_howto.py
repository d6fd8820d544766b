"""The how-to page is true: its files are ingested as it says, and it names every code that ingest can refuse with."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.flat_contract import flat_sources
from analysis_py.ingest.ingest import ingest_file, render_report
from analysis_py.ingest.mapping import shipped_mappings
from analysis_py.settings import project_root

PAGE = (project_root() / "docs" / "how-to" / "bring-your-files.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in re.findall(r"```\w+ file=(\S+)\n(.*?)```", PAGE, flags=re.DOTALL):
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def test_the_report_shown_is_the_report_made(folder: Path) -> None:
    shown = re.search(r"--check\n(my_yearbook\.csv ->.*?)\n```", PAGE, flags=re.DOTALL)
    assert shown is not None
    report = ingest_file(folder / "my_yearbook.csv", "city_yearbook", data_dir=folder / "data", check=True)
    assert render_report(report) == shown.group(1)


def test_the_mapping_shown_works(folder: Path) -> None:
    report = ingest_file(
        folder / "export.csv", "city_yearbook", data_dir=folder / "data", mapping=folder / "export.yml"
    )
    assert report.output is not None
    rows = pq.read_table(report.output).to_pylist()
    assert [(r["city_code"], r["year"], r["indicator"], r["value"], r["unit"]) for r in rows] == [
        ("340100", 2019, "gdp", 94094000.0, "10k_yuan"),
        ("340100", 2019, "gdp_tertiary", 60000000.0, "10k_yuan"),
        ("340100", 2020, "gdp_tertiary", 64000000.0, "10k_yuan"),
        ("310100", 2020, "gdp_tertiary", 1.0, "10k_yuan"),
    ]
    assert (report.cells_not_observed, report.cells_missing) == (1, 1)


def test_every_code_of_ingest_is_on_the_page() -> None:
    source = "".join(
        path.read_text(encoding="utf-8") for path in sorted((project_root() / "analysis_py" / "ingest").glob("*.py"))
    )
    codes = set(re.findall(r'"(CP-[A-Z-]+[A-Z])"', source)) - {"CP-REFERENCE-MISSING"}
    assert len(codes) > 40
    for code in sorted(codes):
        family = "-".join(code.split("-")[:2])
        short = code.removeprefix(family)
        assert f"`{code}`" in PAGE or (f"`{family}-" in PAGE and f"`{short}`" in PAGE), code


def test_shipped_mappings_are_mentioned_by_what_they_are() -> None:
    assert "analysis_py/ingest/mappings/" in PAGE
    assert {mapping.source for mapping in shipped_mappings()} <= set(re.findall(r"`(\w+)`", PAGE))


def test_every_source_is_on_the_page_and_the_flat_ones_with_their_columns() -> None:
    table = PAGE[PAGE.index("## What it can be") : PAGE.index("## A file with plain headers")]
    assert [source for source in load_contract().all_sources if f"`{source}`" not in table] == []
    for source in flat_sources().values():
        columns = ", ".join(f"**{name}**" if name in source.key else name for name in source.columns)
        assert f"| `{source.name}` | {source.row} | {columns} |" in PAGE


def test_anchors_of_the_page_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in PAGE.splitlines()
        if line.startswith("#")
    }
    linked = re.findall(r"\]\(#([\w-]+)\)", PAGE)
    assert linked and set(linked) <= headings
