"""Odd insides of good files: what workbooks and Stata files keep in their own ways."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pandas as pd
import pytest

from analysis_py.display import render_rows
from tests.unit.ingest_files import bring, replace_in_xlsx, write_xls, write_xlsx
from tests.unit.odd_cases import (
    TABLE,
    TEXT,
    THREE,
    Maker,
    Taken,
    book,
    check_count,
    check_taken,
    package_parts,
    text,
    write_package,
)


def _dta(version: int, labels: bool = True, names: bool = False) -> Maker:
    """A Stata file: names without units, the description of the column says them."""

    def make(folder: Path) -> Path:
        frame = pd.DataFrame({"city": ["合肥市", "合肥市", "上海市"], "year": [2019, 2020, 2019]})
        frame["v3" if not names else "gdp"] = [9409.4, 10045.7, 38156.0]
        described = {"v3": "地区生产总值(亿元)"} if labels and not names else {}
        if version < 118:
            frame["city"] = [name.encode("gbk").decode("latin-1") for name in frame["city"]]
            described = {key: label.encode("gbk").decode("latin-1") for key, label in described.items()}
        path = folder / "a.dta"
        frame.to_stata(path, write_index=False, version=version, variable_labels=described or None)
        return path

    return make


def _repeated_labels(folder: Path) -> Path:
    """Two codes of one value label, which pandas alone cannot show."""
    path = _dta(118)(folder)
    frame = pd.read_stata(path)
    frame["kind"] = pd.Categorical(["a", "b", "a"])
    frame.to_stata(path, write_index=False, version=118, variable_labels={"v3": "地区生产总值(亿元)"})
    content = path.read_bytes()
    assert b"a\x00b\x00" in content
    path.write_bytes(content.replace(b"a\x00b\x00", b"a\x00a\x00"))
    return path


def _percent_format(folder: Path) -> Path:
    return book(
        [["city_code", "year", "第三产业占GDP比重(%)", "GDP(亿元)"], ["340100", 2019, 0.606, 9409.4]],
        formats={"C2": "0.0%"},
    )(folder)


def _dates(folder: Path) -> Path:
    return book(
        [
            ["城市", "年份", "GDP(亿元)"],
            ["合肥市", datetime.datetime(2019, 12, 31), 9409.4],
            ["合肥市", datetime.date(2020, 12, 31), 10045.7],
            ["上海市", 2019.0, 38156],
        ]
    )(folder)


def _calculated(folder: Path) -> Path:
    path = write_xlsx(folder / "a.xlsx", [["城市", "年份", "GDP(亿元)"], ["合肥市", 2019, "=9000+409.4"]])
    return replace_in_xlsx(path, "xl/worksheets/sheet1.xml", b"<v></v>", b"<v>9409.4</v>")


def _command(folder: Path) -> Path:
    """A text cell that a spreadsheet program would run is a name that is not known; its code places the row."""
    rows = [["代码", "城市", "年份", "GDP(亿元)"], ["340100", "=cmd|' /C calc'!A0", 2019, 9409.4]]
    path = write_xlsx(folder / "a.xlsx", rows)
    sheet = b"<f>cmd|' /C calc'!A0</f><v></v>"
    path = replace_in_xlsx(
        path,
        "xl/worksheets/sheet1.xml",
        b'<c r="B2">' + sheet,
        b'<c r="B2" t="inlineStr"><is><t>=cmd|\' /C calc\'!A0</t></is>',
    )
    return path


def _wrong_extent(folder: Path) -> Path:
    path = write_xlsx(folder / "a.xlsx", TABLE)
    return replace_in_xlsx(path, "xl/worksheets/sheet1.xml", b'ref="A1:C4"', b'ref="A1:XFD1048576"')


def _linked(folder: Path) -> Path:
    real = text(TEXT, "real.csv")(folder)
    path = folder / "a.csv"
    path.symlink_to(real)
    return path


def _rich(folder: Path) -> Path:
    """Shared texts in runs, with a phonetic guide beside them, as Excel writes formatted names."""
    path = write_xlsx(folder / "a.xlsx", TABLE)
    strings = (
        "<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><si><t>unused</t></si>"
        "<si><r><t>合肥</t></r><r><rPr><b/></rPr><t>市_x000A_</t></r><rPh sb='0' eb='1'><t>hefei</t></rPh></si></sst>"
    )
    relation = (
        b'<Relationship Id="rId99" Target="sharedStrings.xml" '
        b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/></Relationships>'
    )
    parts = package_parts(path)
    inline = f"<is><t>{''.join(f'&#{ord(sign)};' for sign in '合肥市')}</t></is>".encode()
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert inline in sheet and "xl/sharedStrings.xml" not in parts
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b't="inlineStr">' + inline, b't="s"><v>1</v>')
    parts["xl/sharedStrings.xml"] = strings.encode()
    parts["xl/_rels/workbook.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace(b"</Relationships>", relation)
    return write_package(path, parts)


def _prefixed(folder: Path) -> Path:
    """A worksheet whose elements carry a namespace prefix, as some exporters write them."""
    path = write_xlsx(folder / "a.xlsx", TABLE)
    parts = package_parts(path)
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    sheet = re.sub(r"<(/?)([a-zA-Z])", r"<\1x:\2", sheet.replace("xmlns=", "xmlns:x="))
    parts["xl/worksheets/sheet1.xml"] = sheet.encode()
    return write_package(path, parts)


KINDS = [
    Taken(
        "percentages as the workbook shows them",
        _percent_format,
        (("340100", 2019, "gdp_tertiary_share", 60.6, "pct"), THREE[0]),
        ("1 shown as percentages by the workbook",),
    ),
    Taken("dates for years", _dates, THREE),
    Taken("a calculated formula", _calculated, THREE[:1]),
    Taken("a command as a name", _command, THREE[:1], ("is not a known name of",)),
    Taken("an extent that lies", _wrong_extent, THREE),
    Taken("text in runs", _rich, THREE),
    Taken("elements with a prefix", _prefixed, THREE),
    Taken("an old workbook", lambda folder: write_xls(folder / "a.xls", TABLE), THREE, ("Excel workbook",)),
    Taken("a link", _linked, THREE, ("the path is a link; the file read is",)),
    Taken("Stata 118 with descriptions", _dta(118), THREE, ("Stata",)),
    Taken("Stata 114 in GBK with descriptions", _dta(114), THREE, ("Stata",)),
    Taken("Stata names alone", _dta(117, names=True), THREE, ("taken in the contract's own",)),
    Taken("Stata with two codes of one label", _repeated_labels, THREE),
]

CASES = KINDS


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_taken(tmp_path: Path, case: Taken) -> None:
    check_taken(case, tmp_path)


def test_every_case_has_a_name_of_its_own() -> None:
    check_count(CASES, 10)


def test_percentages_keep_what_was_shown(tmp_path: Path) -> None:
    _, rows = bring(_percent_format(tmp_path))
    assert [row["value_text"] for row in rows] == ["60.6%", "9409.4"]


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "@SUM(1)", "+A1", "-A1+B2", "\t=1+1"])
def test_a_command_in_a_name_is_not_armed_in_csv(tmp_path: Path, text: str) -> None:
    """What a file holds is kept as it is; where it is shown as CSV it stays a text for a spreadsheet program too."""
    path = tmp_path / "a.csv"
    path.write_text(f'代码,城市,年份,GDP(亿元)\n340100,"{text}",2019,9409.4\n', encoding="utf-8")
    _, rows = bring(path)
    assert rows[0]["place_name_raw"] == text.strip()
    shown = render_rows(("name", "value"), [(rows[0]["place_name_raw"], -5.5), ("-", "-5.5")], "csv")
    assert shown.splitlines()[1:] == [f"'{text.strip()},-5.5", "-,-5.5"]
