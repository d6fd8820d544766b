"""Finds the place a person means: a city or a province, by present or former code, Chinese or English name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_py.errors import CarbonpanelError, nearest

if TYPE_CHECKING:
    import duckdb

NATION = "000000"


@dataclass(frozen=True)
class Level:
    """Places of one kind: the column of their code, and the tables in which their cells become filled years."""

    name: str
    key: str
    facts: str
    filled: str
    selected: str
    resolved: str


CITY = Level(
    "city", "city_code", "fct_city_year", "int_city_year_fill", "int_city_cells_select", "int_city_cells_resolve"
)
PROVINCE = Level(
    "province",
    "province_code",
    "fct_province_year",
    "int_province_year_fill",
    "int_province_cells_select",
    "int_province_cells_resolve",
)


def find_city(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """The ``city_code`` of ``name``: a code, a Chinese name (with or without its suffix) or an English one.

    Former codes and names count; case does not.

    Raises
    ------
    CarbonpanelError ``CP-CITY-AMBIGUOUS`` where several cities have the name, ``CP-CITY-UNKNOWN`` (naming the nearest)
    where none has.
    """
    wanted = str(name).strip()
    rows = con.execute(
        "select distinct city_code from intermediate.int_city_names_union where lower(alias) = lower(?) order by 1",
        [wanted],
    ).fetchall()
    if len(rows) == 1:
        return str(rows[0][0])
    shared = con.execute(
        "select city_code, city_name_en_unique, city_name_zh from marts.dim_city "
        "where lower(city_name_en) = lower(?) order by city_code",
        [wanted],
    ).fetchall()
    if len(shared) > 1:
        names = ", ".join(f"'{en}' ({code} {zh})" for code, en, zh in shared)
        raise CarbonpanelError(
            "CP-CITY-AMBIGUOUS", f"'{wanted}' is the name of {len(shared)} cities", remedy=f"say which: {names}"
        )
    known = [
        str(r[0]) for r in con.execute("select alias from intermediate.int_city_names_union order by 1").fetchall()
    ]
    raise CarbonpanelError("CP-CITY-UNKNOWN", f"there is no city '{wanted}'", remedy=_suggest(wanted, known, "110100"))


def find_province(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """The ``province_code`` of ``name``: a code, a Chinese name (with or without its suffix) or an English one.

    The nation (``000000``, 全国) counts as a province here. Case does not count.

    Raises
    ------
    CarbonpanelError ``CP-PROVINCE-UNKNOWN`` naming the nearest.
    """
    wanted = str(name).strip()
    rows = con.execute(
        "select province_code, province_name_zh, province_name_en from marts.dim_province order by province_code"
    ).fetchall()
    known: dict[str, str] = {NATION: NATION, "全国": NATION, "china": NATION}
    for code, zh, en in rows:
        for spelling in (code, zh, en, _short(str(zh))):
            known.setdefault(str(spelling).lower(), str(code))
    if wanted.lower() in known:
        return known[wanted.lower()]
    raise CarbonpanelError(
        "CP-PROVINCE-UNKNOWN", f"there is no province '{wanted}'", remedy=_suggest(wanted, list(known), "440000")
    )


def _short(name: str) -> str:
    """A Chinese province name without what says its kind: 内蒙古自治区 -> 内蒙古, 广东省 -> 广东."""
    for ending in ("壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "省", "市"):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name


def _suggest(wanted: str, known: list[str], code: str) -> str:
    hits = nearest(wanted, known, count=3)
    return "did you mean " + " or ".join(f"'{hit}'" for hit in hits) + "?" if hits else f"give a code such as {code}"
