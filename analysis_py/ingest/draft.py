"""Choosing how a file is read: the user's mapping, a shipped one that fits, or one proposed from the headers.

A proposal takes only what it recognises exactly (:mod:`analysis_py.ingest.units`); what it cannot know - a unit that is
not said, whose CO2 inventory it is - is asked for, never assumed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.answers import LEAVE, Answers
from analysis_py.ingest.cells import parse_year
from analysis_py.ingest.contract import INVENTORIES
from analysis_py.ingest.layout import HEADER_DEPTH, Binding, Header, bind, check_duplicates, make_header, no_year
from analysis_py.ingest.mapping import Mapping, Rule, Setting, find_mapping, shipped_mappings
from analysis_py.ingest.settling import settle_given, settle_proposed
from analysis_py.ingest.sheets import CellFile, CellSheet
from analysis_py.ingest.units import Dictionary, HeaderReading, fold, load_dictionary

_UNIT_ENDINGS = ("_unit", " unit", "单位", "_units")


Heads = list[tuple[CellSheet, list[Header]]]


@dataclass(frozen=True)
class Plan:
    """How a file will be read: the binding, remarks for the report, and why columns are ignored (header -> reason)."""

    binding: Binding
    remarks: tuple[str, ...]
    ignored: dict[str, str]


def plan_reading(
    book: CellFile,
    source: str,
    *,
    mapping: str | Path | None = None,
    sheet: str | None = None,
    answers: Answers | None = None,
) -> Plan:
    """Choose sheet, header row and mapping; ``answers`` settles what the file does not say.

    Raises ``CP-MAPPING-*`` for a mapping that does not fit, ``CP-FILE-EMPTY``, ``CP-YEAR-MISSING``,
    ``CP-PLACE-MISSING``, ``CP-INDICATOR-NONE``, ``CP-UNIT-UNKNOWN``, ``CP-COLUMN-AMBIGUOUS``,
    ``CP-COLUMN-DUPLICATED``, ``CP-SHEET-UNKNOWN``, and those of :mod:`analysis_py.ingest.answers`.
    """
    answers = answers or Answers(source, load_dictionary())
    plan = _choose(book, source, _heads(book, sheet), mapping, sheet, answers)
    answers.check_used(plan.binding.sheet.place(plan.binding.header.row))
    plan = replace(plan, remarks=(*plan.remarks, *answers.remarks))
    unread = [one.name for one in book.visible() if one is not plan.binding.sheet and one.name and one.head(1)]
    if unread:
        shown = ", ".join(unread[:10]) + (", ..." if len(unread) > 10 else "")
        plan = replace(plan, remarks=(*plan.remarks, f"{len(unread)} other sheet(s) not read: {shown}"))
    return plan


def _choose(
    book: CellFile,
    source: str,
    heads: Heads,
    mapping: str | Path | None,
    sheet: str | None,
    answers: Answers,
) -> Plan:
    if mapping is not None:
        chosen = find_mapping(mapping)
        if chosen.source != source:
            raise CarbonpanelError(
                "CP-MAPPING-SOURCE",
                f"the mapping '{chosen.name}' is for {chosen.source}, but the file is brought as {source}",
                where=str(mapping),
                remedy=f"use --as {chosen.source}, or another mapping",
            )
        return _finish(settle_given(_bind_given(chosen, book, heads, sheet), answers), ())
    for shipped, found, header in _fitting(source, heads):
        remark = f"recognised as '{shipped.title or shipped.name}'"
        return _finish(settle_given(bind(shipped, found, header), answers), (remark,))
    return _propose(source, heads, answers)


def _heads(book: CellFile, sheet: str | None) -> Heads:
    sheets = [book.sheet(sheet)] if sheet is not None else book.visible()
    heads = [(one, [make_header(row, cells) for row, cells in one.head(HEADER_DEPTH)]) for one in sheets]
    if not any(rows for _, rows in heads):
        raise CarbonpanelError(
            "CP-FILE-EMPTY",
            "the file holds no cell with anything in it",
            where=sheets[0].place(),
            remedy="check that the right file was saved",
        )
    return heads


def _bind_given(mapping: Mapping, book: CellFile, heads: Heads, sheet: str | None) -> Binding:
    if sheet is None and mapping.sheets:
        known = {one.name for one in book.sheets}
        name = next((wanted for wanted in mapping.sheets if wanted in known), mapping.sheets[0])
        heads = _heads(book, name)
    wanted = mapping.structural_columns() + [name for name, _ in mapping.columns]
    best: tuple[int, CellSheet, Header] | None = None
    for one, headers in heads:
        for header in headers:
            if mapping.header_row is not None and header.row != mapping.header_row:
                continue
            score = sum(header.find(name) is not None for name in wanted)
            if best is None or score > best[0]:
                best = (score, one, header)
    if best is None:
        raise CarbonpanelError(
            "CP-FILE-NO-HEADER",
            f"row {mapping.header_row} holds no column names",
            where=heads[0][0].place(mapping.header_row),
            remedy="correct 'header_row' in the mapping",
        )
    return bind(mapping, best[1], best[2])


def _fitting(source: str, heads: Heads) -> list[tuple[Mapping, CellSheet, Header]]:
    """Shipped mappings whose fingerprint is in the file, the most specific first."""
    found = []
    for mapping in shipped_mappings():
        if mapping.source != source or not mapping.recognise:
            continue
        for sheet, headers in heads:
            if mapping.sheets and (sheet.name or "").strip() not in mapping.sheets:
                continue
            fits = [h for h in headers if all(clean in h.exact for clean in mapping.recognise)]
            if fits:
                found.append((mapping, sheet, fits[0]))
                break
    return sorted(found, key=lambda item: (-len(item[0].recognise), item[0].name))


def _finish(binding: Binding, remarks: tuple[str, ...], ignored: dict[str, str] | None = None) -> Plan:
    """Complete a plan: every column that is not used is listed, and absent ones are remarked on."""
    mapping = binding.mapping
    used = {binding.header.find(name) for name in mapping.structural_columns()}
    used |= {column.position for column in binding.values}
    for _, rule in mapping.columns:
        extra = [rule.unit_column, *(column for column, _ in rule.observed_where)]
        used |= {binding.header.find(name) for name in extra if name is not None}
    reasons = dict(ignored or {})
    default = "not in the mapping" if mapping.origin != "proposed" else "name not recognised"
    for position, name in enumerate(binding.header.names):
        if name and position not in used:
            reasons.setdefault(name, default)
    if binding.absent:
        remarks += (f"columns of '{mapping.name}' that this file does not have: {', '.join(binding.absent)}",)
    order = {name: position for position, name in reversed(list(enumerate(binding.header.names)))}
    reasons = dict(sorted(reasons.items(), key=lambda item: order.get(item[0], len(order))))
    return Plan(binding, remarks, reasons)


def _propose(source: str, heads: Heads, answers: Answers) -> Plan:
    dictionary = load_dictionary()
    scored = [
        (_score(header, source, dictionary), -index, sheet, header)
        for index, (sheet, headers) in enumerate(heads)
        for header in headers
    ]
    best = max(scored, key=lambda item: (item[0], item[1], -item[3].row))
    sheet, header = best[2], best[3]
    return _Proposal(source, sheet, header, dictionary, answers).plan()


def _score(header: Header, source: str, dictionary: Dictionary) -> int:
    roles = {dictionary.role(name) for name in header.names if name} - {None}
    known = sum(dictionary.read_header(name, source) is not None for name in header.names if name)
    years = sum(parse_year(name) is not None for name in header.names)
    structure = 3 * ("year" in roles or years > 1) + 3 * bool(roles & {"code", "name", "province_code", "province"})
    return structure + known + len(roles)


class _Proposal:
    """A mapping drafted from one header."""

    def __init__(self, source: str, sheet: CellSheet, header: Header, dictionary: Dictionary, answers: Answers) -> None:
        self.source = source
        self.sheet = sheet
        self.header = header
        self.dictionary = dictionary
        self.answers = answers
        answers.open(header.names)
        self.indicators = dictionary.contract.of_source(source)
        self.level = dictionary.contract.level(source)
        self.remarks: list[str] = []
        self.ignored: dict[str, str] = {}
        self.roles: dict[str, str] = {}
        for name in sorted(filter(None, header.names), key=dictionary.role_rank):
            role = dictionary.role(name)
            if role is not None:
                self.roles.setdefault(role, name)

    def plan(self) -> Plan:
        used = (position for position, name in enumerate(self.header.names) if self._is_used(name))
        check_duplicates(self.sheet, self.header, used)
        code, place, province = self._place_columns()
        years = [name for name in self.header.names if parse_year(name) is not None]
        year = self.roles.get("year")
        rules = self._rules()
        base = Mapping(
            name="proposed",
            source=self.source,
            origin="proposed",
            code=code,
            place=place,
            province=province,
            area_scope=Setting("whole_city", self.roles.get("area_scope"), is_said="area_scope" in self.roles),
            vintage=Setting("first", self.roles.get("vintage"), is_said="vintage" in self.roles),
        )
        label, value = self.roles.get("indicator"), self.roles.get("value")
        if not year and not years:
            raise no_year(self.sheet, self.header)
        if label is not None and (value is not None or (years and not year)):
            labels = self._labels(label)
            layout = "long" if year and value else "years_across"
            mapping = replace(
                base, layout=layout, year=year if layout == "long" else None, indicator=label, labels=labels,
                value=value if layout == "long" else None, unit=self.roles.get("unit"),
            )  # fmt: skip
        elif rules and year:
            lacking = any(rule.unit is None and rule.unit_column is None for _, rule in rules)
            unit = self.roles.get("unit") if lacking else None
            mapping = replace(base, layout="columns", year=year, unit=unit, columns=tuple(rules))
        else:
            raise self._no_indicator()
        mapping = settle_proposed(mapping, self.sheet, self.header, self.answers)
        return _finish(bind(mapping, self.sheet, self.header), tuple(self.remarks), self.ignored)

    def _is_used(self, name: str) -> bool:
        return bool(name) and (
            self.dictionary.role(name) is not None or self.dictionary.read_header(name, self.source) is not None
        )

    def _place_columns(self) -> tuple[str | None, str | None, str | None]:
        if self.level == "province":
            code = self.roles.get("province_code") or self.roles.get("code")
            place = self.roles.get("province") or self.roles.get("name")
            found: tuple[str | None, str | None, str | None] = (code, place, None)
        else:
            found = (self.roles.get("code"), self.roles.get("name"), self.roles.get("province"))
        if not found[0] and not found[1]:
            wanted = "'province_code' or 'province'" if self.level == "province" else "'city_code' or 'city'"
            raise CarbonpanelError(
                "CP-PLACE-MISSING",
                f"no column says which {self.level} a row is of",
                where=self.sheet.place(self.header.row),
                remedy=f"name one {wanted} (or {'省份' if self.level == 'province' else '城市'}), or use a mapping",
            )
        return found

    def _rules(self) -> list[tuple[str, Rule]]:
        rules: list[tuple[str, Rule]] = []
        first: dict[tuple[str, str | None, str | None, str | None], str] = {}
        for name in self.header.names:
            if not name or self.roles.get(self.dictionary.role(name) or "") == name:
                continue
            rule = self._rule(name, self._unit_column(name), has_row_unit="unit" in self.roles)
            if rule is None:
                continue
            key = (rule.indicator, rule.area_scope, rule.population_basis, rule.vintage)
            if key in first:
                raise CarbonpanelError(
                    "CP-COLUMN-AMBIGUOUS",
                    f"two columns are both {rule.indicator}: '{first[key]}' and '{name}'",
                    where=self.sheet.place(self.header.row, name),
                    remedy="remove one of them, or say in a mapping which one to take",
                )
            first[key] = name
            rules.append((name, rule))
        return rules

    def _unit_column(self, name: str) -> str | None:
        for ending in _UNIT_ENDINGS:
            position = self.header.exact.get(name + ending)
            if position is not None:
                return self.header.names[position]
        return None

    def _rule(self, text: str, unit_column: str | None, has_row_unit: bool = False) -> Rule | None:
        """The rule of a header or label; ``None`` when it is left alone (the reason is noted)."""
        reading = self.dictionary.read_header(text, self.source)
        if reading is None:
            return None
        where = self.sheet.place(self.header.row, text)
        name = self._indicator(reading, text)
        if name is None:
            return None
        indicator = self.indicators[name]
        unit = self.answers.unit(text, indicator, reading.unit, where)
        if unit == LEAVE:
            self.ignored[text] = "left out, as you said"
            return None
        if reading.problem and (unit is None or not reading.is_fatal):
            if not reading.is_fatal:
                self.ignored[text] = reading.problem
                return None
            part = reading.problem.split("'")[1]
            raise CarbonpanelError(
                "CP-UNIT-UNKNOWN", f"in '{text}' {reading.problem}", where=where,
                remedy=self.dictionary.unit_remedy(part, indicator),
            )  # fmt: skip
        unit = unit or reading.unit
        possible = self.dictionary.contract.units_for(indicator)
        if unit is None and unit_column is None and not has_row_unit:
            if len(possible) == 1:
                unit = possible[0]
            elif reading.is_contract_name:
                unit = indicator.unit
                self.remarks.append(f"'{text}' states no unit; taken in the contract's own, {unit}")
            else:
                unit = self.answers.ask_unit(text, indicator, where)
                if unit == LEAVE:
                    self.ignored[text] = "left out, as you said"
                    return None
        return Rule(
            indicator=name,
            unit=unit,
            unit_column=unit_column,
            area_scope=reading.area_scope,
            population_basis=reading.population_basis,
            vintage=reading.vintage,
        )

    def _indicator(self, reading: HeaderReading, text: str) -> str | None:
        """The indicator a header names; ``None`` when it is left out for want of knowing which."""
        where = self.sheet.place(self.header.row, text)
        if reading.needs_inventory:
            return INVENTORIES[self.answers.inventory(text, where)]
        if reading.needs_basis:
            basis = self.answers.population_basis(text, where)
            if basis == LEAVE:
                self.ignored[text] = "left out, as you said"
                return None
            return f"population_{basis}"
        return reading.indicator

    def _labels(self, column: str) -> tuple[tuple[str, Rule], ...]:
        """Rules by the texts of the indicator column, from one pass over it."""
        position = self.header.find(column)
        assert position is not None
        texts = {
            cells[position]: None
            for number, cells in self.sheet.rows()
            if number > self.header.row and len(cells) > position and cells[position].strip()
        }
        found = []
        unknown = []
        taken: dict[str, str] = {}
        for text in list(texts)[:2000]:
            rule = self._rule(text, None, has_row_unit="unit" in self.roles)
            if rule is None:
                unknown.append(text.strip())
            elif fold(text) not in taken:
                taken[fold(text)] = text
                found.append((text, rule))
        if not found:
            raise self._no_indicator(unknown)
        if unknown:
            shown = ", ".join(unknown[:20]) + (", ..." if len(unknown) > 20 else "")
            self.remarks.append(f"{len(unknown)} indicators of column '{column}' are left alone: {shown}")
        return tuple(found)

    def _no_indicator(self, seen: list[str] | None = None) -> CarbonpanelError:
        names = seen if seen is not None else [name for name in self.header.names if name]
        shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        return CarbonpanelError(
            "CP-INDICATOR-NONE",
            f"nothing of {self.source} is recognised among: {shown}",
            where=self.sheet.place(self.header.row),
            remedy=f"known indicators: {', '.join(self.indicators)}; or say in a mapping what the columns are",
        )
