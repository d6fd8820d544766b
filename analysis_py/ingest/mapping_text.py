"""A mapping as the YAML a user reads and completes: the draft that ``ingest --draft`` writes."""

from __future__ import annotations

import os
from collections.abc import Mapping as Dict
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.files import write_text
from analysis_py.ingest.answers import OPEN
from analysis_py.ingest.contract import INVENTORIES, load_contract
from analysis_py.ingest.mapping import Mapping, Rule, Setting

if TYPE_CHECKING:
    from analysis_py.ingest.draft import Plan

_HEAD = """\
# How {file} is read: which column is what, in which unit, of which area, population and vintage.
# Complete what is empty, correct what is wrong, and use it:
#   carbonpanel ingest {file} --as {source} --mapping {name}.yml
# docs/how-to/bring-your-files.md explains every key.
"""


def render_mapping(plan: Plan, open_questions: Dict[tuple[str, str], tuple[str, ...]]) -> str:
    """The mapping of a plan as YAML text; questions left open are empty values with the possible answers beside.

    Columns that are left alone follow as comments, with the reason.
    """
    mapping = plan.binding.mapping
    file = plan.binding.sheet.path.name
    name = plan.binding.sheet.path.stem if mapping.origin == "proposed" else mapping.name
    lines = _HEAD.format(file=_flow(file), source=mapping.source, name=_flow(name)).splitlines()
    lines += [f"mapping: {_flow(name)}", f"source: {mapping.source}"]
    sheets = mapping.sheets or (
        (plan.binding.sheet.name,) if plan.binding.sheet.name and not mapping.sheet_says else ()
    )
    if sheets:
        lines.append(f"sheet: {_many(sheets)}")
    lines.append(f"layout: {mapping.layout}")
    if mapping.header_row is not None:
        lines.append(f"header_row: {mapping.header_row}")
    if mapping.header_rows != 1:
        lines.append(f"header_rows: {mapping.header_rows}")
    if mapping.sheet_says:
        lines.append(f"sheet_says: {_many(mapping.sheet_says)}")
    lines += _structure(mapping)
    for kind in ("area_scope", "population_basis", "vintage"):
        lines += _setting(kind, getattr(mapping, kind), open_questions)
    if mapping.missing:
        lines.append(f"missing: [{', '.join(_flow(mark) for mark in sorted(mapping.missing))}]")
    else:
        lines.append("missing: []  # marks of this file, besides the usual ones, that mean 'no value'")
    for key, rules in (("columns", mapping.columns), ("labels", mapping.labels)):
        if rules:
            lines.append(f"{key}:")
            lines += [f"  {_flow(column)}: {_rule(mapping, column, rule, open_questions)}" for column, rule in rules]
    if mapping.table is not None:
        lines.append(f"table: {_rule(mapping, '', mapping.table, open_questions)}")
    if plan.ignored:
        lines.append("# Left alone:")
        lines += [f"#   {' '.join(column.split())}: {why}" for column, why in plan.ignored.items()]
    return "\n".join(lines) + "\n"


def write_mapping(target: Path, text: str) -> None:
    """Write a draft where there is no file yet; ``CP-FILE-EXISTS`` otherwise."""
    if os.path.lexists(target):
        raise CarbonpanelError(
            "CP-FILE-EXISTS",
            "there is a file of this name already; a draft does not overwrite it",
            where=Place(file=target),
            remedy="choose another name, or remove the file first",
        )
    write_text(target, text)


def _structure(mapping: Mapping) -> list[str]:
    place = [
        ("code", mapping.code),
        ("name", mapping.place),
        ("province", mapping.province),
        ("is", mapping.fixed_place),
    ]
    told = ", ".join(f"{key}: {_flow(column)}" for key, column in place if column is not None)
    lines = [f"place: {{{told}}}"] if told else []
    if mapping.fixed_year is not None:
        lines.append(f"year: {{is: {_flow(mapping.fixed_year)}}}")
    for key in ("year", "indicator", "value", "unit"):
        column = getattr(mapping, key)
        if column is not None:
            lines.append(f"{key}: {_flow(column)}")
    if mapping.only_rows:
        lines.append(f"rows: {_conditions(mapping.only_rows)}")
    return lines


def _setting(kind: str, setting: Setting, open_questions: Dict[tuple[str, str], tuple[str, ...]]) -> list[str]:
    answers = open_questions.get((kind, ""))
    if answers is not None:
        return [f"{kind}:  # {' or '.join(answers)}: the file calls it into doubt"]
    if setting.column is not None:
        return [f"{kind}: {{column: {_flow(setting.column)}}}"]
    if setting.value is None:
        return []
    return [f"{kind}: {setting.value}" + ("" if setting.is_said else "  # assumed")]


def _rule(mapping: Mapping, text: str, rule: Rule, open_questions: Dict[tuple[str, str], tuple[str, ...]]) -> str:
    notes = []
    indicator = rule.indicator
    for kind in ("inventory", "population_basis"):
        answers = open_questions.get((kind, text))
        if answers is not None:
            names = [INVENTORIES.get(answer, f"population_{answer}") for answer in answers]
            indicator = ""
            notes.append(f"indicator {' or '.join(names)}")
    parts = [f"indicator: {indicator}".rstrip()]
    if rule.unit == OPEN:
        units = load_contract().units
        parts.append("unit:")
        known = [units[name].label_zh for name in open_questions.get(("unit", text), ()) if name in units]
        notes.append(f"unit {' or '.join(known)}")
    elif rule.unit is not None:
        parts.append(f"unit: {rule.unit}")
    for key in ("unit_column", "year", "area_scope", "population_basis", "vintage"):
        value = getattr(rule, key)
        if value is not None:
            parts.append(f"{key}: {_flow(value)}")
    if rule.observed_where:
        parts.append(f"observed_where: {_conditions(rule.observed_where)}")
    if not notes:
        label = load_contract().indicators[(mapping.source, rule.indicator)].label_zh
        return f"{{{', '.join(parts)}}}  # {label}"
    return f"{{{', '.join(parts)}}}  # to be said: {'; '.join(notes)}"


def _conditions(conditions: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    told = (f"{_flow(column)}: [{', '.join(_flow(text) for text in texts)}]" for column, texts in conditions)
    return f"{{{', '.join(told)}}}"


def _many(texts: tuple[str, ...]) -> str:
    return _flow(texts[0]) if len(texts) == 1 else f"[{', '.join(_flow(text) for text in texts)}]"


def _flow(text: str) -> str:
    """A text as YAML writes it inside brackets, quoted where it must be."""
    dumped = yaml.safe_dump([text], allow_unicode=True, default_flow_style=True, width=10**6)
    return dumped.strip()[1:-1]
