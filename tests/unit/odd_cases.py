"""Odd files for the tests: how each is made, and what must become of it. Nothing here is a test."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.ingest import ingest_file, render_report
from tests.unit.ingest_files import bring, written

#: city code, year, indicator, value, unit of a cell that must come out.
Cell = tuple[str, int, str, float, str]
Maker = Callable[[Path], Path]


@dataclass(frozen=True)
class Taken:
    """A file that is taken: the cells that come out, and what the report must say of it."""

    name: str
    make: Maker
    cells: Sequence[Cell]
    said: tuple[str, ...] = ()
    source: str = "city_yearbook"
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """A file that is refused: the code, and what the message must name (row, column, what to do)."""

    name: str
    make: Maker
    code: str
    said: tuple[str, ...] = ()
    source: str = "city_yearbook"
    options: dict[str, Any] = field(default_factory=dict)


def gdp(code: str, year: int, value: float, unit: str = "yi_yuan") -> Cell:
    return (code, year, "gdp", value, unit)


#: What nearly every file here holds.
THREE = (gdp("340100", 2019, 9409.4), gdp("340100", 2020, 10045.7), gdp("310100", 2019, 38156.0))
TABLE = [["城市", "年份", "GDP(亿元)"], ["合肥市", 2019, 9409.4], ["合肥市", 2020, 10045.7], ["上海市", 2019, 38156]]
TEXT = "城市,年份,GDP(亿元)\n合肥市,2019,9409.4\n合肥市,2020,10045.7\n上海市,2019,38156\n"


def text(content: str, name: str = "a.csv", encoding: str = "utf-8") -> Maker:
    """A text file of this content."""
    return raw(content.encode(encoding), name)


def raw(content: bytes, name: str = "a.csv") -> Maker:
    """A file of these bytes."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return make


Rows = Sequence[Sequence[Any]]


def book(
    rows: Rows | None = None,
    *,
    sheets: dict[str, Rows] | None = None,
    merges: dict[str, Sequence[str]] | Sequence[str] = (),
    formats: dict[str, str] | None = None,
    hidden: Sequence[str] = (),
    name: str = "a.xlsx",
) -> Maker:
    """A workbook: ``rows`` in sheet 'data', or ``sheets`` by name; ``merges`` of ranges, ``formats`` by cell."""

    def make(folder: Path) -> Path:
        content = sheets if sheets is not None else {"data": rows or []}
        ranges = merges if isinstance(merges, dict) else {next(iter(content)): merges}
        made = openpyxl.Workbook()
        made.remove(made.active)
        for title, lines in content.items():
            sheet = made.create_sheet(title)
            for line in lines:
                sheet.append(list(line))
            for one in ranges.get(title, ()):
                sheet.merge_cells(one)
            if title in hidden:
                sheet.sheet_state = "hidden"
        for cell, code in (formats or {}).items():
            made.worksheets[0][cell].number_format = code
        path = folder / name
        made.save(path)
        return path

    return make


def column(header: str, values: Sequence[object], unit: str = "") -> str:
    """CSV of one column of numbers, cities of Anhui one a row in 2019, every cell quoted."""
    lines = [f'city_code,year,"{header}"']
    lines += [f'{code},2019,"{value}"' for code, value in zip(ANHUI, values, strict=False)]
    return "\n".join(lines) + "\n"


#: Codes of cities, for columns with more than two numbers.
ANHUI = ("340100", "340200", "340300", "340400", "340500", "340600", "340700", "340800", "341000", "341100")


def package_parts(path: Path) -> dict[str, bytes]:
    """The parts of a workbook by name."""
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def write_package(path: Path, parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """A zip of these parts."""
    with zipfile.ZipFile(path, "w", compression) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return path


def check_taken(case: Taken, folder: Path) -> None:
    """The file is taken: these cells and no others, every cell accounted for, and the report says what it must."""
    path = case.make(folder)
    options = dict(case.options)
    if "mapping" in options:
        mapping = folder / "mapping.yml"
        mapping.write_text(options["mapping"], encoding="utf-8")
        options["mapping"] = mapping
    report, rows = bring(path, case.source, **options)
    found = sorted((r["city_code"], r["year"], r["indicator"], r["value"], r["unit"]) for r in rows)
    assert found == sorted(case.cells)
    told = render_report(report)
    for words in case.said:
        assert words in told, told
    left = report.cells_outside_years + report.cells_unplaced + report.cells_not_observed + len(report.quarantined)
    assert report.cells_read == report.cells_written + left


def check_refused(case: Refused, folder: Path) -> None:
    """The file is refused in time with this code, saying all it must, and nothing is written."""
    path = case.make(folder)
    start = time.process_time()
    with pytest.raises(CarbonpanelError) as caught:
        ingest_file(path, case.source, data_dir=folder / "data", **case.options)
    error = caught.value
    assert error.code == case.code, str(error)
    for words in case.said:
        assert words in str(error), str(error)
    assert error.remedy and "\n" not in error.what
    assert not written(folder)
    assert time.process_time() - start < 8


def check_count(cases: Sequence[Taken | Refused], least: int) -> None:
    """There are at least so many cases, and each has a name of its own."""
    assert len(cases) >= least and len({case.name for case in cases}) == len(cases)
