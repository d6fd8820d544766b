"""The lines above a table: unit, year and place they give for all of it, and the indicator they name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from analysis_py.ingest.cells import plain
from analysis_py.ingest.headings import split_year
from analysis_py.ingest.places import PlaceIndex, PlaceKey
from analysis_py.ingest.sheets import Row
from analysis_py.ingest.units import fold_unit

#: A cell beside a title that says the unit of the whole table.
UNIT_OF_TABLE = re.compile(r"(?:计量)?单\s*位\s*[:：]\s*(.+)|units?\s*:\s*(.+)", re.I)
#: What a title has before and behind the name of its indicator.
_NUMBERED = re.compile(r"^(?:续?表|table|tab\.?)?\s*[0-9一二三四五六七八九十]*(?:[-.–][0-9]+)*\s*[:：.、]?\s*", re.I)
_REGION = re.compile(r"(?:地区|省份|省市区|城市|region|area|province|city)\s*[:：]\s*(\S.*?)\s*\Z", re.I)
_TIME = re.compile(r"(?:时间|年份|年度|year|time)\s*[:：]\s*((?:19|20)[0-9]{2})\s*年?\Z", re.I)
_ANY_YEAR = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?![0-9])")
_TITLE_YEAR = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?![0-9])(?=\s*(?:年|[)）]|\Z))")
#: A title with these words names a year its numbers are not of, or not only.
_NOT_OF_THE_YEAR = re.compile(
    r"年鉴|不变价|可比价|yearbook|constant|为\s*100|=\s*100|上年|历年|以来|时间|日期|导出|下载|更新|发布|版权|"
    r"date|export|download|update|copyright|©",
    re.I,
)
_LONGEST_TITLE = 80
_OF_PLACES = re.compile(
    r"^(?:分地区|分省|各省市?区?|各省|各市|各地级市|各城市|全国各地区?|地级及?以上城市|主要城市)的?"
)


@dataclass(frozen=True)
class Titles:
    """What the lines above a table say of all its numbers, each with the row it stands in; '' = nothing.

    ``year`` is there only where the titles name exactly one and none of their words speaks against it (年鉴, 不变价).
    """

    units: tuple[str, ...] = ()
    units_row: int = 0
    year: str = ""
    year_row: int = 0
    place: str = ""
    place_row: int = 0


def read_titles(above: Sequence[Row], index: PlaceIndex) -> Titles:
    """Read the rows above the names of a table."""
    named: dict[str, int] = {}
    stated: set[str] = set()
    place, place_row = "", 0
    for number, cells in above:
        for text in (plain(cell) for cell in cells if cell.strip()):
            region, time = _REGION.match(text), _TIME.match(text)
            if region is not None:
                if not place and index.resolve(PlaceKey(name=region.group(1))).code is not None:
                    place, place_row = region.group(1), number
            elif time is not None:
                named.setdefault(time.group(1), number)
                stated.add(time.group(1))
            elif len(text) <= _LONGEST_TITLE and not _NOT_OF_THE_YEAR.search(text):
                for year in _ANY_YEAR.findall(text):
                    named.setdefault(year, number)
                stated.update(_TITLE_YEAR.findall(text))
    units, units_row = table_units(above)
    year, year_row = next(iter(named.items())) if len(named) == 1 and stated else ("", 0)
    return Titles(tuple(units), units_row, year, year_row, place, place_row)


def table_units(rows: Sequence[Row]) -> tuple[list[str], int]:
    """Units that a line above the table gives for all of it (``单位：亿元、万人``), and the row; ([], 0) without."""
    for number, cells in rows:
        for cell in cells:
            found = UNIT_OF_TABLE.search(plain(cell).strip("() "))
            if found is not None:
                listed = re.split(r"[、,;，；/\s]+", (found.group(1) or found.group(2)).strip("() "))
                whole = (found.group(1) or found.group(2)).strip("() ")
                return [unit for unit in dict.fromkeys([whole, *listed]) if fold_unit(unit)], number
    return [], 0


def title_name(text: str) -> str:
    """A title without its number, the places it is of and its year: ``表2-1 各市2019年地区生产总值(亿元)``."""
    name = re.sub(r"^指\s*标\s*[:：]\s*", "", _NUMBERED.sub("", plain(text)))
    name = _OF_PLACES.sub("", split_year(name)[1])
    name = re.sub(r"[(（]?(?:19|20)[0-9]{2}年?\s*[-–—~至]\s*(?:19|20)[0-9]{2}年?[)）]?", "", name)
    return name.strip(" -_:：")
