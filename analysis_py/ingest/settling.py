"""Area and vintage of a whole file: what its mapping, its columns and its titles say, and what must be answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.ingest.answers import Answers
from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.layout import HEADER_DEPTH, Binding, Header
from analysis_py.ingest.mapping import Mapping, Rule, Setting
from analysis_py.ingest.sheets import CellSheet


def settle_given(binding: Binding, answers: Answers) -> Binding:
    """A user's or shipped mapping, completed by answers where it does not say area or vintage.

    Raises ``CP-ANSWER-CONTRADICTS`` where a flag says other than the mapping.
    """
    mapping = binding.mapping
    where = binding.sheet.place(binding.header.row)
    for kind, flag in (("area_scope", "--area-scope"), ("vintage", "--vintage")):
        setting: Setting = getattr(mapping, kind)
        given = getattr(answers.given, kind)
        if setting.is_said and setting.column is None and given not in (None, setting.value):
            raise CarbonpanelError(
                "CP-ANSWER-CONTRADICTS",
                f"the mapping '{mapping.name}' says {kind} {setting.value} and {flag} says {given}",
                where=where,
                remedy="leave the flag out, or correct the mapping",
            )
    answers.open(binding.header.names)
    return replace(binding, mapping=_settle(mapping, (), where, answers))


def settle_proposed(mapping: Mapping, sheet: CellSheet, header: Header, answers: Answers) -> Mapping:
    """A proposal with area and vintage settled; titles above the table and the names of sheet and file are read too."""
    above = [cell.strip() for row, cells in sheet.head(HEADER_DEPTH) if row < header.row for cell in cells]
    titles = [*above, (sheet.name or "").strip(), sheet.path.name]
    return _settle(mapping, list(dict.fromkeys(filter(None, titles))), sheet.place(header.row), answers)


def _settle(mapping: Mapping, titles: Sequence[str], where: Place, answers: Answers) -> Mapping:
    named: list[tuple[str, Rule]] = [*mapping.columns, *mapping.labels]
    if mapping.table is not None:
        named.append((mapping.table.indicator, mapping.table))
    if not mapping.area_scope.is_said:
        silent = [name for name, rule in named if rule.area_scope is None]
        said = [rule.area_scope for _, rule in named if rule.area_scope is not None]
        area = answers.area_scope(silent, said, titles, where)
        mapping = replace(mapping, area_scope=Setting(area))
    if not mapping.vintage.is_said:
        indicators = load_contract().of_source(mapping.source)
        silent = [name for name, rule in named if rule.vintage is None and indicators[rule.indicator].vintage_group]
        mapping = replace(mapping, vintage=Setting(answers.vintage(silent, titles, where)))
    return mapping
