"""docs/reference/validation.md names every expectation of ours and every tolerance as the code has them."""

from __future__ import annotations

import re
from dataclasses import fields

from analysis_py.settings import project_root, quiet_environment
from expectations.checks import CHECKS
from expectations.parameters import Tolerances

PAGE = (project_root() / "docs" / "reference" / "validation.md").read_text(encoding="utf-8")


def test_tolerances_are_the_codes() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", PAGE.split("## Raw sources")[0], re.M))
    said = {name: rows[name].strip() for name in rows if name not in ("stop", "warn")}
    code = {}
    for item in fields(Tolerances):
        value = item.default
        code[item.name] = " to ".join(f"{v:g}" for v in value) if isinstance(value, tuple) else f"{value:g}"
    assert said == code


def test_every_class_and_every_check_is_used() -> None:
    quiet_environment()
    from expectations import custom

    classes = {
        name: item
        for name, item in vars(custom).items()
        if isinstance(item, type)
        and issubclass(item, custom.FindingExpectation)
        and item is not custom.FindingExpectation
    }
    assert set(re.findall(r"^\| `(Expect\w+)` \|", PAGE, re.M)) == set(classes)
    assert {item.check for item in classes.values()} == set(CHECKS)
    assert len(CHECKS) == 30
    assert "Thirty questions" in PAGE
