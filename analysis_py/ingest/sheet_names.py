"""What the names of sheets say: one year a sheet (``2019年``), one place (``安徽``), one indicator (``GDP(亿元)``)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from analysis_py.ingest.cells import plain
from analysis_py.ingest.headings import split_year
from analysis_py.ingest.layout import SheetSays
from analysis_py.ingest.places import PlaceIndex, PlaceKey, place_index
from analysis_py.ingest.units import Dictionary

_YEAR_ONLY = re.compile(r"(?:year|y|yr|fy)?\s*_?\s*((?:19|20)[0-9]{2})\s*(?:年度?|年末)?\s*(?:数据|data)?\Z", re.I)
_BESIDE = re.compile(r"^[0-9]{1,3}[.、_\-\s]+|(?:数据|表|data)\Z", re.I)


def read_sheet_name(name: str | None, source: str, dictionary: Dictionary, index: PlaceIndex) -> SheetSays:
    """Year, place, province and indicator that a sheet's name says, each only where it is recognised exactly."""
    text = " ".join(plain(name or "").split())
    if not text:
        return SheetSays()
    if dictionary.read_header(text, source) is not None:
        return SheetSays(label=text)
    only = _YEAR_ONLY.match(text)
    if only is not None:
        return SheetSays(year=only.group(1))
    year, rest = split_year(text)
    rest = _BESIDE.sub("", rest).strip(" _-.()")
    if not rest:
        return SheetSays(year=year)
    if dictionary.read_header(rest, source) is not None:
        return SheetSays(year=year, label=rest)
    is_place = index.resolve(PlaceKey(name=rest)).code is not None
    # Beijing is both, and a sheet of its rows may be meant either way.
    is_province = index.level == "city" and place_index("province").resolve(PlaceKey(name=rest)).code is not None
    if is_place or is_province:
        return SheetSays(year, PlaceKey(name=rest) if is_place else None, province=rest if is_province else "")
    return SheetSays(year=year) if year and _is_filler(rest) else SheetSays()


def _is_filler(text: str) -> bool:
    """Words that may stand beside a year in the name of a sheet without narrowing what it holds."""
    return text.lower() in (
        "年",
        "数据",
        "全市",
        "地级市",
        "城市",
        "各市",
        "全国",
        "城市数据",
        "data",
        "cities",
        "city",
        "sheet",
        "全部",
    )


def list_names(names: Sequence[str | None], limit: int = 10) -> str:
    """``2019, 2020, ...`` for a remark."""
    shown = ", ".join(str(name) for name in names[:limit])
    return shown + (", ..." if len(names) > limit else "")
