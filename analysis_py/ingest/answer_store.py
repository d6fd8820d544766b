"""Answers that were given once and are used again for files with the same column names: ``<data>/answers.yml``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.files import write_text
from analysis_py.ingest.cells import parse_year
from analysis_py.ingest.units import fold
from analysis_py.ingest.yaml_lines import Node, load_yaml

_HEAD = """\
# What 'carbonpanel ingest' was told about files that do not say it themselves. An answer is used again for every
# file with the same column names. 'carbonpanel inputs' shows them, 'carbonpanel inputs --forget ID' forgets one.
"""
_SINGLE = ("area_scope", "population_basis", "vintage", "inventory")
_KEYS = ("fingerprint", "source", "file", "columns", *_SINGLE, "units")
#: Signs of a fingerprint that are kept: enough to tell a million layouts apart.
_LENGTH = 12


@dataclass(frozen=True)
class Remembered:
    """What was answered for one set of column names: (kind, column or '') -> value."""

    fingerprint: str
    source: str
    file: str
    columns: tuple[str, ...]
    answers: dict[tuple[str, str], str]


def fingerprint(source: str, columns: Sequence[str]) -> str:
    """A short name for a source and its column names. Years among them do not count, so that next year's edition of a
    table has the same one."""
    names = [fold(name) for name in columns if parse_year(name) is None]
    return hashlib.sha256("\n".join([source, *names]).encode()).hexdigest()[:_LENGTH]


class AnswerStore:
    """The file of answers of one data folder; nothing is written before :meth:`save`."""

    def __init__(self, data_dir: str | Path) -> None:
        self.path = Path(data_dir) / "answers.yml"
        self._known: dict[str, Remembered] = {}
        self._changed = False
        if self.path.exists():
            self._known = {entry.fingerprint: entry for entry in _read(self.path)}

    def find(self, wanted: str) -> Remembered | None:
        return self._known.get(wanted)

    def keep(self, entry: Remembered) -> None:
        self._known[entry.fingerprint] = entry
        self._changed = True

    def all(self) -> list[Remembered]:
        """Entries by source and fingerprint."""
        return sorted(self._known.values(), key=lambda entry: (entry.source, entry.fingerprint))

    def forget(self, wanted: str) -> list[Remembered]:
        """Drop the entry whose fingerprint begins with ``wanted``, or all (``all``); what was dropped.

        Raises ``CP-ANSWER-UNKNOWN`` naming the nearest one.
        """
        if wanted == "all":
            gone = self.all()
        else:
            gone = [entry for entry in self.all() if wanted and entry.fingerprint.startswith(wanted)]
            if len(gone) != 1:
                many = len(gone) > 1
                raise CarbonpanelError(
                    "CP-ANSWER-UNKNOWN",
                    f"'{wanted}' is the beginning of {len(gone)} ids" if many else f"no answers have the id '{wanted}'",
                    where=Place(file=self.path),
                    remedy=did_you_mean(wanted, [*self._known, "all"]) if self._known else "nothing is remembered",
                )
        for entry in gone:
            del self._known[entry.fingerprint]
            self._changed = True
        return gone

    def save(self) -> None:
        """Write the file when something changed; without an entry it is removed."""
        if not self._changed:
            return
        self._changed = False
        if not self._known:
            self.path.unlink(missing_ok=True)
            return
        entries = []
        for entry in self.all():
            plain: dict[str, object] = {
                "fingerprint": entry.fingerprint,
                "source": entry.source,
                "file": entry.file,
                "columns": list(entry.columns),
            }
            plain |= {kind: entry.answers[(kind, "")] for kind in _SINGLE if (kind, "") in entry.answers}
            units = {subject: value for (kind, subject), value in sorted(entry.answers.items()) if kind == "unit"}
            if units:
                plain["units"] = units
            entries.append(plain)
        text = yaml.safe_dump(entries, allow_unicode=True, sort_keys=False, width=120, default_flow_style=None)
        write_text(self.path, _HEAD + text)


def _read(path: Path) -> list[Remembered]:
    root = load_yaml(path, code="CP-ANSWERS-FILE", what="file of answers")
    if not isinstance(root.value, list):
        raise _bad(path, "the file must be a list of answers", root)
    return [_entry(path, node) for node in root.value]


def _entry(path: Path, node: Node) -> Remembered:
    if not isinstance(node.value, dict):
        raise _bad(path, "an entry must be 'key: value' lines", node)
    for key, child in node.value.items():
        if key not in _KEYS:
            raise _bad(path, f"'{key}' is not a key of an answer", child, did_you_mean(key, _KEYS))
    keys: dict[str, Node] = node.value
    print_ = _text(path, keys.get("fingerprint"))
    if re.fullmatch(rf"[0-9a-f]{{{_LENGTH}}}", print_) is None:
        raise _bad(path, "an entry has no fingerprint, or one that is none", keys.get("fingerprint", node))
    answers = {(kind, ""): _text(path, keys[kind]) for kind in _SINGLE if kind in keys}
    units = keys.get("units")
    if units is not None:
        if not isinstance(units.value, dict):
            raise _bad(path, "'units' must be 'column: unit' lines", units)
        answers |= {("unit", column): _text(path, child) for column, child in units.value.items()}
    columns = keys.get("columns")
    names = columns.value if columns is not None and isinstance(columns.value, list) else []
    return Remembered(
        fingerprint=print_,
        source=_text(path, keys.get("source")),
        file=_text(path, keys.get("file")),
        columns=tuple(_text(path, child) for child in names),
        answers=answers,
    )


def _text(path: Path, node: Node | None) -> str:
    if node is None or node.value is None:
        return ""
    if isinstance(node.value, dict | list):
        raise _bad(path, f"'{node.name}' must be a single value", node)
    return str(node.value)


def _bad(path: Path, what: str, node: Node, remedy: str = "") -> CarbonpanelError:
    return CarbonpanelError(
        "CP-ANSWERS-FILE",
        what,
        where=Place(file=path, row=node.line),
        remedy=remedy or "correct the line, or remove the file: you will be asked again",
    )
