"""The optional key ``iv`` of a study file: what beside endogenous variables and instruments an iv model may say."""

from __future__ import annotations

from typing import Any

from analysis_py.specification.study_file import (
    At,
    Document,
    read_choice,
    read_list_of,
    read_mapping,
    read_names,
    read_number,
    read_text,
)

METHODS = ("2sls", "liml", "fuller", "kclass")


def _read_flag(doc: Document, at: At, value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise doc.error("CP-STUDY-TYPE", f"'{at[-1]}' must be true or false", at)
    return value


def _read_ranges(doc: Document, at: At, value: Any) -> dict[str, tuple[float, float]]:
    """Instrument -> [low, high]; one number b means [-|b|, |b|]."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise doc.error("CP-STUDY-TYPE", f"'{at[-1]}' must be a mapping of instruments", at, "{L.AI: [-0.01, 0.01]}")
    found = {}
    for name, given in value.items():
        numbers = read_list_of(read_number)(doc, (*at, name), given)
        if len(numbers) == 1:
            numbers = (-abs(numbers[0]), abs(numbers[0]))
        if len(numbers) != 2 or numbers[0] > numbers[1]:
            raise doc.error(
                "CP-STUDY-VALUE",
                f"the direct effect of '{name}' must be two rising numbers, or one",
                (*at, name),
                "[-0.01, 0.01]",
            )
        found[str(name)] = (float(numbers[0]), float(numbers[1]))
    return found


def _read_where(doc: Document, at: At, value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise doc.error("CP-STUDY-TYPE", f"'{at[-1]}' must be a mapping of columns", at, "{instrument: us_stock}")
    found = {}
    for name in value:
        text = read_text(doc, (*at, name), value[name])
        if text is not None:
            found[str(name)] = text
    return found


_shift_share = read_mapping(
    {
        "instrument": read_text,
        "shares": read_text,
        "shocks": read_text,
        "unit": read_text,
        "time": read_text,
        "sector": read_text,
        "share": read_text,
        "shock": read_text,
        "where": _read_where,
        "cluster": read_text,
        "control_totals": _read_flag,
    },
    required=("shares",),
)

_mapping = read_mapping(
    {
        "method": read_choice(METHODS),
        "k": read_number,
        "fuller": read_number,
        "small": _read_flag,
        "plausibly_exogenous": _read_ranges,
        "initial_conditions": read_names,
        "shift_share": _shift_share,
    }
)


def read_iv(doc: Document, at: At, value: Any) -> dict[str, Any] | None:
    """The mapping under ``iv``, keys without a value left out; null is none."""
    if value is None:
        return None
    found = {k: v for k, v in _mapping(doc, at, value).items() if v is not None and v != {} and v != ()}
    if found.get("method") == "kclass" and "k" not in found:
        raise doc.error("CP-STUDY-INCOMPLETE", "method 'kclass' needs its k", at, "add k: 0.9")
    for key, method in (("k", "kclass"), ("fuller", "fuller")):
        if key in found and found.get("method") != method:
            raise doc.error("CP-STUDY-KEY", f"'{key}' means nothing without method: {method}", (*at, key), "remove it")
    return found
