"""The how-to page is true: its commands say what it shows, and it names every code that counting refuses with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis_py.records.account import render_outcome
from analysis_py.records.columns import known_names
from analysis_py.records.counting import count_records
from analysis_py.records.keywords import firm_keywords, patent_keywords
from analysis_py.records.options import RecordOptions
from analysis_py.settings import project_root

PAGE = (project_root() / "docs" / "how-to" / "count-records.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("kind", "keywords"), [("firms", firm_keywords), ("patents", patent_keywords)])
def test_what_is_shown_is_what_is_said(tmp_path: Path, kind: str, keywords) -> None:
    for name, content in re.findall(r"```csv file=(\S+)\n(.*?)```", PAGE, flags=re.DOTALL):
        (tmp_path / name).write_text(content, encoding="utf-8")
    shown = re.search(rf"\$ carbonpanel records {kind} (\S+)\n(.*?)\n```", PAGE, flags=re.DOTALL)
    assert shown is not None
    outcome = count_records(kind, [tmp_path / shown[1]], RecordOptions(keywords()))
    assert shown[2] == render_outcome(outcome)


def test_every_code_and_role_is_on_the_page() -> None:
    folder = project_root() / "analysis_py" / "records"
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")))
    codes = {code for code in re.findall(r'"(CP-[A-Z-]+[A-Z])"', source) if not code.startswith("CP-FILE-")}
    assert len(codes) > 8
    assert [code for code in sorted(codes) if f"`{code}`" not in PAGE] == []
    for kind in ("firms", "patents"):
        assert [role for role in known_names(kind) if f"`{role}`" not in PAGE] == []
