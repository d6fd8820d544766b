"""Columns of a file that belong to another source than the one it is brought as, and the command that brings them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from analysis_py.ingest.headings import HeadingReader
from analysis_py.ingest.report import GOES_TO
from analysis_py.ingest.units import Dictionary, load_dictionary

if TYPE_CHECKING:
    from analysis_py.ingest.draft import Plan

_UNKNOWN = frozenset({"name not recognised", "not in the mapping"})
_MOST_TOLD = 6


def tell_owners(plan: Plan, source: str, brought: Collection[str]) -> Plan:
    """The plan with a reason for each column left alone that other sources of its level know, and a remark that says
    how to bring them. ``brought`` are the sources that the file is brought as with the same command."""
    dictionary = load_dictionary()
    others = [other for other in dictionary.contract.sources_of(dictionary.contract.level(source)) if other != source]
    readers = {other: HeadingReader(dictionary, other) for other in others}
    ignored = dict(plan.ignored)
    found: dict[str, list[str]] = {}
    for binding in plan.bindings:
        for position, name in enumerate(binding.header.names):
            if ignored.get(name) not in _UNKNOWN:
                continue
            for other, reader in readers.items():
                heading = reader.read(binding.header, position)
                if heading.reading is not None and not heading.reading.problem:
                    is_brought = other in brought
                    ignored[name] = (
                        f"{GOES_TO}{other}" if is_brought else f"it is {heading.reading.indicator} of {other}"
                    )
                    if not is_brought:
                        found.setdefault(other, []).append(name)
                    break
    for label in plan.unknown_labels:
        owner = _owner(label, others, dictionary)
        if owner is not None and owner not in brought:
            found.setdefault(owner, []).append(label)
    if not found:
        return replace(plan, ignored=ignored)
    file = plan.binding.sheet.path.name
    told = "; ".join(
        f"{other}: {', '.join(names[:_MOST_TOLD])}{', ...' if len(names) > _MOST_TOLD else ''}"
        for other, names in found.items()
    )
    count = sum(len(names) for names in found.values())
    what = (
        f"{count} column(s) belong to other sources ({told}); to bring all of them: carbonpanel ingest {file} --as auto"
    )
    return replace(plan, ignored=ignored, remarks=(*plan.remarks, what))


def _owner(label: str, others: list[str], dictionary: Dictionary) -> str | None:
    for other in others:
        reading = dictionary.read_header(label, other)
        if reading is not None and not reading.problem:
            return other
    return None
