"""The page of error codes, docs/errors.md, read from the code: ``python -m analysis_py.error_catalogue``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis_py.files import write_text
from analysis_py.settings import project_root

_FOLDERS = ("analysis_py", "expectations")
_HEAD = """# Error codes

Every problem that a file, an option or a busy database can cause is one message: a code, what is wrong, where (file,
sheet, row, column) and what to do. The exit code is 1; usage errors exit with 2, an interruption with 130. `CP-BUG`
(exit 70) is a fault of carbonpanel itself: its message names the file with the details to report.

This page is made from the code by `python -m analysis_py.error_catalogue`; `...` stands for what the message names.

| code | what it says | raised in |
|---|---|---|
"""


@dataclass(frozen=True, order=True)
class Raised:
    """One place in the code that raises an error: its code, the sentence with its blanks, the module."""

    code: str
    what: str
    module: str


def find_errors(root: Path) -> list[Raised]:
    """Every ``CarbonpanelError`` made under ``root``, ordered by code; also codes kept in constants."""
    found: set[Raised] = set()
    for folder in _FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            module = path.relative_to(root).with_suffix("").as_posix()
            found.update(_raised_in(ast.parse(path.read_text(encoding="utf-8")), module))
    known = {r.code for r in found if r.what}
    return sorted(r for r in found if r.what or r.code not in known)


def render_page(errors: list[Raised]) -> str:
    """docs/errors.md as text: one row a code, its sentences joined."""
    lines = []
    for code in dict.fromkeys(e.code for e in errors):
        of_code = [e for e in errors if e.code == code]
        what = "; ".join(dict.fromkeys(e.what for e in of_code if e.what)).replace("|", "\\\\|")
        modules = ", ".join(f"`{m}`" for m in dict.fromkeys(e.module for e in of_code))
        lines.append(f"| `{code}` | {what} | {modules} |")
    return _HEAD + "\n".join(lines) + "\n"


def _raised_in(tree: ast.AST, module: str) -> Iterator[Raised]:
    told: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _code_of(node.args[0]):
            code = _code_of(node.args[0])
            told.add(code)
            yield Raised(code, _sentence(node.args[1]) if len(node.args) > 1 else "", module)
    for node in ast.walk(tree):
        code = _code_of(node)
        if code and code not in told:
            yield Raised(code, "", module)


def _code_of(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
        if text.startswith("CP-") and len(text) > 3 and text.replace("-", "").isalpha() and text.isupper():
            return text
    return ""


def _sentence(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(p.value) if isinstance(p, ast.Constant) else "..." for p in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _sentence(node.left) + _sentence(node.right)
    return "..."


if __name__ == "__main__":
    write_text(project_root() / "docs" / "errors.md", render_page(find_errors(project_root())))
