"""``python -m analysis_py.lineage.variable_page``: writes docs/reference/variables.md from the built warehouse.

Which column a published variable is stands in the YAML of the column (``variable: "study: symbol"``); everything else
on the page is read from the codebook, the tests beside the models, the expectations and the data. Nothing is listed by
hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from analysis_py.errors import CarbonpanelError
from analysis_py.files import write_text
from analysis_py.lineage.column_tests import ColumnTest, read_column_tests
from analysis_py.lineage.input_notation import named_columns
from analysis_py.settings import SIMULATED_NOTICE, project_root
from analysis_py.warehouse import open_read, simulated

if TYPE_CHECKING:
    import duckdb

_SHOWN_TESTS = 4
_MAX_DEPTH = 12
_FACTS = ("fct_city_year", "fct_province_year", "fct_firm_year")


@dataclass(frozen=True)
class Variable:
    """One row of ``seed_variable_definition`` with the column it is; ``column`` is empty where no column claims it.

    ``with_value`` and ``filled`` are shares (0-1) of the rows of ``table``; ``filled`` is None without fill codes.
    """

    study: str
    symbol: str
    name: str
    role: str
    table: str = ""
    column: str = ""
    unit: str = ""
    formula: str = ""
    fill_rule: str = ""
    tests: tuple[str, ...] = ()
    with_value: float | None = None
    filled: float | None = None


def read_variables(con: duckdb.DuckDBPyConnection, models: Path) -> list[Variable]:
    """All published variables in the order of the definitions, one row a column that claims one.

    Raises
    ------
    CarbonpanelError ``CP-VARIABLE-UNDEFINED`` where a column claims a variable that no study defines.
    """
    defined = con.execute("select study, symbol, name, role from published.seed_variable_definition").fetchall()
    claims: dict[str, list[tuple[str, ...]]] = {}
    for table, column, unit, formula, rule, variable in con.execute(
        "select model_name, column_name, coalesce(unit, ''), coalesce(formula, description, ''), "
        "coalesce(fill_rule, ''), variable "
        "from meta.column_dictionary where variable is not null and schema_name = 'marts' order by model_name, ordinal"
    ).fetchall():
        for claimed in str(variable).split(" | "):
            claims.setdefault(claimed, []).append((table, column, unit, formula, rule))
    known = {f"{study}: {symbol}" for study, symbol, *_ in defined}
    strange = sorted(set(claims) - known)
    if strange:
        table, column, *_ = claims[strange[0]][0]
        raise CarbonpanelError(
            "CP-VARIABLE-UNDEFINED",
            f"column {table}.{column} claims '{strange[0]}', which no study defines",
            remedy="write `variable` as 'study: symbol' of seeds/published/seed_variable_definition.csv",
        )
    tests = _Tests(con, models)
    rows = []
    for study, symbol, name, role in defined:
        own = claims.get(f"{study}: {symbol}", [])
        if not own:
            rows.append(Variable(study, symbol, name, role))
        for table, column, unit, formula, rule in own:
            with_value, filled = _coverage(con, table, column)
            held = tests.of(table, column)
            told = (table, column, unit, formula, rule)
            rows.append(Variable(study, symbol, name, role, *told, held, with_value, filled))
    return rows


def _coverage(con: duckdb.DuckDBPyConnection, table: str, column: str) -> tuple[float | None, float | None]:
    row = con.execute(f'select avg(("{column}" is not null)::int) from marts."{table}"').fetchone()
    code = con.execute(
        "select 1 from duckdb_columns() where schema_name = 'marts' and table_name = ? and column_name = ?",
        [table, f"{column}_fill"],
    ).fetchone()
    filled = None
    if code:
        share = con.execute(
            f"select avg((\"{column}_fill\" in ('linear', 'carried', 'ratio'))::int) from marts.\"{table}\""
        ).fetchone()
        filled = share[0] if share else None
    return (row[0] if row else None), filled


class _Tests:
    """Names of the tests that hold a column: its own, then those of what it is made of, nearest first."""

    def __init__(self, con: duckdb.DuckDBPyConnection, models: Path) -> None:
        self.inputs: dict[tuple[str, str], str] = {
            (str(t), str(c)): str(i or "")
            for t, c, i in con.execute("select model_name, column_name, inputs from meta.column_dictionary").fetchall()
        }
        self.by_column: dict[str, list[ColumnTest]] = {}
        for test in read_column_tests(models):
            self.by_column.setdefault(test.column, []).append(test)
        self.expected = _expectations(con)

    def of(self, table: str, column: str) -> tuple[str, ...]:
        names: dict[str, None] = {}
        seen: set[tuple[str, str]] = set()
        level = [(table, column)]
        for _ in range(_MAX_DEPTH):
            following = []
            for at in level:
                if at in seen:
                    continue
                seen.add(at)
                for name in self._own(*at):
                    names.setdefault(name)
                following.extend(self._made_of(*at))
            level = following
        return tuple(names)

    def _own(self, table: str, column: str) -> list[str]:
        own = [
            f"{test.name} ({test.kind})"
            for test in self.by_column.get(column, [])
            if test.kind == "unit test" or test.model == table
        ]
        return sorted(own, key=lambda name: not name.endswith("(unit test)")) + [
            f"{name} (expectation)" for name in self.expected.get((table, column), ())
        ]

    def _made_of(self, table: str, column: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for named, name in named_columns(self.inputs.get((table, column), "")):
            tables = [named] if named else [table, *_FACTS]
            if "*" in name:  # a part of the name depends on the row: any column of that form
                found.extend((t, c) for t, c in self.inputs if t in tables and fnmatchcase(c, name))
            else:
                found.extend((t, name) for t in tables if (t, name) in self.inputs and (t, name) != (table, column))
        return found


def _expectations(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[str]]:
    """Expectations of the marts by table and column, as a validation of this warehouse states them."""
    from expectations.validation import validate_marts

    found: dict[tuple[str, str], list[str]] = {}
    for outcome in validate_marts(con).results:
        table = outcome.table_name.removeprefix("marts.")
        for column in outcome.column_name.split(", "):
            names = found.setdefault((table, column), [])
            if outcome.expectation not in names:
                names.append(outcome.expectation)
    return found


def render_page(variables: Sequence[Variable], is_simulated: bool) -> str:
    """The page: one table a study."""
    claimed = len({(v.study, v.symbol) for v in variables if v.column})
    total = len({(v.study, v.symbol) for v in variables})
    lines = [
        "# Variables of the five studies",
        "",
        "Generated by `python -m analysis_py.lineage.variable_page` from the warehouse; a test fails when it is stale.",
        f"{claimed} of {total} published variables are columns. `carbonpanel describe COLUMN` says more of one,",
        "`carbonpanel trace PLACE YEAR COLUMN` shows where a value comes from, and",
        "`carbonpanel describe TABLE --coverage` the share with a value by year.",
        "",
        '"With value" is the share of the rows of the table that have a value, "filled" the share whose value was',
        "interpolated, carried or computed from a printed share or growth rate.",
    ]
    if is_simulated:
        lines += ["", f"**{SIMULATED_NOTICE}**: both shares describe the demo world."]
    for study in dict.fromkeys(v.study for v in variables):
        lines += [
            "",
            f"## {study}",
            "",
            "| variable | what | column | unit | formula | tests | with value | filled |",
            "|---|---|---|---|---|---|---|---|",
        ]
        lines += [_render_row(v) for v in variables if v.study == study]
    return "\n".join(lines) + "\n"


def _render_row(variable: Variable) -> str:
    shown = variable.tests[:_SHOWN_TESTS]
    more = len(variable.tests) - len(shown)
    tests = "; ".join(shown) + (f"; {more} more" if more else "")
    column = f"`{variable.table}.{variable.column}`" if variable.column else "**none**"
    cells = (
        f"{variable.symbol} ({variable.role})",
        variable.name,
        column,
        variable.unit or "class",
        variable.formula,
        tests or "**none**",
        _share(variable.with_value),
        _share(variable.filled),
    )
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def write_page(database: Path | None = None) -> Path:
    """Write the page from the warehouse at ``database`` (default: the configured one)."""
    root = project_root()
    page = root / "docs" / "reference" / "variables.md"
    with open_read(database) as con:
        write_text(page, render_page(read_variables(con, root / "models"), simulated(con)))
    return page


if __name__ == "__main__":
    print(write_page())
