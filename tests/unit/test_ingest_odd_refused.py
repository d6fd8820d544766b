"""Tables that are refused: one readable message with code, place and remedy, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest import ingest
from analysis_py.ingest.ingest import ingest_file
from analysis_py.ingest.places import PlaceKey, place_index
from tests.unit.ingest_files import PLAIN, write_text, write_xlsx, written
from tests.unit.odd_cases import ANHUI, TABLE, TEXT, Refused, book, check_count, check_refused, column, text

STRUCTURE = [
    Refused("names and nothing else", text("城市,年份,GDP(亿元)\n"), "CP-FILE-NO-ROWS", ("row 1",)),
    Refused("prose", text("this is no table\nnor is this\n"), "CP-PLACE-MISSING"),
    Refused("no year", text("城市,GDP(亿元)\n合肥市,9409.4\n"), "CP-YEAR-MISSING", ("row 1", "年份")),
    Refused("no place", text("年份,GDP(亿元)\n2019,9409.4\n"), "CP-PLACE-MISSING", ("row 1", "城市")),
    Refused("nothing wanted", text("城市,年份,天气\n合肥市,2019,晴\n"), "CP-INDICATOR-NONE", ("gdp", "天气")),
    Refused(
        "one name twice",
        text("城市,年份,GDP(亿元),GDP(亿元)\n合肥市,2019,1,2\n"),
        "CP-COLUMN-DUPLICATED",
        ("columns 3, 4",),
    ),
    Refused(
        "one meaning twice",
        text("城市,年份,GDP(亿元),地区生产总值(万元)\n合肥市,2019,1,2\n"),
        "CP-COLUMN-AMBIGUOUS",
        ("地区生产总值(万元)",),
    ),
    Refused(
        "one year twice",
        text("城市,指标,2019,2019年\n合肥市,GDP(亿元),1,2\n"),
        "CP-KEY-DUPLICATED",
        ("two columns of row 2",),
    ),
    Refused("a row too long", text(TEXT + "芜湖市,2019,3,618\n"), "CP-FILE-RAGGED", ("row 5", "4 cells")),
    Refused(
        "a place twice",
        text(TEXT + "合肥市,2019,9409.4\n"),
        "CP-KEY-DUPLICATED",
        ("rows 2 and 5", "合肥市 (340100) 2019"),
    ),
    Refused("a place by two names", text(TEXT + "合肥,2019,9409.4\n"), "CP-KEY-DUPLICATED", ("rows 2 and 5",)),
    Refused(
        "a number twice in a long table",
        text("城市,年份,指标,数值,单位\n合肥市,2019,GDP,1,亿元\n合肥市,2019,GDP,2,亿元\n"),
        "CP-KEY-DUPLICATED",
        ("of gdp", "rows 2 and 3"),
    ),
    Refused(
        "a place twice in two sheets",
        book(
            sheets={
                "2019年": [["城市", "年份", "GDP(亿元)"], ["合肥市", 2019, 1]],
                "2020年": [["城市", "年份", "GDP(亿元)"], ["合肥市", 2019, 2]],
            }
        ),
        "CP-KEY-DUPLICATED",
        ("sheet '2019年'", "sheet '2020年'"),
    ),
    Refused("nobody's places", text("城市,年份,GDP(亿元)\nAtlantis,2019,1\n"), "CP-PLACE-NONE", ("Atlantis", "row 2")),
    Refused("provinces as cities", text("城市,年份,GDP(亿元)\n安徽省,2019,1\n"), "CP-PLACE-NONE", ("province 安徽省",)),
    Refused("years before the panel", text("城市,年份,GDP(亿元)\n合肥市,1985,1\n"), "CP-NOTHING-LEFT", ("1985",)),
    Refused("no number at all", text("城市,年份,GDP(亿元)\n合肥市,2019,--\n"), "CP-NOTHING-LEFT"),
    Refused(
        "all impossible", text("城市,年份,GDP(亿元)\n合肥市,2019,-5\n"), "CP-NOTHING-LEFT", ("row 2", "impossible")
    ),
    Refused("an unknown sheet", book(TABLE), "CP-SHEET-UNKNOWN", ("did you mean 'data'",), options={"sheet": "dta"}),
    Refused("a sheet of a text", text(TEXT), "CP-SHEET-UNKNOWN", ("no sheets",), options={"sheet": "data"}),
    Refused(
        "a year under two years",
        book(
            [["城市", "2020年", None], [None, "2019年", "2018年"], [None, "GDP(亿元)", "GDP(亿元)"], ["合肥市", 1, 2]],
            merges=("A1:A3", "B1:C1"),
        ),
        "CP-INDICATOR-NONE",
        ("stands under '2020年', which says otherwise",),
    ),
    Refused(
        "a merged number",
        book([["城市", "年份", "GDP(亿元)"], ["合肥市", 2019, 9409.4], ["芜湖市", 2019, None]], merges=("C2:C3",)),
        "CP-CELL-MERGED",
        ("row 2", "9409.4", "2 merged cells"),
    ),
]


def _cell(value: str, header: str = "GDP(亿元)") -> str:
    return column(header, ["9409.4", "3618.3", value])


NUMBERS = [
    Refused(f"number {value}", text(_cell(value)), "CP-CELL-TEXT", ("row 4", "column 'GDP(亿元)'", value[:8]))
    for value in [
        "about 10",
        "1,5",
        "1.234,5",
        "12,34",
        "1,23,456",
        "12①",
        "12²",
        "½",
        "1_000",
        "0x10",
        "inf",
        "1e999",
        "12-",
        "1.2.3",
        "一百",
        "١٢",
        "12*",
        "12 34",
        "=A1",
        "=cmd|' /C calc'!A0",
        "@SUM(1)",
        "12%",
        "5美元",
        "5万人",
        "约5",
        "3..4",
        "TRUE",
        "#DIV/0!",
        "#REF!",
        "5@",
    ]
]
AMBIGUOUS = [
    Refused(
        "one decimal comma alone",
        text(column("GDP(亿元)", ["12", "1,5"])),
        "CP-CELL-TEXT",
        ("row 3", "does not write decimal commas"),
    ),
    Refused(
        "decimal commas and points", text(column("GDP(亿元)", ["1,5", "2,25", "3.5"])), "CP-CELL-TEXT", ("row 2", "1,5")
    ),
    Refused(
        "decimal commas and groups", text(column("GDP(亿元)", ["1,5", "2,25", "1,234,567"])), "CP-CELL-TEXT", ("row 2",)
    ),
    Refused(
        "万 that may be either",
        text(column("户籍人口(万人)", ["0.05万"])),
        "CP-CELL-TEXT",
        ("500 or 0.05", "does not decide"),
    ),
    Refused(
        "a unit against the column's",
        text(column("GDP(亿元)", ["94094000万元"])),
        "CP-CELL-TEXT",
        ("says 10k_yuan", "yi_yuan"),
    ),
    Refused(
        "a formula without a result",
        book([*TABLE, ["芜湖市", 2019, "=C2*2"]]),
        "CP-CELL-FORMULA",
        ("row 5", "=C2*2", "calculate"),
    ),
    Refused("a formula for a year", book([*TABLE, ["芜湖市", "=B2+1", 5]]), "CP-YEAR-BAD", ("row 5", "=B2+1")),
    Refused("percentages of yuan", book(TABLE, formats={"C2": "0.0%"}), "CP-CELL-TEXT", ("row 2", "940940%")),
    Refused(
        "a whole column of words", text(column("GDP(亿元)", ["x", "y", "z"])), "CP-CELL-TEXT", ("row 2", "and 2 more")
    ),
]
YEARS = [
    Refused(
        f"year {year}",
        text(f'城市,年份,GDP(亿元)\n合肥市,2019,1\n芜湖市,"{year}",2\n'),
        "CP-YEAR-BAD",
        ("row 3", "column '年份'"),
    )
    for year in [
        "19",
        "20190",
        "2019H1",
        "2019Q4",
        "2019-06-30",
        "2019年6月",
        "2019①",
        "2019.5",
        "1899",
        "2101",
        "二〇一",
        "去年",
        "0",
        "-2019",
        "2018-2019",
    ]
]
UNITS = [
    Refused(f"unit {unit}", text(f"城市,年份,地区生产总值({unit})\n合肥市,2019,1\n"), "CP-UNIT-UNKNOWN", (unit, "亿元"))
    for unit in ["英镑", "万人", "亿里", "元/人", "%"]
] + [
    Refused("no unit", text("城市,年份,地区生产总值\n合肥市,2019,1\n"), "CP-UNIT-MISSING", ("地区生产总值(亿元)",)),
    Refused(
        "a unit of the table that does not fit",
        text("单位：万人,,\n城市,年份,地区生产总值\n合肥市,2019,1\n"),
        "CP-UNIT-MISSING",
    ),
    Refused(
        "an unknown unit in a row",
        text("城市,年份,指标,数值,单位\n合肥市,2019,GDP,1,亿元\n芜湖市,2019,GDP,1,亿里\n"),
        "CP-UNIT-UNKNOWN",
        ("row 3", "亿里"),
    ),
    Refused(
        "an empty unit in a row",
        text("城市,年份,指标,数值,单位\n合肥市,2019,GDP,1,亿元\n芜湖市,2019,GDP,1,\n"),
        "CP-UNIT-UNKNOWN",
        ("row 3",),
    ),
    Refused(
        "a whole column in another unit",
        text(column("GDP(亿元)", range(9_000_000, 19_000_000, 10**6))),
        "CP-UNIT-IMPLAUSIBLE",
        ("万元 (10k_yuan)", "10 of 10"),
    ),
    Refused(
        "an unknown area", text("城市,年份,口径,GDP(亿元)\n合肥市,2019,全城,1\n"), "CP-SCOPE-UNKNOWN", ("row 2", "全城")
    ),
    Refused("a dataset outside the folder", text(TEXT), "CP-DATASET-NAME", ("../x",), options={"dataset": "../x"}),
    Refused("a dataset at the root", text(TEXT), "CP-DATASET-NAME", options={"dataset": "/x"}),
    Refused("a hidden dataset", text(TEXT), "CP-DATASET-NAME", options={"dataset": ".x"}),
    Refused("a dataset with a NUL", text(TEXT), "CP-DATASET-NAME", options={"dataset": "a\0b"}),
    Refused("a mapping outside", text(TEXT), "CP-MAPPING-FILE", ("shipped mapping",), options={"mapping": "../x.yml"}),
]

CASES = [*STRUCTURE, *NUMBERS, *AMBIGUOUS, *YEARS, *UNITS]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_refused(tmp_path: Path, case: Refused) -> None:
    check_refused(case, tmp_path)


def test_every_case_has_a_name_of_its_own() -> None:
    check_count(CASES, 80)


def test_a_refused_file_leaves_the_dataset_of_before(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", PLAIN)
    ingest_file(path, "city_yearbook", data_dir=tmp_path / "data")
    before = {one: one.read_bytes() for one in written(tmp_path)}
    for case in (NUMBERS[0], YEARS[0], STRUCTURE[9]):
        case.make(tmp_path)
        with pytest.raises(CarbonpanelError):
            ingest_file(path, "city_yearbook", data_dir=tmp_path / "data")
        assert {one: one.read_bytes() for one in written(tmp_path)} == before


@pytest.mark.parametrize("change", ["grown", "replaced", "removed"])
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    path = write_text(tmp_path / "a.csv", PLAIN)
    real = ingest.Collector.finish

    def finish(self: ingest.Collector) -> object:
        if change == "grown":
            path.write_text(PLAIN + "340200,芜湖市,2019,1\n", encoding="utf-8")
        elif change == "replaced":
            write_text(tmp_path / "b.csv", PLAIN).replace(path)
        else:
            path.unlink()
        return real(self)

    monkeypatch.setattr(ingest.Collector, "finish", finish)
    with pytest.raises(CarbonpanelError, match="CP-FILE-CHANGED"):
        ingest_file(path, "city_yearbook", data_dir=tmp_path / "data")
    assert not written(tmp_path)


def test_an_interruption_while_reading_or_writing_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_text(tmp_path / "a.csv", PLAIN)

    def interrupt(*_: object, **__: object) -> Iterator[None]:
        raise KeyboardInterrupt

    for target, name in ((ingest.Collector, "add"), (pq, "write_table")):
        with monkeypatch.context() as patched:
            patched.setattr(target, name, interrupt)
            with pytest.raises(KeyboardInterrupt):
                ingest_file(path, "city_yearbook", data_dir=tmp_path / "data")
        assert not written(tmp_path)


def test_a_formula_is_never_shown_as_a_number(tmp_path: Path) -> None:
    """Even where the text of a formula looks like one (``=1``)."""
    path = write_xlsx(tmp_path / "a.xlsx", [["城市", "年份", "GDP(亿元)"], ["合肥市", 2019, "=1"]])
    assert openpyxl.load_workbook(path)["data"]["C2"].value == "=1"
    with pytest.raises(CarbonpanelError, match="CP-CELL-FORMULA"):
        ingest_file(path, "city_yearbook", data_dir=tmp_path / "data")


def test_cities_of_the_columns_are_cities() -> None:
    assert all(place_index("city").resolve(PlaceKey(code=code)).code == code for code in ANHUI)
