"""YAML whose every value remembers the line it stands on, so that a mistake can be shown where it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from analysis_py.errors import CarbonpanelError, Place

_LARGEST = 1 << 20
_DEEPEST = 12
_MOST_NODES = 50_000


@dataclass(frozen=True)
class Node:
    """A value of a YAML file: a scalar, a list of nodes or a dict of nodes; ``name`` is the key it stands under."""

    value: Any
    line: int
    name: str


def load_yaml(path: Path) -> Node:
    """The root of a YAML file; ``CP-MAPPING-YAML`` with the line when it is not YAML or repeats a key."""
    try:
        if path.stat().st_size > _LARGEST:
            raise _problem(path, "the file is too large for a mapping", None)
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _problem(path, "the file is not UTF-8 text", None) from error
    except OSError as error:
        raise _problem(path, f"the file cannot be read ({error.strerror})", None) from error
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            raise _problem(path, "the file is empty", None)
        return _convert(root, path, "mapping", 0, [0])
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _problem(path, f"this is not valid YAML: {error.problem}", mark.line + 1 if mark else None) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _problem(path, f"this is not valid YAML: {str(error).splitlines()[0][:120]}", None) from error
    finally:
        loader.dispose()


def _problem(path: Path, what: str, line: int | None) -> CarbonpanelError:
    return CarbonpanelError(
        "CP-MAPPING-YAML",
        what,
        where=Place(file=path, row=line),
        remedy="check indentation, colons and quotation marks; see docs/how-to/bring-your-files.md for an example",
    )


def _convert(node: yaml.Node, path: Path, name: str, depth: int, count: list[int]) -> Node:
    line = node.start_mark.line + 1
    count[0] += 1
    # References to references would unfold into a file of any size.
    if depth > _DEEPEST or count[0] > _MOST_NODES:
        raise _problem(path, "the YAML is nested too deeply for a mapping", line)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Node] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _problem(path, "a key must be a plain word", key_node.start_mark.line + 1)
            key = str(key_node.value)
            if key in found:
                raise _problem(path, f"the key '{key}' is there twice", key_node.start_mark.line + 1)
            child = _convert(value_node, path, key, depth + 1, count)
            found[key] = Node(child.value, key_node.start_mark.line + 1, key)
        return Node(found, line, name)
    if isinstance(node, yaml.SequenceNode):
        return Node([_convert(child, path, name, depth + 1, count) for child in node.value], line, name)
    # Scalars stay the text they are ('2019', 'False', 'no'); only an empty value is nothing.
    is_empty = node.tag == "tag:yaml.org,2002:null"
    return Node(None if is_empty else str(node.value), line, name)
