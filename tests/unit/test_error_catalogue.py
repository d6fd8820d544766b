"""The page of error codes says what the code says."""

from __future__ import annotations

from pathlib import Path

from analysis_py.error_catalogue import find_errors, render_page
from analysis_py.settings import project_root


def test_page_is_current() -> None:
    page = (project_root() / "docs" / "errors.md").read_text(encoding="utf-8")
    assert page == render_page(find_errors(project_root())), "run: python -m analysis_py.error_catalogue"


def test_codes_are_found_with_their_sentences(tmp_path: Path) -> None:
    (tmp_path / "analysis_py").mkdir()
    (tmp_path / "analysis_py" / "m.py").write_text(
        'raise CarbonpanelError("CP-ONE-TWO", f"no column \'{x}\'", where=w)\nCODE = "CP-OTHER"\n', encoding="utf-8"
    )
    found = [(e.code, e.what, e.module) for e in find_errors(tmp_path)]
    assert found == [("CP-ONE-TWO", "no column '...'", "analysis_py/m"), ("CP-OTHER", "", "analysis_py/m")]
