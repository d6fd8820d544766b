"""A user's decisions about single cells: ``<data>/corrections.yml``.

Each entry accepts a quarantined cell as it stands, or gives a cell another value, with the reason and the date. The
dataset is made anew from the cells as read and the decisions that are there now: taking an entry away undoes it. The
text of the cell stays what the file says, and the quarantine keeps the cell beside what was decided.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.files import write_json
from analysis_py.ingest.cells import parse_number
from analysis_py.ingest.contract import AREA_SCOPES, VINTAGES, Contract, load_contract
from analysis_py.ingest.datasets import Decision, Judged, read_judged, split, write_dataset
from analysis_py.ingest.places import PlaceKey, place_index
from analysis_py.ingest.plausibility import find_implausible
from analysis_py.ingest.units import Dictionary, load_dictionary
from analysis_py.ingest.yaml_lines import Node, load_yaml

_ACTIONS = ("accept", "value")
_CELL = ("source", "dataset", "city", "province", "year", "indicator", "area_scope", "vintage")
_ALL_KEYS = (*_CELL, "action", "value", "unit", "why", "date")
_REQUIRED = ("source", "dataset", "year", "indicator", "action", "why", "date")


@dataclass(frozen=True)
class Correction:
    """One entry. ``value`` and ``unit`` are those of action ``value``; ``line`` is where it stands."""

    source: str
    dataset: str
    place_code: str
    year: int
    indicator: str
    action: str
    why: str
    date: str
    area_scope: str | None = None
    vintage: str | None = None
    value: float | None = None
    unit: str | None = None
    line: int = 0

    def same(self) -> dict[str, object]:
        """Everything that matters: all but the line."""
        data = asdict(self)
        data.pop("line")
        return data


def corrections_path(data_dir: str | Path) -> Path:
    return Path(data_dir) / "corrections.yml"


def load_corrections(data_dir: str | Path) -> list[Correction]:
    """The entries in the order of the file; none where it is absent or empty.

    Raises ``CP-CORRECTION`` with the line for an entry that is incomplete, misspelt or impossible.
    """
    path = corrections_path(data_dir)
    if not path.exists():
        return []
    root = load_yaml(path, code="CP-CORRECTION", what="file of corrections", may_be_empty=True)
    reader = _Reader(path, load_contract(), load_dictionary())
    if not isinstance(root.value, list):
        raise reader.fail("the file must be a list of corrections, each beginning with '- '", root)
    found: list[Correction] = []
    seen: dict[tuple[object, ...], int] = {}
    for node in root.value:
        entry = reader.read(node)
        cell = (entry.source, entry.dataset, entry.place_code, entry.year, entry.indicator)
        key = (*cell, entry.area_scope, entry.vintage)
        if key in seen:
            raise reader.fail(f"the same cell is decided twice: here and in line {seen[key]}", node, "keep one of them")
        seen[key] = entry.line
        found.append(entry)
    return found


class _Reader:
    """Reads entries, telling mistakes with their line."""

    def __init__(self, path: Path, contract: Contract, dictionary: Dictionary) -> None:
        self.path = path
        self.contract = contract
        self.dictionary = dictionary

    def fail(self, what: str, node: Node, remedy: str = "") -> CarbonpanelError:
        return CarbonpanelError("CP-CORRECTION", what, where=Place(file=self.path, row=node.line), remedy=remedy)

    def read(self, node: Node) -> Correction:
        if not isinstance(node.value, dict):
            raise self.fail("an entry must be 'key: value' lines", node, f"keys: {', '.join(_ALL_KEYS)}")
        keys: dict[str, Node] = node.value
        for key, child in keys.items():
            if key not in _ALL_KEYS:
                raise self.fail(f"'{key}' is not a key of a correction", child, did_you_mean(key, _ALL_KEYS))
            if isinstance(child.value, dict | list):
                raise self.fail(f"'{key}' must be a single value", child)
        for key in _REQUIRED:
            if key not in keys or not keys[key].value:
                raise self.fail(f"a correction needs '{key}'", node, f"add '{key}: ...'")
        text = {key: str(child.value) for key, child in keys.items() if child.value is not None}
        source = self._known(keys["source"], self.contract.sources, "a source")
        indicators = self.contract.of_source(source)
        name = self._known(keys["indicator"], tuple(indicators), f"an indicator of {source}")
        action = self._known(keys["action"], _ACTIONS, "an action")
        if not text["year"].isdigit() or len(text["year"]) != 4:
            raise self.fail(f"'{text['year']}' is not a year", keys["year"])
        value, unit = self._value(node, keys, action, source, name)
        return Correction(
            source=source,
            dataset=text["dataset"].removesuffix(".parquet"),
            place_code=self._place(node, keys, source, int(text["year"])),
            year=int(text["year"]),
            indicator=name,
            action=action,
            why=text["why"],
            date=self._date(keys["date"]),
            area_scope=self._known(keys["area_scope"], AREA_SCOPES, "an area") if "area_scope" in keys else None,
            vintage=self._known(keys["vintage"], VINTAGES, "a vintage") if "vintage" in keys else None,
            value=value,
            unit=unit,
            line=node.line,
        )

    def _known(self, node: Node, known: Sequence[str], what: str) -> str:
        value = str(node.value)
        if value not in known:
            raise self.fail(f"'{value}' is not {what}", node, did_you_mean(value, known))
        return value

    def _place(self, node: Node, keys: dict[str, Node], source: str, year: int) -> str:
        level = self.contract.level(source)
        child = keys.get(level)
        if child is None or not child.value:
            raise self.fail(f"a correction of {source} needs '{level}'", node, f"add '{level}: CODE' or its name")
        text = str(child.value)
        index = place_index(level)
        found = index.resolve(PlaceKey(code=text) if text.isdigit() else PlaceKey(name=text), year)
        if found.code is None:
            raise self.fail(found.reason, child, f"near: {', '.join(found.candidates)}" if found.candidates else "")
        return found.code

    def _value(
        self, node: Node, keys: dict[str, Node], action: str, source: str, name: str
    ) -> tuple[float | None, str | None]:
        if action == "accept":
            for key in ("value", "unit"):
                if key in keys:
                    raise self.fail(f"action 'accept' takes no '{key}'", keys[key], "use 'action: value' to give one")
            return None, None
        for key in ("value", "unit"):
            if key not in keys or keys[key].value is None:
                raise self.fail(f"action 'value' needs '{key}'", node, f"add '{key}: ...'")
        indicator = self.contract.indicators[(source, name)]
        said = str(keys["unit"].value)
        unit = said if said in self.contract.units and self.contract.accepts(indicator, said) else None
        unit = unit or self.dictionary.unit(said, indicator)
        if unit is None:
            raise self.fail(
                f"'{said}' is not a unit of {name}", keys["unit"], self.dictionary.unit_remedy(said, indicator)
            )
        parsed = parse_number(str(keys["value"].value))
        if parsed is None or parsed[1]:
            raise self.fail(f"'{keys['value'].value}' is not a number", keys["value"])
        problem = find_implausible(self.contract.to_canonical(parsed[0], unit, indicator), indicator)
        if problem:
            raise self.fail(problem, keys["value"], "check value and unit")
        return parsed[0], unit

    def _date(self, node: Node) -> str:
        text = str(node.value)
        try:
            return dt.date.fromisoformat(text).isoformat()
        except ValueError:
            raise self.fail(f"'{text}' is not a date", node, "write it as 2024-05-01") from None


def decide(judged: Judged, corrections: Sequence[Correction], path: Path) -> dict[int, Decision]:
    """Position -> decision of the cells that the entries of one dataset name.

    Raises ``CP-CORRECTION-UNMATCHED`` with the line for an entry that names no cell, several, or one that needs none.
    """
    if not corrections:
        return {}
    names = ("city_code", "year", "indicator", "area_scope", "vintage")
    where: dict[tuple[object, ...], list[tuple[int, str, str]]] = {}
    columns = [judged.table.column(name).to_pylist() for name in names]
    for position, (code, year, indicator, area, vintage) in enumerate(zip(*columns, strict=True)):
        where.setdefault((code, year, indicator), []).append((position, area, vintage))
    decisions: dict[int, Decision] = {}
    for entry in corrections:
        cells = [
            position
            for position, area, vintage in where.get((entry.place_code, entry.year, entry.indicator), [])
            if entry.area_scope in (None, area) and entry.vintage in (None, vintage)
        ]
        doubted = [position for position in cells if position in judged.doubts]
        if len(cells) > 1 and len(doubted) == 1:
            cells = doubted
        of = f"{entry.indicator} of {entry.place_code} in {entry.year}"
        if not cells:
            raise _unmatched(path, entry, f"dataset '{entry.dataset}' has no cell of {of}")
        if len(cells) > 1:
            raise _unmatched(path, entry, f"{len(cells)} cells are {of}", "add 'area_scope' or 'vintage'")
        if entry.action == "accept":
            if not doubted:
                raise _unmatched(path, entry, f"the cell of {of} is not quarantined", "remove the entry")
            decisions[cells[0]] = Decision("accepted", why=entry.why, decided_on=entry.date)
        else:
            decisions[cells[0]] = Decision("corrected", entry.value, entry.unit, entry.why, entry.date)
    return decisions


def settle_corrections(data_dir: str | Path, datasets: dict[str, list[Path]]) -> list[Correction]:
    """Bring every dataset up to date with the corrections that are there now; all entries, in the order of the file.

    ``datasets`` are the Parquet files by source. A dataset whose decisions have not changed is not touched. Raises
    ``CP-CORRECTION*`` with the line, and then nothing is written.
    """
    data = Path(data_dir)
    path = corrections_path(data)
    entries = load_corrections(data)
    known = {(source, file.stem): file for source, files in datasets.items() for file in files}
    for entry in entries:
        if (entry.source, entry.dataset) not in known:
            names = [name for source, name in known if source == entry.source]
            raise _unmatched(
                path,
                entry,
                f"{entry.source} has no dataset '{entry.dataset}'",
                did_you_mean(entry.dataset, names) if names else "ingest its file again, or remove the entry",
            )
    pending = []
    for (source, name), file in known.items():
        wanted = [entry for entry in entries if (entry.source, entry.dataset) == (source, name)]
        account = _read_account(file)
        if [entry.same() for entry in wanted] == account.get("corrections", []):
            continue
        judged = read_judged(file)
        pending.append((source, name, file, account, wanted, split(judged, decide(judged, wanted, path))))
    for source, name, file, account, wanted, (dataset, left) in pending:
        _, digest = write_dataset(data, source, name, dataset, left)
        if account:
            account |= {"corrections": [entry.same() for entry in wanted], "parquet_sha256": digest}
            write_json(file.with_name(f"{name}.report.json"), account)
    return entries


def _read_account(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.with_name(f"{file.stem}.report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _unmatched(path: Path, entry: Correction, what: str, remedy: str = "") -> CarbonpanelError:
    return CarbonpanelError(
        "CP-CORRECTION-UNMATCHED",
        what,
        where=Place(file=path, row=entry.line),
        remedy=remedy or "correct the entry, or remove it; 'carbonpanel inputs --quarantine' lists what there is",
    )
