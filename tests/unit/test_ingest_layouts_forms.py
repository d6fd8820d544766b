"""The same numbers through GBK text, wide and long workbooks and Stata come out as identical cells."""

from __future__ import annotations

import pytest

from tests.unit.city_forms import FORMS, INDICATORS, YEARS, city_panel, write_form
from tests.unit.ingest_files import bring


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict]]:
    """Form -> rows of its Parquet without where they stood in the file, in the order of their keys."""
    found = {}
    for form in FORMS:
        folder = tmp_path_factory.mktemp("form")
        report, rows = bring(write_form(form, folder), dataset="same")
        assert not report.quarantined and not report.unplaced
        for row in rows:
            for name in ("source_file", "source_sheet", "source_row", "source_column"):
                assert name in row
                del row[name]
        found[form] = sorted(rows, key=lambda row: (row["city_code"], row["year"], row["indicator"]))
    return found


def test_all_cells_are_there(cells: dict[str, list[dict]]) -> None:
    panel = city_panel()
    assert len(panel) == 60 * len(YEARS) and len(cells["gbk csv"]) == len(panel) * len(INDICATORS)
    first = cells["gbk csv"][0]
    assert (first["city_code"], first["year"], first["indicator"], first["unit"]) == ("110100", 2003, "gdp", "yi_yuan")
    expected = {(r.city_code, r.year): r.gdp for r in panel.itertuples()}
    assert {(r["city_code"], r["year"]): r["value"] for r in cells["gbk csv"] if r["indicator"] == "gdp"} == expected


@pytest.mark.parametrize("form", [form for form in FORMS if form != "gbk csv"])
def test_forms_agree_in_every_column_but_where_it_stood(cells: dict[str, list[dict]], form: str) -> None:
    assert cells[form] == cells["gbk csv"]
