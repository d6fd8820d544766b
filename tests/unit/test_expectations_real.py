"""The raw suites on real files as users bring them (read in place; skipped where they are absent)."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis_py.ingest.ingest import ingest_file
from analysis_py.settings import project_root
from expectations.validation import render_report, validate_raw

REAL = project_root().parent / "shared" / "real" / "raw"
FILES = {
    "china_city_panel_real.csv": "city_yearbook",
    "eps_city_export.xlsx": "city_yearbook",
    "The_Emission_Inventories_for_290_Chinese_Cities_from_1997_to_2019.xlsx": "city_emissions",
}

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not beside this project"),
]


@pytest.mark.parametrize("name", sorted(FILES))
def test_real_files_load_with_warnings_about_their_known_faults(name: str, tmp_path: Path) -> None:
    source = FILES[name]
    ingest_file(REAL / name, source, data_dir=tmp_path)
    report = validate_raw({source: "user"}, seeds_dir=project_root() / "seeds", user_raw_dir=tmp_path / "raw")
    assert report.success, render_report(report)
    warned = " ".join(r.message for r in report.results if not r.success)
    expected = {
        # no compiler's file is free of these: a year printed twice, a column for urban districts, a short inventory
        "china_city_panel_real.csv": ("威海市 2009: 1,780.35", "海口市 2017: 10,016.6 between 4,851.25 and 4,842.53"),
        "eps_city_export.xlsx": ("武威市 2016: 29.1349 against 0.5952", "昆明市 2008: 10,280 against 221,774"),
        "The_Emission_Inventories_for_290_Chinese_Cities_from_1997_to_2019.xlsx": ("2000: 105", "潮州市 2003"),
    }[name]
    for words in expected:
        assert words in warned, render_report(report)
