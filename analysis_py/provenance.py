"""Follows a cell of a panel back to the raw cells it was made from, and describes what is in the warehouse.

What a column is made of stands in the YAML of its model (``inputs``, see :mod:`analysis_py.lineage.input_notation`)
and reaches here through ``meta.column_dictionary``; nothing is hard-coded per variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.lineage.city_names import find_city
from analysis_py.lineage.codebook import Description, describe
from analysis_py.lineage.input_notation import InputItem, fill_braces, parse_inputs
from analysis_py.lineage.raw_cells import RawCell, read_cells

if TYPE_CHECKING:
    import duckdb

__all__ = ["Description", "RawCell", "TraceStep", "describe", "render_trace", "trace"]

_FACT_TABLE = "fct_city_year"
_KEYS = ("city_code", "year", "province_code")
_MAX_DEPTH = 30


@dataclass(frozen=True)
class TraceStep:
    """One step back: a value and what it was made of.

    kind : ``column`` (of a table), ``indicator`` (filled value of a raw series), ``cell`` (of a file), ``rejected`` (a
    cell not chosen) or ``series`` (the years of a chain or a sum; its children are the years).
    """

    kind: str
    label: str
    value: object = None
    unit: str | None = None
    fill: str | None = None
    formula: str | None = None
    notes: tuple[str, ...] = ()
    children: tuple[TraceStep, ...] = ()
    cell: RawCell | None = None


def trace(
    con: duckdb.DuckDBPyConnection, city: str, year: int, variable: str, *, panel: str | None = None
) -> TraceStep:
    """The tree of steps behind one cell.

    Parameters
    ----------
    con : the warehouse, read-only.
    city : code or name, present or former, Chinese or English.
    variable : a column of ``panel`` (default: of any panel, else of fct_city_year).
    panel : a table of schema marts with city_code and year.

    Raises
    ------
    CarbonpanelError ``CP-CITY-UNKNOWN``, ``CP-CITY-AMBIGUOUS``, ``CP-PANEL-UNKNOWN``, ``CP-VARIABLE-UNKNOWN`` (each
    naming the nearest), ``CP-TRACE-NO-ROW`` where the panel has no row of the city and year.
    """
    tracer = _Tracer(con)
    code = find_city(con, city)
    table, column = tracer.find_variable(variable, panel)
    key = {"city_code": code, "year": year, "province_code": tracer.province_of(code)}
    if not tracer.rows(table, key, ()):
        raise tracer.no_row(table, code, year)
    return tracer.step_column(table, column, key, ())[0]


class _Tracer:
    """Reads the dictionary once and walks it; every query goes by key, so a trace takes milliseconds a step."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.columns: dict[str, dict[str, dict[str, str]]] = {}
        self.schema_of: dict[str, str] = {}
        self.seen: dict[tuple[object, ...], list[dict[str, object]]] = {}
        for schema, table, column, *meta in con.execute(
            "select schema_name, model_name, column_name, unit, formula, inputs from meta.column_dictionary "
            "where schema_name in ('marts', 'intermediate', 'staging', 'reference') "
            "order by schema_name, model_name, ordinal"
        ).fetchall():
            self.schema_of[table] = schema
            known = dict(zip(("unit", "formula", "inputs"), meta, strict=True))
            self.columns.setdefault(table, {})[column] = known
        if _FACT_TABLE not in self.columns:
            raise CarbonpanelError(
                "CP-DB-INCOMPLETE", "the database has no codebook", remedy="run 'carbonpanel refresh' to build it again"
            )
        self.indicators = {
            str(row[0]): {"unit": row[1], "rule": row[2], "max_gap": row[3], "source": row[4]}
            for row in con.execute(
                "select indicator, unit, fill_rule, max_gap_years, source from reference.seed_indicator "
                "where level = 'city' order by indicator"
            ).fetchall()
        }
        row = con.execute("select min(year) from intermediate.int_city_years_span").fetchone()
        self.first_year = int(row[0]) if row and row[0] is not None else 0

    def find_variable(self, variable: str, panel: str | None) -> tuple[str, str]:
        marts = [
            t for t in self.columns if self.schema_of[t] == "marts" and {"city_code", "year"} <= set(self.columns[t])
        ]
        if panel is not None:
            name = panel.removeprefix("marts.")
            if name not in marts:
                raise CarbonpanelError(
                    "CP-PANEL-UNKNOWN", f"there is no panel '{panel}'", remedy=did_you_mean(name, marts)
                )
            marts = [name]
        marts.sort(key=lambda t: (t == _FACT_TABLE, t))
        for same in (lambda a: a == variable, lambda a: a.lower() == variable.lower()):
            for table in marts:
                hits = [c for c in self.columns[table] if same(c)]
                if hits:
                    return table, hits[0]
        known = [c for t in marts for c in self.columns[t]]
        raise CarbonpanelError(
            "CP-VARIABLE-UNKNOWN", f"there is no variable '{variable}'", remedy=did_you_mean(variable, known)
        )

    def province_of(self, code: str) -> str | None:
        row = self.con.execute("select province_code from marts.dim_city where city_code = ?", [code]).fetchone()
        return str(row[0]) if row else None

    def no_row(self, table: str, code: str, year: int) -> CarbonpanelError:
        name = f"marts.{table}"
        city = self.con.execute("select city_name_zh from marts.dim_city where city_code = ?", [code]).fetchone()
        span = self.con.execute(f"select min(year), max(year) from {name} where city_code = ?", [code]).fetchone()
        who = f"{code} {city[0] if city else ''}".strip()
        sample = table.replace("panel_", "int_", 1) + "_sample"
        if span and span[0] is not None:
            remedy = f"its years there are {span[0]}-{span[1]}; fct_city_year may have more"
        else:
            remedy = "trace a column of fct_city_year instead (carbonpanel describe fct_city_year)"
            if sample in self.columns and table != _FACT_TABLE:
                reason = self.con.execute(
                    f"select reason from intermediate.{sample} where city_code = ?", [code]
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
        for row in found:
            label = f"{self.schema_of[table]}.{table}.{column}"
            suffix = _distinguish(row, found, column)
            children: list[TraceStep] = []
            if entry["inputs"] and depth < _MAX_DEPTH:
                row_year = row.get("year")
                year = int(str(row_year if row_year is not None else key["year"]))
                context = {**key, "year": year, "province_code": row.get("province_code") or key.get("province_code")}
                own = _row_filters(row, found, filters)
                for choices in parse_inputs(entry["inputs"], row=row, year=year, first_year=self.first_year):
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
                    _place_note(row),
                    tuple(children),
                )
            )
        return steps

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
        if target is None and item.name in self.columns[table] and (item.name != column or item.years):
            target, filters = table, filters + item.filters
        else:
            filters = item.filters
            if target is None and item.name in self.columns[_FACT_TABLE]:
                target = _FACT_TABLE
        if target is None and item.name not in self.indicators:
            return [TraceStep("column", item.name, notes=("not a column or an indicator of this warehouse",))]
        if target is not None and (target not in self.columns or item.name not in self.columns[target]):
            return [TraceStep("column", f"{target}.{item.name}", notes=("not in this warehouse",))]
        steps: list[TraceStep] = []
        for year in item.years or (int(str(key["year"])),):
            at = {**key, "year": year}
            if target is None:
                steps.append(self.step_indicator(item.name, str(key["city_code"]), year, depth))
            else:
                found = self.step_column(target, item.name, at, filters, depth)
                steps.extend(_dated(s, year) if item.years else s for s in found)
        if item.is_series:
            name = f"{self.schema_of[target]}.{target}.{item.name}" if target else item.name
            span = f"{item.years[0]}-{item.years[-1]}" if item.years else "no year between"
            return [TraceStep("series", f"{name}, {span}", children=tuple(steps))]
        return steps

    def step_indicator(self, indicator: str, code: str, year: int, depth: int) -> TraceStep:
        """The filled value of a raw series: its cell, or its neighbours, or the share it was computed from."""
        about = self.indicators[indicator]
        key: dict[str, object] = {"city_code": code, "year": year}
        found = self.rows("int_city_year_fill", key, (("indicator", indicator),))
        label = f"indicator {indicator}, {year}"
        if not found:
            return TraceStep("indicator", label, notes=("the place did not exist in this year",))
        row = found[0]
        chosen, rejected = read_cells(self.con, code, year, indicator)
        notes: list[str] = []
        children: list[TraceStep] = []
        if row["ratio_base"] is not None:
            notes.append(f"not reported: {row['ratio_base']} times the printed {row['ratio_share']}")
            children += [self.step_indicator(str(row[k]), code, year, depth + 1) for k in ("ratio_base", "ratio_share")]
        elif row["fill"] == "linear":
            a, b = row["before_year"], row["after_year"]
            before, after = number_text(row["before_value"]), number_text(row["after_value"])
            share = f"({year} - {a}) / ({b} - {a})"
            notes.append(f"interpolated between {a} and {b}: {before} + ({after} - {before}) * {share}")
            if depth < _MAX_DEPTH:
                children += [self.step_indicator(indicator, code, int(str(y)), _MAX_DEPTH) for y in (a, b)]
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


def _why_not_filled(about: Mapping[str, object]) -> str:
    if about["rule"] == "none":
        return "; gaps of this indicator are not filled"
    return f"; only gaps of up to {about['max_gap']} years between two observations are filled"


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


def _place_note(row: Mapping[str, object]) -> tuple[str, ...]:
    """File and row of a table whose rows are raw cells."""
    if row.get("source_file") is None or row.get("source_row") is None:
        return ()
    sheet = f", sheet '{row['source_sheet']}'" if row.get("source_sheet") else ""
    return (
        f"{row['source_file']}{sheet}, row {row['source_row']}, column '{row['source_column']}', "
        f"text '{row['value_text']}'",
    )


def number_text(value: object) -> str:
    """A value as people read it: up to 10 significant digits, ``missing`` for NULL."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def render_trace(tree: TraceStep) -> str:
    """The tree as indented text, one line a step and its notes under it; a series shows one line a year."""
    lines: list[str] = []
    _render(tree, "", "", lines)
    return "\n".join(lines)


def _render(step: TraceStep, lead: str, below: str, lines: list[str]) -> None:
    lines.append(lead + _headline(step))
    inner = below + ("│ " if step.children else "  ")
    if step.formula:
        lines.append(f"{inner}  = {step.formula}")
    lines.extend(f"{inner}  {note}" for note in step.notes)
    if step.kind == "series":
        lines.extend(f"{below}   {_brief(child)}" for child in step.children)
        return
    for position, child in enumerate(step.children):
        last = position == len(step.children) - 1
        _render(child, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "), lines)


def _headline(step: TraceStep) -> str:
    if step.kind == "series":
        return step.label
    if step.kind in {"cell", "rejected"}:
        unit = f" {step.unit}" if step.unit else ""
        return f"{'cell' if step.kind == 'cell' else 'not used'}: {step.label}: '{step.value}'{unit}"
    unit = f" {step.unit}" if step.unit and step.value is not None else ""
    fill = f" ({step.fill})" if step.fill and not (step.value is None and step.fill == "missing") else ""
    return f"{step.label}: {number_text(step.value)}{unit}{fill}"


def _brief(step: TraceStep) -> str:
    """One line for a year of a series: its value, and the cells it comes from."""
    cells = [leaf for leaf in _leaves(step) if leaf.kind == "cell" or (leaf.kind == "column" and leaf.notes)]
    places = "; ".join(f"{leaf.label}: '{leaf.value}'" if leaf.kind == "cell" else leaf.notes[0] for leaf in cells)
    return _headline(step).rpartition(", ")[2] + (f"  <- {places}" if places else "")


def _leaves(step: TraceStep) -> list[TraceStep]:
    if not step.children:
        return [step]
    return [leaf for child in step.children for leaf in _leaves(child)]
