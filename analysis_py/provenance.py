"""Follows a cell of a panel back to the raw cells it was made from, and describes what is in the warehouse.

What a column is made of stands in the YAML of its model (``inputs``, see :mod:`analysis_py.lineage.input_notation`)
and reaches here through ``meta.column_dictionary``; nothing is hard-coded per variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.lineage.codebook import Description, describe
from analysis_py.lineage.input_notation import InputItem, fill_braces, parse_inputs
from analysis_py.lineage.place_names import CITY, NATION, PROVINCE, Level, find_city, find_province
from analysis_py.lineage.raw_cells import RawCell, read_cells
from analysis_py.lineage.trace_steps import TraceStep, number_text, render_trace

if TYPE_CHECKING:
    import duckdb

__all__ = ["Description", "RawCell", "TraceStep", "describe", "render_trace", "trace"]

_LEVELS = (CITY, PROVINCE)
_KEYS = ("city_code", "year", "province_code", "unit_code")
#: A city or a year may stand in many rows of a table that has other units (firms, industries); more are not shown.
_MOST_ROWS = 40
_MAX_DEPTH = 30


def trace(
    con: duckdb.DuckDBPyConnection, place: str, year: int, variable: str, *, panel: str | None = None
) -> TraceStep:
    """The tree of steps behind one cell.

    Parameters
    ----------
    con : the warehouse, read-only.
    place : code or name of a city or a province, present or former, Chinese or English. A name that both have (北京,
        吉林) is the city, unless the variable stands only in tables of provinces.
    variable : a column of ``panel`` (default: of any panel, else of the table of facts).
    panel : a table of schema marts with a place and a year.

    Raises
    ------
    CarbonpanelError ``CP-CITY-UNKNOWN``, ``CP-CITY-AMBIGUOUS``, ``CP-PROVINCE-UNKNOWN``, ``CP-PANEL-UNKNOWN``,
    ``CP-VARIABLE-UNKNOWN`` (each naming the nearest), ``CP-TRACE-NO-ROW`` where the panel has no row of place and year.
    """
    tracer = _Tracer(con)
    level, code, table, column = tracer.find_start(place, variable, panel)
    key: dict[str, object] = {level.key: code, "year": year, "unit_code": code}
    if level is CITY:
        key["province_code"] = tracer.province_of(code)
    if not tracer.rows(table, key, ()):
        raise tracer.no_row(level, table, code, year)
    tree = tracer.step_column(table, column, key, ())[0]
    others = [t for t in tracer.marts_of(level) if t != table and column in tracer.columns[t]] if panel is None else []
    if not others:
        return tree
    return replace(tree, notes=(*tree.notes, f"also a column of {', '.join(others)}: choose with --panel"))


class _Tracer:
    """Reads the dictionary once and walks it; every query goes by key, so a trace takes milliseconds a step."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.columns: dict[str, dict[str, dict[str, str]]] = {}
        self.schema_of: dict[str, str] = {}
        self.seen: dict[tuple[object, ...], list[dict[str, object]]] = {}
        self.cells: dict[tuple[str, int, str, str], tuple[RawCell | None, list[RawCell]]] = {}
        for schema, table, column, *meta in con.execute(
            "select schema_name, model_name, column_name, unit, formula, inputs from meta.column_dictionary "
            "where schema_name in ('marts', 'intermediate', 'staging', 'reference') "
            "order by schema_name, model_name, ordinal"
        ).fetchall():
            self.schema_of[table] = schema
            known = dict(zip(("unit", "formula", "inputs"), meta, strict=True))
            self.columns.setdefault(table, {})[column] = known
        if CITY.facts not in self.columns:
            raise CarbonpanelError(
                "CP-DB-INCOMPLETE", "the database has no codebook", remedy="run 'carbonpanel refresh' to build it again"
            )
        about = ("unit", "rule", "max_gap", "source", "base_year")
        self.indicators = {
            (str(row[0]), str(row[1])): dict(zip(about, row[2:], strict=True))
            for row in con.execute(
                "select level, indicator, unit, fill_rule, max_gap_years, source, base_year "
                "from reference.seed_indicator order by level, indicator"
            ).fetchall()
        }
        row = con.execute("select min(year) from intermediate.int_city_years_span").fetchone()
        self.first_year = int(row[0]) if row and row[0] is not None else 0

    def find_start(self, place: str, variable: str, panel: str | None) -> tuple[Level, str, str, str]:
        """Level and code of the place, table and column of the variable."""
        if panel is not None:
            name = panel.removeprefix("marts.")
            known = [t for level in _LEVELS for t in self.marts_of(level)]
            if name not in known:
                raise CarbonpanelError(
                    "CP-PANEL-UNKNOWN", f"there is no panel '{panel}'", remedy=did_you_mean(name, known)
                )
            level = next(x for x in _LEVELS if name in self.marts_of(x))
            found = self.find_column(variable, [name])
            code = self.find_place(place, level)
            if found is None:
                raise self.unknown_variable(variable, [name])
            return level, code, *found
        failures = []
        for level in _LEVELS:
            try:
                code = self.find_place(place, level)
            except CarbonpanelError as problem:
                failures.append(problem)
                continue
            found = self.find_column(variable, self.marts_of(level))
            if found is not None:
                return level, code, *found
        everywhere = [t for level in _LEVELS for t in self.marts_of(level)]
        if len(failures) == len(_LEVELS) or (failures and self.find_column(variable, everywhere) is not None):
            raise failures[0]
        raise self.unknown_variable(variable, everywhere)

    def find_place(self, name: str, level: Level) -> str:
        return find_city(self.con, name) if level is CITY else find_province(self.con, name)

    def marts_of(self, level: Level) -> list[str]:
        """Marts with one row a place of the level and year: panels by name, the table of facts last."""
        others = {x.key for x in _LEVELS if x is not level and level is PROVINCE}
        found = [
            t
            for t, columns in self.columns.items()
            if self.schema_of[t] == "marts" and {level.key, "year"} <= set(columns) and not others & set(columns)
        ]
        return sorted(found, key=lambda t: (t == level.facts, not t.startswith("panel_"), t))

    def find_column(self, variable: str, tables: list[str]) -> tuple[str, str] | None:
        for same in (lambda a: a == variable, lambda a: a.lower() == variable.lower()):
            for table in tables:
                hits = [c for c in self.columns[table] if same(c)]
                if hits:
                    return table, hits[0]
        return None

    def unknown_variable(self, variable: str, tables: list[str]) -> CarbonpanelError:
        known = [c for t in tables for c in self.columns[t]]
        return CarbonpanelError(
            "CP-VARIABLE-UNKNOWN", f"there is no variable '{variable}'", remedy=did_you_mean(variable, known)
        )

    def level_of(self, table: str) -> tuple[Level, str]:
        """Level whose facts and indicators the columns of a table are made of, and the name of its indicators."""
        columns = self.columns[table]
        if CITY.key in columns:
            return CITY, "city"
        return PROVINCE, "province" if PROVINCE.key in columns or "unit_code" in columns else "national"

    def province_of(self, code: str) -> str | None:
        row = self.con.execute("select province_code from marts.dim_city where city_code = ?", [code]).fetchone()
        return str(row[0]) if row else None

    def no_row(self, level: Level, table: str, code: str, year: int) -> CarbonpanelError:
        name = f"marts.{table}"
        named = self.con.execute(
            f"select {level.name}_name_zh from marts.dim_{level.name} where {level.key} = ?", [code]
        ).fetchone()
        span = self.con.execute(f"select min(year), max(year) from {name} where {level.key} = ?", [code]).fetchone()
        who = f"{code} {named[0] if named else ''}".strip()
        sample = table.replace("panel_", "int_", 1) + "_sample"
        if span and span[0] is not None:
            remedy = f"its years there are {span[0]}-{span[1]}; {level.facts} may have more"
        else:
            remedy = f"trace a column of {level.facts} instead (carbonpanel describe {level.facts})"
            if sample in self.columns and table != level.facts:
                reason = self.con.execute(
                    f"select reason from intermediate.{sample} where {level.key} = ?", [code]
                ).fetchone()
                remedy = f"it is not in the sample ({reason[0] if reason else 'unknown'}); {remedy}"
        return CarbonpanelError("CP-TRACE-NO-ROW", f"{name} has no row of {who} in {year}", remedy=remedy)

    def rows(
        self, table: str, key: Mapping[str, object], filters: tuple[tuple[str, str], ...]
    ) -> list[dict[str, object]]:
        """Rows of ``table`` with the keys it has and the filters, in the order of all their columns."""
        columns = self.columns[table]
        wanted = {k: key[k] for k in _KEYS if k in columns and key.get(k) is not None}
        wanted.update({k: v for k, v in filters if k in columns})
        asked = (table, tuple(wanted.items()))
        if asked not in self.seen:
            self.seen[asked] = self._read(table, wanted)
        return self.seen[asked]

    def _read(self, table: str, wanted: Mapping[str, object]) -> list[dict[str, object]]:
        where = " and ".join(f'"{k}" = ?' for k in wanted) or "true"
        cursor = self.con.execute(
            f"select * from {self.schema_of[table]}.{table} where {where} order by all", list(wanted.values())
        )
        names = [d[0] for d in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def step_column(
        self, table: str, column: str, key: Mapping[str, object], filters: tuple[tuple[str, str], ...], depth: int = 0
    ) -> list[TraceStep]:
        """One step for each row of the table with the key; none where there is no such row."""
        entry = self.columns[table][column]
        found = self.rows(table, key, filters)
        steps = []
        for row in found[:_MOST_ROWS]:
            label = f"{self.schema_of[table]}.{table}.{column}"
            suffix = _distinguish(row, found, column)
            children: list[TraceStep] = []
            if entry["inputs"] and depth < _MAX_DEPTH:
                row_year = row.get("year")
                year = int(str(row_year if row_year is not None else key["year"]))
                context = {**key, "year": year, "province_code": row.get("province_code") or key.get("province_code")}
                own = _row_filters(row, found, filters)
                for choices in parse_inputs(entry["inputs"], row=row, year=year, first_year=self.first_year):
                    choices = self.of_this_level(choices, key)
                    found_steps = [self.step_item(item, table, column, context, own, depth + 1) for item in choices]
                    used = [steps for steps in found_steps if any(s.value is not None for s in steps)]
                    children.extend((used or found_steps)[0])
            fill = row.get(f"{column}_fill")
            steps.append(
                TraceStep(
                    "column",
                    label + suffix,
                    row[column],
                    fill_braces(entry["unit"] or "", row) or None,
                    str(fill) if fill is not None else None,
                    entry["formula"],
                    _place_note(row, column),
                    tuple(children),
                )
            )
        if len(found) > _MOST_ROWS:
            more = len(found) - _MOST_ROWS
            steps.append(TraceStep("column", f"... and {more} more rows of {self.schema_of[table]}.{table}", more))
        return steps

    def of_this_level(self, choices: tuple[InputItem, ...], key: Mapping[str, object]) -> tuple[InputItem, ...]:
        """Of alternatives for cities and for provinces those of the place at hand."""
        missing = CITY.key if key.get(CITY.key) is None else None
        fitting = tuple(c for c in choices if c.table is None or missing not in self.columns.get(c.table, {}))
        return fitting or choices

    def step_item(
        self,
        item: InputItem,
        table: str,
        column: str,
        key: Mapping[str, object],
        filters: tuple[tuple[str, str], ...],
        depth: int,
    ) -> list[TraceStep]:
        target = item.table
        level, kind = self.level_of(table)
        if target is None and item.name in self.columns[table] and (item.name != column or item.years):
            target, filters = table, filters + item.filters
        else:
            filters = item.filters
            if target is None and item.name in self.columns.get(level.facts, {}):
                target = level.facts
        if target is None and (kind, item.name) not in self.indicators:
            return [TraceStep("column", item.name, notes=("not a column or an indicator of this warehouse",))]
        if target is not None and (target not in self.columns or item.name not in self.columns[target]):
            return [TraceStep("column", f"{target}.{item.name}", notes=("not in this warehouse",))]
        steps: list[TraceStep] = []
        for year in item.years or (int(str(key["year"])),):
            at = {**key, "year": year}
            if target is None:
                code = NATION if kind == "national" else str(key.get(level.key) or "")
                steps.append(self.step_indicator(item.name, code, year, depth, level, kind))
            else:
                found = self.step_column(target, item.name, at, filters, depth)
                steps.extend(_dated(s, year) if item.years else s for s in found)
        if item.is_series:
            name = f"{self.schema_of[target]}.{target}.{item.name}" if target else item.name
            span = f"{item.years[0]}-{item.years[-1]}" if item.years else "no year between"
            return [TraceStep("series", f"{name}, {span}", children=tuple(steps))]
        return steps

    def step_indicator(self, indicator: str, code: str, year: int, depth: int, level: Level, kind: str) -> TraceStep:
        """The filled value of a raw series: its cell, or its neighbours, or the share it was computed from."""
        about = self.indicators[kind, indicator]
        label = f"indicator {indicator}, {year}"
        if about["base_year"] is not None:
            return self.step_cross_section(indicator, code, int(str(about["base_year"])), level, str(about["unit"]))
        key: dict[str, object] = {level.key: code, "year": year}
        found = self.rows(level.filled, key, (("indicator", indicator),))
        if not found:
            return TraceStep("indicator", label, notes=("the place did not exist in this year",))
        row = found[0]
        chosen, rejected = self.read_cells(indicator, code, year, level)
        notes: list[str] = []
        children: list[TraceStep] = []
        if row["ratio_base"] is not None:
            notes.append(f"not reported: {row['ratio_base']} times the printed {row['ratio_share']}")
            children += [
                self.step_indicator(str(row[k]), code, year, depth + 1, level, kind)
                for k in ("ratio_base", "ratio_share")
            ]
        elif row["fill"] == "linear":
            a, b = row["before_year"], row["after_year"]
            before, after = number_text(row["before_value"]), number_text(row["after_value"])
            share = f"({year} - {a}) / ({b} - {a})"
            notes.append(f"interpolated between {a} and {b}: {before} + ({after} - {before}) * {share}")
            if depth < _MAX_DEPTH:
                children += [self.step_indicator(indicator, code, int(str(y)), _MAX_DEPTH, level, kind) for y in (a, b)]
        elif row["fill"] == "missing":
            rule = (
                "gaps are not filled"
                if about["rule"] == "none"
                else f"gaps of up to {about['max_gap']} years are filled"
            )
            notes.append(f"no usable cell, and no filling ({rule}, never beyond the first or last observation)")
        if chosen is not None and row["fill"] == "observed":
            children.append(_cell_step("cell", chosen))
        children += [_cell_step("rejected", cell) for cell in rejected]
        return TraceStep(
            "indicator", label, row["value"], str(about["unit"]), str(row["fill"]), None, tuple(notes), tuple(children)
        )

    def read_cells(self, indicator: str, code: str, year: int, level: Level) -> tuple[RawCell | None, list[RawCell]]:
        """The cells of a place, year and indicator, looked up once: a chain meets the same cell many times."""
        key = (code, year, indicator, level.name)
        if key not in self.cells:
            self.cells[key] = read_cells(self.con, code, year, indicator, level)
        return self.cells[key]

    def step_cross_section(self, indicator: str, code: str, year: int, level: Level, unit: str) -> TraceStep:
        """The one value of an indicator that is read for its base year alone; it is never filled."""
        chosen, rejected = self.read_cells(indicator, code, year, level)
        children = [_cell_step("cell", chosen)] if chosen else []
        children += [_cell_step("rejected", cell) for cell in rejected]
        notes = () if chosen else ("no usable cell of this year, and a cross section is not filled",)
        value, fill = (chosen.value, "observed") if chosen else (None, "missing")
        return TraceStep("indicator", f"indicator {indicator}, {year}", value, unit, fill, None, notes, tuple(children))


def _cell_step(kind: str, cell: RawCell) -> TraceStep:
    return TraceStep(kind, cell.place, cell.text, cell.unit_printed, None, None, cell.notes, (), cell)


def _dated(step: TraceStep, year: int) -> TraceStep:
    return TraceStep(
        step.kind, f"{step.label}, {year}", step.value, step.unit, step.fill, step.formula, step.notes, step.children
    )


def _telling_column(rows: list[dict[str, object]], column: str = "") -> str | None:
    """The first text column whose values tell the rows apart."""
    for name, value in rows[0].items():
        if isinstance(value, str) and name != column and len({str(r[name]) for r in rows}) == len(rows):
            return name
    return None


def _distinguish(row: Mapping[str, object], rows: list[dict[str, object]], column: str) -> str:
    """What tells this row from the others of the same key, e.g. ``[fuel=coke]``; nothing where it is alone."""
    name = _telling_column(rows, column) if len(rows) > 1 else None
    return f" [{name}={row[name]}]" if name else ""


def _row_filters(
    row: Mapping[str, object], rows: list[dict[str, object]], filters: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Filters under which the same table gives this very row again."""
    name = _telling_column(rows) if len(rows) > 1 else None
    return (*filters, (name, str(row[name]))) if name else filters


def _place_note(row: Mapping[str, object], column: str) -> tuple[str, ...]:
    """File, row, column and text of a raw cell; in a plain table (firms, industries) the cell is the column at hand."""
    if row.get("source_file") is None or row.get("source_row") is None:
        return ()
    sheet = f", sheet '{row['source_sheet']}'" if row.get("source_sheet") else ""
    text = row["value_text"] if "value_text" in row else number_text(row[column])
    return (
        f"{row['source_file']}{sheet}, row {row['source_row']}, column '{row.get('source_column', column)}', "
        f"text '{text}'",
    )
