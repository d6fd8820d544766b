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


def load_yaml(path: Path, *, code: str = "CP-MAPPING-YAML", what: str = "mapping", may_be_empty: bool = False) -> Node:
    """The root of a YAML file; an error of code ``code`` with the line when it is not YAML or repeats a key.

    ``what`` is the word for the file in messages; an empty file is an error, or an empty list (``may_be_empty``).
    References to other values are not followed without bound.
    """
    problem = _Problem(path, code, what)
    try:
        if path.stat().st_size > _LARGEST:
            raise problem(f"the file is too large for a {what}", None)
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise problem("the file is not UTF-8 text", None) from error
    except OSError as error:
        raise problem(f"the file cannot be read ({error.strerror})", None) from error
    try:
        loader = yaml.SafeLoader(text)
    except yaml.YAMLError as error:
        raise problem(f"this is not valid YAML: {str(error).splitlines()[0][:120]}", None) from error
    try:
        root = loader.get_single_node()
        if root is None:
            if may_be_empty:
                return Node([], 1, what)
            raise problem("the file is empty", None)
        return _convert(root, problem, what, 0, [0])
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise problem(f"this is not valid YAML: {error.problem}", mark.line + 1 if mark else None) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise problem(f"this is not valid YAML: {str(error).splitlines()[0][:120]}", None) from error
    finally:
        loader.dispose()


@dataclass(frozen=True)
class _Problem:
    """Makes the errors of one file."""

    path: Path
    code: str
    what: str

    def __call__(self, what: str, line: int | None) -> CarbonpanelError:
        return CarbonpanelError(
            self.code,
            what,
            where=Place(file=self.path, row=line),
            remedy="check indentation, colons and quotation marks; see docs/how-to/bring-your-files.md for an example",
        )


def _convert(node: yaml.Node, problem: _Problem, name: str, depth: int, count: list[int]) -> Node:
    line = node.start_mark.line + 1
    count[0] += 1
    # References to references would unfold into a file of any size.
    if depth > _DEEPEST or count[0] > _MOST_NODES:
        raise problem(f"the YAML is nested too deeply for a {problem.what}", line)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Node] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise problem("a key must be a plain word", key_node.start_mark.line + 1)
            key = str(key_node.value)
            if key in found:
                raise problem(f"the key '{key}' is there twice", key_node.start_mark.line + 1)
            child = _convert(value_node, problem, key, depth + 1, count)
            found[key] = Node(child.value, key_node.start_mark.line + 1, key)
        return Node(found, line, name)
    if isinstance(node, yaml.SequenceNode):
        return Node([_convert(child, problem, name, depth + 1, count) for child in node.value], line, name)
    # Scalars stay the text they are ('2019', 'False', 'no'); only an empty value is nothing.
    is_empty = node.tag == "tag:yaml.org,2002:null"
    return Node(None if is_empty else str(node.value), line, name)
