"""The keys ``mechanism`` and ``margins`` of a study file."""

from __future__ import annotations

from typing import Any

from analysis_py.specification.study_file import (
    At,
    Document,
    read_choices,
    read_list_of,
    read_mapping,
    read_names,
    read_number,
    read_whole,
)

METHODS = ("two_step", "gelbach", "indirect", "three_step")


def _read_level(doc: Document, at: At, value: Any) -> float:
    level = read_number(doc, at, value)
    if not 0 < level < 1:
        raise doc.error("CP-STUDY-VALUE", f"'level' must be between 0 and 1, not {level:g}", at, "level: 0.95")
    return float(level)


def _read_values(doc: Document, at: At, value: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in read_list_of(read_number)(doc, at, value))


#: ``mechanism: {mediators: [UIS], methods: [two_step, gelbach, indirect, three_step], draws, seed, level}``.
read_mechanism = read_mapping(
    {
        "mediators": read_names,
        "methods": read_choices(METHODS),
        "draws": read_whole(2),
        "seed": read_whole(0),
        "level": _read_level,
    },
    required=("mediators",),
)

#: ``margins: {at: [..], points: 41, level: 0.95}``.
read_margins = read_mapping({"at": _read_values, "points": read_whole(2, 10_000), "level": _read_level})
