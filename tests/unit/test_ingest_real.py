"""The real files, as they are. They lie beside the project, are never copied, and the tests skip without them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.ingest import IngestReport, ingest_file, render_report
from tests.unit.ingest_files import REAL

YEARBOOK = REAL / "raw" / "china_city_panel_real.csv"
CEADS = REAL / "raw" / "The_Emission_Inventories_for_290_Chinese_Cities_from_1997_to_2019.xlsx"
JOINED = REAL / "city_real.csv"
PORTAL = REAL / "raw" / "eps_city_export.xlsx"

pytestmark = pytest.mark.real


def bring(path: Path, source: str, folder: Path, **options: Any) -> tuple[IngestReport, dict[tuple, dict]]:
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the project")
    report = ingest_file(path, source, data_dir=folder, **options)
    assert report.output is not None
    left = report.cells_outside_years + report.cells_unplaced + report.cells_not_observed + len(report.quarantined)
    assert report.cells_read == report.cells_written + left
    rows = pq.read_table(report.output).to_pylist()
    return report, {(row["city_code"], row["year"], row["indicator"]): row for row in rows}


def test_yearbook(tmp_path: Path) -> None:
    # Processor time: the machine may be busy with other tests.
    start = time.process_time()
    report, cells = bring(YEARBOOK, "city_yearbook", tmp_path)
    seconds = time.process_time() - start
    assert (report.places_read, report.places_placed) == (300, 299)
    assert [u.place for u in report.unplaced] == ["青海省 海南藏族自治州 (632500)"]
    assert "autonomous prefecture" in report.unplaced[0].reason
    assert cells["440300", 2020, "gdp"]["value"] == pytest.approx(27670, abs=0.5)
    assert cells["310100", 2019, "gdp"]["value"] == pytest.approx(38156, abs=0.5)
    assert cells["310100", 2019, "gdp"]["place_code_raw"] == "310000"
    assert report.rows_read == 10_200 and report.years == tuple(range(2000, 2024))
    assert report.years_outside == tuple(range(1990, 2000))
    # Estimated investment is marked in the file and is not data: 2,025 cells, all from 2017 on.
    assert report.cells_not_observed == 2025
    assert not any(year >= 2018 and name == "fixed_asset_investment" and city == "440300" for city, year, name in cells)
    assert {cell["unit"] for key, cell in cells.items() if key[2] == "gdp_index_prev100"} == {"growth_pct"}
    # Growth of 108.8% (an index under a heading of growth), an island of no registered people, and four numbers with
    # the decimal point one place too far to the right: 829, 8953, 954 and the like.
    assert {(q.city_code, q.year, q.indicator, q.guess) for q in report.quarantined} == {
        ("460300", 2016, "population_registered", ""),
        ("621100", 2005, "gdp_index_prev100", "looks like 上年=100 (index_prev100) under 增长% (growth_pct)"),
        ("140800", 2014, "loans", "looks 10 times too large"),
        ("320800", 2010, "loans", "looks 10 times too large"),
        ("220300", 2019, "deposits", "looks 10 times too large"),
        ("450100", 2001, "fixed_asset_investment", "looks 10 times too large"),
    }
    assert "299 of 300 cities placed" in render_report(report)
    assert seconds < 3, f"10,200 x 44 took {seconds:.1f} s"


def test_ceads_inventory_long_and_matrix(tmp_path: Path) -> None:
    report, cells = bring(CEADS, "city_emissions", tmp_path)
    assert report.sheet == "emission vector"
    assert (report.places_read, report.places_placed, len(report.unplaced)) == (290, 262, 28)
    assert all(place.reason for place in report.unplaced)
    assert 1995 in report.years_outside and report.years == tuple(range(2000, 2020))
    anqing = cells["340800", 2000, "co2_ceads"]
    assert (anqing["value"], anqing["unit"], anqing["place_name_raw"]) == (4.964461155628707, "mt", "安徽安庆")
    matrix = tmp_path / "matrix only.xlsx"
    book = openpyxl.load_workbook(CEADS)
    del book["emission vector"]
    book.save(matrix)
    wide, wide_cells = bring(matrix, "city_emissions", tmp_path)
    assert wide.sheet == "emission matrix" and wide.layout == "years_across"
    # The two sheets differ in the last printed digit of some cells.
    expected = {key: cell["value"] for key, cell in cells.items()}
    assert {key: cell["value"] for key, cell in wide_cells.items()} == pytest.approx(expected, rel=1e-14)
    assert [u.place for u in sorted(wide.unplaced, key=lambda u: u.place)] == sorted(u.place for u in report.unplaced)


def test_joined_panel_brings_both_inventories(tmp_path: Path) -> None:
    bring(CEADS, "city_emissions", tmp_path)
    report, cells = bring(JOINED, "city_emissions", tmp_path)
    assert (report.places_placed, [u.place for u in report.unplaced]) == (298, ["青海省 海南藏族自治州 (632500)"])
    beijing = {name: cells["110100", 2003, name] for name in ("co2_edgar", "co2_ceads")}
    assert (beijing["co2_edgar"]["value"], beijing["co2_edgar"]["unit"]) == (49524960.0, "t")
    assert (beijing["co2_ceads"]["value"], beijing["co2_ceads"]["unit"]) == (81.95178762327873, "mt")
    assert any("both are kept" in warning for warning in report.warnings)
    assert len(list((tmp_path / "raw" / "city_emissions").glob("*.parquet"))) == 2


def test_joined_panel_as_a_yearbook_takes_observed_cells_only(tmp_path: Path) -> None:
    report, cells = bring(JOINED, "city_yearbook", tmp_path)
    assert report.mapping == "city_joined_yearbook" and report.places_placed == 298
    # 1,515 cells of students are marked as possibly interpolated; 2,810 come from the portal.
    assert sum(name == "students_higher_education" for _, _, name in cells) == 2810


def test_portal_export_with_years_across(tmp_path: Path) -> None:
    report, cells = bring(PORTAL, "city_yearbook", tmp_path)
    assert not report.unplaced and report.layout == "years_across"
    assert cells["110100", 2020, "gdp"]["value"] == 36103.0
    faults = {(q.city_code, q.year, q.indicator): q.guess for q in report.quarantined}
    # Employees of 2009: from Hainan on in 万人 under a heading of 人, 32 cities; none of the others is touched.
    employees = [key for key in faults if key[2] == "employees" and key[1] == 2009]
    assert len(employees) == 32 and {code[:2] for code, _, _ in employees} <= {str(n) for n in range(46, 66)}
    assert {faults[key] for key in employees} == {"looks 10^4 times too small: 万人 instead of 人?"}
    assert {key: guess for key, guess in faults.items() if key not in employees} == {
        ("230800", 2011, "gdp"): "looks 10^7 times too large",
        ("211400", 2023, "science_expenditure"): "",
        ("440500", 2014, "gdp_index_prev100"): "looks like 上年=100 (index_prev100) under 增长% (growth_pct)",
        # 658, 8426, 992 (10^8 yuan); 6.6, 66, 7.0 (10^4 persons): the point one place too far to the right.
        ("320800", 2010, "loans"): "looks 10 times too large",
        ("620200", 2013, "employees"): "looks 10 times too large",
    }
    assert not any(year == 2017 and name == "gdp" for _, year, name in cells)


def test_yearbook_as_emissions_is_refused(tmp_path: Path) -> None:
    if not YEARBOOK.exists():
        pytest.skip(f"{YEARBOOK.name} is not beside the project")
    with pytest.raises(CarbonpanelError, match="CP-INDICATOR-NONE"):
        ingest_file(YEARBOOK, "city_emissions", data_dir=tmp_path)
    assert not list(tmp_path.iterdir())
