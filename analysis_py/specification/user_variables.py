"""A user's own variables: ``<data>/variables.yml``, columns added to the marts by SQL expressions.

    - name: energy_intensity
      table: fct_city_year
      expression: energy_electricity_yi_kwh / gdp_2003_price_yi_yuan
      unit: yi_kwh_per_yi_yuan
      description: Electricity per unit of real GDP

``table`` may be a list. An expression sees the columns of its table and, in a panel, those of the table of facts behind
it; variables further up in the file count as columns. Where an ingredient has a fill code, the variable becomes three
columns as every filled measure: ``x_reported``, ``x``, ``x_fill`` (the worst code of its ingredients). The file is
settled into Parquet, from which the dbt macro ``add_user_variables`` adds the columns while the warehouse is built.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.ingest.yaml_lines import Node, load_yaml
from analysis_py.settings import paths
from analysis_py.specification.expressions import parse_expression
from analysis_py.warehouse import open_memory

_KEYS = ("name", "table", "expression", "unit", "description")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_ENDINGS = ("_reported", "_fill")
#: Tables of facts whose columns an expression on a panel of the same units may use.
_FACTS = (("city_code", "fct_city_year"), ("province_code", "fct_province_year"), ("firm_code", "fct_firm_year"))
_SCHEMA = pa.schema(
    [
        ("position", pa.int32()),
        ("table_name", pa.string()),
        ("name", pa.string()),
        ("expression", pa.string()),
        ("data_type", pa.string()),
        ("unit", pa.string()),
        ("description", pa.string()),
        ("inputs", pa.string()),
        ("key_columns", pa.string()),
        ("fact_table", pa.string()),
        ("fact_columns", pa.string()),
        ("fill_columns", pa.string()),
    ]
)


@dataclass(frozen=True)
class UserVariable:
    """One column added to one table; ``fact_columns`` come from ``fact_table``, the other inputs from the table."""

    table: str
    name: str
    expression: str
    data_type: str
    unit: str
    description: str
    inputs: tuple[str, ...]
    key: tuple[str, ...]
    fact_table: str
    fact_columns: tuple[str, ...]
    fill_columns: tuple[str, ...]


@dataclass
class _Table:
    """A mart as its contract states it: columns with types, in order, and its key."""

    columns: dict[str, str]
    key: tuple[str, ...]


def variables_path(data_dir: str | Path) -> Path:
    return Path(data_dir) / "variables.yml"


def settled_path(data_dir: str | Path) -> Path:
    return Path(data_dir) / "raw" / "user_variables.parquet"


def load_user_variables(data_dir: str | Path, models: Path | None = None) -> list[UserVariable]:
    """The variables in the order of the file, checked against the marts' contracts; none where the file is absent.

    Raises
    ------
    CarbonpanelError ``CP-VARIABLES`` (structure, unknown table, name that is taken or no column name, expression of a
    wrong type), ``CP-STUDY-SQL`` and ``CP-STUDY-COLUMN`` (expression), all with the line.
    """
    path = variables_path(data_dir)
    if not path.exists():
        return []
    root = load_yaml(path, code="CP-VARIABLES", what="file of variables", may_be_empty=True)
    nodes = root.value
    if isinstance(nodes, dict) and set(nodes) == {"variables"}:
        nodes = nodes["variables"].value
    if not isinstance(nodes, list):
        raise _bad(path, "the file must be a list of variables, each beginning with '- '", root)
    tables = _read_contracts(models or paths().root / "models" / "marts")
    return [variable for node in nodes for variable in _read_entry(path, node, tables)]


def settle_user_variables(data_dir: str | Path) -> list[UserVariable]:
    """Write the checked variables where dbt reads them, or remove that file; returns them."""
    variables = load_user_variables(data_dir)
    target = settled_path(data_dir)
    if not variables:
        target.unlink(missing_ok=True)
        return []
    rows = [
        {
            "position": position,
            "table_name": v.table,
            "name": v.name,
            "expression": v.expression,
            "data_type": v.data_type,
            "unit": v.unit,
            "description": v.description,
            "inputs": ", ".join(v.inputs),
            "key_columns": ",".join(v.key),
            "fact_table": v.fact_table,
            "fact_columns": ",".join(v.fact_columns),
            "fill_columns": ",".join(v.fill_columns),
        }
        for position, v in enumerate(variables)
    ]
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        pq.write_table(pa.Table.from_pylist(rows, _SCHEMA), draft, compression="zstd")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return variables


def _read_contracts(folder: Path) -> dict[str, _Table]:
    tables: dict[str, _Table] = {}
    for file in sorted(folder.glob("*.yml")):
        for model in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("models", []):
            columns = {str(c["name"]): str(c.get("data_type", "")) for c in model.get("columns", [])}
            key = ((model.get("config") or {}).get("meta") or {}).get("key") or []
            if all(columns.values()):
                tables[str(model["name"])] = _Table(columns, tuple(str(k) for k in key))
    return tables


def _read_entry(path: Path, node: Node, tables: dict[str, _Table]) -> list[UserVariable]:
    if not isinstance(node.value, dict):
        raise _bad(path, "a variable must be 'key: value' lines", node)
    given: dict[str, Node] = node.value
    for key, child in given.items():
        if key not in _KEYS:
            raise _bad(path, f"'{key}' is not a key of a variable", child, did_you_mean(key, _KEYS))
    for key in ("name", "table", "expression", "unit", "description"):
        if key not in given or given[key].value in (None, "", []):
            raise _bad(path, f"a variable needs '{key}'", node, f"add '{key}: ...'")
    name, expression, unit, description = (_text(path, given[k]) for k in ("name", "expression", "unit", "description"))
    if not _NAME.match(name) or name.endswith(_ENDINGS):
        raise _bad(
            path,
            f"'{name}' cannot be the name of a column",
            given["name"],
            "use small letters, digits and underscores, a letter first; _reported and _fill come by themselves",
        )
    wanted = given["table"].value if isinstance(given["table"].value, list) else [given["table"]]
    made = []
    for item in wanted:
        table = _text(path, item).removeprefix("marts.")
        if table not in tables:
            raise _bad(path, f"there is no mart '{table}'", item, did_you_mean(table, tables))
        taken = {name, *(f"{name}{ending}" for ending in _ENDINGS)} & set(tables[table].columns)
        if taken:
            raise _bad(path, f"{table} has a column '{sorted(taken)[0]}' already", given["name"], "choose another name")
        made.append(_resolve(path, given["expression"], table, name, expression, unit, description, tables))
    return made


def _resolve(
    path: Path,
    node: Node,
    table: str,
    name: str,
    expression: str,
    unit: str,
    description: str,
    tables: dict[str, _Table],
) -> UserVariable:
    own = tables[table]
    fact = next((f for key, f in _FACTS if key in own.key and f != table and f in tables), "")
    behind = tables[fact].columns if fact and set(tables[fact].key) == set(own.key) else {}
    seen = {**behind, **own.columns}
    where = f"{path}, row {node.line}"
    parsed = parse_expression(expression, list(seen), where)
    data_type = _type_of(path, node, expression, {c: seen[c] for c in parsed.columns})
    from_fact = tuple(c for c in parsed.columns if c not in own.columns)
    # a class or a text has no reported and no filled value
    fills = tuple(f"{c}_fill" for c in parsed.columns if f"{c}_fill" in seen and data_type == "double")
    variable = UserVariable(
        table=table,
        name=name,
        expression=expression,
        data_type=data_type,
        unit=unit,
        description=description,
        inputs=tuple(f"{fact}.{c}" if c in from_fact else c for c in parsed.columns),
        key=own.key,
        fact_table=fact if behind else "",
        fact_columns=(*from_fact, *(f for f in fills if f not in own.columns)),
        fill_columns=fills,
    )
    added = {name: data_type} | ({f"{name}_reported": data_type, f"{name}_fill": "varchar"} if fills else {})
    own.columns.update(added)
    return variable


def _type_of(path: Path, node: Node, expression: str, columns: Mapping[str, str]) -> str:
    """Type of the expression over columns of these types; numbers become double."""
    import duckdb

    listed = ", ".join(f'cast(null as {kind}) as "{c}"' for c, kind in columns.items()) or "1 as one"
    with open_memory() as con:
        try:
            row = con.execute(f"select typeof((\n{expression}\n)) from (select {listed})").fetchone()
        except duckdb.Error as error:
            raise _bad(path, f"the expression cannot be computed: {str(error).splitlines()[0]}", node) from None
    kind = str(row[0]) if row else ""
    if kind in ("BOOLEAN", "VARCHAR"):
        return kind.lower()
    if kind in ("DOUBLE", "FLOAT", "HUGEINT") or kind.startswith(("DECIMAL", "INT", "BIGINT", "SMALLINT", "UINT")):
        return "double"
    raise _bad(path, f"the expression gives {kind.lower() or 'nothing'}, not a number, a text or true/false", node)


def _text(path: Path, node: Node) -> str:
    if node.value is None or isinstance(node.value, dict | list):
        raise _bad(path, f"'{node.name}' must be one text", node)
    return " ".join(str(node.value).split())


def _bad(path: Path, what: str, node: Node, remedy: str = "") -> CarbonpanelError:
    return CarbonpanelError(
        "CP-VARIABLES",
        what,
        where=Place(file=path, row=node.line),
        remedy=remedy or "see docs/how-to/add-your-variables.md",
    )


def describe_user_variables(variables: Iterable[UserVariable]) -> str:
    """One sentence for the log of a refresh."""
    listed = ", ".join(f"{v.table}.{v.name}" for v in variables)
    return f"variables.yml: adds {listed}"
