"""Finds the city a person means: by present or former code, Chinese or English name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_py.errors import CarbonpanelError, nearest

if TYPE_CHECKING:
    import duckdb


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
    hits = nearest(wanted, known, count=3)
    remedy = "did you mean " + " or ".join(f"'{hit}'" for hit in hits) + "?" if hits else "give a code such as 110100"
    raise CarbonpanelError("CP-CITY-UNKNOWN", f"there is no city '{wanted}'", remedy=remedy)
