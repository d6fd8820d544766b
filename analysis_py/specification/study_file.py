"""A study's YAML read with the line of every key, and the readers that check each value.

Nothing here knows what a model means: :mod:`analysis_py.study` does. A reader takes the document, the place of a value
in it and the value, and returns the checked value or raises an error that names file, line, key and the nearest valid
name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.specification.foreign_spellings import advise_on_choice, advise_on_key

#: Where a value stands in a document: keys and list positions from the root, e.g. ``("models", 0, "controls", 2)``.
At = tuple[str | int, ...]
#: Checks one value and gives back the form the study keeps.
Reader = Callable[["Document", At, Any], Any]

#: Levels of nesting after which a document can only be a loop of anchors.
_DEEPEST = 20


@dataclass(frozen=True)
class Document:
    """One YAML file: its plain data and the line (from 1) of each key and list item."""

    path: Path
    data: Any
    lines: Mapping[At, int]
    raw: bytes

    def line(self, at: At) -> int:
        """Line of the nearest known place at or above ``at``."""
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    def where(self, at: At) -> str:
        """``file, line n``, as shown in messages."""
        return f"{self.path}, line {self.line(at)}"

    def error(self, code: str, what: str, at: At, remedy: str = "") -> CarbonpanelError:
        """The error to raise about the value at ``at``."""
        return CarbonpanelError(code, what, where=self.where(at), remedy=remedy)


def read_document(path: Path) -> Document:
    """Parse a YAML file, keeping lines.

    Raises
    ------
    CarbonpanelError
        ``CP-FILE-MISSING``, ``CP-STUDY-ENCODING`` (not UTF-8), ``CP-STUDY-YAML`` (does not parse),
        ``CP-STUDY-DUPLICATE-KEY`` or ``CP-STUDY-EMPTY``.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise CarbonpanelError(
            "CP-FILE-MISSING", "there is no such study file", where=str(path), remedy=_neighbours(path)
        ) from None
    except OSError as error:
        raise CarbonpanelError(
            "CP-FILE-UNREADABLE", f"the study file cannot be read: {error.strerror}", where=str(path)
        ) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise CarbonpanelError(
            "CP-STUDY-ENCODING",
            "a study file is UTF-8 text; this one is not",
            where=f"{path}, line {line}",
            remedy="save it as UTF-8 in your editor",
        ) from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise CarbonpanelError(
            "CP-STUDY-YAML",
            f"the file is not valid YAML: {problem}",
            where=f"{path}, line {mark.line + 1}" if mark is not None else str(path),
            remedy="check indentation (spaces, no tabs), brackets and quotes near that line",
        ) from None
    if node is None:
        raise CarbonpanelError(
            "CP-STUDY-EMPTY", "the study file is empty", where=str(path), remedy="see docs/reference/study_file.md"
        )
    lines: dict[At, int] = {(): node.start_mark.line + 1}
    data = _plain(path, node, (), lines, _Constructor())
    return Document(path, data, lines, raw)


class _Constructor(yaml.constructor.SafeConstructor):
    """Scalars only; mappings and lists are walked here to keep lines."""


def _plain(path: Path, node: yaml.Node, at: At, lines: dict[At, int], scalars: _Constructor) -> Any:
    if len(at) > _DEEPEST:
        raise CarbonpanelError(
            "CP-STUDY-YAML",
            "the file is nested too deeply (an anchor that contains itself?)",
            where=f"{path}, line {node.start_mark.line + 1}",
        )
    if node.tag.startswith("!"):
        # YAML takes !missing(x) for a type and would leave an empty value behind: a model without its condition
        raise CarbonpanelError(
            "CP-STUDY-YAML",
            f"YAML reads '{node.tag}' as the type of a value, not as text",
            where=f"{path}, line {node.start_mark.line + 1}",
            remedy="put the text in quotes; in a condition write not instead of !",
        )
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            if key in found:
                raise CarbonpanelError(
                    "CP-STUDY-DUPLICATE-KEY",
                    f"the key '{key}' is given twice; the first is on line {lines[(*at, key)]}",
                    where=f"{path}, line {line}",
                    remedy="keep one of the two",
                )
            lines[(*at, key)] = line
            found[key] = _plain(path, value_node, (*at, key), lines, scalars)
        return found
    if isinstance(node, yaml.SequenceNode):
        items = []
        for position, item in enumerate(node.value):
            lines[(*at, position)] = item.start_mark.line + 1
            items.append(_plain(path, item, (*at, position), lines, scalars))
        return items
    try:
        value = scalars.construct_object(node)
    except (yaml.YAMLError, ValueError):
        value = None
    if value is None and node.value not in ("", "~", "null", "Null", "NULL"):
        raise CarbonpanelError(
            "CP-STUDY-YAML",
            f"the value '{node.value}' cannot be read",
            where=f"{path}, line {node.start_mark.line + 1}",
            remedy="write it in quotes",
        )
    return value


def _neighbours(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder '{folder}' either; check the path"
    return did_you_mean(path.name, (p.name for p in folder.glob("*.y*ml"))) or "check the path"


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {bool: "true/false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a mapping"}
    return names.get(type(value), f"a {type(value).__name__}")


def _yes_no_hint(value: Any) -> str:
    return "YAML reads yes, no, on and off as true/false; put the name in quotes" if isinstance(value, bool) else ""


def read_text(doc: Document, at: At, value: Any) -> str | None:
    """A text or null; numbers are taken as text (``table: 3``)."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise doc.error(
            "CP-STUDY-TYPE",
            f"'{at[-1]}' must be one text, not {_kind(value)}",
            at,
            _yes_no_hint(value) or "write one name",
        )
    text = str(value).strip()
    if not text:
        raise doc.error("CP-STUDY-TYPE", f"'{at[-1]}' is empty", at, "write a name, or null for none")
    return text


def read_names(doc: Document, at: At, value: Any) -> tuple[str, ...]:
    """A list of names, one name, or null (none)."""
    if value is None:
        return ()
    if not isinstance(value, list):
        value = [value]
    names = []
    for position, item in enumerate(value):
        place = (*at, position)
        if isinstance(item, bool) or not isinstance(item, str | int | float):
            raise doc.error(
                "CP-STUDY-TYPE",
                f"'{at[-1]}' must be a list of names; item {position + 1} is {_kind(item)}",
                place,
                _yes_no_hint(item) or "for example: [POP, Ope]",
            )
        text = str(item).strip()
        if not text:
            raise doc.error("CP-STUDY-TYPE", f"'{at[-1]}' has an empty name", place, "remove it")
        if text in names:
            raise doc.error("CP-STUDY-TWICE", f"'{text}' stands twice in '{at[-1]}'", place, "name it once")
        names.append(text)
    return tuple(names)


def read_number(doc: Document, at: At, value: Any) -> float | int:
    """A finite number."""
    if isinstance(value, str):
        # YAML 1.1 reads 1e-3 as text
        try:
            value = float(value)
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) == float("inf"):
        raise doc.error("CP-STUDY-TYPE", f"{_last(at)} must be a number", at, "for example: 1 or 0.05")
    return value


def read_whole(minimum: int, maximum: int | None = None) -> Reader:
    """A whole number of at least ``minimum`` and, where it is given, at most ``maximum``."""
    most = "" if maximum is None else f" and at most {maximum}"

    def read(doc: Document, at: At, value: Any) -> int:
        high = maximum is not None and isinstance(value, int) and value > maximum
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum or high:
            raise doc.error("CP-STUDY-TYPE", f"{_last(at)} must be a whole number of at least {minimum}{most}", at)
        return value

    return read


def read_list_of(reader: Reader) -> Reader:
    """A list of values (one value is a list of one)."""

    def read(doc: Document, at: At, value: Any) -> tuple[Any, ...]:
        items = value if isinstance(value, list) else [value]
        return tuple(reader(doc, (*at, i) if isinstance(value, list) else at, item) for i, item in enumerate(items))

    return read


def read_choice(options: Iterable[str]) -> Reader:
    """One of the named ``options``."""
    known = tuple(options)

    def read(doc: Document, at: At, value: Any) -> str:
        if value not in known or isinstance(value, bool):
            key = str(at[-1] if isinstance(at[-1], str) else at[-2])
            remedy = advise_on_choice(key, str(value)) or did_you_mean(str(value), known)
            raise doc.error("CP-STUDY-VALUE", f"'{key}' cannot be '{value}'", at, remedy)
        return str(value)

    return read


def read_choices(options: Iterable[str]) -> Reader:
    """A list of the named ``options``, each once."""
    one = read_choice(options)

    def read(doc: Document, at: At, value: Any) -> tuple[str, ...]:
        names = read_names(doc, at, value)
        return tuple(one(doc, (*at, i), name) for i, name in enumerate(names))

    return read


def read_mapping(keys: Mapping[str, Reader], required: Iterable[str] = ()) -> Reader:
    """A mapping with these keys and no other; null is an empty mapping only where nothing is required."""
    needed = tuple(required)

    def read(doc: Document, at: At, value: Any) -> dict[str, Any]:
        if value is None and not needed:
            return {}
        if not isinstance(value, dict):
            raise doc.error(
                "CP-STUDY-TYPE",
                f"{_last(at)} must be a mapping of keys, not {_kind(value)}",
                at,
                f"keys: {', '.join(keys)}",
            )
        for key in value:
            if key not in keys:
                remedy = advise_on_key(key, keys) or did_you_mean(key, keys)
                raise doc.error("CP-STUDY-KEY", f"unknown key '{key}' in {_in(at)}", (*at, key), remedy)
        for key in needed:
            if value.get(key) is None:
                raise doc.error("CP-STUDY-KEY-MISSING", f"{_in(at)} needs the key '{key}'", at, f"add '{key}:'")
        return {key: keys[key](doc, (*at, key), value[key]) for key in value}

    return read


def _last(at: At) -> str:
    """The key that holds a value, or its position in the list that a key holds."""
    if not at or isinstance(at[-1], str):
        return f"'{at[-1]}'" if at else "the file"
    return f"item {at[-1] + 1} of {_last(at[:-1])}"


def _in(at: At) -> str:
    names = [f"'{a}'" if isinstance(a, str) else f"item {a + 1}" for a in at]
    return " ".join(names) if names else "the file"


def read_texts(doc: Document, at: At, value: Any) -> dict[str, str] | None:
    """A text, or texts by language (``{en: ..., zh: ...}``); a plain text counts as English."""
    if value is None:
        return None
    if isinstance(value, dict):
        reader = read_mapping({"en": read_text, "zh": read_text})
        return {k: v for k, v in reader(doc, at, value).items() if v is not None}
    text = read_text(doc, at, value)
    return None if text is None else {"en": text}
