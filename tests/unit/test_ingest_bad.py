"""Bad files: one readable message with file, row, column and remedy, and nothing written."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest import datasets
from analysis_py.ingest.ingest import ingest_file
from tests.unit.ingest_files import PLAIN, replace_in_xlsx, write_text, write_xlsx, written

HEAD = "city_code,city_name,year,gdp\n"
MAPPING = """source: city_yearbook
place: {code: city_code, name: city_name}
year: year
columns:
  gdp: {indicator: gdp, unit: yi_yuan}
"""


def refused(path: Path, code: str, *said: str, source: str = "city_yearbook", **options: Any) -> CarbonpanelError:
    """The file is refused with this code, saying all of ``said``, and leaves no trace in the data folder."""
    folder = path.parent if path.parent.is_dir() else path.parent.parent
    before = {one: one.read_bytes() for one in written(folder)}
    with pytest.raises(CarbonpanelError) as caught:
        ingest_file(path, source, data_dir=folder / "data", **options)
    error = caught.value
    assert error.code == code, str(error)
    for word in (path.name, *said):
        assert word in str(error), str(error)
    assert {one: one.read_bytes() for one in written(folder)} == before
    return error


CASES: list[tuple[str, str | bytes, str, tuple[str, ...]]] = [
    ("empty.csv", "", "CP-FILE-EMPTY", ()),
    ("blank.csv", "\n\n  \n", "CP-FILE-EMPTY", ()),
    ("bom only.csv", b"\xef\xbb\xbf", "CP-FILE-EMPTY", ()),
    ("names only.csv", HEAD, "CP-FILE-NO-ROWS", ("row 1",)),
    ("no year.csv", "city_code,gdp\n340100,1\n", "CP-YEAR-MISSING", ("row 1", "year", "年份")),
    ("no place.csv", "year,gdp\n2019,1\n", "CP-PLACE-MISSING", ("row 1", "city_code")),
    ("no number.csv", "city,year,weather\n合肥,2019,fine\n", "CP-INDICATOR-NONE", ("row 1", "gdp")),
    ("prose.csv", "this is not a table at all\nnor is this\n", "CP-PLACE-MISSING", ()),
    ("twice.csv", PLAIN + "340100,合肥市,2019,1\n", "CP-KEY-DUPLICATED", ("rows 2 and 5", "合肥市 (340100) 2019")),
    ("two codes.csv", PLAIN + "310100,上海市,2019,1\n", "CP-KEY-DUPLICATED", ("rows 4 and 5", "上海市")),
    ("thrice.csv", PLAIN + "340100,,2019,1\n340100,,2020,1\n", "CP-KEY-DUPLICATED", ("and 1 more",)),
    ("nowhere.csv", HEAD + "999999,Atlantis,2019,1\n", "CP-PLACE-NONE", ("Atlantis", "row 2")),
    ("provinces.csv", HEAD + "340000,安徽省,2019,1\n330000,浙江省,2019,2\n", "CP-PLACE-NONE", ("province 安徽省",)),
    ("text.csv", PLAIN + "340200,芜湖市,2019,about ten\n", "CP-CELL-TEXT", ("row 5", "column 'gdp'", "about ten")),
    ("texts.csv", PLAIN + "340200,,2019,x\n340300,,2019,y\n", "CP-CELL-TEXT", ("row 5", "'x'", "and 1 more")),
    ("comma.csv", PLAIN + '340200,芜湖市,2019,"1,5"\n', "CP-CELL-TEXT", ("row 5", "1,5")),
    ("formula.csv", PLAIN + "340200,芜湖市,2019,=cmd|' /C calc'!A0\n", "CP-CELL-TEXT", ("row 5", "=cmd")),
    ("percent.csv", PLAIN + "340200,芜湖市,2019,12%\n", "CP-CELL-TEXT", ("row 5", "percentage", "yi_yuan")),
    ("infinite.csv", PLAIN + "340200,芜湖市,2019,inf\n", "CP-CELL-TEXT", ("row 5", "inf")),
    ("long year.csv", PLAIN + "340200,芜湖市,20190,5\n", "CP-YEAR-BAD", ("row 5", "column 'year'", "20190", "2019年")),
    ("year gone.csv", PLAIN + "340200,芜湖市,,5\n", "CP-YEAR-BAD", ("row 5", "empty")),
    ("half year.csv", PLAIN + "340200,芜湖市,2019H1,5\n", "CP-YEAR-BAD", ("row 5", "2019H1")),
    ("shifted.csv", PLAIN + "340200,芜湖市,2019,1,234\n", "CP-FILE-RAGGED", ("row 5",)),
    ("quote.csv", HEAD + '340100,"合肥市,2019,1\n' + "x" * 1_100_000, "CP-FILE-NOT-A-TABLE", ("row 2", "quotation")),
    ("nul.csv", HEAD.encode() + b"340100,a\x00b,2019,1\n", "CP-FILE-NUL", ()),
    ("latin.csv", HEAD.encode() + b"340100,Hef\xe9i,2019,1\n", "CP-FILE-ENCODING", ("row 2",)),
    ("early.csv", HEAD + "340100,合肥市,1995,1\n", "CP-NOTHING-LEFT", ("1995", "2000-2023")),
    ("hollow.csv", HEAD + "340100,合肥市,2019,\n", "CP-NOTHING-LEFT", ("no number",)),
    ("impossible.csv", HEAD + "340100,合肥市,2019,-5\n", "CP-NOTHING-LEFT", ("row 2", "impossible")),
    ("gone.csv", HEAD + ",巢湖市,2015,5\n", "CP-PLACE-NONE", ("abolished in 2011",)),
    ("unit.csv", "city,year,GDP(英镑)\n合肥,2019,1\n", "CP-UNIT-UNKNOWN", ("GDP(英镑)", "英镑", "亿元")),
    ("kind of unit.csv", "city,year,GDP(万人)\n合肥,2019,1\n", "CP-UNIT-UNKNOWN", ("万人", "not a unit of gdp")),
    ("no unit.csv", "城市,年份,地区生产总值\n合肥,2019,1\n", "CP-UNIT-MISSING", ("地区生产总值(亿元)",)),
    (
        "row unit.csv",
        "city,year,gdp,gdp_unit\n合肥,2019,1,亿元\n芜湖,2019,1,亿里\n",
        "CP-UNIT-UNKNOWN",
        ("row 3", "亿里"),
    ),
    ("same.csv", "city,year,gdp,gdp\n合肥,2019,1,2\n", "CP-COLUMN-DUPLICATED", ("'gdp'",)),
    ("both.csv", "city,year,gdp,GDP(亿元)\n合肥,2019,1,2\n", "CP-COLUMN-AMBIGUOUS", ("'gdp'", "'GDP(亿元)'")),
    ("scope.csv", "city,year,area_scope,gdp\n合肥,2019,全城,1\n", "CP-SCOPE-UNKNOWN", ("row 2", "全城")),
    ("cut.csv.gz", gzip.compress(PLAIN.encode(), mtime=0)[:40], "CP-FILE-CORRUPT", ()),
    ("cut.xlsx", b"PK\x03\x04 and then nothing", "CP-FILE-CORRUPT", ()),
    ("page.xls", b"<html><table></table></html>", "CP-FILE-NOT-A-TABLE", ()),
    ("paper.pdf", b"%PDF-1.4", "CP-FILE-UNKNOWN-KIND", (".csv",)),
]


@pytest.mark.parametrize(("name", "content", "code", "said"), CASES, ids=[case[0] for case in CASES])
def test_refused(tmp_path: Path, name: str, content: str | bytes, code: str, said: tuple[str, ...]) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    error = refused(path, code, *said)
    assert error.remedy and "\n" not in error.what


def test_a_refused_file_leaves_the_dataset_of_before(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", PLAIN)
    ingest_file(path, "city_yearbook", data_dir=tmp_path / "data")
    write_text(path, PLAIN + "340200,芜湖市,2019,about ten\n")
    refused(path, "CP-CELL-TEXT")
    assert len(written(tmp_path)) == 2


def test_missing_file_folder_and_unknown_source(tmp_path: Path) -> None:
    write_text(tmp_path / "yearbook_2020.csv", PLAIN)
    refused(tmp_path / "yearbok_2020.csv", "CP-FILE-MISSING", "yearbook_2020.csv")
    with pytest.raises(CarbonpanelError, match="CP-FILE-FOLDER"):
        ingest_file(tmp_path, "city_yearbook", data_dir=tmp_path / "data")
    with pytest.raises(CarbonpanelError, match=r"(?s)CP-SOURCE-UNKNOWN.*did you mean 'city_yearbook'"):
        ingest_file(tmp_path / "yearbook_2020.csv", "city_yearbok", data_dir=tmp_path / "data")
    assert not written(tmp_path)


def test_a_column_in_the_wrong_unit_is_refused_with_a_guess(tmp_path: Path) -> None:
    rows = "".join(
        f"{code},{2019},{value}\n"
        for code, value in zip(range(340100, 341300, 100), range(9_000_000, 21_000_000, 10**6), strict=True)
    )
    path = write_text(tmp_path / "a.csv", "city_code,year,gdp (亿元)\n" + rows.replace("340900", "341500"))
    refused(path, "CP-UNIT-IMPLAUSIBLE", "gdp (亿元)", "万元 (10k_yuan)", "12 of 12")


def test_unnamed_inventory(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", "city,year,碳排放量(万吨)\n合肥,2015,4510\n")
    refused(path, "CP-INVENTORY-MISSING", "碳排放量", "co2_ceads", source="city_emissions")
    with pytest.raises(CarbonpanelError, match=r"(?s)CP-INVENTORY-UNKNOWN.*did you mean 'ceads'"):
        ingest_file(path, "city_emissions", data_dir=tmp_path / "data", inventory="cead")


def test_formulas_without_stored_results_are_named(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [["city", "year", "gdp"], ["合肥", 2019, 9409.4], ["芜湖", 2019, "=C2*2"]])
    refused(path, "CP-CELL-FORMULA", "row 3", "column 'gdp'", "=C2*2", "sheet 'data'")


def test_formulas_with_stored_results_are_their_results(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [["city", "year", "gdp"], ["合肥", 2019, "=1+1"], ["芜湖", 2019, '=""']])
    sheet = "xl/worksheets/sheet1.xml"
    replace_in_xlsx(path, sheet, b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>")
    replace_in_xlsx(path, sheet, b'<c r="C3"><f>""</f><v></v>', b'<c r="C3" t="str"><f>""</f><v></v>')
    report = ingest_file(path, "city_yearbook", data_dir=tmp_path / "data", check=True)
    assert (report.cells_written, report.cells_missing) == (1, 1)


def test_error_values_of_a_workbook(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [["city", "year", "gdp"], ["合肥", 2019, 9409.4], ["芜湖", 2019, "#DIV/0!"]])
    refused(path, "CP-CELL-TEXT", "row 3", "#DIV/0!")


def test_workbook_without_anything(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    refused(tmp_path / "a.xlsx", "CP-FILE-EMPTY")
    refused(write_xlsx(tmp_path / "b.xlsx", [["a"]]), "CP-SHEET-UNKNOWN", "'data'", sheet="dat")
    refused(write_text(tmp_path / "c.csv", PLAIN), "CP-SHEET-UNKNOWN", "no sheets", sheet="dat")


@pytest.mark.parametrize("name", ["../escape", "a/b", "", ".hidden", "x" * 200, "a b", "a\0b", "-x"])
def test_dataset_names_stay_in_their_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(CarbonpanelError, match="CP-DATASET-NAME"):
        ingest_file(write_text(tmp_path / "a.csv", PLAIN), "city_yearbook", data_dir=tmp_path / "data", dataset=name)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_linked_source_folder_is_not_followed_out_of_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data" / "raw").mkdir(parents=True)
    (tmp_path / "data" / "raw" / "city_yearbook").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CarbonpanelError, match="CP-DATA-OUTSIDE"):
        ingest_file(write_text(tmp_path / "a.csv", PLAIN), "city_yearbook", data_dir=tmp_path / "data")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_an_unwritable_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write_text(tmp_path / "data" / "raw", "a file where a folder should be")
    with pytest.raises(CarbonpanelError, match="CP-FILE-UNWRITABLE"):
        ingest_file(write_text(tmp_path / "a.csv", PLAIN), "city_yearbook", data_dir=tmp_path / "data")


def test_an_interrupted_write_leaves_the_old_dataset_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_text(tmp_path / "a.csv", PLAIN)
    ingest_file(path, "city_yearbook", data_dir=tmp_path / "data")
    before = {one: one.read_bytes() for one in written(tmp_path)}

    def interrupted(table: object, handle: Any, **options: object) -> None:
        handle.write(b"PAR1 half")
        raise KeyboardInterrupt

    monkeypatch.setattr(datasets.pq, "write_table", interrupted)
    write_text(path, PLAIN.replace("38156", "1"))
    with pytest.raises(KeyboardInterrupt):
        ingest_file(path, "city_yearbook", data_dir=tmp_path / "data")
    assert {one: one.read_bytes() for one in written(tmp_path)} == before


BAD_MAPPINGS: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("gdp: {ind", "gpd: {ind", "CP-MAPPING-COLUMN", ("row 5", "'gpd'", "did you mean 'gdp'")),
    ("code: city_code", "code: citi_code", "CP-MAPPING-COLUMN", ("row 2", "citi_code", "city_code")),
    ("year: year", "year: jahr", "CP-MAPPING-COLUMN", ("row 3", "jahr")),
    ("place:", "plaec:", "CP-MAPPING-KEY", ("row 2", "'plaec'", "did you mean 'place'")),
    ("unit: yi_yuan", "unti: yi_yuan", "CP-MAPPING-KEY", ("row 5", "'unti'", "did you mean 'unit'")),
    ("unit: yi_yuan", "unit: yi_yaun", "CP-MAPPING-VALUE", ("row 5", "yi_yaun", "yi_yuan")),
    ("unit: yi_yuan", "unit: 万人", "CP-MAPPING-VALUE", ("row 5", "万人")),
    (", unit: yi_yuan", "", "CP-MAPPING-MISSING", ("row 5", "no unit")),
    ("indicator: gdp", "indicator: gdpp", "CP-MAPPING-VALUE", ("row 5", "gdpp", "did you mean 'gdp'")),
    ("indicator: gdp, ", "", "CP-MAPPING-MISSING", ("row 5", "no indicator")),
    ("source: city_yearbook", "source: city_yearbok", "CP-MAPPING-VALUE", ("row 1", "did you mean 'city_yearbook'")),
    ("source: city_yearbook", "source: city_energy", "CP-MAPPING-VALUE", ("'gdp' is not an indicator of city_energy",)),
    ("source: city_yearbook", "title: none", "CP-MAPPING-MISSING", ("source",)),
    ("year: year\n", "", "CP-MAPPING-MISSING", ("'year'",)),
    ("place: {code: city_code, name: city_name}\n", "", "CP-MAPPING-MISSING", ("place",)),
    ("year: year", "year: [", "CP-MAPPING-YAML", ("row",)),
    ("year: year", "year: year\nyear: year", "CP-MAPPING-YAML", ("row 4", "twice")),
    ("year: year", "layout: colums\nyear: year", "CP-MAPPING-VALUE", ("row 3", "did you mean 'columns'")),
    ("year: year", "area_scope: town\nyear: year", "CP-MAPPING-VALUE", ("row 3", "town")),
    ("year: year", "header_row: two\nyear: year", "CP-MAPPING-VALUE", ("row 3", "two")),
    ("year: year", "year: [a, b]", "CP-MAPPING-VALUE", ("row 3", "single value")),
    ("columns:\n  gdp", "columns: gdp\nx", "CP-MAPPING-KEY", ()),
    (MAPPING, "", "CP-MAPPING-YAML", ("empty",)),
    (MAPPING, "- a\n- b\n", "CP-MAPPING-VALUE", ("key: value",)),
    (MAPPING, "a: &x [1]\nb: [*x, *x, !!python/object/apply:os.system ['true']]", "CP-MAPPING-KEY", ("'a'",)),
]


@pytest.mark.parametrize(
    ("old", "new", "code", "said"), BAD_MAPPINGS, ids=[f"{c[2]}-{i}" for i, c in enumerate(BAD_MAPPINGS)]
)
def test_bad_mappings(tmp_path: Path, old: str, new: str, code: str, said: tuple[str, ...]) -> None:
    assert old in MAPPING
    data = write_text(tmp_path / "a.csv", PLAIN)
    path = write_text(tmp_path / "mine.yml", MAPPING.replace(old, new))
    with pytest.raises(CarbonpanelError) as caught:
        ingest_file(data, "city_yearbook", data_dir=tmp_path / "data", mapping=path)
    assert caught.value.code == code, str(caught.value)
    for word in ("mine.yml", *said):
        assert word in str(caught.value), str(caught.value)
    assert not written(tmp_path)


def test_mapping_files_that_are_none(tmp_path: Path) -> None:
    data = write_text(tmp_path / "a.csv", PLAIN)
    good = write_text(tmp_path / "m.yml", MAPPING)
    refused_by = [
        (tmp_path / "no.yml", "city_yearbook", "CP-MAPPING-FILE", "china_city_panel"),
        (tmp_path, "city_yearbook", "CP-MAPPING-FILE", "folder"),
        (good, "city_emissions", "CP-MAPPING-SOURCE", "city_yearbook"),
        (write_text(tmp_path / "bomb.yml", _unfolding()), "city_yearbook", "CP-MAPPING-YAML", "nested"),
    ]
    for mapping, source, code, said in refused_by:
        with pytest.raises(CarbonpanelError) as caught:
            ingest_file(data, source, data_dir=tmp_path / "data", mapping=mapping)
        assert caught.value.code == code and said in str(caught.value)
    assert not written(tmp_path)


def _unfolding() -> str:
    """References to references to references: a few lines that unfold to 10^9 values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    return "\n".join(lines)


def test_permission_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may run as a user who may read everything, so the refusal of the system is imitated."""

    def deny(self: Path, *args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    path = write_text(tmp_path / "a.csv", PLAIN)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", deny)
        with pytest.raises(CarbonpanelError, match=r"(?s)CP-FILE-PERMISSION.*a\.csv"):
            ingest_file(path, "city_yearbook", data_dir=tmp_path / "data")
    assert not written(tmp_path)
