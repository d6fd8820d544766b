"""Sources that are no numbers of a place and a year: robots and employment by industry, accounts and links of firms.

What a row of each is, its columns, their spellings and the range of their numbers are in ``flat_sources.yml``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from analysis_py.ingest.contract import Contract, Indicator, load_contract
from analysis_py.ingest.units import Dictionary, fold, load_dictionary

#: Kinds of columns that are numbers of a year, and the type each kind is stored as.
_TYPES = {"number": pa.float64(), "year": pa.int32(), "event_year": pa.int32()}
#: Columns behind a source's own that say where a row comes from.
ORIGIN = (("dataset", pa.string()), ("source_file", pa.string()), ("source_sheet", pa.string()),
          ("source_row", pa.int32()))  # fmt: skip


@dataclass(frozen=True)
class FlatColumn:
    """One column. ``spellings`` are folded; ``periods`` are names of columns of dates of which only year ends count;
    ``classes`` the values of a column of kind class by their folded spellings."""

    name: str
    kind: str
    label_en: str
    label_zh: str
    spellings: frozenset[str]
    periods: frozenset[str] = frozenset()
    classes: dict[str, str] | None = None
    usual: str | None = None

    @property
    def type(self) -> pa.DataType:
        return _TYPES.get(self.kind, pa.string())


@dataclass(frozen=True)
class PassedOver:
    """A column that says which rows are of another statement and not wanted; folded texts."""

    spellings: frozenset[str]
    keep: frozenset[str]
    leave: frozenset[str]
    what: str


@dataclass(frozen=True)
class FlatSource:
    """A source: its columns in order, which of them are the key of a row, and what a row is."""

    name: str
    label_en: str
    label_zh: str
    row: str
    row_zh: str
    key: tuple[str, ...]
    columns: dict[str, FlatColumn]
    numbers: dict[str, Indicator]
    dictionary: Dictionary
    passed_over: PassedOver | None = None

    @property
    def schema(self) -> pa.Schema:
        """The columns of its Parquet files."""
        return pa.schema([*((name, column.type) for name, column in self.columns.items()), *ORIGIN])


@lru_cache(maxsize=1)
def flat_sources() -> dict[str, FlatSource]:
    """All of them by name, in the order of the file."""
    content = yaml.safe_load(Path(__file__).with_name("flat_sources.yml").read_text(encoding="utf-8"))
    return {name: _read_source(name, entry) for name, entry in content.items()}


def _folded(words: list[Any]) -> frozenset[str]:
    return frozenset(fold(str(word["name"] if isinstance(word, dict) else word)) for word in words)


def _read_source(name: str, entry: dict[str, Any]) -> FlatSource:
    columns, numbers = {}, {}
    spelled: dict[str, tuple[str, str | None]] = {}
    for column, said in entry["columns"].items():
        classes = {fold(word): value for value, words in said.get("classes", {}).items() for word in (value, *words)}
        labels = said["label"]
        columns[column] = FlatColumn(
            name=column,
            kind=said["kind"],
            label_en=labels["en"],
            label_zh=labels["zh"],
            spellings=_folded([column, labels["en"], labels["zh"], *said["spellings"]]),
            periods=_folded(said.get("periods", [])),
            classes=classes or None,
            usual=said.get("usual"),
        )
        if said["kind"] != "number":
            continue
        numbers[column] = Indicator(
            name=column,
            source=name,
            level="row",
            unit=said["unit"],
            min_value=float(said["min"]),
            max_value=float(said["max"]),
            label_en=labels["en"],
            label_zh=labels["zh"],
        )
        for word in (column, labels["en"], labels["zh"], *said["spellings"]):
            own = word if isinstance(word, dict) else {"name": word}
            unit = said["unit"] if word == column else own.get("unit")
            spelled.setdefault(fold(str(own["name"])), (column, unit))
    over = entry.get("passed_over")
    return FlatSource(
        name=name,
        label_en=entry["label"]["en"],
        label_zh=entry["label"]["zh"],
        row=entry["row"]["en"],
        row_zh=entry["row"]["zh"],
        key=tuple(entry["key"]),
        columns=columns,
        numbers=numbers,
        dictionary=_dictionary(name, numbers, spelled),
        passed_over=PassedOver(
            _folded(over["spellings"]), _folded(over["keep"]), _folded(over["leave"]), over["what"]["en"]
        )
        if over
        else None,
    )


def _dictionary(source: str, numbers: dict[str, Indicator], spelled: dict[str, tuple[str, str | None]]) -> Dictionary:
    """A dictionary that reads the headings of this source's numbers as the others are read."""
    contract = Contract(units=load_contract().units, indicators={(source, name): one for name, one in numbers.items()})
    return replace(load_dictionary(), contract=contract, names={source: spelled}, own_units={})
