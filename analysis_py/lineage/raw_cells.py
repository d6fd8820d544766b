"""Raw cells behind one city, year and indicator: the one chosen, why each of the others was not, and what was decided
about them by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_py.lineage.place_names import CITY, Level

if TYPE_CHECKING:
    import duckdb

_COLUMNS = (
    "source", "dataset", "resolution", "place_code_raw", "place_name_raw", "value", "unit", "value_raw", "unit_raw",
    "vintage", "value_text", "source_file", "source_sheet", "source_row", "source_column", "reason",
)  # fmt: skip

_PLACE = ("source", "dataset", "source_file", "source_sheet", "source_row", "source_column")

_QUARANTINED = (
    "place_code_raw", "place_name_raw", "value", "unit", "area_scope", "vintage", "value_text", "reason", "guess",
    "decision", "new_value", "new_unit", "why", "decided_on",
)  # fmt: skip

_WHY = {
    "outside_plausible_range": "outside the plausible range of the indicator",
    "unit_of_another_dimension": "its unit measures something else",
    "unknown_unit": "its unit is not known",
    "other_population_basis": "it counts another population",
    "not_a_number": "it is not a number",
}


@dataclass(frozen=True)
class RawCell:
    """A cell as it stands in a file. ``row`` counts from 1 with header lines; ``value`` is in the canonical unit."""

    file: str
    sheet: str | None
    row: int
    column: str
    text: str
    unit_printed: str
    value: float | None
    unit: str
    area_scope: str
    vintage: str
    dataset: str
    notes: tuple[str, ...]

    @property
    def place(self) -> str:
        """File, sheet, row and column, as a person looks them up."""
        sheet = f", sheet '{self.sheet}'" if self.sheet else ""
        return f"{self.file}{sheet}, row {self.row}, column '{self.column}'"


def read_cells(
    con: duckdb.DuckDBPyConnection, code: str, year: int, indicator: str, level: Level = CITY
) -> tuple[RawCell | None, list[RawCell]]:
    """The chosen cell (None where there is none) and the cells not chosen, in the order of file and row.

    ``code`` is the city or the province, as ``level`` says.
    """
    chosen = con.execute(
        f"select {', '.join(_PLACE)} from intermediate.{level.selected} "
        f"where {level.key} = ? and year = ? and indicator = ?",
        [code, year, indicator],
    ).fetchone()
    # only city tables tell the whole city from its urban districts
    scope = "area_scope" if level is CITY else "'whole_city' as area_scope"
    names = (*_COLUMNS, "area_scope")
    rows = [
        dict(zip(names, row, strict=True))
        for row in con.execute(
            f"select {', '.join(_COLUMNS)}, {scope} from intermediate.{level.resolved} "
            f"where {level.key} = ? and year = ? and indicator = ? "
            f"order by {', '.join(_PLACE)}",
            [code, year, indicator],
        ).fetchall()
    ]
    picked: dict[str, object] | None = None
    others = []
    for row in rows:
        if chosen is not None and _place_of(row) == chosen:
            picked = row
        else:
            others.append(row)
    decided = _read_decisions(con, code, year, indicator)
    notes = {place: _decision(row) for place, row in decided.items()}
    cell = None
    if picked:
        cell = _cell(con, picked, code, level, (_conversion(con, picked), *notes.get(_place_of(picked), ())))
    told = [_cell(con, row, code, level, (_rejection(row, picked), *notes.get(_place_of(row), ()))) for row in others]
    known = {_place_of(row) for row in rows}
    told += [_cell(con, row, code, level, notes[place]) for place, row in decided.items() if place not in known]
    return cell, told


def _place_of(row: dict[str, object]) -> tuple[object, ...]:
    return tuple(row[name] for name in _PLACE)


def _read_decisions(
    con: duckdb.DuckDBPyConnection, code: str, year: int, indicator: str
) -> dict[tuple[object, ...], dict[str, object]]:
    """Cells that ingest left out or a user decided about, by their place; they have no value in the warehouse."""
    names = (*_PLACE, *_QUARANTINED)
    found = con.execute(
        f"select {', '.join(names)} from staging.stg_quarantine__cells "
        f"where place_code = ? and year = ? and indicator = ? order by {', '.join(_PLACE)}",
        [code, year, indicator],
    ).fetchall()
    rows = [dict(zip(names, row, strict=True)) for row in found]
    blank = {"resolution": "ingest", "value": None}
    return {_place_of(row): {**row, **blank, "value_raw": row["value"], "unit_raw": row["unit"]} for row in rows}


def _decision(row: dict[str, object]) -> tuple[str, ...]:
    reason = str(row["reason"]) if row["reason"] is not None else ""
    guess = f"; {row['guess']}" if row["guess"] else ""
    if row["decision"] == "quarantined":
        return (f"quarantined: {reason}{guess}",)
    by_hand = f"{row['why']} ({row['decided_on']}, corrections.yml)"
    if row["decision"] == "accepted":
        return (f"accepted by hand although {reason}: {by_hand}",)
    return (
        f"corrected by hand: {row['new_value']:.10g} {row['new_unit']} instead of {row['value_raw']:.10g} "
        f"{row['unit_raw']}: {by_hand}",
        *((f"it was quarantined: {reason}{guess}",) if reason else ()),
    )


def _rejection(row: dict[str, object], picked: dict[str, object] | None) -> str:
    if row["area_scope"] != "whole_city":
        return "the urban districts alone, not the whole city"
    if row["reason"] is not None:
        return f"{_WHY.get(str(row['reason']), str(row['reason']).replace('_', ' '))}"
    if picked is None or row["vintage"] != picked["vintage"]:
        return f"vintage '{row['vintage']}': another one goes first, or covers more of GDP and its parts"
    return f"another cell of the same year comes first (data set '{picked['dataset']}')"


def _conversion(con: duckdb.DuckDBPyConnection, row: dict[str, object]) -> str:
    if row["unit"] == row["unit_raw"]:
        return f"in {row['unit']}, the unit of the warehouse: no conversion"
    factors = dict(
        con.execute(
            "select unit, factor_to_base from reference.seed_unit where unit in (?, ?) order by unit",
            [row["unit"], row["unit_raw"]],
        ).fetchall()
    )
    if row["unit_raw"] == "growth_pct":
        return f"growth to index: 100 + {row['value_raw']:g} = {row['value']:.10g} {row['unit']}"
    return (
        f"unit: {row['value_raw']:.10g} {row['unit_raw']} * {factors[row['unit_raw']]:g} / {factors[row['unit']]:g} "
        f"= {row['value']:.10g} {row['unit']}"
    )


def _cell(
    con: duckdb.DuckDBPyConnection, row: dict[str, object], code: str, level: Level, notes: tuple[str, ...]
) -> RawCell:
    said = list(notes)
    now = con.execute(
        f"select {level.name}_name_zh from marts.dim_{level.name} where {level.key} = ?", [code]
    ).fetchone()
    name = str(now[0]) if now else ""
    if now and (row["place_code_raw"], row["place_name_raw"]) != (code, name):
        printed = " ".join(str(v) for v in (row["place_code_raw"], row["place_name_raw"]) if v)
        said.append(f"printed as {printed}: {code} {name} (by {str(row['resolution']).replace('_', ' ')})")
    if row["vintage"] != "first":
        said.append(f"vintage: {row['vintage']}")
    return RawCell(
        file=str(row["source_file"]),
        sheet=str(row["source_sheet"]) if row["source_sheet"] is not None else None,
        row=int(str(row["source_row"])),
        column=str(row["source_column"]),
        text=str(row["value_text"]),
        unit_printed=str(row["unit_raw"]),
        value=float(str(row["value"])) if row["value"] is not None else None,
        unit=str(row["unit"]),
        area_scope=str(row["area_scope"]),
        vintage=str(row["vintage"]),
        dataset=str(row["dataset"]),
        notes=tuple(said),
    )
