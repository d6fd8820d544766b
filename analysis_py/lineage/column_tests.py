"""Which tests hold a column: data tests, constraints and unit tests, read from the YAML beside the models.

A unit test holds every column whose value it expects; a data test the column it stands under or names as its argument.
A column that is computed from others is also held by the tests of what it is made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

#: Arguments of generic tests that name columns.
_COLUMN_ARGUMENTS = ("column", "columns", "column_name", "parts", "total")


@dataclass(frozen=True)
class ColumnTest:
    """One test of one column. ``kind`` is ``unit test``, ``data test`` or ``constraint``."""

    model: str
    column: str
    name: str
    kind: str


def read_column_tests(models: Path) -> list[ColumnTest]:
    """Every test that a YAML under ``models`` ties to a column, in the order of files and of the text."""
    found: list[ColumnTest] = []
    for file in sorted(models.rglob("*.yml")):
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader) or {}
        for model in content.get("models", []):
            found.extend(_tests_of_model(model))
        for test in content.get("unit_tests", []):
            found.extend(_columns_of_unit_test(test))
    return list(dict.fromkeys(found))


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe loading, by libyaml where it is there."""


def _tests_of_model(model: Mapping[str, Any]) -> Iterator[ColumnTest]:
    name = str(model["name"])
    for test in model.get("data_tests", []):
        label, arguments = _read_test(test)
        for column in _named_columns(arguments):
            yield ColumnTest(name, column, label, "data test")
    for constraint in model.get("constraints", []):
        for column in constraint.get("columns", []):
            yield ColumnTest(name, str(column), str(constraint["type"]), "constraint")
    for column in model.get("columns", []):
        for test in column.get("data_tests", []):
            yield ColumnTest(name, str(column["name"]), _read_test(test)[0], "data test")
        for constraint in column.get("constraints", []):
            yield ColumnTest(name, str(column["name"]), str(constraint["type"]), "constraint")


def _read_test(test: Any) -> tuple[str, Mapping[str, Any]]:
    """Name and arguments of a generic test as written: a bare name, or a name with a mapping."""
    if isinstance(test, str):
        return test, {}
    if "test_name" in test:
        return str(test.get("name") or test["test_name"]), test.get("arguments") or {}
    label, body = next(iter(test.items()))
    body = body or {}
    return str(body.get("name") or label), body.get("arguments") or {}


def _named_columns(arguments: Mapping[str, Any]) -> list[str]:
    named: list[str] = []
    for key in _COLUMN_ARGUMENTS:
        value = arguments.get(key)
        if isinstance(value, str):
            named.append(value)
        elif isinstance(value, Sequence):
            named.extend(str(item) for item in value)
    return named


def _columns_of_unit_test(test: Mapping[str, Any]) -> Iterator[ColumnTest]:
    rows = (test.get("expect") or {}).get("rows") or []
    if not isinstance(rows, list):
        return
    for column in dict.fromkeys(str(key) for row in rows for key in row):
        yield ColumnTest(str(test["model"]), column, str(test["name"]), "unit test")
