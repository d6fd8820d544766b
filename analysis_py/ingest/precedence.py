"""Which dataset goes first where several bring the same number: ``<data>/precedence.yml``.

The file is a list of entries, each for one source, and for some of its indicators and years if it says so. All entries
that fit a number are read from the top, each adding its datasets to the order; those that no entry names follow in the
order of their names. All datasets are kept; only what is used changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.files import write_text
from analysis_py.ingest.contract import PANEL_FIRST_YEAR, PANEL_LAST_YEAR, load_contract
from analysis_py.ingest.yaml_lines import Node, load_yaml

_KEYS = ("source", "indicator", "indicators", "years", "prefer")
_YEARS = re.compile(r"(\d{4})(?:\s*-\s*(\d{4}))?\Z")
_HEAD = """\
# Which dataset goes first where several bring the same number. Entries are read from the top; datasets that none
# names follow in the order of their names. See docs/how-to/bring-your-files.md.
"""
_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("indicator", pa.string()),
        ("year", pa.int32()),
        ("dataset", pa.string()),
        ("position", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Preference:
    """One entry; empty ``indicators`` are all, ``years`` are first and last."""

    source: str
    datasets: tuple[str, ...]
    indicators: tuple[str, ...] = ()
    years: tuple[int, int] = (PANEL_FIRST_YEAR, PANEL_LAST_YEAR)
    line: int = 0

    def fits(self, source: str, indicator: str, year: int) -> bool:
        return (
            self.source == source
            and (not self.indicators or indicator in self.indicators)
            and self.years[0] <= year <= self.years[1]
        )


def precedence_path(data_dir: str | Path) -> Path:
    return Path(data_dir) / "precedence.yml"


def load_precedence(data_dir: str | Path) -> list[Preference]:
    """The entries in the order of the file; none where it is absent. Raises ``CP-PRECEDENCE`` with the line."""
    path = precedence_path(data_dir)
    if not path.exists():
        return []
    root = load_yaml(path, code="CP-PRECEDENCE", what="file of preferences", may_be_empty=True)
    if not isinstance(root.value, list):
        raise _bad(path, "the file must be a list of entries, each beginning with '- '", root)
    return [_entry(path, node) for node in root.value]


def _entry(path: Path, node: Node) -> Preference:
    if not isinstance(node.value, dict):
        raise _bad(path, "an entry must be 'key: value' lines", node)
    keys: dict[str, Node] = node.value
    for key, child in keys.items():
        if key not in _KEYS:
            raise _bad(path, f"'{key}' is not a key of a preference", child, did_you_mean(key, _KEYS))
    for key in ("source", "prefer"):
        if key not in keys:
            raise _bad(path, f"an entry needs '{key}'", node, f"add '{key}: ...'")
    contract = load_contract()
    source = _texts(path, keys["source"])[0]
    if source not in contract.sources:
        raise _bad(path, f"'{source}' is not a source", keys["source"], did_you_mean(source, contract.sources))
    known = contract.of_source(source)
    indicators: list[str] = []
    for key in ("indicator", "indicators"):
        for name in _texts(path, keys[key]) if key in keys else ():
            if name not in known:
                raise _bad(path, f"'{name}' is not an indicator of {source}", keys[key], did_you_mean(name, known))
            indicators.append(name)
    years = (contract.years(source)[0], contract.years(source)[-1])
    if "years" in keys:
        text = _texts(path, keys["years"])[0]
        match = _YEARS.match(text)
        if match is None or int(match[1]) > int(match[2] or match[1]):
            raise _bad(path, f"'{text}' is not a year or a span of years", keys["years"], "write 2017 or 2017-2019")
        years = (int(match[1]), int(match[2] or match[1]))
    return Preference(source, _texts(path, keys["prefer"]), tuple(indicators), years, node.line)


def _texts(path: Path, node: Node) -> tuple[str, ...]:
    values = node.value if isinstance(node.value, list) else [node]
    texts = tuple(str(child.value) for child in values if child.value is not None and not isinstance(child.value, dict))
    if not texts or any(isinstance(child.value, list) for child in values):
        raise _bad(path, f"'{node.name}' must be a name or a list of names", node)
    return texts


def order_datasets(
    preferences: Sequence[Preference], names: Sequence[str], source: str, indicator: str, year: int
) -> tuple[str, ...]:
    """``names`` in the order in which they go first for one number."""
    order: dict[str, None] = {}
    for entry in preferences:
        if entry.fits(source, indicator, year):
            order.update((name, None) for name in entry.datasets if name in names)
    return (*order, *(name for name in sorted(names) if name not in order))


def settle_precedence(data_dir: str | Path, datasets: Mapping[str, Sequence[Path]]) -> list[Preference]:
    """Write the order for the warehouse (``<data>/raw/precedence.parquet``) as the file says now; its entries.

    One row a source, indicator, year and dataset that an entry names, ``position`` counting from 1. Raises
    ``CP-PRECEDENCE`` for a dataset that is not there.
    """
    path = precedence_path(data_dir)
    entries = load_precedence(data_dir)
    target = Path(data_dir) / "raw" / "precedence.parquet"
    rows = []
    for entry in entries:
        names = [file.stem for file in datasets.get(entry.source, ())]
        for name in entry.datasets:
            if name not in names:
                raise CarbonpanelError(
                    "CP-PRECEDENCE",
                    f"{entry.source} has no dataset '{name}'",
                    where=Place(file=path, row=entry.line),
                    remedy=did_you_mean(name, names) if names else "ingest its file again, or remove the entry",
                )
    for source in dict.fromkeys(entry.source for entry in entries):
        names = [file.stem for file in datasets.get(source, ())]
        for indicator in load_contract().of_source(source):
            for year in load_contract().years(source):
                if any(entry.fits(source, indicator, year) for entry in entries):
                    order = order_datasets(entries, names, source, indicator, year)
                    rows += [(source, indicator, year, name, at) for at, name in enumerate(order, start=1)]
    if not rows:
        target.unlink(missing_ok=True)
        return entries
    columns = zip(zip(*rows, strict=True), _SCHEMA, strict=True)
    table = pa.table([pa.array(values, field.type) for values, field in columns], schema=_SCHEMA)
    if not target.is_file() or not _same(target, table):
        temporary = target.with_name(f".{target.name}.part")
        pq.write_table(table, temporary, compression="zstd")
        temporary.replace(target)
    return entries


def _same(path: Path, table: pa.Table) -> bool:
    try:
        return bool(pq.read_table(path).equals(table))
    except (pa.ArrowException, OSError):
        return False


def prefer_dataset(data_dir: str | Path, source: str, dataset: str) -> None:
    """Put a dataset first for its whole source: a new entry at the top of the file; what stands there stays."""
    entries = load_precedence(data_dir)
    if entries and entries[0].fits(source, "", load_contract().years(source)[0]) and entries[0].datasets[0] == dataset:
        return
    path = precedence_path(data_dir)
    before = path.read_text(encoding="utf-8-sig") if path.exists() else _HEAD
    lines = before.splitlines(keepends=True)
    comments = 0
    while comments < len(lines) and lines[comments].lstrip().startswith("#"):
        comments += 1
    entry = f"- {{source: {source}, prefer: [{dataset}]}}\n"
    write_text(path, "".join([*lines[:comments], entry, *lines[comments:]]))


def _bad(path: Path, what: str, node: Node, remedy: str = "") -> CarbonpanelError:
    return CarbonpanelError(
        "CP-PRECEDENCE", what, where=Place(file=path, row=node.line), remedy=remedy or f"keys: {', '.join(_KEYS)}"
    )
